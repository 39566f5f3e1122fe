#include "tests/query/filter_oracle.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

using Kind = OracleValue::Kind;

// Tokens.

struct OracleToken {
  enum class Kind : uint8_t { kEnd, kPath, kString, kInt, kDouble, kSign };

  Kind kind = Kind::kEnd;
  std::string text;                // Of a string without quotes and escapes, else as it stands.
  std::vector<std::string> path;   // `custom_properties`, `my prop`, `int_value`; one for a word.
  bool is_keyword_or_enum = true;  // A path that is one word without backquotes.
  size_t begin = 0;
  size_t end = 0;
};

bool IsPartOfWord(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

class OracleLexer {
 public:
  explicit OracleLexer(absl::string_view text) : text_(text) {}

  OracleToken Next() {
    while (at_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    OracleToken token;
    token.begin = at_;
    if (at_ < text_.size()) Read(&token);
    token.end = at_;
    return token;
  }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void Read(OracleToken* token) {
    const char c = Peek();
    if (c == '\'' || c == '"') {
      token->kind = OracleToken::Kind::kString;
      token->text = ReadQuoted();
    } else if (IsDigit(c)) {
      ReadNumber(token);
    } else if (IsPartOfWord(c) || c == '`') {
      token->kind = OracleToken::Kind::kPath;
      token->is_keyword_or_enum = c != '`';
      token->path.push_back(ReadSegment());
      while (Peek() == '.') {
        ++at_;
        token->path.push_back(ReadSegment());
        token->is_keyword_or_enum = false;
      }
      token->text = token->path[0];
    } else {
      token->kind = OracleToken::Kind::kSign;
      const absl::string_view two = text_.substr(at_, 2);
      const bool is_two = two == "!=" || two == "<>" || two == "<=" || two == ">=";
      token->text = std::string(text_.substr(at_, is_two ? 2 : 1));
      at_ += token->text.size();
    }
  }

  void ReadNumber(OracleToken* token) {
    const size_t begin = at_;
    token->kind = OracleToken::Kind::kInt;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.') {
      token->kind = OracleToken::Kind::kDouble;
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if (Peek() == 'e' || Peek() == 'E') {
      token->kind = OracleToken::Kind::kDouble;
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    token->text = std::string(text_.substr(begin, at_ - begin));
  }

  // A part of a path.
  std::string ReadSegment() {
    if (Peek() == '`') return ReadQuoted();
    const size_t begin = at_;
    while (IsPartOfWord(Peek())) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string ReadQuoted() {
    const char quote = text_[at_++];
    std::string decoded;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') {
        ReadEscape(&decoded);
      } else {
        decoded += text_[at_++];
      }
    }
    if (at_ < text_.size()) ++at_;
    return decoded;
  }

  // Numbers in escapes are those of ASCII characters: generators make no others.
  void ReadEscape(std::string* decoded) {
    const char c = Peek(1);
    at_ += 2;
    switch (c) {
      case 'n':
        *decoded += '\n';
        return;
      case 'x':
        return ReadCode(2, 16, decoded);
      case 'u':
        return ReadCode(4, 16, decoded);
      case 'U':
        return ReadCode(8, 16, decoded);
      case '%':
      case '_':  // Of a pattern: the pattern needs the backslash.
        *decoded += '\\';
        *decoded += c;
        return;
      default:
        break;
    }
    if (IsDigit(c)) {
      --at_;
      return ReadCode(3, 8, decoded);
    }
    *decoded += c;
  }

  void ReadCode(size_t digits, int base, std::string* decoded) {
    const std::string code(text_.substr(at_, digits));
    *decoded += static_cast<char>(std::strtol(code.c_str(), nullptr, base));
    at_ += digits;
  }

  absl::string_view text_;
  size_t at_ = 0;
};

// Values.

OracleValue Bool(bool value) {
  OracleValue result;
  result.kind = Kind::kBool;
  result.bool_value = value;
  return result;
}
OracleValue Int(int64_t value) {
  OracleValue result;
  result.kind = Kind::kInt;
  result.int_value = value;
  return result;
}
OracleValue Double(double value) {
  OracleValue result;
  if (std::isnan(value)) return result;  // What is not a number is not there.
  result.kind = Kind::kDouble;
  result.double_value = value;
  return result;
}
OracleValue Text(absl::string_view value, Kind kind = Kind::kString) {
  OracleValue result;
  result.kind = kind;
  result.text = value;
  return result;
}
OracleValue TextOrNull(const std::optional<std::string>& value, Kind kind = Kind::kString) {
  return value.has_value() ? Text(*value, kind) : OracleValue();
}

bool IsNull(const OracleValue& value) { return value.kind == Kind::kNull; }
bool IsTrue(const OracleValue& value) { return value.kind == Kind::kBool && value.bool_value; }
bool IsFalse(const OracleValue& value) { return value.kind == Kind::kBool && !value.bool_value; }

OracleValue Not(const OracleValue& value) { return IsNull(value) ? value : Bool(!IsTrue(value)); }
OracleValue And(const OracleValue& left, const OracleValue& right) {
  if (IsFalse(left) || IsFalse(right)) return Bool(false);
  if (IsNull(left) || IsNull(right)) return OracleValue();
  return Bool(true);
}
OracleValue Or(const OracleValue& left, const OracleValue& right) {
  return Not(And(Not(left), Not(right)));
}

// Holds every int64 and every double.
using Wide = long double;
static_assert(std::numeric_limits<Wide>::digits >= 64);

Wide Number(const OracleValue& value) {
  return value.kind == Kind::kInt ? static_cast<Wide>(value.int_value)
                                  : static_cast<Wide>(value.double_value);
}

double NearestDouble(const OracleValue& value) {
  return value.kind == Kind::kInt ? static_cast<double>(value.int_value) : value.double_value;
}

// Negative, 0 or positive. REQUIRES: neither is NULL.
int Compare(const OracleValue& left, const OracleValue& right) {
  if (left.kind == Kind::kString || left.kind == Kind::kEnum) return left.text.compare(right.text);
  if (left.kind == Kind::kBool) {
    return static_cast<int>(left.bool_value) - static_cast<int>(right.bool_value);
  }
  if (Number(left) < Number(right)) return -1;
  return Number(left) > Number(right) ? 1 : 0;
}

OracleValue Negate(const OracleValue& value) {
  if (value.kind == Kind::kDouble) return Double(-value.double_value);
  int64_t result = 0;
  if (IsNull(value) || __builtin_sub_overflow(int64_t{0}, value.int_value, &result)) return {};
  return Int(result);
}

size_t CharacterSize(absl::string_view text) {
  size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return size;
}

bool IsLike(absl::string_view text, absl::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    if (IsLike(text, pattern.substr(1))) return true;
    return !text.empty() && IsLike(text.substr(CharacterSize(text)), pattern);
  }
  if (text.empty()) return false;
  if (pattern[0] == '_') return IsLike(text.substr(CharacterSize(text)), pattern.substr(1));
  if (pattern[0] == '\\') pattern.remove_prefix(1);
  return text[0] == pattern[0] && IsLike(text.substr(1), pattern.substr(1));
}

template <class Node>
OracleNode MakeNode(const Node& node, const std::string& type, const std::set<int64_t>& contexts) {
  OracleNode made;
  made.id = node.id();
  made.type_id = node.type_id();
  made.type = type;
  if (node.has_name()) made.name = node.name();
  if (node.has_external_id()) made.external_id = node.external_id();
  made.create_time = node.create_time_since_epoch();
  made.last_update_time = node.last_update_time_since_epoch();
  made.properties.insert(node.properties().begin(), node.properties().end());
  made.custom_properties.insert(node.custom_properties().begin(), node.custom_properties().end());
  made.contexts = contexts;
  return made;
}

}  // namespace

