#include "server/methods.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/arena.h"
#include "google/protobuf/io/coded_stream.h"
#include "server/admin_handlers.h"
#include "server/audit_verify.h"
#include "server/audit_watch.h"
#include "server/cache_handlers.h"
#include "server/cache_requests.h"
#include "server/cache_reserve.h"
#include "server/export_answer.h"
#include "server/handlers.h"
#include "server/import_handlers.h"
#include "server/lineage_service_handlers.h"
#include "server/query_handlers.h"
#include "server/task_handlers.h"
#include "server/trace_answer.h"
#include "server/validate.h"

namespace pedigree {
namespace {

namespace mlmd = ml_metadata;
using mlmd::Artifact;
using mlmd::Context;
using mlmd::Execution;

// The first block of a call's arena: most requests fit, so parsing allocates nothing else.
constexpr size_t kArenaBytes = 4096;

// Clients parse answers with protobuf's limit of 100, and an answer may hold a node a few levels
// deeper than the request that stored it.
constexpr int kMaxNesting = 90;

// A request on an arena: its many small parts cost one allocation, and one deallocation. `Base` is
// Call or StreamCall.
template <class Base, class Request>
class CallWith : public Base {
 public:
  CallWith()
      : arena_(first_block_, sizeof(first_block_)),
        request_(google::protobuf::Arena::CreateMessage<Request>(&arena_)) {}

  absl::Status Parse(absl::string_view bytes) override {
    google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                 static_cast<int>(bytes.size()));
    input.SetRecursionLimit(kMaxNesting);
    if (!request_->ParseFromCodedStream(&input) || !input.ConsumedEntireMessage()) {
      return absl::InvalidArgumentError(
          "the request does not parse: it is not a message of this call, or its text is not UTF-8");
    }
    return Prepare(request_);
  }

 protected:
  Request* request() { return request_; }

 private:
  alignas(8) char first_block_[kArenaBytes];
  google::protobuf::Arena arena_;
  Request* request_;  // On the arena.
};

template <class Request, class Response,
          absl::Status (*kHandler)(Transaction&, Request*, Response*)>
class WriteCall final : public CallWith<Call, Request> {
 public:
  absl::Status Write(Transaction& transaction) override {
    return kHandler(transaction, this->request(), &response_);
  }
  std::string ReleaseReply() override { return response_.SerializeAsString(); }

 private:
  Response response_;
};

// A write of ImportService.
template <class Request, class Response,
          absl::Status (*kHandler)(const Admin&, Transaction&, Request*, Response*)>
class ImportCall final : public CallWith<Call, Request> {
 public:
  void SetAdmin(Admin* admin) override { admin_ = admin; }
  absl::Status Write(Transaction& transaction) override {
    return kHandler(*admin_, transaction, this->request(), &response_);
  }
  bool imports() const override { return true; }
  std::string ReleaseReply() override { return response_.SerializeAsString(); }

 private:
  Admin* admin_ = nullptr;
  Response response_;
};

template <class Node>
class PutTypeCall final : public CallWith<Call, typename RpcOf<Node>::PutTypeRequest> {
 public:
  absl::Status Write(Transaction& transaction) override {
    return PutType<Node>(transaction, this->request(), &response_);
  }
  bool IsWritten(const Reader& reader) override {
    return IsTypeWritten<Node>(reader, this->request(), &response_);
  }
  std::string ReleaseReply() override { return response_.SerializeAsString(); }

 private:
  typename RpcOf<Node>::PutTypeResponse response_;
};

template <class Request, absl::Status (*kHandler)(const Reader&, const Request&, Answer*)>
class ReadCall final : public CallWith<Call, Request> {
 public:
  absl::Status Read(const Reader& reader) override {
    Answer answer(reader.catalog());
    absl::Status status = kHandler(reader, *this->request(), &answer);
    if (status.ok()) status = answer.status();
    if (status.ok()) reply_ = answer.Release();
    return status;
  }
  std::string ReleaseReply() override { return std::move(reply_); }

 private:
  std::string reply_;
};

// A read that needs more than the store.
template <class Request, absl::Status (*kHandler)(Admin&, const Reader&, const Request&, Answer*)>
class AdminCall final : public CallWith<Call, Request> {
 public:
  void SetAdmin(Admin* admin) override { admin_ = admin; }
  absl::Status Read(const Reader& reader) override {
    Answer answer(reader.catalog());
    absl::Status status = kHandler(*admin_, reader, *this->request(), &answer);
    if (status.ok()) status = answer.status();
    if (status.ok()) reply_ = answer.Release();
    return status;
  }
  std::string ReleaseReply() override { return std::move(reply_); }

