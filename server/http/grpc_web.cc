#include "server/http/grpc_web.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

constexpr uint8_t kCompressed = 0x01;
constexpr uint8_t kTrailer = 0x80;

std::string FrameHead(uint8_t flags, size_t bytes) {
  std::string head(1, static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) head.push_back(static_cast<char>(bytes >> shift));
  return head;
}

// Decodes pieces of base64 that stand one after the other. Each ends with its padding, so a piece
// that is followed by another has a length of a multiple of four.
absl::StatusOr<std::string> DecodeText(absl::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  while (!text.empty()) {
    const size_t padding = text.find('=');
    size_t size = text.size();
    if (padding != absl::string_view::npos) size = std::min(size, (padding / 4 + 1) * 4);
    std::string piece;
    // absl takes what lacks its padding, and spaces; a request with either is cut or spoilt.
    if (size % 4 != 0 || !absl::Base64Unescape(text.substr(0, size), &piece)) {
      return absl::InvalidArgumentError("the body is no base64, as application/grpc-web-text is");
    }
    bytes += piece;
    text.remove_prefix(size);
  }
  return bytes;
}

// Everything but printable ASCII, and the percent sign, as gRPC wants it.
std::string PercentEncoded(absl::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    encoded.push_back('%');
    encoded.push_back(kDigits[byte >> 4]);
    encoded.push_back(kDigits[byte & 15]);
  }
  return encoded;
}

absl::Status NotOneFrame(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("the body is not one whole grpc-web message: ", what));
}

}  // namespace

std::optional<GrpcWebKind> GrpcWebKindOf(absl::string_view content_type) {
  const absl::string_view type =
      absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';')));
  for (const absl::string_view suffix : {"", "+proto"}) {
    if (absl::EqualsIgnoreCase(type, absl::StrCat("application/grpc-web", suffix))) {
      return GrpcWebKind::kBinary;
    }
    if (absl::EqualsIgnoreCase(type, absl::StrCat("application/grpc-web-text", suffix))) {
      return GrpcWebKind::kText;
    }
  }
  return std::nullopt;
}

absl::string_view GrpcWebContentType(GrpcWebKind kind) {
  return kind == GrpcWebKind::kText ? "application/grpc-web-text+proto"
                                    : "application/grpc-web+proto";
}

size_t GrpcWebBodyLimit(GrpcWebKind kind, size_t message_bytes) {
  const size_t frame = message_bytes + kGrpcWebFrameHeadBytes;
  // Twice what base64 takes at its best: short pieces are half padding.
  return kind == GrpcWebKind::kText ? frame / 3 * 8 + 8 : frame;
}

absl::StatusOr<std::string> GrpcWebRequest(GrpcWebKind kind, std::string body, size_t max_bytes) {
  if (kind == GrpcWebKind::kText) {
    auto decoded = DecodeText(body);
    if (!decoded.ok()) return decoded.status();
    body = *std::move(decoded);
  }
  if (body.size() < kGrpcWebFrameHeadBytes) return NotOneFrame("its head is cut");
  const auto flags = static_cast<uint8_t>(body[0]);
  size_t size = 0;
  for (size_t i = 1; i < kGrpcWebFrameHeadBytes; ++i) {
    size = size << 8 | static_cast<uint8_t>(body[i]);
  }
  if (flags == kCompressed) {
    return absl::UnimplementedError("the message is compressed, which this server does not take");
  }
  if (flags != 0) return NotOneFrame(absl::StrCat("its flags are ", flags, " and not 0"));
  if (size > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the message has ", size, " bytes; at most ", max_bytes, " are taken"));
  }
  const size_t left = body.size() - kGrpcWebFrameHeadBytes;
  if (left < size) return NotOneFrame(absl::StrCat("of ", size, " bytes there are ", left));
  if (left > size) return NotOneFrame(absl::StrCat(left - size, " bytes follow it"));
  body.erase(0, kGrpcWebFrameHeadBytes);
  return body;
}

std::string GrpcWebFrameHead(size_t message_bytes) { return FrameHead(0, message_bytes); }

std::string GrpcWebTrailer(const absl::Status& status) {
  std::string trailers = absl::StrCat("grpc-status:", static_cast<int>(status.code()), "\r\n");
  if (!status.ok()) {
    absl::StrAppend(&trailers, "grpc-message:", PercentEncoded(status.message()), "\r\n");
  }
  return FrameHead(kTrailer, trailers.size()) + trailers;
}

std::string GrpcWebText(absl::string_view bytes) { return absl::Base64Escape(bytes); }

absl::StatusOr<std::chrono::nanoseconds> ParseGrpcTimeout(absl::string_view text) {
  using std::chrono::nanoseconds;
  const auto refused = [] {
    return absl::InvalidArgumentError(
        "grpc-timeout is not one to eight digits and one of H, M, S, m, u, n");
  };
  if (text.size() < 2 || text.size() > 9) return refused();
  const absl::string_view digits = text.substr(0, text.size() - 1);
  int64_t count = 0;
  if (digits.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(digits, &count)) {
    return refused();
  }
  switch (text.back()) {
    case 'H':
      // Eight digits of hours do not fit into 64 bits of nanoseconds; a hundred years do.
      return nanoseconds(std::chrono::hours(std::min<int64_t>(count, 876'000)));
    case 'M':
      return nanoseconds(std::chrono::minutes(std::min<int64_t>(count, 52'560'000)));
    case 'S':
      return nanoseconds(std::chrono::seconds(count));
    case 'm':
      return nanoseconds(std::chrono::milliseconds(count));
    case 'u':
      return nanoseconds(std::chrono::microseconds(count));
    case 'n':
      return nanoseconds(count);
    default:
      return refused();
  }
}

}  // namespace pedigree
