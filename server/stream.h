// Server streams: calls that answer with many messages, each made when the one before is written.
//
// A stream is a state object. Its next message is made on a thread that may wait (workers.h), goes
// to the transport, and only when the transport has written it the one after is made. So a client
// that reads slowly holds no thread, and a stream takes the memory of about one message and of what
// the call remembers. All messages are made from one version of the store, or, of a call that
// follows the journal, from the newest each time; where there is nothing to say yet, the stream is
// parked until the journal grows (stream_waits.h).
//
//             worker                 transport
//   queued --------> making --------> writing ----> queued ... ended
//      ^               |
//      +--- parked <---+
//
// Whoever moves a stream to `ended` frees what it holds and finishes the transport's side, once.
// Threads: all methods from any thread.
//
//   auto stream = std::make_shared<Stream>(&store, &workers, &streams, sink);
//   stream->Start(*FindStreamMethod(service, "Trace"), bytes);
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/call_metrics.h"
#include "server/methods.h"
#include "server/stream_waits.h"
#include "server/workers.h"
#include "store/store.h"

namespace pedigree {

// The transport's side of one stream.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual bool IsCancelled() const = 0;
  // Sends a message, and later calls Stream::OnWritten. One at a time.
  virtual void Write(std::string message) = 0;
  // The end; the last call that is made.
  virtual void Finish(const absl::Status& status) = 0;
  // Gives up a message that is being written, so that OnWritten is called soon. Must not call it.
  virtual void Abort() = 0;
};

class Streams;

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  // None is owned. The sink lives until Finish() has been called, the others outlive this.
  // `metrics`, if given, counts it; `admin` is for calls of AdminService.
  Stream(const Store* store, Workers* workers, Streams* streams, StreamSink* sink,
         CallMetrics* metrics = nullptr, Admin* admin = nullptr);

  // `request` is read before this returns.
  void Start(const StreamMethod& method, absl::string_view request);

  enum class Written : uint8_t { kYes, kFailed };
  // The transport has written the message, or never will.
  void OnWritten(Written written);
  // The client went away or its deadline passed.
  void OnCancelled();
  // Ends it for the server's reasons, as soon as no message is being made or written.
  void End(const absl::Status& status);
  // Aborts it if a message has been being written since then or longer.
  void AbortIfIdleSince(std::chrono::steady_clock::time_point time);
  // Goes on, if it is parked.
  void Wake();
  bool follows() const { return follows_; }

 private:
  class Step;
  enum class State : uint8_t { kQueued, kMaking, kParked, kWriting, kEnded };

  absl::Status ChooseVersion();
  void Queue(Workers::Admission admission);
  void MakeNext();
  void Refuse(const absl::Status& status);
  absl::StatusOr<StreamPart> NextPart();
  // Frees what a stream holds and finishes. REQUIRES: this thread has moved it to kEnded.
  void FinishEnded(const absl::Status& status);
  // Moves a stream in `from` to kEnded, and finishes it.
  void EndIfIn(State from, const absl::Status& status);

  const Store* const store_;
  Workers* const workers_;
  Streams* const streams_;
  StreamSink* const sink_;
  CallMetrics* const metrics_;
  Admin* const admin_;
  std::optional<CallTimer> timer_;
  // Of the thread that has the stream: the one that makes a message, or that ends it.
  std::unique_ptr<StreamCall> call_;
  std::shared_ptr<const Version> version_;  // Of one that follows: while a message is made.
  int64_t seen_entry_ = 0;                  // The journal's last, in the version of the last look.
  bool follows_ = false;                    // Of call_; set by Start().

  std::atomic<bool> is_ending_ = false;  // There is an end_status_.
  std::mutex mutex_;
  State state_ = State::kQueued;  // Guarded by mutex_, like all below.
  absl::Status end_status_;       // Of End().
  bool is_last_ = false;          // Of the message being written.
  bool is_aborted_ = false;       // Abort() has been called.
  std::chrono::steady_clock::time_point writing_since_ = {};
};

// A client that takes no message for so long is dropped. It may have a slow disk to write to, a
// page to show or a debugger to sit in; but a stream keeps its version of the store, and with it
// what later writes replaced, so not for hours.
inline constexpr std::chrono::seconds kStreamIdleLimit{300};

// All streams under way, to end them together and to drop those whose clients have gone silent.
class Streams {
 public:
  explicit Streams(std::chrono::milliseconds idle_limit = kStreamIdleLimit);
  // REQUIRES: no stream is under way.
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  // Unavailable if there are too many, or all have been told to end.
  absl::Status Add(const std::shared_ptr<Stream>& stream);
  void Remove(const std::shared_ptr<Stream>& stream);
  // Ends those that follow with Unavailable, and lets no other of them begin.
  void EndFollowing();
  // Ends all with Unavailable, and lets no other begin.
  void EndAll();

  // Where those wait that have nothing to say yet.
  StreamWaits& waits() { return waits_; }

 private:
  std::vector<std::shared_ptr<Stream>> All();
  void Watch();

  const std::chrono::milliseconds idle_limit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  absl::flat_hash_set<std::shared_ptr<Stream>> streams_;  // Guarded by mutex_.
  size_t following_ = 0;                                  // Guarded by mutex_; of streams_.
  bool following_is_ended_ = false;                       // Guarded by mutex_.
  bool is_ended_ = false;                                 // Guarded by mutex_; of EndAll().
  bool stopping_ = false;                                 // Guarded by mutex_; of the watch.
  StreamWaits waits_;
  std::thread watch_;
};

}  // namespace pedigree
