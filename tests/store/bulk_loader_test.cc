// A store that was filled by a BulkLoader is what a server would have made of the same history,
// goes on after any interruption, and keeps times that no server would have given.
#include "store/bulk_loader.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/directory.h"
#include "store/keys.h"
#include "store/store.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

constexpr std::array<int64_t, 3> kNothingMore = {0, 0, 0};

class BulkLoaderTest : public ::testing::Test {
 protected:
  std::string data_dir() const { return scratch_.path() + "/store"; }

  std::unique_ptr<BulkLoader> OpenLoader(std::vector<NodeKind> created_out_of_order = {},
                                         std::string source = "s") {
    auto loader = BulkLoader::Open(Options(std::move(created_out_of_order), std::move(source)));
    EXPECT_TRUE(IsOk(loader));
    return loader.ok() ? *std::move(loader) : nullptr;
  }

  BulkLoaderOptions Options(std::vector<NodeKind> created_out_of_order, std::string source) const {
    BulkLoaderOptions options;
    options.data_dir = data_dir();
    options.source = std::move(source);
    options.created_out_of_order = std::move(created_out_of_order);
    options.batch_bytes = 4096;  // Many batches, even here.
    return options;
  }

  std::unique_ptr<Store> OpenStore() {
    StoreOptions options;
    options.data_dir = data_dir();
    auto store = Store::Open(options);
    EXPECT_TRUE(IsOk(store));
    return store.ok() ? *std::move(store) : nullptr;
  }

  static Catalog ThreeTypes() {
    Catalog catalog;
    AddType<Artifact>(10, "a", &catalog);
    AddType<Execution>(11, "e", &catalog);
    AddType<Context>(12, "c", &catalog);
    return catalog;
  }

  template <class Node>
  static void AddType(int64_t id, const std::string& name, Catalog* catalog) {
    auto type = std::make_shared<typename TraitsOf<Node>::Type>();
    type->set_id(id);
    type->set_name(name);
    catalog->Of<Node>().Put(std::move(type));
  }

  template <class Node>
  static Node NodeOf(int64_t id, int64_t type_id, int64_t created_ms) {
    Node node = NewNode<Node>(type_id, absl::StrCat("n", id));
    node.set_id(id);
    node.set_create_time_since_epoch(created_ms);
    node.set_last_update_time_since_epoch(created_ms + 1);
    node.set_external_id(absl::StrCat("x", id));
    (*node.mutable_custom_properties())["cache_fingerprint"].set_string_value(absl::StrCat(id % 9));
    return node;
  }

  // 700 nodes of each kind with gaps between ids, and 1,400 events. What is there already is left
  // out. Stops early, as a crash would, after `most` of all.
  static void Load(BulkLoader* loader, int most = 1 << 20) {
    EXPECT_TRUE(IsOk(loader->PutTypes(ThreeTypes(), 12)));
    LoadNodes<Artifact>(loader, 10, &most);
    LoadNodes<Execution>(loader, 11, &most);
    LoadNodes<Context>(loader, 12, &most);
    for (int64_t i = loader->last_source_event() + 1; i <= 1400 && most-- > 0; ++i) {
      Event event;
      event.set_artifact_id(IdOf(i / 2 % 700));
      event.set_execution_id(IdOf(i / 3));
      event.set_type(i % 2 == 0 ? Event::INPUT : Event::OUTPUT);
      event.set_milliseconds_since_epoch(i);
      EXPECT_TRUE(IsOk(loader->AddEvent(event, i)));
    }
  }

  static int64_t IdOf(int64_t place) { return 3 * place + 1; }

  template <class Node>
  static void LoadNodes(BulkLoader* loader, int64_t type_id, int* most) {
    for (int64_t place = 0; place < 700; ++place) {
      const int64_t id = IdOf(place);
      if (id <= loader->last_id(TraitsOf<Node>::kKind) || (*most)-- <= 0) continue;
      std::vector<int64_t> contexts;
      const bool is_context = TraitsOf<Node>::kKind == NodeKind::kContext;
      for (int64_t i = 0; !is_context && i < place % 20; ++i) contexts.push_back(IdOf(i));
      if (is_context && place > 0) contexts.push_back(IdOf(place / 2));
      EXPECT_TRUE(IsOk(loader->PutNode(NodeOf<Node>(id, type_id, 1000 + place / 3), contexts)));
    }
  }

