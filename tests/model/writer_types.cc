// Types, and what is wrong with a request by itself.
#include "tests/model/writer.h"

namespace pedigree::model {
namespace {

using absl::StatusCode;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

// As Unicode's table 3-7 has it.
bool IsUtf8(const std::string& text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t k) {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u;
    };
    const auto tail = [&](size_t k) { return byte(k) >= 0x80 && byte(k) <= 0xbf; };
    const unsigned lead = byte(0);
    if (lead < 0x80) {
      i += 1;
    } else if (lead >= 0xc2 && lead <= 0xdf && tail(1)) {
      i += 2;
    } else if ((lead & 0xf0) == 0xe0 && tail(1) && tail(2) && (lead != 0xe0 || byte(1) >= 0xa0) &&
               (lead != 0xed || byte(1) <= 0x9f)) {
      i += 3;
    } else if (lead >= 0xf0 && lead <= 0xf4 && tail(1) && tail(2) && tail(3) &&
               (lead != 0xf0 || byte(1) >= 0x90) && (lead != 0xf4 || byte(1) <= 0x8f)) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

// An enum number that the contract does not know parses into the unknown fields.
bool HasUnknownEnum(const Message& message) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    const auto* field = message.GetDescriptor()->FindFieldByNumber(unknown.field(i).number());
    if (field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) return true;
  }
  return false;
}

bool IsSound(const Message& message);

bool IsSoundField(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    for (int i = 0; i < count; ++i) {
      if (!IsSound(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                        : reflection->GetMessage(message, field))) {
        return false;
      }
    }
    return true;
  }
  if (field->type() != FieldDescriptor::TYPE_STRING) return true;
  for (int i = 0; i < count; ++i) {
    if (!IsUtf8(field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                     : reflection->GetString(message, field))) {
      return false;
    }
  }
  return true;
}

bool IsSound(const Message& message) {
  if (HasUnknownEnum(message)) return false;
  if (message.GetDescriptor() == ml_metadata::Value::descriptor() &&
      static_cast<const ml_metadata::Value&>(message).value_case() ==
          ml_metadata::Value::VALUE_NOT_SET) {
    return false;
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!IsSoundField(message, field)) return false;
  }
  return true;
}

template <class Type>
bool HasUnknownKind(const Type& type) {
  for (const auto& [name, kind] : type.properties()) {
    if (kind == ml_metadata::UNKNOWN) return true;
  }
  return false;
}

// The deprecated fields are part of the rules.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
template <class Request>
bool AllFieldsMatch(const Request& request) {
  return request.all_fields_match();
}
#pragma GCC diagnostic pop

}  // namespace

Verdict CheckAlone(const Message& request) {
  Verdict verdict;
  if (!IsSound(request)) verdict.Fault(StatusCode::kInvalidArgument);
  return verdict;
}

template <class Node, class Request>
Writer::Id Writer::PutType(const typename Things<Node>::Type& type, const Request& rules) {
  using Type = typename Things<Node>::Type;
  auto& types = state_.Of<Node>().types;
  const size_t faults = verdict_.fault_count();
  if (!AllFieldsMatch(rules)) Fault(StatusCode::kUnimplemented);
  if (type.name().empty()) Fault(StatusCode::kInvalidArgument);
  if (HasUnknownKind(type)) Fault(StatusCode::kInvalidArgument);
  if (type.has_base_type() && type.base_type() == Type::UNSET) Fault(StatusCode::kUnimplemented);

  const Type* stored = nullptr;
  for (const auto& [id, other] : types) {
    const bool is_same = other->name() == type.name() && other->version() == type.version();
    if (is_same) stored = other.get();
    if (!is_same && type.has_external_id() && other->has_external_id() &&
        other->external_id() == type.external_id()) {
      Fault(StatusCode::kAlreadyExists);
    }
  }
  Type result = stored != nullptr ? *stored : type;
  if (stored == nullptr) {
    result.set_id(++state_.last_type_id);
    if (result.version().empty()) result.clear_version();
    result.DiscardUnknownFields();
  } else {
    for (const auto& [name, kind] : stored->properties()) {
      const auto it = type.properties().find(name);
      if (it == type.properties().end() ? !rules.can_omit_fields() : it->second != kind) {
        Fault(StatusCode::kAlreadyExists);
      }
    }
    for (const auto& [name, kind] : type.properties()) {
      if (stored->properties().contains(name)) continue;
      if (!rules.can_add_fields()) Fault(StatusCode::kAlreadyExists);
      (*result.mutable_properties())[name] = kind;
    }
    if (type.has_base_type()) {
      if (stored->has_base_type() && stored->base_type() != type.base_type()) {
        Fault(StatusCode::kUnimplemented);
      }
      result.set_base_type(type.base_type());
    }
    if (type.has_external_id()) result.set_external_id(type.external_id());
  }
  if (verdict_.fault_count() > faults) return std::nullopt;
  if (stored == nullptr || CanonicalBytes(result) != CanonicalBytes(*stored)) {
    types[result.id()] = std::make_shared<const Type>(result);
  }
  return result.id();
}

void Writer::Put(const ml_metadata::PutArtifactTypeRequest& request,
                 ml_metadata::PutArtifactTypeResponse* response) {
  response->set_type_id(PutType<Artifact>(request.artifact_type(), request).value_or(0));
}

void Writer::Put(const ml_metadata::PutExecutionTypeRequest& request,
                 ml_metadata::PutExecutionTypeResponse* response) {
  response->set_type_id(PutType<Execution>(request.execution_type(), request).value_or(0));
}

void Writer::Put(const ml_metadata::PutContextTypeRequest& request,
                 ml_metadata::PutContextTypeResponse* response) {
  response->set_type_id(PutType<Context>(request.context_type(), request).value_or(0));
}

void Writer::Put(const ml_metadata::PutTypesRequest& request,
                 ml_metadata::PutTypesResponse* response) {
  if (!AllFieldsMatch(request)) Fault(StatusCode::kUnimplemented);
  for (const auto& type : request.artifact_types()) {
    response->add_artifact_type_ids(PutType<Artifact>(type, request).value_or(0));
  }
  for (const auto& type : request.execution_types()) {
    response->add_execution_type_ids(PutType<Execution>(type, request).value_or(0));
  }
  for (const auto& type : request.context_types()) {
    response->add_context_type_ids(PutType<Context>(type, request).value_or(0));
  }
}

}  // namespace pedigree::model
