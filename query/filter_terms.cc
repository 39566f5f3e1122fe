#include "query/filter_terms.h"

#include <cmath>
#include <utility>

namespace pedigree {
namespace {

using Kind = PropertyValue::Kind;

Kind KindOf(ScalarType type) {
  switch (type) {
    case ScalarType::kDouble:
      return Kind::kDouble;
    case ScalarType::kString:
      return Kind::kString;
    case ScalarType::kBool:
      return Kind::kBool;
    default:
      return Kind::kInt;
  }
}

// The literal as a value of `kind`; nullopt if it is none, or would not stay exactly what it is.
std::optional<PropertyValue> LiteralAs(Kind kind, const Filter& filter, const Scalar& scalar) {
  if (scalar.op != ScalarOp::kLiteral) return std::nullopt;
  const Kind own = KindOf(scalar.type);
  if (own == Kind::kString && kind == own) return PropertyValue::String(filter.TextOf(scalar));
  if (own == Kind::kBool && kind == own) return PropertyValue::Bool(scalar.int_value != 0);
  if (own == Kind::kInt && kind == own) return PropertyValue::Int(scalar.int_value);
  if (own == Kind::kDouble && kind == own) return PropertyValue::Double(scalar.double_value);
  constexpr int64_t kExact = int64_t{1} << 53;
  if (own == Kind::kInt && kind == Kind::kDouble && scalar.int_value >= -kExact &&
      scalar.int_value <= kExact) {
    return PropertyValue::Double(static_cast<double>(scalar.int_value));
  }
  if (own == Kind::kDouble && kind == Kind::kInt &&
      std::trunc(scalar.double_value) == scalar.double_value &&
      std::abs(scalar.double_value) <= static_cast<double>(kExact)) {
    return PropertyValue::Int(static_cast<int64_t>(scalar.double_value));
  }
  return std::nullopt;
}

// What `a op b` is when it is written `b op a`.
PredicateOp Mirrored(PredicateOp op) {
  switch (op) {
    case PredicateOp::kLess:
      return PredicateOp::kGreater;
    case PredicateOp::kLessEqual:
      return PredicateOp::kGreaterEqual;
    case PredicateOp::kGreater:
      return PredicateOp::kLess;
    case PredicateOp::kGreaterEqual:
      return PredicateOp::kLessEqual;
    default:
      return op;
  }
}

}  // namespace

std::optional<Term> TermOf(const Filter& filter, const Predicate& predicate) {
  if (!IsLeaf(predicate.op) || predicate.null_matches) return std::nullopt;
  Term term;
  term.op = predicate.op;
  size_t attribute = 0;
  switch (predicate.op) {
    case PredicateOp::kEqual:
    case PredicateOp::kLess:
    case PredicateOp::kLessEqual:
    case PredicateOp::kGreater:
    case PredicateOp::kGreaterEqual:
      if (filter.ScalarOf(predicate, 0).op != ScalarOp::kAttribute) {
        attribute = 1;
        term.op = Mirrored(predicate.op);
      }
      break;
    case PredicateOp::kIn:
      term.op = PredicateOp::kEqual;
      break;
    case PredicateOp::kBetween:
      break;
    case PredicateOp::kIsTrue:
    case PredicateOp::kIsFalse:
      term.op = PredicateOp::kEqual;
      term.literals.push_back(PropertyValue::Bool(predicate.op == PredicateOp::kIsTrue));
      break;
    default:
      return std::nullopt;
  }
  const Scalar& scalar = filter.ScalarOf(predicate, attribute);
  if (scalar.op != ScalarOp::kAttribute) return std::nullopt;
  term.variable = scalar.variable;
  term.field = scalar.field;
  for (size_t i = 0; i < predicate.operand_count; ++i) {
    if (i == attribute) continue;
    const auto literal = LiteralAs(KindOf(scalar.type), filter, filter.ScalarOf(predicate, i));
    if (!literal.has_value()) return std::nullopt;
    term.literals.push_back(*literal);
  }
  return term;
}

std::vector<uint32_t> ConjunctsOf(const Filter& filter, uint32_t predicate) {
  if (filter.predicates[predicate].op != PredicateOp::kAnd) return {predicate};
  const auto operands = filter.OperandsOf(filter.predicates[predicate]);
  return {operands.begin(), operands.end()};
}

}  // namespace pedigree
