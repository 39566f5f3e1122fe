#include "server/pending_call.h"

#include <functional>

#include "absl/strings/str_cat.h"
#include "server/error_text.h"
#include "store/text.h"

namespace pedigree {

absl::Status PendingCall::Parse(absl::string_view request) {
  bytes_ = request.size() * 3;  // About what a parsed one takes.
  return call_->Parse(request);
}

absl::Status PendingCall::CheckWanted() const {
  if (!IsCancelled()) return absl::OkStatus();
  return absl::CancelledError("the client no longer waits");
}

absl::Status PendingCall::Read(const Store& store, Blocking blocking) {
  const std::function<bool()> is_cancelled = [this] { return IsCancelled(); };
  return store.Read(
      blocking, [&](const Reader& reader) { return call_->Read(reader); }, &is_cancelled);
}

absl::Status PendingCall::Write(Transaction& transaction) {
  transaction.SetOrigin(&origin_);
  if (absl::Status status = CheckWanted(); !status.ok()) return status;
  const Catalog& catalog = transaction.catalog();
  if (catalog.IsBeingImported() && !call_->imports()) {
    return absl::FailedPreconditionError(
        absl::StrCat("an import is going on, of ", Quoted(catalog.import_source()),
                     ": nothing else is written until it has ended"));
  }
  return call_->Write(transaction);
}

bool PendingCall::IsWritten(const Store& store) {
  bool is_written = false;
  const absl::Status status = store.Read(Blocking::kCacheOnly, [&](const Reader& reader) {
    is_written = !reader.catalog().IsBeingImported() && call_->IsWritten(reader);
    return absl::OkStatus();
  });
  return status.ok() && is_written;
}

void PendingCall::Finish(const absl::Status& status) {
  timer_.Finish(status.code());  // Before the reply: who has it finds the call counted.
  if (status.ok()) {
    reply_to_->Done(call_->ReleaseReply());
  } else {
    reply_to_->Done(Shortened(status));
  }
}

}  // namespace pedigree
