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

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree {

struct WireField {
  int number = 0;
  uint64_t scalar = 0;      // Of varint and fixed fields.
  absl::string_view bytes;  // Of length-delimited fields.

  int64_t AsInt64() const { return static_cast<int64_t>(scalar); }
};

class WireCursor {
 public:
  explicit WireCursor(absl::string_view bytes) : rest_(bytes) {}

  // The next field, nullopt at the end or at bytes that are no field.
  std::optional<WireField> Next();
  // False once Next() has met bytes that are no field.
  bool ok() const { return ok_; }

 private:
  bool ReadVarint(uint64_t* value);
  bool ReadFixed(size_t size, uint64_t* value);

  absl::string_view rest_;
  bool ok_ = true;
};

// Bytes that AppendVarint (codec.h) would append.
size_t VarintSize(uint64_t value);

// Appends tag and length of a length-delimited field; `size` bytes of content must follow.
void AppendFieldHead(std::string* out, int number, size_t size);
void AppendBytesField(std::string* out, int number, absl::string_view content);
void AppendVarintField(std::string* out, int number, uint64_t value);

// Bytes that AppendBytesField would append.
size_t BytesFieldSize(int number, size_t content_size);

}  // namespace pedigree
