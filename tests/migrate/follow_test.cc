// A store that follows a database has all that came meanwhile, whenever it is interrupted.
// MIGRATE_ROUNDS says how many random rounds there are.
#include "migrate/follow.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "store/directory.h"
#include "store/store.h"
#include "tests/migrate/mlmd_files.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree::migrate {
namespace {

using absl::StatusCode;

// A database that a server writes to: what it would insert and update, with ascending ids and
// times. Both leave gaps, so that a round does not come upon everything by its overlap.
class Writer {
 public:
  explicit Writer(SqliteCopy* copy) : copy_(*copy) {}

  // Some writes of every kind.
  void Write(Random& random) {
    now_ms_ += random.Between(0, 100'000);
    std::string sql = absl::StrCat("BEGIN; UPDATE sqlite_sequence SET seq = seq + ",
                                   random.Between(0, 2000), " WHERE name <> 'Type';");
    for (int64_t i = random.Between(1, 12); i > 0; --i) absl::StrAppend(&sql, One(random), ";");
    copy_.Run(absl::StrCat(sql, "COMMIT"));
  }

 private:
  std::string One(Random& random) {
    const int64_t now = ++now_ms_;
    switch (random.Between(0, 9)) {
      case 0:
        return absl::StrCat("INSERT INTO Artifact (type_id, uri, state, name, ",
                            "create_time_since_epoch, last_update_time_since_epoch) VALUES (10, 'u",
                            now % 7, "', 2, 'new", now, "', ", now - random.Between(0, 3), ", ",
                            now,
                            "); INSERT INTO ArtifactProperty (artifact_id, name, "
                            "is_custom_property, int_value) VALUES (last_insert_rowid(), 'n', 1, ",
                            now, ")");
      case 1:
        return absl::StrCat(
            "INSERT INTO Execution (type_id, last_known_state, ",
            "create_time_since_epoch, last_update_time_since_epoch) VALUES (13, 2, ", now, ", ",
            now, "); ", Fingerprint("last_insert_rowid()", now));
      case 2:
        return absl::StrCat("INSERT INTO Context (type_id, name, create_time_since_epoch, ",
                            "last_update_time_since_epoch) VALUES (12, 'new", now, "', ", now, ", ",
                            now, ")");
      case 3:
        return absl::StrCat("UPDATE Artifact SET uri = 'changed", now % 5, "', state = 3, ",
                            "last_update_time_since_epoch = ", now,
                            " WHERE id = ", Any("Artifact"));
      case 4:
        return absl::StrCat("UPDATE Execution SET last_known_state = 3, ",
                            "last_update_time_since_epoch = ", now,
                            " WHERE id = ", Any("Execution"));
      case 5:
        // Renamed, and its properties replaced.
        return absl::StrCat(
            "UPDATE Context SET name = 'renamed", now, "', ",
            "last_update_time_since_epoch = ", now, " WHERE id = (SELECT max(id) FROM Context);",
            "DELETE FROM ContextProperty WHERE context_id = ", "(SELECT max(id) FROM Context)");
      case 6:
        return absl::StrCat("INSERT OR IGNORE INTO Attribution (context_id, artifact_id) VALUES (",
                            Any("Context"), ", ", Any("Artifact"), ")");
      case 7:
        return absl::StrCat("INSERT OR IGNORE INTO Association (context_id, execution_id) VALUES (",
                            Any("Context"), ", ", Any("Execution"), ")");
      case 8:
        // A younger context is the child, so that there is no cycle.
        return "INSERT OR IGNORE INTO ParentContext SELECT max(id), min(id) FROM Context";
      default:
        return absl::StrCat("INSERT OR IGNORE INTO Event (artifact_id, execution_id, type, ",
                            "milliseconds_since_epoch) VALUES (", Any("Artifact"), ", ",
                            Any("Execution"), ", ", random.Between(1, 7), ", ", now,
                            "); INSERT INTO EventPath SELECT last_insert_rowid(), 0, NULL, 'k' ",
                            "WHERE changes() > 0");
    }
  }

  static std::string Fingerprint(const std::string& execution, int64_t now) {
    return absl::StrCat("INSERT INTO ExecutionProperty (execution_id, name, is_custom_property, ",
                        "string_value) VALUES (", execution, ", 'cache_fingerprint', 1, 'f",
                        now % 3, "')");
  }
  static std::string Any(absl::string_view table) {
    return absl::StrCat("(SELECT id FROM ", table, " ORDER BY random() LIMIT 1)");
  }

  SqliteCopy& copy_;
  int64_t now_ms_ = 1'900'000'000'000;
};

class FollowTest : public ::testing::Test {
 protected:
  absl::StatusOr<FollowResult> Follow(std::function<Stop()> stop = nullptr) {
    FollowOptions options;
    options.import.data_dir = data_dir_;
    options.import.repairs = repairs_;
    options.stop = std::move(stop);
    options.pause = std::chrono::milliseconds(1);
    options.on_loaded = [this] { is_loaded_ = true; };
    Progress silent(Progress::Style::kSilent);
    return ImportAndFollow([this] { return OpenSource(copy_.url()); }, options, &silent);
  }

