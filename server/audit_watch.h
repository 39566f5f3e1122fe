// The messages of pedigree.v1.AuditService.Watch: the journal from an entry on, then what comes.
//
// Every message is made from the newest version (Stream follows), so a client that reads slowly
// keeps nothing from being cleaned up. It may look through a bounded part of the journal for a
// message: one that matches nothing says how far it has come. Threads: one at a time.
//
//   WatchAnswer answer;
//   auto part = answer.Next(reader, request);   // kNothingYet: again when the journal has grown
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "pedigree/v1/audit.pb.h"
#include "server/audit_message.h"
#include "server/methods.h"
#include "store/journal.h"
#include "store/reader.h"

namespace pedigree {

// How often a client hears that nothing has matched.
inline constexpr std::chrono::seconds kWatchHeartbeat{60};

class WatchAnswer {
 public:
  static constexpr bool kFollows = true;

  explicit WatchAnswer(std::chrono::milliseconds heartbeat = kWatchHeartbeat)
      : heartbeat_(heartbeat) {}

  // Errors: InvalidArgument if the request is wrong; FailedPrecondition if the journal ends before
  // its entry; as Reader.
  absl::StatusOr<StreamPart> Next(const Reader& reader, const v1::WatchRequest& request);

 private:
  absl::Status Begin(const Reader& reader, const v1::WatchRequest& request);
  bool Matches(const JournalEntry& entry) const;
  // Adds entries that match, up to the bounds of a message.
  absl::Status Scan(const Reader& reader, BeforeImages images, v1::WatchResponse* response);

  const std::chrono::milliseconds heartbeat_;
  int64_t next_ = 0;    // The entry to look at next; 0 before the first message.
  uint32_t kinds_ = 0;  // A bit for each; none: all.
  absl::flat_hash_set<std::string> methods_;
  bool has_sent_ = false;
  std::chrono::steady_clock::time_point last_sent_ = {};
};

}  // namespace pedigree
