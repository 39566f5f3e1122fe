// Writes a new SQLite file, row by row, in one transaction.
//
// The file appears under its name when Commit() has brought it to the disk. Threads: one.
//
//   auto writer = SqliteWriter::Create("mlmd.db");
//   (*writer)->Run("CREATE TABLE t (id INTEGER)");
//   (*writer)->Insert("t", {int64_t{7}});
//   (*writer)->Commit();
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace pedigree::migrate {

// The first is NULL.
using SqlValue = std::variant<std::monostate, int64_t, double, std::string>;

class SqliteWriter {
 public:
  // Errors: AlreadyExists if there is a file of this name; PermissionDenied, ResourceExhausted if
  // the disk is full, Unavailable. So are those of the others.
  static absl::StatusOr<std::unique_ptr<SqliteWriter>> Create(const std::string& path);
  // Removes what has not been committed.
  ~SqliteWriter();
  SqliteWriter(const SqliteWriter&) = delete;
  SqliteWriter& operator=(const SqliteWriter&) = delete;

  absl::Status Run(const std::string& sql);
  // REQUIRES: one value for each column.
  absl::Status Insert(absl::string_view table, const std::vector<SqlValue>& values);
  absl::Status Commit();

 private:
  explicit SqliteWriter(std::string path);

  absl::Status Open();
  absl::Status Error() const;
  void Close();

  const std::string path_;
  const std::string next_;
  sqlite3* db_ = nullptr;
  absl::flat_hash_map<std::string, sqlite3_stmt*> inserts_;  // By table.
};

}  // namespace pedigree::migrate
