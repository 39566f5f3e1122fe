// The tables of MLMD's schema versions 6 to 10: which columns each has.
//
// 6 has parent types and contexts, and versions of types; 7 brings byte_value; 8 makes events
// unique; 9 brings external_id; 10 brings proto_value and bool_value. Constant data; any thread.
//
//   for (const Column& column : ColumnsOf(Table::kArtifact)) if (column.since <= version) ...
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "migrate/rows.h"

namespace pedigree::migrate {

inline constexpr int kOldestSchema = 6;
inline constexpr int kNewestSchema = 10;

struct Column {
  absl::string_view name;
  int since = kOldestSchema;
};

// As the peer writes it: "ArtifactProperty".
absl::string_view NameOf(Table table);
const std::vector<Column>& ColumnsOf(Table table);

// The columns that a database has of a table, in lower case; empty if it has no such table.
using FindColumns =
    absl::FunctionRef<absl::StatusOr<std::vector<std::string>>(absl::string_view table)>;

// Whether the database has what its schema version says: FailedPrecondition if a table or column is
// missing, or is of a later version, or if an upgrade has left its working tables behind.
absl::Status CheckSchema(int version, FindColumns columns);

}  // namespace pedigree::migrate
