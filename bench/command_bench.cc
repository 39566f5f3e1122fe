// pedigree_command_bench: how long commands of `pedigree` take from start to exit, beside the least
// that a C++ client of gRPC can do, in turns against one server; and lineages of 10,000 nodes as
// HTML and of 2,000 as SVG.
//
//   pedigree_command_bench --rounds=200
#include <fcntl.h>
#include <gflags/gflags.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
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

// What a platform makes of some raw data: each week it is prepared, and trained on 24 times, each
// model with its evaluation and metrics.
constexpr int kModelsPerWeek = 24;
constexpr int kNodesPerWeek = 2 + 4 * kModelsPerWeek;

// Adds an execution with its one input and one output to a week, artifacts by their place in it.
void AddStep(ml_metadata::PutLineageSubgraphRequest* week, const std::string& name, int input) {
  using ml_metadata::Event;
  const int execution = week->executions_size();
  const int output = week->artifacts_size();
  week->add_executions()->set_type_id(11);
  (*week->mutable_executions(execution)->mutable_custom_properties())["display_name"]
      .set_string_value(name);
  auto* artifact = week->add_artifacts();
  artifact->set_type_id(10);
  artifact->set_uri(absl::StrCat("s3://platform/", name));
  (*artifact->mutable_custom_properties())["display_name"].set_string_value(name);
  for (const auto& [place, type] :
       {std::pair(input, Event::INPUT), std::pair(output, Event::OUTPUT)}) {
    auto* edge = week->add_event_edges();
    edge->set_execution_index(execution);
    edge->set_artifact_index(place);
    edge->mutable_event()->set_type(type);
  }
}

// Raw data of this name with all that came of it; some nodes less than `nodes`.
absl::Status FillPlatform(MeasuredServer& server, const std::string& raw, int nodes) {
  ml_metadata::Artifact data;
  data.set_type_id(10);
  data.set_name(raw);
  for (int week = 0; week < (nodes - 1) / kNodesPerWeek; ++week) {
    ml_metadata::PutLineageSubgraphRequest request;
    *request.add_artifacts() = data;
    AddStep(&request, absl::StrCat("week-", week), 0);
    for (int i = 0; i < kModelsPerWeek; ++i) {
      AddStep(&request, absl::StrCat("model-", week, ".", i), 1);
      AddStep(&request, absl::StrCat("metrics-", week, ".", i), request.artifacts_size() - 1);
    }
    const auto answer = server.client().Call("/ml_metadata.MetadataStoreService/PutLineageSubgraph",
                                             request.SerializeAsString());
    if (!answer.ok()) return answer.status();
    ml_metadata::PutLineageSubgraphResponse parsed;
    if (!parsed.ParseFromString(*answer)) return absl::InternalError("no answer");
    data.set_id(parsed.artifact_ids(0));
  }
  return absl::OkStatus();
}

struct Measured {
  std::string name;
  std::vector<std::string> command;
  int rounds;
};

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
  if (status.ok()) status = FillPlatform(**server, "raw-2000", 2'000);
  if (status.ok()) status = FillPlatform(**server, "raw-10000", 10'000);
  if (!status.ok()) return status;
  const std::string& address = (*server)->address();
  const std::string pedigree = programs / "pedigree";
  // What takes long needs fewer rounds.
  const int few = std::max(3, FLAGS_rounds / 20);
  const auto lineage = [&](const char* raw, const char* format) -> Measured {
    return {absl::StrCat("pedigree lineage ", raw, " --down --format ", format),
            {pedigree, "lineage", raw, "--down", "--format", format, "--server", address},
            few};
  };
  const std::vector<Measured> all = {
      {"a bare call", {programs / "pedigree_bare_call", address}, FLAGS_rounds},
      {"pedigree get artifact:1",
       {pedigree, "get", "artifact:1", "--server", address},
       FLAGS_rounds},
      {"pedigree get s3://models/v1",
       {pedigree, "get", "s3://models/v1", "--server", address},
       FLAGS_rounds},
      {"pedigree ls artifacts --output csv",
       {pedigree, "ls", "artifacts", "--output", "csv", "--server", address},
       FLAGS_rounds},
      {"pedigree --version", {pedigree, "--version"}, FLAGS_rounds},
      lineage("raw-10000", "html"),
      lineage("raw-2000", "svg")};
  std::vector<std::vector<double>> times(all.size());
  for (int round = 0; round < FLAGS_rounds; ++round) {
    for (size_t i = 0; i < all.size(); ++i) {
      if (round >= all[i].rounds) continue;
      const auto ms = MsOf(all[i].command);
      if (!ms.ok()) return ms.status();
      times[i].push_back(*ms);
    }
  }
  const double bare = SpreadOf(times[0]).median;
  for (size_t i = 0; i < all.size(); ++i) {
    const Spread spread = SpreadOf(times[i]);
    std::printf("%7.2f ms (from %.2f)  %.2f x  %s\n", spread.median, spread.min,
                spread.median / bare, all[i].name.c_str());
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
