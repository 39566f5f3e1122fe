// pedigree_demo: shows in a second what the service is for. It starts a server on a free port and
// an empty directory, replays the recorded calls of a Kubeflow Pipelines client through gRPC, and
// then asks the server what it knows.
//
//   pedigree_demo --server=build/release/bin/pedigreed
//                 --transcript=tests/data/transcripts/kfp_two_runs.jsonl
#include <gflags/gflags.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/connection.h"
#include "cli/run_picture.h"
#include "cli/run_tree.h"
#include "cli/text.h"
#include "tests/conformance/demo_store.h"
#include "tests/conformance/replay.h"
#include "tests/conformance/transcript.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

DEFINE_string(server, "", "Path of pedigreed");
DEFINE_string(transcript, "", "Path of a recorded transcript (*.jsonl)");

namespace pedigree::conformance {
namespace {

using cli::Colour;
using cli::Count;
using cli::Grouped;
using cli::PadTo;
using cli::Paint;
using cli::Screen;
using cli::ShortDuration;

void Print(absl::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// Replays the transcript; an answer that differs from the recorded one is an error.
absl::StatusOr<ReplayResult> ReplayAll(const Transcript& transcript, testing::RawClient& client) {
  const ReplayOptions options = {.not_built_yet = kNotBuiltYet,
                                 .not_built = NotBuilt::kMayBeUnimplemented};
  ReplayResult result = Replay(transcript, CallsOf(client), options);
  if (result.failures.empty()) return result;
  return absl::InternalError(
      absl::StrCat(Count(static_cast<int64_t>(result.failures.size()), "difference"),
                   " from the recording, the first: ", result.failures[0]));
}

std::string DescribeReplay(const ReplayResult& result, const Paint& paint) {
  const int64_t ms = absl::ToInt64Milliseconds(result.time_in_calls);
  const int64_t us_per_call = absl::ToInt64Microseconds(result.time_in_calls) / result.steps;
  std::string text =
      absl::StrCat("  ", Count(result.steps, "call"), " through gRPC, one after the other, in ",
                   ShortDuration(ms), " (", Grouped(us_per_call), " µs a call)\n  ",
                   paint(Colour::kGreen, Count(result.steps - result.unimplemented, "call")),
                   " answered as the recorded server did");
  if (result.unimplemented > 0) {
    absl::StrAppend(&text, "\n  ", paint(Colour::kYellow, Count(result.unimplemented, "call")),
                    " not implemented yet: lineage");
  }
  return text + "\n";
}

template <typename Things, typename NameFunction>
std::string CountByName(const Things& things, NameFunction name_of) {
  std::map<std::string, int> counts;
  for (const auto& thing : things) ++counts[name_of(thing)];
  std::string text;
  for (const auto& [name, count] : counts) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", Grouped(count), " ", name);
  }
  return text;
}

std::string DescribeKind(absl::string_view kind, size_t count, const std::string& parts) {
  return absl::StrCat("  ", PadTo(kind, 12), PadTo(Grouped(static_cast<int64_t>(count)), 6), parts,
                      "\n");
}

std::string DescribeStore(const StoredThings& stored) {
  const auto type_of = [](const auto& node) { return node.type(); };
  const auto event_type = [](const ml_metadata::Event& event) {
    return ml_metadata::Event::Type_Name(event.type());
  };
  size_t types = 0;
  std::string by_kind;
  for (const auto& [kind, count] : stored.types) {
    types += static_cast<size_t>(count);
    absl::StrAppend(&by_kind, by_kind.empty() ? "" : ", ", Grouped(count), " of ", kind, "s");
  }
  return absl::StrCat(
      DescribeKind("contexts", stored.contexts.size(), CountByName(stored.contexts, type_of)),
      DescribeKind("executions", stored.executions.size(), CountByName(stored.executions, type_of)),
      DescribeKind("artifacts", stored.artifacts.size(), CountByName(stored.artifacts, type_of)),
      DescribeKind("events", stored.events.size(), CountByName(stored.events, event_type)),
      DescribeKind("types", types, by_kind));
}

// Its picture is read by the parts of `pedigree run`.
absl::Status ShowRun(const std::string& address, const ml_metadata::Context& run) {
  const auto connection = cli::Connection::Open({.server = address});
  if (!connection.ok()) return connection.status();
  const auto picture = cli::ReadRun(connection->get(), run);
  if (!picture.ok()) return picture.status();
  Print(absl::StrCat("The newest run: ", cli::DrawRun(*picture, Screen::OfStandardOutput()),
                     "  Durations are those of this replay.\n"));
  return absl::OkStatus();
}

absl::Status ShowStore(const std::string& address, const Paint& paint) {
  testing::RawClient client(address);
  const absl::StatusOr<StoredThings> stored = ReadStore(client);
  if (!stored.ok()) return stored.status();
  Print(absl::StrCat("\n", paint(Colour::kBold, "What the server holds now"), "\n",
                     DescribeStore(*stored), "\n"));
  const ml_metadata::Context* run = NewestRun(*stored);
  if (run == nullptr) {
    Print("No run of a Kubeflow pipeline is among it.\n");
    return absl::OkStatus();
  }
  return ShowRun(address, *run);
}

absl::Status RunDemo() {
  if (FLAGS_server.empty()) return absl::InvalidArgumentError("--server=PATH is missing");
  if (FLAGS_transcript.empty()) return absl::InvalidArgumentError("--transcript=FILE is missing");
  const absl::StatusOr<Transcript> transcript = ReadTranscript(FLAGS_transcript);
  if (!transcript.ok()) return transcript.status();
  const auto server = testing::ServerProcess::Start({.program = FLAGS_server});
  if (!server.ok()) return server.status();
  const Paint paint = Paint::ForStandardOutput();
  testing::RawClient client((*server)->address());
  Print(absl::StrCat(paint(Colour::kBold, "Replaying " + transcript->file_name), " against ",
                     FLAGS_server, " on ", (*server)->address(), "\n"));
  const absl::StatusOr<ReplayResult> result = ReplayAll(*transcript, client);
  if (!result.ok()) return result.status();
  Print(DescribeReplay(*result, paint));
  if (const absl::Status shown = ShowStore((*server)->address(), paint); !shown.ok()) return shown;
  return (*server)->Stop();
}

}  // namespace
}  // namespace pedigree::conformance

int main(int argc, char** argv) {
  gflags::SetUsageMessage("--server=PATH_TO_PEDIGREED --transcript=FILE.jsonl");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  const absl::Status status = pedigree::conformance::RunDemo();
  if (status.ok()) return 0;
  std::fflush(stdout);
  const std::string text = pedigree::cli::OnOneLine(status.message());
  std::fprintf(stderr, "pedigree_demo: %s\n", text.c_str());
  return 1;
}
