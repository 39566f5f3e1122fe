#include "tests/model/invoke.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/methods.h"

namespace pedigree::model {
namespace {

using google::protobuf::Message;

absl::Status ReadReply(pedigree::Call* call, Message* response) {
  if (response->ParseFromString(call->ReleaseReply())) return absl::OkStatus();
  return absl::InternalError("the reply does not parse");
}

// A write whose outcome somebody waits for.
class WaitedCall final : public PendingWrite {
 public:
  WaitedCall(std::unique_ptr<pedigree::Call> call, Message* response)
      : call_(std::move(call)), response_(response) {}

  std::future<absl::Status> status() { return status_.get_future(); }

  absl::Status Run(Transaction& transaction) override { return call_->Write(transaction); }
  void Done(const absl::Status& status) override {
    status_.set_value(status.ok() ? ReadReply(call_.get(), response_) : status);
  }
  size_t bytes() const override { return sizeof(*this); }

 private:
  std::unique_ptr<pedigree::Call> call_;
  Message* response_;  // Not owned; outlives Done().
  std::promise<absl::Status> status_;
};

// Holds the committer's thread until it is released; writes nothing.
class Gate final : public PendingWrite {
 public:
  explicit Gate(std::shared_future<void> opened) : opened_(std::move(opened)) {}
  std::future<void> reached() { return reached_.get_future(); }

  absl::Status Run(Transaction&) override {
    reached_.set_value();
    opened_.wait();
    return absl::OkStatus();
  }
  void Done(const absl::Status&) override {}
  size_t bytes() const override { return sizeof(*this); }

 private:
  std::shared_future<void> opened_;
  std::promise<void> reached_;
};

std::future<absl::Status> Ready(absl::Status status) {
  std::promise<absl::Status> promise;
  promise.set_value(std::move(status));
  return promise.get_future();
}

std::future<absl::Status> EnqueueWrite(Store& store, const Method& method, const Message& request,
                                       Message* response) {
  std::unique_ptr<pedigree::Call> call = method.make();
  if (absl::Status parsed = call->Parse(request.SerializePartialAsString()); !parsed.ok()) {
    return Ready(std::move(parsed));
  }
  auto write = std::make_unique<WaitedCall>(std::move(call), response);
  std::future<absl::Status> status = write->status();
  store.Enqueue(std::move(write));
  return status;
}

absl::Status InvokeRead(Store& store, const Method& method, const Message& request,
                        Message* response) {
  std::unique_ptr<pedigree::Call> call = method.make();
  absl::Status status = call->Parse(request.SerializePartialAsString());
  if (!status.ok()) return status;
  const auto read = [&](const Reader& reader) { return call->Read(reader); };
  status = store.Read(Blocking::kCacheOnly, read);
  if (IsWouldBlock(status)) status = store.Read(Blocking::kAllowed, read);
  return status.ok() ? ReadReply(call.get(), response) : status;
}

absl::Status NoSuchMethod(absl::string_view rpc) {
  return absl::InternalError(absl::StrCat("there is no method ", rpc));
}

}  // namespace

Call MakeCallOf(std::unique_ptr<Message> request) {
  const google::protobuf::Descriptor* type = request->GetDescriptor();
  const std::string rpc(absl::StripSuffix(type->name(), "Request"));
  const auto* answer = type->file()->FindMessageTypeByName(absl::StrCat(rpc, "Response"));
  auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(answer);
  return {rpc, std::move(request), std::unique_ptr<Message>(prototype->New()), absl::OkStatus()};
}

absl::Status Invoke(Store& store, absl::string_view rpc, const Message& request,
                    Message* response) {
  const Method* method = FindMethod(rpc);
  if (method == nullptr) return NoSuchMethod(rpc);
  if (!method->writes) return InvokeRead(store, *method, request, response);
  return EnqueueWrite(store, *method, request, response).get();
}

std::future<absl::Status> Enqueue(Store& store, Call* call) {
  const Method* method = FindMethod(call->rpc);
  if (method == nullptr) return Ready(NoSuchMethod(call->rpc));
  return EnqueueWrite(store, *method, *call->request, call->response.get());
}

void InvokeGroup(Store& store, absl::Span<Call> calls) {
  std::promise<void> open;
  auto gate = std::make_unique<Gate>(open.get_future().share());
  std::future<void> reached = gate->reached();
  store.Enqueue(std::move(gate));
  reached.wait();
  std::vector<std::future<absl::Status>> statuses;
  for (Call& call : calls) statuses.push_back(Enqueue(store, &call));
  open.set_value();
  for (size_t i = 0; i < calls.size(); ++i) calls[i].status = statuses[i].get();
}

}  // namespace pedigree::model
