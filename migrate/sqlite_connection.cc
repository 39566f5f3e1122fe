#include "migrate/sqlite_connection.h"

#include <sqlite3.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "store/text.h"

namespace pedigree::migrate {
namespace {

// The last word is "event_id": rowids ascend with insertion.
constexpr SqlDialect kDialect = {"`", ", rowid", "", "", "", false};
// How long to wait for a writer that has the file locked.
constexpr int kBusyTimeoutMs = 10'000;

class SqliteRow final : public SqlRow {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}

  bool IsNull(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::optional<int64_t> Int(int column) const override {
    switch (sqlite3_column_type(statement_, column)) {
      case SQLITE_INTEGER:
        return sqlite3_column_int64(statement_, column);
      case SQLITE_FLOAT: {
        const double value = sqlite3_column_double(statement_, column);
        // What an integer column holds that another program has written as 7.0.
        constexpr double kLimit = 9007199254740992.0;
        if (std::abs(value) > kLimit || value != std::floor(value)) return std::nullopt;
        return static_cast<int64_t>(value);
      }
      default:
        return std::nullopt;
    }
  }
  std::optional<double> Double(int column) const override {
    const int type = sqlite3_column_type(statement_, column);
    if (type != SQLITE_FLOAT && type != SQLITE_INTEGER) return std::nullopt;
    return sqlite3_column_double(statement_, column);
  }
  absl::string_view Bytes(int column) const override {
    const void* bytes = sqlite3_column_type(statement_, column) == SQLITE_BLOB
                            ? sqlite3_column_blob(statement_, column)
                            : sqlite3_column_text(statement_, column);
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
    return {bytes == nullptr ? "" : static_cast<const char*>(bytes), size};
  }

 private:
  sqlite3_stmt* const statement_;
};

class SqliteConnection final : public SqlConnection {
 public:
  explicit SqliteConnection(std::string path) : path_(std::move(path)) {}
  ~SqliteConnection() override {
    // Also ends the transaction.
    sqlite3_close(db_);
  }

  absl::Status Open() {
    std::error_code error;
    if (!std::filesystem::exists(path_, error)) {
      return absl::NotFoundError(absl::StrCat("there is no file ", Quoted(path_)));
    }
    const int code =
        sqlite3_open_v2(path_.c_str(), &db_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) return Error("open");
    sqlite3_busy_timeout(db_, kBusyTimeoutMs);
    // The first read takes the snapshot.
    absl::Status status = Query("BEGIN", [](const SqlRow&) { return absl::OkStatus(); });
    if (!status.ok()) return status;
    return Query("SELECT COUNT(*) FROM sqlite_master",
                 [](const SqlRow&) { return absl::OkStatus(); });
  }

  const SqlDialect& dialect() const override { return kDialect; }

  absl::Status Query(const std::string& sql,
                     absl::FunctionRef<absl::Status(const SqlRow& row)> visit) override {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
      return Error("read");
    }
    absl::Status status;
    int code = SQLITE_ROW;
    while (status.ok() && (code = sqlite3_step(statement)) == SQLITE_ROW) {
      status = visit(SqliteRow(statement));
    }
    if (status.ok() && code != SQLITE_DONE) status = Error("read");
    sqlite3_finalize(statement);
    return status;
  }

  absl::StatusOr<std::vector<std::string>> Columns(absl::string_view table) override {
    std::vector<std::string> columns;
    absl::Status status =
        Query(absl::StrCat("PRAGMA table_info(`", table, "`)"), [&](const SqlRow& row) {
          columns.push_back(absl::AsciiStrToLower(row.Bytes(1)));
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return columns;
  }

  absl::StatusOr<int64_t> LastHandedOut(absl::string_view table) override {
    auto columns = Columns("sqlite_sequence");
    if (!columns.ok()) return columns.status();
    int64_t last = 0;
    if (columns->empty()) return last;
    absl::Status status =
        Query(absl::StrCat("SELECT seq FROM sqlite_sequence WHERE name = '", table, "'"),
              [&](const SqlRow& row) {
                last = row.Int(0).value_or(0);
                return absl::OkStatus();
              });
    if (!status.ok()) return status;
    return last;
  }

 private:
  absl::Status Error(absl::string_view what) const {
    const std::string text =
        absl::StrCat("cannot ", what, " ", Quoted(path_), ": ", sqlite3_errmsg(db_));
    switch (sqlite3_errcode(db_)) {
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
      case SQLITE_FORMAT:
        return absl::DataLossError(
            absl::StrCat(text, "; the file is damaged, cut off or no SQLite database"));
      case SQLITE_PERM:
      case SQLITE_AUTH:
        return absl::PermissionDeniedError(text);
      case SQLITE_CANTOPEN:
        return absl::PermissionDeniedError(absl::StrCat(
            text, "; this user cannot read it, or, if it is in WAL mode, not write beside it"));
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        return absl::UnavailableError(
            absl::StrCat(text, "; another process writes to it: try again"));
      default:
        return absl::UnavailableError(text);
    }
  }

  const std::string path_;
  sqlite3* db_ = nullptr;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SqlConnection>> OpenSqlite(const std::string& path) {
  auto connection = std::make_unique<SqliteConnection>(path);
  if (absl::Status status = connection->Open(); !status.ok()) return status;
  return connection;
}

}  // namespace pedigree::migrate