OracleNode MakeOracleNode(const ml_metadata::Artifact& artifact, const std::string& type,
                          const std::set<int64_t>& contexts) {
  OracleNode node = MakeNode(artifact, type, contexts);
  if (artifact.has_uri()) node.uri = artifact.uri();
  if (artifact.has_state()) node.state = ml_metadata::Artifact::State_Name(artifact.state());
  return node;
}

OracleNode MakeOracleNode(const ml_metadata::Execution& execution, const std::string& type,
                          const std::set<int64_t>& contexts) {
  OracleNode node = MakeNode(execution, type, contexts);
  if (execution.has_last_known_state()) {
    node.state = ml_metadata::Execution::State_Name(execution.last_known_state());
  }
  return node;
}

OracleNode MakeOracleNode(const ml_metadata::Context& context, const std::string& type,
                          const std::set<int64_t>& contexts) {
  return MakeNode(context, type, contexts);
}

// By recursive descent: a method per line of the grammar in query/filter_parser.h. Conditions and
// values are the same to it.
class OracleParser {
 public:
  using Op = FilterOracle::Op;
  using Expression = FilterOracle::Expression;

  explicit OracleParser(absl::string_view text) : lexer_(text), token_(lexer_.Next()) {
    oracle_.text_ = std::string(text);
    oracle_.variables_.emplace_back();
  }

