#include "server/http/request_parser.h"

#include <iterator>

#include "absl/strings/match.h"
#include "store/journal.h"

namespace pedigree {
namespace {

absl::string_view ToView(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::string_view HttpRequestParser::Header(Field field) const {
  return ToView(parser.get()[field]);
}

size_t HttpRequestParser::Count(Field field) const {
  const auto range = parser.get().equal_range(field);
  return static_cast<size_t>(std::distance(range.first, range.second));
}

absl::string_view HttpRequestParser::WhyMalformed() const {
  const bool is_1_1 = parser.get().version() == 11;
  if (is_1_1 && Count(Field::host) != 1) return "there must be one Host";
  for (const Field field : {Field::host, Field::origin, Field::content_type}) {
    if (Count(field) > 1) return "a header stands there twice";
  }
  const size_t encodings = Count(Field::transfer_encoding);
  if (encodings == 0) return "";
  if (!is_1_1 || encodings > 1 || Count(Field::content_length) > 0 ||
      !absl::EqualsIgnoreCase(Header(Field::transfer_encoding), "chunked")) {
    return "the only Transfer-Encoding is chunked, without Content-Length";
  }
  return "";
}

absl::string_view HttpRequestParser::Principal() const {
  return ToView(parser.get()[kPrincipalHeader]);
}

HttpRequestHead HttpRequestParser::Head() const {
  HttpRequestHead head;
  head.method = ToView(parser.get().method_string());
  head.target = ToView(parser.get().target());
  head.host = Header(Field::host);
  head.origin = Header(Field::origin);
  head.content_type = Header(Field::content_type);
  head.accept = Header(Field::accept);
  head.grpc_timeout = ToView(parser.get()["grpc-timeout"]);
  head.access_control_request_method = Header(Field::access_control_request_method);
  return head;
}

}  // namespace pedigree
