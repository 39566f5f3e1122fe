// pedigree completion bash
#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/node_calls.h"
#include "cli/output.h"
#include "cli/text.h"

namespace pedigree::cli {
namespace {

// `words` knows the options; a server that does not answer must not hold up the shell. Words may
// come from a server: none may ever be expanded (which compgen -W does), and each is quoted before
// it stands on a command line.
constexpr char kBash[] =
    R"sh(# bash completion of pedigree. For this shell:  source <(pedigree completion bash)
_pedigree() {
  local word cur=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS= read -r word; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf %q "$word")")
  done < <(timeout 1 "$1" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _pedigree pedigree
)sh";

class BashCommand final : public Command {
 public:
  const char* name() const override { return "bash"; }
  const char* summary() const override { return "print a script for bash"; }
  const char* examples() const override {
    return "source <(pedigree completion bash)\n"
           "pedigree completion bash > /etc/bash_completion.d/pedigree";
  }
  void AddOptions(CLI::App*) override {}
  absl::Status Run() override {
    Print(kBash);
    return absl::OkStatus();
  }
};

// The names of all types.
template <class Node>
void AddTypes(Connection* connection, std::set<std::string>* names) {
  typename ReadsOf<Node>::TypesAnswer answer;
  if (!connection->Call(ReadsOf<Node>::kTypes, typename ReadsOf<Node>::Types(), &answer).ok()) {
    return;
  }
  for (const auto& type : ReadsOf<Node>::TypesIn(answer)) {
    // One with a line feed would be two words.
    if (Printable(type.name()) == type.name()) names->insert(type.name());
  }
}

// What may come next, a line each: for the scripts. The last word is the one being typed.
class WordsCommand final : public Command {
 public:
  const char* name() const override { return "words"; }
  const char* summary() const override { return "what may come next, for the scripts"; }
  void AddOptions(CLI::App* app) override {
    app->group("");  // Not in the help.
    app->add_option("WORDS", words_, "what is typed so far")->type_name("");
    self_ = app;
  }

  absl::Status Run() override {
    const CLI::App* at = self_;
    while (at->get_parent() != nullptr) at = at->get_parent();
    const std::string last = words_.empty() ? "" : words_.back();
    const size_t before = words_.empty() ? 0 : words_.size() - 1;
    for (size_t i = 0; i < before; ++i) {
      if (const CLI::App* part = PartOf(at, words_[i])) at = part;
    }
    if (const CLI::Option* option = before == 0 ? nullptr : Awaiting(at, words_[before - 1])) {
      PrintAll(ValuesOf(*option));
    } else if (absl::StartsWith(last, "-")) {
      PrintAll(OptionsOf(at));
    } else {
      PrintAll(PartsOf(at));
    }
    return absl::OkStatus();
  }

 private:
  static const CLI::App* PartOf(const CLI::App* app, const std::string& name) {
    for (const CLI::App* part : app->get_subcommands([](const CLI::App*) { return true; })) {
      if (part->get_name() == name) return part;
    }
    return nullptr;
  }

  // The option of this name that takes a value; null if there is none.
  static const CLI::Option* Awaiting(const CLI::App* app, const std::string& word) {
    if (!absl::StartsWith(word, "--")) return nullptr;
    for (const CLI::Option* option : app->get_options()) {
      if (option->check_name(word) && option->get_items_expected_max() > 0) return option;
    }
    return nullptr;
  }

  // The parts of a command, and the words that its arguments may be.
  static std::set<std::string> PartsOf(const CLI::App* app) {
    std::set<std::string> names;
    for (const CLI::App* part : app->get_subcommands([](const CLI::App*) { return true; })) {
      if (!part->get_group().empty()) names.insert(part->get_name());
    }
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_positional()) names.merge(ChoicesOf(*option));
    }
    return names;
  }

  static std::set<std::string> OptionsOf(const CLI::App* app) {
    std::set<std::string> names;
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.insert("--" + name);
    }
    return names;
  }

  // "table|json|csv" in three.
  static std::set<std::string> ChoicesOf(const CLI::Option& option) {
    const std::string name = option.get_type_name();
    if (!absl::StrContains(name, "|")) return {};
    return absl::StrSplit(name, '|');
  }

  std::set<std::string> ValuesOf(const CLI::Option& option) const {
    if (!option.check_name("--type")) return ChoicesOf(option);
    ConnectionOptions options;
    for (size_t i = 0; i + 1 < words_.size(); ++i) {
      if (words_[i] == "--server") options.server = words_[i + 1];
      if (words_[i] == "--data_dir") return {};  // To open a store takes too long.
    }
    const auto connection = Connection::Open(options);
    std::set<std::string> names;
    if (!connection.ok()) return names;
    const auto is_typed = [this](const char* kind) {
      return std::find(words_.begin(), words_.end(), kind) != words_.end();
    };
    const bool any = !is_typed("artifacts") && !is_typed("executions") && !is_typed("contexts");
    if (any || is_typed("artifacts")) AddTypes<ml_metadata::Artifact>(connection->get(), &names);
    if (any || is_typed("executions")) AddTypes<ml_metadata::Execution>(connection->get(), &names);
    if (any || is_typed("contexts")) AddTypes<ml_metadata::Context>(connection->get(), &names);
    return names;
  }

  static void PrintAll(const std::set<std::string>& words) {
    for (const std::string& word : words) Print(absl::StrCat(word, "\n"));
  }

  std::vector<std::string> words_;
  const CLI::App* self_ = nullptr;  // CLI11's.
};

}  // namespace

std::unique_ptr<Command> MakeCompletionCommand() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<BashCommand>());
  commands.push_back(std::make_unique<WordsCommand>());
  return std::make_unique<CommandGroup>("completion", "completion of command lines in a shell",
                                        std::move(commands));
}

}  // namespace pedigree::cli
