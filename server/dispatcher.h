// Runs calls against a store: parsing, reads, writes, and who waits where.
//
// No thread of a transport ever waits for the disk. A write goes to the committer. A read runs at
// once if everything it needs is in memory; if it would wait for the disk, or is long, it starts
// again on one of a few threads that may. Submit() may be called from any thread; `done` is called
// once, on whichever thread finishes the call.
//
//   Dispatcher dispatcher(&store);
//   dispatcher.Submit(*FindMethod("GetArtifacts"), bytes, std::move(reply_to));
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/methods.h"
#include "store/store.h"

namespace pedigree {

// Where a call came from, and where its answer goes.
class ReplyTo {
 public:
  virtual ~ReplyTo() = default;
  // Whether nobody waits any more: the client went away or its deadline passed. A call that has not
  // begun is then dropped.
  virtual bool IsCancelled() const = 0;
  // Called once. Error texts are at most kMaxErrorBytes long.
  virtual void Done(absl::StatusOr<std::string> reply) = 0;
};

// Texts travel in HTTP/2 trailers, which clients limit.
inline constexpr size_t kMaxErrorBytes = 1024;

class Dispatcher {
 public:
  // `store` is not owned and outlives this.
  explicit Dispatcher(Store* store);
  // Answers what waits with Unavailable and stops.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // `request` is read before this returns.
  void Submit(const Method& method, absl::string_view request, std::unique_ptr<ReplyTo> reply_to);

 private:
  class PendingCall;
  class WriteTask;

  void RunRead(std::unique_ptr<PendingCall> call, Blocking blocking);
  void BlockingLoop();

  Store* const store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<PendingCall>> blocking_;  // Guarded by mutex_.
  bool stopping_ = false;                              // Guarded by mutex_.
  std::vector<std::thread> threads_;
};

}  // namespace pedigree