  std::vector<std::pair<std::string, std::string>> Content() const {
    return RawDatabase(data_dir() + "/db").All();
  }

  ScratchDirectory scratch_;
};

std::string ProblemsOf(const Store& store) {
  const auto report = store.Verify();
  EXPECT_TRUE(IsOk(report));
  std::string text;
  if (report.ok()) {
    for (const std::string& problem : report->problems) absl::StrAppend(&text, problem, "\n");
  }
  return text;
}

TEST_F(BulkLoaderTest, FillsAStoreThatVerifies) {
  {
    auto loader = OpenLoader();
    Load(loader.get());
    ASSERT_TRUE(IsOk(loader->Finish({5000, 0, 0})));
  }
  auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(ProblemsOf(*store), "");
  const auto version = store->CurrentVersion();
  EXPECT_EQ(version->last_id(NodeKind::kArtifact), 5000) << "ids that the source has handed out";
  EXPECT_EQ(version->last_id(NodeKind::kExecution), IdOf(699));
  EXPECT_EQ(version->counters.last_event_number, 1400);
  EXPECT_EQ(version->counters.last_time_ms, 1000 + 699 / 3 + 1);
}

TEST_F(BulkLoaderTest, NewNodesComeAfterThoseThatWereLoaded) {
  {
    auto loader = OpenLoader();
    Load(loader.get());
    ASSERT_TRUE(IsOk(loader->Finish({5000, 0, 0})));
  }
  auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  Artifact artifact = NewNode<Artifact>(10);
  EXPECT_TRUE(IsOk(store->Write(
      [&](Transaction& transaction) { return transaction.Insert(&artifact, {1}).status(); })));
  EXPECT_EQ(artifact.id(), 5001);
  Artifact taken = NewNode<Artifact>(10, "n4");
  EXPECT_EQ(
      store
          ->Write([&](Transaction& transaction) { return transaction.Insert(&taken, {}).status(); })
          .code(),
      StatusCode::kAlreadyExists);
  EXPECT_EQ(ProblemsOf(*store), "");
}

// Whatever was on its way when an import stopped: the one that goes on makes the same store.
TEST_F(BulkLoaderTest, GoesOnWhereItStoppedAndMakesTheSame) {
  {
    auto loader = OpenLoader();
    Load(loader.get());
    ASSERT_TRUE(IsOk(loader->Finish(kNothingMore)));
  }
  const auto whole = Content();
  for (int most : {0, 1, 255, 700, 1000, 2100, 2500, 3499}) {
    std::filesystem::remove_all(data_dir());
    { Load(OpenLoader().get(), most); }
    {
      auto loader = OpenLoader();
      Load(loader.get());
      ASSERT_TRUE(IsOk(loader->Finish(kNothingMore)));
    }
    // Where batches end is not the same: chunks and log entries may be cut elsewhere.
    auto store = OpenStore();
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(ProblemsOf(*store), "") << most;
    store.reset();
    const auto content = Content();
    const auto without_chunks = [](const auto& rows) {
      std::vector<std::pair<std::string, std::string>> kept;
      for (const auto& row : rows) {
        const auto tag = static_cast<Tag>(row.first.at(kKeyHeadBytes - 1));
        if (tag != Tag::kExecutionEvents && tag != Tag::kEventLog) kept.push_back(row);
      }
      return kept;
    };
    EXPECT_EQ(without_chunks(content), without_chunks(whole)) << most;
  }
}

TEST_F(BulkLoaderTest, IsDoneAlsoIfOnlyTheMarkerWasMissing) {
  {
    auto loader = OpenLoader();
    Load(loader.get());
    ASSERT_TRUE(IsOk(loader->Finish(kNothingMore)));
  }
  ASSERT_TRUE(IsOk(MarkReady(data_dir())));
  WriteFile(data_dir() + "/PEDIGREE", "pedigree store\nformat 1\nstate importing\n");
  auto loader = OpenLoader();
  EXPECT_TRUE(loader->is_complete());
  ASSERT_TRUE(IsOk(loader->Finish(kNothingMore)));
  loader.reset();
  auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(ProblemsOf(*store), "");
}

