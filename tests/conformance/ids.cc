#include "tests/conformance/ids.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/conformance/reflection.h"

namespace pedigree::conformance {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Beyond every id that a server under test gives out, and beyond every recorded id.
constexpr int64_t kFirstInventedId = 1'000'000;
constexpr int64_t kUnboundRequestOffset = 1'000'000'000'000;
constexpr int64_t kUnboundAnswerOffset = 1'000'000'000'000'000;

struct NamedKind {
  absl::string_view name;
  IdKind kind;
};

// The kind of the field `id`, by the message that it belongs to.
constexpr NamedKind kKindOfMessage[] = {
    {"Artifact", IdKind::kArtifact},  {"Execution", IdKind::kExecution},
    {"Context", IdKind::kContext},    {"ArtifactType", IdKind::kType},
    {"ExecutionType", IdKind::kType}, {"ContextType", IdKind::kType},
};

// The kind of any other field, by its name.
constexpr NamedKind kKindOfField[] = {
    {"artifact_id", IdKind::kArtifact},   {"artifact_ids", IdKind::kArtifact},
    {"execution_id", IdKind::kExecution}, {"execution_ids", IdKind::kExecution},
    {"context_id", IdKind::kContext},     {"context_ids", IdKind::kContext},
    {"child_id", IdKind::kContext},       {"parent_id", IdKind::kContext},
    {"type_id", IdKind::kType},           {"type_ids", IdKind::kType},
    {"artifact_type_ids", IdKind::kType}, {"execution_type_ids", IdKind::kType},
    {"context_type_ids", IdKind::kType},
};

constexpr NamedKind kKindOfTemplate[] = {
    {"artifact", IdKind::kArtifact},
    {"execution", IdKind::kExecution},
    {"context", IdKind::kContext},
    {"type", IdKind::kType},
};

template <size_t n>
std::optional<IdKind> Find(const NamedKind (&table)[n], absl::string_view name) {
  for (const NamedKind& row : table) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

void RenameField(Message& message, const FieldDescriptor* field, IdKind kind, Renaming rename) {
  const Reflection* reflection = message.GetReflection();
  if (!field->is_repeated()) {
    reflection->SetInt64(&message, field, rename(kind, reflection->GetInt64(message, field)));
    return;
  }
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    const int64_t id = reflection->GetRepeatedInt64(message, field, i);
    reflection->SetRepeatedInt64(&message, field, i, rename(kind, id));
  }
}

// Reflection shows a map as a list of entries; the map follows what is changed in the list.
void RenameMap(Message& message, const FieldDescriptor* map, Renaming rename) {
  const FieldDescriptor* key = map->message_type()->map_key();
  const FieldDescriptor* value = map->message_type()->map_value();
  const Descriptor* value_type = MapValueType(map);
  if (value_type == nullptr || value_type->name() == "Value") return;
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < reflection->FieldSize(message, map); ++i) {
    Message* entry = reflection->MutableRepeatedMessage(&message, map, i);
    RenameIds(*entry->GetReflection()->MutableMessage(entry, value), rename);
    if (key->cpp_type() != FieldDescriptor::CPPTYPE_INT64) continue;
    const int64_t id = entry->GetReflection()->GetInt64(*entry, key);
    entry->GetReflection()->SetInt64(entry, key, rename(IdKind::kContext, id));
  }
}

std::string StringField(const Message& message, absl::string_view name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(std::string(name));
  return field == nullptr ? "" : message.GetReflection()->GetString(message, field);
}

// ArtifactType, ExecutionType and ContextType, but not ArtifactStructType.
bool IsNamedType(const Descriptor* type, absl::string_view required_field) {
  return absl::EndsWith(type->name(), "Type") &&
         type->FindFieldByName(std::string(required_field)) != nullptr;
}

// All messages of a field, be it repeated or not; an unset one counts as an empty message.
std::vector<const Message*> MessagesOf(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  if (!field->is_repeated()) return {&reflection->GetMessage(message, field)};
  std::vector<const Message*> all;
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    all.push_back(&reflection->GetRepeatedMessage(message, field, i));
  }
  return all;
}

void BindTypesByName(const std::vector<const Message*>& recorded,
                     const std::vector<const Message*>& actual, IdBinding& ids) {
  const auto id_of = [](const Message& type) {
    return type.GetReflection()->GetInt64(type, type.GetDescriptor()->FindFieldByName("id"));
  };
  absl::flat_hash_map<std::pair<std::string, std::string>, int64_t> actual_ids;
  for (const Message* type : actual) {
    actual_ids[{StringField(*type, "name"), StringField(*type, "version")}] = id_of(*type);
  }
  for (const Message* type : recorded) {
    const auto found = actual_ids.find({StringField(*type, "name"), StringField(*type, "version")});
    if (found != actual_ids.end()) ids.Bind(IdKind::kType, id_of(*type), found->second);
  }
}

