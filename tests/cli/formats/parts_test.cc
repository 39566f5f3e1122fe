// What formats share: text, identifiers, frames, sorting, digests.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/export/digests.h"
#include "cli/export/external_sorter.h"
#include "cli/export/formats.h"
#include "cli/export/frames.h"
#include "cli/export/json_values.h"
#include "cli/export/uuid.h"
#include "tests/cli/formats/memory_target.h"
#include "tests/store/random.h"
#include "tests/store/scratch_directory.h"
#include "tests/store/status_testing.h"

namespace pedigree::cli {
namespace {

TEST(ToUtf8, LeavesTextAloneAndReplacesWhatIsNone) {
  const std::string replacement = "\xEF\xBF\xBD";
  for (const char* text : {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    EXPECT_EQ(ToUtf8(text), text);
  }
  EXPECT_EQ(ToUtf8("a\xFFz"), absl::StrCat("a", replacement, "z"));
  EXPECT_EQ(ToUtf8("\xC3"), replacement);                    // Cut off.
  EXPECT_EQ(ToUtf8("\xC0\x80"), replacement + replacement);  // Longer than need be.
  EXPECT_EQ(ToUtf8("\xED\xA0\x80"), replacement + replacement + replacement);  // A surrogate.
  EXPECT_EQ(ToUtf8("\xF4\x90\x80\x80").size(), 4 * replacement.size());        // Beyond the last.
}

TEST(ToUtf8, MakesTextThatAStrictPrinterTakes) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    const std::string text = ToUtf8(random.Bytes(30));
    EXPECT_NO_THROW(Json(text).dump(-1, ' ', false, Json::error_handler_t::strict));
    EXPECT_EQ(ToUtf8(text), text);
  }
}

TEST(Print, NeverThrowsAndStaysOnOneLine) {
  Random random;
  for (int i = 0; i < 500; ++i) {
    Json json = Json::object();
    Append(json, random.Bytes(10), random.Bytes(50));
    const std::string line = Print(json);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_FALSE(Json::parse(line, nullptr, false).is_discarded());
  }
}

TEST(ToJson, HasWordsForNumbersThatJsonHasNot) {
  EXPECT_EQ(Print(ToJson(std::nan(""))), "\"NaN\"");
  EXPECT_EQ(Print(ToJson(-std::numeric_limits<double>::infinity())), "\"-Infinity\"");
  EXPECT_EQ(Print(ToJson(0.1)), "0.1");
  ml_metadata::Value value;
  value.set_int_value(std::numeric_limits<int64_t>::min());
  EXPECT_EQ(Print(ToJson(value)), "-9223372036854775808");
  EXPECT_EQ(Print(ToJson(ml_metadata::Value())), "null");
}

TEST(ToJson, SortsByKey) {
  ml_metadata::Execution execution;
  for (const char* key : {"b", "c", "", "a"}) {
    (*execution.mutable_properties())[key].set_bool_value(true);
  }
  EXPECT_EQ(Print(ToJson(execution.properties())), R"({"":true,"a":true,"b":true,"c":true})");
}

TEST(TimeText, StaysWithinTheYearsThatFormatsKnow) {
  EXPECT_EQ(TimeText(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(TimeText(1'795'416'128'547), "2026-11-23T06:42:08.547Z");
  EXPECT_EQ(TimeText(std::numeric_limits<int64_t>::max()), "9999-12-31T23:59:59.000Z");
  EXPECT_EQ(TimeText(std::numeric_limits<int64_t>::min()), "0001-01-01T00:00:00.000Z");
}

// Values of python's uuid.uuid5.
TEST(UuidV5, IsThatOfTheRfc) {
  EXPECT_EQ(UuidV5(kUuidOfDns, "python.org"), "886313e1-3b8a-5372-9b90-0c9aee199e5d");
  EXPECT_EQ(UuidV5(kUuidOfUrl, "http://python.org/"), "4c565f0d-3f5a-5890-b41b-20cf47701c5e");
}

TEST(Frames, ComeBackWhateverThePieces) {
  Random random;
  MemoryTarget target;
  ExportOutput* scratch = *target.CreateScratch("s");
  std::vector<std::string> frames;
  std::string all;
  for (int i = 0; i < 50; ++i) {
    frames.push_back(random.Bytes(40));
    AppendFrame(frames.back(), scratch->buffer());
    AppendFrame(frames.back(), all);
  }
  for (int time = 0; time < 2; ++time) {
    std::vector<std::string> read;
    ASSERT_TRUE(IsOk(ReadFrames(&target, scratch, [&read](absl::string_view frame) {
      read.emplace_back(frame);
      return absl::OkStatus();
    })));
    EXPECT_EQ(read, frames);
  }
  EXPECT_EQ(*SplitFrames(all), frames);
  all.pop_back();
  EXPECT_TRUE(Fails(SplitFrames(all), absl::StatusCode::kDataLoss));
  scratch->buffer().push_back('x');
  EXPECT_TRUE(
      Fails(ReadFrames(&target, scratch, [](absl::string_view) { return absl::OkStatus(); }),
            absl::StatusCode::kDataLoss));
}

TEST(SortKey, OrdersAsNumbersDo) {
  EXPECT_LT(SortKey({-1}), SortKey({0}));
  EXPECT_LT(SortKey({255}), SortKey({256}));
  EXPECT_LT(SortKey({1, 9}), SortKey({2, 0}));
  EXPECT_LT(SortKey({std::numeric_limits<int64_t>::min()}),
            SortKey({std::numeric_limits<int64_t>::max()}));
}

TEST(ExternalSorter, IsAStableSortWhateverFitsIntoMemory) {
  Random random;
  const ScratchDirectory scratch;
  for (const size_t memory : {size_t{1}, size_t{3000}, size_t{1} << 20}) {
    ExternalSorter sorter({.directory = scratch.path(), .memory_bytes = memory, .max_files = 3});
    std::vector<std::pair<std::string, std::string>> rows;
    for (int i = 0; i < 400; ++i) {
      rows.emplace_back(SortKey({random.Between(-20, 20)}), absl::StrCat(i, ":", random.Bytes(50)));
      ASSERT_TRUE(IsOk(sorter.Add(rows.back().first, rows.back().second)));
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::pair<std::string, std::string>> sorted;
    ASSERT_TRUE(IsOk(sorter.Drain([&sorted](absl::string_view key, absl::string_view value) {
      sorted.emplace_back(key, value);
      return absl::OkStatus();
    })));
    EXPECT_EQ(sorted, rows) << memory;
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
  }
}

TEST(ExternalSorter, SaysWhichDirectoryIsNotThere) {
  ExternalSorter sorter({.directory = "/no/such/directory", .memory_bytes = 1});
  EXPECT_FALSE(sorter.Add("a", "b").ok());
}

ml_metadata::Artifact WithProperty(const std::string& name, const std::string& value) {
  ml_metadata::Artifact artifact;
  (*artifact.mutable_custom_properties())[name].set_string_value(value);
  return artifact;
}

TEST(Digests, AreTakenOnlyWhereTheyAreSaidToBe) {
  const std::string hex64(64, 'B');
  const std::string want(64, 'b');
  for (const char* name : {"sha256", "Sha256", "sha256sum", "sha256_digest", "SHA256_Hash"}) {
    EXPECT_EQ(DigestsOf(WithProperty(name, hex64)).by_algorithm["sha256"], want) << name;
  }
  for (const char* name : {"digest", "checksum", "content-digest", "content_hash"}) {
    EXPECT_EQ(DigestsOf(WithProperty(name, absl::StrCat("sha256:", hex64))).by_algorithm["sha256"],
              want)
        << name;
    EXPECT_TRUE(DigestsOf(WithProperty(name, hex64)).by_algorithm.empty()) << name;
  }
  EXPECT_EQ(
      DigestsOf(WithProperty("sha256", absl::StrCat("sha256:", hex64))).by_algorithm["sha256"],
      want);
  ml_metadata::Artifact artifact;
  artifact.set_uri(absl::StrCat("oci://host/image@sha256:", hex64));
  EXPECT_TRUE(DigestsOf(artifact).HasStrong());

  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"sha256", std::string(63, 'b')},
                                                        {"sha256", std::string(64, 'g')},
                                                        {"sha512", hex64},
                                                        {"xor_checksum", hex64},
                                                        {"fingerprint", hex64},
                                                        {"cache_fingerprint", hex64},
                                                        {"sha256", ""}}) {
    EXPECT_TRUE(DigestsOf(WithProperty(name, value)).by_algorithm.empty()) << name;
  }
}

TEST(Digests, ThatContradictEachOtherSayNothing) {
  ml_metadata::Artifact artifact = WithProperty("sha256", std::string(64, 'a'));
  artifact.set_uri(absl::StrCat("oci://host/image@sha256:", std::string(64, 'A')));
  EXPECT_FALSE(DigestsOf(artifact).conflicting);
  artifact.set_uri(absl::StrCat("oci://host/image@sha256:", std::string(64, 'c')));
  EXPECT_TRUE(DigestsOf(artifact).conflicting);
  EXPECT_TRUE(DigestsOf(artifact).by_algorithm.empty());
}

TEST(Digests, OfMd5AndSha1AreWeak) {
  ml_metadata::Artifact artifact = WithProperty("md5", std::string(32, '0'));
  (*artifact.mutable_properties())["sha1"].set_string_value(std::string(40, '0'));
  EXPECT_EQ(DigestsOf(artifact).by_algorithm.size(), 2u);
  EXPECT_FALSE(DigestsOf(artifact).HasStrong());
}

TEST(Options, ThatNobodyKnowsAreRefused) {
  for (const auto make : {&MakeOpenLineageWriter, &MakeProvJsonWriter, &MakeCycloneDxWriter,
                          &MakeSlsaWriter, &MakeCsvWriter}) {
    EXPECT_TRUE(Fails(make({.selection = {}, .options = {{"colour", "red"}}}),
                      absl::StatusCode::kInvalidArgument, "colour"));
  }
  EXPECT_TRUE(Fails(MakeOpenLineageWriter({.selection = {}, .options = {{"store", "a/b"}}}),
                    absl::StatusCode::kInvalidArgument, "store"));
  EXPECT_TRUE(
      Fails(MakeOpenLineageWriter({.selection = {}, .options = {{"store", "a"}, {"store", "a"}}}),
            absl::StatusCode::kInvalidArgument, "twice"));
  EXPECT_TRUE(Fails(MakeCsvWriter({.selection = {}, .options = {{"guard", "maybe"}}}),
                    absl::StatusCode::kInvalidArgument, "guard"));
  EXPECT_TRUE(Fails(MakeCycloneDxWriter({}), absl::StatusCode::kInvalidArgument, "model"));
  EXPECT_TRUE(Fails(MakeSlsaWriter({}), absl::StatusCode::kInvalidArgument, "key"));
}

}  // namespace
}  // namespace pedigree::cli
