// A PostgreSQL database, within one read-only snapshot.
//
// Threads: one.
//
//   auto connection = OpenPostgresql("postgresql://root@127.0.0.1/metadb");
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "migrate/sql.h"

namespace pedigree::migrate {

// `url` is a connection URI of libpq, which also takes the password from PGPASSWORD or ~/.pgpass;
// `name` is what errors call it, without a password.
// Errors: PermissionDenied; NotFound if there is no such database; Unavailable.
absl::StatusOr<std::unique_ptr<SqlConnection>> OpenPostgresql(const std::string& url,
                                                              const std::string& name);

}  // namespace pedigree::migrate
