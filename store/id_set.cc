#include "store/id_set.h"

namespace pedigree {
namespace {
constexpr size_t kBitmapBytes = 32;
}

int IdSet::Size() const {
  int size = 0;
  for (uint64_t word : words_) size += std::popcount(word);
  return size;
}

int IdSet::Next(int from) const {
  for (int word = from / 64; word < 4; ++word) {
    uint64_t bits = words_[static_cast<size_t>(word)];
    if (word == from / 64) bits &= ~uint64_t{0} << (from % 64);
    if (bits != 0) return word * 64 + std::countr_zero(bits);
  }
  return 256;
}

int IdSet::Previous(int from) const {
  if (from < 0) return -1;
  for (int word = from / 64; word >= 0; --word) {
    uint64_t bits = words_[static_cast<size_t>(word)];
    if (word == from / 64) bits &= ~uint64_t{0} >> (63 - from % 64);
    if (bits != 0) return word * 64 + 63 - std::countl_zero(bits);
  }
  return -1;
}

std::string IdSet::Encode() const {
  std::string bytes;
  if (static_cast<size_t>(Size()) < kBitmapBytes) {
    for (int i = Next(0); i < 256; i = Next(i + 1)) bytes.push_back(static_cast<char>(i));
    return bytes;
  }
  bytes.resize(kBitmapBytes);
  for (size_t i = 0; i < kBitmapBytes; ++i) {
    bytes[i] = static_cast<char>(words_[i / 8] >> (8 * (i % 8)));
  }
  return bytes;
}

bool IdSet::Decode(absl::string_view bytes, IdSet* out) {
  *out = IdSet();
  if (bytes.empty() || bytes.size() > kBitmapBytes) return false;
  if (bytes.size() == kBitmapBytes) {
    for (size_t i = 0; i < kBitmapBytes; ++i) {
      out->words_[i / 8] |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * (i % 8));
    }
    return static_cast<size_t>(out->Size()) >= kBitmapBytes;
  }
  int last = -1;
  for (char c : bytes) {
    const auto offset = static_cast<uint8_t>(c);
    if (offset <= last) return false;
    out->Add(offset);
    last = offset;
  }
  return true;
}

}  // namespace pedigree
