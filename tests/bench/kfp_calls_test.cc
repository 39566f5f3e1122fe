// The calls of the player's pods against those that KFP's own client made when it was recorded.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/kfp_fixture.h"
#include "tests/conformance/transcript.h"

namespace pedigree::bench {
namespace {

using Calls = std::vector<std::string>;  // "METHOD CODE"

// The pods of each run, in order.
using Pods = std::map<std::pair<int64_t, int>, Calls>;

Pods PlayedPods(const std::string& address) {
  Pods pods;
  const auto player = ConnectTo(address, KfpTaskService::kUnused);
  if (player == nullptr) return pods;
  const KfpPlayOptions options{
      .runs = 2,
      .listener = [&pods](const KfpIdentity& run, int pod, PodKind, const std::string& method,
                          absl::StatusCode code) {
        pods[{run.number, pod}].push_back(
            absl::StrCat(method, " ", absl::StatusCodeToString(code)));
      }};
  MustPlay(*player, "recorded", options);
  return pods;
}

// A pod and the lines of the transcript that it is on.
struct RecordedPod {
  const char* what;
  int64_t run;
  int pod;
  int first_line;
  int last_line;
  // Where the driver of an iteration reads the inputs of its loop a second time, which the client
  // that was recorded did not.
  int second_look = 0;
};

constexpr RecordedPod kPods[] = {
    {"root driver on an empty store", 0, 0, 1, 15},
    {"root driver again", 0, 1, 16, 24},
    {"importer of something new", 0, 2, 25, 34},
    {"driver", 0, 3, 37, 48},
    {"launcher of an artifact and logs", 0, 4, 49, 63},
    {"driver with an artifact of another task", 0, 5, 64, 78},
    {"launcher of two artifacts", 0, 6, 79, 93},
    {"driver of a loop", 0, 8, 100, 111},
    {"driver of the first iteration", 0, 9, 112, 123, 9},
    {"driver in the first iteration", 0, 10, 124, 135},
    {"launcher that ends an iteration", 0, 11, 136, 154},
    {"driver of the last iteration", 0, 15, 198, 209, 9},
    {"launcher that ends the loop", 0, 17, 222, 245},
    {"root driver of a known pipeline", 1, 0, 264, 273},
    {"root driver of a known pipeline again", 1, 1, 274, 282},
    {"importer of something known", 1, 2, 283, 292},
    {"driver of a cached step", 1, 3, 295, 311},
    {"driver of a cached step with an artifact of another", 1, 4, 312, 331},
};

Calls RecordedCalls(const conformance::Transcript& transcript, const RecordedPod& pod) {
  Calls calls;
  for (const conformance::Step& step : transcript.steps) {
    if (step.line < pod.first_line || step.line > pod.last_line) continue;
    calls.push_back(absl::StrCat(step.rpc->name(), " ", conformance::CodeName(step.codes.at(0))));
    if (pod.second_look != 0 && static_cast<int>(calls.size()) == pod.second_look) {
      calls.insert(calls.end(), {calls.at(calls.size() - 2), calls.back()});
    }
  }
  return calls;
}

TEST(KfpCalls, AreThoseThatKfpMade) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  const Pods played = PlayedPods(server->address());
  const auto transcript =
      conformance::ReadTranscript(absl::StrCat(TRANSCRIPTS, "/kfp_two_runs.jsonl"));
  ASSERT_TRUE(transcript.ok()) << transcript.status();
  for (const RecordedPod& pod : kPods) {
    const auto found = played.find({pod.run, pod.pod});
    ASSERT_NE(found, played.end()) << pod.what;
    EXPECT_EQ(found->second, RecordedCalls(*transcript, pod)) << pod.what;
  }
}

}  // namespace
}  // namespace pedigree::bench
