#include "store/pinned_versions.h"

#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/reader.h"

namespace pedigree {

PinnedVersions::PinnedVersions(std::function<int64_t()> steady_ms)
    : steady_ms_(std::move(steady_ms)) {}

absl::StatusOr<std::shared_ptr<const Version>> PinnedVersions::Pin(
    const std::string& name, std::shared_ptr<const Version> version) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = pinned_.find(name);
  if (found == pinned_.end()) {
    if (!MakeRoom()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("there are ", kMaxPinnedVersions,
                       " snapshots of the store in use, which is all that are kept at once; retry "
                       "when one of these exports has ended"));
    }
    found = pinned_.emplace(name, Pinned{.version = std::move(version)}).first;
    size_.store(pinned_.size(), std::memory_order_relaxed);
  }
  return Use(found);
}

std::shared_ptr<const Version> PinnedVersions::Find(absl::string_view name) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = pinned_.find(name);
  if (found == pinned_.end() || IsExpired(found->second)) return nullptr;
  return Use(found);
}

void PinnedVersions::DropExpired() {
  if (size_.load(std::memory_order_relaxed) == 0) return;
  std::vector<std::shared_ptr<const Version>> dropped;  // They go after the lock.
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = pinned_.begin(); it != pinned_.end();) {
    const auto next = std::next(it);
    if (IsExpired(it->second)) {
      dropped.push_back(std::move(it->second.version));
      pinned_.erase(it);
    }
    it = next;
  }
  size_.store(pinned_.size(), std::memory_order_relaxed);
}

std::shared_ptr<const Version> PinnedVersions::Use(Table::iterator pinned) {
  ++pinned->second.users;
  return {pinned->second.version.get(),
          [this, name = pinned->first, version = pinned->second.version](const Version*) {
            std::lock_guard<std::mutex> lock(mutex_);
            Release(name);
          }};
}

void PinnedVersions::Release(const std::string& name) {
  Pinned& pinned = pinned_.find(name)->second;  // What is in use is never dropped.
  --pinned.users;
  pinned.last_used_ms = steady_ms_();
}

bool PinnedVersions::IsExpired(const Pinned& pinned) const {
  constexpr int64_t kForMs = std::chrono::milliseconds(kPinnedFor).count();
  return pinned.users == 0 && steady_ms_() - pinned.last_used_ms >= kForMs;
}

bool PinnedVersions::MakeRoom() {
  if (pinned_.size() < kMaxPinnedVersions) return true;
  auto oldest = pinned_.end();
  for (auto it = pinned_.begin(); it != pinned_.end(); ++it) {
    if (it->second.users > 0) continue;
    if (oldest == pinned_.end() || it->second.last_used_ms < oldest->second.last_used_ms) {
      oldest = it;
    }
  }
  if (oldest == pinned_.end()) return false;
  pinned_.erase(oldest);
  return true;
}

}  // namespace pedigree
