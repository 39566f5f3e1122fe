#include "migrate/mysql_connection.h"

#include <mysql.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "store/text.h"

namespace pedigree::migrate {
namespace {

// Errors of the server and the client, by their numbers.
constexpr unsigned kDatabaseAccessDenied = 1044;
constexpr unsigned kAccessDenied = 1045;
constexpr unsigned kUnknownDatabase = 1049;
constexpr unsigned kTableCrashed = 1194;
constexpr unsigned kNotKeyFile = 1034;

absl::string_view Cell(const MYSQL_ROW row, const unsigned long* sizes, int column) {
  return {row[column] == nullptr ? "" : row[column], row[column] == nullptr ? 0 : sizes[column]};
}

class MysqlRow final : public SqlRow {
 public:
  MysqlRow(const MYSQL_ROW row, const unsigned long* sizes) : row_(row), sizes_(sizes) {}

  bool IsNull(int column) const override { return row_[column] == nullptr; }
  std::optional<int64_t> Int(int column) const override {
    int64_t value = 0;
    if (!absl::SimpleAtoi(Cell(row_, sizes_, column), &value)) return std::nullopt;
    return value;
  }
  std::optional<double> Double(int column) const override {
    double value = 0;
    if (!absl::SimpleAtod(Cell(row_, sizes_, column), &value)) return std::nullopt;
    return value;
  }
  absl::string_view Bytes(int column) const override { return Cell(row_, sizes_, column); }

 private:
  const MYSQL_ROW row_;
  const unsigned long* const sizes_;
};

absl::Status Ignore(const SqlRow&) { return absl::OkStatus(); }

class MysqlConnection final : public SqlConnection {
 public:
  explicit MysqlConnection(DatabaseUrl url) : url_(std::move(url)), mysql_(mysql_init(nullptr)) {}
  ~MysqlConnection() override { mysql_close(mysql_); }

  absl::Status Open() {
    std::string charset = "utf8mb4";
    std::string socket;
    for (const auto& [key, value] : url_.options) {
      if (key == "charset") {
        charset = value;
      } else if (key == "socket") {
        socket = value;
      } else {
        return absl::InvalidArgumentError(absl::StrCat("SOURCE has an unknown option ", Quoted(key),
                                                       "; there are charset and socket"));
      }
    }
    mysql_options(mysql_, MYSQL_SET_CHARSET_NAME, charset.c_str());
    const char* environment = std::getenv("MYSQL_PWD");
    const std::string password =
        url_.password.empty() && environment != nullptr ? environment : url_.password;
    if (mysql_real_connect(mysql_, url_.host.empty() ? nullptr : url_.host.c_str(),
                           url_.user.empty() ? nullptr : url_.user.c_str(), password.c_str(),
                           url_.database.c_str(), static_cast<unsigned>(url_.port),
                           socket.empty() ? nullptr : socket.c_str(), 0) == nullptr) {
      return Error("connect to");
    }
    absl::Status status = Query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", Ignore);
    if (status.ok()) {
      status = Query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", Ignore);
    }
    if (!status.ok()) return status;
    // Its entries of one event stand in the order of a hidden row number, which is that of
    // insertion.
    return Query(
        "SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND "
        "table_name = 'EventPath' AND index_name = 'idx_eventpath_event_id' LIMIT 1",
        [&](const SqlRow&) {
          dialect_.event_path_index = " FORCE INDEX (idx_eventpath_event_id)";
          return absl::OkStatus();
        });
  }

  const SqlDialect& dialect() const override { return dialect_; }

  absl::Status Query(const std::string& sql,
                     absl::FunctionRef<absl::Status(const SqlRow& row)> visit) override {
    if (mysql_real_query(mysql_, sql.data(), sql.size()) != 0) return Error("read");
    // Rows come one by one: the whole of a table may not fit into memory.
    MYSQL_RES* result = mysql_use_result(mysql_);
    if (result == nullptr) {
      return mysql_field_count(mysql_) == 0 ? absl::OkStatus() : Error("read");
    }
    absl::Status status;
    while (status.ok()) {
      const MYSQL_ROW row = mysql_fetch_row(result);
      if (row == nullptr) break;
      status = visit(MysqlRow(row, mysql_fetch_lengths(result)));
    }
    if (status.ok() && mysql_errno(mysql_) != 0) status = Error("read");
    mysql_free_result(result);
    return status;
  }

  absl::StatusOr<std::vector<std::string>> Columns(absl::string_view table) override {
    return FirstColumn(
        this, absl::StrCat("SELECT LOWER(column_name) FROM information_schema.columns WHERE "
                           "table_schema = DATABASE() AND table_name = '",
                           table, "' ORDER BY ordinal_position"));
  }

  absl::StatusOr<int64_t> LastHandedOut(absl::string_view table) override {
    int64_t next = 1;
    absl::Status status =
        Query(absl::StrCat("SELECT auto_increment FROM information_schema.tables WHERE "
                           "table_schema = DATABASE() AND table_name = '",
                           table, "'"),
              [&](const SqlRow& row) {
                next = row.IsNull(0) ? 1 : row.Int(0).value_or(1);
                return absl::OkStatus();
              });
    if (!status.ok()) return status;
    return next - 1;
  }

 private:
  absl::Status Error(absl::string_view what) const {
    const unsigned code = mysql_errno(mysql_);
    const std::string text = absl::StrCat("cannot ", what, " ", url_.ToString(), ": ",
                                          mysql_error(mysql_), " (", code, ")");
    switch (code) {
      case kAccessDenied:
      case kDatabaseAccessDenied:
        return absl::PermissionDeniedError(absl::StrCat(
            text, "; check user and password (in the URL, or in the variable MYSQL_PWD)"));
      case kUnknownDatabase:
        return absl::NotFoundError(text);
      case kTableCrashed:
      case kNotKeyFile:
        return absl::DataLossError(text);
      default:
        return absl::UnavailableError(text);
    }
  }

  const DatabaseUrl url_;
  MYSQL* const mysql_;
  SqlDialect dialect_ = {"`", "", "", "BINARY ", "", false};
};

}  // namespace

absl::StatusOr<std::unique_ptr<SqlConnection>> OpenMysql(const DatabaseUrl& url) {
  auto connection = std::make_unique<MysqlConnection>(url);
  if (absl::Status status = connection->Open(); !status.ok()) return status;
  return connection;
}

}  // namespace pedigree::migrate
