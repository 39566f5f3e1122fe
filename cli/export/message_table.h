// What a printer and a reader of wire bytes must know of a message, made once from its descriptor.
//
// Immutable after MessageTable::Of(); any thread.
//
//   const MessageTable& table = MessageTable::Of(*v1::ExportRecord::descriptor());
//   const FieldTable* field = table.Find(5);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace pedigree::cli {

class MessageTable;

struct FieldTable {
  // How a value stands in JSON.
  enum class Kind : uint8_t {
    kInt32,   // A number.
    kInt64,   // Its digits as a string, for readers that have doubles only.
    kUint64,  // The same.
    kBool,
    kDouble,
    kEnum,  // Its name.
    kString,
    kBytes,    // Base64.
    kMessage,  // An object.
    kMap,      // An object by its keys, which are strings.
  };

  int number = 0;
  Kind kind = Kind::kInt32;
  bool is_repeated = false;  // An array; not of a map.
  bool is_packed = false;
  std::string name;
  std::string quoted;                     // "name": with its colon.
  const MessageTable* message = nullptr;  // Of kMessage, and of a map its entry.
  const google::protobuf::EnumDescriptor* enumeration = nullptr;  // Of kEnum.
};

class MessageTable {
 public:
  // REQUIRES: fields of the kinds above only; keys of maps are strings.
  static const MessageTable& Of(const google::protobuf::Descriptor& descriptor);

  // Null if there is none.
  const FieldTable* Find(int number) const {
    return number > 0 && static_cast<size_t>(number) < by_number_.size()
               ? by_number_[static_cast<size_t>(number)]
               : nullptr;
  }
  const FieldTable* Find(absl::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::vector<std::unique_ptr<FieldTable>> fields_;
  std::vector<const FieldTable*> by_number_;
  absl::flat_hash_map<absl::string_view, const FieldTable*> by_name_;
};

}  // namespace pedigree::cli
