// The genuine MLMD databases of tests/data, and copies of them to change.
//
// Threads: one.
//
//   SqliteCopy copy("kfp_two_runs.sqlite");
//   copy.Run("DELETE FROM Artifact WHERE id = 3");
//   auto source = OpenSource(copy.url());
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "migrate/import.h"
#include "migrate/progress.h"
#include "migrate/source.h"
#include "migrate/verify_import.h"
#include "store/store.h"
#include "tests/store/scratch_directory.h"
#include "tests/store/status_testing.h"

namespace pedigree::migrate {

// The path of a file of tests/data/mlmd-databases.
std::string DataFile(absl::string_view name);

// All SQLite databases there.
std::vector<std::string> SqliteFiles();

class SqliteCopy {
 public:
  explicit SqliteCopy(absl::string_view name);

  const std::string& path() const { return path_; }
  std::string url() const { return "sqlite:" + path_; }

  // Runs SQL statements; fails the test if they fail.
  void Run(const std::string& sql);
  // Adds some 35,000 rows. REQUIRES: it is random_history.sqlite.
  void Grow();
  // The rows of a query, cells joined by "|" as in the sqlite3 shell, NULL as "NULL".
  std::vector<std::string> Rows(const std::string& sql) const;

 private:
  ScratchDirectory scratch_;
  std::string path_;
};

std::vector<std::string> RowsOf(const std::string& path, const std::string& sql);

// Opens, imports and gives what came out.
absl::StatusOr<ImportResult> ImportUrl(const std::string& url, const std::string& data_dir,
                                       const std::vector<std::string>& repairs = {});
absl::StatusOr<ImportProof> ProveUrl(const std::string& url, const std::string& data_dir,
                                     const std::vector<std::string>& repairs = {});

}  // namespace pedigree::migrate