 private:
  Admin* admin_ = nullptr;
  std::string reply_;
};

// `Maker` finds out what a call that begins with a read needs; it lives as long as the call.
template <class Request, class Maker>
class WaitingCall final : public CallWith<Call, Request> {
 public:
  absl::Status Read(const Reader& reader) override {
    Answer answer(reader.catalog());
    absl::Status status = maker_.Read(reader, *this->request(), &answer);
    if (status.ok()) status = answer.status();
    if (status.ok()) reply_ = answer.Release();
    return status;
  }
  absl::Status Write(Transaction& transaction) override {
    auto reply = maker_.Write(transaction, *this->request());
    if (!reply.ok()) return reply.status();
    reply_ = *std::move(reply);
    return absl::OkStatus();
  }
  CallNeeds needs() const override { return maker_.needs(); }
  const CacheWait& wait() const override { return maker_.wait(); }
  std::string ReleaseReply() override { return std::move(reply_); }

 private:
  Maker maker_;
  std::string reply_;
};

// `Maker` makes the messages for a request; it lives as long as the stream.
template <class Request, class Maker>
class StreamCallWith final : public CallWith<StreamCall, Request> {
 public:
  void SetAdmin(Admin* admin) override {
    if constexpr (requires { maker_.SetAdmin(admin); }) maker_.SetAdmin(admin);
  }
  absl::StatusOr<std::shared_ptr<const Version>> ChooseVersion(const Store& store) override {
    if constexpr (requires { maker_.ChooseVersion(store, *this->request()); }) {
      return maker_.ChooseVersion(store, *this->request());
    } else {
      return StreamCall::ChooseVersion(store);
    }
  }
  bool follows() const override {
    return requires { Maker::kFollows; };
  }
  absl::StatusOr<StreamPart> Next(const Reader& reader) override {
    return maker_.Next(reader, *this->request());
  }

