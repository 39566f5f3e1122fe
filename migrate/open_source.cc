// OpenSource(): which kind of source a URL names.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "migrate/database_url.h"
#include "migrate/grpc_source.h"
#include "migrate/mysql_connection.h"
#include "migrate/postgresql_connection.h"
#include "migrate/read_ahead.h"
#include "migrate/source.h"
#include "migrate/sql_source.h"
#include "migrate/sqlite_connection.h"
#include "store/text.h"

namespace pedigree::migrate {
namespace {

constexpr absl::string_view kServerScheme = "grpc://";

bool IsPostgresql(absl::string_view scheme) {
  return scheme == "postgresql" || scheme == "postgres";
}

absl::StatusOr<std::unique_ptr<Source>> OpenAhead(std::unique_ptr<SqlConnection> connection,
                                                  const std::string& name) {
  auto source = OpenSqlSource(std::move(connection), name);
  if (!source.ok()) return source.status();
  return ReadAhead(*std::move(source));
}

}  // namespace

bool IsServerUrl(const std::string& url) { return absl::StartsWith(url, kServerScheme); }

absl::StatusOr<std::unique_ptr<Source>> OpenSource(const std::string& text) {
  absl::string_view path = text;
  if (absl::ConsumePrefix(&path, "sqlite:")) {
    auto connection = OpenSqlite(std::string(path));
    if (!connection.ok()) return connection.status();
    return OpenAhead(*std::move(connection), text);
  }
  if (absl::ConsumePrefix(&path, kServerScheme)) {
    absl::ConsumeSuffix(&path, "/");
    if (path.empty() || absl::StrContains(path, '/') || !absl::StrContains(path, ':')) {
      return absl::InvalidArgumentError(
          absl::StrCat("SOURCE ", Quoted(text), " must be grpc://HOST:PORT"));
    }
    return OpenGrpcSource(std::string(path));
  }
  auto url = ParseDatabaseUrl(text);
  if (!url.ok()) return url.status();
  if (url->scheme != "mysql" && !IsPostgresql(url->scheme)) {
    return absl::InvalidArgumentError(
        absl::StrCat("SOURCE begins with ", Quoted(url->scheme),
                     "; there are sqlite:FILE, mysql://..., postgresql://... and "
                     "grpc://HOST:PORT"));
  }
  auto connection =
      url->scheme == "mysql" ? OpenMysql(*url) : OpenPostgresql(text, url->ToString());
  if (!connection.ok()) return connection.status();
  return OpenAhead(*std::move(connection), url->ToString());
}

}  // namespace pedigree::migrate
