#include "cli/node_text.h"

#include <array>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "cli/json.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using ml_metadata::Value;

// The shortest that reads back the same.
std::string DoubleText(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end.ptr);
}

}  // namespace

std::string ValueText(const Value& value) {
  switch (value.value_case()) {
    case Value::kIntValue:
      return absl::StrCat(value.int_value());
    case Value::kDoubleValue:
      return DoubleText(value.double_value());
    case Value::kStringValue:
      return value.string_value();
    case Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case Value::kStructValue: {
      const auto json = ToJson(value.struct_value(), JsonLines::kOne);
      return json.ok() ? *json : "a struct that is no JSON";
    }
    case Value::kProtoValue:
      return absl::StrCat(value.proto_value().type_url(), ", ", value.proto_value().value().size(),
                          " bytes");
    case Value::VALUE_NOT_SET:
      break;
  }
  return "";
}

std::string PathText(const Event::Path& path) {
  std::string text;
  for (const Event::Path::Step& step : path.steps()) {
    if (step.has_index()) {
      absl::StrAppend(&text, "[", step.index(), "]");
    } else {
      absl::StrAppend(&text, text.empty() ? "" : ".", step.key());
    }
  }
  return text;
}

std::string ArtifactName(const Artifact& artifact, const Event& event) {
  std::string name = NameOf(artifact);
  if (!name.empty()) return name;
  for (const Event::Path::Step& step : event.path().steps()) {
    if (!step.key().empty()) return step.key();
  }
  const std::string last = artifact.uri().substr(artifact.uri().rfind('/') + 1);
  return last.empty() ? absl::StrCat("artifact ", artifact.id()) : last;
}

bool IsInput(Event::Type type) {
  return type == Event::INPUT || type == Event::DECLARED_INPUT || type == Event::INTERNAL_INPUT;
}

std::string EventTypeText(const Event& event) { return Event::Type_Name(event.type()); }

std::string StateText(const Artifact& artifact) {
  return artifact.has_state() ? Artifact::State_Name(artifact.state()) : "-";
}

std::string StateText(const Execution& execution) {
  return execution.has_last_known_state() ? Execution::State_Name(execution.last_known_state())
                                          : "-";
}

std::string StateText(const Context&) { return ""; }

Colour ColourOfState(absl::string_view state) {
  if (state == "COMPLETE" || state == "LIVE") return Colour::kGreen;
  if (state == "CACHED") return Colour::kCyan;
  if (state == "FAILED") return Colour::kRed;
  return state == "CANCELED" || state == "DELETED" ? Colour::kDim : Colour::kYellow;
}

bool HasEnded(const Execution& execution) {
  return execution.last_known_state() != Execution::RUNNING &&
         execution.last_known_state() != Execution::NEW &&
         execution.last_known_state() != Execution::UNKNOWN;
}

}  // namespace pedigree::cli
