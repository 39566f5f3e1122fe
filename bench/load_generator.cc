#include "bench/load_generator.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>
#include <unistd.h>

#include <limits>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/interrupt.h"
#include "bench/latency_histogram.h"
#include "bench/process_usage.h"

namespace pedigree::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kConnectPatience{5};
constexpr std::chrono::seconds kSilencePatience{30};
constexpr std::chrono::milliseconds kPollInterval{200};

absl::Status ToAbsl(const grpc::Status& status, absl::string_view method) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat(method, ": ", status.error_message()));
}

double CpuSecondsOrZero(pid_t pid) { return pid == 0 ? 0 : CpuSecondsOf(pid).value_or(0); }

// gRPC demands that a queue is shut down and empty before it is destroyed.
void Drain(grpc::CompletionQueue& queue) {
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }
}

// The calls of one Run and what is measured of them.
class LoadRun {
 public:
  LoadRun(const std::vector<std::unique_ptr<grpc::GenericStub>>& stubs, const Load& load,
          const RequestFactory& next_request)
      : stubs_(stubs),
        load_(load),
        next_request_(next_request),
        slots_(static_cast<size_t>(load.in_flight)) {}

  ~LoadRun() { Drain(queue_); }

  absl::StatusOr<LoadResult> Measure() {
    begin_ = last_completion_ = Clock::now();
    for (size_t i = 0; i < slots_.size(); ++i) StartCall(slots_[i], *stubs_[i % stubs_.size()]);
    while (outstanding_ > 0) PollOnce();
    if (!failure_.ok()) return failure_;
    if (histogram_.count() == 0) {
      return absl::DeadlineExceededError(absl::StrCat(load_.method, ": no call in the window"));
    }
    return Result();
  }

 private:
  enum class Window { kWarmUp, kOpen, kClosed };

  struct Slot {
    grpc::GenericStub* stub = nullptr;  // Not owned; outlives the run.
    std::optional<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
    grpc::ByteBuffer reply;
    grpc::Status status;
    Clock::time_point started;
  };

  // What is read at both ends of the window.
  struct Readings {
    Clock::time_point time;
    double server_cpu_s = 0;
    double client_cpu_s = 0;
  };

  Readings ReadNow(Clock::time_point now) const {
    return {now, CpuSecondsOrZero(load_.server_pid), CpuSecondsOrZero(getpid())};
  }

  void StartCall(Slot& slot, grpc::GenericStub& stub) {
    if (sent_ >= load_.max_calls) return;
    slot.stub = &stub;
    slot.context.emplace();
    slot.reader = stub.PrepareUnaryCall(&*slot.context, load_.method, next_request_(), &queue_);
    slot.started = last_completion_;  // so that a call reads the clock once
    slot.reader->StartCall();
    slot.reader->Finish(&slot.reply, &slot.status, &slot);
    ++sent_;
    ++outstanding_;
  }

  // Handles one completion, or none if the server is silent for a moment.
  void PollOnce() {
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = std::chrono::system_clock::now() + kPollInterval;
    if (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT) {
      OnCompletion(*static_cast<Slot*>(tag));
    } else if (Clock::now() - last_completion_ > kSilencePatience) {
      Abandon(absl::DeadlineExceededError(absl::StrCat(load_.method, ": no answer for 30 s")));
    }
    if (Interrupted()) Abandon(InterruptedStatus());
  }

  void OnCompletion(Slot& slot) {
    last_completion_ = Clock::now();
    --outstanding_;
    if (!slot.status.ok()) Abandon(ToAbsl(slot.status, load_.method));
    MoveWindow(last_completion_, slot);
    if (window_ != Window::kClosed) StartCall(slot, *slot.stub);
    if (outstanding_ == 0) CloseWindow(last_completion_);
  }

  void MoveWindow(Clock::time_point now, const Slot& slot) {
    if (window_ == Window::kWarmUp && now - begin_ >= load_.warm_up) {
      opened_ = ReadNow(load_.warm_up.count() == 0 ? begin_ : now);
      window_ = Window::kOpen;
      if (load_.warm_up.count() != 0) return;
    }
    if (window_ != Window::kOpen) return;
    histogram_.Record(now - slot.started);
    reply_bytes_ += slot.reply.Length();
    if (now - opened_.time >= load_.duration) CloseWindow(now);
  }

