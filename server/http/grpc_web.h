// The wire format of grpc-web: frames, their text form, and the headers that belong to it.
//
// A message is a frame: a byte of flags, its length in four bytes, most significant first, and its
// bytes. An answer is the frame of each message, an empty one included, and at the end a frame with
// flag 0x80 whose bytes are the trailers as HTTP/1.1 writes headers. An error is that frame alone.
// In the text form all of this is base64, in any number of pieces that each end with their own
// padding. Pure functions; any thread.
//
//   auto kind = GrpcWebKindOf("application/grpc-web-text");
//   auto message = GrpcWebRequest(*kind, std::move(body));
//   std::string answer = absl::StrCat(GrpcWebFrameHead(reply.size()), reply, GrpcWebTrailer(OK));
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree {

enum class GrpcWebKind : uint8_t { kBinary, kText };

inline constexpr size_t kGrpcWebFrameHeadBytes = 5;

// nullopt for a content type that is none of grpc-web's with protobuf messages. Parameters, as in
// "...; charset=utf-8", mean nothing.
std::optional<GrpcWebKind> GrpcWebKindOf(absl::string_view content_type);
// The content type of an answer.
absl::string_view GrpcWebContentType(GrpcWebKind kind);

// The most bytes that the body of a request with a message of this size has.
size_t GrpcWebBodyLimit(GrpcWebKind kind, size_t message_bytes);

// The one message of a request's body. InvalidArgument if the body is not exactly one frame of
// data, or no base64; ResourceExhausted if the message is longer than allowed; Unimplemented if it
// is compressed.
absl::StatusOr<std::string> GrpcWebRequest(GrpcWebKind kind, std::string body, size_t max_bytes);

// What comes before a message of this size. REQUIRES: it is less than 4 GiB.
std::string GrpcWebFrameHead(size_t message_bytes);
// The last frame of an answer.
std::string GrpcWebTrailer(const absl::Status& status);
// Bytes of an answer in the text form. Pieces may follow one another.
std::string GrpcWebText(absl::string_view bytes);

// The value of a grpc-timeout header. InvalidArgument if it is none.
absl::StatusOr<std::chrono::nanoseconds> ParseGrpcTimeout(absl::string_view text);

}  // namespace pedigree
