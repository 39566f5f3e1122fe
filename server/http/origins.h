// Which web pages of other origins may call: the server's side of CORS.
//
// Without an allow-list no answer has a header of CORS, so that browsers refuse what pages of other
// origins ask for; `Origin` is then not looked at, since a proxy in front may serve the page.
// Values; any thread.
//
//   const Origins origins({"https://ui.example.com"});
//   origins.Judge("https://ui.example.com", host) == OriginVerdict::kAllowed
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

namespace pedigree {

enum class OriginVerdict : uint8_t {
  kSame,     // None is given, or that of this server, or nobody asked for a check.
  kAllowed,  // Another, of the allow-list.
  kRefused,
};

class Origins {
 public:
  // Serialised origins as IsOrigin() has them, or "*" for any; none turns CORS off.
  explicit Origins(const std::vector<std::string>& allowed);

  bool is_on() const { return any_ || !allowed_.empty(); }

  // Of a request with these headers, empty if there are none. `host` is where the client thinks
  // that it is.
  OriginVerdict Judge(absl::string_view origin, absl::string_view host) const;

  // Whether this is scheme://host or scheme://host:port as browsers write it: in lower case, no
  // path, http or https, no default port.
  static bool IsOrigin(absl::string_view text);

 private:
  bool any_ = false;
  absl::flat_hash_set<std::string> allowed_;
};

}  // namespace pedigree
