// Genuine databases come over whole, the proof says so, and says so of nothing less.
#include "migrate/import.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "migrate/export.h"
#include "migrate/verify_import.h"
#include "store/keys.h"
#include "tests/migrate/mlmd_files.h"
#include "tests/store/test_store.h"

namespace pedigree::migrate {
namespace {

using absl::StatusCode;

std::vector<NodeRow> NodesOf(const std::string& url, NodeKind kind) {
  std::vector<NodeRow> nodes;
  auto source = OpenSource(url);
  EXPECT_TRUE(IsOk(source));
  EXPECT_TRUE(IsOk((*source)->VisitNodes(
      kind, 1,
      [&](NodeRow& row) {
        nodes.push_back(row);
        return absl::OkStatus();
      },
      [](Table, int64_t) { ADD_FAILURE(); })));
  return nodes;
}

// What the tables hold, without the ids of rows that nobody sees.
std::vector<std::string> TablesOf(const std::string& path) {
  std::vector<std::string> rows;
  for (const char* query :
       {"SELECT * FROM Type ORDER BY id", "SELECT * FROM TypeProperty ORDER BY type_id, name",
        "SELECT * FROM ParentType ORDER BY type_id, parent_type_id",
        "SELECT * FROM Artifact ORDER BY id", "SELECT * FROM Execution ORDER BY id",
        "SELECT * FROM Context ORDER BY id",
        "SELECT context_id, parent_context_id FROM ParentContext ORDER BY 1, 2",
        "SELECT context_id, artifact_id FROM Attribution ORDER BY 1, 2",
        "SELECT context_id, execution_id FROM Association ORDER BY 1, 2",
        "SELECT * FROM Event ORDER BY id", "SELECT * FROM EventPath ORDER BY event_id, rowid",
        "SELECT * FROM MLMDEnv"}) {
    for (std::string& row : RowsOf(path, query)) rows.push_back(absl::StrCat(query, ": ", row));
  }
  for (const char* table : {"ArtifactProperty", "ExecutionProperty", "ContextProperty"}) {
    // The base64 of a struct depends on the order of a map, which has none; the proof compares it.
    for (std::string& row :
         RowsOf(path, absl::StrCat("SELECT *, '' FROM ", table,
                                   " WHERE coalesce(string_value, '') NOT LIKE 'mlmd-struct%' "
                                   "ORDER BY 1, 2, 3"))) {
      rows.push_back(absl::StrCat(table, ": ", row));
    }
  }
  return rows;
}

class EveryDatabase : public ::testing::TestWithParam<std::string> {
 protected:
  std::string url() const { return "sqlite:" + DataFile(GetParam()); }
  std::string data_dir() const { return scratch_.path() + "/store"; }
  std::string exported() const { return scratch_.path() + "/exported.sqlite"; }

  void Export() {
    StoreOptions options;
    options.data_dir = data_dir();
    auto store = Store::Open(options);
    ASSERT_TRUE(IsOk(store));
    Progress silent(Progress::Style::kSilent);
    ASSERT_TRUE(IsOk(ExportMlmd(**store, {.path = exported()}, &silent)));
  }