  std::optional<FilterOracle> Parse() {
    oracle_.root_ = Condition();
    if (failed_ || token_.kind != OracleToken::Kind::kEnd) return std::nullopt;
    return std::move(oracle_);
  }

 private:
  bool IsAt(absl::string_view word_or_sign) const {
    if (token_.kind == OracleToken::Kind::kSign) return token_.text == word_or_sign;
    return token_.kind == OracleToken::Kind::kPath && token_.is_keyword_or_enum &&
           absl::EqualsIgnoreCase(token_.text, word_or_sign);
  }
  void Advance() {
    last_end_ = token_.end;
    token_ = lexer_.Next();
  }
  bool Accept(absl::string_view word_or_sign) {
    if (!IsAt(word_or_sign)) return false;
    Advance();
    return true;
  }
  void Expect(absl::string_view word_or_sign) {
    if (!Accept(word_or_sign)) failed_ = true;
  }

  Expression Make(Op op, size_t begin, std::vector<Expression> operands) {
    Expression expression;
    expression.op = op;
    expression.begin = begin;
    expression.end = last_end_;
    expression.operands = std::move(operands);
    return expression;
  }

  Expression Condition() {
    Expression left = AndChain();
    while (!failed_ && Accept("OR")) {
      Expression right = AndChain();
      const size_t begin = left.begin;
      left = Make(Op::kOr, begin, {std::move(left), std::move(right)});
    }
    return left;
  }

  Expression AndChain() {
    Expression left = Negation();
    while (!failed_ && Accept("AND")) {
      Expression right = Negation();
      const size_t begin = left.begin;
      left = Make(Op::kAnd, begin, {std::move(left), std::move(right)});
    }
    return left;
  }

  Expression Negation() {
    const size_t begin = token_.begin;
    if (!Accept("NOT")) return Test();
    Expression operand = Negation();
    return Make(Op::kNot, begin, {std::move(operand)});
  }

