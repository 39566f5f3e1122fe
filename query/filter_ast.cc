#include "query/filter_ast.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "query/filter_attributes.h"
#include "query/filter_normal_form.h"

namespace pedigree {

namespace {

// A literal in `quote`s, on one line. Everything but UTF-8 beyond ASCII is shown as it is read.
void AppendQuoted(absl::string_view text, char quote, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out.push_back(quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 0xf]});
    } else {
      out.push_back(c);
    }
  }
  out.push_back(quote);
}

// The shortest digits that read as the same double, and as a double.
void AppendDouble(double value, std::string& out) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const absl::string_view text(digits.data(), static_cast<size_t>(end - digits.data()));
  absl::StrAppend(&out, text, text.find_first_of(".e") == text.npos ? ".0" : "");
}

void AppendVariable(const Variable& variable, std::string& out) {
  absl::StrAppend(&out, PrefixOf(variable.kind));
  const bool is_plain = !variable.name.empty() &&
                        std::all_of(variable.name.begin(), variable.name.end(), IsWordCharacter);
  if (is_plain) {
    out.append(variable.name);
  } else {
    AppendQuoted(variable.name, '`', out);
  }
}

absl::string_view SignOf(ScalarOp op) {
  if (op == ScalarOp::kAdd) return " + ";
  return op == ScalarOp::kSubtract ? " - " : " * ";
}

absl::string_view WordOf(PredicateOp op) {
  switch (op) {
    case PredicateOp::kAnd:
      return " AND ";
    case PredicateOp::kOr:
      return " OR ";
    case PredicateOp::kEqual:
      return " = ";
    case PredicateOp::kNotEqual:
      return " != ";
    case PredicateOp::kLess:
      return " < ";
    case PredicateOp::kLessEqual:
      return " <= ";
    case PredicateOp::kGreater:
      return " > ";
    case PredicateOp::kGreaterEqual:
      return " >= ";
    case PredicateOp::kIn:
      return " IN (";
    case PredicateOp::kNotIn:
      return " NOT IN (";
    case PredicateOp::kLike:
      return " LIKE ";
    case PredicateOp::kNotLike:
      return " NOT LIKE ";
    case PredicateOp::kBetween:
      return " BETWEEN ";
    case PredicateOp::kNotBetween:
      return " NOT BETWEEN ";
    case PredicateOp::kIsNull:
      return " IS NULL";
    case PredicateOp::kIsNotNull:
      return " IS NOT NULL";
    case PredicateOp::kIsTrue:
      return " IS TRUE";
    case PredicateOp::kIsFalse:
      break;
  }
  return " IS FALSE";
}

class Printer {
 public:
  explicit Printer(const Filter& filter) : filter_(filter) {}

  void Append(const Predicate& predicate);
  void Append(const Scalar& scalar);

  std::string Take() && { return std::move(out_); }

 private:
  void AppendCompound(const Predicate& predicate);
  void AppendBoolTest(const Predicate& leaf);
  void AppendLeaf(const Predicate& leaf, PredicateOp op);
  void AppendLiteral(const Scalar& literal);
  void AppendAttribute(const Scalar& attribute);

  const Filter& filter_;
  std::string out_;
};

void Printer::Append(const Predicate& predicate) {
  const PredicateOp op = predicate.op;
  if (!IsLeaf(op)) return AppendCompound(predicate);
  if (op == PredicateOp::kIsTrue || op == PredicateOp::kIsFalse) return AppendBoolTest(predicate);
  const bool as_written = MatchesNullAsWritten(filter_, op, filter_.OperandsOf(predicate));
  if (predicate.null_matches == as_written) return AppendLeaf(predicate, op);
  out_.append(as_written ? "(NOT " : "(");
  AppendLeaf(predicate, as_written ? Negated(op) : op);
  out_.append(as_written ? ")" : " IS NOT FALSE)");
}

void Printer::AppendCompound(const Predicate& predicate) {
  absl::string_view separator = "(";
  for (const uint32_t operand : filter_.OperandsOf(predicate)) {
    absl::StrAppend(&out_, separator);
    Append(filter_.predicates[operand]);
    separator = WordOf(predicate.op);
  }
  out_.push_back(')');
}

void Printer::AppendBoolTest(const Predicate& leaf) {
  if (!leaf.null_matches) return AppendLeaf(leaf, leaf.op);
  out_.push_back('(');
  Append(filter_.ScalarOf(leaf, 0));
  out_.append(leaf.op == PredicateOp::kIsTrue ? " IS NOT FALSE)" : " IS NOT TRUE)");
}

void Printer::AppendLeaf(const Predicate& leaf, PredicateOp op) {
  const bool is_list = op == PredicateOp::kIn || op == PredicateOp::kNotIn;
  const bool is_range = op == PredicateOp::kBetween || op == PredicateOp::kNotBetween;
  out_.push_back('(');
  Append(filter_.ScalarOf(leaf, 0));
  absl::StrAppend(&out_, WordOf(op));
  for (size_t i = 1; i < leaf.operand_count; ++i) {
    if (i > 1) out_.append(is_range ? " AND " : ", ");
    Append(filter_.ScalarOf(leaf, i));
  }
  out_.append(is_list ? "))" : ")");
}

void Printer::Append(const Scalar& scalar) {
  if (scalar.op == ScalarOp::kLiteral) return AppendLiteral(scalar);
  if (scalar.op == ScalarOp::kAttribute) return AppendAttribute(scalar);
  if (scalar.op == ScalarOp::kNegate) {
    out_.append("(-");
    Append(filter_.scalars[scalar.operands.left]);
  } else {
    out_.push_back('(');
    Append(filter_.scalars[scalar.operands.left]);
    absl::StrAppend(&out_, SignOf(scalar.op));
    Append(filter_.scalars[scalar.operands.right]);
  }
  out_.push_back(')');
}

void Printer::AppendLiteral(const Scalar& literal) {
  switch (literal.type) {
    case ScalarType::kInt:
      return absl::StrAppend(&out_, literal.int_value);
    case ScalarType::kDouble:
      return AppendDouble(literal.double_value, out_);
    case ScalarType::kString:
      return AppendQuoted(filter_.TextOf(literal), '\'', out_);
    case ScalarType::kBool:
      return absl::StrAppend(&out_, literal.int_value == 0 ? "FALSE" : "TRUE");
    default:
      return absl::StrAppend(&out_, EnumNameOf(literal.type, literal.int_value));
  }
}

void Printer::AppendAttribute(const Scalar& attribute) {
  const Variable& variable = filter_.variables[attribute.variable];
  if (variable.kind != VariableKind::kNode) {
    AppendVariable(variable, out_);
    out_.push_back('.');
  }
  absl::StrAppend(&out_, NameOf(filter_.kind, variable.kind, attribute.field));
}

}  // namespace

std::string ToString(const Filter& filter) { return ToString(filter, filter.RootPredicate()); }

std::string ToString(const Filter& filter, const Predicate& predicate) {
  Printer printer(filter);
  printer.Append(predicate);
  return std::move(printer).Take();
}

std::string ToString(const Filter& filter, const Scalar& scalar) {
  Printer printer(filter);
  printer.Append(scalar);
  return std::move(printer).Take();
}

std::string ToString(const Filter& filter, const Variable& variable) {
  if (variable.kind == VariableKind::kNode) return std::string(NameOf(filter.kind));
  std::string text;
  AppendVariable(variable, text);
  return text;
}

}  // namespace pedigree
