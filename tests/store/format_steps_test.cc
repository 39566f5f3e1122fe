// Stores go up and down the versions of their format, never without a backup.
#include "store/format_steps.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "store/bulk_loader.h"
#include "store/directory.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ml_metadata::Artifact;

class FormatStepsTest : public ::testing::Test {
 protected:
  FormatStepsTest() {
    const int64_t type = PutType<Artifact>(store_, "t");
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(IsOk(Insert(store_, NewNode<Artifact>(type))));
    store_.Close();
  }

  void ExpectWhole() {
    store_.Open();
    EXPECT_EQ(Problems(store_), "");
    EXPECT_EQ(AllNodes(store_, NodeKind::kArtifact).size(), 50u);
    store_.Close();
  }
  std::string Marker() const { return ReadFile(store_.data_dir() + "/PEDIGREE"); }

  TestStore store_;
};

TEST_F(FormatStepsTest, UpAndDownAgain) {
  const auto up = UpgradeStore(store_.data_dir());
  ASSERT_TRUE(IsOk(up));
  EXPECT_EQ(up->from, 1u);
  EXPECT_EQ(up->to, 2u);
  EXPECT_EQ(up->backup, store_.data_dir() + ".format1");
  EXPECT_EQ(Marker(), "pedigree store\nformat 2\nstate ready\n");
  ExpectWhole();
  EXPECT_EQ(ReadFile(up->backup + "/PEDIGREE"), "pedigree store\nformat 1\nstate ready\n");
  const auto down = DowngradeStore(store_.data_dir(), 1);
  ASSERT_TRUE(IsOk(down));
  EXPECT_EQ(Marker(), "pedigree store\nformat 1\nstate ready\n");
  ExpectWhole();
  // The backup is a store like any other.
  StoreOptions options;
  options.data_dir = up->backup;
  auto backup = Store::Open(options);
  ASSERT_TRUE(IsOk(backup));
  EXPECT_TRUE((*backup)->Verify()->ok());
}

TEST_F(FormatStepsTest, NothingIsDoneTwice) {
  ASSERT_TRUE(IsOk(UpgradeStore(store_.data_dir())));
  const auto again = UpgradeStore(store_.data_dir());
  ASSERT_TRUE(IsOk(again));
  EXPECT_EQ(again->backup, "");
}

// Between the database and the marker: the database says 2 already.
TEST_F(FormatStepsTest, AnInterruptedStepIsDoneAgain) {
  ASSERT_TRUE(IsOk(UpgradeStore(store_.data_dir())));
  ASSERT_TRUE(IsOk(MarkReady(store_.data_dir(), 1)));
  EXPECT_TRUE(Fails(UpgradeStore(store_.data_dir()), StatusCode::kAlreadyExists, "move it away"));
  fs::remove_all(store_.data_dir() + ".format1");
  ASSERT_TRUE(IsOk(UpgradeStore(store_.data_dir())));
  ExpectWhole();
}

TEST_F(FormatStepsTest, RefusesVersionsThatThereAreNot) {
  EXPECT_TRUE(Fails(DowngradeStore(store_.data_dir(), 0), StatusCode::kInvalidArgument));
  EXPECT_TRUE(Fails(DowngradeStore(store_.data_dir(), 2), StatusCode::kInvalidArgument));
  EXPECT_TRUE(Fails(UpgradeStore(store_.data_dir() + "/nowhere"), StatusCode::kNotFound));
  EXPECT_FALSE(fs::exists(store_.data_dir() + ".format1"));
}

TEST_F(FormatStepsTest, DoesNotTouchAStoreThatIsOpen) {
  store_.Open();
  EXPECT_TRUE(
      Fails(UpgradeStore(store_.data_dir()), StatusCode::kFailedPrecondition, "another process"));
}

TEST(FormatSteps, ANodeOutOfOrderStaysInVersion2) {
  ScratchDirectory scratch;
  BulkLoaderOptions options;
  options.data_dir = scratch.path() + "/store";
  options.source = "s";
  options.created_out_of_order = {NodeKind::kArtifact};
  {
    auto loader = BulkLoader::Open(options);
    ASSERT_TRUE(IsOk(loader));
    ASSERT_TRUE(IsOk((*loader)->PutTypes(Catalog(), 0)));
    ASSERT_TRUE(IsOk((*loader)->Finish({})));
  }
  EXPECT_TRUE(Fails(DowngradeStore(options.data_dir, 1), StatusCode::kFailedPrecondition,
                    "cannot express"));
}

}  // namespace
}  // namespace pedigree
