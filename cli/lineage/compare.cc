#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "cli/json.h"
#include "cli/lineage/answers.h"

namespace pedigree::cli {
namespace {

// What a difference is about, in the order in which people ask.
enum class About : uint8_t {
  kSelf,
  kInput,
  kParameter,
  kCode,
  kVersion,
  kBookkeeping,
  kOnlyA,
  kOnlyB
};

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
    case About::kBookkeeping:
      return "bookkeeping";
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

// Whether the name of a field has one of these in it, as whole words: "git_commit" has "git",
// "logits" has not.
bool SaysOneOf(absl::string_view field, std::initializer_list<absl::string_view> words) {
  const std::string name = absl::StrCat(
      "_", absl::StrReplaceAll(absl::AsciiStrToLower(field), {{".", "_"}, {"-", "_"}}), "_");
  return std::any_of(words.begin(), words.end(), [&](absl::string_view word) {
    return absl::StrContains(name, absl::StrCat("_", word, "_"));
  });
}

// By the name of the property: there is no other sign.
About AboutOf(const v1::CompareResponse::Pair& pair, absl::string_view field) {
  if (pair.hops() == 0) return About::kSelf;
  // What Kubeflow writes about each run; it differs whatever was done.
  if (SaysOneOf(field, {"cache_fingerprint", "cached_execution_id", "parent_dag_id", "pod"})) {
    return About::kBookkeeping;
  }
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

using Fields = google::protobuf::Map<std::string, google::protobuf::Value>;

// The fields of an object of JSON; none of anything else.
Fields FieldsOf(const std::string& json) {
  google::protobuf::Struct object;
  if (json.empty() || json.front() != '{') return {};
  const bool is_object = google::protobuf::util::JsonStringToMessage(json, &object).ok();
  return is_object ? object.fields() : Fields();
}

std::string JsonOfField(const Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return "";
  return ToJson(found->second, JsonLines::kOne).value_or("?");
}

// Where both have an object, such as the parameters of a step, only what differs in it.
std::vector<v1::CompareResponse::Value> Opened(const v1::CompareResponse::Value& value) {
  const Fields a = FieldsOf(value.a());
  const Fields b = FieldsOf(value.b());
  std::set<std::string> names;
  for (const auto& [name, field] : a) names.insert(name);
  for (const auto& [name, field] : b) names.insert(name);
  std::vector<v1::CompareResponse::Value> values;
  for (const std::string& name : names) {
    const std::string json_a = JsonOfField(a, name);
    const std::string json_b = JsonOfField(b, name);
    if (json_a == json_b) continue;
    auto& opened = values.emplace_back();
    opened.set_field(absl::StrCat(value.field(), ".", name));
    if (!json_a.empty()) opened.set_a(json_a);
    if (!json_b.empty()) opened.set_b(json_b);
  }
  if (a.empty() || b.empty() || values.empty()) return {value};
  return values;
}

void AddPair(const v1::CompareResponse::Pair& pair, const Labels& labels,
             std::vector<Difference>* differences) {
  for (const auto& whole : pair.differences()) {
    for (const auto& value : Opened(whole)) {
      differences->push_back({.about = AboutOf(pair, value.field()),
                              .way = pair.way(),
                              .field = FieldText(value.field()),
                              .a = ValueShown(value.has_a(), value.a()),
                              .b = ValueShown(value.has_b(), value.b()),
                              .ref_a = Named(pair.a(), labels),
                              .ref_b = Named(pair.b(), labels)});
    }
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
    case About::kBookkeeping:
      return "The orchestrator's own bookkeeping";
    case About::kOnlyA:
      return absl::StrCat("Only upstream of ", Printable(names.a));
    case About::kOnlyB:
      return absl::StrCat("Only upstream of ", Printable(names.b));
  }
  return "";
}

}  // namespace

namespace {

using Group = absl::Span<const Difference>;

// What differs in pairs of nodes: which two, once, and then each difference.
Table PairsTable(Group group, const CompareNames& names) {
  Table table({{"WHERE"}, {"WHAT"}, {names.a}, {names.b}});
  const Difference* before = nullptr;
  for (const Difference& difference : group) {
    if (before == nullptr || before->ref_a != difference.ref_a ||
        before->ref_b != difference.ref_b) {
      table.AddRow({difference.way, "", Cell(difference.ref_a, Colour::kDim),
                    Cell(difference.ref_b, Colour::kDim)});
    }
    before = &difference;
    table.AddRow({"", difference.field, Cell(difference.a, Colour::kRed),
                  Cell(difference.b, Colour::kGreen)});
  }
  return table;
}

Table SelfTable(Group group, const CompareNames& names) {
  Table table({{"WHAT"}, {names.a}, {names.b}});
  for (const Difference& difference : group) {
    table.AddRow(
        {difference.field, Cell(difference.a, Colour::kRed), Cell(difference.b, Colour::kGreen)});
  }
  return table;
}

Table SinglesTable(Group group) {
  Table table({{"WHERE"}, {"NODE"}});
  for (const Difference& difference : group) {
    const bool is_a = difference.about == About::kOnlyA;
    table.AddRow({difference.way, is_a ? difference.a : difference.b});
  }
  return table;
}

Table GroupTable(Group group, const CompareNames& names) {
  const About about = group.front().about;
  if (about == About::kSelf) return SelfTable(group, names);
  return about >= About::kOnlyA ? SinglesTable(group) : PairsTable(group, names);
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
  for (Group rest = differences; !rest.empty();) {
    const About about = rest.front().about;
    const auto end = std::find_if(rest.begin(), rest.end(), [about](const Difference& difference) {
      return difference.about != about;
    });
    const auto size = static_cast<size_t>(end - rest.begin());
    absl::StrAppend(&text,
                    Headed(TitleOf(about, names), GroupTable(rest.first(size), names), screen));
    rest.remove_prefix(size);
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
