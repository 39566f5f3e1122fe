// pedigree_command_bench: how long commands of `pedigree` take from start to exit, beside the least
// that a C++ client of gRPC can do, in turns against one server.
//
//   pedigree_command_bench --rounds=200
#include <fcntl.h>
#include <gflags/gflags.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/scratch_directory.h"
#include "bench/servers.h"
#include "bench/statistics.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

DEFINE_int32(rounds, 200, "runs of each program");

namespace pedigree::bench {
namespace {

// Runs a program, its output thrown away. Its wall time in ms; Internal unless it exits with 0.
absl::StatusOr<double> MsOf(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const auto begin = std::chrono::steady_clock::now();
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
    return absl::InternalError(absl::StrCat(command[0], " ", command[1], " failed"));
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

// A model with a step that made it, so that there is something to show.
absl::Status Fill(MeasuredServer& server) {
  using ml_metadata::Event;
  const auto call = [&server](const char* method, const google::protobuf::MessageLite& request) {
    return server.client()
        .Call(absl::StrCat("/ml_metadata.MetadataStoreService/", method),
              request.SerializeAsString())
        .status();
  };
  ml_metadata::PutArtifactTypeRequest artifact_type;
  artifact_type.mutable_artifact_type()->set_name("Model");
  absl::Status status = call("PutArtifactType", artifact_type);
  ml_metadata::PutExecutionTypeRequest execution_type;
  execution_type.mutable_execution_type()->set_name("Trainer");
  if (status.ok()) status = call("PutExecutionType", execution_type);
  ml_metadata::PutExecutionRequest put;
  put.mutable_execution()->set_type_id(11);
  auto* pair = put.add_artifact_event_pairs();
  pair->mutable_artifact()->set_type_id(10);
  pair->mutable_artifact()->set_uri("s3://models/v1");
  pair->mutable_event()->set_type(Event::OUTPUT);
  if (status.ok()) status = call("PutExecution", put);
  return status;
}

absl::Status Run() {
  const std::filesystem::path programs =
      std::filesystem::read_symlink("/proc/self/exe").parent_path();
  auto scratch = ScratchDirectory::Create("/tmp");
  if (!scratch.ok()) return scratch.status();
  auto server = StartPedigreed({.name = "pedigreed",
                                .program = programs / "pedigreed",
                                .directory = (*scratch)->path(),
                                .flags = {}});
  if (!server.ok()) return server.status();
  absl::Status status = Fill(**server);
  if (!status.ok()) return status;
  const std::string& address = (*server)->address();
  const std::string pedigree = programs / "pedigree";
  const std::vector<std::vector<std::string>> commands = {
      {programs / "pedigree_bare_call", address},
      {pedigree, "get", "artifact:1", "--server", address},
      {pedigree, "get", "s3://models/v1", "--server", address},
      {pedigree, "ls", "artifacts", "--server", address},
      {pedigree, "--version"}};
  std::vector<std::vector<double>> times(commands.size());
  for (int round = 0; round < FLAGS_rounds; ++round) {
    for (size_t i = 0; i < commands.size(); ++i) {
      const auto ms = MsOf(commands[i]);
      if (!ms.ok()) return ms.status();
      times[i].push_back(*ms);
    }
  }
  const double bare = SpreadOf(times[0]).median;
  for (size_t i = 0; i < commands.size(); ++i) {
    const Spread spread = SpreadOf(times[i]);
    std::printf(
        "%7.2f ms (from %.2f)  %.2f x  %s %s\n", spread.median, spread.min, spread.median / bare,
        i == 0 ? "a bare call" : "pedigree",
        i == 0 ? ""
               : absl::StrCat(commands[i][1], " ", commands[i].size() > 2 ? commands[i][2] : "")
                     .c_str());
  }
  return (*server)->Stop();
}

}  // namespace
}  // namespace pedigree::bench

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  const absl::Status status = pedigree::bench::Run();
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}
