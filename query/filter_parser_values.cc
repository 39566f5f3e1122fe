#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <system_error>

#include "absl/strings/charconv.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "query/filter_attributes.h"
#include "query/filter_parser_rules.h"
#include "store/text.h"

namespace pedigree {

namespace {

constexpr uint64_t kInt64MinMagnitude = uint64_t{1} << 63;

// "a, b or c".
std::string NamesOf(absl::Span<const Attribute> attributes) {
  std::string names;
  for (const Attribute& attribute : attributes) {
    const bool is_last = &attribute == &attributes.back();
    absl::StrAppend(&names, names.empty() ? "" : (is_last ? " or " : ", "), attribute.name);
  }
  return names;
}

std::string AllAttributesOf(NodeKind kind) {
  std::string names = absl::StrCat("an attribute of ", kind == NodeKind::kContext ? "a " : "an ",
                                   NameOf(kind), ": ");
  for (const Attribute& attribute : AttributesOf(kind, VariableKind::kNode)) {
    absl::StrAppend(&names, attribute.name, ", ");
  }
  for (const VariableKind variable : VariableKindsOf(kind)) {
    const bool is_last = variable == VariableKindsOf(kind).back();
    const absl::string_view prefix = PrefixOf(variable);
    absl::StrAppend(&names, is_last ? "or " : "", prefix,
                    absl::EndsWith(prefix, ".") ? "NAME.*" : "ALIAS.*", is_last ? "" : ", ");
  }
  return names;
}

bool IsName(const Token& token) {
  return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedWord;
}

// REQUIRES: IsName(token).
std::string NameIn(const Token& token) {
  return token.kind == TokenKind::kWord ? std::string(token.text) : DecodeQuoted(token);
}

}  // namespace

// Values.

FilterParser::Parsed FilterParser::ParseSum() {
  Parsed left = ParseProduct();
  while (left.ok() && (token_.kind == TokenKind::kPlus || token_.kind == TokenKind::kMinus)) {
    left = AsNumber(*left);
    if (!left.ok()) return left;
    const uint32_t position = token_.position;
    const ScalarOp op = token_.kind == TokenKind::kPlus ? ScalarOp::kAdd : ScalarOp::kSubtract;
    Advance();
    Parsed right = ParseProduct();
    if (right.ok()) right = AsNumber(*right);
    if (!right.ok()) return right;
    left = ScalarAt(builder_.AddArithmetic(op, position, left->index, right->index), position,
                    left->begin);
  }
  return left;
}

FilterParser::Parsed FilterParser::ParseProduct() {
  Parsed left = ParseSign();
  while (left.ok() && token_.kind == TokenKind::kStar) {
    left = AsNumber(*left);
    if (!left.ok()) return left;
    const uint32_t position = token_.position;
    Advance();
    Parsed right = ParseSign();
    if (right.ok()) right = AsNumber(*right);
    if (!right.ok()) return right;
    left =
        ScalarAt(builder_.AddArithmetic(ScalarOp::kMultiply, position, left->index, right->index),
                 position, left->begin);
  }
  return left;
}

FilterParser::Parsed FilterParser::ParseSign() {
  if (token_.kind != TokenKind::kPlus && token_.kind != TokenKind::kMinus) return ParsePrimary();
  const Level level(*this);
  absl::Status status = level.Check();
  if (!status.ok()) return status;
  if (token_.kind == TokenKind::kMinus) return ParseMinus();
  Advance();
  Parsed operand = ParseSign();
  if (operand.ok()) operand = AsNumber(*operand);
  return operand;
}

// A sign in front of a literal belongs to it: only so is there a smallest int64, and a planner
// sees a literal.
FilterParser::Parsed FilterParser::ParseMinus() {
  const uint32_t begin = token_.position;
  Advance();
  if (token_.kind == TokenKind::kInt) return ParseNumber(/*negative=*/true, begin);
  Parsed operand = ParseSign();
  if (operand.ok()) operand = AsNumber(*operand);
  if (!operand.ok()) return operand;
  if (ScalarOf(*operand).op != ScalarOp::kLiteral) {
    return ScalarAt(builder_.AddNegation(begin, operand->index), begin, begin);
  }
  if (!builder_.NegateLiteral(operand->index, begin)) {
    return UnexpectedOperand(*operand, "a number whose negative is an int64");
  }
  return ScalarAt(operand->index, begin, begin);
}

FilterParser::Parsed FilterParser::ParsePrimary() {
  switch (token_.kind) {
    case TokenKind::kOpen:
      return ParseParentheses();
    case TokenKind::kInt:
    case TokenKind::kDouble:
      return ParseNumber(/*negative=*/false, token_.position);
    case TokenKind::kString:
      return ParseString();
    case TokenKind::kTrue:
    case TokenKind::kFalse:
      return ParseBool();
    case TokenKind::kWord:
    case TokenKind::kQuotedWord:
      return ParsePath();
    case TokenKind::kNull:
      return Unexpected("a value; whether there is one asks IS NULL");
    default:
      return Unexpected("a value: a name, a number, a string, TRUE or FALSE");
  }
}

FilterParser::Parsed FilterParser::ParseParentheses() {
  const Level level(*this);
  absl::Status status = level.Check();
  if (!status.ok()) return status;
  const uint32_t begin = token_.position;
  Advance();
  Parsed inner = ParseCondition();
  if (!inner.ok()) return inner;
  status = Expect(TokenKind::kClose,
                  inner->is == Operand::Is::kScalar ? "an operator or )" : "AND, OR or )");
  if (!status.ok()) return status;
  inner->begin = begin;
  inner->end = last_end_;
  return inner;
}

FilterParser::Parsed FilterParser::ParseNumber(bool negative, uint32_t begin) {
  Scalar scalar;
  scalar.position = begin;
  if (token_.kind == TokenKind::kDouble) {
    scalar.type = ScalarType::kDouble;
    double value = 0;
    const char* const begin_of_text = token_.text.data();
    const auto result = absl::from_chars(begin_of_text, begin_of_text + token_.text.size(), value);
    // Too small a number is out of range as well, and 0 or nearly so.
    if (result.ec == std::errc::result_out_of_range && value > 1) {
      return Unexpected("a number that a double can hold");
    }
    scalar.double_value = value;
  } else {
    uint64_t magnitude = 0;
    const uint64_t most = negative ? kInt64MinMagnitude : kInt64MinMagnitude - 1;
    if (!absl::SimpleAtoi(token_.text, &magnitude) || magnitude > most) {
      return Unexpected("a number that an int64 can hold");
    }
    scalar.int_value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  }
  Advance();
  return ScalarAt(builder_.AddLiteral(scalar), begin, begin);
}

FilterParser::Parsed FilterParser::ParseString() {
  if (token_.has_like_escapes) return Unexpected("no \\% and \\_ but in a pattern of LIKE");
  const uint32_t begin = token_.position;
  const uint32_t index =
      token_.has_escapes ? builder_.AddString(DecodeQuoted(token_), begin)
                         : builder_.AddString(token_.text.substr(1, token_.text.size() - 2), begin);
  Advance();
  return ScalarAt(index, begin, begin);
}

FilterParser::Parsed FilterParser::ParseBool() {
  Scalar scalar;
  scalar.type = ScalarType::kBool;
  scalar.position = token_.position;
  scalar.int_value = token_.kind == TokenKind::kTrue ? 1 : 0;
  Advance();
  return ScalarAt(builder_.AddLiteral(scalar), scalar.position, scalar.position);
}

// Names.

FilterParser::Parsed FilterParser::ParsePath() {
  const Token first = token_;
  const std::string name = NameIn(first);
  const NodeKind kind = builder_.filter().kind;
  if (const Attribute* found = FindAttribute(AttributesOf(kind, VariableKind::kNode), name)) {
    Advance();
    constexpr uint32_t kNode = 0;
    const uint32_t index = builder_.AddAttribute(kNode, found->field, found->type, first.position);
    return ScalarAt(index, first.position, first.position);
  }
  for (const VariableKind variable : VariableKindsOf(kind)) {
    const absl::string_view prefix = PrefixOf(variable);
    if (absl::EndsWith(prefix, ".")) {
      if (absl::StrCat(name, ".") == prefix) return ParseProperty(variable);
    } else if (name.size() > prefix.size() && absl::StartsWith(name, prefix)) {
      Advance();
      return ParseField(variable, name.substr(prefix.size()), first.position);
    }
  }
  return Unexpected(AllAttributesOf(kind));
}

FilterParser::Parsed FilterParser::ParseProperty(VariableKind kind) {
  const uint32_t begin = token_.position;
  Advance();
  absl::Status status = Expect(TokenKind::kDot, ". and the name of a property");
  if (!status.ok()) return status;
  if (!IsName(token_)) {
    return Unexpected("the name of a property, in backquotes unless it is of [0-9A-Za-z_]");
  }
  const std::string name = NameIn(token_);
  Advance();
  return ParseField(kind, name, begin);
}

FilterParser::Parsed FilterParser::ParseField(VariableKind kind, absl::string_view name,
                                              uint32_t begin) {
  const auto attributes = AttributesOf(builder_.filter().kind, kind);
  const uint32_t end = last_end_;
  if (!Accept(TokenKind::kDot)) return Unexpected(absl::StrCat(". and ", NamesOf(attributes)));
  const Attribute* found = IsName(token_) ? FindAttribute(attributes, NameIn(token_)) : nullptr;
  if (found == nullptr) return Unexpected(NamesOf(attributes));
  Advance();
  const std::optional<uint32_t> variable = builder_.FindOrAddVariable(kind, name, begin);
  if (!variable) {
    return ErrorAt(begin, Quoted(text_.substr(begin, end - begin)),
                   absl::StrCat("at most ", kMaxFilterVariables - 1,
                                " different properties and neighbourhoods"));
  }
  const uint32_t index = builder_.AddAttribute(*variable, found->field, found->type, begin);
  return ScalarAt(index, begin, begin);
}

}  // namespace pedigree
