#include "store/wire.h"

#include <bit>

#include "store/codec.h"

namespace pedigree {
namespace {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

uint64_t TagOf(int number, WireType type) {
  return static_cast<uint64_t>(number) << 3 | static_cast<uint64_t>(type);
}

}  // namespace

bool WireCursor::ReadVarint(uint64_t* value) {
  ByteReader reader(rest_);
  if (!reader.ReadVarint(value)) return false;
  rest_ = reader.rest();
  return true;
}

bool WireCursor::ReadFixed(size_t size, uint64_t* value) {
  if (rest_.size() < size) return false;
  *value = 0;
  for (size_t i = 0; i < size; ++i) {
    *value |= uint64_t{static_cast<uint8_t>(rest_[i])} << (8 * i);
  }
  rest_.remove_prefix(size);
  return true;
}

std::optional<WireField> WireCursor::Next() {
  if (!ok_ || rest_.empty()) return std::nullopt;
  WireField field;
  uint64_t tag = 0;
  ok_ = ReadVarint(&tag) && tag >> 3 != 0 && tag >> 3 <= 536870911;
  if (!ok_) return std::nullopt;
  field.number = static_cast<int>(tag >> 3);
  switch (tag & 7) {
    case kVarint:
      ok_ = ReadVarint(&field.scalar);
      break;
    case kFixed64:
      ok_ = ReadFixed(8, &field.scalar);
      break;
    case kFixed32:
      ok_ = ReadFixed(4, &field.scalar);
      break;
    case kLength: {
      uint64_t size = 0;
      ok_ = ReadVarint(&size) && size <= rest_.size();
      if (!ok_) break;
      field.bytes = rest_.substr(0, size);
      rest_.remove_prefix(size);
      break;
    }
    default:  // Groups do not occur in our messages.
      ok_ = false;
  }
  if (!ok_) return std::nullopt;
  return field;
}

size_t VarintSize(uint64_t value) {
  return static_cast<size_t>((std::bit_width(value | 1) + 6) / 7);
}

void AppendFieldHead(std::string* out, int number, size_t size) {
  AppendVarint(out, TagOf(number, kLength));
  AppendVarint(out, size);
}

void AppendBytesField(std::string* out, int number, absl::string_view content) {
  AppendFieldHead(out, number, content.size());
  out->append(content.data(), content.size());
}

void AppendVarintField(std::string* out, int number, uint64_t value) {
  AppendVarint(out, TagOf(number, kVarint));
  AppendVarint(out, value);
}

size_t BytesFieldSize(int number, size_t content_size) {
  return VarintSize(TagOf(number, kLength)) + VarintSize(content_size) + content_size;
}

}  // namespace pedigree
