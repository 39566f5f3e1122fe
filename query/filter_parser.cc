#include "query/filter_parser.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "query/filter_attributes.h"
#include "query/filter_parser_rules.h"
#include "store/text.h"

namespace pedigree {

namespace {

bool AreComparable(ScalarType a, ScalarType b) { return a == b || (IsNumber(a) && IsNumber(b)); }

PredicateOp ComparisonOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEqual:
      return PredicateOp::kEqual;
    case TokenKind::kNotEqual:
      return PredicateOp::kNotEqual;
    case TokenKind::kLess:
      return PredicateOp::kLess;
    case TokenKind::kLessEqual:
      return PredicateOp::kLessEqual;
    case TokenKind::kGreater:
      return PredicateOp::kGreater;
    default:
      return PredicateOp::kGreaterEqual;
  }
}

bool IsComparison(TokenKind kind) {
  return kind >= TokenKind::kEqual && kind <= TokenKind::kGreaterEqual;
}

// A pattern may end in a backslash only if another one escapes it.
bool EndsInLoneBackslash(absl::string_view pattern) {
  size_t backslashes = 0;
  while (backslashes < pattern.size() && pattern[pattern.size() - 1 - backslashes] == '\\') {
    ++backslashes;
  }
  return backslashes % 2 == 1;
}

}  // namespace

// Errors.

absl::Status FilterParser::ErrorAt(size_t position, absl::string_view found,
                                   absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("filter_query, position ", position + 1,
                                                 ": found ", found, ", expected ", expected));
}

absl::Status FilterParser::Unexpected(absl::string_view expected) const {
  if (token_.kind == TokenKind::kError) expected = token_.expected;
  const std::string found =
      token_.kind == TokenKind::kEnd ? "the end of the text" : Quoted(token_.text);
  return ErrorAt(token_.position, found, expected);
}

absl::Status FilterParser::UnexpectedOperand(const Operand& operand,
                                             absl::string_view expected) const {
  const bool is_scalar = operand.is == Operand::Is::kScalar;
  return ErrorAt(operand.begin,
                 absl::StrCat(Quoted(text_.substr(operand.begin, operand.end - operand.begin)),
                              ", ", is_scalar ? NameOf(TypeOf(operand)) : "a condition"),
                 expected);
}

absl::Status FilterParser::TooDeep(uint32_t position) const {
  return ErrorAt(position, absl::StrCat("more than ", kMaxFilterDepth, " nested expressions"),
                 "fewer parentheses, NOTs, signs or operators of arithmetic");
}

// Checks.

FilterParser::Parsed FilterParser::AsCondition(const Operand& operand) {
  if (operand.is == Operand::Is::kCondition) return operand;
  if (TypeOf(operand) != ScalarType::kBool) return Unexpected("a comparison operator");
  return AddLeaf(PredicateOp::kIsTrue, operand.begin, {operand.index}, operand);
}

FilterParser::Parsed FilterParser::AsScalar(const Operand& operand,
                                            absl::string_view expected) const {
  if (operand.is == Operand::Is::kScalar) return operand;
  return UnexpectedOperand(operand, expected);
}

FilterParser::Parsed FilterParser::AsNumber(const Operand& operand) const {
  if (operand.is == Operand::Is::kScalar && IsNumber(TypeOf(operand))) return operand;
  return UnexpectedOperand(operand, "a number");
}

absl::Status FilterParser::CheckOrdered(const Operand& operand) const {
  if (!IsEnum(TypeOf(operand))) return absl::OkStatus();
  return UnexpectedOperand(operand, "something with an order: enums have only =, != and IN");
}

// Building.

FilterParser::Parsed FilterParser::ScalarAt(std::optional<uint32_t> index, uint32_t position,
                                            uint32_t begin) const {
  if (!index) return TooDeep(position);
  return Operand{Operand::Is::kScalar, *index, begin, last_end_};
}

FilterParser::Parsed FilterParser::AddLeaf(PredicateOp op, uint32_t position,
                                           absl::Span<const uint32_t> scalars,
                                           const Operand& left) {
  const std::optional<uint32_t> index = builder_.AddLeaf(op, position, scalars);
  if (!index) return TooDeep(position);
  return Operand{Operand::Is::kCondition, *index, left.begin, last_end_};
}

FilterParser::Parsed FilterParser::AddCompound(WrittenOp op, uint32_t position,
                                               absl::Span<const uint32_t> conditions,
                                               uint32_t begin) {
  const std::optional<uint32_t> index = builder_.AddCompound(op, position, conditions);
  if (!index) return TooDeep(position);
  return Operand{Operand::Is::kCondition, *index, begin, last_end_};
}

FilterParser::Parsed FilterParser::AddChain(WrittenOp op, uint32_t position, size_t mark,
                                            uint32_t begin) {
  Parsed chain = AddCompound(op, position, absl::MakeConstSpan(pushed_).subspan(mark), begin);
  pushed_.resize(mark);
  return chain;
}

