// An array that grows under its readers: elements never move.
//
// Pages of 2 MiB come as they are needed, zeroed, so that a small store pays for little and growth
// copies nothing. One thread grows it; any thread may read elements that were there when it learnt
// of their indices.
//
//   PagedArray<Slot> slots;
//   slots.Grow(7).first.store(...);
//   const Slot* slot = slots.Find(8);   // Null if no index near 8 was ever grown to.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace pedigree {

// Zeroed memory that is only taken from the system where it is touched; `wants_huge_page` asks for
// huge pages, which save walks that jump all over an array half of their misses. Throws
// std::bad_alloc. FreePages() gives it back.
void* AllocatePages(size_t bytes, bool wants_huge_page);
void FreePages(void* pages, size_t bytes);

template <class T>
class PagedArray {
 public:
  // Zeroed bytes are an element that nobody has written to, and pages go without destructors.
  static_assert(std::is_trivially_destructible_v<T>);
  static constexpr size_t kPageBytes = size_t{2} << 20;
  static constexpr size_t kPerPage = std::bit_floor(kPageBytes / sizeof(T));
  static constexpr size_t kMostPages = ((uint64_t{1} << 32) + kPerPage - 1) / kPerPage;

  PagedArray() : pages_(static_cast<Page*>(AllocatePages(kMostPages * sizeof(Page), false))) {}
  ~PagedArray() {
    size_t left = page_count_.load(std::memory_order_relaxed);
    for (size_t i = 0; left > 0; ++i) {
      T* elements = pages_[i].load(std::memory_order_relaxed);
      if (elements == nullptr) continue;
      FreePages(elements, kPerPage * sizeof(T));
      --left;
    }
    FreePages(pages_, kMostPages * sizeof(Page));
  }
  PagedArray(const PagedArray&) = delete;
  PagedArray& operator=(const PagedArray&) = delete;

  // The element, in a page made for it if there is none.
  T& Grow(uint32_t index) {
    Page& page = pages_[index / kPerPage];
    T* elements = page.load(std::memory_order_relaxed);
    if (elements == nullptr) {
      // Not the first page: in a small store it stays nearly empty.
      elements = static_cast<T*>(AllocatePages(kPerPage * sizeof(T), index >= kPerPage));
      page.store(elements, std::memory_order_release);
      page_count_.fetch_add(1, std::memory_order_relaxed);
    }
    return elements[index % kPerPage];
  }

  // Null if its page was never made.
  const T* Find(uint32_t index) const {
    const T* elements = pages_[index / kPerPage].load(std::memory_order_acquire);
    return elements == nullptr ? nullptr : elements + index % kPerPage;
  }
  // REQUIRES: Grow(index) happened before.
  const T& operator[](uint32_t index) const {
    return pages_[index / kPerPage].load(std::memory_order_acquire)[index % kPerPage];
  }

  // Memory of its pages.
  size_t bytes() const {
    return page_count_.load(std::memory_order_relaxed) * kPerPage * sizeof(T);
  }

 private:
  using Page = std::atomic<T*>;

  Page* pages_;  // kMostPages of them; the system only maps those that are touched.
  std::atomic<size_t> page_count_ = 0;
};

}  // namespace pedigree
