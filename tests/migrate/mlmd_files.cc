#include "tests/migrate/mlmd_files.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace pedigree::migrate {
namespace {

std::vector<std::string> Execute(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK) << path;
  std::vector<std::string> rows;
  const auto add = [](void* to, int columns, char** cells, char**) {
    std::string row;
    for (int i = 0; i < columns; ++i) {
      absl::StrAppend(&row, i == 0 ? "" : "|", cells[i] == nullptr ? "NULL" : cells[i]);
    }
    static_cast<std::vector<std::string>*>(to)->push_back(std::move(row));
    return 0;
  };
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), add, &rows, &error), SQLITE_OK) << error << ": " << sql;
  sqlite3_free(error);
  sqlite3_close(db);
  return rows;
}

}  // namespace

std::string DataFile(absl::string_view name) { return absl::StrCat(PEDIGREE_MLMD_DATA, "/", name); }

std::vector<std::string> SqliteFiles() {
  return {"every_value_kind.sqlite", "kfp_two_runs.sqlite", "kfp_two_runs.schema6.sqlite",
          "kfp_two_runs.schema8.sqlite", "random_history.sqlite"};
}

SqliteCopy::SqliteCopy(absl::string_view name) : path_(scratch_.path() + "/copy.sqlite") {
  std::filesystem::copy_file(DataFile(name), path_);
}

void SqliteCopy::Run(const std::string& sql) { Execute(path_, sql); }

void SqliteCopy::Grow() {
  Run("CREATE TABLE n AS WITH RECURSIVE n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE "
      "i < 5000) SELECT i FROM n;"
      "INSERT INTO Artifact SELECT i, 10, 'u' || i % 77, 2, 'big' || i, NULL, i, i FROM n;"
      "INSERT INTO ArtifactProperty SELECT i, 'p', 1, i, NULL, NULL, NULL, NULL, NULL FROM n;"
      "INSERT INTO Execution SELECT i, (SELECT type_id FROM Execution WHERE id = 1), 3, 'big' || "
      "i, "
      "'x' || i, 9000 - i, i FROM n;"
      "INSERT INTO Attribution (context_id, artifact_id) SELECT 1 + i % 3, i FROM n;"
      "INSERT INTO Event SELECT i, i, 1 + i / 4 + 100, 1 + i % 7, i FROM n WHERE i < 4500;"
      "INSERT INTO EventPath SELECT i, 0, NULL, 'k' FROM n WHERE i < 4500; DROP TABLE n");
}

std::vector<std::string> SqliteCopy::Rows(const std::string& sql) const {
  return Execute(path_, sql);
}

std::vector<std::string> RowsOf(const std::string& path, const std::string& sql) {
  return Execute(path, sql);
}

absl::StatusOr<ImportResult> ImportUrl(const std::string& url, const std::string& data_dir,
                                       const std::vector<std::string>& repairs) {
  auto source = OpenSource(url);
  if (!source.ok()) return source.status();
  ImportOptions options;
  options.data_dir = data_dir;
  auto parsed = ParseRepairs(repairs);
  if (!parsed.ok()) return parsed.status();
  options.repairs = *parsed;
  Progress silent(Progress::Style::kSilent);
  return Import(source->get(), options, &silent);
}

absl::StatusOr<ImportProof> ProveUrl(const std::string& url, const std::string& data_dir,
                                     const std::vector<std::string>& repairs) {
  auto source = OpenSource(url);
  if (!source.ok()) return source.status();
  auto parsed = ParseRepairs(repairs);
  if (!parsed.ok()) return parsed.status();
  StoreOptions options;
  options.data_dir = data_dir;
  auto store = Store::Open(options);
  if (!store.ok()) return store.status();
  Progress silent(Progress::Style::kSilent);
  return VerifyImport(source->get(), **store, *parsed, &silent);
}

}  // namespace pedigree::migrate