// Conditions.

FilterParser::Parsed FilterParser::ParseCondition() {
  Parsed first = ParseConjunction();
  if (!first.ok() || token_.kind != TokenKind::kOr) return first;
  const uint32_t position = token_.position;
  const size_t mark = pushed_.size();
  Parsed next = AsCondition(*first);
  while (next.ok()) {
    pushed_.push_back(next->index);
    if (!Accept(TokenKind::kOr)) return AddChain(WrittenOp::kOr, position, mark, first->begin);
    next = ParseConjunction();
    if (next.ok()) next = AsCondition(*next);
  }
  return next;
}

FilterParser::Parsed FilterParser::ParseConjunction() {
  Parsed first = ParseNegation();
  if (!first.ok() || token_.kind != TokenKind::kAnd) return first;
  const uint32_t position = token_.position;
  const size_t mark = pushed_.size();
  Parsed next = AsCondition(*first);
  while (next.ok()) {
    pushed_.push_back(next->index);
    if (!Accept(TokenKind::kAnd)) return AddChain(WrittenOp::kAnd, position, mark, first->begin);
    next = ParseNegation();
    if (next.ok()) next = AsCondition(*next);
  }
  return next;
}

FilterParser::Parsed FilterParser::ParseNegation() {
  if (token_.kind != TokenKind::kNot) return ParseTest();
  const Level level(*this);
  absl::Status status = level.Check();
  if (!status.ok()) return status;
  const uint32_t position = token_.position;
  Advance();
  Parsed operand = ParseNegation();
  if (operand.ok()) operand = AsCondition(*operand);
  if (!operand.ok()) return operand;
  return AddCompound(WrittenOp::kNot, position, {operand->index}, position);
}

FilterParser::Parsed FilterParser::ParseTest() {
  Parsed left = ParseSum();
  if (!left.ok()) return left;
  if (IsComparison(token_.kind)) return ParseComparison(*left);
  switch (token_.kind) {
    case TokenKind::kNot:
    case TokenKind::kIn:
    case TokenKind::kLike:
    case TokenKind::kBetween:
      return ParseNegatableTest(*left);
    case TokenKind::kIs:
      return ParseIs(*left);
    default:
      return left;
  }
}

FilterParser::Parsed FilterParser::ParseComparison(const Operand& left) {
  Parsed checked = AsScalar(left, "a value to compare; of conditions there is IS TRUE");
  if (!checked.ok()) return checked;
  const uint32_t position = token_.position;
  const PredicateOp op = ComparisonOf(token_.kind);
  if (op != PredicateOp::kEqual && op != PredicateOp::kNotEqual) {
    absl::Status status = CheckOrdered(left);
    if (!status.ok()) return status;
  }
  Advance();
  Parsed right = ParseComparand(left);
  if (!right.ok()) return right;
  return AddLeaf(op, position, {left.index, right->index}, left);
}

FilterParser::Parsed FilterParser::ParseNegatableTest(const Operand& left) {
  Parsed checked = AsScalar(left, "a value");
  if (!checked.ok()) return checked;
  const bool negated = Accept(TokenKind::kNot);
  if (token_.kind == TokenKind::kIn) return ParseIn(left, negated);
  if (token_.kind == TokenKind::kLike) return ParseLike(left, negated);
  if (token_.kind == TokenKind::kBetween) return ParseBetween(left, negated);
  return Unexpected("IN, LIKE or BETWEEN behind NOT");
}

FilterParser::Parsed FilterParser::ParseIn(const Operand& left, bool negated) {
  const uint32_t position = token_.position;
  Advance();
  absl::Status status = Expect(TokenKind::kOpen, "( and the values of the list");
  if (!status.ok()) return status;
  const size_t mark = pushed_.size();
  pushed_.push_back(left.index);
  do {
    Parsed item = ParseComparand(left);
    if (!item.ok()) return item;
    pushed_.push_back(item->index);
  } while (Accept(TokenKind::kComma));
  status = Expect(TokenKind::kClose, ", or )");
  if (!status.ok()) return status;
  Parsed leaf = AddLeaf(negated ? PredicateOp::kNotIn : PredicateOp::kIn, position,
                        absl::MakeConstSpan(pushed_).subspan(mark), left);
  pushed_.resize(mark);
  return leaf;
}

FilterParser::Parsed FilterParser::ParseLike(const Operand& left, bool negated) {
  const uint32_t position = token_.position;
  if (TypeOf(left) != ScalarType::kString) return UnexpectedOperand(left, "a string before LIKE");
  Advance();
  if (token_.kind != TokenKind::kString) return Unexpected("a pattern in quotes");
  const Token pattern = token_;
  token_.has_like_escapes = false;  // Here they may stand.
  Parsed right = ParseString();
  if (!right.ok()) return right;
  if (EndsInLoneBackslash(builder_.filter().TextOf(ScalarOf(*right)))) {
    return ErrorAt(pattern.position, Quoted(pattern.text),
                   "a pattern with a character behind its last backslash");
  }
  return AddLeaf(negated ? PredicateOp::kNotLike : PredicateOp::kLike, position,
                 {left.index, right->index}, left);
}

