// A parsed call and the way back: what the dispatcher hands from thread to thread.
//
// Used by one thread at a time. Finish() is called once.
//
//   auto call = std::make_unique<PendingCall>(metrics.Find(method), method.make(),
//   std::move(reply_to)); call->Finish(call->Read(store, Blocking::kAllowed));
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/call_metrics.h"
#include "server/methods.h"
#include "store/journal.h"
#include "store/store.h"

namespace pedigree {

// Where a call came from, and where its answer goes.
class ReplyTo {
 public:
  virtual ~ReplyTo() = default;
  // Whether nobody waits any more: the client went away or its deadline passed. A call that has not
  // begun is then dropped.
  virtual bool IsCancelled() const = 0;
  // Who asks, for the journal, without the method. Asked of writes, before their Done().
  virtual CallOrigin Origin() const { return {}; }
  // Called once. Error texts are at most kMaxErrorBytes long.
  virtual void Done(absl::StatusOr<std::string> reply) = 0;
};

class PendingCall {
 public:
  // `metrics` is not owned; null counts nothing.
  PendingCall(MethodMetrics* metrics, std::unique_ptr<Call> call, std::unique_ptr<ReplyTo> reply_to)
      : timer_(metrics), call_(std::move(call)), reply_to_(std::move(reply_to)) {}

  absl::Status Parse(absl::string_view request);
  // Takes down who asks, and for what, for the journal.
  void NoteOrigin(absl::string_view method) {
    origin_ = reply_to_->Origin();
    origin_.method = method;
  }
  // Memory that the request takes.
  size_t bytes() const { return bytes_; }

  bool IsCancelled() const { return reply_to_->IsCancelled(); }
  // Cancelled if nobody waits any more.
  absl::Status CheckWanted() const;

  absl::Status Read(const Store& store, Blocking blocking);
  // FailedPrecondition while the store is being imported, unless the call is a part of that.
  absl::Status Write(Transaction& transaction);
  // Whether the reply is there without a Write(). REQUIRES: Method::may_be_written.
  bool IsWritten(const Store& store);
  CallNeeds needs() const { return call_->needs(); }
  const CacheWait& wait() const { return call_->wait(); }

  // Answers with the reply, or with the error.
  void Finish(const absl::Status& status);

 private:
  CallTimer timer_;
  std::unique_ptr<Call> call_;
  std::unique_ptr<ReplyTo> reply_to_;
  CallOrigin origin_;
  size_t bytes_ = 0;
};

}  // namespace pedigree
