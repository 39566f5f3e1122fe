// All formats: the same records give the same bytes, also after kills, and whatever is in them.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "cli/export/dsse.h"
#include "cli/export/json_values.h"
#include "tests/cli/formats/writing.h"
#include "tests/cli/key_file.h"
#include "tests/store/scratch_directory.h"

namespace pedigree::cli {
namespace {

struct Case {
  const char* name;
  MakeWriter make;
  std::vector<std::pair<std::string, std::string>> options;
};

void PrintTo(const Case& tested, std::ostream* out) { *out << tested.name; }

class Writers : public ::testing::TestWithParam<Case> {
 protected:
  Writers() {
    key_ = std::make_unique<SigningKey>(NewKey(scratch_.path() + "/key.pem"));
    options_ = {.selection = {}, .key = key_.get(), .options = GetParam().options};
  }

  // With an artifact 1 that was written and has a digest, whatever is random.
  static History AnyHistory(Random& random) {
    History history = RandomHistory(random, 25);
    if (random.OneIn(2)) history.most_uses = 3;
    history.AddEvent(1, 1, ml_metadata::Event::OUTPUT);
    history.executions[1].mutable_execution()->set_last_known_state(
        ml_metadata::Execution::COMPLETE);
    auto* artifact = history.artifacts[1].mutable_artifact();
    artifact->set_uri("s3://bucket/model");
    (*artifact->mutable_custom_properties())["sha256"].set_string_value(std::string(64, 'a'));
    return history;
  }

  const ScratchDirectory scratch_;
  std::unique_ptr<SigningKey> key_;
  ExportWriterOptions options_;
};

TEST_P(Writers, WriteTheSameBytesAgain) {
  Random random;
  const History history = AnyHistory(random);
  const Written once = WriteAll(GetParam().make, options_, history);
  const Written again = WriteAll(GetParam().make, options_, history);
  EXPECT_EQ(once.files, again.files);
  EXPECT_EQ(once.counts, again.counts);
  EXPECT_FALSE(once.files.empty());
}

TEST_P(Writers, GoOnAfterKillsToTheSameBytes) {
  Random random;
  for (int i = 0; i < 10; ++i) {
    const History history = AnyHistory(random);
    const Written want = WriteAll(GetParam().make, options_, history);
    const size_t records = history.Records(v1::STEPS).size();
    std::vector<size_t> kills;
    for (int k = 0; k < 3; ++k) kills.push_back(random.Index(records + 1));
    std::sort(kills.begin(), kills.end());
    const Written got = WriteKilled(GetParam().make, options_, history, kills, random.Index(10));
    ASSERT_EQ(got.files, want.files);
    ASSERT_EQ(got.counts, want.counts);
  }
}

TEST_P(Writers, RefuseCheckpointsThatAreNone) {
  auto writer = GetParam().make(options_);
  ASSERT_TRUE(IsOk(writer));
  MemoryTarget target;
  EXPECT_TRUE(Fails((*writer)->Restore({}, &target, "nonsense"), absl::StatusCode::kDataLoss));
}

TEST_P(Writers, WriteEmptyExports) {
  if (std::string(GetParam().name) == "cyclonedx") return;  // It is of a model.
  const Written empty = WriteAll(GetParam().make, options_, History());
  EXPECT_FALSE(empty.files.empty());
}

// JSON that is UTF-8, on lines that are whole.
TEST_P(Writers, WriteTextThatParses) {
  if (std::string(GetParam().name) == "csv") return;
  Random random;
  for (const auto& [name, text] : WriteAll(GetParam().make, options_, AnyHistory(random)).files) {
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(text.back(), '\n') << name;
    EXPECT_EQ(ToUtf8(text), text) << name;
    if (name.rfind(".ndjson") == std::string::npos && name.rfind(".jsonl") == std::string::npos) {
      EXPECT_FALSE(Json::parse(text, nullptr, false).is_discarded()) << name;
      continue;
    }
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      EXPECT_FALSE(Json::parse(line.begin(), line.end(), nullptr, false).is_discarded()) << line;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Writers,
    ::testing::Values(Case{"openlineage", &MakeOpenLineageWriter, {}},
                      Case{"prov", &MakeProvJsonWriter, {}},
                      Case{"prov_derived", &MakeProvJsonWriter, {{"derived", "true"}}},
                      Case{"cyclonedx", &MakeCycloneDxWriter, {{"model", "artifact:1"}}},
                      Case{"slsa", &MakeSlsaWriter, {}}, Case{"csv", &MakeCsvWriter, {}}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace pedigree::cli
