// The standard formats of `pedigree export`: what each writes is in FORMATS.md.
//
// Threads: free functions; each writer is for one thread.
//
//   auto writer = MakeOpenLineageWriter({.options = {{"store", "prod"}}});
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/export/export_writer.h"

namespace pedigree::cli {

// Who made a document, in the formats that say so. Changes with what the documents say, not with
// the program: the same snapshot gives the same bytes.
inline constexpr char kProducer[] = "urn:pedigree:export:1";

// Errors of all: InvalidArgument if an option is unknown, has no legal value, or is missing.

// Options: store, the name of the store in data sets without a uri.
absl::StatusOr<std::unique_ptr<ExportWriter>> MakeOpenLineageWriter(
    const ExportWriterOptions& options);
// Options: store; derived=true for wasDerivedFrom, each output of a step from each of its inputs.
absl::StatusOr<std::unique_ptr<ExportWriter>> MakeProvJsonWriter(
    const ExportWriterOptions& options);
// Options: store; model, which must be there: artifact:ID, ID, a name or a uri.
absl::StatusOr<std::unique_ptr<ExportWriter>> MakeCycloneDxWriter(
    const ExportWriterOptions& options);
// Options: store. Needs a key.
absl::StatusOr<std::unique_ptr<ExportWriter>> MakeSlsaWriter(const ExportWriterOptions& options);
// Options: guard=false to leave cells as they are that a spreadsheet would take for a formula.
absl::StatusOr<std::unique_ptr<ExportWriter>> MakeCsvWriter(const ExportWriterOptions& options);

// The options by name. InvalidArgument if one is not known or stands twice.
absl::StatusOr<std::map<std::string, std::string>> OptionsByName(
    const ExportWriterOptions& options, std::initializer_list<absl::string_view> known);

// Whether the option says "true"; `otherwise` if it is not there.
// InvalidArgument if it says neither that nor "false".
enum class Choice { kNo, kYes };
absl::StatusOr<Choice> ChoiceOf(const std::map<std::string, std::string>& options,
                                const std::string& name, Choice otherwise);

// The name of the store: of the option, else "default". InvalidArgument unless it consists of
// letters, digits, '-', '_' and '.', which every format can hold.
absl::StatusOr<std::string> StoreOf(const std::map<std::string, std::string>& options);

}  // namespace pedigree::cli
