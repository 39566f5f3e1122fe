// The answer to a read, built as wire bytes.
//
// Nodes are stored as the bytes of their public message, so an answer splices them, with `type`
// appended (in protobuf the last value of a field wins, and no stored message has one), instead of
// parsing and serialising each. Threads: one.
//
//   answer->AddNode(kNodesField, NodeKind::kArtifact, record);
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "store/catalog.h"
#include "store/record.h"
#include "store/wire.h"

namespace pedigree {

class Answer {
 public:
  // `catalog` is not owned and outlives this.
  explicit Answer(const Catalog& catalog) : catalog_(&catalog) {}

  // Appends field `number` holding the node and its type's name.
  void AddNode(int number, NodeKind kind, const RecordView& record);
  // Appends field `number` holding a string or a message's bytes. Inline: an answer may have tens
  // of thousands.
  void AddBytes(int number, absl::string_view bytes) {
    char* to = Room(2 * kMaxVarintBytes + bytes.size());
    if (to == nullptr) return;
    to = WriteVarint(WriteVarint(to, TagOf(number, WireType::kLength)), bytes.size());
    std::memcpy(to, bytes.data(), bytes.size());
    used_ = static_cast<size_t>(to - buffer_.data()) + bytes.size();
  }
  // The same for the first `size` bytes of an array, which is copied as a whole: without a call.
  template <size_t kSize>
  void AddShort(int number, const char (&bytes)[kSize], size_t size) {
    char* to = Room(2 * kMaxVarintBytes + kSize);
    if (to == nullptr) return;
    to = WriteVarint(WriteVarint(to, TagOf(number, WireType::kLength)), size);
    std::memcpy(to, bytes, kSize);
    used_ = static_cast<size_t>(to - buffer_.data()) + size;
  }
  void AddMessage(int number, const google::protobuf::MessageLite& message);
  // Appends the message's own fields, where the answer is a message as a whole.
  void AddFields(const google::protobuf::MessageLite& message);
  // Makes all that is there the content of field `number`.
  void Enclose(int number);
  // Appends a string field if `text` is not empty.
  void AddTextIfAny(int number, absl::string_view text);

  // ResourceExhausted if the answer would have grown beyond what a message can hold (2 GiB).
  absl::Status status() const;
  std::string Release();

 private:
  // Where to write up to `size` bytes; null, and the answer is full, if it would be too long.
  char* Room(size_t size) {
    if (buffer_.size() - used_ < size && !Grow(size)) return nullptr;
    return buffer_.data() + used_;
  }
  bool Grow(size_t size);
  absl::string_view TypeNameOf(NodeKind kind, absl::string_view message);

  const Catalog* catalog_;
  std::string buffer_;  // The answer, and room for more of it.
  size_t used_ = 0;     // Bytes of the answer.
  bool is_full_ = false;
  int64_t last_type_id_ = 0;  // Most neighbours in an answer share their type.
  absl::string_view last_type_name_;
};

}  // namespace pedigree