 private:
  Maker maker_;
};

// These let the compiler find request and response in the handler's own parameters.
template <class Request, class Response>
constexpr Request* RequestOf(absl::Status (*)(Transaction&, Request*, Response*)) {
  return nullptr;
}
template <class Request, class Response>
constexpr Response* ResponseOf(absl::Status (*)(Transaction&, Request*, Response*)) {
  return nullptr;
}
template <class Request, class Response>
constexpr Request* RequestOf(absl::Status (*)(const Admin&, Transaction&, Request*, Response*)) {
  return nullptr;
}
template <class Request, class Response>
constexpr Response* ResponseOf(absl::Status (*)(const Admin&, Transaction&, Request*, Response*)) {
  return nullptr;
}
template <class Request>
constexpr Request* RequestOf(absl::Status (*)(const Reader&, const Request&, Answer*)) {
  return nullptr;
}
template <class Request>
constexpr Request* RequestOf(absl::Status (*)(Admin&, const Reader&, const Request&, Answer*)) {
  return nullptr;
}
template <class Request, class Maker>
constexpr Request* RequestOf(absl::Status (Maker::*)(const Reader&, const Request&, Answer*)) {
  return nullptr;
}
template <class Request, class Maker>
constexpr Request* RequestOf(absl::StatusOr<StreamPart> (Maker::*)(const Reader&, const Request&)) {
  return nullptr;
}
template <auto kHandler>
using RequestType = std::remove_pointer_t<decltype(RequestOf(kHandler))>;
template <auto kHandler>
using ResponseType = std::remove_pointer_t<decltype(ResponseOf(kHandler))>;

template <auto kHandler>
constexpr Method Write(absl::string_view name) {
  return {name, true, [] {
            return std::unique_ptr<Call>(
                new WriteCall<RequestType<kHandler>, ResponseType<kHandler>, kHandler>());
          }};
}

template <auto kHandler>
constexpr Method Import(absl::string_view name) {
  return {name, true, [] {
            return std::unique_ptr<Call>(
                new ImportCall<RequestType<kHandler>, ResponseType<kHandler>, kHandler>());
          }};
}

template <auto kHandler>
constexpr Method Read(absl::string_view name) {
  return {name, false,
          [] { return std::unique_ptr<Call>(new ReadCall<RequestType<kHandler>, kHandler>()); }};
}

template <auto kHandler>
constexpr Method ReadAdmin(absl::string_view name) {
  return {name, false,
          [] { return std::unique_ptr<Call>(new AdminCall<RequestType<kHandler>, kHandler>()); }};
}

template <class Node>
constexpr Method WriteType(absl::string_view name) {
  return {name, true, [] { return std::unique_ptr<Call>(new PutTypeCall<Node>()); }, true};
}

template <class Maker>
constexpr Method Waiting(absl::string_view name) {
  return {name, false, [] {
            return std::unique_ptr<Call>(new WaitingCall<RequestType<&Maker::Read>, Maker>());
          }};
}

template <class Maker>
constexpr StreamMethod Stream(absl::string_view name) {
  return {
      name, [] {
        return std::unique_ptr<StreamCall>(new StreamCallWith<RequestType<&Maker::Next>, Maker>());
      }};
}

constexpr Method kMethods[] = {
    // Types
    WriteType<Artifact>("PutArtifactType"),
    WriteType<Execution>("PutExecutionType"),
    WriteType<Context>("PutContextType"),
    Write<&PutTypes>("PutTypes"),
    Read<&GetType<Artifact>>("GetArtifactType"),
    Read<&GetTypes<Artifact>>("GetArtifactTypes"),
    Read<&GetTypesById<Artifact>>("GetArtifactTypesByID"),
    Read<&GetTypesByExternalIds<Artifact>>("GetArtifactTypesByExternalIds"),
    Read<&GetType<Execution>>("GetExecutionType"),
    Read<&GetTypes<Execution>>("GetExecutionTypes"),
    Read<&GetTypesById<Execution>>("GetExecutionTypesByID"),
    Read<&GetTypesByExternalIds<Execution>>("GetExecutionTypesByExternalIds"),
    Read<&GetType<Context>>("GetContextType"),
    Read<&GetTypes<Context>>("GetContextTypes"),
    Read<&GetTypesById<Context>>("GetContextTypesByID"),
    Read<&GetTypesByExternalIds<Context>>("GetContextTypesByExternalIds"),
    // Nodes
    Write<&PutNodes<Artifact>>("PutArtifacts"),
    Write<&PutNodes<Execution>>("PutExecutions"),
    Write<&PutNodes<Context>>("PutContexts"),
    Read<&GetNodesById<Artifact>>("GetArtifactsByID"),
    Read<&GetNodesByExternalIds<Artifact>>("GetArtifactsByExternalIds"),
    Read<&GetNodeByTypeAndName<Artifact>>("GetArtifactByTypeAndName"),
    Read<&GetNodes<Artifact>>("GetArtifacts"),
    Read<&GetNodesByType<Artifact>>("GetArtifactsByType"),
    Read<&GetNodesById<Execution>>("GetExecutionsByID"),
    Read<&GetNodesByExternalIds<Execution>>("GetExecutionsByExternalIds"),
    Read<&GetNodeByTypeAndName<Execution>>("GetExecutionByTypeAndName"),
    Read<&GetNodes<Execution>>("GetExecutions"),
    Read<&GetNodesByType<Execution>>("GetExecutionsByType"),
    Read<&GetNodesById<Context>>("GetContextsByID"),
    Read<&GetNodesByExternalIds<Context>>("GetContextsByExternalIds"),
    Read<&GetNodeByTypeAndName<Context>>("GetContextByTypeAndName"),
    Read<&GetNodes<Context>>("GetContexts"),
    Read<&GetNodesByType<Context>>("GetContextsByType"),
    Read<&GetNodesByContext<Artifact>>("GetArtifactsByContext"),
    Read<&GetNodesByContext<Execution>>("GetExecutionsByContext"),
    Read<&GetArtifactsByUri>("GetArtifactsByURI"),
    // Executions with all around them
    Write<&PutExecution>("PutExecution"),
    Write<&PutLineageSubgraph>("PutLineageSubgraph"),
    // Events and links
    Write<&PutEvents>("PutEvents"),
    Write<&PutAttributionsAndAssociations>("PutAttributionsAndAssociations"),
    Write<&PutParentContexts>("PutParentContexts"),
    Read<&GetEventsByExecutionIds>("GetEventsByExecutionIDs"),
    Read<&GetEventsByArtifactIds>("GetEventsByArtifactIDs"),
    Read<&GetContextsOf<Artifact>>("GetContextsByArtifact"),
    Read<&GetContextsOf<Execution>>("GetContextsByExecution"),
    Read<&GetParentContexts>("GetParentContextsByContext"),
    Read<&GetChildContexts>("GetChildrenContextsByContext"),
    Read<&GetParentContextsOfMany>("GetParentContextsByContexts"),
    Read<&GetChildContextsOfMany>("GetChildrenContextsByContexts"),
    // Lineage
    Read<&GetLineageSubgraph>("GetLineageSubgraph"),
    Read<&GetLineageGraph>("GetLineageGraph"),
};

constexpr Method kQueryMethods[] = {
    Read<&Explain>("Explain"),
    Write<&AddPropertyIndex>("AddPropertyIndex"),
    Write<&DropPropertyIndex>("DropPropertyIndex"),
    Read<&ListPropertyIndexes>("ListPropertyIndexes"),
};

constexpr Method kLineageMethods[] = {
    Read<&Compare>("Compare"),
    Read<&FindPaths>("FindPaths"),
    Read<&Impact>("Impact"),
    Read<&Origins>("Origins"),
};

constexpr Method kCacheMethods[] = {
    Read<&LookUp>("Lookup"),          Waiting<CacheReserve>("LookupOrReserve"),
    Write<&RenewLease>("RenewLease"), Write<&ReleaseLease>("ReleaseLease"),
    Write<&Publish>("Publish"),       Write<&Invalidate>("Invalidate"),
    Read<&CacheStats>("Stats"),
};

constexpr StreamMethod kLineageStreams[] = {
    Stream<TraceAnswer>("Trace"),
};

constexpr StreamMethod kAuditStreams[] = {
    Stream<WatchAnswer>("Watch"),
    Stream<VerifyJournalAnswer>("VerifyJournal"),
    Stream<ExportAnswer>("Export"),
};

constexpr Method kAdminMethods[] = {
    ReadAdmin<&GetStatistics>("GetStatistics"),
};

constexpr StreamMethod kAdminStreams[] = {
    Stream<VerifyStoreAnswer>("VerifyStore"),
    Stream<BackupAnswer>("Backup"),
};

constexpr Method kImportMethods[] = {
    Import<&BeginImport>("Begin"),
    Import<&PutImport>("Put"),
    Import<&EndImport>("End"),
};

constexpr Method kTaskMethods[] = {
    Write<&CreateTaskV1>("CreateTaskV1"),
    Read<&ListTasksV1>("ListTasksV1"),
};

constexpr ServiceTable kServices[] = {
    {kServiceName, kMethods, {}},
    {kQueryServiceName, kQueryMethods, {}},
    {kCacheServiceName, kCacheMethods, {}},
    {kLineageServiceName, kLineageMethods, kLineageStreams},
    {kAuditServiceName, {}, kAuditStreams},
    {kAdminServiceName, kAdminMethods, kAdminStreams},
    {kImportServiceName, kImportMethods, {}},
    {kTaskServiceName, kTaskMethods, {}},
};

// The method of a service that is called `name`; null if there is none.
template <class AnyMethod>
const AnyMethod* FindIn(absl::Span<const AnyMethod> ServiceTable::*methods,
                        absl::string_view service, absl::string_view name) {
  for (const ServiceTable& table : kServices) {
    if (table.name != service) continue;
    for (const AnyMethod& method : table.*methods) {
      if (method.name == name) return &method;
    }
  }
  return nullptr;
}

}  // namespace

