// The yardstick: a gRPC callback server that does nothing but answer. It registers its methods as
// raw callback handlers over ByteBuffers, the same and cheapest way that pedigreed uses, so that
// what is left between the two is Pedigree's own work. It runs as a process of its own, like
// pedigreed.
//
//   /pedigree.bench.Echo/Call      answers the canned reply, whatever it is asked
//   /pedigree.bench.Echo/SetReply  makes the request the canned reply of every later Call
//   /pedigree.bench.Echo/Sized     answers as many bytes as the request asks for (SizedEchoRequest)
//
// Threading: ServeEcho blocks its thread; the handlers run on gRPC's.
//
//   ServeEcho(8080);                                    // in the child process
//   client.Call(kEchoSetReplyMethod, sample_of_server_answer);
//   client.Run({.method = kEchoCallMethod, ...}, request_factory);
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pedigree::bench {

inline constexpr char kEchoCallMethod[] = "/pedigree.bench.Echo/Call";
inline constexpr char kEchoSetReplyMethod[] = "/pedigree.bench.Echo/SetReply";
inline constexpr char kEchoSizedMethod[] = "/pedigree.bench.Echo/Sized";

// A request with the bytes of `request`, whose reply has `reply_bytes`.
grpc::ByteBuffer SizedEchoRequest(size_t reply_bytes, absl::string_view request);

// Serves on 127.0.0.1:`port` until SIGTERM or SIGINT. Unavailable if the port cannot be had.
absl::Status ServeEcho(uint16_t port);

}  // namespace pedigree::bench
