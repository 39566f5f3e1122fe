#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/export/formats.h"

namespace pedigree::cli {

absl::StatusOr<std::map<std::string, std::string>> OptionsByName(
    const ExportWriterOptions& options, std::initializer_list<absl::string_view> known) {
  std::map<std::string, std::string> by_name;
  for (const auto& [name, value] : options.options) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat("this format has no option ", name,
                                                     "; it has: ", absl::StrJoin(known, ", ")));
    }
    if (!by_name.emplace(name, value).second) {
      return absl::InvalidArgumentError(absl::StrCat("the option ", name, " is given twice"));
    }
  }
  return by_name;
}

absl::StatusOr<Choice> ChoiceOf(const std::map<std::string, std::string>& options,
                                const std::string& name, Choice otherwise) {
  const auto found = options.find(name);
  if (found == options.end()) return otherwise;
  if (found->second == "true") return Choice::kYes;
  if (found->second == "false") return Choice::kNo;
  return absl::InvalidArgumentError(absl::StrCat("the option ", name, " is true or false"));
}

absl::StatusOr<std::string> StoreOf(const std::map<std::string, std::string>& options) {
  const auto found = options.find("store");
  if (found == options.end()) return "default";
  const std::string& store = found->second;
  const bool is_plain = !store.empty() && std::all_of(store.begin(), store.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
  if (is_plain) return store;
  return absl::InvalidArgumentError(
      "the option store is a name of letters, digits, '-', '_' and '.'");
}

}  // namespace pedigree::cli
