// Names and what they stand for, a line each, the values aligned: what is said about one thing.
//
// Threads: one.
//
//   Facts facts("properties");
//   facts.Add("lr", "0.1");
//   Print(facts.ToText(Screen::OfStandardOutput()));
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/text.h"

namespace pedigree::cli {

class Facts {
 public:
  // Without a heading if it is empty.
  explicit Facts(std::string heading = "") : heading_(std::move(heading)) {}

  // Nothing is added for an empty value. Both are shown as Printable().
  void Add(std::string name, std::string value);
  // With a blank line before its heading, if it has one; "" if nothing was added.
  std::string ToText(const Screen& screen) const;

 private:
  std::string heading_;
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace pedigree::cli
