#include "server/flags.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kGiB = size_t{1} << 30;

bool Contains(const std::string& text, const std::string& part) {
  return absl::StrContains(text, part);
}
bool Lacks(const std::string& text, const std::string& part) { return !Contains(text, part); }
bool Begins(const std::string& text, const std::string& part) {
  return absl::StartsWith(text, part);
}

// The single element of `lines`.
std::string Only(const std::vector<std::string>& lines) {
  EXPECT_EQ(lines.size(), 1U) << ::testing::PrintToString(lines);
  return lines.empty() ? "" : lines.front();
}

absl::StatusOr<ServerCommandLine> Parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"pedigreed"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return ParseServerFlags(static_cast<int>(argv.size()), argv.data(), "1.2.3");
}

ServerCommandLine Accepted(const std::vector<std::string>& arguments) {
  absl::StatusOr<ServerCommandLine> line = Parse(arguments);
  EXPECT_TRUE(line.ok()) << line.status();
  return line.ok() ? *std::move(line) : ServerCommandLine{};
}

// The message of a refusal, which is one line of bounded length.
std::string Refusal(const std::vector<std::string>& arguments) {
  const absl::StatusOr<ServerCommandLine> line = Parse(arguments);
  if (line.ok()) {
    ADD_FAILURE() << "accepted: " << ::testing::PrintToString(arguments);
    return "";
  }
  const std::string message(line.status().message());
  EXPECT_PRED2(Lacks, message, "\n");
  EXPECT_LT(message.size(), 1024U);
  return message;
}

// Sets an environment variable for one test.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~ScopedVariable() { unsetenv(name_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
};

// A configuration file that lives as long as the test.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(absl::StrCat(::testing::TempDir(), "flags_test_", getpid(), ".pbtxt")) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~ConfigFile() { std::filesystem::remove(path_); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  const std::string& path() const { return path_; }
  std::string flag() const { return "--metadata_store_server_config_file=" + path_; }

 private:
  std::string path_;
};

const std::vector<std::string> kKfpArguments = {
    "--grpc_port=8080",
    "--mysql_config_database=metadb",
    "--mysql_config_host=mysql",
    "--mysql_config_port=3306",
    "--mysql_config_user=root",
    "--mysql_config_password=hunter2",
    "--enable_database_upgrade=true",
    "--grpc_channel_arguments=grpc.max_metadata_size=16384,"
    "grpc.max_receive_message_length=104857600,grpc.max_send_message_length=104857600"};

TEST(ServerFlags, HaveTheDocumentedDefaults) {
  const ServerCommandLine line = Accepted({});
  const ServerOptions& options = line.options;
  EXPECT_EQ(options.data_dir, "./pedigree-data");
  EXPECT_EQ(options.listen_address, "0.0.0.0:8080");
  EXPECT_FALSE(options.ssl.has_value());
  EXPECT_TRUE(options.channel_arguments.empty());
  EXPECT_EQ(options.max_message_bytes, 100 << 20);
  EXPECT_EQ(options.sync, Sync::kAlways);
  EXPECT_EQ(options.block_cache_bytes, 256 * kMiB);
  EXPECT_EQ(options.write_buffer_bytes, 64 * kMiB);
  EXPECT_EQ(options.record_cache_bytes, 64 * kMiB);
  EXPECT_EQ(options.max_queued_bytes, 256 * kMiB);
  EXPECT_TRUE(line.notices.empty());
  EXPECT_TRUE(line.answer.empty());
}

TEST(ServerFlags, DefaultsOfTheFlagsAreThoseOfTheStruct) {
  const ServerOptions parsed = Accepted({}).options;
  const ServerOptions plain;
  EXPECT_EQ(parsed.data_dir, plain.data_dir);
  EXPECT_EQ(parsed.listen_address, plain.listen_address);
  EXPECT_EQ(parsed.max_message_bytes, plain.max_message_bytes);
  EXPECT_EQ(parsed.block_cache_bytes, plain.block_cache_bytes);
  EXPECT_EQ(parsed.write_buffer_bytes, plain.write_buffer_bytes);
  EXPECT_EQ(parsed.max_queued_bytes, plain.max_queued_bytes);
  EXPECT_EQ(parsed.max_query_visits, plain.max_query_visits);
  EXPECT_EQ(parsed.max_query_time, plain.max_query_time);
  EXPECT_EQ(parsed.property_indexes, plain.property_indexes);
  EXPECT_EQ(parsed.cache_policy.default_staleness_ms, std::nullopt);
  EXPECT_EQ(parsed.cache_policy.max_staleness_ms, std::nullopt);
}

