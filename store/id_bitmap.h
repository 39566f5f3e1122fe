// A set of ids, a bit each where they are dense.
//
// Value type; threads: one.
//
//   ids.Insert(7);
//   if (ids.Contains(7)) ...
//   for (auto id = ids.FirstFrom(1); id.has_value(); id = ids.FirstFrom(*id + 1)) ...
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace pedigree {

class IdBitmap {
 public:
  IdBitmap() = default;
  IdBitmap(const IdBitmap& other) : pages_(other.pages_) {}
  IdBitmap& operator=(const IdBitmap& other) {
    if (this != &other) *this = IdBitmap(other);
    return *this;
  }
  IdBitmap(IdBitmap&& other) noexcept { *this = std::move(other); }
  IdBitmap& operator=(IdBitmap&& other) noexcept {
    pages_.swap(other.pages_);  // Pages stay where they are.
    std::swap(last_page_, other.last_page_);
    std::swap(last_, other.last_);
    return *this;
  }

  // REQUIRES of ids that are inserted or removed, or begun with: at least 0.
  void Insert(int64_t id) {
    if (last_ == nullptr || PageOf(id) != last_page_) {
      last_page_ = PageOf(id);
      last_ = &pages_[last_page_];
    }
    (*last_)[WordOf(id)] |= BitOf(id);
  }
  bool Contains(int64_t id) const {
    if (id < 0) return false;
    const auto it = pages_.find(PageOf(id));
    return it != pages_.end() && (it->second[WordOf(id)] & BitOf(id)) != 0;
  }
  // Inserts the id; whether it was not there.
  bool InsertNew(int64_t id) {
    const bool is_new = !Contains(id);
    if (is_new) Insert(id);
    return is_new;
  }
  void Remove(int64_t id) {
    const auto it = pages_.find(PageOf(id));
    if (it != pages_.end()) it->second[WordOf(id)] &= ~BitOf(id);
  }

  // The least id that is at least this.
  std::optional<int64_t> FirstFrom(int64_t id) const {
    for (auto it = pages_.lower_bound(PageOf(id)); it != pages_.end(); ++it) {
      size_t word = it->first == PageOf(id) ? WordOf(id) : 0;
      uint64_t mask = it->first == PageOf(id) ? ~(BitOf(id) - 1) : ~uint64_t{0};
      for (; word < kWords; ++word, mask = ~uint64_t{0}) {
        const uint64_t bits = it->second[word] & mask;
        if (bits != 0) {
          return it->first * kIdsPerPage + static_cast<int64_t>(word) * kWordBits +
                 std::countr_zero(bits);
        }
      }
    }
    return std::nullopt;
  }

  // Keeps what is in `other` too.
  void IntersectWith(const IdBitmap& other) {
    for (auto& [page, words] : pages_) {
      const auto it = other.pages_.find(page);
      for (size_t i = 0; i < kWords; ++i) words[i] &= it == other.pages_.end() ? 0 : it->second[i];
    }
  }

 private:
  static constexpr int64_t kWordBits = 64;
  static constexpr size_t kWords = 64;
  static constexpr int64_t kIdsPerPage = kWordBits * kWords;
  using Words = std::array<uint64_t, kWords>;

  static int64_t PageOf(int64_t id) { return id / kIdsPerPage; }
  static size_t WordOf(int64_t id) { return static_cast<size_t>(id % kIdsPerPage / kWordBits); }
  static uint64_t BitOf(int64_t id) { return uint64_t{1} << (id % kWordBits); }

  std::map<int64_t, Words> pages_;
  int64_t last_page_ = 0;
  Words* last_ = nullptr;  // In pages_.
};

}  // namespace pedigree