  void CloseWindow(Clock::time_point now) {
    if (window_ == Window::kOpen) closed_ = ReadNow(now);
    window_ = Window::kClosed;
  }

  // Ends the run with `status`; only the first one counts.
  void Abandon(absl::Status status) {
    if (!failure_.ok()) return;
    failure_ = std::move(status);
    window_ = Window::kClosed;
    for (Slot& slot : slots_) {
      if (slot.context) slot.context->TryCancel();
    }
  }

  LoadResult Result() const {
    const auto calls = static_cast<double>(histogram_.count());
    const double seconds = std::chrono::duration<double>(closed_.time - opened_.time).count();
    return {.calls = histogram_.count(),
            .seconds = seconds,
            .rate = calls / seconds,
            .p50_us = histogram_.QuantileMicroseconds(0.5),
            .p99_us = histogram_.QuantileMicroseconds(0.99),
            .server_cpu_us = (closed_.server_cpu_s - opened_.server_cpu_s) / calls * 1e6,
            .client_cpu_us = (closed_.client_cpu_s - opened_.client_cpu_s) / calls * 1e6,
            .reply_bytes = static_cast<double>(reply_bytes_) / calls};
  }

  const std::vector<std::unique_ptr<grpc::GenericStub>>& stubs_;
  const Load& load_;
  const RequestFactory& next_request_;
  grpc::CompletionQueue queue_;
  std::vector<Slot> slots_;
  uint64_t sent_ = 0;
  uint64_t outstanding_ = 0;
  Clock::time_point begin_;
  Clock::time_point last_completion_;
  Window window_ = Window::kWarmUp;
  Readings opened_;
  Readings closed_;
  LatencyHistogram histogram_;
  uint64_t reply_bytes_ = 0;
  absl::Status failure_;
};

std::shared_ptr<grpc::Channel> NewChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  // Otherwise gRPC shares one connection among all channels to the same address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // loopback only, whatever the environment says
  arguments.SetMaxReceiveMessageSize(std::numeric_limits<int>::max());
  arguments.SetMaxSendMessageSize(std::numeric_limits<int>::max());
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

LoadClient::LoadClient(std::vector<std::shared_ptr<grpc::Channel>> channels) {
  for (std::shared_ptr<grpc::Channel>& channel : channels) {
    stubs_.push_back(std::make_unique<grpc::GenericStub>(std::move(channel)));
  }
}

LoadClient::~LoadClient() { Drain(call_queue_); }

absl::StatusOr<std::unique_ptr<LoadClient>> LoadClient::Connect(const std::string& target,
                                                                int channels) {
  auto connected = ConnectChannels(target, channels);
  if (!connected.ok()) return connected.status();
  return std::unique_ptr<LoadClient>(new LoadClient(*std::move(connected)));
}

absl::StatusOr<LoadResult> LoadClient::Run(const Load& load, const RequestFactory& next_request) {
  return LoadRun(stubs_, load, next_request).Measure();
}

absl::StatusOr<std::string> LoadClient::Call(const std::string& method, absl::string_view request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kSilencePatience);
  const auto reader =
      stubs_[0]->PrepareUnaryCall(&context, method, ByteBufferOf(request), &call_queue_);
  grpc::ByteBuffer reply;
  grpc::Status status;
  reader->StartCall();
  reader->Finish(&reply, &status, &context);
  void* tag = nullptr;
  bool ok = false;
  call_queue_.Next(&tag, &ok);
  if (!status.ok()) return ToAbsl(status, method);
  return BytesOf(reply);
}

absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> ConnectChannels(
    const std::string& target, int channels) {
  std::vector<std::shared_ptr<grpc::Channel>> connected;
  const auto deadline = std::chrono::system_clock::now() + kConnectPatience;
  for (int i = 0; i < channels; ++i) {
    connected.push_back(NewChannel(target));
    if (!connected.back()->WaitForConnected(deadline)) {
      return absl::UnavailableError(absl::StrCat("no server answers at ", target));
    }
  }
  return connected;
}

grpc::ByteBuffer ByteBufferOf(absl::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace pedigree::bench
