#include "cli/output.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/choice.h"
#include "cli/json.h"

namespace pedigree::cli {
namespace {

void AddFormats(CLI::App* app, OutputFormat* format,
                std::vector<std::pair<std::string, OutputFormat>> formats,
                const std::string& words) {
  AddChoice<OutputFormat>(app, "--output", format, std::move(formats), words,
                          "how to print the answer")
      ->default_str("table");
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
  auto json = ToJson(message, JsonLines::kMany);
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

absl::StatusOr<std::string> JsonDocument::TakeText() {
  if (!status_.ok()) return status_;
  return std::exchange(text_, "");
}

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
  const auto text = ToJson(message, JsonLines::kMany);
  if (text.ok()) Print(*text);
  return text.status();
}

absl::Status PrintJsonLine(const google::protobuf::Message& message) {
  const auto text = ToJson(message, JsonLines::kOne);
  if (text.ok()) Print(absl::StrCat(*text, "\n"));
  return text.status();
}

}  // namespace pedigree::cli