void BindField(const Message& recorded, const Message& actual, const FieldDescriptor* field,
               IdKind kind, IdBinding& ids) {
  const Reflection* reflection = recorded.GetReflection();
  if (!field->is_repeated()) {
    ids.Bind(kind, reflection->GetInt64(recorded, field), reflection->GetInt64(actual, field));
    return;
  }
  const int both =
      std::min(reflection->FieldSize(recorded, field), reflection->FieldSize(actual, field));
  for (int i = 0; i < both; ++i) {
    ids.Bind(kind, reflection->GetRepeatedInt64(recorded, field, i),
             reflection->GetRepeatedInt64(actual, field, i));
  }
}

void BindMessages(const Message& recorded, const Message& actual, const FieldDescriptor* field,
                  IdBinding& ids) {
  const std::vector<const Message*> ours = MessagesOf(recorded, field);
  const std::vector<const Message*> theirs = MessagesOf(actual, field);
  if (field->is_repeated() && IsNamedType(field->message_type(), "name")) {
    return BindTypesByName(ours, theirs, ids);
  }
  if (ours.size() != theirs.size()) return;
  for (size_t i = 0; i < ours.size(); ++i) BindAllIds(*ours[i], *theirs[i], ids);
}

}  // namespace

void IdBinding::Bind(IdKind kind, int64_t recorded, int64_t actual) {
  if (recorded <= 0 || actual <= 0) return;
  const Key recorded_key(kind, recorded), actual_key(kind, actual);
  if (actual_of_.contains(recorded_key) || recorded_of_.contains(actual_key)) return;
  actual_of_[recorded_key] = actual;
  recorded_of_[actual_key] = recorded;
}

int64_t IdBinding::ToActual(IdKind kind, int64_t recorded) const {
  const auto found = actual_of_.find({kind, recorded});
  if (found != actual_of_.end()) return found->second;
  const bool stays = recorded <= 0 || recorded >= kFirstInventedId;
  return stays ? recorded : recorded + kUnboundRequestOffset;
}

int64_t IdBinding::ToRecorded(IdKind kind, int64_t actual) const {
  const auto found = recorded_of_.find({kind, actual});
  if (found != recorded_of_.end()) return found->second;
  if (actual <= 0) return actual;
  // A server may answer anything: -actual - offset must not overflow.
  const int64_t largest = std::numeric_limits<int64_t>::max() - kUnboundAnswerOffset;
  return -std::min(actual, largest) - kUnboundAnswerOffset;
}

std::optional<IdKind> KindOfId(const FieldDescriptor* field) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_INT64) return std::nullopt;
  if (field->name() == "id") return Find(kKindOfMessage, field->containing_type()->name());
  return Find(kKindOfField, field->name());
}

void RenameIds(Message& message, Renaming rename) {
  const Reflection* reflection = message.GetReflection();
  for (const FieldDescriptor* field : PresentFields(message)) {
    if (const std::optional<IdKind> kind = KindOfId(field)) {
      RenameField(message, field, *kind, rename);
    } else if (field->is_map()) {
      RenameMap(message, field, rename);
    } else if (IsNested(field) && field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        RenameIds(*reflection->MutableRepeatedMessage(&message, field, i), rename);
      }
    } else if (IsNested(field)) {
      RenameIds(*reflection->MutableMessage(&message, field), rename);
    }
  }
}

void BindAllIds(const Message& recorded, const Message& actual, IdBinding& ids) {
  for (const FieldDescriptor* field : PresentFields(recorded)) {
    if (const std::optional<IdKind> kind = KindOfId(field)) {
      BindField(recorded, actual, field, *kind, ids);
    } else if (IsNested(field) && !field->is_map()) {
      BindMessages(recorded, actual, field, ids);
    }
  }
}

void BindTypeIds(const Message& recorded, const Message& actual, IdBinding& ids) {
  for (const FieldDescriptor* field : PresentFields(recorded)) {
    if (!IsNested(field) || field->is_map()) continue;
    if (IsNamedType(field->message_type(), "version")) {
      BindTypesByName(MessagesOf(recorded, field), MessagesOf(actual, field), ids);
    } else if (!field->is_repeated()) {
      BindTypeIds(*MessagesOf(recorded, field)[0], *MessagesOf(actual, field)[0], ids);
    }
  }
}

absl::StatusOr<std::string> FillTemplates(absl::string_view text, const IdBinding& ids) {
  std::string filled;
  while (true) {
    const size_t open = text.find("${");
    const size_t close = open == text.npos ? text.npos : text.find('}', open);
    if (close == text.npos) return absl::StrCat(filled, text);
    const absl::string_view inside = text.substr(open + 2, close - open - 2);
    const size_t colon = inside.find(':');
    const std::optional<IdKind> kind = Find(kKindOfTemplate, inside.substr(0, colon));
    if (colon == inside.npos || !kind.has_value()) {  // Not a template: "${x}" stays as it is.
      absl::StrAppend(&filled, text.substr(0, open + 2));
      text.remove_prefix(open + 2);
      continue;
    }
    int64_t id = 0;
    if (!absl::SimpleAtoi(inside.substr(colon + 1), &id)) {
      return absl::InvalidArgumentError(absl::StrCat("no id: ${", inside.substr(0, 80), "}"));
    }
    absl::StrAppend(&filled, text.substr(0, open), ids.ToActual(*kind, id));
    text.remove_prefix(close + 1);
  }
}

}  // namespace pedigree::conformance
