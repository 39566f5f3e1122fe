// What cannot be imported is refused with what is wrong, and the target stays as it was.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/migrate/mlmd_files.h"

namespace pedigree::migrate {
namespace {

using absl::StatusCode;

class Refusal : public ::testing::Test {
 protected:
  void Expect(const SqliteCopy& copy, StatusCode code, absl::string_view part) {
    EXPECT_TRUE(Fails(ImportUrl(copy.url(), data_dir()), code, part));
    EXPECT_FALSE(std::filesystem::exists(data_dir())) << "the target is not untouched";
  }
  std::string data_dir() const { return scratch_.path() + "/store"; }

  ScratchDirectory scratch_;
};

TEST_F(Refusal, OfADatabaseThatIsCutOff) {
  SqliteCopy copy("every_value_kind.sqlite");
  const auto size = std::filesystem::file_size(copy.path());
  for (const auto cut : {size / 2, size - 4096, size / 4}) {
    std::filesystem::resize_file(copy.path(), cut);
    Expect(copy, StatusCode::kDataLoss, "damaged, cut off or no SQLite database");
  }
}

TEST_F(Refusal, OfAFileThatIsNoDatabase) {
  SqliteCopy copy("every_value_kind.sqlite");
  std::ofstream(copy.path()) << std::string(10'000, 'x');
  Expect(copy, StatusCode::kDataLoss, "no SQLite database");
}

TEST_F(Refusal, OfAFileThatIsNotThere) {
  EXPECT_TRUE(Fails(ImportUrl("sqlite:/no/such/file", data_dir()), StatusCode::kNotFound));
}

TEST_F(Refusal, OfADatabaseOfSomebodyElse) {
  SqliteCopy copy("every_value_kind.sqlite");
  copy.Run("DROP TABLE MLMDEnv");
  Expect(copy, StatusCode::kFailedPrecondition, "has no table MLMDEnv");
}

TEST_F(Refusal, OfSchemasThatAreTooOldOrNew) {
  for (const auto& [version, part] : std::vector<std::pair<std::string, std::string>>{
           {"5", "upgrade it with MLMD's own server first"},
           {"11", "use a newer pedigree"},
           {"99999999999", "use a newer pedigree"}}) {
    SqliteCopy copy("every_value_kind.sqlite");
    copy.Run("UPDATE MLMDEnv SET schema_version = " + version);
    Expect(copy, StatusCode::kFailedPrecondition, part);
  }
  SqliteCopy copy("every_value_kind.sqlite");
  copy.Run("INSERT INTO MLMDEnv VALUES (9)");
  Expect(copy, StatusCode::kFailedPrecondition, "2 rows instead of one");
}

TEST_F(Refusal, OfATableWithAMissingColumn) {
  SqliteCopy copy("every_value_kind.sqlite");
  copy.Run("ALTER TABLE ExecutionProperty DROP COLUMN bool_value");
  Expect(copy, StatusCode::kFailedPrecondition,
         "its table ExecutionProperty has no column bool_value");
}

TEST_F(Refusal, OfAMissingTable) {
  SqliteCopy copy("every_value_kind.sqlite");
  copy.Run("DROP TABLE ParentType");
  Expect(copy, StatusCode::kFailedPrecondition, "has no table ParentType");
}

TEST_F(Refusal, OfAnUpgradeThatStoppedHalfWay) {
  SqliteCopy early("kfp_two_runs.schema8.sqlite");
  early.Run("ALTER TABLE Artifact ADD COLUMN external_id VARCHAR(255)");
  Expect(early, StatusCode::kFailedPrecondition, "has the later column external_id");
  SqliteCopy late("kfp_two_runs.schema8.sqlite");
  late.Run("CREATE TABLE TypeTemp (id INTEGER)");
  Expect(late, StatusCode::kFailedPrecondition, "has a table TypeTemp");
  SqliteCopy marked("kfp_two_runs.schema6.sqlite");
  marked.Run("UPDATE MLMDEnv SET schema_version = 7");
  Expect(marked, StatusCode::kFailedPrecondition, "has no column byte_value");
}

TEST_F(Refusal, OfACellThatHoldsSomethingElse) {
  SqliteCopy copy("every_value_kind.sqlite");
  copy.Run("UPDATE Artifact SET create_time_since_epoch = 'yesterday' WHERE id = 3");
  Expect(copy, StatusCode::kDataLoss,
         "a row of Artifact (id = 3) has no integer in column create_time_since_epoch");
}

TEST_F(Refusal, OfATargetThatHoldsSomething) {
  const std::string url = "sqlite:" + DataFile("random_history.sqlite");
  ASSERT_TRUE(IsOk(ImportUrl(url, data_dir())));
  EXPECT_TRUE(
      Fails(ImportUrl(url, data_dir()), StatusCode::kFailedPrecondition, "holds a store already"));
  EXPECT_TRUE(ProveUrl(url, data_dir())->ok());
  const std::string other = scratch_.path() + "/other";
  std::filesystem::create_directory(other);
  WriteFile(other + "/precious", "data");
  EXPECT_TRUE(Fails(ImportUrl(url, other), StatusCode::kFailedPrecondition, "precious"));
  EXPECT_EQ(ReadFile(other + "/precious"), "data");
}

TEST_F(Refusal, OfSourcesThatThereAreNot) {
  for (const char* url :
       {"file.sqlite", "oracle://host/database", "mysql://host", "mysql://h:0/d"}) {
    EXPECT_TRUE(Fails(ImportUrl(url, data_dir()), StatusCode::kInvalidArgument)) << url;
  }
}

}  // namespace
}  // namespace pedigree::migrate
