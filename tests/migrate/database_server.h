// A real MariaDB or PostgreSQL server for a test: in a directory of its own, on a loopback port, as
// a user without rights, with one database, `metadb`, that belongs to user `mlmd`, password
// `secret`.
//
// The destructor ends the server and removes the directory. Threads: one, which must live as long:
// the kernel kills the server with it.
//
//   auto server = DatabaseServer::StartMariadb(DataFile("mysql_values.sql"));
//   auto source = OpenSource((*server)->url("secret"));
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pedigree::migrate {

class DatabaseServer {
 public:
  // Starts a server and runs the SQL of the file in it. NotFound if Debian's package is not there.
  static absl::StatusOr<std::unique_ptr<DatabaseServer>> StartMariadb(const std::string& sql_file);
  static absl::StatusOr<std::unique_ptr<DatabaseServer>> StartPostgresql(
      const std::string& sql_file);
  ~DatabaseServer();
  DatabaseServer(const DatabaseServer&) = delete;
  DatabaseServer& operator=(const DatabaseServer&) = delete;

  std::string url(const std::string& password, const std::string& database = "metadb") const;
  // Runs SQL as the owner of the database.
  absl::Status Run(const std::string& sql);

 private:
  explicit DatabaseServer(std::string scheme);

  absl::Status Prepare();
  absl::Status InitialiseMariadb();
  absl::Status InitialisePostgresql();
  absl::Status Launch(const std::vector<std::string>& command);
  absl::Status RunFile(const std::string& path);
  absl::Status RunUntilItListens();
  std::string Log() const;

  const std::string scheme_;
  std::string directory_;
  int port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace pedigree::migrate
