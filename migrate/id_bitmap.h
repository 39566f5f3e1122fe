// A set of ids, a bit each where they are dense.
//
// Value type; threads: one.
//
//   ids.Insert(7);
//   if (ids.Contains(7)) ...
#pragma once

#include <bitset>
#include <cstdint>

#include "absl/container/flat_hash_map.h"

namespace pedigree::migrate {

class IdBitmap {
 public:
  void Insert(int64_t id) {
    if (last_ == nullptr || Page(id) != last_page_) {
      last_page_ = Page(id);
      last_ = &pages_[last_page_];
    }
    last_->set(Bit(id));
  }
  bool Contains(int64_t id) const {
    const auto it = pages_.find(Page(id));
    return it != pages_.end() && it->second.test(Bit(id));
  }

 private:
  static constexpr int64_t kIdsPerPage = 4096;
  static int64_t Page(int64_t id) { return id >> 12; }
  static size_t Bit(int64_t id) { return static_cast<size_t>(id & (kIdsPerPage - 1)); }

  absl::flat_hash_map<int64_t, std::bitset<kIdsPerPage>> pages_;
  int64_t last_page_ = 0;
  std::bitset<kIdsPerPage>* last_ = nullptr;  // Valid until the next page is added.
};

}  // namespace pedigree::migrate
