// A store that was exported in jsonl and imported again is the same store.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/export/jsonl_import.h"
#include "store/keys.h"
#include "store/record.h"
#include "tests/cli/export_support.h"
#include "tests/migrate/mlmd_files.h"
#include "tests/query/random_store.h"

namespace pedigree::cli {
namespace {

// Everything but the first line.
std::string BodyOf(const std::string& file) {
  const std::string content = ReadFile(file);
  return content.substr(content.find('\n'));
}

// All keys of a store but for those of which only the meaning comes back: the journal, which begins
// anew, how events are chunked, and which of many contexts stand in a node's record. The second
// export and Verify compare these.
using Keys = std::vector<std::pair<std::string, std::string>>;
Keys KeysOf(const std::string& data_dir) {
  Keys kept;
  for (auto& [key, value] : RawDatabase(data_dir + "/db").All()) {
    const auto tag = static_cast<Tag>(key[4]);
    const bool is_own = tag == Tag::kExecutionEvents || tag == Tag::kEventLog ||
                        tag == Tag::kJournal || tag == Tag::kJournalHead ||
                        tag == Tag::kLineageSnapshot || tag == Tag::kCacheLease ||
                        tag == Tag::kPropertyIndex || tag == Tag::kProperty || tag == Tag::kFarLink;
    if (tag == Tag::kNode) {
      const std::string record = value;
      value = std::string(RecordView::Parse(record)->message());
    }
    if (!is_own) kept.emplace_back(std::move(key), std::move(value));
  }
  return kept;
}

// The first key that only one of them has, or with another value; "" if there is none.
std::string FirstDifference(const Keys& copy, const Keys& original) {
  const auto text = [](Keys::const_iterator row, Keys::const_iterator end) {
    return row == end ? "nothing"
                      : absl::StrCat(absl::BytesToHexString(row->first), " -> ",
                                     absl::BytesToHexString(row->second));
  };
  const auto [a, b] = std::mismatch(copy.begin(), copy.end(), original.begin(), original.end());
  if (a == copy.end() && b == original.end()) return "";
  return absl::StrCat("copy: ", text(a, copy.end()), "\noriginal: ", text(b, original.end()));
}

class JsonlRestoreTest : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return scratch_.path() + "/" + name; }

  StoreOptions OptionsFor(const std::string& data_dir) const {
    StoreOptions options;
    options.data_dir = data_dir;
    options.sync = Sync::kNever;
    return options;
  }

  void Export(const std::string& data_dir, const std::string& to) {
    auto store = Store::Open(OptionsFor(data_dir));
    ASSERT_TRUE(IsOk(store));
    StoreSource source(store->get());
    ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to))));
  }

  std::vector<std::string> ProblemsOf(const std::string& data_dir) {
    auto store = Store::Open(OptionsFor(data_dir));
    EXPECT_TRUE(IsOk(store));
    if (!store.ok()) return {"does not open"};
    const auto report = (*store)->Verify();
    EXPECT_TRUE(IsOk(report));
    return report.ok() ? report->problems : std::vector<std::string>();
  }

  // Exports, imports, compares, and exports again.
  void ExpectRestores(const std::string& data_dir) {
    Export(data_dir, at("first"));
    ASSERT_FALSE(HasFatalFailure());
    const auto imported = ImportJsonl({.from = at("first"), .data_dir = at("copy")});
    ASSERT_TRUE(IsOk(imported));
    EXPECT_EQ(FirstDifference(KeysOf(at("copy")), KeysOf(data_dir)), "");
    Export(at("copy"), at("second"));
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_EQ(BodyOf(at("second/export.jsonl")), BodyOf(at("first/export.jsonl")));
    EXPECT_EQ(ProblemsOf(at("copy")), ProblemsOf(data_dir));
    for (const char* name : {"first", "second", "copy"}) std::filesystem::remove_all(at(name));
  }

  ScratchDirectory scratch_;
};