TEST(ServerFlags, StalenessOfTheCache) {
  const CachePolicy policy =
      Accepted({"--cache_default_staleness=90m", "--cache_max_staleness=30d"}).options.cache_policy;
  EXPECT_EQ(policy.default_staleness_ms, 90 * 60 * 1000);
  EXPECT_EQ(policy.max_staleness_ms, int64_t{30} * 24 * 60 * 60 * 1000);
  EXPECT_EQ(Accepted({"--cache_max_staleness=1s"}).options.cache_policy.max_staleness_ms, 1000);
  EXPECT_EQ(Accepted({"--cache_max_staleness=2h"}).options.cache_policy.max_staleness_ms,
            2 * 60 * 60 * 1000);
  EXPECT_EQ(Accepted({"--cache_max_staleness=off"}).options.cache_policy.max_staleness_ms,
            std::nullopt);
  for (const char* value : {"", "0", "0s", "5", "d", "-1d", "1.5h", "1w", "36526d", "P30D"}) {
    for (const char* flag : {"--cache_default_staleness=", "--cache_max_staleness="}) {
      EXPECT_PRED2(Contains, Refusal({absl::StrCat(flag, value)}), "from 1s to 36525d");
    }
  }
}

TEST(CachePolicy, TheMaximumHoldsWhateverIsAsked) {
  CachePolicy policy;
  EXPECT_EQ(policy.StalenessFor(std::nullopt), std::nullopt);
  EXPECT_EQ(policy.StalenessFor(5), 5);
  policy.default_staleness_ms = 10;
  EXPECT_EQ(policy.StalenessFor(std::nullopt), 10);
  EXPECT_EQ(policy.StalenessFor(20), 20);
  policy.max_staleness_ms = 15;
  EXPECT_EQ(policy.StalenessFor(20), 15);
  EXPECT_EQ(policy.StalenessFor(5), 5);
  EXPECT_EQ(policy.StalenessFor(std::nullopt), 10);
  policy.default_staleness_ms = 40;
  EXPECT_EQ(policy.StalenessFor(std::nullopt), 15);
  policy.default_staleness_ms.reset();
  EXPECT_EQ(policy.StalenessFor(std::nullopt), 15);
}

TEST(ServerFlags, LimitsOfQueries) {
  const ServerOptions options =
      Accepted({"--max_query_visits=1000", "--max_query_seconds=86400"}).options;
  EXPECT_EQ(options.max_query_visits, 1000);
  EXPECT_EQ(options.max_query_time, std::chrono::hours(24));
  for (const char* flag : {"--max_query_visits=999", "--max_query_visits=", "--max_query_visits=1k",
                           "--max_query_visits=1000000000001"}) {
    EXPECT_PRED2(Contains, Refusal({flag}), "from 1000 to 1000000000000");
  }
  for (const char* flag :
       {"--max_query_seconds=0", "--max_query_seconds=-1", "--max_query_seconds=86401"}) {
    EXPECT_PRED2(Contains, Refusal({flag}), "from 1 to 86400");
  }
}

TEST(ServerFlags, BackupRoot) {
  EXPECT_EQ(Accepted({}).options.backup_root, "");
  EXPECT_EQ(Accepted({"--backup_root=/"}).options.backup_root, "/");
  for (const char* root : {"backups", "/no/such/directory", "/proc/self/status"}) {
    EXPECT_PRED2(Contains, Refusal({absl::StrCat("--backup_root=", root)}),
                 "absolute path of a directory");
  }
}

TEST(ServerFlags, PropertyIndexes) {
  using Properties = std::vector<IndexedProperty>;
  EXPECT_EQ(Accepted({"--property_indexes=execution.custom_properties.run_id, "
                      "artifact.properties.a.b,context.properties.properties.,"})
                .options.property_indexes,
            (Properties{{NodeKind::kExecution, true, "run_id"},
                        {NodeKind::kArtifact, false, "a.b"},
                        {NodeKind::kContext, false, "properties."}}));
  for (const char* text : {"run_id", "execution", "execution.", "execution.run_id",
                           "execution.properties.", "executions.properties.x", ".properties.x"}) {
    EXPECT_PRED2(Contains, Refusal({absl::StrCat("--property_indexes=", text)}), text);
  }
}

TEST(ServerFlags, TakeEveryFormOfGflags) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--grpc_port=9000"},
                                             {"--grpc_port", "9000"},
                                             {"-grpc_port=9000"},
                                             {"-grpc_port", "9000"}}) {
    EXPECT_EQ(Accepted(arguments).options.listen_address, "0.0.0.0:9000");
  }
  for (const char* flag :
       {"--enable_database_upgrade", "--noenable_database_upgrade", "-noenable_database_upgrade",
        "--enable_database_upgrade=false", "--postgres_config_skip_db_creation=true"}) {
    Accepted({flag});
  }
}

