#include "tests/server/random_request.h"

#include <google/protobuf/descriptor.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kMaxDepth = 8;

// Fields without which most requests would be refused at once.
bool IsMostlySet(const FieldDescriptor* field) {
  for (const char* name : {"type_id", "name", "type", "key", "value", "artifact_id", "execution_id",
                           "context_id", "child_id", "parent_id", "execution", "event",
                           "artifact_type", "execution_type", "context_type", "type_name"}) {
    if (field->name() == name) return true;
  }
  return false;
}

// Fields that turn most requests down.
bool IsRarelySet(const FieldDescriptor* field) {
  for (const char* name : {"id", "base_type", "all_fields_match", "filter_query", "next_page_token",
                           "abort_if_latest_updated_time_changed", "properties", "type_version",
                           "version", "execution_index", "artifact_index"}) {
    if (field->name() == name) return true;
  }
  return false;
}

}  // namespace

std::string RandomRequests::Make(absl::string_view rpc) {
  const auto* type = ml_metadata::PutArtifactsRequest::descriptor()->file()->FindMessageTypeByName(
      absl::StrCat(rpc, "Request"));
  const auto request = std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  Fill(request.get(), 0);
  return request->SerializeAsString();
}

void RandomRequests::Fill(Message* message, int depth) {
  const auto* type = message->GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) FillField(message, type->field(i), depth);
}

void RandomRequests::FillField(Message* message, const FieldDescriptor* field, int depth) {
  if (depth >= kMaxDepth) return;
  const uint32_t percent = IsMostlySet(field) ? 90 : IsRarelySet(field) ? 12 : 50;
  if (!Chance(field->containing_oneof() != nullptr ? 40 : percent)) return;
  const int count = field->is_repeated() ? static_cast<int>(Below(4)) : 1;
  for (int i = 0; i < count; ++i) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      SetScalar(message, field);
    } else if (field->is_repeated()) {
      Fill(message->GetReflection()->AddMessage(message, field), depth + 1);
    } else {
      Fill(message->GetReflection()->MutableMessage(message, field), depth + 1);
    }
  }
}

int64_t RandomRequests::Number(const FieldDescriptor* field) {
  if (Chance(2)) return static_cast<int64_t>(uint64_t{(*random_)()} << 32 | (*random_)());
  if (Chance(2)) return -static_cast<int64_t>(Below(3));
  if (absl::StrContains(field->name(), "type_id")) return 10 + Below(6);
  return 1 + Below(6);
}

std::string RandomRequests::Text(const FieldDescriptor* field) {
  if (Chance(2)) return std::string(1 + Below(400), 'x');
  const bool names_type =
      field->name() == "type_name" ||
      (field->name() == "name" && absl::EndsWith(field->containing_type()->name(), "Type"));
  if (names_type) return absl::StrCat("t", Below(2));
  static constexpr const char* kTexts[] = {"", "a", "b", "c", "d", "properties.a", "\xc3\xa9"};
  return kTexts[Below(std::size(kTexts))];
}

void RandomRequests::SetScalar(Message* message, const FieldDescriptor* field) {
  const auto* reflection = message->GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return repeated ? reflection->AddInt64(message, field, Number(field))
                      : reflection->SetInt64(message, field, Number(field));
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->SetInt32(message, field, static_cast<int32_t>(Number(field)));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->SetDouble(message, field, static_cast<double>(Number(field)) / 3);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->SetBool(message, field, Chance(50));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* type = field->enum_type();
      const int first = type->value_count() > 1 && Chance(95) ? 1 : 0;
      const auto rest = static_cast<uint32_t>(type->value_count() - first);
      return reflection->SetEnum(message, field,
                                 type->value(first + static_cast<int>(Below(rest))));
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return repeated ? reflection->AddString(message, field, Text(field))
                      : reflection->SetString(message, field, Text(field));
    default:
      return;  // The contract has no other scalars.
  }
}

}  // namespace pedigree::testing
