// Versions that are kept by name for a while, for readers that come back to one: a long answer that
// broke off goes on where it was, while writes go on.
//
// What is pinned also keeps on the disk what later writes replace. So there are few, and who does
// not come back in time finds his gone. A version that is in use stays. The committer drops what
// has run out after each commit: without writes a version costs nothing.
// Threads: any.
//
//   auto version = pins.Pin("17-ab12", store.CurrentVersion());   // in use until it is let go
//   auto again = pins.Find("17-ab12");                            // null if it is gone
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree {

struct Version;

inline constexpr size_t kMaxPinnedVersions = 4;
inline constexpr std::chrono::minutes kPinnedFor{15};

class PinnedVersions {
 public:
  // `steady_ms`: a monotonic clock.
  explicit PinnedVersions(std::function<int64_t()> steady_ms);

  // Keeps the version under the name, or answers the one that is there. It is in use as long as
  // somebody holds the answer, and stays for kPinnedFor after that. Takes the place of the one that
  // has been out of use the longest if there are too many.
  // Errors: ResourceExhausted if all are in use.
  absl::StatusOr<std::shared_ptr<const Version>> Pin(const std::string& name,
                                                     std::shared_ptr<const Version> version);
  // Null if there is none of that name.
  std::shared_ptr<const Version> Find(absl::string_view name);

  // Lets go of what has run out. Cheap if there is none.
  void DropExpired();

 private:
  struct Pinned {
    std::shared_ptr<const Version> version;
    size_t users = 0;
    int64_t last_used_ms = 0;
  };
  using Table = std::map<std::string, Pinned, std::less<>>;

  // REQUIRES of these: the lock is held.
  std::shared_ptr<const Version> Use(Table::iterator pinned);
  bool IsExpired(const Pinned& pinned) const;
  bool MakeRoom();
  void Release(const std::string& name);

  const std::function<int64_t()> steady_ms_;
  std::atomic<size_t> size_ = 0;
  std::mutex mutex_;
  Table pinned_;  // Guarded by mutex_.
};

}  // namespace pedigree
