// What a command prints on the standard output, in the format that was asked for.
//
// Table and CSV come from one Table; JSON from messages, as protobuf prints them with the names of
// the .proto (64-bit integers are strings there). Every JSON output is one document.
// Threads: one.
//
//   AddOutputOption(app, &format);
//   ...
//   JsonDocument json;
//   json.Add("artifact", artifact);
//   if (format == OutputFormat::kJson) return PrintJson(json);
//   Print(format == OutputFormat::kCsv ? table.ToCsv() : table.ToText(Screen::OfStandardOutput()));
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace CLI {
class App;
}

namespace pedigree::cli {

enum class OutputFormat : uint8_t { kTable, kJson, kCsv };

// --output table|json|csv
void AddOutputOption(CLI::App* app, OutputFormat* format);
// --output table|json, of a command whose answer is no table.
void AddTextOrJsonOption(CLI::App* app, OutputFormat* format);

void Print(absl::string_view text);

// An object of JSON, made of messages and texts. Not every message can be shown: one with an Any of
// an unknown type cannot, which Print says.
class JsonDocument {
 public:
  void Add(absl::string_view key, const google::protobuf::Message& message);
  void AddText(absl::string_view key, absl::string_view text);
  template <class Messages>
  void AddList(absl::string_view key, const Messages& messages) {
    BeginList(key);
    for (const auto& message : messages) AddToList(message);
    EndList();
  }
  void BeginList(absl::string_view key);
  void AddToList(const google::protobuf::Message& message);
  void EndList();

  // What was added since the last time, of a document that is printed as it grows; the rest is what
  // ToString() then answers. Internal if a message cannot be shown.
  absl::StatusOr<std::string> TakeText();
  // The whole, with a line feed at its end. Internal if a message cannot be shown.
  absl::StatusOr<std::string> ToString() const;

 private:
  void BeginValue(absl::string_view key);
  std::string Shown(const google::protobuf::Message& message, absl::string_view indent);

  std::string text_;
  bool has_keys_ = false;
  bool has_items_ = false;  // Of the list that is open.
  absl::Status status_;
};

absl::Status PrintJson(const JsonDocument& document);
// A message as the whole document.
absl::Status PrintJson(const google::protobuf::Message& message);
// A message as one line, of an answer that has no end.
absl::Status PrintJsonLine(const google::protobuf::Message& message);

}  // namespace pedigree::cli
