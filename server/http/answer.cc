#include "server/http/answer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace pedigree {
namespace {

// From here on a message is worth a piece of its own, and a write of more than one.
constexpr size_t kPieceBytes = 16 * 1024;

absl::string_view ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

std::string ContentType(absl::string_view type) {
  return absl::StrCat("Content-Type: ", type, "\r\n");
}

std::string Beginning(int status, AfterAnswer after) {
  return absl::StrCat(
      "HTTP/1.1 ", status, " ", ReasonOf(status), "\r\nDate: ",
      absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT\r\n", absl::Now(), absl::UTCTimeZone()),
      after == AfterAnswer::kClose ? "Connection: close\r\n" : "");
}

}  // namespace

HttpAnswer TextAnswer(int status, absl::string_view text) {
  return {status, ContentType("text/plain; charset=utf-8"), {std::string(text)}};
}

HttpAnswer GrpcWebAnswer(GrpcWebKind kind, std::string message) {
  HttpAnswer answer;
  answer.headers = ContentType(GrpcWebContentType(kind));
  std::string head = GrpcWebFrameHead(message.size());
  std::string trailer = GrpcWebTrailer(absl::OkStatus());
  if (kind == GrpcWebKind::kText) {
    answer.body = {GrpcWebText(absl::StrCat(head, message, trailer))};
  } else if (message.size() < kPieceBytes) {
    answer.body = {absl::StrCat(head, message, trailer)};
  } else {
    answer.body = {std::move(head), std::move(message), std::move(trailer)};
  }
  return answer;
}

HttpAnswer GrpcWebError(GrpcWebKind kind, const absl::Status& status) {
  HttpAnswer answer;
  answer.headers = ContentType(GrpcWebContentType(kind));
  std::string trailer = GrpcWebTrailer(status);
  answer.body = {kind == GrpcWebKind::kText ? GrpcWebText(trailer) : std::move(trailer)};
  return answer;
}

size_t BodyBytes(const HttpAnswer& answer) {
  size_t bytes = 0;
  for (const std::string& piece : answer.body) bytes += piece.size();
  return bytes;
}

std::string HeadOf(const HttpAnswer& answer, AfterAnswer after) {
  std::string head = absl::StrCat(Beginning(answer.status, after), answer.headers);
  // 204 has no body, and may not say so.
  if (answer.status != 204) absl::StrAppend(&head, "Content-Length: ", BodyBytes(answer), "\r\n");
  return absl::StrCat(head, "\r\n");
}

std::string StreamHead(absl::string_view headers, GrpcWebKind kind, Chunking chunking,
                       AfterAnswer after) {
  return absl::StrCat(Beginning(200, after), headers, ContentType(GrpcWebContentType(kind)),
                      chunking == Chunking::kChunked ? "Transfer-Encoding: chunked\r\n" : "",
                      "\r\n");
}

std::string StreamPiece(GrpcWebKind kind, Chunking chunking, std::string bytes) {
  if (kind == GrpcWebKind::kText) bytes = GrpcWebText(bytes);
  if (chunking == Chunking::kToTheEnd) return bytes;
  return absl::StrCat(absl::Hex(bytes.size()), "\r\n", bytes, "\r\n");
}

absl::string_view StreamEnd(Chunking chunking) {
  return chunking == Chunking::kChunked ? "0\r\n\r\n" : "";
}

}  // namespace pedigree
