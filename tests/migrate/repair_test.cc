// Rows that break the source's own rules: refused with a list, or repaired as was asked for, each
// change reported; and what is then in the store is what the proof expects.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "migrate/problems.h"
#include "tests/migrate/mlmd_files.h"

namespace pedigree::migrate {
namespace {

using absl::StatusCode;

struct Case {
  const char* name;  // Of the problem.
  const char* sql;   // Makes it.
  int64_t count;
  const char* where;  // Named in the list.
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name << ": " << c.sql; }

// Tables without the constraints that keep most of this out.
constexpr char kLoosen[] =
    "CREATE TABLE T AS SELECT * FROM Artifact; DROP TABLE Artifact;"
    "ALTER TABLE T RENAME TO Artifact;"
    "CREATE TABLE T AS SELECT * FROM Context; DROP TABLE Context; ALTER TABLE T RENAME TO Context;"
    "CREATE TABLE T AS SELECT * FROM Type; DROP TABLE Type; ALTER TABLE T RENAME TO Type;"
    "CREATE TABLE T AS SELECT * FROM Event; DROP TABLE Event; ALTER TABLE T RENAME TO Event;"
    "CREATE TABLE T AS SELECT * FROM Attribution; DROP TABLE Attribution;"
    "ALTER TABLE T RENAME TO Attribution;";

const Case kCases[] = {
    {"unknown-type-kind", "INSERT INTO Type (id, name, type_kind) VALUES (50, 'x', 7)", 1,
     "type 50"},
    {"nameless-type", "INSERT INTO Type (id, name, type_kind) VALUES (50, '', 1)", 1, "type 50"},
    {"duplicate-type", "INSERT INTO Type (id, name, type_kind) VALUES (50, 'Model', 1)", 1,
     "type 50"},
    {"duplicate-type-external-id",
     "INSERT INTO Type (id, name, type_kind, external_id) VALUES (50, 'y', 1, "
     "'all-kinds-artifact')",
     1, "type 50"},
    {"bad-type-property",
     "INSERT INTO TypeProperty VALUES (10, 'q', NULL), (10, 'r', 77), (999, 'q', 1)", 3,
     "type 10, property q"},
    {"bad-parent-type", "INSERT INTO ParentType VALUES (10, 11), (999, 1)", 2,
     "type 10, parent 11"},
    {"bad-struct-type", "UPDATE Type SET input_type = '{' WHERE id = 14", 1, "type 14"},
    {"bad-id",
     "INSERT INTO Artifact (id, type_id, create_time_since_epoch, "
     "last_update_time_since_epoch) VALUES (0, 10, 1, 1), (9007199254740992, 10, 1, 1)",
     2, "artifact 9007199254740992"},
    {"unknown-type",
     "INSERT INTO Artifact (id, type_id, create_time_since_epoch, "
     "last_update_time_since_epoch) VALUES (70, 888, 1, 1), (71, 17, 1, 1)",
     2, "artifact 71, type 17"},
    {"duplicate-name", "UPDATE Artifact SET name = 'batch1' WHERE id = 9", 1, "artifact 9"},
    {"duplicate-external-id", "UPDATE Artifact SET external_id = 'y' WHERE id IN (9, 10)", 2,
     "artifact 10"},
    {"nameless-context", "UPDATE Context SET name = '' WHERE id = 8", 1, "context 8"},
    {"unknown-state",
     "UPDATE Artifact SET state = 99 WHERE id = 3; UPDATE Execution SET "
     "last_known_state = -5 WHERE id = 3",
     2, "execution 3"},
    {"bad-text", "UPDATE Artifact SET uri = CAST(x'61ff62' AS TEXT) WHERE id = 3", 1, "artifact 3"},
    {"orphan-property",
     "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, int_value) VALUES "
     "(777, 'x', 1, 1)",
     1, "a property of artifact 777"},
    {"empty-property",
     "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, byte_value) VALUES "
     "(3, 'x', 1, NULL), (4, 'x', 1, x'00')",
     2, "artifact 3, custom property x"},
    {"undeclared-property",
     "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, int_value) VALUES "
     "(3, 'undeclared', 0, 1); INSERT INTO ArtifactProperty (artifact_id, name, "
     "is_custom_property, string_value) VALUES (4, 'i', 0, 'no int')",
     2, "artifact 4, property i"},
    {"bad-value",
     "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, string_value) VALUES "
     "(3, 'x', 1, 'mlmd-struct::%%%'); INSERT INTO ArtifactProperty (artifact_id, name, "
     "is_custom_property, proto_value) VALUES (3, 'y', 1, '')",
     2, "artifact 3, custom property y"},
    {"dangling-event", "INSERT INTO Event VALUES (90, 777, 1, 3, 5), (91, 1, 777, 3, 5)", 2,
     "event 91 of artifact 1 and execution 777"},
    {"unknown-event-type", "INSERT INTO Event VALUES (90, 1, 1, 0, 5), (91, 1, 1, 8, 5)", 2,
     "event 90"},
    {"duplicate-event", "INSERT INTO Event VALUES (90, 11, 1, 3, 5), (91, 11, 1, 3, 6)", 2,
     "event 91"},
    {"timeless-event", "INSERT INTO Event VALUES (90, 1, 1, 5, NULL)", 1, "event 90"},
    {"orphan-path", "INSERT INTO EventPath VALUES (777, 1, 1, NULL)", 1, "a step of event 777"},
    {"bad-path", "INSERT INTO EventPath VALUES (1, 1, NULL, 'k'), (1, 0, 3, NULL)", 2, "event 1"},
    {"dangling-link",
     "INSERT INTO Attribution VALUES (90, 1, 777), (91, 777, 1); INSERT INTO Association VALUES "
     "(90, 777, 1); INSERT INTO ParentContext VALUES (1, 777)",
     4, "context 1 of artifact 777"},
    {"duplicate-link", "INSERT INTO Attribution VALUES (90, 2, 11)", 1, "context 2 of artifact 11"},
    {"parent-cycle", "INSERT INTO ParentContext VALUES (1, 2), (6, 6)", 2, "context 6"},
};

class RepairTest : public ::testing::TestWithParam<Case> {
 protected:
  RepairTest() : copy_("every_value_kind.sqlite") {
    copy_.Run(kLoosen);
    copy_.Run(GetParam().sql);
  }
  std::string data_dir() const { return scratch_.path() + "/store"; }

