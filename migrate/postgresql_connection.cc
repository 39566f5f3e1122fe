#include "migrate/postgresql_connection.h"

#include <libpq-fe.h>

#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace pedigree::migrate {
namespace {

// Names are folded to lower case where they are not quoted, as those of MLMD's tables were when
// they were made. Rows of EventPath are never changed, so where they lie is when they came.
constexpr SqlDialect kDialect = {"", ", ctid", "", "", "", true};
// Types by their object ids, which never change.
constexpr Oid kBool = 16;
constexpr Oid kByteArray = 17;

class PostgresqlRow final : public SqlRow {
 public:
  explicit PostgresqlRow(const PGresult* result) : result_(result) {}

  bool IsNull(int column) const override { return PQgetisnull(result_, 0, column) != 0; }
  std::optional<int64_t> Int(int column) const override {
    const absl::string_view text = Text(column);
    if (PQftype(result_, column) == kBool) return text == "t" ? 1 : 0;
    int64_t value = 0;
    if (!absl::SimpleAtoi(text, &value)) return std::nullopt;
    return value;
  }
  std::optional<double> Double(int column) const override {
    double value = 0;
    if (!absl::SimpleAtod(Text(column), &value)) return std::nullopt;
    return value;
  }
  absl::string_view Bytes(int column) const override {
    absl::string_view text = Text(column);
    if (PQftype(result_, column) != kByteArray || !absl::ConsumePrefix(&text, "\\x")) return text;
    std::string& bytes = bytes_[static_cast<size_t>(column) % bytes_.size()];
    bytes = absl::HexStringToBytes(text);
    return bytes;
  }

 private:
  absl::string_view Text(int column) const {
    return {PQgetvalue(result_, 0, column), static_cast<size_t>(PQgetlength(result_, 0, column))};
  }

  const PGresult* const result_;
  mutable std::array<std::string, 16> bytes_;  // Decoded, by column.
};

absl::Status Ignore(const SqlRow&) { return absl::OkStatus(); }

class PostgresqlConnection final : public SqlConnection {
 public:
  PostgresqlConnection(const std::string& url, std::string name)
      : name_(std::move(name)), connection_(PQconnectdb(url.c_str())) {}
  ~PostgresqlConnection() override { PQfinish(connection_); }

  absl::Status Open() {
    if (PQstatus(connection_) != CONNECTION_OK) return Error("connect to");
    for (const char* sql :
         {"SET client_encoding = 'UTF8'", "SET extra_float_digits = 3", "SET bytea_output = 'hex'",
          "SET statement_timeout = 0", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}) {
      if (absl::Status status = Query(sql, Ignore); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  const SqlDialect& dialect() const override { return kDialect; }

  absl::Status Query(const std::string& sql,
                     absl::FunctionRef<absl::Status(const SqlRow& row)> visit) override {
    // Rows come one by one: the whole of a table may not fit into memory.
    if (PQsendQuery(connection_, sql.c_str()) == 0 || PQsetSingleRowMode(connection_) == 0) {
      return Error("read");
    }
    absl::Status status;
    // All results must be taken, or the connection is of no use any more.
    while (PGresult* result = PQgetResult(connection_)) {
      switch (PQresultStatus(result)) {
        case PGRES_SINGLE_TUPLE:
          if (status.ok()) status = visit(PostgresqlRow(result));
          break;
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
          break;
        default:
          if (status.ok()) status = Error("read");
      }
      PQclear(result);
    }
    return status;
  }

  absl::StatusOr<std::vector<std::string>> Columns(absl::string_view table) override {
    return FirstColumn(
        this, absl::StrCat("SELECT LOWER(column_name) FROM information_schema.columns WHERE "
                           "table_schema = ANY(current_schemas(false)) AND table_name = '",
                           absl::AsciiStrToLower(table), "' ORDER BY ordinal_position"));
  }

  absl::StatusOr<int64_t> LastHandedOut(absl::string_view table) override {
    int64_t last = 0;
    // NULL where the sequence has not been used, or may not be read.
    absl::Status status =
        Query(absl::StrCat("SELECT last_value FROM pg_sequences WHERE schemaname || '.' || "
                           "sequencename = pg_get_serial_sequence('",
                           absl::AsciiStrToLower(table), "', 'id')"),
              [&](const SqlRow& row) {
                if (!row.IsNull(0)) last = row.Int(0).value_or(0);
                return absl::OkStatus();
              });
    if (!status.ok()) return status;
    return last;
  }

 private:
  absl::Status Error(absl::string_view what) const {
    std::string reason = PQerrorMessage(connection_);
    absl::StripTrailingAsciiWhitespace(&reason);
    const std::string text =
        absl::StrCat("cannot ", what, " ", name_, ": ", absl::StrReplaceAll(reason, {{"\n", " "}}));
    if (absl::StrContains(reason, "password") || absl::StrContains(reason, "permission denied") ||
        absl::StrContains(reason, "authentication failed")) {
      return absl::PermissionDeniedError(absl::StrCat(
          text, "; check user and password (in the URL, or in the variable PGPASSWORD)"));
    }
    if (absl::StrContains(reason, "database") && absl::StrContains(reason, "does not exist")) {
      return absl::NotFoundError(text);
    }
    if (absl::StrContains(reason, "invalid page") || absl::StrContains(reason, "could not read")) {
      return absl::DataLossError(text);
    }
    return absl::UnavailableError(text);
  }

  const std::string name_;
  PGconn* const connection_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SqlConnection>> OpenPostgresql(const std::string& url,
                                                              const std::string& name) {
  auto connection = std::make_unique<PostgresqlConnection>(url, name);
  if (absl::Status status = connection->Open(); !status.ok()) return status;
  return connection;
}

}  // namespace pedigree::migrate
