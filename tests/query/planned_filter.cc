#include "tests/query/planned_filter.h"

#include <iterator>
#include <limits>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace pedigree {
namespace {

using Strings = std::vector<std::string>;

constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinInt = std::numeric_limits<int64_t>::min();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

std::string PlannedFilters::Make() {
  const OracleModel::Nodes& nodes = model_.Of(kind_);
  focus_ =
      nodes.empty() || random_.OneIn(8) ? 0 : 1 + static_cast<int64_t>(random_.Index(nodes.size()));
  switch (random_.Between(0, 9)) {
    case 0:
    case 1:
      return Terms(" AND ", random_.Between(1, 4));
    case 2:
    case 3:
      return Terms(" AND ", random_.Between(1, 2));
    case 4:
      return Terms(" OR ", random_.Between(2, 4));
    case 5: {
      std::string text = absl::StrCat("(", Terms(" AND ", 2), ")");
      if (random_.OneIn(2)) Refocus();
      return absl::StrCat(text, " OR ", Terms(" AND ", random_.Between(1, 2)));
    }
    case 6:
      return absl::StrCat("(", Terms(" OR ", random_.Between(2, 3)), ") AND ",
                          Terms(" AND ", random_.Between(1, 2)));
    case 7:
      return absl::StrCat(Term(), " AND NOT (", Terms(random_.OneIn(2) ? " AND " : " OR ", 2), ")");
    case 8: {
      static const auto* const tests =
          new Strings{"IS TRUE", "IS NOT FALSE", "IS NOT TRUE", "IS FALSE"};
      return absl::StrCat("(", Terms(random_.OneIn(2) ? " AND " : " OR ", 2), ") ",
                          random_.Pick(*tests), random_.OneIn(2) ? " AND " : " OR ", Term());
    }
    default:
      return absl::StrCat("(", any_.Make(1), ") AND ", Terms(" AND ", random_.Between(1, 2)));
  }
}

void PlannedFilters::Refocus() {
  const OracleModel::Nodes& nodes = model_.Of(kind_);
  if (!nodes.empty()) focus_ = 1 + static_cast<int64_t>(random_.Index(nodes.size()));
}

std::string PlannedFilters::Terms(const char* word, int64_t count) {
  Strings terms;
  for (; count > 0; --count) {
    terms.push_back(Term());
    if (absl::string_view(word) == " OR " && random_.OneIn(2)) Refocus();
  }
  return absl::StrJoin(terms, word);
}

std::string PlannedFilters::Term() {
  if (random_.OneIn(10)) return Pair();
  ScalarType type = ScalarType::kInt;
  const std::string path = AnyPath(&type);
  const std::string term = Comparison(path, type);
  return random_.OneIn(15) ? absl::StrCat("NOT (", term, ")") : term;
}

std::string PlannedFilters::Pair() {
  const std::string variable = random_.OneIn(2)              ? ""
                               : kind_ == NodeKind::kContext ? "parent_contexts_a."
                                                             : "contexts_a.";
  const std::string name = absl::StrCat(variable, "name = ", Value(variable + "name"));
  const std::string type = absl::StrCat(variable, "type = ", Value(variable + "type"));
  return random_.OneIn(2) ? absl::StrCat(name, " AND ", type) : absl::StrCat(type, " AND ", name);
}

std::string PlannedFilters::AnyPath(ScalarType* type) {
  VariableKind variable = VariableKind::kNode;
  const auto kinds = VariableKindsOf(kind_);
  if (!random_.OneIn(3)) variable = kinds[random_.Index(kinds.size())];
  const auto attributes = AttributesOf(kind_, variable);
  const Attribute* attribute = &attributes[random_.Index(attributes.size())];
  // The first one of a neighbourhood is the neighbour's id.
  if (variable > VariableKind::kCustomProperty && random_.OneIn(3)) attribute = &attributes[0];
  *type = attribute->type;
  std::string name;
  if (variable == VariableKind::kNode) return std::string(attribute->name);
  if (variable == VariableKind::kProperty || variable == VariableKind::kCustomProperty) {
    return PropertyPath(variable == VariableKind::kCustomProperty, type);
  }
  return absl::StrCat(PrefixOf(variable), random_.OneIn(4) ? "b" : "a", ".", attribute->name);
}

std::string PlannedFilters::PropertyPath(bool is_custom, ScalarType* type) {
  std::string name = random_.Pick(vocabulary_.properties);
  static constexpr const char* kValues[] = {"int_value", "double_value", "string_value",
                                            "bool_value"};
  static constexpr ScalarType kTypes[] = {ScalarType::kInt, ScalarType::kDouble,
                                          ScalarType::kString, ScalarType::kBool};
  size_t value = random_.Index(4);
  if (const OracleNode* node = Focus(); node != nullptr && !random_.OneIn(5)) {
    const auto& properties = is_custom ? node->custom_properties : node->properties;
    if (!properties.empty()) {
      auto it = properties.begin();
      std::advance(it, random_.Index(properties.size()));
      name = it->first;
      if (it->second.has_int_value()) value = 0;
      if (it->second.has_double_value()) value = 1;
      if (it->second.has_string_value()) value = 2;
      if (it->second.has_bool_value()) value = 3;
    }
  }
  *type = kTypes[value];
  return absl::StrCat(is_custom ? "custom_" : "", "properties.`", name, "`.", kValues[value]);
}

const OracleNode* PlannedFilters::Focus() const {
  const auto it = model_.Of(kind_).find(focus_);
  return it == model_.Of(kind_).end() ? nullptr : &it->second;
}

std::string PlannedFilters::Comparison(const std::string& path, ScalarType type) {
  const std::string value = Value(path, type);
  if (random_.OneIn(25)) return absl::StrCat(path, " IS ", random_.OneIn(3) ? "" : "NOT ", "NULL");
  if (type == ScalarType::kBool && random_.OneIn(3)) return path;
  if (random_.OneIn(5)) return In(path, value, type);
  if (IsEnum(type)) return absl::StrCat(path, random_.OneIn(4) ? " != " : " = ", value);
  if (type == ScalarType::kString && random_.OneIn(4)) return Like(path);
  if (random_.OneIn(6)) {
    const std::string other = Value(path, type);
    return absl::StrCat(path, random_.OneIn(6) ? " NOT" : "", " BETWEEN ", value, " AND ", other);
  }
  const bool is_time = absl::EndsWith(path, "epoch");
  const bool is_equality = !random_.OneIn(is_time ? 2 : 3);
  static const auto* const operators = new Strings{"<", "<=", ">", ">=", "!="};
  const std::string op = is_equality ? "=" : random_.Pick(*operators);
  if (random_.OneIn(8)) return absl::StrCat(value, " ", op, " ", path);
  const std::string term = absl::StrCat(path, " ", op, " ", value);
  // A range with two ends.
  if (op[0] == '<' && op != "<>" && random_.OneIn(2)) {
    return absl::StrCat(term, " AND ", path, random_.OneIn(2) ? " > " : " >= ", Value(path, type));
  }
  return term;
}

std::string PlannedFilters::In(const std::string& path, const std::string& value, ScalarType type) {
  Strings values = {value};
  for (int64_t more = random_.Between(0, 3); more > 0; --more) {
    if (random_.OneIn(2)) Refocus();
    values.insert(random_.OneIn(2) ? values.begin() : values.end(), Value(path, type));
  }
  return absl::StrCat(path, random_.OneIn(6) ? " NOT" : "", " IN (", absl::StrJoin(values, ", "),
                      ")");
}

std::string PlannedFilters::Like(const std::string& path) {
  const OracleValue has = ValueThere(path);
  std::string text(has.kind == OracleValue::Kind::kString ? has.text : "a");
  const bool is_whole = random_.OneIn(4);
  // Not within a character.
  size_t size = is_whole ? text.size() : random_.Index(text.size() + 1);
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  std::string pattern;
  for (const char c : text.substr(0, size)) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  if (!is_whole || random_.OneIn(3)) pattern += random_.OneIn(5) ? "_" : "%";
  if (random_.OneIn(6)) pattern = absl::StrCat(random_.OneIn(2) ? "%" : "_", pattern);
  return absl::StrCat(path, random_.OneIn(6) ? " NOT" : "", " LIKE ", Quoted(pattern));
}

std::string PlannedFilters::Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    if (c == '\0') {
      quoted += "\\x00";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

OracleValue PlannedFilters::ValueThere(const std::string& path) {
  path_ = FilterOracle::Parse(path);
  if (!path_.has_value() || Focus() == nullptr) return OracleValue();
  const std::vector<OracleValue> values = path_->Values(model_, kind_, focus_);
  return values.empty() ? OracleValue() : random_.Pick(values);
}

std::string PlannedFilters::Value(const std::string& path, ScalarType type) {
  const OracleValue value = ValueThere(path);
  if (random_.OneIn(8)) return any_.Literal(type);
  switch (value.kind) {
    case OracleValue::Kind::kNull:
      return any_.Literal(type);
    case OracleValue::Kind::kInt:
      return Near(value.int_value);
    case OracleValue::Kind::kDouble:
      return Near(value.double_value);
    case OracleValue::Kind::kString:
      return Quoted(std::string(value.text));
    case OracleValue::Kind::kBool:
      return value.bool_value ? "TRUE" : "false";
    case OracleValue::Kind::kEnum:
      break;
  }
  return std::string(value.text);
}

std::string PlannedFilters::Near(int64_t value) {
  const bool may_move = value > kMinInt && value < kMaxInt;
  if (may_move && random_.OneIn(6)) value += random_.OneIn(2) ? 1 : -1;
  if (!random_.OneIn(8)) return absl::StrCat(value);
  double as_double = static_cast<double>(value);
  if (random_.OneIn(3)) as_double += 0.5;
  return absl::StrFormat("%.17e", as_double);
}

std::string PlannedFilters::Near(double value) {
  if (value == kInfinity || value == -kInfinity) return value > 0 ? "1e308" : "-1e308";
  const bool fits = value >= -0x1p62 && value <= 0x1p62;
  if (fits && random_.OneIn(4)) return absl::StrCat(static_cast<int64_t>(value));
  return absl::StrFormat("%.17e", value);
}

}  // namespace pedigree
