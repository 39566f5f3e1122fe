// A MySQL or MariaDB database, within one read-only snapshot.
//
// Threads: one.
//
//   auto connection = OpenMysql(*ParseDatabaseUrl("mysql://root@127.0.0.1/metadb"));
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "migrate/database_url.h"
#include "migrate/sql.h"

namespace pedigree::migrate {

// Options of the URL: `socket`, the path of a Unix socket; `charset`, of the connection (utf8mb4):
// latin1 gives the bytes of latin1 columns as they are, for databases into which a server wrote
// UTF-8 over such a connection. A password that is not in the URL is taken from MYSQL_PWD.
// Errors: InvalidArgument for an unknown option; PermissionDenied; NotFound if there is no such
// database; Unavailable.
absl::StatusOr<std::unique_ptr<SqlConnection>> OpenMysql(const DatabaseUrl& url);

}  // namespace pedigree::migrate
