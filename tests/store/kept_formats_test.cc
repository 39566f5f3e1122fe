// Stores that earlier builds have written, kept in tests/data/stores: each opens, is whole, has
// what it had, takes writes, and goes up to the newest version of the format.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "store/format_steps.h"
#include "store/store.h"
#include "tests/store/scratch_directory.h"
#include "tests/store/status_testing.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;

struct KeptStore {
  const char* name;   // Of its directory.
  uint32_t format;    // In which it was written.
  const char* holds;  // As Counts() says it.
};

// Imported from tests/data/mlmd-databases; in the second, artifacts and executions were not created
// in the order of their ids. A version of the format that is released adds one.
const KeptStore kKept[] = {
    {"format1-kfp", 1, "11 artifacts, 24 executions, 3 contexts, 18 types, 18 events, 77 links"},
    {"format2-random", 2, "32 artifacts, 25 executions, 7 contexts, 15 types, 22 events, 35 links"},
};

class KeptFormats : public ::testing::TestWithParam<KeptStore> {
 protected:
  KeptFormats() {
    // Git keeps no empty directories and no times; nothing of a store depends on either.
    fs::copy(fs::path(PEDIGREE_STORES_DIR) / GetParam().name, data_dir(),
             fs::copy_options::recursive);
  }

  std::string data_dir() const { return scratch_.path() + "/store"; }

  std::unique_ptr<Store> Open() const {
    StoreOptions options;
    options.data_dir = data_dir();
    auto store = Store::Open(options);
    EXPECT_TRUE(IsOk(store));
    return store.ok() ? *std::move(store) : nullptr;
  }

  // What the store has, or what is wrong with it.
  static std::string Counts(const Store& store) {
    const auto report = store.Verify();
    if (!report.ok()) return report.status().ToString();
    if (!report->ok()) return report->problems.front();
    return absl::StrCat(report->nodes[0], " artifacts, ", report->nodes[1], " executions, ",
                        report->nodes[2], " contexts, ", report->types, " types, ", report->events,
                        " events, ", report->links, " links");
  }

  ScratchDirectory scratch_;
};

TEST_P(KeptFormats, OpensWholeAndTakesWrites) {
  auto store = Open();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(Counts(*store), GetParam().holds);
  ml_metadata::Artifact artifact;
  artifact.set_type_id(
      store->CurrentVersion()->catalog->Of<ml_metadata::Artifact>().all().begin()->first);
  EXPECT_TRUE(IsOk(store->Write(
      [&](Transaction& transaction) { return transaction.Insert(&artifact, {}).status(); })));
  store = nullptr;
  store = Open();
  ASSERT_NE(store, nullptr);
  EXPECT_NE(Counts(*store), GetParam().holds);
  EXPECT_TRUE(store->Verify()->ok());
}

TEST_P(KeptFormats, GoesUpToTheNewestVersion) {
  const auto steps = UpgradeStore(data_dir());
  ASSERT_TRUE(IsOk(steps));
  EXPECT_EQ(steps->from, GetParam().format);
  auto store = Open();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(Counts(*store), GetParam().holds);
}

INSTANTIATE_TEST_SUITE_P(Every, KeptFormats, ::testing::ValuesIn(kKept), [](const auto& kept) {
  std::string name = kept.param.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace pedigree