TEST(ServerFlags, LastOfARepeatedFlagCounts) {
  EXPECT_EQ(Accepted({"--grpc_port=1", "--grpc_port=2"}).options.listen_address, "0.0.0.0:2");
}

TEST(ServerFlags, ReadAFlagFile) {
  const ConfigFile file("--grpc_port=9001\n--sync=never\n");
  const ServerOptions options = Accepted({"--flagfile=" + file.path()}).options;
  EXPECT_EQ(options.listen_address, "0.0.0.0:9001");
  EXPECT_EQ(options.sync, Sync::kNever);
}

TEST(ServerFlags, OneParseLeavesNothingForTheNext) {
  Accepted({"--grpc_port=9000", "--mysql_config_host=db", "--max_queued_bytes=1GiB", "--help"});
  const ServerCommandLine line = Accepted({});
  EXPECT_EQ(line.options.listen_address, "0.0.0.0:8080");
  EXPECT_EQ(line.options.max_queued_bytes, 256 * kMiB);
  EXPECT_TRUE(line.notices.empty());
  EXPECT_TRUE(line.answer.empty());
}

TEST(ServerFlagsDeathTest, UnknownFlagEndsWithCode1) {
  EXPECT_EXIT(Parse({"--frobnicate=1"}), ::testing::ExitedWithCode(1),
              "unknown command line flag 'frobnicate'");
  EXPECT_EXIT(Parse({"--grpc_prot=8080"}), ::testing::ExitedWithCode(1), "'grpc_prot'");
  EXPECT_EXIT(Parse({"--grpc_port"}), ::testing::ExitedWithCode(1), "missing its argument");
  EXPECT_EXIT(Parse({"--enable_database_upgrade=perhaps"}), ::testing::ExitedWithCode(1),
              "illegal value 'perhaps'");
}

TEST(ServerFlags, RefuseWhatIsNoFlag) {
  EXPECT_PRED2(Begins, Refusal({"data_dir=/srv"}), "'data_dir=/srv' is not a flag");
  EXPECT_PRED2(Contains, Refusal({"--enable_database_upgrade", "false"}), "after '='");
}

TEST(ServerFlags, HelpShowsOurFlagsOnly) {
  for (const char* flag : {"--help", "-help", "--helpfull", "--helpshort", "--helpxml"}) {
    const std::string text = Accepted({flag}).answer;
    EXPECT_PRED2(Contains, text, "--data_dir (default ./pedigree-data)");
    EXPECT_PRED2(Contains, text, "--sync (default always)");
    EXPECT_PRED2(Contains, text, "--mysql_config_host\n");
    EXPECT_PRED2(Contains, text, "PEDIGREE_DATA_DIR");
    EXPECT_PRED2(Lacks, text, "tab_completion");
    EXPECT_PRED2(Lacks, text, "gtest");
  }
}

TEST(ServerFlags, VersionIsThatOfTheProgram) {
  EXPECT_EQ(Accepted({"--version"}).answer, "pedigreed 1.2.3\n");
}

TEST(ServerFlags, HelpAnswersEvenIfAnotherFlagIsWrong) {
  EXPECT_PRED2(Contains, Accepted({"--sync=sometimes", "--help"}).answer, "Usage: pedigreed");
}

TEST(PeerFlags, KfpDeploymentIsAcceptedWhole) {
  const ServerCommandLine line = Accepted(kKfpArguments);
  EXPECT_EQ(line.options.listen_address, "0.0.0.0:8080");
  EXPECT_EQ(line.options.max_message_bytes, 104857600);
  ASSERT_EQ(line.options.channel_arguments.size(), 2U);
  EXPECT_EQ(line.options.channel_arguments[0].name, "grpc.max_metadata_size");
  EXPECT_EQ(std::get<int>(line.options.channel_arguments[0].value), 16384);
  EXPECT_EQ(line.options.channel_arguments[1].name, "grpc.max_send_message_length");
  EXPECT_EQ(Only(line.notices),
            "Ignored, since there is no database to connect to: "
            "--enable_database_upgrade, --mysql_config_database, "
            "--mysql_config_host, --mysql_config_password, --mysql_config_port, "
            "--mysql_config_user. To bring the history of an ML Metadata database "
            "here, use `pedigree import`.");
}

