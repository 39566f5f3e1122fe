#include "cli/output.h"

#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::cli {
namespace {

void AddFormats(CLI::App* app, OutputFormat* format,
                const std::map<std::string, OutputFormat>& formats, const std::string& names) {
  app->add_option("--output", *format, "how to print the answer")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->type_name(names)
      ->default_str("table");
}

enum class Lines : uint8_t { kOne, kMany };

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message, Lines lines) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = lines == Lines::kMany;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = false;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (status.ok()) return json;
  return absl::InternalError(
      absl::StrCat("a ", message.GetTypeName(), " cannot be shown as JSON: ", status.ToString()));
}

// A text as JSON: a google.protobuf.Value prints as one.
std::string JsonText(absl::string_view text) {
  google::protobuf::Value value;
  value.set_string_value(std::string(text));
  const auto json = ToJson(value, Lines::kOne);
  return json.ok() ? *json : "\"\"";
}

}  // namespace

void AddOutputOption(CLI::App* app, OutputFormat* format) {
  AddFormats(
      app, format,
      {{"table", OutputFormat::kTable}, {"json", OutputFormat::kJson}, {"csv", OutputFormat::kCsv}},
      "table|json|csv");
}

void AddTextOrJsonOption(CLI::App* app, OutputFormat* format) {
  AddFormats(app, format, {{"table", OutputFormat::kTable}, {"json", OutputFormat::kJson}},
             "table|json");
}

void Print(absl::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string JsonDocument::Shown(const google::protobuf::Message& message,
                                absl::string_view indent) {
  auto json = ToJson(message, Lines::kMany);
  if (!json.ok()) {
    if (status_.ok()) status_ = json.status();
    return "{}";
  }
  while (!json->empty() && json->back() == '\n') json->pop_back();
  // Texts in JSON have no line feeds of their own.
  return absl::StrReplaceAll(*json, {{"\n", absl::StrCat("\n", indent)}});
}

void JsonDocument::BeginValue(absl::string_view key) {
  absl::StrAppend(&text_, has_keys_ ? ",\n " : "{\n ", JsonText(key), ": ");
  has_keys_ = true;
}

void JsonDocument::Add(absl::string_view key, const google::protobuf::Message& message) {
  BeginValue(key);
  absl::StrAppend(&text_, Shown(message, " "));
}

void JsonDocument::AddText(absl::string_view key, absl::string_view text) {
  BeginValue(key);
  absl::StrAppend(&text_, JsonText(text));
}

void JsonDocument::BeginList(absl::string_view key) {
  BeginValue(key);
  text_.push_back('[');
  has_items_ = false;
}

void JsonDocument::AddToList(const google::protobuf::Message& message) {
  absl::StrAppend(&text_, has_items_ ? ",\n  " : "\n  ", Shown(message, "  "));
  has_items_ = true;
}

void JsonDocument::EndList() { absl::StrAppend(&text_, has_items_ ? "\n ]" : "]"); }

absl::StatusOr<std::string> JsonDocument::ToString() const {
  if (!status_.ok()) return status_;
  return has_keys_ ? absl::StrCat(text_, "\n}\n") : "{}\n";
}

absl::Status PrintJson(const JsonDocument& document) {
  const auto text = document.ToString();
  if (text.ok()) Print(*text);
  return text.status();
}

absl::Status PrintJson(const google::protobuf::Message& message) {
  const auto text = ToJson(message, Lines::kMany);
  if (text.ok()) Print(*text);
  return text.status();
}

absl::Status PrintJsonLine(const google::protobuf::Message& message) {
  const auto text = ToJson(message, Lines::kOne);
  if (text.ok()) Print(absl::StrCat(*text, "\n"));
  return text.status();
}

}  // namespace pedigree::cli
