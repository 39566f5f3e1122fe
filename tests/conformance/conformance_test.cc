// One test per recorded transcript: a fresh pedigreed, every call of the transcript over real
// gRPC, every answer compared. Listing the tests starts no server.
//
// A transcript that needs what is not built yet (capabilities.h) is a test of the suite
// ConformanceWithoutLineage: the calls concerned must answer UNIMPLEMENTED, and all others
// must match. The tests of the suite Conformance match in full.
#include <gflags/gflags.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/conformance/replay.h"
#include "tests/conformance/transcript.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

DEFINE_string(server, PEDIGREED, "The server under test");
DEFINE_string(transcripts, TRANSCRIPTS, "Folder of the transcripts");

namespace pedigree::conformance {
namespace {

constexpr size_t kShownFailures = 5;

void Report(const std::vector<std::string>& failures) {
  const size_t shown = std::min(failures.size(), kShownFailures);
  for (size_t i = 0; i < shown; ++i) ADD_FAILURE() << failures[i];
  if (shown < failures.size()) ADD_FAILURE() << failures.size() - shown << " more failures";
}

class TranscriptTest : public ::testing::Test {
 public:
  explicit TranscriptTest(const Transcript& transcript) : transcript_(transcript) {}

  void TestBody() override {
    ASSERT_TRUE(std::filesystem::exists(FLAGS_server))
        << FLAGS_server << " does not exist: build the target pedigreed";
    auto server = testing::ServerProcess::Start({.program = FLAGS_server});
    ASSERT_TRUE(server.ok()) << server.status();
    testing::RawClient client((*server)->address());
    const ReplayResult result =
        Replay(transcript_, CallsOf(client), {.not_built_yet = kNotBuiltYet});
    Report(result.failures);
    EXPECT_GT(result.steps, 0);
    // Stop notices a server that had ended by itself, even if all answers had come.
    const absl::Status stopped = (*server)->Stop();
    EXPECT_TRUE(stopped.ok()) << stopped;
  }

 private:
  const Transcript& transcript_;  // Not owned; lives as long as the program.
};

void Register(const std::vector<Transcript>& transcripts) {
  for (const Transcript& transcript : transcripts) {
    const bool plain = (transcript.needs & kNotBuiltYet).empty();
    ::testing::RegisterTest(
        plain ? "Conformance" : "ConformanceWithoutLineage", transcript.name.c_str(),
        nullptr, nullptr, __FILE__, __LINE__,
        [&transcript]() -> TranscriptTest* { return new TranscriptTest(transcript); });
  }
}

}  // namespace
}  // namespace pedigree::conformance

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  const auto transcripts = pedigree::conformance::ReadTranscripts(FLAGS_transcripts);
  if (!transcripts.ok()) {
    std::fprintf(stderr, "%s\n", transcripts.status().ToString().c_str());
    return 1;
  }
  pedigree::conformance::Register(*transcripts);
  return RUN_ALL_TESTS();
}