FilterParser::Parsed FilterParser::ParseBetween(const Operand& left, bool negated) {
  const uint32_t position = token_.position;
  absl::Status status = CheckOrdered(left);
  if (!status.ok()) return status;
  Advance();
  Parsed low = ParseComparand(left);
  if (!low.ok()) return low;
  status = Expect(TokenKind::kAnd, "AND and the upper bound");
  if (!status.ok()) return status;
  Parsed high = ParseComparand(left);
  if (!high.ok()) return high;
  return AddLeaf(negated ? PredicateOp::kNotBetween : PredicateOp::kBetween, position,
                 {left.index, low->index, high->index}, left);
}

FilterParser::Parsed FilterParser::ParseIs(const Operand& left) {
  const uint32_t position = token_.position;
  Advance();
  const bool negated = Accept(TokenKind::kNot);
  if (token_.kind == TokenKind::kNull && left.is == Operand::Is::kScalar) {
    Advance();
    return AddLeaf(negated ? PredicateOp::kIsNotNull : PredicateOp::kIsNull, position, {left.index},
                   left);
  }
  const bool is_true = token_.kind == TokenKind::kTrue;
  if (!is_true && token_.kind != TokenKind::kFalse) {
    if (left.is == Operand::Is::kCondition) return Unexpected("TRUE or FALSE");
    return Unexpected(negated ? "NULL, TRUE or FALSE" : "NULL, TRUE, FALSE or NOT one of these");
  }
  if (left.is == Operand::Is::kScalar && TypeOf(left) != ScalarType::kBool) {
    return UnexpectedOperand(left, "a bool or a condition before IS TRUE or IS FALSE");
  }
  Parsed operand = AsCondition(left);
  if (!operand.ok()) return operand;
  Advance();
  Parsed test = AddCompound(is_true ? WrittenOp::kIsTrue : WrittenOp::kIsFalse, position,
                            {operand->index}, left.begin);
  if (!test.ok() || !negated) return test;
  return AddCompound(WrittenOp::kNot, position, {test->index}, left.begin);
}

FilterParser::Parsed FilterParser::ParseComparand(const Operand& left) {
  const ScalarType type = TypeOf(left);
  const bool may_be_name = IsEnum(type) && token_.kind == TokenKind::kWord;
  Parsed right = may_be_name ? ParseEnumName(type) : ParseSum();
  if (!right.ok()) return right;
  if (right->is == Operand::Is::kScalar && AreComparable(type, TypeOf(*right))) return right;
  if (!IsEnum(type)) return UnexpectedOperand(*right, IsNumber(type) ? "a number" : NameOf(type));
  return UnexpectedOperand(*right,
                           absl::StrCat(NameOf(type), " without quotes: ", EnumNamesOf(type)));
}

FilterParser::Parsed FilterParser::ParseEnumName(ScalarType type) {
  const std::optional<int> value = FindEnumValue(type, token_.text);
  if (!value) {
    // Perhaps an attribute. What is none would better have been a name of the enum.
    const Token name = token_;
    Parsed attribute = ParseSum();
    const bool is_attribute = token_.position != name.position;
    if (attribute.ok() || is_attribute) return attribute;
    return ErrorAt(name.position, Quoted(name.text),
                   absl::StrCat(NameOf(type), ": ", EnumNamesOf(type)));
  }
  Scalar scalar;
  scalar.type = type;
  scalar.position = token_.position;
  scalar.int_value = *value;
  Advance();
  return ScalarAt(builder_.AddLiteral(scalar), scalar.position, scalar.position);
}

absl::StatusOr<Filter> FilterParser::Parse() && {
  if (text_.size() > kMaxFilterBytes) {
    return ErrorAt(kMaxFilterBytes, absl::StrCat("a text of ", text_.size(), " bytes"),
                   absl::StrCat("at most ", kMaxFilterBytes));
  }
  Parsed root = ParseCondition();
  if (!root.ok()) return root.status();
  if (token_.kind != TokenKind::kEnd) {
    const bool is_complete =
        root->is == Operand::Is::kCondition || TypeOf(*root) == ScalarType::kBool;
    return Unexpected(is_complete ? "AND, OR or the end of the text" : "a comparison operator");
  }
  root = AsCondition(*root);
  if (!root.ok()) return root.status();
  return std::move(builder_).Build(root->index);
}

absl::StatusOr<Filter> ParseFilter(NodeKind kind, absl::string_view text) {
  return FilterParser(kind, text).Parse();
}

}  // namespace pedigree