  Expression Test() {
    Expression left = Sum();
    const size_t begin = left.begin;
    static const auto* const comparisons = new std::vector<std::pair<std::string, Op>>{
        {"=", Op::kEqual},      {"!=", Op::kNotEqual}, {"<>", Op::kNotEqual},    {"<", Op::kLess},
        {"<=", Op::kLessEqual}, {">", Op::kGreater},   {">=", Op::kGreaterEqual}};
    for (const auto& [sign, op] : *comparisons) {
      if (!Accept(sign)) continue;
      Expression right = Sum();
      return Make(op, begin, {std::move(left), std::move(right)});
    }
    if (Accept("IS")) {
      const bool is_negated = Accept("NOT");
      const Op op = IsAt("NULL") ? Op::kIsNull : IsAt("TRUE") ? Op::kIsTrue : Op::kIsFalse;
      if (op == Op::kIsFalse && !IsAt("FALSE")) failed_ = true;
      Advance();
      return Negated(is_negated, Make(op, begin, {std::move(left)}));
    }
    const bool is_negated = Accept("NOT");
    std::vector<Expression> operands = {std::move(left)};
    if (Accept("IN")) {
      Expect("(");
      do {
        operands.push_back(Sum());
      } while (!failed_ && Accept(","));
      Expect(")");
      return Negated(is_negated, Make(Op::kIn, begin, std::move(operands)));
    }
    if (Accept("LIKE")) {
      operands.push_back(Primary());
      return Negated(is_negated, Make(Op::kLike, begin, std::move(operands)));
    }
    if (Accept("BETWEEN")) {
      operands.push_back(Sum());
      Expect("AND");
      operands.push_back(Sum());
      return Negated(is_negated, Make(Op::kBetween, begin, std::move(operands)));
    }
    if (is_negated) failed_ = true;
    return std::move(operands[0]);
  }

  static Expression Negated(bool is_negated, Expression expression) {
    expression.is_negated = is_negated;
    return expression;
  }

  Expression Sum() {
    Expression left = Product();
    while (!failed_ && (IsAt("+") || IsAt("-"))) {
      const Op op = IsAt("+") ? Op::kAdd : Op::kSubtract;
      Advance();
      Expression right = Product();
      const size_t begin = left.begin;
      left = Make(op, begin, {std::move(left), std::move(right)});
    }
    return left;
  }

  Expression Product() {
    Expression left = Sign();
    while (!failed_ && Accept("*")) {
      Expression right = Sign();
      const size_t begin = left.begin;
      left = Make(Op::kMultiply, begin, {std::move(left), std::move(right)});
    }
    return left;
  }

  Expression Sign() {
    const size_t begin = token_.begin;
    if (Accept("+")) return Sign();
    if (!Accept("-")) return Primary();
    // The smallest int has no positive to be made from.
    if (token_.kind == OracleToken::Kind::kInt) {
      token_.text = absl::StrCat("-", token_.text);
      Expression literal = Primary();
      literal.begin = begin;
      return literal;
    }
    Expression operand = Sign();
    return Make(Op::kNegate, begin, {std::move(operand)});
  }

  Expression Primary() {
    const size_t begin = token_.begin;
    if (Accept("(")) {
      Expression inner = Condition();
      Expect(")");
      inner.begin = begin;
      inner.end = last_end_;
      return inner;
    }
    Expression expression;
    switch (token_.kind) {
      case OracleToken::Kind::kInt: {
        int64_t value = 0;
        if (!absl::SimpleAtoi(token_.text, &value)) failed_ = true;
        expression.literal = Int(value);
        break;
      }
      case OracleToken::Kind::kDouble:
        expression.literal = Double(std::strtod(token_.text.c_str(), nullptr));
        break;
      case OracleToken::Kind::kString:
        expression.literal.kind = Kind::kString;
        expression.text = token_.text;
        break;
      case OracleToken::Kind::kPath:
        expression = Word();
        break;
      default:
        failed_ = true;
        break;
    }
    Advance();
    expression.begin = begin;
    expression.end = last_end_;
    return expression;
  }

