#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include "absl/strings/str_cat.h"
#include "cli/lineage/render.h"
#include "google/protobuf/wrappers.pb.h"

namespace pedigree::cli {
namespace {

namespace pb = google::protobuf;

constexpr char kPrefix[] = "type.googleapis.com";

// Properties are maps; only bytes that are made to be the same have them in one order.
std::string BytesOf(const pb::Message& message) {
  std::string bytes;
  pb::io::StringOutputStream stream(&bytes);
  pb::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

class Printer {
 public:
  Printer()
      : resolver_(pb::util::NewTypeResolverForDescriptorPool(
            kPrefix, pb::DescriptorPool::generated_pool())) {
    pb::StringValue();  // Links the type, so that an Any of it can be shown.
  }

  void AddTo(std::string* text, const pb::Message& message) {
    pb::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    std::string json;
    const auto status = pb::util::BinaryToJsonString(
        resolver_.get(), absl::StrCat(kPrefix, "/", message.GetTypeName()), BytesOf(message), &json,
        options);
    if (!status.ok() && status_.ok()) {
      status_ = absl::InternalError(absl::StrCat("a ", message.GetTypeName(),
                                                 " cannot be shown as JSON: ", status.ToString()));
    }
    text->append(json);
  }

  template <class Range, class MessageOf>
  void AddList(std::string* text, absl::string_view key, const Range& range, MessageOf message_of) {
    absl::StrAppend(text, "  \"", key, "\": [");
    const char* between = "\n    ";
    for (const auto& item : range) {
      absl::StrAppend(text, between);
      AddTo(text, message_of(item));
      between = ",\n    ";
    }
    absl::StrAppend(text, "\n  ],\n");
  }

  const absl::Status& status() const { return status_; }

 private:
  std::unique_ptr<pb::util::TypeResolver> resolver_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::string> RenderJson(const LineageGraph& graph) {
  Printer printer;
  std::string text = "{\n";
  printer.AddList(
      &text, "start", graph.starts(), [](const auto& ref) -> auto& { return ref; });
  printer.AddList(
      &text, "nodes", graph.nodes(), [](const auto& node) -> auto& { return node.told; });
  printer.AddList(
      &text, "events", graph.edges(), [](const auto& edge) -> auto& { return edge.event; });
  absl::StrAppend(&text, "  \"completeness\": ");
  printer.AddTo(&text, graph.completeness());
  absl::StrAppend(&text, "\n}\n");
  if (!printer.status().ok()) return printer.status();
  return text;
}

}  // namespace pedigree::cli