  void ExpectProved() {
    const auto proof = ProveUrl(copy_.url(), data_dir_);
    ASSERT_TRUE(IsOk(proof));
    EXPECT_TRUE(proof->ok()) << proof->ToTable();
  }

  ScratchDirectory scratch_;
  SqliteCopy copy_{"random_history.sqlite"};
  const std::string data_dir_ = scratch_.path() + "/store";
  Repairs repairs_;
  bool is_loaded_ = false;
};

int64_t RoundsToRun() {
  const char* text = std::getenv("MIGRATE_ROUNDS");
  int64_t rounds = 0;
  return text != nullptr && absl::SimpleAtoi(text, &rounds) ? rounds : 100;
}

TEST_F(FollowTest, HasWhatCameMeanwhile) {
  Random random;
  Writer writer(&copy_);
  int64_t left = RoundsToRun();
  const auto result = Follow([&] {
    if (!is_loaded_ || left == 0) return Stop::kFinish;
    writer.Write(random);
    --left;
    return left == 0 ? Stop::kFinish : Stop::kGoOn;
  });
  ASSERT_TRUE(IsOk(result));
  EXPECT_TRUE(result->is_settled);
  EXPECT_GT(result->brought.nodes, 0);
  EXPECT_GT(result->brought.links, 0);
  EXPECT_GT(result->brought.events, 0);
  ExpectProved();
}

// Every round is of a process of its own, and knows nothing of the ones before.
TEST_F(FollowTest, GoesOnAfterErrors) {
  Random random;
  Writer writer(&copy_);
  for (int i = 0; i < 10; ++i) {
    is_loaded_ = false;
    int64_t left = 3;
    FollowOptions options;
    options.import.data_dir = data_dir_;
    options.pause = std::chrono::milliseconds(1);
    options.stop = [&] {
      writer.Write(random);
      return Stop::kGoOn;
    };
    Progress silent(Progress::Style::kSilent);
    const auto failed = ImportAndFollow(
        [&]() -> absl::StatusOr<std::unique_ptr<Source>> {
          if (left-- == 0) return absl::DataLossError("gone");
          return OpenSource(copy_.url());
        },
        options, &silent);
    EXPECT_TRUE(Fails(failed, StatusCode::kDataLoss, "gone"));
    StoreOptions store_options;
    store_options.data_dir = data_dir_;
    EXPECT_TRUE(Fails(Store::Open(store_options), StatusCode::kFailedPrecondition,
                      "has not been finished"));
  }
  ASSERT_TRUE(IsOk(Follow()));
  ExpectProved();
}

TEST_F(FollowTest, RefusesAnotherSource) {
  FollowOptions options;
  options.import.data_dir = data_dir_;
  options.stop = [] { return Stop::kGoOn; };
  int opened = 0;
  Progress silent(Progress::Style::kSilent);
  EXPECT_TRUE(Fails(ImportAndFollow(
                        [&]() -> absl::StatusOr<std::unique_ptr<Source>> {
                          if (++opened > 1) return absl::DataLossError("gone");
                          return OpenSource(copy_.url());
                        },
                        options, &silent),
                    StatusCode::kDataLoss));
  EXPECT_TRUE(
      Fails(ImportAndFollow([] { return OpenSource("sqlite:" + DataFile("kfp_two_runs.sqlite")); },
                            options, &silent),
            StatusCode::kFailedPrecondition, "another source"));
  // A plain import does not touch it.
  EXPECT_TRUE(Fails(ImportUrl(copy_.url(), data_dir_), StatusCode::kFailedPrecondition));
  ASSERT_TRUE(IsOk(Follow()));
  ExpectProved();
  EXPECT_TRUE(Fails(Follow(), StatusCode::kFailedPrecondition, "holds a store already"));
}

TEST_F(FollowTest, StopsAtRowsThatBreakARule) {
  int asked = 0;
  const auto refused = Follow([&] {
    if (++asked == 1) {
      copy_.Run(
          "INSERT INTO Event (artifact_id, execution_id, type, milliseconds_since_epoch) "
          "VALUES (7777, 1, 4, 5)");
    }
    return Stop::kGoOn;
  });
  EXPECT_TRUE(Fails(refused, StatusCode::kFailedPrecondition, "dangling-event: 1 times"));
  repairs_.Set(Problem::kDanglingEvent, Repair::kDrop);
  const auto result = Follow();
  ASSERT_TRUE(IsOk(result));
  EXPECT_EQ(result->findings.count(Problem::kDanglingEvent), 1);
  const auto proof = ProveUrl(copy_.url(), data_dir_, {"dangling-event"});
  ASSERT_TRUE(IsOk(proof));
  EXPECT_TRUE(proof->ok()) << proof->ToTable();
}

// A name may go from one context to another between two rounds.
TEST_F(FollowTest, FollowsANameThatMoves) {
  copy_.Run(
      "UPDATE Context SET name = 'first' WHERE id = 1; UPDATE Context SET type_id = "
      "(SELECT type_id FROM Context WHERE id = 1) WHERE id = 2");
  int asked = 0;
  ASSERT_TRUE(IsOk(Follow([&] {
    if (++asked == 1) {
      copy_.Run(
          "UPDATE Context SET name = 'other', last_update_time_since_epoch = "
          "1900000000000 WHERE id = 2;"
          "UPDATE Context SET name = 'second', last_update_time_since_epoch = "
          "1900000000000 WHERE id = 1;"
          "UPDATE Context SET name = 'first' WHERE id = 2");
    }
    return asked < 2 ? Stop::kGoOn : Stop::kFinish;
  })));
  ExpectProved();
}

// The ids of types that every store has are the source's as long as it is followed.
TEST_F(FollowTest, TakesTypesThatComeLater) {
  copy_.Run("DELETE FROM Type WHERE id < 10");
  int asked = 0;
  ASSERT_TRUE(IsOk(Follow([&] {
    if (++asked == 1) {
      copy_.Run(
          "INSERT INTO Type (id, name, type_kind) VALUES (16, 'late', 1);"
          "INSERT INTO TypeProperty VALUES (16, 'p', 1), (10, 'added', 3);"
          "INSERT INTO Artifact (type_id, create_time_since_epoch, "
          "last_update_time_since_epoch) VALUES (16, 1900000000000, 1900000000000);"
          "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, int_value) "
          "VALUES (last_insert_rowid(), 'p', 0, 5)");
    }
    return asked < 2 ? Stop::kGoOn : Stop::kFinish;
  })));
  ExpectProved();
}

// New nodes of the store come after all of the source's.
TEST_F(FollowTest, EndsAsAStoreThatServes) {
  ASSERT_TRUE(IsOk(Follow()));
  StoreOptions options;
  options.data_dir = data_dir_;
  auto store = Store::Open(options);
  ASSERT_TRUE(IsOk(store));
  ml_metadata::Context context = NewNode<ml_metadata::Context>(12, "mine");
  ASSERT_TRUE(IsOk((*store)->Write(
      [&](Transaction& transaction) { return transaction.Insert(&context, {}).status(); })));
  const auto report = (*store)->Verify();
  ASSERT_TRUE(IsOk(report));
  EXPECT_TRUE(report->ok()) << report->problems[0];
}

}  // namespace
}  // namespace pedigree::migrate
