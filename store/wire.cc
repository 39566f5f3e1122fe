#include "store/wire.h"

namespace pedigree {

bool WireCursor::ReadFixed(size_t size, uint64_t* value) {
  absl::string_view bytes;
  if (!reader_.ReadBytes(size, &bytes)) return false;
  *value = 0;
  for (size_t i = 0; i < size; ++i) {
    *value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  }
  return true;
}

void AppendFieldHead(std::string* out, int number, size_t size) {
  char head[2 * kMaxVarintBytes];
  char* end = WriteVarint(WriteVarint(head, TagOf(number, WireType::kLength)), size);
  out->append(head, static_cast<size_t>(end - head));
}

void AppendBytesField(std::string* out, int number, absl::string_view content) {
  AppendFieldHead(out, number, content.size());
  out->append(content.data(), content.size());
}

void AppendVarintField(std::string* out, int number, uint64_t value) {
  char field[2 * kMaxVarintBytes];
  char* end = WriteVarint(WriteVarint(field, TagOf(number, WireType::kVarint)), value);
  out->append(field, static_cast<size_t>(end - field));
}

size_t BytesFieldSize(int number, size_t content_size) {
  return VarintSize(TagOf(number, WireType::kLength)) + VarintSize(content_size) + content_size;
}

}  // namespace pedigree