  Expression Word() {
    Expression expression;
    if (IsAt("TRUE") || IsAt("FALSE")) {
      expression.literal = Bool(IsAt("TRUE"));
      return expression;
    }
    // No attribute begins with a capital letter, and all names of enum values do.
    if (token_.is_keyword_or_enum &&
        absl::ascii_isupper(static_cast<unsigned char>(token_.text[0]))) {
      expression.is_enum = true;
      expression.literal.kind = Kind::kEnum;
      expression.text = token_.text;
      return expression;
    }
    expression.op = Op::kAttribute;
    expression.text = token_.path.back();
    FilterOracle::Variable variable;
    if (token_.path.size() == 3) {
      variable = {token_.path[0], token_.path[1]};
    } else if (token_.path.size() == 2) {
      const std::string& word = token_.path[0];
      for (const char* prefix : {"contexts_", "events_", "parent_contexts_", "child_contexts_",
                                 "artifacts_", "executions_"}) {
        if (absl::StartsWith(word, prefix)) variable = {prefix, word.substr(std::strlen(prefix))};
      }
      if (variable.prefix.empty()) failed_ = true;
    }
    expression.variable = Find(variable);
    expression.is_enum = expression.text == "state" || expression.text == "last_known_state" ||
                         (variable.prefix == "events_" && expression.text == "type");
    return expression;
  }

  size_t Find(const FilterOracle::Variable& variable) {
    auto& variables = oracle_.variables_;
    for (size_t i = 0; i < variables.size(); ++i) {
      if (variables[i].prefix == variable.prefix && variables[i].name == variable.name) return i;
    }
    variables.push_back(variable);
    return variables.size() - 1;
  }

  FilterOracle oracle_;
  OracleLexer lexer_;
  OracleToken token_;
  size_t last_end_ = 0;  // Of the token before.
  bool failed_ = false;
};

std::optional<FilterOracle> FilterOracle::Parse(absl::string_view text) {
  return OracleParser(text).Parse();
}

// A value of a variable: one of the three.
struct FilterOracle::Thing {
  const OracleNode* node = nullptr;
  const ml_metadata::Event* event = nullptr;
  const ml_metadata::Value* property = nullptr;
};

OracleValue FilterOracle::AttributeOf(const Thing& thing, const std::string& name) {
  if (const ml_metadata::Value* value = thing.property; value != nullptr) {
    if (name == "int_value" && value->has_int_value()) return Int(value->int_value());
    if (name == "double_value" && value->has_double_value()) return Double(value->double_value());
    if (name == "string_value" && value->has_string_value()) return Text(value->string_value());
    if (name == "bool_value" && value->has_bool_value()) return Bool(value->bool_value());
    return OracleValue();
  }
  if (const ml_metadata::Event* event = thing.event; event != nullptr) {
    if (name == "artifact_id") return Int(event->artifact_id());
    if (name == "execution_id") return Int(event->execution_id());
    if (name == "milliseconds_since_epoch") return Int(event->milliseconds_since_epoch());
    return Text(ml_metadata::Event::Type_Name(event->type()), Kind::kEnum);
  }
  const OracleNode& node = *thing.node;
  if (name == "id") return Int(node.id);
  if (name == "type_id") return Int(node.type_id);
  if (name == "type") return Text(node.type);
  if (name == "name") return TextOrNull(node.name);
  if (name == "external_id") return TextOrNull(node.external_id);
  if (name == "uri") return TextOrNull(node.uri);
  if (name == "create_time_since_epoch") return Int(node.create_time);
  if (name == "last_update_time_since_epoch") return Int(node.last_update_time);
  return TextOrNull(node.state, Kind::kEnum);
}

OracleValue FilterOracle::EvaluateIn(const Expression& expression, const Row& row) {
  const OracleValue value = Evaluate(expression.operands[0], row);
  OracleValue found = Bool(false);
  for (size_t i = 1; i < expression.operands.size(); ++i) {
    const OracleValue other = Evaluate(expression.operands[i], row);
    const bool is_unknown = IsNull(value) || IsNull(other);
    found = Or(found, is_unknown ? OracleValue() : Bool(Compare(value, other) == 0));
  }
  if (!expression.is_negated) return found;
  // Of an enum, NOT IN and != match what is unset as well.
  if (expression.operands[0].is_enum && IsNull(found)) return Bool(true);
  return Not(found);
}

