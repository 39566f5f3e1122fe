#include "query/node_differences.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>
#include <google/protobuf/wrappers.pb.h>

#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "store/record.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Execution;
using ml_metadata::Value;

// With maps in the order of their keys, so that equal messages have equal bytes.
std::string BytesOf(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

std::string Base64Json(absl::string_view type_url, absl::string_view bytes) {
  google::protobuf::StringValue url;
  url.set_value(std::string(type_url));
  std::string quoted;
  if (!google::protobuf::util::MessageToJsonString(url, &quoted).ok()) quoted = "\"\"";
  return absl::StrCat("{\"@type\":", quoted, ",\"value\":\"", absl::Base64Escape(bytes), "\"}");
}

std::string Base64Json(const google::protobuf::Any& any) {
  return Base64Json(any.type_url(), any.value());
}

// From deterministic bytes: MessageToJsonString() would write maps in the order of their hashes.
std::string MessageJson(const google::protobuf::Message& message, absl::string_view type_url,
                        absl::string_view content) {
  static google::protobuf::util::TypeResolver* const resolver =
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          "type.googleapis.com", google::protobuf::DescriptorPool::generated_pool());
  std::string json;
  const auto status = google::protobuf::util::BinaryToJsonString(
      resolver, absl::StrCat("type.googleapis.com/", message.GetDescriptor()->full_name()),
      BytesOf(message), &json);
  return status.ok() ? json : Base64Json(type_url, content);
}

template <class Message>
std::string WellKnownJson(const Message& message) {
  return MessageJson(message,
                     absl::StrCat("type.googleapis.com/", Message::descriptor()->full_name()),
                     BytesOf(message));
}

std::string TextJson(absl::string_view text) {
  google::protobuf::StringValue value;
  value.set_value(std::string(text));
  return WellKnownJson(value);
}

std::string DoubleJson(double number) {
  google::protobuf::DoubleValue value;
  value.set_value(number);
  return WellKnownJson(value);
}

// A field that both kinds have, under names of their own.
std::optional<std::string> StateOf(const Artifact& artifact) {
  if (!artifact.has_state()) return std::nullopt;
  return TextJson(Artifact::State_Name(artifact.state()));
}
std::optional<std::string> StateOf(const Execution& execution) {
  if (!execution.has_last_known_state()) return std::nullopt;
  return TextJson(Execution::State_Name(execution.last_known_state()));
}
constexpr absl::string_view StateField(const Artifact&) { return "state"; }
constexpr absl::string_view StateField(const Execution&) { return "last_known_state"; }

std::optional<std::string> UriJson(const Artifact& artifact) {
  if (!artifact.has_uri()) return std::nullopt;
  return TextJson(artifact.uri());
}
std::optional<std::string> UriJson(const Execution&) { return std::nullopt; }

class Differences {
 public:
  void Add(absl::string_view field, std::optional<std::string> a, std::optional<std::string> b) {
    if (a != b) found_.push_back({std::string(field), std::move(a), std::move(b)});
  }
  template <class Properties>
  void AddProperties(absl::string_view field, const Properties& a, const Properties& b) {
    std::set<absl::string_view> names;
    for (const auto& [name, value] : a) names.insert(name);
    for (const auto& [name, value] : b) names.insert(name);
    for (absl::string_view name : names) AddProperty(field, std::string(name), a, b);
  }
  std::vector<FieldDifference> Release() { return std::move(found_); }

 private:
  template <class Properties>
  void AddProperty(absl::string_view field, const std::string& name, const Properties& a,
                   const Properties& b) {
    const auto in_a = a.find(name);
    const auto in_b = b.find(name);
    const bool is_in_both = in_a != a.end() && in_b != b.end();
    // Most are equal, and need not become text.
    if (is_in_both && BytesOf(in_a->second) == BytesOf(in_b->second)) return;
    std::optional<std::string> json_a;
    std::optional<std::string> json_b;
    if (in_a != a.end()) json_a = JsonOf(in_a->second);
    if (in_b != b.end()) json_b = JsonOf(in_b->second);
    // JSON leaves out what it does not understand of an Any.
    if (is_in_both && json_a == json_b && in_a->second.has_proto_value()) {
      json_a = Base64Json(in_a->second.proto_value());
      json_b = Base64Json(in_b->second.proto_value());
    }
    Add(absl::StrCat(field, ".", name), std::move(json_a), std::move(json_b));
  }

  std::vector<FieldDifference> found_;
};

template <class Node>
std::optional<std::string> TypeJson(const Catalog& catalog, int64_t type_id) {
  const auto* type = catalog.Of<Node>().FindById(type_id);
  if (type == nullptr) return std::nullopt;
  return TextJson(type->name());
}
template <class Node>
std::optional<std::string> VersionJson(const Catalog& catalog, int64_t type_id) {
  const auto* type = catalog.Of<Node>().FindById(type_id);
  if (type == nullptr || !type->has_version()) return std::nullopt;
  return TextJson(type->version());
}

template <class Node>
absl::StatusOr<Node> Parse(absl::string_view bytes) {
  Node node;
  if (node.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return node;
  return DamagedRecord(TraitsOf<Node>::kName, node.id());
}

template <class Node>
absl::StatusOr<std::vector<FieldDifference>> DifferencesOfNodes(const Catalog& catalog,
                                                                absl::string_view bytes_a,
                                                                absl::string_view bytes_b) {
  auto a = Parse<Node>(bytes_a);
  if (!a.ok()) return a.status();
  auto b = Parse<Node>(bytes_b);
  if (!b.ok()) return b.status();
  Differences differences;
  differences.Add("type", TypeJson<Node>(catalog, a->type_id()),
                  TypeJson<Node>(catalog, b->type_id()));
  differences.Add("type.version", VersionJson<Node>(catalog, a->type_id()),
                  VersionJson<Node>(catalog, b->type_id()));
  differences.Add("uri", UriJson(*a), UriJson(*b));
  differences.Add(StateField(*a), StateOf(*a), StateOf(*b));
  differences.AddProperties("properties", a->properties(), b->properties());
  differences.AddProperties("custom_properties", a->custom_properties(), b->custom_properties());
  return differences.Release();
}

}  // namespace

std::string JsonOf(const Value& value) {
  switch (value.value_case()) {
    case Value::kIntValue:
      return absl::StrCat(value.int_value());
    case Value::kDoubleValue:
      return DoubleJson(value.double_value());
    case Value::kStringValue:
      return TextJson(value.string_value());
    case Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case Value::kStructValue:
      return WellKnownJson(value.struct_value());
    case Value::kProtoValue:
      return MessageJson(value.proto_value(), value.proto_value().type_url(),
                         value.proto_value().value());
    case Value::VALUE_NOT_SET:
      break;
  }
  return "null";
}

absl::StatusOr<std::vector<FieldDifference>> DifferencesOf(const Catalog& catalog, NodeKind kind,
                                                           absl::string_view message_a,
                                                           absl::string_view message_b) {
  return kind == NodeKind::kExecution ? DifferencesOfNodes<Execution>(catalog, message_a, message_b)
                                      : DifferencesOfNodes<Artifact>(catalog, message_a, message_b);
}

}  // namespace pedigree
