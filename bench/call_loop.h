// Calls of many coroutines over a few connections, from one thread: a coroutine that calls waits
// for its answer while others go on. Every call belongs to an activity, which ends as a whole.
//
// Blocking threads would cost 47 us a call and so measure themselves; this costs a third of that.
//
// Threading: one thread. Activities outlive their calls, and the loop outlives them.
//
//   auto loop = CallLoop::Connect("127.0.0.1:8080", 2);
//   Activity activity;
//   activity.body = Play(**loop, activity);  // co_await loop.Call(activity, method, request)
//   activity.body.Start();
//   while (!activity.Ended()) (*loop)->ResumeOne();
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/coroutine.h"

namespace pedigree::bench {

// A coroutine with all that it started, and why it was given up, if it was.
struct Activity {
  Coroutine<void> body;
  absl::Status failure;
  int calls_in_flight = 0;

  // An activity that has failed ends when its last call is back, which resumes nothing any more.
  bool Ended() const { return failure.ok() ? body.done() : calls_in_flight == 0; }
};

// Awaited by a coroutine of `activity` that cannot go on; never returns to it.
class GiveUp {
 public:
  GiveUp(Activity& activity, absl::Status why) : activity_(activity), why_(std::move(why)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) {
    if (activity_.failure.ok()) activity_.failure = std::move(why_);
  }
  void await_resume() const noexcept {}

 private:
  Activity& activity_;
  absl::Status why_;
};

class CallLoop {
 public:
  // What a call came back with. The message of an error status names the method.
  struct Answer {
    absl::Status status;
    std::string reply;
    std::chrono::nanoseconds took{0};
  };

  class Awaiter;

  // Opens `channels` TCP connections to `target`. Unavailable if they do not stand within 5 s.
  static absl::StatusOr<std::unique_ptr<CallLoop>> Connect(const std::string& target, int channels);

  ~CallLoop();
  CallLoop(const CallLoop&) = delete;
  CallLoop& operator=(const CallLoop&) = delete;

  // Awaiting it sends the request and answers an Answer. `method` is borrowed for as long as the
  // coroutine waits.
  Awaiter Call(Activity& activity, const std::string& method, const grpc::ByteBuffer& request);

  // Waits for the next answer, and resumes who waits for it unless its activity has failed. The
  // activity; nullptr if there was no answer for a moment.
  Activity* ResumeOne();

  // Cancels all calls that are in flight: their answers come soon, and are errors.
  void CancelAll();

 private:
  struct Pending {
    Activity* activity = nullptr;
    std::coroutine_handle<> waiter;
    const std::string* method = nullptr;
    Answer* answer = nullptr;
    std::optional<grpc::ClientContext> context;  // While it is in flight.
    std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
    grpc::ByteBuffer reply;
    grpc::Status status;
    std::chrono::steady_clock::time_point sent;
  };

  explicit CallLoop(std::vector<std::shared_ptr<grpc::Channel>> channels);

  void Send(Activity& activity, std::coroutine_handle<> waiter, const std::string& method,
            const grpc::ByteBuffer& request, Answer* answer);
  Pending& FreePending();

  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  size_t next_stub_ = 0;
  std::vector<std::unique_ptr<Pending>> all_;
  std::vector<Pending*> free_;
};

class CallLoop::Awaiter {
 public:
  Awaiter(CallLoop& loop, Activity& activity, const std::string& method,
          const grpc::ByteBuffer& request)
      : loop_(loop), activity_(activity), method_(method), request_(request) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    loop_.Send(activity_, waiter, method_, request_, &answer_);
  }
  Answer await_resume() { return std::move(answer_); }

 private:
  CallLoop& loop_;
  Activity& activity_;
  const std::string& method_;
  const grpc::ByteBuffer& request_;
  Answer answer_;
};

}  // namespace pedigree::bench
