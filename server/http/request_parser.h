// Boost.Beast's parser of a request, and what this server asks of a head beyond it.
//
// Threads: one at a time.
//
//   HttpRequestParser request;
//   buffer.consume(request.parser.put(buffer.data(), error));
//   if (request.parser.is_header_done()) Route(request.Head());
#pragma once

#include <boost/beast/http/parser.hpp>
#include <cstddef>

#include "absl/strings/string_view.h"
#include "server/http/request_body.h"
#include "server/http/route.h"

namespace pedigree {

struct HttpRequestParser {
  using Field = boost::beast::http::field;

  boost::beast::http::request_parser<HttpRequestBody> parser;

  // All below is for a head that is done, and what it answers points into that.
  absl::string_view Header(Field field) const;
  // Why the head is refused though it parses; "" if it is not. What can be read in two ways is
  // read in none: a proxy in front may have chosen the other.
  absl::string_view WhyMalformed() const;
  HttpRequestHead Head() const;
  // What the client calls itself; "" if it does not.
  absl::string_view Principal() const;

 private:
  size_t Count(Field field) const;
};

}  // namespace pedigree
