// A SQLite file, opened to read only.
//
// Threads: one.
//
//   auto connection = OpenSqlite("mlmd.db");
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "migrate/sql.h"

namespace pedigree::migrate {

// Errors: NotFound if there is no such file; PermissionDenied; DataLoss if it is no SQLite file or
// damaged; Unavailable.
absl::StatusOr<std::unique_ptr<SqlConnection>> OpenSqlite(const std::string& path);

}  // namespace pedigree::migrate
