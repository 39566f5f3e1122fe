// What an import that follows its source writes is kept as it is, with all indexes, and only the
// end of it makes a store that serves.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "store/bulk_loader.h"
#include "store/directory.h"
#include "store/durable_file.h"
#include "store/store.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::ArtifactType;
using ml_metadata::Execution;
using ml_metadata::ExecutionType;

class TransactionImportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    BulkLoaderOptions options;
    options.data_dir = data_dir_;
    options.source = "s, followed";
    options.after_load = AfterLoad::kFollow;
    options.created_out_of_order = {NodeKind::kArtifact, NodeKind::kExecution, NodeKind::kContext};
    auto loader = BulkLoader::Open(options);
    ASSERT_TRUE(IsOk(loader));
    ASSERT_TRUE(IsOk((*loader)->PutTypes(Catalog(), 0)));
    ASSERT_TRUE(IsOk((*loader)->Finish({0, 0, 0})));
    loader->reset();
    Open(Purpose::kFollow);
  }

  void Open(Purpose purpose) {
    store_.reset();
    StoreOptions options;
    options.data_dir = data_dir_;
    options.purpose = purpose;
    auto store = Store::Open(options);
    ASSERT_TRUE(IsOk(store));
    store_ = *std::move(store);
  }

  static ArtifactType TypeOf(int64_t id, const std::string& name) {
    ArtifactType type;
    type.set_id(id);
    type.set_name(name);
    return type;
  }

  static Artifact ArtifactOf(int64_t id, int64_t created_ms, int64_t updated_ms) {
    Artifact artifact;
    artifact.set_id(id);
    artifact.set_type_id(1);
    artifact.set_name(absl::StrCat("a", id));
    artifact.set_create_time_since_epoch(created_ms);
    artifact.set_last_update_time_since_epoch(updated_ms);
    return artifact;
  }

  // Whether it has changed anything.
  absl::StatusOr<bool> Import(const Artifact& artifact) {
    bool changed = false;
    absl::Status status = store_->Write([&](Transaction& transaction) {
      auto is_new = transaction.ImportNode(artifact);
      if (is_new.ok()) changed = *is_new;
      return is_new.status();
    });
    if (!status.ok()) return status;
    return changed;
  }

  void ImportTypes() {
    ASSERT_TRUE(IsOk(store_->Write([](Transaction& transaction) -> absl::Status {
      ExecutionType type;
      type.set_id(2);
      type.set_name("e");
      auto execution = transaction.ImportType<Execution>(type);
      auto artifact = transaction.ImportType<Artifact>(TypeOf(1, "t"));
      return execution.ok() ? artifact.status() : execution.status();
    })));
  }

  void End() {
    ASSERT_TRUE(IsOk(store_->Write([](Transaction& transaction) {
      return transaction.EndImport({100, 0, 0}, 20);
    })));
    ASSERT_TRUE(IsOk(Store::MakeReady(std::move(store_))));
    Open(Purpose::kServe);
    const auto report = store_->Verify();
    ASSERT_TRUE(IsOk(report));
    EXPECT_TRUE(report->ok()) << report->problems[0];
  }

  ScratchDirectory scratch_;
  const std::string data_dir_ = scratch_.path() + "/store";
  std::unique_ptr<Store> store_;
};

TEST_F(TransactionImportTest, ATypeThatWasMadeAnewIsRefused) {
  ImportTypes();
  EXPECT_TRUE(Fails(store_->Write([](Transaction& transaction) {
    return transaction.ImportType<Artifact>(TypeOf(3, "t")).status();
  }),
                    StatusCode::kFailedPrecondition, "made anew"));
}

TEST_F(TransactionImportTest, AnImportThatIsWholeCannotBeFollowed) {
  store_.reset();
  BulkLoaderOptions options;
  options.data_dir = scratch_.path() + "/plain";
  options.source = "s";
  {
    auto loader = BulkLoader::Open(options);
    ASSERT_TRUE(IsOk(loader));
    ASSERT_TRUE(IsOk((*loader)->PutTypes(Catalog(), 0)));
    EXPECT_TRUE(
        Fails(BulkLoader::Open(options), StatusCode::kFailedPrecondition, "another process"));
    ASSERT_TRUE(IsOk((*loader)->Finish({0, 0, 0})));
  }
  // As a crash leaves it before the marker is written.
  ASSERT_TRUE(IsOk(
      ReplaceFile(options.data_dir, "PEDIGREE", "pedigree store\nformat 1\nstate importing\n")));
  options.after_load = AfterLoad::kFollow;
  EXPECT_TRUE(
      Fails(BulkLoader::Open(options), StatusCode::kFailedPrecondition, "run that one again"));
}

