#include "cli/json.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include "absl/strings/str_cat.h"

namespace pedigree::cli {
namespace {

using google::protobuf::Message;

constexpr char kUrlPrefix[] = "type.googleapis.com";

// MessageToJsonString keeps the order of serialisation, which is a map's own.
std::string SortedBytes(const Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

// Of all types that are compiled in. Lives as long as the process.
google::protobuf::util::TypeResolver* Resolver() {
  static auto* const resolver = google::protobuf::util::NewTypeResolverForDescriptorPool(
      kUrlPrefix, google::protobuf::DescriptorPool::generated_pool());
  return resolver;
}

}  // namespace

absl::StatusOr<std::string> ToJson(const Message& message, JsonLines lines) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = lines == JsonLines::kMany;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::BinaryToJsonString(
      Resolver(), absl::StrCat(kUrlPrefix, "/", message.GetDescriptor()->full_name()),
      SortedBytes(message), &json, options);
  if (status.ok()) return json;
  return absl::InternalError(
      absl::StrCat("a ", message.GetTypeName(), " cannot be shown as JSON: ", status.ToString()));
}

std::string JsonText(absl::string_view text) {
  google::protobuf::Value value;  // Is shown as what it holds.
  value.set_string_value(std::string(text));
  const auto json = ToJson(value, JsonLines::kOne);
  return json.ok() ? *json : "\"\"";
}

}  // namespace pedigree::cli