OracleValue FilterOracle::Evaluate(const Expression& expression, const Row& row) {
  const auto operand = [&](size_t i) { return Evaluate(expression.operands[i], row); };
  const auto maybe_not = [&](const OracleValue& value) {
    return expression.is_negated ? Not(value) : value;
  };
  const auto compare = [&](const auto& holds) {
    const OracleValue left = operand(0);
    const OracleValue right = operand(1);
    if (IsNull(left) || IsNull(right)) return OracleValue();
    return Bool(holds(Compare(left, right)));
  };
  const auto calculate = [&](const auto& of_ints, const auto& of_doubles) {
    const OracleValue left = operand(0);
    const OracleValue right = operand(1);
    if (IsNull(left) || IsNull(right)) return OracleValue();
    if (left.kind == Kind::kDouble || right.kind == Kind::kDouble) {
      return Double(of_doubles(NearestDouble(left), NearestDouble(right)));
    }
    int64_t result = 0;
    if (of_ints(left.int_value, right.int_value, &result)) return OracleValue();
    return Int(result);
  };

  switch (expression.op) {
    case Op::kLiteral: {
      OracleValue literal = expression.literal;
      literal.text = expression.text;
      return literal;
    }
    case Op::kAttribute:
      return AttributeOf(row[expression.variable], expression.text);
    case Op::kNegate:
      return Negate(operand(0));
    case Op::kAdd:
      return calculate(
          [](int64_t a, int64_t b, int64_t* sum) { return __builtin_add_overflow(a, b, sum); },
          [](double a, double b) { return a + b; });
    case Op::kSubtract:
      return calculate([](int64_t a, int64_t b,
                          int64_t* difference) { return __builtin_sub_overflow(a, b, difference); },
                       [](double a, double b) { return a - b; });
    case Op::kMultiply:
      return calculate([](int64_t a, int64_t b,
                          int64_t* product) { return __builtin_mul_overflow(a, b, product); },
                       [](double a, double b) { return a * b; });
    case Op::kAnd:
      return And(operand(0), operand(1));
    case Op::kOr:
      return Or(operand(0), operand(1));
    case Op::kNot:
      return Not(operand(0));
    case Op::kEqual:
      return compare([](int order) { return order == 0; });
    case Op::kNotEqual: {
      const OracleValue differs = compare([](int order) { return order != 0; });
      const bool is_enum = expression.operands[0].is_enum;
      return is_enum && IsNull(differs) ? Bool(true) : differs;
    }
    case Op::kLess:
      return compare([](int order) { return order < 0; });
    case Op::kLessEqual:
      return compare([](int order) { return order <= 0; });
    case Op::kGreater:
      return compare([](int order) { return order > 0; });
    case Op::kGreaterEqual:
      return compare([](int order) { return order >= 0; });
    case Op::kIn:
      return EvaluateIn(expression, row);
    case Op::kLike: {
      const OracleValue text = operand(0);
      if (IsNull(text)) return text;
      return maybe_not(Bool(IsLike(text.text, expression.operands[1].text)));
    }
    case Op::kBetween: {
      const OracleValue value = operand(0);
      const OracleValue low = operand(1);
      const OracleValue high = operand(2);
      const bool no_low = IsNull(value) || IsNull(low);
      const bool no_high = IsNull(value) || IsNull(high);
      return maybe_not(And(no_low ? OracleValue() : Bool(Compare(low, value) <= 0),
                           no_high ? OracleValue() : Bool(Compare(value, high) <= 0)));
    }
    case Op::kIsNull:
      return maybe_not(Bool(IsNull(operand(0))));
    case Op::kIsTrue:
      return maybe_not(Bool(IsTrue(operand(0))));
    case Op::kIsFalse:
      return maybe_not(Bool(IsFalse(operand(0))));
  }
  return OracleValue();
}

