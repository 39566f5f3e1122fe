#include "store/byte_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace pedigree {
namespace {

constexpr size_t kFirstBlock = size_t{16} << 10;

}  // namespace

ByteArena::Place ByteArena::Add(size_t size) {
  const size_t rounded = (size + kUnit - 1) / kUnit * kUnit;
  if (blocks_.empty() || used_ + rounded > block_bytes_) AddBlock(rounded);
  const auto place = static_cast<Place>((blocks_.size() - 1) * kUnitsPerBlock + used_ / kUnit);
  used_ += rounded;
  return place;
}

void ByteArena::AddBlock(size_t least) {
  block_bytes_ = std::max(std::clamp(2 * block_bytes_, kFirstBlock, kMaxBlock), least);
  used_ = 0;
  const bool is_huge = block_bytes_ == kMaxBlock;
  void* block = is_huge ? std::aligned_alloc(kMaxBlock, block_bytes_) : std::malloc(block_bytes_);
  if (block == nullptr) throw std::bad_alloc();
  blocks_.emplace_back(static_cast<char*>(block));
  if (is_huge) (void)madvise(block, block_bytes_, MADV_HUGEPAGE);  // It is no more than a hint.
}

}  // namespace pedigree
