// A gRPC client that keeps many unary calls outstanding from one thread. Blocking client threads
// cost 47 us a call and so measure themselves; this costs about 12-20 us, the same for every
// server, since requests are raw bytes made beforehand and replies are not parsed.
//
// Every load is bounded by a number of calls and by time, and ends early on Ctrl-C.
//
// Threading: one thread at a time; the object may move between threads.
//
//   auto client = LoadClient::Connect("127.0.0.1:8080", 2);
//   LoadResult result = *(*client)->Run({.method = "/pkg.Service/Get", .in_flight = 64},
//                                       [&request] { return request; });
//   printf("%.0f calls/s, p99 %.0f us\n", result.rate, result.p99_us);
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::bench {

// Makes the next request; called once per call, from the client's thread, so it has to be cheap.
using RequestFactory = std::function<grpc::ByteBuffer()>;

// What to send, and for how long.
struct Load {
  std::string method;  // "/package.Service/Method"
  int in_flight = 1;
  // Calls during the warm-up are sent and not measured.
  std::chrono::milliseconds warm_up{0};
  std::chrono::milliseconds duration{1000};
  // Bounds the calls sent, those of the warm-up included.
  uint64_t max_calls = 10'000'000;
  // The process whose CPU is charged to the calls; 0 for none.
  pid_t server_pid = 0;
};

// One measured window.
struct LoadResult {
  uint64_t calls = 0;
  double seconds = 0;
  double rate = 0;  // calls per second
  double p50_us = 0;
  double p99_us = 0;
  double server_cpu_us = 0;  // per call; all threads of the server
  double client_cpu_us = 0;  // per call; all threads of this process
  double reply_bytes = 0;    // per call
};

class LoadClient {
 public:
  // With so many connections of ConnectChannels, and its errors.
  static absl::StatusOr<std::unique_ptr<LoadClient>> Connect(const std::string& target,
                                                             int channels);

  ~LoadClient();
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  // Sends `load` and measures it. The status of the first call that failed, if one did: a load with
  // failures measures something else than what it says. DeadlineExceeded if the server stops
  // answering for 30 s, Cancelled on Ctrl-C.
  absl::StatusOr<LoadResult> Run(const Load& load, const RequestFactory& next_request);

  // One blocking call: the reply's bytes, or the status that the server answered.
  absl::StatusOr<std::string> Call(const std::string& method, absl::string_view request);

 private:
  explicit LoadClient(std::vector<std::shared_ptr<grpc::Channel>> channels);

  grpc::CompletionQueue call_queue_;  // of Call()
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
};

// Opens `channels` separate TCP connections to `target` and waits until they stand. Unavailable if
// they do not within 5 s.
absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> ConnectChannels(
    const std::string& target, int channels);

// A buffer of one slice with a copy of `bytes`. One slice even if empty: gRPC 1.51 aborts on a
// default-constructed buffer.
grpc::ByteBuffer ByteBufferOf(absl::string_view bytes);

// The bytes of all slices.
std::string BytesOf(const grpc::ByteBuffer& buffer);

}  // namespace pedigree::bench
