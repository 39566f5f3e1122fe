// Options whose value is one of some words, and numbers that may not be negative: CLI11's own
// checks of these print their insides.
//
// Threads: one.
//
//   AddChoice<Order>(app, "--order", &order, {{"id", Order::kId}, ...}, "create|update|id",
//                    "by what they are sorted");
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "store/text.h"

namespace pedigree::cli {

// `words` are those that help and completion name; there may be more choices.
template <class Value>
CLI::Option* AddChoice(CLI::App* app, const std::string& name, Value* value,
                       std::vector<std::pair<std::string, Value>> choices, const std::string& words,
                       const std::string& description) {
  const auto read = [name, value, words, choices = std::move(choices)](const std::string& text) {
    for (const auto& [word, meaning] : choices) {
      if (word != text) continue;
      *value = meaning;
      return;
    }
    throw CLI::ValidationError(name, absl::StrCat(Quoted(text), " is none of ",
                                                  absl::StrReplaceAll(words, {{"|", ", "}})));
  };
  return app->add_option_function<std::string>(name, read, description)->type_name(words);
}

// A check for CLI::Option::check().
inline CLI::Validator NotNegative() {
  const auto check = [](const std::string& text) {
    int64_t number = 0;
    if (absl::SimpleAtoi(text, &number) && number >= 0) return std::string();
    return absl::StrCat(Quoted(text), " is no number of 0 or more");
  };
  return CLI::Validator(check, "");
}

// The same for texts: an empty one, such as an unset variable of a script, is not as if the option
// were not there.
inline CLI::Validator NotEmpty() {
  const auto check = [](const std::string& text) {
    return text.empty() ? std::string("may not be empty") : std::string();
  };
  return CLI::Validator(check, "");
}

}  // namespace pedigree::cli
