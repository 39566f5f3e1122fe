// A source that is read ahead tells the same, in the same order, and can be left at any row.
#include "migrate/read_ahead.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "migrate/sql_source.h"
#include "migrate/sqlite_connection.h"
#include "tests/migrate/mlmd_files.h"

namespace pedigree::migrate {
namespace {

// More than wait at once, with properties of nodes that there are not among them.
class ReadAheadTest : public ::testing::Test {
 protected:
  static constexpr int64_t kNodes = 5000;

  ReadAheadTest() : copy_("kfp_two_runs.sqlite") {
    copy_.Run(absl::StrCat(
        "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < ",
        999 + kNodes,
        ") INSERT INTO Artifact (id, type_id, name, create_time_since_epoch, "
        "last_update_time_since_epoch) SELECT i, (SELECT MIN(type_id) FROM Artifact), 'a' || i, "
        "i, i FROM n"));
    copy_.Run(
        "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, string_value) SELECT "
        "id + (id % 7 = 0) * 100000, 'p', 1, 'v' FROM Artifact WHERE id >= 1000");
  }

  std::unique_ptr<Source> Open() const {
    auto connection = OpenSqlite(copy_.path());
    EXPECT_TRUE(IsOk(connection));
    auto source = OpenSqlSource(*std::move(connection), copy_.url());
    EXPECT_TRUE(IsOk(source));
    return *std::move(source);
  }

  // All that a visit of artifacts tells.
  static std::vector<std::string> Told(Source& source) {
    std::vector<std::string> told;
    EXPECT_TRUE(IsOk(source.VisitNodes(
        NodeKind::kArtifact, 1,
        [&](NodeRow& row) {
          told.push_back(
              absl::StrCat(row.id, " ", row.name.value_or("-"), " ", row.properties.size()));
          return absl::OkStatus();
        },
        [&](Table, int64_t owner) { told.push_back(absl::StrCat("orphan ", owner)); })));
    EXPECT_TRUE(IsOk(source.VisitEvents(
        1,
        [&](EventRow& row) {
          told.push_back(absl::StrCat("event ", row.id));
          return absl::OkStatus();
        },
        [](Table, int64_t) {})));
    EXPECT_TRUE(IsOk(source.VisitLinks(NodeKind::kExecution, [&](int64_t node, int64_t context) {
      told.push_back(absl::StrCat("link ", node, " ", context));
      return absl::OkStatus();
    })));
    return told;
  }

  SqliteCopy copy_;
};

TEST_F(ReadAheadTest, TellsTheSameInTheSameOrder) {
  const auto wanted = Told(*Open());
  EXPECT_GT(wanted.size(), static_cast<size_t>(kNodes + kNodes / 8));
  EXPECT_EQ(Told(*ReadAhead(Open())), wanted);
}

TEST_F(ReadAheadTest, EndsWhereTheVisitorWantsToAndCanBeAskedAgain) {
  const auto source = ReadAhead(Open());
  for (const int64_t most : {int64_t{0}, int64_t{1}, int64_t{255}, int64_t{256}, kNodes - 1}) {
    int64_t rows = 0;
    const absl::Status status = source->VisitNodes(
        NodeKind::kArtifact, 1000,
        [&](NodeRow&) { return rows++ == most ? absl::DataLossError("enough") : absl::OkStatus(); },
        [](Table, int64_t) {});
    EXPECT_TRUE(Fails(status, absl::StatusCode::kDataLoss, "enough")) << most;
    EXPECT_EQ(rows, most + 1);
  }
  EXPECT_EQ(Told(*source), Told(*Open()));
}

TEST_F(ReadAheadTest, PassesOnWhyTheSourceFails) {
  copy_.Run("UPDATE Artifact SET create_time_since_epoch = 'yesterday' WHERE id = 5500");
  const auto source = ReadAhead(Open());
  int64_t last = 0;
  const absl::Status status = source->VisitNodes(
      NodeKind::kArtifact, 1,
      [&](NodeRow& row) {
        last = row.id;
        return absl::OkStatus();
      },
      [](Table, int64_t) {});
  EXPECT_TRUE(Fails(status, absl::StatusCode::kDataLoss));
  EXPECT_GE(last, 1000);
  EXPECT_LT(last, 5500);
}

}  // namespace
}  // namespace pedigree::migrate