TEST_F(JsonlRestoreTest, RestoresGenuineDatabases) {
  for (const char* name : {"every_value_kind.sqlite", "kfp_two_runs.sqlite",
                           "kfp_two_runs.schema6.sqlite", "random_history.sqlite"}) {
    SCOPED_TRACE(name);
    const std::string data_dir = at(absl::StrCat("store-", name));
    ASSERT_TRUE(
        IsOk(migrate::ImportUrl(absl::StrCat("sqlite:", migrate::DataFile(name)), data_dir)));
    ExpectRestores(data_dir);
    if (HasFailure()) return;
  }
}

TEST_F(JsonlRestoreTest, RestoresRandomStores) {
  Random random;
  for (int round = 0; round < 6; ++round) {
    RandomStore random_store(&random);
    TestStore& store = random_store.store();
    for (int i = 0; i < 150; ++i) {
      random_store.ChangeSomething();
      if (random.OneIn(10)) random_store.ChangeIndexes();
    }
    FillWithTasksAndCache(random, store);
    store.Close();
    ExpectRestores(store.data_dir());
    if (HasFailure()) return;
  }
}

TEST_F(JsonlRestoreTest, RestoresAnEmptyStore) {
  TestStore store;
  store.Close();
  ExpectRestores(store.data_dir());
}

TEST_F(JsonlRestoreTest, KeepsWhatWasHandedOut) {
  TestStore store;
  FillForParts(store, 5);
  Random random;
  FillWithTasksAndCache(random, store);
  const Counters before = store->CurrentVersion()->counters;
  store.Close();
  Export(store.data_dir(), at("export"));
  ASSERT_TRUE(IsOk(ImportJsonl({.from = at("export"), .data_dir = at("copy")})));
  auto copy = Store::Open(OptionsFor(at("copy")));
  ASSERT_TRUE(IsOk(copy));
  EXPECT_EQ((*copy)->CurrentVersion()->counters.Encode(), before.Encode());
}

