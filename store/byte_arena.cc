#include "store/byte_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace pedigree {
namespace {

constexpr size_t kFirstBlock = size_t{4} << 10;

}  // namespace

ByteArena::Place ByteArena::Add(size_t size) {
  const size_t rounded = Rounded(size);
  if (!HasRoomFor(rounded)) AddBlock(rounded);
  const auto place = static_cast<Place>((blocks_.size() - 1) * kUnitsPerBlock + used_ / kUnit);
  used_ += rounded;
  return place;
}

size_t ByteArena::NextBlock(size_t least) const {
  // No more than a part of what is there is taken before it is filled.
  return std::max(std::clamp(Rounded(bytes_ / 4), kFirstBlock, kMaxBlock), least);
}

void ByteArena::AddBlock(size_t least) {
  block_bytes_ = NextBlock(least);
  bytes_ += block_bytes_;
  used_ = 0;
  const bool is_huge = block_bytes_ == kMaxBlock;
  void* block = is_huge ? std::aligned_alloc(kMaxBlock, block_bytes_) : std::malloc(block_bytes_);
  if (block == nullptr) throw std::bad_alloc();
  blocks_.emplace_back(static_cast<char*>(block));
  if (is_huge) (void)madvise(block, block_bytes_, MADV_HUGEPAGE);  // It is no more than a hint.
}

}  // namespace pedigree