  SqliteCopy copy_;
  ScratchDirectory scratch_;
};

TEST_P(RepairTest, IsRefusedWithAListUnlessItIsAskedFor) {
  const Case& c = GetParam();
  const auto refused = ImportUrl(copy_.url(), data_dir());
  EXPECT_TRUE(Fails(refused, StatusCode::kFailedPrecondition, absl::StrCat("--repair ", c.name)));
  EXPECT_TRUE(Fails(refused, StatusCode::kFailedPrecondition, c.where));
  EXPECT_TRUE(Fails(refused, StatusCode::kFailedPrecondition,
                    absl::StrCat(c.name, ": ", c.count, " times")));
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
}

TEST_P(RepairTest, IsRepairedEachWayAndReported) {
  const Case& c = GetParam();
  int way = 0;
  for (size_t i = 0; i < kProblemCount; ++i) {
    const auto problem = static_cast<Problem>(i);
    if (FactsOf(problem).name != c.name) continue;
    for (Repair repair : FactsOf(problem).repairs) {
      const std::string target = absl::StrCat(data_dir(), ++way);
      const std::vector<std::string> repairs = {absl::StrCat(c.name, "=", NameOf(repair))};
      const auto result = ImportUrl(copy_.url(), target, repairs);
      ASSERT_TRUE(IsOk(result)) << repairs[0];
      EXPECT_EQ(result->findings.count(problem), c.count);
      EXPECT_EQ(result->findings.total(), c.count);
      bool is_named = false;
      for (const Finding& finding : result->findings.first()) {
        EXPECT_EQ(finding.repair, repair);
        is_named = is_named || finding.where.rfind(c.where, 0) == 0 ||
                   finding.where.find(c.where) != std::string::npos;
      }
      EXPECT_TRUE(is_named) << result->findings.ToString();
      const auto proof = ProveUrl(copy_.url(), target, repairs);
      ASSERT_TRUE(IsOk(proof));
      EXPECT_TRUE(proof->ok()) << proof->ToTable();
    }
  }
  EXPECT_GT(way, 0);
}

INSTANTIATE_TEST_SUITE_P(Every, RepairTest, ::testing::ValuesIn(kCases), [](const auto& test) {
  std::string name = test.param.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(RepairCases, CoverEveryProblem) {
  EXPECT_EQ(std::size(kCases), kProblemCount);
  for (size_t i = 0; i < kProblemCount; ++i) {
    EXPECT_EQ(FactsOf(static_cast<Problem>(i)).name, kCases[i].name);
  }
}

TEST(ParseRepairs, SaysWhatThereIs) {
  EXPECT_TRUE(Fails(ParseRepairs({"nonsense"}), StatusCode::kInvalidArgument, "dangling-event"));
  EXPECT_TRUE(Fails(ParseRepairs({"dangling-event=custom"}), StatusCode::kInvalidArgument, "drop"));
  const auto repairs = ParseRepairs({"all", "undeclared-property=drop"});
  ASSERT_TRUE(IsOk(repairs));
  EXPECT_EQ(repairs->Of(Problem::kDanglingEvent), Repair::kDrop);
  EXPECT_EQ(repairs->Of(Problem::kUndeclaredProperty), Repair::kDrop);
  EXPECT_EQ(ParseRepairs({"all"})->Of(Problem::kUndeclaredProperty), Repair::kMakeCustom);
  EXPECT_EQ(ParseRepairs({})->Of(Problem::kDanglingEvent), Repair::kRefuse);
}

// A node that is left out takes its events and links with it, each of which is a problem of its
// own.
TEST(RepairTest2, WhatDependsOnARowThatIsLeftOutIsNamed) {
  ScratchDirectory scratch;
  SqliteCopy copy("every_value_kind.sqlite");
  copy.Run("UPDATE Artifact SET type_id = 999 WHERE id = 11");
  const auto refused = ImportUrl(copy.url(), scratch.path() + "/store", {"unknown-type"});
  EXPECT_TRUE(Fails(refused, StatusCode::kFailedPrecondition, "dangling-event: 4 times"));
  EXPECT_TRUE(Fails(refused, StatusCode::kFailedPrecondition, "dangling-link: 5 times"));
  ASSERT_TRUE(IsOk(ImportUrl(copy.url(), scratch.path() + "/store", {"all"})));
  EXPECT_TRUE(ProveUrl(copy.url(), scratch.path() + "/store", {"all"})->ok());
  EXPECT_TRUE(Fails(ProveUrl(copy.url(), scratch.path() + "/store"),
                    StatusCode::kFailedPrecondition, "dangling-event"));
}

}  // namespace
}  // namespace pedigree::migrate