std::vector<FilterOracle::Thing> FilterOracle::ThingsOf(const OracleModel& model, NodeKind kind,
                                                        const OracleNode& node,
                                                        const Variable& variable) const {
  std::vector<Thing> things;
  const std::string& prefix = variable.prefix;
  const auto add_property = [&](const auto& properties) {
    const auto it = properties.find(variable.name);
    if (it != properties.end()) things.push_back({nullptr, nullptr, &it->second});
  };
  const auto add_members = [&](NodeKind of) {
    for (const auto& [id, member] : model.Of(of)) {
      if (member.contexts.count(node.id) > 0) things.push_back({&member, nullptr, nullptr});
    }
  };
  if (prefix.empty()) things.push_back({&node, nullptr, nullptr});
  if (prefix == "properties") add_property(node.properties);
  if (prefix == "custom_properties") add_property(node.custom_properties);
  if (prefix == "contexts_" || prefix == "parent_contexts_") {
    for (const int64_t id : node.contexts) {
      things.push_back({&model.Of(NodeKind::kContext).at(id), nullptr, nullptr});
    }
  }
  if (prefix == "child_contexts_") add_members(NodeKind::kContext);
  if (prefix == "artifacts_") add_members(NodeKind::kArtifact);
  if (prefix == "executions_") add_members(NodeKind::kExecution);
  if (prefix == "events_") {
    for (const ml_metadata::Event& event : model.events) {
      const int64_t id = kind == NodeKind::kArtifact ? event.artifact_id() : event.execution_id();
      if (id == node.id) things.push_back({nullptr, &event, nullptr});
    }
  }
  return things;
}

// False: `visit` has had enough.
template <typename Visit>
bool FilterOracle::VisitRows(const std::vector<std::vector<Thing>>& things, Row* row,
                             const Visit& visit) const {
  if (row->size() == things.size()) return visit(Evaluate(root_, *row));
  for (const Thing& thing : things[row->size()]) {
    row->push_back(thing);
    const bool goes_on = VisitRows(things, row, visit);
    row->pop_back();
    if (!goes_on) return false;
  }
  return true;
}

template <typename Visit>
bool FilterOracle::VisitCombinations(const OracleModel& model, NodeKind kind, int64_t id,
                                     const Visit& visit) const {
  const OracleNode& node = model.Of(kind).at(id);
  std::vector<std::vector<Thing>> things;
  for (const Variable& variable : variables_) {
    things.push_back(ThingsOf(model, kind, node, variable));
    if (things.back().empty()) return true;
  }
  size_t combinations = 1;
  for (const auto& some : things) {
    combinations *= some.size();
    if (combinations > kMaxCombinations) return false;
  }
  Row row;
  VisitRows(things, &row, visit);
  return true;
}

FilterOracle::Answer FilterOracle::Matches(const OracleModel& model, NodeKind kind,
                                           int64_t id) const {
  bool matches = false;
  const bool tried = VisitCombinations(model, kind, id, [&](const OracleValue& value) {
    matches = IsTrue(value);
    return !matches;
  });
  if (!tried) return Answer::kTooMuch;
  return matches ? Answer::kYes : Answer::kNo;
}

std::vector<OracleValue> FilterOracle::Values(const OracleModel& model, NodeKind kind,
                                              int64_t id) const {
  std::vector<OracleValue> values;
  VisitCombinations(model, kind, id, [&](const OracleValue& value) {
    values.push_back(value);
    return true;
  });
  return values;
}

void FilterOracle::AddSimpler(const Expression& expression,
                              std::vector<std::string>* simpler) const {
  const bool has_conditions = expression.op == Op::kAnd || expression.op == Op::kOr ||
                              expression.op == Op::kNot || expression.op == Op::kIsTrue ||
                              expression.op == Op::kIsFalse;
  if (!has_conditions) return;
  for (const Expression& operand : expression.operands) {
    simpler->push_back(absl::StrCat(text_.substr(0, expression.begin), " (",
                                    text_.substr(operand.begin, operand.end - operand.begin), ") ",
                                    text_.substr(expression.end)));
  }
  for (const Expression& operand : expression.operands) AddSimpler(operand, simpler);
}

std::vector<std::string> FilterOracle::Simpler() const {
  std::vector<std::string> simpler;
  AddSimpler(root_, &simpler);
  return simpler;
}

}  // namespace pedigree