TEST(PeerFlags, KfpPostgresOverlayIsAcceptedWhole) {
  const ServerCommandLine line =
      Accepted({"--grpc_port=8080", "--metadata_source_config_type=postgresql",
                "--postgres_config_host=postgres", "--postgres_config_port=5432",
                "--postgres_config_dbname=mlmdpostgres", "--postgres_config_user=user",
                "--postgres_config_password=hunter2"});
  ASSERT_EQ(line.notices.size(), 1U);
  EXPECT_PRED2(Contains, line.notices[0], "--metadata_source_config_type");
  EXPECT_PRED2(Contains, line.notices[0], "--postgres_config_dbname");
  EXPECT_PRED2(Contains, line.notices[0], "`pedigree import`");
}

TEST(PeerFlags, EveryOneIsAccepted) {
  for (const char* flag : {"metadata_source_config_type",
                           "metadata_store_connection_retries",
                           "mysql_config_host",
                           "mysql_config_port",
                           "mysql_config_database",
                           "mysql_config_user",
                           "mysql_config_password",
                           "postgres_config_host",
                           "postgres_config_hostaddr",
                           "postgres_config_port",
                           "postgres_config_user",
                           "postgres_config_password",
                           "postgres_config_passfile",
                           "postgres_config_dbname",
                           "postgres_config_skip_db_creation",
                           "postgres_config_sslmode",
                           "postgres_config_sslcert",
                           "postgres_config_sslkey",
                           "postgres_config_sslpassword",
                           "postgres_config_sslrootcert",
                           "enable_database_upgrade",
                           "downgrade_db_schema_version"}) {
    const ServerCommandLine line = Accepted({absl::StrCat("--", flag, "=1")});
    ASSERT_EQ(line.notices.size(), 1U) << flag;
    EXPECT_PRED2(Contains, line.notices[0], absl::StrCat(": --", flag, ". "));
  }
}

TEST(PeerFlags, NegativeNumbersAreAccepted) {
  Accepted({"--downgrade_db_schema_version=-1"});
  Accepted({"--downgrade_db_schema_version", "-1"});
}

TEST(PeerFlags, NoticeShowsNoValue) {
  for (const std::string& notice : Accepted(kKfpArguments).notices) {
    EXPECT_PRED2(Lacks, notice, "hunter2");
    EXPECT_PRED2(Lacks, notice, "metadb");
    EXPECT_PRED2(Lacks, notice, "3306");
    EXPECT_PRED2(Lacks, notice, "root");
  }
}

TEST(Environment, GivesDefaults) {
  const ScopedVariable directory("PEDIGREE_DATA_DIR", "/srv/pedigree");
  const ScopedVariable port("GRPC_PORT", "7000");
  const ConfigFile file("ssl_config { server_key: 'k' }");
  const ScopedVariable config("METADATA_STORE_SERVER_CONFIG_FILE", file.path().c_str());
  const ServerOptions options = Accepted({}).options;
  EXPECT_EQ(options.data_dir, "/srv/pedigree");
  EXPECT_EQ(options.listen_address, "0.0.0.0:7000");
  ASSERT_TRUE(options.ssl.has_value());
  EXPECT_EQ(options.ssl->server_key, "k");
}

TEST(Environment, GivesWayToFlagsEvenAtTheirDefault) {
  const ScopedVariable directory("PEDIGREE_DATA_DIR", "/srv/pedigree");
  const ScopedVariable port("GRPC_PORT", "tcp://10.0.0.1:8080");
  const ScopedVariable config("METADATA_STORE_SERVER_CONFIG_FILE", "/does/not/exist");
  const ServerOptions options = Accepted({"--data_dir=./pedigree-data", "--grpc_port=8080",
                                          "--metadata_store_server_config_file="})
                                    .options;
  EXPECT_EQ(options.data_dir, "./pedigree-data");
  EXPECT_EQ(options.listen_address, "0.0.0.0:8080");
}

TEST(Environment, CountsAsUnsetWhenEmpty) {
  const ScopedVariable directory("PEDIGREE_DATA_DIR", "");
  const ScopedVariable port("GRPC_PORT", "");
  const ScopedVariable config("METADATA_STORE_SERVER_CONFIG_FILE", "");
  EXPECT_EQ(Accepted({}).options.listen_address, "0.0.0.0:8080");
  EXPECT_EQ(Accepted({}).options.data_dir, "./pedigree-data");
}

TEST(Environment, IsNamedInRefusals) {
  const ScopedVariable port("GRPC_PORT", "tcp://10.0.0.1:8080");
  EXPECT_PRED2(Begins, Refusal({}), "GRPC_PORT=tcp://10.0.0.1:8080: give a port");
}

TEST(DataDir, MayNotBeEmpty) { EXPECT_PRED2(Begins, Refusal({"--data_dir="}), "--data_dir=:"); }