TEST_F(BulkLoaderTest, NoServerOpensAnUnfinishedImport) {
  { Load(OpenLoader().get(), 100); }
  StoreOptions options;
  options.data_dir = data_dir();
  const auto store = Store::Open(options);
  EXPECT_TRUE(Fails(store, StatusCode::kFailedPrecondition));
  EXPECT_NE(store.status().message().find("pedigree import"), std::string::npos);
}

TEST_F(BulkLoaderTest, GoesOnWithTheSameSourceOnly) {
  { Load(OpenLoader().get(), 100); }
  EXPECT_TRUE(Fails(BulkLoader::Open(Options({}, "t")), StatusCode::kFailedPrecondition));
  EXPECT_TRUE(Fails(BulkLoader::Open(Options({NodeKind::kArtifact}, "s")),
                    StatusCode::kFailedPrecondition));
}

TEST_F(BulkLoaderTest, LeavesAloneWhatIsNotItsOwn) {
  { TestStore store; }
  {
    StoreOptions options;
    options.data_dir = data_dir();
    ASSERT_TRUE(IsOk(Store::Open(options)));
  }
  const auto before = Content();
  EXPECT_TRUE(Fails(BulkLoader::Open(Options({}, "s")), StatusCode::kFailedPrecondition));
  EXPECT_EQ(Content(), before);
}

TEST_F(BulkLoaderTest, RefusesNodesThatAreOutOfOrder) {
  auto loader = OpenLoader();
  ASSERT_TRUE(IsOk(loader->PutTypes(ThreeTypes(), 12)));
  EXPECT_TRUE(IsOk(loader->PutNode(NodeOf<Artifact>(5, 10, 100), {})));
  EXPECT_EQ(loader->PutNode(NodeOf<Artifact>(5, 10, 100), {}).code(), StatusCode::kInternal);
  EXPECT_EQ(loader->PutNode(NodeOf<Artifact>(6, 10, 99), {}).code(), StatusCode::kInternal);
}

// Predefined types stand where the source has them, and are added where it is too old for them.
TEST_F(BulkLoaderTest, AddsThePredefinedTypesThatAreMissing) {
  {
    auto loader = OpenLoader();
    Catalog catalog = ThreeTypes();
    AddType<Artifact>(3, "mlmd.Model", &catalog);
    ASSERT_TRUE(IsOk(loader->PutTypes(catalog, 12)));
    ASSERT_TRUE(IsOk(loader->Finish(kNothingMore)));
  }
  auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  const auto version = store->CurrentVersion();
  EXPECT_EQ(version->catalog->Of<Artifact>().FindByName("mlmd.Model", "")->id(), 3);
  EXPECT_EQ(version->catalog->Of<Artifact>().FindByName("mlmd.Dataset", "")->id(), 13);
  EXPECT_EQ(version->catalog->Of<Artifact>().all().size(), 5u);
  EXPECT_EQ(version->catalog->Of<Execution>().all().size(), 6u);
  EXPECT_EQ(version->counters.last_type_id, 20);
}

TEST_F(BulkLoaderTest, KeepsCreateTimesThatDoNotFollowIds) {
  {
    auto loader = OpenLoader({NodeKind::kArtifact});
    ASSERT_TRUE(IsOk(loader->PutTypes(ThreeTypes(), 12)));
    for (const auto& [id, created_ms] : std::vector<std::pair<int64_t, int64_t>>{
             {1, 500}, {2, 300}, {5, 400}, {300, 100}, {301, 300}}) {
      EXPECT_TRUE(IsOk(loader->PutNode(NodeOf<Artifact>(id, 10, created_ms), {})));
    }
    ASSERT_TRUE(IsOk(loader->Finish(kNothingMore)));
  }
  EXPECT_EQ(ReadFile(data_dir() + "/PEDIGREE"), "pedigree store\nformat 2\nstate ready\n");
  auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(ProblemsOf(*store), "");
  const auto by_create_time = [&] {
    std::vector<int64_t> ids;
    EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
      return reader.VisitByCreateTime(NodeKind::kArtifact, {0, kFirstId}, Direction::kAscending,
                                      [&](TimeAndId place) {
                                        ids.push_back(place.id);
                                        return true;
                                      });
    })));
    return ids;
  };
  EXPECT_EQ(by_create_time(), (std::vector<int64_t>{300, 2, 301, 5, 1}));
  // What a server adds is indexed in the same way.
  Artifact artifact = NewNode<Artifact>(10);
  EXPECT_TRUE(IsOk(store->Write(
      [&](Transaction& transaction) { return transaction.Insert(&artifact, {}).status(); })));
  EXPECT_EQ(by_create_time(), (std::vector<int64_t>{300, 2, 301, 5, 1, 302}));
  EXPECT_EQ(ProblemsOf(*store), "");
}

