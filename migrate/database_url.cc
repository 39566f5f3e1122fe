#include "migrate/database_url.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "store/text.h"

namespace pedigree::migrate {
namespace {

int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string Decode(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (text[i] == '%' && high >= 0 && low >= 0) {
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

std::pair<absl::string_view, absl::string_view> SplitFirst(absl::string_view text, char at) {
  const size_t place = text.find(at);
  if (place == absl::string_view::npos) return {text, {}};
  return {text.substr(0, place), text.substr(place + 1)};
}

}  // namespace

std::string DatabaseUrl::ToString() const {
  return absl::StrCat(scheme, "://", user, user.empty() ? "" : "@", host,
                      port == 0 ? "" : absl::StrCat(":", port), "/", database);
}

absl::StatusOr<DatabaseUrl> ParseDatabaseUrl(const std::string& text) {
  DatabaseUrl url;
  absl::string_view rest = text;
  const size_t scheme = rest.find("://");
  if (scheme == absl::string_view::npos) {
    return absl::InvalidArgumentError("SOURCE is no URL: scheme://user@host:port/database");
  }
  url.scheme = std::string(rest.substr(0, scheme));
  rest.remove_prefix(scheme + 3);
  const auto [place, options] = SplitFirst(rest, '?');
  auto [authority, database] = SplitFirst(place, '/');
  url.database = Decode(database);
  // A password may hold an @ that is not encoded.
  if (const size_t at = authority.rfind('@'); at != absl::string_view::npos) {
    const auto [user, password] = SplitFirst(authority.substr(0, at), ':');
    url.user = Decode(user);
    url.password = Decode(password);
    authority.remove_prefix(at + 1);
  }
  absl::string_view port;
  if (absl::ConsumePrefix(&authority, "[")) {  // IPv6
    const auto [host, after] = SplitFirst(authority, ']');
    url.host = std::string(host);
    port = absl::StripPrefix(after, ":");
  } else {
    const auto [host, after] = SplitFirst(authority, ':');
    url.host = Decode(host);
    port = after;
  }
  if (!port.empty() && (!absl::SimpleAtoi(port, &url.port) || url.port < 1 || url.port > 65535)) {
    return absl::InvalidArgumentError(
        absl::StrCat("SOURCE names port ", Quoted(port), ", which is none"));
  }
  if (url.database.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("SOURCE names no database: ", url.ToString(), "DATABASE"));
  }
  for (absl::string_view option : absl::StrSplit(options, '&', absl::SkipEmpty())) {
    const auto [key, value] = SplitFirst(option, '=');
    url.options[Decode(key)] = Decode(value);
  }
  return url;
}

}  // namespace pedigree::migrate
