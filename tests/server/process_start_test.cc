// The real program: ports and flags at its start.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/server/refused_start.h"

namespace pedigree::testing {
namespace {

namespace fs = std::filesystem;

// Holds a port of the loopback interface, as any other program might.
class TakenPort {
 public:
  TakenPort() {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd_, 1) != 0 ||
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      ADD_FAILURE() << "cannot listen";
    }
    port_ = ntohs(address.sin_port);
  }
  ~TakenPort() { close(fd_); }
  int port() const { return port_; }

 private:
  int fd_ = -1;
  int port_ = 0;
};

TEST(Port, InUseByAnotherProgramIsRefused) {
  const TakenPort taken;
  const TempDirectory directory;
  ExpectRefuses(Flags(directory.Below("data"), {absl::StrCat("--grpc_port=", taken.port())}),
                {absl::StrCat("cannot listen on 127.0.0.1:", taken.port()), "in use"});
}

TEST(Port, InUseByAnotherPedigreedIsRefused) {
  const auto first = StartServer();
  ASSERT_NE(first, nullptr);
  const std::string port = first->address().substr(first->address().find(':') + 1);
  const TempDirectory directory;
  ExpectRefuses(Flags(directory.Below("data"), {"--grpc_port=" + port}),
                {"cannot listen on 127.0.0.1:" + port, "in use"});
  ExpectServes(*first);
}

TEST(Port, AfterARefusalTheDirectoryCanBeUsed) {
  const TempDirectory directory;
  {
    const TakenPort taken;
    ExpectRefuses(Flags(directory.Below("data"), {absl::StrCat("--grpc_port=", taken.port())}),
                  {"cannot listen"});
  }
  Program program({.path = kPedigreed, .args = Flags(directory.Below("data"))});
  EXPECT_TRUE(program.WaitForOutput(" serves ")) << program.Output();
  program.Signal(SIGTERM);
  EXPECT_TRUE(program.WaitForEnd().value().ok());
}

TEST(FlagsOfTheProgram, UnknownOnesAndBadValuesEndItWithCodeOne) {
  const TempDirectory directory;
  const std::string data = directory.Below("data");
  Program unknown({.path = kPedigreed, .args = Flags(data, {"--no_such_flag=1"})});
  EXPECT_EQ(unknown.WaitForEnd().value().code, 1);
  EXPECT_TRUE(absl::StrContains(unknown.Output(), "no_such_flag")) << unknown.Output();
  ExpectRefusesInOneLine(Flags(data, {"--sync=sometimes"}), {"--sync=sometimes"});
  ExpectRefusesInOneLine(Flags(data, {"--grpc_port=70000"}), {"--grpc_port=70000"});
  ExpectRefusesInOneLine(Flags(data, {"argument"}), {"argument"});
  ExpectRefusesInOneLine(Flags(data, {"--metadata_store_server_config_file=/nonexistent"}),
                         {"/nonexistent"});
  EXPECT_FALSE(fs::exists(data));
}

TEST(FirstStart, SaysWhatIsServedWhereAndNothingElse) {
  const TempDirectory directory;
  const std::string data = directory.Below("data");
  for (const char* start : {"first", "second"}) {
    SCOPED_TRACE(start);
    Program program({.path = kPedigreed, .args = Flags(data)});
    ASSERT_TRUE(program.WaitForOutput(" serves ")) << program.Output();
    program.Signal(SIGTERM);
    EXPECT_TRUE(program.WaitForEnd().value().ok());
    const std::string output = program.Output();
    EXPECT_EQ(program.OwnLines().size(), 3U) << output;  // Serves, stopping, stopped.
    EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 3) << output;
    EXPECT_TRUE(absl::StrContains(output, data)) << output;
  }
}

TEST(FlagsOfTheProgram, HelpAndVersionEndItWithCodeZero) {
  for (const auto& [flag, text] :
       {std::pair("--help", "--data_dir"), std::pair("--version", "pedigreed ")}) {
    Program program({.path = kPedigreed, .args = {flag}});
    EXPECT_EQ(program.WaitForEnd().value().code, 0);
    EXPECT_TRUE(absl::StrContains(program.Output(), text)) << program.Output();
  }
}

TEST(FlagsOfTheProgram, SyncIntervalAndNeverSayWhatTheyMayLoseAndWork) {
  for (const auto& [flag, notice] : {std::pair("--sync=interval", "at most the last 100 ms"),
                                     std::pair("--sync=never", "loses the acknowledged writes")}) {
    const auto server = StartServer({flag});
    ASSERT_NE(server, nullptr);
    EXPECT_TRUE(absl::StrContains(server->LogTail(), notice)) << server->LogTail();
    ExpectServes(*server);
    const absl::Status stopped = server->Stop();
    EXPECT_TRUE(stopped.ok()) << stopped;
    // An orderly stop loses nothing.
    ASSERT_TRUE(server->Restart().ok());
    RawClient client(server->address());
    ml_metadata::GetArtifactsResponse response;
    EXPECT_TRUE(client.Call("GetArtifacts", ml_metadata::GetArtifactsRequest(), &response).ok());
    EXPECT_EQ(response.artifacts_size(), 1);
  }
}

TEST(FlagsOfTheProgram, SettingsOfADatabaseAreAcceptedWithOneWarning) {
  const auto server =
      StartServer({"--mysql_config_host=mysql", "--mysql_config_password=secret",
                   "--enable_database_upgrade=true", "--metadata_source_config_type=mysql"});
  ASSERT_NE(server, nullptr);
  const std::string log = server->LogTail();
  EXPECT_TRUE(absl::StrContains(log, "pedigree import")) << log;
  EXPECT_FALSE(absl::StrContains(log, "secret")) << log;
  ExpectServes(*server);
}

}  // namespace
}  // namespace pedigree::testing
