// What goes back over HTTP/1.1, before it is bytes. A plain value; any thread.
//
//   HttpAnswer answer = TextAnswer(404, "there is no such page\n");
//   std::string head = HeadOf(answer, AfterAnswer::kKeepOpen);   // then answer.body
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/http/grpc_web.h"

namespace pedigree {

struct HttpAnswer {
  int status = 200;
  std::string headers;  // Lines that each end with CRLF; the general ones come from HeadOf().
  std::vector<std::string> body;  // In pieces, so that a long message is not copied.
};

enum class AfterAnswer : uint8_t { kKeepOpen, kClose };

// A page of plain text.
HttpAnswer TextAnswer(int status, absl::string_view text);
// The answer to a call of grpc-web: a message, or an error.
HttpAnswer GrpcWebAnswer(GrpcWebKind kind, std::string message);
HttpAnswer GrpcWebError(GrpcWebKind kind, const absl::Status& status);

size_t BodyBytes(const HttpAnswer& answer);
// Everything before the body of known length.
std::string HeadOf(const HttpAnswer& answer, AfterAnswer after);

// The same for a body that comes in chunks, or, for a client that knows none, ends with the
// connection.
enum class Chunking : uint8_t { kChunked, kToTheEnd };
std::string StreamHead(absl::string_view headers, GrpcWebKind kind, Chunking chunking,
                       AfterAnswer after);
// The bytes as one part of such a body, in the text form if that is asked for.
std::string StreamPiece(GrpcWebKind kind, Chunking chunking, std::string bytes);
// What ends it.
absl::string_view StreamEnd(Chunking chunking);

}  // namespace pedigree
