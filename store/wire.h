// Reads protobuf wire bytes field by field without building a message, and appends fields.
//
// Answers splice stored bytes, and most questions about a node (its type, its times) need two or
// three top-level fields: walking over the rest costs nanoseconds, parsing it microseconds.
// Borrowed bytes; value types, any thread.
//
//   WireCursor cursor(bytes);
//   while (auto field = cursor.Next()) { if (field->number == 2) type_id = field->AsInt64(); }
//   if (!cursor.ok()) ...  // damaged
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "store/codec.h"

namespace pedigree {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

constexpr uint64_t TagOf(int number, WireType type) {
  return static_cast<uint64_t>(number) << 3 | static_cast<uint64_t>(type);
}

struct WireField {
  int number = 0;
  uint64_t scalar = 0;      // Of varint and fixed fields.
  absl::string_view bytes;  // Of length-delimited fields.

  int64_t AsInt64() const { return static_cast<int64_t>(scalar); }
};

class WireCursor {
 public:
  explicit WireCursor(absl::string_view bytes) : reader_(bytes) {}

  // The next field, nullopt at the end or at bytes that are no field.
  std::optional<WireField> Next() {
    WireField field;
    if (!ok_ || reader_.AtEnd() || !(ok_ = Read(&field))) return std::nullopt;
    return field;
  }
  // False once Next() has met bytes that are no field.
  bool ok() const { return ok_; }

 private:
  // Inline: answers ask it of every event and node they have.
  bool Read(WireField* field) {
    constexpr uint64_t kLastNumber = (uint64_t{1} << 29) - 1;
    uint64_t tag = 0;
    if (!reader_.ReadVarint(&tag) || tag >> 3 == 0 || tag >> 3 > kLastNumber) return false;
    field->number = static_cast<int>(tag >> 3);
    switch (static_cast<WireType>(tag & 7)) {
      case WireType::kVarint:
        return reader_.ReadVarint(&field->scalar);
      case WireType::kFixed64:
        return ReadFixed(8, &field->scalar);
      case WireType::kFixed32:
        return ReadFixed(4, &field->scalar);
      case WireType::kLength: {
        uint64_t size = 0;
        return reader_.ReadVarint(&size) && reader_.ReadBytes(size, &field->bytes);
      }
    }
    return false;  // Groups do not occur in our messages.
  }
  bool ReadFixed(size_t size, uint64_t* value);

  ByteReader reader_;
  bool ok_ = true;
};

// Bytes that AppendVarint (codec.h) would append.
constexpr size_t VarintSize(uint64_t value) {
  return static_cast<size_t>((std::bit_width(value | 1) + 6) / 7);
}

// Appends tag and length of a length-delimited field; `size` bytes of content must follow.
void AppendFieldHead(std::string* out, int number, size_t size);
void AppendBytesField(std::string* out, int number, absl::string_view content);
void AppendVarintField(std::string* out, int number, uint64_t value);

// Bytes that AppendBytesField would append.
size_t BytesFieldSize(int number, size_t content_size);

}  // namespace pedigree