TEST(Port, IsChecked) {
  EXPECT_EQ(Accepted({"--grpc_port=0"}).options.listen_address, "0.0.0.0:0");
  EXPECT_EQ(Accepted({"--grpc_port=65535"}).options.listen_address, "0.0.0.0:65535");
  for (const char* port : {"65536", "-1", "+1", " 1", "80a", "", "99999999999999999999"}) {
    EXPECT_EQ(
        Refusal({absl::StrCat("--grpc_port=", port)}),
        absl::StrCat("--grpc_port=", port, ": give a port from 0 to 65535; 0 takes any free port"));
  }
}

TEST(TaskPort, IsOffUnlessAskedFor) {
  EXPECT_EQ(Accepted({}).options.task_listen_address, "");
  EXPECT_EQ(Accepted({"--task_port=0"}).options.task_listen_address, "");
  EXPECT_EQ(Accepted({"--task_port=0", "--listen=unix:x"}).options.task_listen_address, "");
}

TEST(TaskPort, IsOnTheHostOfTheOther) {
  const ServerOptions options = Accepted({"--task_port=8887"}).options;
  EXPECT_EQ(options.task_listen_address, "0.0.0.0:8887");
  EXPECT_EQ(options.listen_address, "0.0.0.0:8080");
  EXPECT_EQ(Accepted({"--task_port=8887", "--listen=::1"}).options.task_listen_address,
            "[::1]:8887");
  EXPECT_EQ(Accepted({"--task_port=8887", "--grpc_port=0"}).options.task_listen_address,
            "0.0.0.0:8887");
}

TEST(TaskPort, IsChecked) {
  for (const char* port : {"65536", "-1", "+1", " 1", "80a", "", "99999999999999999999"}) {
    EXPECT_EQ(
        Refusal({absl::StrCat("--task_port=", port)}),
        absl::StrCat("--task_port=", port, ": give a port from 0 to 65535; 0 is no second port"));
  }
  EXPECT_EQ(Refusal({"--task_port=8887", "--listen=unix:/run/pedigree.sock"}),
            "--task_port=8887: a second port needs an address; --listen is a unix socket");
  EXPECT_EQ(Refusal({"--task_port=8080"}),
            "--task_port=8080: that is the port of --grpc_port already");
  EXPECT_PRED2(Contains, Accepted({"--help"}).answer, "--task_port (default 0)");
  EXPECT_PRED2(Contains, Accepted({"--help"}).answer, "8887");
}

TEST(Listen, TakesAddressesNamesAndUnixSockets) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"127.0.0.1", "127.0.0.1:8080"},
      {"::", "[::]:8080"},
      {"::1", "[::1]:8080"},
      {"[::1]", "[::1]:8080"},
      {"2001:db8::7", "[2001:db8::7]:8080"},
      {"localhost", "localhost:8080"},
      {"node-1.example.org", "node-1.example.org:8080"},
      {"unix:/run/pedigree.sock", "unix:/run/pedigree.sock"},
      {"unix:pedigree.sock", "unix:pedigree.sock"}};
  for (const auto& [listen, address] : cases) {
    EXPECT_EQ(Accepted({"--listen=" + listen}).options.listen_address, address);
  }
}

TEST(Listen, RefusesTheRest) {
  for (const char* listen : {"", "*", "1.2.3", "1.2.3.256", "127.0.0.1:9000", "localhost:9000",
                             "[::1", "::1]", "[::1]:80", "[127.0.0.1]", "1::2::3", "fe80::1%eth0",
                             "unix-abstract:x", "http://localhost", "a b"}) {
    EXPECT_PRED2(Begins, Refusal({absl::StrCat("--listen=", listen)}),
                 absl::StrCat("--listen=", listen, ": give an IPv4 or IPv6"));
    EXPECT_PRED2(Contains, Refusal({absl::StrCat("--listen=", listen)}), "--grpc_port");
  }
}

TEST(Listen, BoundsTheUnixPath) {
  EXPECT_EQ(Accepted({"--listen=unix:/" + std::string(106, 'a')}).options.listen_address,
            "unix:/" + std::string(106, 'a'));
  EXPECT_PRED2(Contains, Refusal({"--listen=unix:/" + std::string(107, 'a')}), "1 to 107 bytes");
  EXPECT_PRED2(Contains, Refusal({"--listen=unix:"}), "1 to 107 bytes");
}

