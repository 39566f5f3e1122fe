// An import onto a disk that fills, or that loses its power: the error says what to do, and the
// next import goes on and makes the same store.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "tests/crash/fault_file_system.h"
#include "tests/migrate/mlmd_files.h"
#include "tests/store/random.h"

namespace pedigree::migrate {
namespace {

using crash::FaultFileSystem;

class FaultTest : public ::testing::Test {
 protected:
  FaultTest() : copy_("random_history.sqlite") {
    copy_.Run(
        "CREATE TABLE n AS WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE "
        "i < 3000) SELECT i FROM n;"
        "INSERT INTO Artifact SELECT i, 10, 'u' || i % 77, 2, 'big' || i, NULL, i, i FROM n;"
        "INSERT INTO Attribution (context_id, artifact_id) SELECT 1 + i % 3, i FROM n;"
        "INSERT INTO Event SELECT i, i, 1 + i % 20, 1 + i % 7, i FROM n; DROP TABLE n");
    std::filesystem::create_directory(scratch_.path() + "/trash");
  }

  absl::Status ImportOnto(std::shared_ptr<FaultFileSystem> files) {
    auto source = OpenSource(copy_.url());
    if (!source.ok()) return source.status();
    ImportOptions options;
    options.data_dir = data_dir_;
    options.write_buffer_bytes = size_t{128} << 10;  // Flushes often.
    options.file_system = std::move(files);
    Progress silent(Progress::Style::kSilent);
    return Import(source->get(), options, &silent).status();
  }

  // What is left is gone on with, without a fault, and proved.
  void FinishAndProve() {
    if (ReadFile(data_dir_ + "/PEDIGREE").find("ready") == std::string::npos) {
      ASSERT_TRUE(IsOk(ImportOnto(nullptr)));
    }
    const auto proof = ProveUrl(copy_.url(), data_dir_);
    ASSERT_TRUE(IsOk(proof));
    EXPECT_TRUE(proof->ok()) << proof->ToTable();
    std::filesystem::remove_all(data_dir_);
  }

  std::shared_ptr<FaultFileSystem> NewFiles() const {
    return std::make_shared<FaultFileSystem>(scratch_.path() + "/trash");
  }

  // How many operations an import makes.
  int64_t CountOperations() {
    auto files = NewFiles();
    EXPECT_TRUE(IsOk(ImportOnto(files)));
    std::filesystem::remove_all(data_dir_);
    return files->operations();
  }

  SqliteCopy copy_;
  ScratchDirectory scratch_;
  const std::string data_dir_ = scratch_.path() + "/store";
};

TEST_F(FaultTest, AFullDiskIsSaidAndTheImportGoesOn) {
  Random random;
  const int64_t operations = CountOperations();
  for (int i = 0; i < 8; ++i) {
    auto files = NewFiles();
    files->Fail(random.Between(1, operations), FaultFileSystem::FullDisk(), crash::Effect::kPart);
    const absl::Status status = ImportOnto(files);
    // Of the last operations some may fail unnoticed: they delete what is of no use any more.
    if (!status.ok()) {
      EXPECT_TRUE(Fails(status, absl::StatusCode::kResourceExhausted, "disk"));
    }
    FinishAndProve();
  }
}

TEST_F(FaultTest, APowerCutLeavesWhatCanBeGoneOnWith) {
  Random random;
  const int64_t operations = CountOperations();
  for (int i = 0; i < 8; ++i) {
    auto files = NewFiles();
    files->CutPowerAt(random.Between(1, operations));
    EXPECT_FALSE(ImportOnto(files).ok() && files->is_cut() &&
                 ReadFile(data_dir_ + "/PEDIGREE").find("ready") == std::string::npos);
    files->LosePower(&random);
    FinishAndProve();
  }
}

}  // namespace
}  // namespace pedigree::migrate