absl::Status Call::Write(Transaction&) { return absl::InternalError("this call does not write"); }
absl::Status Call::Read(const Reader&) { return absl::InternalError("this call does not read"); }
bool Call::IsWritten(const Reader&) { return false; }
absl::StatusOr<std::shared_ptr<const Version>> StreamCall::ChooseVersion(const Store& store) {
  return store.CurrentVersion();
}
const CacheWait& Call::wait() const {
  static const auto* const kNone = new CacheWait();
  return *kNone;
}

absl::Span<const ServiceTable> AllServices() { return kServices; }

absl::string_view FullNameOf(const Method& method) {
  static const auto* const kNames = [] {
    auto* names = new absl::flat_hash_map<const Method*, std::string>();
    for (const ServiceTable& table : kServices) {
      for (const Method& one : table.methods) {
        names->emplace(&one, absl::StrCat("/", table.name, "/", one.name));
      }
    }
    return names;
  }();
  const auto it = kNames->find(&method);
  return it == kNames->end() ? absl::string_view() : it->second;
}

absl::Span<const Method> AllMethods() { return kMethods; }

const Method* FindMethod(absl::string_view name) { return FindMethod(kServiceName, name); }

const Method* FindMethod(absl::string_view service, absl::string_view name) {
  return FindIn(&ServiceTable::methods, service, name);
}

const StreamMethod* FindStreamMethod(absl::string_view service, absl::string_view name) {
  return FindIn(&ServiceTable::streams, service, name);
}

}  // namespace pedigree