TEST_F(JsonlRestoreTest, GoesOnWhereItWasInterrupted) {
  TestStore store;
  FillForParts(store, 10'000);
  Random random;
  FillWithTasksAndCache(random, store);
  store.Close();
  Export(store.data_dir(), at("export"));
  JsonlImportOptions options;
  options.from = at("export");
  options.data_dir = at("copy");
  options.batch_bytes = 20'000;
  // In artifacts, executions and events, and once more at the same place.
  for (int64_t stop : {8192, 8192, 16'384, 24'576}) {
    options.progress = [&](int64_t records) {
      return records < stop ? absl::OkStatus() : absl::CancelledError("interrupted");
    };
    EXPECT_TRUE(Fails(ImportJsonl(options), absl::StatusCode::kCancelled));
    EXPECT_FALSE(Store::Open(OptionsFor(at("copy"))).ok());
  }
  options.progress = nullptr;
  ASSERT_TRUE(IsOk(ImportJsonl(options)));
  EXPECT_EQ(FirstDifference(KeysOf(at("copy")), KeysOf(store.data_dir())), "");
  // There it ends.
  EXPECT_TRUE(Fails(ImportJsonl(options), absl::StatusCode::kFailedPrecondition));
}

TEST_F(JsonlRestoreTest, RefusesAFileThatChangesOnTheWay) {
  TestStore store;
  FillForParts(store, 9000);
  store.Close();
  Export(store.data_dir(), at("export"));
  JsonlImportOptions options;
  options.from = at("export");
  options.data_dir = at("copy");
  options.progress = [&](int64_t) {
    // After the check, before it is read: still a good export, but another.
    const std::string content = ReadFile(at("export/export.jsonl"));
    const absl::string_view number = "\"int_value\":\"8999\"";
    const size_t place = content.find(number.data(), 0, number.size());
    if (place == std::string::npos) return absl::OkStatus();
    std::fstream file(at("export/export.jsonl"), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(place + number.size() - 2));
    file.put('8');
    return absl::OkStatus();
  };
  EXPECT_TRUE(Fails(ImportJsonl(options), absl::StatusCode::kDataLoss, "changed"));
  EXPECT_FALSE(Store::Open(OptionsFor(at("copy"))).ok());
}

// Lines that are changed, each with what is said of it.
TEST_F(JsonlRestoreTest, RefusesBrokenFilesAndLeavesTheTarget) {
  TestStore store;
  FillForParts(store, 3);
  store.Close();
  std::filesystem::create_directory(at("files"));
  Export(store.data_dir(), at("files/x.jsonl"));
  const std::string good = ReadFile(at("files/x.jsonl"));
  const std::vector<std::string> lines = absl::StrSplit(good, '\n');
  const auto refused = [&](const std::string& content, absl::string_view why) {
    WriteFile(at("bad.jsonl"), content);
    EXPECT_TRUE(Fails(ImportJsonl({.from = at("bad.jsonl"), .data_dir = at("copy")}),
                      absl::StatusCode::kInvalidArgument, why));
    EXPECT_FALSE(std::filesystem::exists(at("copy")));
  };
  const auto replaced = [&](absl::string_view from, absl::string_view to) {
    const size_t place = good.find(from.data(), 0, from.size());
    EXPECT_NE(place, std::string::npos) << from;
    return good.substr(0, place) + std::string(to) + good.substr(place + from.size());
  };
  refused("", "line 1");
  refused("{}\n", "line 1");
  refused("no json\n", "line 1: is no JSON");
  refused(replaced("\"pedigree_jsonl\":1", "\"pedigree_jsonl\":2"), "version 2");
  refused(good.substr(0, good.size() - 1), "cut off");
  refused(good.substr(0, good.rfind("{\"end\"")), "is missing");
  refused(good + "x\n", "after the end");
  refused(replaced("{\"artifact\":{\"artifact\":{\"id\":\"1\"",
                   "{\"artifact\":{\"artifact\":{\"id\":\"9\""),
          "beyond the last one");
  refused(replaced("{\"id\":\"2\",\"type_id\":\"10\",", "{\"id\":\"1\",\"type_id\":\"10\","),
          "ascend");
  refused(replaced("\"type_id\":\"10\"", "\"type_id\":\"77\""), "no type 77");
  refused(replaced("\"context_ids\":[\"1\"]", "\"context_ids\":[\"2\"]"), "no context 2");
  refused(replaced("\"artifact_id\":\"1\"", "\"artifact_id\":\"5\""), "is not there");
  refused(replaced("\"number\":\"2\"", "\"number\":\"3\""), "");
  refused(replaced("\"uri\":\"s3://bucket/models/0\"", "\"uri\":7"), "must be a string");
  refused(replaced("\"uri\":", "\"url\":"), "has no \"url\"");
  refused(replaced("\"step\":{\"int_value\":\"0\"}", "\"step\":{\"int_value\":0}"), "digits");
  refused(replaced("\"selection\":{}", "\"selection\":{\"until_ms\":\"5\"}"), "selection");
  // A line that is missing.
  std::vector<std::string> fewer = lines;
  fewer.erase(fewer.begin() + 15);
  refused(absl::StrJoin(fewer, "\n"), "line");

  // With a manifest beside it, any change is found.
  WriteFile(at("files/x.jsonl"), replaced("models/0", "models/7"));
  EXPECT_TRUE(Fails(ImportJsonl({.from = at("files/x.jsonl"), .data_dir = at("copy")}),
                    absl::StatusCode::kDataLoss, "digest"));
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
  WriteFile(at("files/x.jsonl"), good);
  EXPECT_TRUE(IsOk(ImportJsonl({.from = at("files/x.jsonl"), .data_dir = at("copy")})));
}

}  // namespace
}  // namespace pedigree::cli
