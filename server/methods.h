// The tables of all calls: from a method's name and request bytes to reply bytes.
//
// It knows nothing of gRPC, so that every transport (and a test) calls the same tables. A Call
// lives from the arrival of a request to its reply, and is used by one thread at a time.
//
//   const Method* method = FindMethod("GetArtifactsByID");
//   std::unique_ptr<Call> call = method->make();
//   if (absl::Status status = call->Parse(bytes); !status.ok()) ...
//   status = method->writes ? call->Write(transaction) : call->Read(reader);
//   Send(call->ReleaseReply());
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/reader.h"
#include "store/store.h"
#include "store/transaction.h"

namespace pedigree {

class Admin;

// What a call needs after a Read() or Write() that went well.
enum class CallNeeds : uint8_t {
  kNothing,  // The reply is there.
  kWrite,    // Write().
  kRead,     // Read() once more, of a version that has what Write() has seen.
  kChange,   // Read() once more when something has changed: wait().
};

// What a call waits for.
struct CacheWait {
  std::string fingerprint_text;  // That other entries or leases of this fingerprint come up;
  std::string lease_key;         // or that this lease
  int64_t lease_end_ms = 0;      // runs out, by CacheRuntime::steady_ms;
  std::chrono::steady_clock::time_point deadline;  // but not for longer.
};

class Call {
 public:
  virtual ~Call() = default;

  // What stands beside the store (admin.h), before anything else. Not owned; outlives this.
  virtual void SetAdmin(Admin*) {}
  // Reads the request and checks what can be checked without the store (validate.h).
  // InvalidArgument if the bytes are no such request.
  virtual absl::Status Parse(absl::string_view request) = 0;
  // Runs the call; which of the two a method has, Method::writes says. Read() may be called again
  // after it has failed.
  virtual absl::Status Write(Transaction& transaction);
  virtual absl::Status Read(const Reader& reader);
  // Of a method with Method::may_be_written: whether everything that Write() would write is in the
  // store. The reply is then ready, and Write() need not run. Never waits.
  virtual bool IsWritten(const Reader& reader);

  // Most calls need nothing more. One that does begins with Read(), whatever Method::writes says.
  virtual CallNeeds needs() const { return CallNeeds::kNothing; }
  // Of kWrite and kChange.
  virtual const CacheWait& wait() const;

  // Whether Write() may run while the store is being imported: it is a part of that.
  virtual bool imports() const { return false; }

  // Serialises the reply, after success.
  virtual std::string ReleaseReply() = 0;
};

// One message of a stream.
struct StreamPart {
  enum class Place : uint8_t {
    kWithin,
    kLast,
    kNothingYet,  // No message: of a stream that follows the journal, until that grows.
  };

  std::string message;
  Place place = Place::kWithin;
  std::chrono::steady_clock::time_point wait_until = {};  // Of kNothingYet: but not for longer.
};

// A call that answers with a stream of messages (stream.h). Used by one thread at a time.
class StreamCall {
 public:
  virtual ~StreamCall() = default;

  // As Call::SetAdmin() and Call::Parse().
  virtual void SetAdmin(Admin*) {}
  virtual absl::Status Parse(absl::string_view request) = 0;
  // The version to make all messages from; asked once, after Parse(), on a thread that must not
  // wait. The newest, unless the request names another.
  virtual absl::StatusOr<std::shared_ptr<const Version>> ChooseVersion(const Store& store);
  // Whether each message is made from the newest version instead, so that none is kept meanwhile.
  virtual bool follows() const { return false; }
  // Makes the next message, until one was the last. Readers differ from one time to the next, but
  // not their version unless it follows; they may wait.
  virtual absl::StatusOr<StreamPart> Next(const Reader& reader) = 0;
};

struct Method {
  absl::string_view name;
  bool writes;  // Begins, and ends, with Write().
  std::unique_ptr<Call> (*make)();
  // A write that clients repeat, though it changes nothing after the first time: it is asked
  // IsWritten() before it waits for the disk.
  bool may_be_written = false;
};

struct StreamMethod {
  absl::string_view name;
  std::unique_ptr<StreamCall> (*make)();
};

// A gRPC service: its full name and its methods, by what they answer with.
struct ServiceTable {
  absl::string_view name;
  absl::Span<const Method> methods;
  absl::Span<const StreamMethod> streams;
};

inline constexpr absl::string_view kServiceName = "ml_metadata.MetadataStoreService";
inline constexpr absl::string_view kQueryServiceName = "pedigree.v1.QueryService";
inline constexpr absl::string_view kCacheServiceName = "pedigree.v1.CacheService";
inline constexpr absl::string_view kLineageServiceName = "pedigree.v1.LineageService";
inline constexpr absl::string_view kAuditServiceName = "pedigree.v1.AuditService";
inline constexpr absl::string_view kAdminServiceName = "pedigree.v1.AdminService";
inline constexpr absl::string_view kImportServiceName = "pedigree.v1.ImportService";
inline constexpr absl::string_view kTaskServiceName = "api.TaskService";

// All services of the server.
absl::Span<const ServiceTable> AllServices();

// "/package.Service/Method", of a method of AllServices(); "" for any other. Lives forever.
absl::string_view FullNameOf(const Method& method);

// All 52 methods of kServiceName.
absl::Span<const Method> AllMethods();
// One of kServiceName; null if there is none of that name.
const Method* FindMethod(absl::string_view name);
// One of any service; null if there is none.
const Method* FindMethod(absl::string_view service, absl::string_view name);
const StreamMethod* FindStreamMethod(absl::string_view service, absl::string_view name);

}  // namespace pedigree
