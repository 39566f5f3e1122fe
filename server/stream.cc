#include "server/stream.h"

#include <functional>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/error_text.h"

namespace pedigree {
namespace {

// Streams at once, beyond which more are refused: each holds memory and a version of the store.
constexpr size_t kMaxStreams = 1000;
// Those among them that follow the journal, and may go on for ever.
constexpr size_t kMaxFollowing = 200;
// Beyond every entry of the journal.
constexpr int64_t kNoEntry = std::numeric_limits<int64_t>::max();
// How often the watch looks, within an idle limit.
constexpr int kLooksPerLimit = 8;

absl::Status Stopping() {
  return absl::UnavailableError("the server is stopping; retry elsewhere");
}

absl::Status ClientIsGone() { return absl::CancelledError("the client no longer waits"); }

}  // namespace

// The making of one message, while it waits for a worker and runs. The stream may end meanwhile.
class Stream::Step final : public Workers::Work {
 public:
  explicit Step(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  void Run() override { stream_->MakeNext(); }
  void Refuse(const absl::Status& status) override { stream_->Refuse(status); }

 private:
  std::shared_ptr<Stream> stream_;
};

Stream::Stream(const Store* store, Workers* workers, Streams* streams, StreamSink* sink,
               CallMetrics* metrics, Admin* admin)
    : store_(store),
      workers_(workers),
      streams_(streams),
      sink_(sink),
      metrics_(metrics),
      admin_(admin) {}

void Stream::Start(const StreamMethod& method, absl::string_view request) {
  timer_.emplace(metrics_ == nullptr ? nullptr : metrics_->Find(method));
  call_ = method.make();
  call_->SetAdmin(admin_);
  follows_ = call_->follows();
  absl::Status status = call_->Parse(request);
  if (status.ok() && !follows_) status = ChooseVersion();
  if (status.ok()) status = streams_->Add(shared_from_this());
  // From here on it may be ended by others, so nothing but its state may be touched.
  if (status.ok()) {
    Queue(Workers::Admission::kIfRoom);
  } else {
    EndIfIn(State::kQueued, status);
  }
}

absl::Status Stream::ChooseVersion() {
  auto version = call_->ChooseVersion(*store_);
  if (version.ok()) version_ = *std::move(version);
  return version.status();
}

void Stream::Queue(Workers::Admission admission) {
  workers_->Add(std::make_unique<Step>(shared_from_this()), admission);
}

void Stream::Refuse(const absl::Status& status) { EndIfIn(State::kQueued, status); }

absl::StatusOr<StreamPart> Stream::NextPart() {
  const std::function<bool()> is_cancelled = [this] {
    return is_ending_.load(std::memory_order_relaxed) || sink_->IsCancelled();
  };
  if (is_cancelled()) return ClientIsGone();
  if (follows_) {
    version_ = store_->CurrentVersion();
    seen_entry_ = version_->journal.sequence;
  }
  absl::StatusOr<StreamPart> part;
  absl::Status status = store_->Read(
      version_, Blocking::kAllowed,
      [&](const Reader& reader) {
        part = call_->Next(reader);
        return part.status();
      },
      &is_cancelled);
  if (follows_) version_.reset();
  if (!status.ok()) return status;
  return part;
}

void Stream::MakeNext() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kQueued) return;  // Ended while it waited.
    state_ = State::kMaking;
  }
  absl::StatusOr<StreamPart> part = NextPart();
  absl::Status status = part.status();
  const bool parks = part.ok() && part->place == StreamPart::Place::kNothingYet;
  const int64_t seen_entry = seen_entry_;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!end_status_.ok()) status = end_status_;
    // Nobody is told later of a client that has gone before the stream is parked.
    if (status.ok() && parks && sink_->IsCancelled()) status = ClientIsGone();
    state_ = !status.ok() ? State::kEnded : parks ? State::kParked : State::kWriting;
    if (status.ok() && !parks) {
      is_last_ = part->place == StreamPart::Place::kLast;
      writing_since_ = std::chrono::steady_clock::now();
    }
  }
  if (!status.ok()) {
    FinishEnded(status);
  } else if (parks) {
    // What does not follow the journal only waits for its time.
    streams_->waits().Park(shared_from_this(), follows_ ? seen_entry : kNoEntry, part->wait_until);
  } else {
    sink_->Write(std::move(part->message));
  }
}