TEST(Http, IsOffUnlessAskedFor) {
  EXPECT_FALSE(Accepted({}).options.http.has_value());
  EXPECT_FALSE(Accepted({"--nohttp"}).options.http.has_value());
  EXPECT_FALSE(Accepted({"--nohttp", "--http_port=9091"}).options.http.has_value());
  const auto http = Accepted({"--http"}).options.http;
  ASSERT_TRUE(http.has_value());
  EXPECT_EQ(http->host, "0.0.0.0");
  EXPECT_EQ(http->port, 9090);
  EXPECT_TRUE(http->allowed_origins.empty());
  EXPECT_EQ(Accepted({"--http_port=0"}).options.http->port, 0);
  EXPECT_EQ(Accepted({"--http_port=9090"}).options.http->port, 9090) << "its default, but given";
  EXPECT_PRED2(Begins, Refusal({"--http_port=65536"}), "--http_port=65536:");
  EXPECT_PRED2(Begins, Refusal({"--http_port=x"}), "--http_port=x:");
}

TEST(Http, ListensWhereGrpcDoes) {
  const auto host = [](const std::string& listen) {
    return Accepted({"--http", "--listen=" + listen}).options.http->host;
  };
  EXPECT_EQ(host("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(host("::1"), "::1");
  EXPECT_EQ(host("[::1]"), "::1");
  EXPECT_EQ(host("localhost"), "localhost");
  EXPECT_EQ(host("unix:/run/pedigree.sock"), "127.0.0.1");
}

TEST(Http, TakesOriginsAsBrowsersWriteThem) {
  const auto origins = [](const std::string& text) {
    return Accepted({"--http", "--http_allow_origins=" + text}).options.http->allowed_origins;
  };
  EXPECT_EQ(origins("https://a.example.com, http://localhost:3000,"),
            (std::vector<std::string>{"https://a.example.com", "http://localhost:3000"}));
  EXPECT_EQ(origins("*"), std::vector<std::string>{"*"});
  for (const std::string bad : {"a.example.com", "https://a.example.com/", "https://*.example.com",
                                "https://a.example.com,null"}) {
    EXPECT_PRED2(Begins, Refusal({"--http", "--http_allow_origins=" + bad}),
                 "--http_allow_origins=");
  }
  EXPECT_PRED2(Contains, Refusal({"--http_allow_origins=*"}), "needs --http");
}

TEST(SyncFlag, TakesItsThreeWords) {
  EXPECT_EQ(Accepted({"--sync=always"}).options.sync, Sync::kAlways);
  EXPECT_EQ(Accepted({"--sync=interval"}).options.sync, Sync::kInterval);
  EXPECT_EQ(Accepted({"--sync=never"}).options.sync, Sync::kNever);
  EXPECT_EQ(Accepted({}).options.journal, JournalMode::kOn);
  EXPECT_EQ(Accepted({"--journal=on"}).options.journal, JournalMode::kOn);
  EXPECT_EQ(Accepted({"--journal=off"}).options.journal, JournalMode::kOff);
  EXPECT_EQ(Refusal({"--journal=false"}), "--journal=false: give on or off");
  EXPECT_EQ(Refusal({"--sync=Always"}), "--sync=Always: give always, interval or never");
}

TEST(SyncFlag, SaysWhatItCanLose) {
  EXPECT_TRUE(Accepted({"--sync=always"}).notices.empty());
  EXPECT_PRED2(Contains, Only(Accepted({"--sync=interval"}).notices), "at most the last 100 ms");
  EXPECT_PRED2(Contains, Only(Accepted({"--sync=never"}).notices), "power cut");
}

TEST(SizeFlags, TakeBytesAndUnits) {
  const ServerOptions options =
      Accepted({"--block_cache_bytes=1048576", "--write_buffer_bytes=2048KiB",
                "--max_queued_bytes=1024GiB", "--max_message_bytes=3MiB"})
          .options;
  EXPECT_EQ(options.block_cache_bytes, kMiB);
  EXPECT_EQ(options.write_buffer_bytes, 2 * kMiB);
  EXPECT_EQ(options.max_queued_bytes, 1024 * kGiB);
  EXPECT_EQ(options.max_message_bytes, 3 << 20);
}

TEST(SizeFlags, RefuseWhatIsMalformed) {
  for (const char* flag :
       {"block_cache_bytes", "write_buffer_bytes", "max_queued_bytes", "max_message_bytes"}) {
    for (const char* value : {"", "MiB", "-5MiB", "+5MiB", "5 MiB", "5mib", "5MB", "5M", "1.5GiB",
                              "5MiBMiB", "0x10", "9223372036854775808", "9007199254740993GiB"}) {
      EXPECT_PRED2(Begins, Refusal({absl::StrCat("--", flag, "=", value)}),
                   absl::StrCat("--", flag, "=", value, ": give a size from "));
      EXPECT_PRED2(Contains, Refusal({absl::StrCat("--", flag, "=", value)}), "KiB, MiB or GiB");
    }
  }
}

TEST(SizeFlags, RefuseWhatIsOutOfRange) {
  EXPECT_PRED2(Contains, Refusal({"--block_cache_bytes=1048575"}), "from 1MiB to 1024GiB");
  EXPECT_PRED2(Contains, Refusal({"--write_buffer_bytes=1025GiB"}), "from 1MiB to 1024GiB");
  EXPECT_PRED2(Contains, Refusal({"--max_message_bytes=1023"}), "from 1KiB to 2147483647");
  EXPECT_PRED2(Contains, Refusal({"--max_message_bytes=2GiB"}), "from 1KiB to 2147483647");
  EXPECT_EQ(Accepted({"--max_message_bytes=2147483647"}).options.max_message_bytes,
            std::numeric_limits<int>::max());
}

TEST(SizeFlags, QueueHoldsAtLeastOneMessage) {
  EXPECT_PRED2(Contains, Refusal({"--max_queued_bytes=99MiB"}), "from 100MiB to 1024GiB");
  EXPECT_EQ(Accepted({"--max_queued_bytes=100MiB"}).options.max_queued_bytes, 100 * kMiB);
  EXPECT_EQ(Accepted({"--max_message_bytes=1GiB"}).options.max_queued_bytes, kGiB);
}

TEST(ChannelArguments, AreIntegersIfTheyParse) {
  const auto arguments = Accepted({"--grpc_channel_arguments=a=1,b=-2,c=x=y, d = 4 ,,e=1.5,"})
                             .options.channel_arguments;
  ASSERT_EQ(arguments.size(), 5U);
  EXPECT_EQ(arguments[0].name, "a");
  EXPECT_EQ(std::get<int>(arguments[0].value), 1);
  EXPECT_EQ(std::get<int>(arguments[1].value), -2);
  EXPECT_EQ(std::get<std::string>(arguments[2].value), "x=y");
  EXPECT_EQ(arguments[3].name, "d");
  EXPECT_EQ(std::get<int>(arguments[3].value), 4);
  EXPECT_EQ(std::get<std::string>(arguments[4].value), "1.5");
}

TEST(ChannelArguments, RefuseBadSyntax) {
  for (const char* text : {"a", "a=", "=1", "=", "a=1,b"}) {
    EXPECT_PRED2(Begins, Refusal({absl::StrCat("--grpc_channel_arguments=", text)}),
                 "--grpc_channel_arguments=");
    EXPECT_PRED2(Contains, Refusal({absl::StrCat("--grpc_channel_arguments=", text)}),
                 "give name=value");
  }
  EXPECT_PRED2(Contains, Refusal({"--grpc_channel_arguments=a=2147483648"}), "32 bits");
  EXPECT_PRED2(Contains, Refusal({"--grpc_channel_arguments=a=-99999999999"}), "32 bits");
}

TEST(ChannelArguments, SetTheMessageLimit) {
  const auto limit = [](const std::string& value) {
    return Accepted({"--grpc_channel_arguments=grpc.max_receive_message_length=" + value}).options;
  };
  EXPECT_EQ(limit("4096").max_message_bytes, 4096);
  EXPECT_EQ(limit("-1").max_message_bytes, std::numeric_limits<int>::max());
  EXPECT_TRUE(limit("4096").channel_arguments.empty());
  EXPECT_EQ(limit("4096,grpc.max_receive_message_length=8192").max_message_bytes, 8192);
  for (const char* value : {"0", "-2", "1023", "4MiB"}) {
    EXPECT_PRED2(
        Contains,
        Refusal({absl::StrCat("--grpc_channel_arguments=grpc.max_receive_message_length=", value)}),
        absl::StrCat("grpc.max_receive_message_length=", value, ": give a number"));
  }
}

TEST(ChannelArguments, GiveWayToMaxMessageBytes) {
  const ServerOptions options =
      Accepted({"--max_message_bytes=8KiB",
                "--grpc_channel_arguments=grpc.max_receive_message_length=4096"})
          .options;
  EXPECT_EQ(options.max_message_bytes, 8192);
  EXPECT_TRUE(options.channel_arguments.empty());
}

TEST(ConfigFileFlag, ReadsTheTlsSettingsOfKfp) {
  const ConfigFile file(R"(connection_config {
  mysql { host: "mysql" port: 3306 database: "metadb" user: "root" password: "hunter2" }
}
migration_options { enable_upgrade_migration: true }
ssl_config {
  server_key: "-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n"
  server_cert: "cert\n" "and chain\n"
  custom_ca: "authority"
  client_verify: true
})");
  const ServerCommandLine line = Accepted({file.flag(), "--enable_database_upgrade=true"});
  ASSERT_TRUE(line.options.ssl.has_value());
  EXPECT_EQ(line.options.ssl->server_key, "-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n");
  EXPECT_EQ(line.options.ssl->server_cert, "cert\nand chain\n");
  EXPECT_EQ(line.options.ssl->custom_ca, "authority");
  EXPECT_TRUE(line.options.ssl->client_verify);
  ASSERT_EQ(line.notices.size(), 1U);
  EXPECT_PRED2(Contains, line.notices[0],
               ": --enable_database_upgrade, connection_config, migration_options.");
  EXPECT_PRED2(Contains, line.notices[0], "`pedigree import`");
  EXPECT_PRED2(Lacks, line.notices[0], "hunter2");
}

TEST(ConfigFileFlag, AcceptsEveryConnection) {
  for (const char* config :
       {"fake_database {}", "sqlite { filename_uri: '/mlmd.db' connection_mode: READWRITE }",
        "mysql { host: 'h' ssl_options { verify_server_cert: true } }",
        "postgresql { host: 'h' port: '5432' } retry_options { max_num_retries: 3 }"}) {
    const ConfigFile file(absl::StrCat("connection_config { ", config, " }"));
    EXPECT_PRED2(Contains, Only(Accepted({file.flag()}).notices), ": connection_config.");
  }
}

TEST(ConfigFileFlag, EmptyFileSetsNothing) {
  const ConfigFile file("# nothing\n");
  const ServerCommandLine line = Accepted({file.flag()});
  EXPECT_FALSE(line.options.ssl.has_value());
  EXPECT_TRUE(line.notices.empty());
}

TEST(ConfigFileFlag, EmptySslConfigIsStillTls) {
  const ConfigFile file("ssl_config {}");
  EXPECT_TRUE(Accepted({file.flag()}).options.ssl.has_value());
}

TEST(ConfigFileFlag, RefusalNamesFileLineAndColumn) {
  const ConfigFile file("ssl_config {\n  server_key: \"k\"\n  server_crt: \"c\"\n}\n");
  EXPECT_EQ(Refusal({file.flag()}),
            absl::StrCat("--metadata_store_server_config_file: ", file.path(),
                         ":3:13: Message type \"ml_metadata.MetadataStoreServerConfig.SSLConfig\" "
                         "has no field named \"server_crt\" (a text-format "
                         "ml_metadata.MetadataStoreServerConfig is wanted)"));
}

TEST(ConfigFileFlag, RefusalShowsNoSecret) {
  for (const char* text : {"connection_config { mysql { password: hunter2 } }",
                           "connection_config { mysql { password hunter2 } }",
                           "connection_config { mysql { password: \"x\" \"y\" : hunter2 } }",
                           "connection_config { mysql { port: hunter2 } }",
                           "ssl_config { server_key: \"-----BEGIN\nhunter2\n-----END\" }"}) {
    const ConfigFile file(text);
    EXPECT_PRED2(Lacks, Refusal({file.flag()}), "hunter2") << text;
  }
}

TEST(ConfigFileFlag, RefusesWhatCannotBeRead) {
  const std::string directory = ::testing::TempDir();
  EXPECT_PRED2(Contains, Refusal({"--metadata_store_server_config_file=/does/not/exist"}),
               "cannot read /does/not/exist");
  EXPECT_PRED2(Contains, Refusal({"--metadata_store_server_config_file=/does/not/exist"}),
               "No such file");
  EXPECT_PRED2(Contains, Refusal({"--metadata_store_server_config_file=" + directory}),
               "Is a directory");
  const ConfigFile large(std::string((1 << 20) + 1, '#'));
  EXPECT_PRED2(Contains, Refusal({large.flag()}), "larger than 1 MiB");
  const ConfigFile binary(std::string("\x12\x02\x0a\x00\xff", 5));
  EXPECT_PRED2(Contains, Refusal({binary.flag()}), binary.path() + ":1:");
}

TEST(Refusals, CutLongAndEscapeOddValues) {
  EXPECT_PRED2(Contains, Refusal({"--sync=" + std::string(10000, 'x')}), "xxx...: give always");
  EXPECT_PRED2(Begins, Refusal({"--sync=a\nb"}), "--sync=a\\nb: give");
  EXPECT_PRED2(Begins, Refusal({"--sync='ä'"}), "--sync='ä': give");
}

}  // namespace
}  // namespace pedigree
