// Runs calls against a store: parsing, reads, writes, and who waits where.
//
// No thread of a transport ever waits for the disk. A write goes to the committer. A read runs at
// once if everything it needs is in memory; if it would wait for the disk, or is long, it starts
// again on one of a few threads that may (workers.h), and so does every step of a stream. Submit()
// may be called from any thread; ReplyTo::Done() is called once, on whichever thread finishes the
// call.
//
//   Dispatcher dispatcher(&store);
//   dispatcher.Submit(*FindMethod("GetArtifacts"), bytes, std::move(reply_to));
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/error_text.h"
#include "server/methods.h"
#include "server/stream.h"
#include "server/workers.h"
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

class Dispatcher {
 public:
  // `store` is not owned and outlives this.
  explicit Dispatcher(Store* store);
  // Answers what waits with Unavailable and stops.
  ~Dispatcher() = default;
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // `request` is read before this returns.
  void Submit(const Method& method, absl::string_view request, std::unique_ptr<ReplyTo> reply_to);

  // A stream that is still to be started. The sink is not owned (StreamSink has how long it lives).
  std::shared_ptr<Stream> NewStream(StreamSink* sink);
  // Ends all streams with Unavailable, and lets no other begin.
  void EndStreams() { streams_.EndAll(); }

 private:
  class PendingCall;
  class WriteTask;
  class BlockingRead;

  void RunRead(std::unique_ptr<PendingCall> call, Blocking blocking);

  Store* const store_;
  Streams streams_;
  Workers workers_;  // After what its work uses.
};

}  // namespace pedigree