void Stream::Wake() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kParked) return;
    state_ = State::kQueued;
  }
  Queue(Workers::Admission::kAlways);
}

void Stream::OnWritten(Written written) {
  const std::shared_ptr<Stream> self = shared_from_this();  // The end may drop the last other one.
  absl::Status status;
  State state = State::kEnded;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!end_status_.ok()) {
      status = end_status_;
    } else if (written == Written::kFailed) {
      status = ClientIsGone();
    } else if (!is_last_) {
      state = State::kQueued;
    }
    state_ = state;
  }
  if (state == State::kQueued) {
    Queue(Workers::Admission::kAlways);
  } else {
    FinishEnded(status);
  }
}

void Stream::OnCancelled() {
  // One that is being made sees it (Reader::Spend), and one that is being written fails.
  EndIfIn(State::kQueued, ClientIsGone());
  EndIfIn(State::kParked, ClientIsGone());
}

void Stream::End(const absl::Status& status) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    end_status_ = status;
  }
  is_ending_ = true;
  EndIfIn(State::kQueued, status);
  EndIfIn(State::kParked, status);
}

void Stream::AbortIfIdleSince(std::chrono::steady_clock::time_point time) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (state_ != State::kWriting || is_aborted_ || writing_since_ > time) return;
  is_aborted_ = true;
  sink_->Abort();  // Under the lock: until OnWritten() gets it, the sink lives.
}

void Stream::EndIfIn(State from, const absl::Status& status) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != from) return;
    state_ = State::kEnded;
  }
  FinishEnded(status);
}

void Stream::FinishEnded(const absl::Status& status) {
  call_.reset();
  version_.reset();
  streams_->Remove(shared_from_this());
  timer_->Finish(status.code());
  sink_->Finish(Shortened(status));
}

Streams::Streams(std::chrono::milliseconds idle_limit)
    : idle_limit_(idle_limit), watch_([this] { Watch(); }) {}

Streams::~Streams() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  watch_.join();
}

absl::Status Streams::Add(const std::shared_ptr<Stream>& stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_ended_) return Stopping();
  if (streams_.size() >= kMaxStreams) {
    return absl::UnavailableError(
        absl::StrCat("there are ", kMaxStreams, " streams under way; retry later"));
  }
  if (stream->follows()) {
    if (following_is_ended_) return Stopping();
    if (following_ >= kMaxFollowing) {
      return absl::UnavailableError(
          absl::StrCat("there are ", kMaxFollowing, " watches under way; retry later"));
    }
    ++following_;
  }
  streams_.insert(stream);
  if (streams_.size() == 1) wake_.notify_all();
  return absl::OkStatus();
}

void Streams::Remove(const std::shared_ptr<Stream>& stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (streams_.erase(stream) > 0 && stream->follows()) --following_;
}

std::vector<std::shared_ptr<Stream>> Streams::All() {
  std::lock_guard<std::mutex> lock(mutex_);
  return {streams_.begin(), streams_.end()};
}

void Streams::EndFollowing() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    following_is_ended_ = true;
  }
  for (const auto& stream : All()) {
    if (stream->follows()) stream->End(Stopping());
  }
}

void Streams::EndAll() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_ended_ = true;
  }
  for (const auto& stream : All()) stream->End(Stopping());
}

void Streams::Watch() {
  const std::chrono::milliseconds between = idle_limit_ / kLooksPerLimit;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (streams_.empty()) {
      wake_.wait(lock, [this] { return stopping_ || !streams_.empty(); });
      continue;
    }
    wake_.wait_for(lock, between, [this] { return stopping_; });
    lock.unlock();
    for (const auto& stream : All()) {
      stream->AbortIfIdleSince(std::chrono::steady_clock::now() - idle_limit_);
    }
    lock.lock();
  }
}

}  // namespace pedigree
