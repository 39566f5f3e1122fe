#include "bench/call_loop.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/load_generator.h"

namespace pedigree::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollInterval{200};

absl::Status ToAbsl(const grpc::Status& status, const std::string& method) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat(method, ": ", status.error_message()));
}

}  // namespace

CallLoop::CallLoop(std::vector<std::shared_ptr<grpc::Channel>> channels) {
  for (std::shared_ptr<grpc::Channel>& channel : channels) {
    stubs_.push_back(std::make_unique<grpc::GenericStub>(std::move(channel)));
  }
}

CallLoop::~CallLoop() {
  CancelAll();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

absl::StatusOr<std::unique_ptr<CallLoop>> CallLoop::Connect(const std::string& target,
                                                            int channels) {
  auto connected = ConnectChannels(target, channels);
  if (!connected.ok()) return connected.status();
  return std::unique_ptr<CallLoop>(new CallLoop(*std::move(connected)));
}

CallLoop::Awaiter CallLoop::Call(Activity& activity, const std::string& method,
                                 const grpc::ByteBuffer& request) {
  return Awaiter(*this, activity, method, request);
}

CallLoop::Pending& CallLoop::FreePending() {
  if (free_.empty()) {
    all_.push_back(std::make_unique<Pending>());
    return *all_.back();
  }
  Pending* pending = free_.back();
  free_.pop_back();
  return *pending;
}

void CallLoop::Send(Activity& activity, std::coroutine_handle<> waiter, const std::string& method,
                    const grpc::ByteBuffer& request, Answer* answer) {
  Pending& pending = FreePending();
  pending.activity = &activity;
  pending.waiter = waiter;
  pending.method = &method;
  pending.answer = answer;
  pending.context.emplace();
  pending.sent = Clock::now();
  next_stub_ = next_stub_ + 1 == stubs_.size() ? 0 : next_stub_ + 1;
  pending.reader =
      stubs_[next_stub_]->PrepareUnaryCall(&*pending.context, method, request, &queue_);
  pending.reader->StartCall();
  pending.reader->Finish(&pending.reply, &pending.status, &pending);
  ++activity.calls_in_flight;
}

Activity* CallLoop::ResumeOne() {
  void* tag = nullptr;
  bool ok = false;
  const auto deadline = std::chrono::system_clock::now() + kPollInterval;
  if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return nullptr;
  Pending& pending = *static_cast<Pending*>(tag);
  Activity& activity = *pending.activity;
  --activity.calls_in_flight;
  const bool is_awaited = activity.failure.ok();
  if (is_awaited) {
    pending.answer->status = ToAbsl(pending.status, *pending.method);
    pending.answer->reply = BytesOf(pending.reply);
    pending.answer->took = Clock::now() - pending.sent;
  }
  const std::coroutine_handle<> waiter = pending.waiter;
  pending.reader.reset();
  pending.context.reset();
  pending.reply.Clear();
  free_.push_back(&pending);
  if (is_awaited) waiter.resume();
  return &activity;
}

void CallLoop::CancelAll() {
  for (const std::unique_ptr<Pending>& pending : all_) {
    if (pending->context) pending->context->TryCancel();
  }
}

}  // namespace pedigree::bench
