// An MLMD database behind a SQL connection.
//
// Large tables are read in pages by id, one query at a time, so that memory is bounded whatever the
// client library does, and one connection, which is one snapshot, suffices. Threads: one.
//
//   auto source = OpenSqlSource(std::move(connection), "sqlite:mlmd.db");
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "migrate/source.h"
#include "migrate/sql.h"

namespace pedigree::migrate {

// Errors: FailedPrecondition if it is no MLMD database, or of a schema that cannot be imported, or
// half-way between two (schema.h); as SqlConnection.
absl::StatusOr<std::unique_ptr<Source>> OpenSqlSource(std::unique_ptr<SqlConnection> connection,
                                                      std::string name);

}  // namespace pedigree::migrate
