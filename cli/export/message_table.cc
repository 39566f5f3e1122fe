#include "cli/export/message_table.h"

#include <mutex>

#include "absl/strings/str_cat.h"

namespace pedigree::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

FieldTable::Kind KindOf(const FieldDescriptor& field) {
  if (field.is_map()) return FieldTable::Kind::kMap;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return FieldTable::Kind::kInt64;
    case FieldDescriptor::CPPTYPE_UINT64:
      return FieldTable::Kind::kUint64;
    case FieldDescriptor::CPPTYPE_BOOL:
      return FieldTable::Kind::kBool;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return FieldTable::Kind::kDouble;
    case FieldDescriptor::CPPTYPE_ENUM:
      return FieldTable::Kind::kEnum;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FieldTable::Kind::kMessage;
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? FieldTable::Kind::kBytes
                                                         : FieldTable::Kind::kString;
    default:
      return FieldTable::Kind::kInt32;
  }
}

}  // namespace

const MessageTable& MessageTable::Of(const Descriptor& descriptor) {
  // Never destroyed, so that statics may hold tables; found before its fields are, for messages
  // within themselves.
  static auto* const mutex = new std::recursive_mutex();
  static auto* const tables =
      new absl::flat_hash_map<const Descriptor*, std::unique_ptr<MessageTable>>();
  std::lock_guard<std::recursive_mutex> lock(*mutex);
  if (const auto found = tables->find(&descriptor); found != tables->end()) return *found->second;
  MessageTable* const table =
      tables->emplace(&descriptor, std::make_unique<MessageTable>()).first->second.get();
  table->name_ = descriptor.full_name();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& from = *descriptor.field(i);
    auto field = std::make_unique<FieldTable>();
    field->number = from.number();
    field->kind = KindOf(from);
    field->is_repeated = from.is_repeated() && !from.is_map();
    field->is_packed = from.is_packed();
    field->name = from.name();
    field->quoted = absl::StrCat("\"", from.name(), "\":");
    if (from.message_type() != nullptr) field->message = &Of(*from.message_type());
    field->enumeration = from.enum_type();
    const auto number = static_cast<size_t>(from.number());
    if (table->by_number_.size() <= number) table->by_number_.resize(number + 1);
    table->by_number_[number] = field.get();
    table->by_name_.emplace(field->name, field.get());
    table->fields_.push_back(std::move(field));
  }
  return *table;
}

}  // namespace pedigree::cli
