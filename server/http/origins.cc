#include "server/http/origins.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace pedigree {
namespace {

bool IsHostCharacter(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c)) ||
         absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
}

// A name, an IPv4 address, or an IPv6 address in brackets.
bool IsHost(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) {
    return absl::ConsumeSuffix(&host, "]") && absl::StrContains(host, ':') &&
           host.find_first_not_of("0123456789abcdef:.") == absl::string_view::npos;
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), IsHostCharacter);
}

// As browsers write it: no leading zero, and not the one that the scheme has anyway.
bool IsPort(absl::string_view port, int default_port) {
  int number = 0;
  return port.find_first_not_of("0123456789") == absl::string_view::npos &&
         !absl::StartsWith(port, "0") && absl::SimpleAtoi(port, &number) && number <= 65535 &&
         number != default_port;
}

}  // namespace

Origins::Origins(const std::vector<std::string>& allowed) {
  for (const std::string& origin : allowed) {
    if (origin == "*") {
      any_ = true;
    } else {
      allowed_.insert(origin);
    }
  }
}

OriginVerdict Origins::Judge(absl::string_view origin, absl::string_view host) const {
  if (origin.empty() || !is_on()) return OriginVerdict::kSame;
  absl::string_view rest = origin;
  if ((absl::ConsumePrefix(&rest, "http://") || absl::ConsumePrefix(&rest, "https://")) &&
      absl::EqualsIgnoreCase(rest, host)) {
    return OriginVerdict::kSame;
  }
  return any_ || allowed_.contains(origin) ? OriginVerdict::kAllowed : OriginVerdict::kRefused;
}

bool Origins::IsOrigin(absl::string_view text) {
  int default_port = 80;
  if (absl::ConsumePrefix(&text, "https://")) {
    default_port = 443;
  } else if (!absl::ConsumePrefix(&text, "http://")) {
    return false;
  }
  // The last colon that is not within brackets.
  const size_t bracket = text.rfind(']');
  const size_t colon = text.find(':', bracket == absl::string_view::npos ? 0 : bracket);
  if (colon == absl::string_view::npos) return IsHost(text);
  return IsHost(text.substr(0, colon)) && IsPort(text.substr(colon + 1), default_port);
}

}  // namespace pedigree
