// The URL of a database server: scheme://user:password@host:port/database?key=value&...
//
// Parts may be percent-encoded. Value type; any thread.
//
//   auto url = ParseDatabaseUrl("mysql://root@127.0.0.1:3306/metadb?charset=latin1");
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace pedigree::migrate {

struct DatabaseUrl {
  std::string scheme;
  std::string user;
  std::string password;
  std::string host;
  int port = 0;  // 0 if not given.
  std::string database;
  std::map<std::string, std::string> options;

  // For people: without password and options.
  std::string ToString() const;
};

// InvalidArgument says what is wrong, but not the password.
absl::StatusOr<DatabaseUrl> ParseDatabaseUrl(const std::string& url);

}  // namespace pedigree::migrate
