#include "tests/proto/contract_document.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>
#include <utility>

namespace pedigree {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::ListValue;
using google::protobuf::MethodDescriptorProto;
using google::protobuf::ServiceDescriptorProto;
using google::protobuf::Struct;
using google::protobuf::Value;

Value Text(std::string text) {
  Value value;
  value.set_string_value(std::move(text));
  return value;
}

Value Number(int number) {
  Value value;
  value.set_number_value(number);
  return value;
}

Value Flag(bool flag) {
  Value value;
  value.set_bool_value(flag);
  return value;
}

void Set(Struct& object, const std::string& key, Value value) {
  (*object.mutable_fields())[key] = std::move(value);
}

// The struct under `key`, made if it is missing.
Struct& Child(Struct& parent, const std::string& key) {
  return *(*parent.mutable_fields())[key].mutable_struct_value();
}

// Descriptor messages write full names with a leading dot, the contract without.
std::string WithoutDot(const std::string& name) {
  return name.starts_with('.') ? name.substr(1) : name;
}

// "LABEL_OPTIONAL" -> "optional", "TYPE_INT64" -> "int64".
std::string Keyword(const std::string& enum_name) {
  std::string keyword = enum_name.substr(enum_name.find('_') + 1);
  std::transform(keyword.begin(), keyword.end(), keyword.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return keyword;
}

// All but the oneof, which only the message knows.
Struct FieldAsContract(const FieldDescriptorProto& field) {
  Struct object;
  Set(object, "number", Number(field.number()));
  Set(object, "label", Text(Keyword(FieldDescriptorProto::Label_Name(field.label()))));
  Set(object, "type", Text(Keyword(FieldDescriptorProto::Type_Name(field.type()))));
  if (field.has_type_name()) Set(object, "type_name", Text(WithoutDot(field.type_name())));
  if (field.has_extendee()) Set(object, "extendee", Text(WithoutDot(field.extendee())));
  if (field.has_default_value()) Set(object, "default", Text(field.default_value()));
  if (field.options().has_packed()) Set(object, "packed", Flag(field.options().packed()));
  if (field.options().has_deprecated()) {
    Set(object, "deprecated", Flag(field.options().deprecated()));
  }
  return object;
}

Value ExtensionRanges(const DescriptorProto& message) {
  Value ranges;
  for (const auto& range : message.extension_range()) {
    ListValue& bounds = *ranges.mutable_list_value()->add_values()->mutable_list_value();
    *bounds.add_values() = Number(range.start());
    *bounds.add_values() = Number(range.end());
  }
  return ranges;
}

// Collects descriptors into one document. A `scope` is the full name of what encloses a descriptor.
class Description {
 public:
  void Add(const FileDescriptorProto& file) {
    const std::string& scope = file.package();
    packages_.emplace(scope, SyntaxOf(file));
    for (const auto& message : file.message_type()) AddMessage(scope, message);
    for (const auto& type : file.enum_type()) AddEnum(scope, type);
    for (const auto& extension : file.extension()) AddExtension(scope, extension);
    for (const auto& service : file.service()) AddService(scope, service);
  }

  Struct Document() const {
    Struct document = document_;
    ListValue& list = *(*document.mutable_fields())["packages"].mutable_list_value();
    for (const auto& [package, syntax] : packages_) {
      Struct& object = *list.add_values()->mutable_struct_value();
      Set(object, "package", Text(package));
      Set(object, "syntax", Text(syntax));
    }
    return document;
  }

 private:
  void AddMessage(const std::string& scope, const DescriptorProto& message) {
    const std::string name = scope + "." + message.name();
    Struct& object = Child(Child(document_, "messages"), name);
    Struct& fields = Child(object, "fields");
    for (const FieldDescriptorProto& field : message.field()) {
      Struct& described = Child(fields, field.name());
      described = FieldAsContract(field);
      if (field.has_oneof_index()) {
        Set(described, "oneof", Text(message.oneof_decl(field.oneof_index()).name()));
      }
    }
    if (message.options().map_entry()) Set(object, "map_entry", Flag(true));
    if (message.extension_range_size() > 0) {
      Set(object, "extension_ranges", ExtensionRanges(message));
    }
    for (const auto& nested : message.nested_type()) AddMessage(name, nested);
    for (const auto& nested : message.enum_type()) AddEnum(name, nested);
    for (const auto& nested : message.extension()) AddExtension(name, nested);
  }

  void AddEnum(const std::string& scope, const EnumDescriptorProto& type) {
    Struct& values = Child(Child(document_, "enums"), scope + "." + type.name());
    for (const auto& value : type.value()) Set(values, value.name(), Number(value.number()));
  }

  void AddExtension(const std::string& scope, const FieldDescriptorProto& extension) {
    Child(Child(document_, "extensions"), scope + "." + extension.name()) =
        FieldAsContract(extension);
  }

  void AddService(const std::string& scope, const ServiceDescriptorProto& service) {
    Struct& methods = Child(Child(document_, "services"), scope + "." + service.name());
    for (const MethodDescriptorProto& method : service.method()) {
      Struct& object = Child(methods, method.name());
      Set(object, "request", Text(WithoutDot(method.input_type())));
      Set(object, "response", Text(WithoutDot(method.output_type())));
      Set(object, "client_streaming", Flag(method.client_streaming()));
      Set(object, "server_streaming", Flag(method.server_streaming()));
    }
  }

  Struct document_;
  std::set<std::pair<std::string, std::string>> packages_;
};

std::string AsJson(const Value& value) {
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(value, &json);
  return status.ok() ? json : status.ToString();
}

// `document` with its packages in a fixed order.
Value Sorted(const Struct& document) {
  Value sorted;
  *sorted.mutable_struct_value() = document;
  auto& packages = (*sorted.mutable_struct_value()->mutable_fields())["packages"];
  auto& list = *packages.mutable_list_value()->mutable_values();
  std::sort(list.begin(), list.end(), [](const Value& left, const Value& right) {
    return left.ShortDebugString() < right.ShortDebugString();
  });
  return sorted;
}

std::vector<std::string> Differences(const std::string& path, const Value& contract,
                                     const Value& compiled) {
  if (!contract.has_struct_value() || !compiled.has_struct_value()) {
    if (google::protobuf::util::MessageDifferencer::Equals(contract, compiled)) return {};
    return {path + ": " + AsJson(contract) + " in the contract, " + AsJson(compiled) + " compiled"};
  }
  const auto& left = contract.struct_value().fields();
  const auto& right = compiled.struct_value().fields();
  std::set<std::string> keys;
  for (const auto& [key, unused] : left) keys.insert(key);
  for (const auto& [key, unused] : right) keys.insert(key);

  std::vector<std::string> differences;
  for (const std::string& key : keys) {
    const std::string below = path.empty() ? key : path + " > " + key;
    if (!right.contains(key)) {
      differences.push_back(below + ": in the contract, not compiled");
    } else if (!left.contains(key)) {
      differences.push_back(below + ": compiled, not in the contract");
    } else {
      auto deeper = Differences(below, left.at(key), right.at(key));
      std::move(deeper.begin(), deeper.end(), std::back_inserter(differences));
    }
  }
  return differences;
}

}  // namespace

std::string SyntaxOf(const FileDescriptorProto& file) {
  return file.has_syntax() ? file.syntax() : "proto2";
}

Struct DescribeAsContract(const std::vector<FileDescriptorProto>& files) {
  Description description;
  for (const FileDescriptorProto& file : files) description.Add(file);
  return description.Document();
}

std::vector<std::string> ContractDifferences(const Struct& contract, const Struct& compiled) {
  return Differences("", Sorted(contract), Sorted(compiled));
}

}  // namespace pedigree
