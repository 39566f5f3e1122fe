// Runs calls against a store: parsing, reads, writes, and who waits where.
//
// No thread of a transport ever waits for the disk. A write goes to the committer, unless what it
// would write is there already (Method::may_be_written). A read runs at
// once if everything it needs is in memory; if it would wait for the disk, or is long, it starts
// again on one of a few threads that may (workers.h), and so does every step of a stream. A call
// that waits for what others do holds no thread at all (lease_waits.h). Submit() may be called from
// any thread; ReplyTo::Done() is called once, on whichever thread finishes the call.
//
//   Dispatcher dispatcher(&store);
//   dispatcher.Submit(*FindMethod("GetArtifacts"), bytes, std::move(reply_to));
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/admin.h"
#include "server/call_metrics.h"
#include "server/error_text.h"
#include "server/lease_waits.h"
#include "server/methods.h"
#include "server/pending_call.h"
#include "server/stream.h"
#include "server/workers.h"
#include "store/store.h"

namespace pedigree {

class Dispatcher {
 public:
  // `store` is not owned, outlives this, and has no other dispatcher at the time.
  explicit Dispatcher(Store* store, AdminOptions admin = {});
  // Answers what waits with Unavailable and stops.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // `request` is read before this returns.
  void Submit(const Method& method, absl::string_view request, std::unique_ptr<ReplyTo> reply_to);

  // A stream that is still to be started. The sink is not owned (StreamSink has how long it lives).
  std::shared_ptr<Stream> NewStream(StreamSink* sink);
  // Ends all streams with Unavailable, and lets no other begin.
  void EndStreams() { streams_.EndAll(); }
  // Ends all calls and streams that wait for others with Unavailable, and lets no other begin to.
  void EndWaits() {
    waits_->Stop();
    streams_.EndFollowing();
  }

  // What AdminService has beside the store.
  const Admin& admin() const { return admin_; }
  // Of all calls that have been submitted, and of streams.
  const CallMetrics& metrics() const { return metrics_; }

 private:
  class WriteTask;
  class BlockingRead;

  void RunRead(std::unique_ptr<PendingCall> call, Blocking blocking);
  // After a read that went well or not.
  void Continue(std::unique_ptr<PendingCall> call, const absl::Status& status);

  Store* const store_;
  Admin admin_;
  CallMetrics metrics_;
  Streams streams_;
  // Shared with the writes of its calls, which may end after this.
  const std::shared_ptr<LeaseWaits> waits_;
  Workers workers_;  // After what its work uses.
};

}  // namespace pedigree
