// Records of contexts as the store has them, for the committer: nearly every PutExecution names the
// contexts of its run and pipeline again, and a look-up costs ten times what the rest of an
// unchanged context does. Only committed values are kept. Threads: one (the committer).
//
//   if (const std::string* value = cache.Find(key)) ...
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "store/keys.h"

namespace pedigree {

class ContextCache {
 public:
  // Whether a value under this key is cached.
  static bool Covers(absl::string_view key) {
    return key.size() > kKeyHeadBytes && key[kKeyHeadBytes - 1] == static_cast<char>(Tag::kNode) &&
           key[kKeyHeadBytes] == static_cast<char>(NodeKind::kContext);
  }

  // Null if the value is not known. Valid until the next call of another method.
  const std::string* Find(absl::string_view key) const {
    auto it = values_.find(key);
    return it == values_.end() ? nullptr : &it->second;
  }

  // Large records are not kept; a full cache begins anew.
  void Remember(absl::string_view key, absl::string_view value) {
    if (value.size() > kMaxValueBytes) return;
    if (values_.size() >= kMaxEntries) values_.clear();
    values_[key] = std::string(value);
  }

  // To be called for every key that a group writes.
  void Forget(absl::string_view key) { values_.erase(key); }

 private:
  static constexpr size_t kMaxEntries = 4096;
  static constexpr size_t kMaxValueBytes = 4096;

  absl::flat_hash_map<std::string, std::string> values_;
};

}  // namespace pedigree
