#include "query/filter_normal_form.h"

#include <cassert>

namespace pedigree {

namespace {

// What is wanted of a condition. With three truth values there are four questions to ask:
// is it TRUE, is it FALSE, and the opposites of the two.
struct Wanted {
  bool negated = false;  // FALSE, not TRUE.
  bool unknown = false;  // ... or UNKNOWN: "not FALSE" is {false, true}, "not TRUE" {true, true}.
};

// What must be asked of a condition so that `wanted` holds for "condition IS TRUE" (or IS FALSE,
// if `tested_false`). The test itself is never UNKNOWN: wanted.unknown says nothing.
Wanted Untested(Wanted wanted, bool tested_false) {
  return {wanted.negated != tested_false, wanted.negated};
}

class Normalizer {
 public:
  Normalizer(const WrittenCondition& written, Filter& filter)
      : written_(written), filter_(filter) {}

  // Pushes what `predicate` becomes where `wanted` is asked of it: one predicate or, if it becomes
  // an `enclosing` itself, all its operands.
  void Push(uint32_t predicate, Wanted wanted, PredicateOp enclosing);

  uint32_t Top() const { return pushed_.back(); }

 private:
  void PushLeaf(const WrittenPredicate& leaf, Wanted wanted);
  void PushCompound(const WrittenPredicate& compound, Wanted wanted, PredicateOp enclosing);
  void PushPredicate(const Predicate& predicate);

  const WrittenCondition& written_;
  Filter& filter_;
  std::vector<uint32_t> pushed_;  // Predicates that wait for what they are operands of.
};

void Normalizer::Push(uint32_t predicate, Wanted wanted, PredicateOp enclosing) {
  const WrittenPredicate& from = written_.predicates[predicate];
  switch (from.op) {
    case WrittenOp::kLeaf:
      return PushLeaf(from, wanted);
    case WrittenOp::kAnd:
    case WrittenOp::kOr:
      return PushCompound(from, wanted, enclosing);
    case WrittenOp::kNot:
      return Push(written_.operands[from.first_operand], {!wanted.negated, wanted.unknown},
                  enclosing);
    case WrittenOp::kIsTrue:
    case WrittenOp::kIsFalse:
      return Push(written_.operands[from.first_operand],
                  Untested(wanted, from.op == WrittenOp::kIsFalse), enclosing);
  }
}

void Normalizer::PushLeaf(const WrittenPredicate& leaf, Wanted wanted) {
  Predicate predicate;
  predicate.op = wanted.negated ? Negated(leaf.leaf) : leaf.leaf;
  const bool can_be_unknown =
      leaf.leaf != PredicateOp::kIsNull && leaf.leaf != PredicateOp::kIsNotNull;
  predicate.null_matches = leaf.null_matches ? !wanted.negated : (wanted.unknown && can_be_unknown);
  predicate.position = leaf.position;
  predicate.first_operand = leaf.first_operand;
  predicate.operand_count = leaf.operand_count;
  for (const uint32_t operand : filter_.OperandsOf(predicate)) {
    predicate.variables |= filter_.scalars[operand].variables;
  }
  PushPredicate(predicate);
}

void Normalizer::PushCompound(const WrittenPredicate& compound, Wanted wanted,
                              PredicateOp enclosing) {
  const bool is_and = (compound.op == WrittenOp::kAnd) != wanted.negated;
  Predicate predicate;
  predicate.op = is_and ? PredicateOp::kAnd : PredicateOp::kOr;
  const size_t mark = pushed_.size();
  for (uint32_t i = 0; i < compound.operand_count; ++i) {
    Push(written_.operands[compound.first_operand + i], wanted, predicate.op);
  }
  if (predicate.op == enclosing) return;
  predicate.position = compound.position;
  predicate.first_operand = static_cast<uint32_t>(filter_.operands.size());
  predicate.operand_count = static_cast<uint32_t>(pushed_.size() - mark);
  for (size_t i = mark; i < pushed_.size(); ++i) {
    predicate.variables |= filter_.predicates[pushed_[i]].variables;
    filter_.operands.push_back(pushed_[i]);
  }
  pushed_.resize(mark);
  PushPredicate(predicate);
}

void Normalizer::PushPredicate(const Predicate& predicate) {
  pushed_.push_back(static_cast<uint32_t>(filter_.predicates.size()));
  filter_.predicates.push_back(predicate);
}

}  // namespace

void Normalize(const WrittenCondition& written, uint32_t root, Filter& filter) {
  filter.predicates.reserve(written.predicates.size());
  Normalizer normalizer(written, filter);
  constexpr PredicateOp kNothing = PredicateOp::kIsTrue;  // Neither kAnd nor kOr.
  normalizer.Push(root, Wanted{}, kNothing);
  filter.root = normalizer.Top();
}

bool MatchesNullAsWritten(const Filter& filter, PredicateOp op,
                          absl::Span<const uint32_t> operands) {
  return (op == PredicateOp::kNotEqual || op == PredicateOp::kNotIn) &&
         IsEnum(filter.scalars[operands[0]].type);
}

PredicateOp Negated(PredicateOp op) {
  switch (op) {
    case PredicateOp::kLess:
      return PredicateOp::kGreaterEqual;
    case PredicateOp::kGreaterEqual:
      return PredicateOp::kLess;
    case PredicateOp::kGreater:
      return PredicateOp::kLessEqual;
    case PredicateOp::kLessEqual:
      return PredicateOp::kGreater;
    case PredicateOp::kEqual:
      return PredicateOp::kNotEqual;
    case PredicateOp::kNotEqual:
      return PredicateOp::kEqual;
    case PredicateOp::kIn:
      return PredicateOp::kNotIn;
    case PredicateOp::kNotIn:
      return PredicateOp::kIn;
    case PredicateOp::kLike:
      return PredicateOp::kNotLike;
    case PredicateOp::kNotLike:
      return PredicateOp::kLike;
    case PredicateOp::kBetween:
      return PredicateOp::kNotBetween;
    case PredicateOp::kNotBetween:
      return PredicateOp::kBetween;
    case PredicateOp::kIsNull:
      return PredicateOp::kIsNotNull;
    case PredicateOp::kIsNotNull:
      return PredicateOp::kIsNull;
    case PredicateOp::kIsTrue:
      return PredicateOp::kIsFalse;
    case PredicateOp::kIsFalse:
      return PredicateOp::kIsTrue;
    case PredicateOp::kAnd:
    case PredicateOp::kOr:
      break;
  }
  assert(false);
  return op;
}

}  // namespace pedigree