// As if this store had served the history: whose a result is, and since when it is there.
TEST_F(BulkLoaderTest, ResultsWithAFingerprintAreInTheCache) {
  const auto put = [](BulkLoader* loader, int64_t id, Execution::State state,
                      absl::string_view cached_execution, std::vector<int64_t> contexts) {
    Execution execution = NodeOf<Execution>(id, 11, 100 * id);
    auto& properties = *execution.mutable_custom_properties();
    properties["cache_fingerprint"].set_string_value("f");
    if (!cached_execution.empty()) {
      properties["cached_execution_id"].set_string_value(std::string(cached_execution));
    }
    execution.set_last_known_state(state);
    execution.set_last_update_time_since_epoch(100 * id + 7);
    EXPECT_TRUE(IsOk(loader->PutNode(execution, contexts)));
  };
  {
    auto loader = OpenLoader();
    Catalog catalog = ThreeTypes();
    AddType<Context>(13, "system.Pipeline", &catalog);
    ASSERT_TRUE(IsOk(loader->PutTypes(catalog, 13)));
    std::vector<int64_t> many;  // So many that they do not stand in the record.
    for (int64_t id = 1; id <= 40; ++id) many.push_back(id);
    put(loader.get(), 1, Execution::COMPLETE, "", {1, 2});
    put(loader.get(), 2, Execution::CACHED, "1", many);
    put(loader.get(), 3, Execution::RUNNING, "", {});
    put(loader.get(), 4, Execution::CACHED, "3", {});  // Names one that is not complete.
    Execution without = NodeOf<Execution>(5, 11, 500);
    without.clear_custom_properties();
    EXPECT_TRUE(IsOk(loader->PutNode(without, {1})));
    for (int64_t id = 1; id <= 40; ++id) {
      Context context = NodeOf<Context>(id, id == 40 ? 13 : 12, 100);
      if (id == 2) (*context.mutable_custom_properties())["namespace"].set_string_value("n");
      EXPECT_TRUE(IsOk(loader->PutNode(context, {})));
    }
    ASSERT_TRUE(IsOk(loader->Finish(kNothingMore)));
  }
  auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(ProblemsOf(*store), "");
  std::vector<std::string> entries;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
    for (int64_t id = 1; id <= 5; ++id) {
      auto entry = reader.FindCacheEntry(id);
      if (!entry.ok()) return entry.status();
      if (!entry->has_value()) {
        entries.push_back("none");
        continue;
      }
      entries.push_back(absl::StrCat(static_cast<int>((*entry)->cache_class), " ",
                                     (*entry)->completed_ms, " ", (*entry)->run_ms, " ",
                                     (*entry)->name_space, " ", (*entry)->pipeline));
    }
    return absl::OkStatus();
  })));
  EXPECT_EQ(entries, (std::vector<std::string>{"1 107 7 n ", "1 107 7 n n40", "2 0 0  ",
                                               "1 407 7  ", "none"}));
}

TEST_F(BulkLoaderTest, VerifyMissesNoEntryByCreateTime) {
  {
    auto loader = OpenLoader({NodeKind::kArtifact});
    ASSERT_TRUE(IsOk(loader->PutTypes(ThreeTypes(), 12)));
    EXPECT_TRUE(IsOk(loader->PutNode(NodeOf<Artifact>(1, 10, 500), {})));
    EXPECT_TRUE(IsOk(loader->PutNode(NodeOf<Artifact>(2, 10, 300), {})));
    ASSERT_TRUE(IsOk(loader->Finish(kNothingMore)));
  }
  std::string key = CreateTimePrefix(NodeKind::kArtifact, 300);
  AppendId(&key, 0);
  RawDatabase(data_dir() + "/db").Delete(key);
  auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(ProblemsOf(*store), "artifact 2: create_times: missing\n");
}

}  // namespace
}  // namespace pedigree