TEST_F(TransactionImportTest, KeepsIdsAndTimesWhateverTheirOrder) {
  ImportTypes();
  EXPECT_EQ(*Import(ArtifactOf(7, 500, 600)), true);
  EXPECT_EQ(*Import(ArtifactOf(9, 400, 400)), true);
  EXPECT_EQ(*Import(ArtifactOf(3, 450, 900)), true);
  EXPECT_EQ(*Import(ArtifactOf(7, 500, 600)), false);
  Artifact renamed = ArtifactOf(7, 500, 700);
  renamed.set_name("renamed");
  renamed.set_uri("u");
  EXPECT_EQ(*Import(renamed), true);
  Artifact heir = ArtifactOf(10, 1, 1);
  heir.set_name("a7");
  EXPECT_EQ(*Import(heir), true);
  Open(Purpose::kFollow);  // It is durable.
  EXPECT_EQ(*Import(renamed), false);
  End();
  ASSERT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
    auto found = reader.FindNode<Artifact>(7);
    EXPECT_TRUE(found.ok() && found->has_value());
    EXPECT_EQ((*found)->SerializeAsString(), renamed.SerializeAsString());
    return found.status();
  })));
  Artifact next = NewNode<Artifact>(1);
  ASSERT_TRUE(IsOk(store_->Write(
      [&](Transaction& transaction) { return transaction.Insert(&next, {}).status(); })));
  EXPECT_EQ(next.id(), 101);
}

TEST_F(TransactionImportTest, RefusesWhatIsSomethingElse) {
  ImportTypes();
  ASSERT_TRUE(IsOk(Import(ArtifactOf(7, 500, 600))));
  EXPECT_TRUE(
      Fails(Import(ArtifactOf(7, 501, 600)), StatusCode::kFailedPrecondition, "artifact 7"));
  EXPECT_TRUE(Fails(store_->Write([](Transaction& transaction) {
    return transaction.ImportType<Artifact>(TypeOf(1, "other")).status();
  }),
                    StatusCode::kFailedPrecondition, "another type"));
  ASSERT_TRUE(IsOk(store_->Write([](Transaction& transaction) -> absl::Status {
    Artifact other = ArtifactOf(8, 1, 1);
    other.set_name("a7");
    auto taken = transaction.IsNameTaken(other);
    EXPECT_TRUE(taken.ok() && *taken);
    taken = transaction.IsNameTaken(ArtifactOf(7, 500, 600));
    EXPECT_TRUE(taken.ok() && !*taken);
    return absl::OkStatus();
  })));
}

TEST_F(TransactionImportTest, EndsOnce) {
  StoreOptions serve;
  serve.data_dir = data_dir_;
  store_.reset();
  EXPECT_TRUE(Fails(Store::Open(serve), StatusCode::kFailedPrecondition, "has not been finished"));
  Open(Purpose::kFollow);
  ASSERT_TRUE(IsOk(store_->Write([](Transaction& transaction) {
    auto source = transaction.ImportSource();
    EXPECT_TRUE(source.ok() && *source == "s, followed");
    return source.status();
  })));
  End();
  // The types that every store has come after the source's.
  EXPECT_EQ(store_->CurrentVersion()->catalog->Of<Artifact>().FindByName("mlmd.Dataset", "")->id(),
            21);
  store_.reset();
  StoreOptions follow = serve;
  follow.purpose = Purpose::kFollow;
  EXPECT_TRUE(Fails(Store::Open(follow), StatusCode::kFailedPrecondition, "holds a store already"));
}

// The marker is raised before anything is committed, and what is not committed has not happened.
TEST(BeginImport, LeavesTheStoreAsItWasIfItsRequestFails) {
  TestStore store;
  ASSERT_TRUE(Fails(store->Write([](Transaction& transaction) {
    EXPECT_TRUE(IsOk(transaction.BeginImport("s")));
    EXPECT_TRUE(transaction.catalog().IsBeingImported());
    return absl::InternalError("no");
  }),
                    StatusCode::kInternal));
  EXPECT_EQ(*ReadMarkerFormat(store.data_dir()), kCreateOrderFormatVersion);
  for (int i = 0; i < 2; ++i) {
    const auto catalog = store->CurrentVersion()->catalog;
    EXPECT_FALSE(catalog->IsBeingImported());
    EXPECT_TRUE(catalog->AllAreCreatedInOrder());
    EXPECT_EQ(catalog->Of<Artifact>().FindByName("mlmd.Dataset", "")->id(), 1);
    const auto report = store->Verify();
    ASSERT_TRUE(IsOk(report));
    EXPECT_TRUE(report->ok()) << report->problems[0];
    store.Reopen();
  }
  ASSERT_TRUE(
      IsOk(store->Write([](Transaction& transaction) { return transaction.BeginImport("s"); })));
  store.Reopen();
  EXPECT_EQ(store->CurrentVersion()->catalog->import_source(), "s");
  EXPECT_TRUE(store->CurrentVersion()->catalog->Of<Artifact>().all().empty());
}

}  // namespace
}  // namespace pedigree
