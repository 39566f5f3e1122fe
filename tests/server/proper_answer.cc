#include "tests/server/proper_answer.h"

#include <google/protobuf/message.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/unknown_field_set.h>

#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kMaxErrorBytes = 1024;

bool IsUtf8(absl::string_view text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(text.data(),
                                                             static_cast<int>(text.size()));
}

std::string FaultIn(const Message& message);

// What is wrong with the i-th value of a field.
std::string FaultIn(const Message& message, const FieldDescriptor* field, int i) {
  const auto* reflection = message.GetReflection();
  const bool repeated = field->is_repeated();
  if (field->type() == FieldDescriptor::TYPE_STRING) {
    std::string unused;
    const std::string& text =
        repeated ? reflection->GetRepeatedStringReference(message, field, i, &unused)
                 : reflection->GetStringReference(message, field, &unused);
    return IsUtf8(text) ? "" : absl::StrCat(field->full_name(), " is not UTF-8");
  }
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return "";
  return FaultIn(repeated ? reflection->GetRepeatedMessage(message, field, i)
                          : reflection->GetMessage(message, field));
}

std::string FaultIn(const Message& message) {
  const auto* reflection = message.GetReflection();
  if (!reflection->GetUnknownFields(message).empty()) {
    return absl::StrCat(message.GetTypeName(), " has unknown fields");
  }
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (std::string fault = FaultIn(message, field, i); !fault.empty()) return fault;
    }
  }
  return "";
}

// The codes that say what is wrong with a request.
bool IsProper(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string FaultOf(absl::string_view rpc, const absl::StatusOr<std::string>& reply) {
  if (!reply.ok()) {
    const absl::Status& status = reply.status();
    if (!IsProper(status.code())) return absl::StrCat("improper error ", status.ToString());
    if (status.message().size() > kMaxErrorBytes) return "the text is longer than 1 KiB";
    if (IsUtf8(status.message())) return "";
    return absl::StrCat("the text is not UTF-8: ", absl::CHexEscape(status.message()));
  }
  const auto* type = ml_metadata::PutArtifactsRequest::descriptor()->file()->FindMessageTypeByName(
      absl::StrCat(rpc, "Response"));
  const auto answer = std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!answer->ParseFromString(*reply)) return "the reply does not parse";
  return FaultIn(*answer);
}

}  // namespace pedigree::testing
