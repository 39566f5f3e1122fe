#include "cli/json.h"

#include "absl/strings/str_cat.h"
#include "cli/lineage/render.h"

namespace pedigree::cli {
namespace {

// A list of messages, one a line.
template <class Range, class MessageOf>
absl::Status AddList(std::string* text, absl::string_view key, const Range& range,
                     MessageOf message_of) {
  absl::StrAppend(text, "  \"", key, "\": [");
  const char* between = "\n    ";
  for (const auto& item : range) {
    const auto json = ToJson(message_of(item), JsonLines::kOne);
    if (!json.ok()) return json.status();
    absl::StrAppend(text, between, *json);
    between = ",\n    ";
  }
  absl::StrAppend(text, "\n  ],\n");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> RenderJson(const LineageGraph& graph) {
  std::string text = "{\n";
  absl::Status status = AddList(
      &text, "start", graph.starts(), [](const auto& ref) -> auto& { return ref; });
  if (status.ok()) {
    status = AddList(
        &text, "nodes", graph.nodes(), [](const auto& node) -> auto& { return node.told; });
  }
  if (status.ok()) {
    status = AddList(
        &text, "events", graph.edges(), [](const auto& edge) -> auto& { return edge.event; });
  }
  if (!status.ok()) return status;
  const auto completeness = ToJson(graph.completeness(), JsonLines::kOne);
  if (!completeness.ok()) return completeness.status();
  absl::StrAppend(&text, "  \"completeness\": ", *completeness, "\n}\n");
  return text;
}

}  // namespace pedigree::cli