  ScratchDirectory scratch_;
};

TEST_P(EveryDatabase, ImportsAndIsProved) {
  const auto result = ImportUrl(url(), data_dir());
  ASSERT_TRUE(IsOk(result));
  EXPECT_EQ(result->findings.total(), 0);
  EXPECT_EQ(result->kept, result->found);
  const auto proof = ProveUrl(url(), data_dir());
  ASSERT_TRUE(IsOk(proof));
  EXPECT_TRUE(proof->ok()) << proof->ToTable();
  EXPECT_EQ(proof->actual.counts, proof->source_rows);
  EXPECT_NE(proof->ToJson().find("\"equal\": true"), std::string::npos) << proof->ToJson();
}

TEST_P(EveryDatabase, ComesBackAsItWas) {
  ASSERT_TRUE(IsOk(ImportUrl(url(), data_dir())));
  Export();
  const auto proof = ProveUrl("sqlite:" + exported(), data_dir());
  ASSERT_TRUE(IsOk(proof));
  EXPECT_TRUE(proof->ok()) << proof->ToTable();
  // Row by row where the source has the same schema.
  if (RowsOf(DataFile(GetParam()), "SELECT schema_version FROM MLMDEnv")[0] == "10") {
    EXPECT_EQ(TablesOf(exported()), TablesOf(DataFile(GetParam())));
  }
  const std::string again = scratch_.path() + "/again";
  ASSERT_TRUE(IsOk(ImportUrl("sqlite:" + exported(), again)));
  EXPECT_EQ(RawDatabase(again + "/db").All(), RawDatabase(data_dir() + "/db").All());
}

INSTANTIATE_TEST_SUITE_P(Genuine, EveryDatabase, ::testing::ValuesIn(SqliteFiles()),
                         [](const auto& test) {
                           std::string name = test.param.substr(0, test.param.rfind('.'));
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

void ImportAndProve(const std::string& url, const std::string& data_dir) {
  ASSERT_TRUE(IsOk(ImportUrl(url, data_dir)));
  const auto proof = ProveUrl(url, data_dir);
  ASSERT_TRUE(IsOk(proof));
  EXPECT_TRUE(proof->ok()) << proof->ToTable();
}

TEST(ExportTest, HasTheIndexesOfAGenuineDatabase) {
  ScratchDirectory scratch;
  ASSERT_TRUE(
      IsOk(ImportUrl("sqlite:" + DataFile("every_value_kind.sqlite"), scratch.path() + "/store")));
  StoreOptions options;
  options.data_dir = scratch.path() + "/store";
  auto store = Store::Open(options);
  ASSERT_TRUE(IsOk(store));
  Progress silent(Progress::Style::kSilent);
  const std::string path = scratch.path() + "/exported.sqlite";
  ASSERT_TRUE(IsOk(ExportMlmd(**store, {.path = path}, &silent)));
  const char* indexes = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2, 3";
  EXPECT_EQ(RowsOf(path, indexes), RowsOf(DataFile("every_value_kind.sqlite"), indexes));
  const char* sequences =
      "SELECT name, seq FROM sqlite_sequence WHERE name NOT LIKE 'A%ion' ORDER BY 1";
  EXPECT_EQ(RowsOf(path, sequences), RowsOf(DataFile("every_value_kind.sqlite"), sequences));
  EXPECT_TRUE(Fails(ExportMlmd(**store, {.path = path}, &silent), StatusCode::kAlreadyExists));
}

TEST(ExportTest, NamesWhatMlmdHasNoPlaceFor) {
  TestStore store;
  const int64_t type = PutType<ml_metadata::Artifact>(store, "t");
  auto artifact = NewNode<ml_metadata::Artifact>(type);
  auto& properties = *artifact.mutable_custom_properties();
  properties["n"].set_double_value(std::numeric_limits<double>::quiet_NaN());
  properties["s"].set_string_value("mlmd-struct::no struct");
  ASSERT_TRUE(IsOk(Insert(store, artifact)));
  Progress silent(Progress::Style::kSilent);
  ExportOptions options;
  options.path = store.scratch().path() + "/exported.sqlite";
  const auto refused = ExportMlmd(*store, options, &silent);
  EXPECT_TRUE(Fails(refused, StatusCode::kFailedPrecondition, "NaN"));
  EXPECT_TRUE(Fails(refused, StatusCode::kFailedPrecondition, "custom property s"));
  EXPECT_FALSE(std::filesystem::exists(options.path));
  EXPECT_FALSE(std::filesystem::exists(options.path + ".next"));
  options.loss = Loss::kAllow;
  const auto result = ExportMlmd(*store, options, &silent);
  ASSERT_TRUE(IsOk(result));
  EXPECT_EQ(result->lost, 2);
  EXPECT_TRUE(std::filesystem::exists(options.path));
}

class ChangedStore : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(IsOk(ImportUrl(url_, data_dir_)));
    ASSERT_TRUE(ProveUrl(url_, data_dir_)->ok());
  }

  void Write(const std::function<absl::Status(Transaction&)>& write) {
    StoreOptions options;
    options.data_dir = data_dir_;
    auto store = Store::Open(options);
    ASSERT_TRUE(IsOk(store));
    ASSERT_TRUE(IsOk((*store)->Write(write)));
  }

  // The proof fails, and names the row.
  void ExpectDifference(const std::string& what) {
    const auto proof = ProveUrl(url_, data_dir_);
    ASSERT_TRUE(IsOk(proof));
    EXPECT_FALSE(proof->ok());
    EXPECT_NE(proof->ToTable().find("DIFFERENT"), std::string::npos);
    bool is_named = false;
    for (const std::string& difference : proof->differences) {
      is_named = is_named || difference.rfind(what, 0) == 0;
    }
    EXPECT_TRUE(is_named) << what << " in\n" << proof->ToTable();
  }

  ScratchDirectory scratch_;
  const std::string url_ = "sqlite:" + DataFile("every_value_kind.sqlite");
  const std::string data_dir_ = scratch_.path() + "/store";
};

TEST_F(ChangedStore, AChangedNodeIsFound) {
  Write([](Transaction& transaction) -> absl::Status {
    auto record = transaction.FindRecord(NodeKind::kArtifact, 12);
    if (!record.ok()) return record.status();
    ml_metadata::Artifact artifact;
    artifact.ParseFromArray((*record)->message().data(),
                            static_cast<int>((*record)->message().size()));
    artifact.set_uri("elsewhere");
    return transaction.Update(**record, &artifact, UpdateTime::kIfChanged);
  });
  ExpectDifference("artifact 12: the source has id=");
}

TEST_F(ChangedStore, ANodeTooManyIsFound) {
  Write([](Transaction& transaction) {
    auto execution = NewNode<ml_metadata::Execution>(14);
    return transaction.Insert(&execution, {}).status();
  });
  ExpectDifference("execution 17: the source has no such row");
}

TEST_F(ChangedStore, ALinkTooManyIsFound) {
  Write([](Transaction& transaction) { return transaction.Link(NodeKind::kContext, 6, {1}); });
  ExpectDifference("parents of context 6: the source has no such row");
}

TEST_F(ChangedStore, AnEventTooManyIsFound) {
  Write([](Transaction& transaction) {
    ml_metadata::Event event;
    event.set_artifact_id(31);
    event.set_execution_id(3);
    event.set_type(ml_metadata::Event::INPUT);
    return AddEvents(transaction, {&event});
  });
  ExpectDifference("events of execution 3: the source has no such row");
}

TEST(ImportTest, EventsInAnotherOrderAreFound) {
  ScratchDirectory scratch;
  SqliteCopy copy("every_value_kind.sqlite");
  ASSERT_TRUE(IsOk(ImportUrl(copy.url(), scratch.path() + "/store")));
  copy.Run(
      "UPDATE Event SET id = 900 WHERE id = 1; UPDATE Event SET id = 1 WHERE id = 2;"
      "UPDATE Event SET id = 2 WHERE id = 900");
  const auto proof = ProveUrl(copy.url(), scratch.path() + "/store");
  ASSERT_TRUE(IsOk(proof));
  EXPECT_FALSE(proof->ok());
}

// NULL and "" are different things, as are a declared and a custom property of one name.
TEST(ImportTest, TellsNullFromEmpty) {
  ScratchDirectory scratch;
  SqliteCopy copy("random_history.sqlite");
  copy.Run(
      "UPDATE Artifact SET uri = NULL, name = '' WHERE id = 1;"
      "UPDATE Artifact SET uri = '', name = NULL WHERE id = 2");
  const std::string data_dir = scratch.path() + "/store";
  ImportAndProve(copy.url(), data_dir);
  copy.Run("UPDATE Artifact SET uri = '' WHERE id = 1");
  EXPECT_FALSE(ProveUrl(copy.url(), data_dir)->ok());
}

// Ids that have been handed out are not handed out again, though their rows are gone.
TEST(ImportTest, KeepsGapsAndWhatWasHandedOut) {
  ScratchDirectory scratch;
  SqliteCopy copy("random_history.sqlite");
  copy.Run(
      "UPDATE sqlite_sequence SET seq = 1000 WHERE name = 'Artifact';"
      "DELETE FROM Artifact WHERE id = 5; DELETE FROM ArtifactProperty WHERE artifact_id = 5;"
      "DELETE FROM Attribution WHERE artifact_id = 5; DELETE FROM EventPath WHERE event_id IN "
      "(SELECT id FROM Event WHERE artifact_id = 5); DELETE FROM Event WHERE artifact_id = 5");
  const std::string data_dir = scratch.path() + "/store";
  ASSERT_TRUE(IsOk(ImportUrl(copy.url(), data_dir)));
  EXPECT_TRUE(ProveUrl(copy.url(), data_dir)->ok());
  StoreOptions options;
  options.data_dir = data_dir;
  auto store = Store::Open(options);
  ASSERT_TRUE(IsOk(store));
  EXPECT_EQ((*store)->CurrentVersion()->last_id(NodeKind::kArtifact), 1000);
}

// Clocks of several servers that wrote to one database are never quite the same.
TEST(ImportTest, KeepsCreateTimesThatDoNotFollowIds) {
  ScratchDirectory scratch;
  SqliteCopy copy("random_history.sqlite");
  copy.Run("UPDATE Artifact SET create_time_since_epoch = 2000 - id");
  const std::string data_dir = scratch.path() + "/store";
  ImportAndProve(copy.url(), data_dir);
}

// The predefined types of a database that is older than they are come last, and are no difference.
TEST(ImportTest, AddsPredefinedTypesToAnOldDatabase) {
  ScratchDirectory scratch;
  SqliteCopy copy("random_history.sqlite");
  copy.Run("DELETE FROM Type WHERE id < 10");
  const std::string data_dir = scratch.path() + "/store";
  ASSERT_TRUE(IsOk(ImportUrl(copy.url(), data_dir)));
  const auto proof = ProveUrl(copy.url(), data_dir);
  ASSERT_TRUE(IsOk(proof));
  EXPECT_TRUE(proof->ok()) << proof->ToTable();
  EXPECT_EQ(CountOf(const_cast<TableCounts&>(proof->actual.counts), Table::kType), 6);
}

TEST(ImportTest, ParentTypesBecomeBaseTypes) {
  ScratchDirectory scratch;
  SqliteCopy copy("random_history.sqlite");
  copy.Run("INSERT INTO ParentType VALUES (10, 2)");
  const std::string data_dir = scratch.path() + "/store";
  ASSERT_TRUE(IsOk(ImportUrl(copy.url(), data_dir)));
  EXPECT_TRUE(ProveUrl(copy.url(), data_dir)->ok());
  StoreOptions options;
  options.data_dir = data_dir;
  auto store = Store::Open(options);
  ASSERT_TRUE(IsOk(store));
  const auto version = (*store)->CurrentVersion();
  EXPECT_EQ(version->catalog->Of<ml_metadata::Artifact>().FindById(10)->base_type(),
            ml_metadata::ArtifactType::MODEL);
}

TEST(ImportTest, ReadsEveryPage) {
  ScratchDirectory scratch;
  SqliteCopy copy("random_history.sqlite");
  copy.Run(
      "WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE i < 3300) "
      "INSERT INTO Artifact SELECT i, 10, 'u' || i, 2, 'big' || i, NULL, i, i FROM n;"
      "WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE i < 3300) "
      "INSERT INTO ArtifactProperty SELECT i, 'p', 1, i, NULL, NULL, NULL, NULL, NULL FROM n;"
      "WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
      "INSERT INTO Event SELECT i, 101 + i % 3000, 1 + i / 3000, 1 + i % 7, i FROM n;"
      "INSERT INTO EventPath SELECT id, 1, id, NULL FROM Event WHERE id > 100");
  EXPECT_EQ(NodesOf(copy.url(), NodeKind::kArtifact).size(), 32u + 3200u);
  const std::string data_dir = scratch.path() + "/store";
  ImportAndProve(copy.url(), data_dir);
}

}  // namespace
}  // namespace pedigree::migrate
