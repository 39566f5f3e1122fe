// A connection to a SQL database, as little of one as reading MLMD's tables needs.
//
// Within one read-only transaction from opening to the end. Threads: one.
//
//   connection->Query("SELECT id FROM Artifact", [](const SqlRow& row) { row.Int(0); ... });
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::migrate {

// Valid during a visit only.
class SqlRow {
 public:
  virtual ~SqlRow() = default;
  virtual bool IsNull(int column) const = 0;
  // Nullopt if the value is none; a boolean is 0 or 1.
  virtual std::optional<int64_t> Int(int column) const = 0;
  virtual std::optional<double> Double(int column) const = 0;
  // Text in UTF-8, as far as the database knows; or bytes.
  virtual absl::string_view Bytes(int column) const = 0;
};

// Where the databases differ.
struct SqlDialect {
  // Around names.
  absl::string_view quote;
  // What makes rows of EventPath stand in the order in which they were inserted, after `ORDER BY
  // event_id`.
  absl::string_view insertion_order;
  // After the name of EventPath.
  absl::string_view event_path_index;
  // Compares text byte by byte: before and after a column.
  absl::string_view exact_begin;
  absl::string_view exact_end;
  // Whether proto_value holds the bytes themselves, and not, as elsewhere, their base64.
  bool has_raw_protos = false;
};

class SqlConnection {
 public:
  virtual ~SqlConnection() = default;

  virtual const SqlDialect& dialect() const = 0;

  // Errors: those of `visit`; DataLoss if the database is damaged; Unavailable.
  virtual absl::Status Query(const std::string& sql,
                             absl::FunctionRef<absl::Status(const SqlRow& row)> visit) = 0;

  // The columns of a table, in lower case; none if there is no such table.
  virtual absl::StatusOr<std::vector<std::string>> Columns(absl::string_view table) = 0;

  // The last id that the table has handed out; 0 if the database does not say.
  virtual absl::StatusOr<int64_t> LastHandedOut(absl::string_view table) = 0;
};

// The texts of the first column.
absl::StatusOr<std::vector<std::string>> FirstColumn(SqlConnection* connection,
                                                     const std::string& sql);

}  // namespace pedigree::migrate
