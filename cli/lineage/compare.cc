#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/lineage/answers.h"

namespace pedigree::cli {
namespace {

// What a difference is about, in the order in which people ask.
enum class About : uint8_t { kSelf, kInput, kParameter, kCode, kVersion, kOnlyA, kOnlyB };

absl::string_view NameOfAbout(About about) {
  switch (about) {
    case About::kSelf:
      return "itself";
    case About::kInput:
      return "input";
    case About::kParameter:
      return "parameter";
    case About::kCode:
      return "code";
    case About::kVersion:
      return "version";
    case About::kOnlyA:
      return "only a";
    case About::kOnlyB:
      return "only b";
  }
  return "";
}

struct Difference {
  About about;
  std::string way;
  std::string field;
  std::string a;
  std::string b;
  std::string ref_a;
  std::string ref_b;
};

bool SaysOneOf(absl::string_view field, std::initializer_list<absl::string_view> words) {
  const std::string lower = absl::AsciiStrToLower(field);
  return std::any_of(words.begin(), words.end(),
                     [&](absl::string_view word) { return absl::StrContains(lower, word); });
}

// By the name of the property: there is no other sign.
About AboutOf(const v1::CompareResponse::Pair& pair, absl::string_view field) {
  if (pair.hops() == 0) return About::kSelf;
  if (SaysOneOf(field, {"image", "commit", "code", "git", "script", "container", "entrypoint"})) {
    return About::kCode;
  }
  if (SaysOneOf(field, {"version"})) return About::kVersion;
  return pair.a().kind() == v1::ARTIFACT ? About::kInput : About::kParameter;
}

std::string Named(const v1::NodeRef& ref, const Labels& labels) {
  const auto found = labels.find(RefText(ref));
  return found == labels.end() ? RefText(ref)
                               : absl::StrCat(found->second, " (", RefText(ref), ")");
}

// Without what all properties have in common. Text of JSON without its quotes.
std::string FieldText(absl::string_view field) {
  if (!absl::ConsumePrefix(&field, "properties."))
    absl::ConsumePrefix(&field, "custom_properties.");
  return std::string(field);
}

std::string ValueShown(bool has, absl::string_view json) {
  if (!has) return "-";
  const bool is_plain_text =
      json.size() >= 2 && json.front() == '"' && json.back() == '"' && json.find('\\') == json.npos;
  return std::string(is_plain_text ? json.substr(1, json.size() - 2) : json);
}

void AddPair(const v1::CompareResponse::Pair& pair, const Labels& labels,
             std::vector<Difference>* differences) {
  for (const auto& value : pair.differences()) {
    differences->push_back({.about = AboutOf(pair, value.field()),
                            .way = pair.way(),
                            .field = FieldText(value.field()),
                            .a = ValueShown(value.has_a(), value.a()),
                            .b = ValueShown(value.has_b(), value.b()),
                            .ref_a = Named(pair.a(), labels),
                            .ref_b = Named(pair.b(), labels)});
  }
}

void AddSingle(const v1::CompareResponse::Single& single, About about, const Labels& labels,
               std::vector<Difference>* differences) {
  const std::string shown = absl::StrCat(Named(single.ref(), labels), ", ", single.type());
  differences->push_back({.about = about,
                          .way = single.way(),
                          .field = "",
                          .a = about == About::kOnlyA ? shown : "-",
                          .b = about == About::kOnlyB ? shown : "-",
                          .ref_a = about == About::kOnlyA ? RefText(single.ref()) : "",
                          .ref_b = about == About::kOnlyB ? RefText(single.ref()) : ""});
}

std::vector<Difference> DifferencesIn(const v1::CompareResponse& answer, const Labels& labels) {
  std::vector<Difference> differences;
  for (const auto& pair : answer.differing()) AddPair(pair, labels, &differences);
  for (const auto& single : answer.only_a()) {
    AddSingle(single, About::kOnlyA, labels, &differences);
  }
  for (const auto& single : answer.only_b()) {
    AddSingle(single, About::kOnlyB, labels, &differences);
  }
  std::stable_sort(differences.begin(), differences.end(),
                   [](const Difference& x, const Difference& y) { return x.about < y.about; });
  return differences;
}

std::string TitleOf(About about, const CompareNames& names) {
  switch (about) {
    case About::kSelf:
      return "The two themselves";
    case About::kInput:
      return "Inputs";
    case About::kParameter:
      return "Parameters and results of steps";
    case About::kCode:
      return "Code and images";
    case About::kVersion:
      return "Versions";
    case About::kOnlyA:
      return absl::StrCat("Only upstream of ", Printable(names.a));
    case About::kOnlyB:
      return absl::StrCat("Only upstream of ", Printable(names.b));
  }
  return "";
}

}  // namespace

std::string CompareText(const v1::CompareResponse& answer, const CompareNames& names,
                        const Labels& labels, const Screen& screen) {
  const std::vector<Difference> differences = DifferencesIn(answer, labels);
  std::string text = absl::StrCat(
      screen.paint(Colour::kBold,
                   differences.empty()
                       ? "No differences"
                       : Count(static_cast<int64_t>(differences.size()), "difference")),
      "; ", Count(answer.equal_pairs(), "pair"), " of equal nodes, ",
      Count(answer.shared_nodes(), "shared node"), "\n");
  for (size_t begin = 0; begin < differences.size();) {
    const About about = differences[begin].about;
    Table table({{"WHERE"}, {"WHAT"}, {names.a}, {names.b}});
    const Difference* before = nullptr;
    size_t end = begin;
    for (; end < differences.size() && differences[end].about == about; ++end) {
      const Difference& difference = differences[end];
      const bool is_pair = about < About::kOnlyA;
      // Which two nodes, once for all their differences.
      if (is_pair && about != About::kSelf &&
          (before == nullptr || before->ref_a != difference.ref_a)) {
        table.AddRow({difference.way, "", Cell(difference.ref_a, Colour::kDim),
                      Cell(difference.ref_b, Colour::kDim)});
      }
      before = &difference;
      table.AddRow({is_pair ? std::string() : difference.way, difference.field,
                    Cell(difference.a, is_pair ? Colour::kRed : Colour::kPlain),
                    Cell(difference.b, is_pair ? Colour::kGreen : Colour::kPlain)});
    }
    absl::StrAppend(&text, Headed(TitleOf(about, names), table, screen));
    begin = end;
  }
  return absl::StrCat(text, CompletenessText(answer.completeness(), screen));
}

Table CompareTable(const v1::CompareResponse& answer, const CompareNames& names,
                   const Labels& labels) {
  Table table({{"ABOUT"}, {"WHERE"}, {"FIELD"}, {"A"}, {"B"}, {"NODE_A"}, {"NODE_B"}});
  table.AddRow({"names", "", "", names.a, names.b, "", ""});
  for (Difference& difference : DifferencesIn(answer, labels)) {
    table.AddRow({std::string(NameOfAbout(difference.about)), std::move(difference.way),
                  std::move(difference.field), std::move(difference.a), std::move(difference.b),
                  std::move(difference.ref_a), std::move(difference.ref_b)});
  }
  return table;
}

}  // namespace pedigree::cli
