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
