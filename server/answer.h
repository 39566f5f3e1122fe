// The answer to a read, built as wire bytes.
//
// Nodes are stored as the bytes of their public message, so an answer splices them, with `type`
// appended (in protobuf the last value of a field wins, and no stored message has one), instead of
// parsing and serialising each. Threads: one.
//
//   answer->AddNode(kNodesField, NodeKind::kArtifact, record);
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "store/catalog.h"
#include "store/record.h"

namespace pedigree {

class Answer {
 public:
  // `catalog` is not owned and outlives this.
  explicit Answer(const Catalog& catalog) : catalog_(&catalog) {}

  // Appends field `number` holding the node and its type's name.
  void AddNode(int number, NodeKind kind, const RecordView& record);
  // Appends field `number` holding a string or a message's bytes.
  void AddBytes(int number, absl::string_view bytes);
  void AddMessage(int number, const google::protobuf::MessageLite& message);
  // Appends the message's own fields, where the answer is a message as a whole.
  void AddFields(const google::protobuf::MessageLite& message);
  // Makes all that is there the content of field `number`.
  void Enclose(int number);
  // Appends a string field if `text` is not empty.
  void AddTextIfAny(int number, absl::string_view text);

  // ResourceExhausted if the answer would have grown beyond what a message can hold (2 GiB).
  absl::Status status() const;
  std::string Release() { return std::move(bytes_); }

 private:
  bool HasRoomFor(size_t size);
  absl::string_view TypeNameOf(NodeKind kind, absl::string_view message);

  const Catalog* catalog_;
  std::string bytes_;
  bool is_full_ = false;
  int64_t last_type_id_ = 0;  // Most neighbours in an answer share their type.
  absl::string_view last_type_name_;
};

}  // namespace pedigree
