// A condition as it was written, and its way into a Filter's normal form (filter_ast.h).
//
// Between the parser, which can only build upwards, and the Filter: what a NOT does to a leaf is
// known only from above. Pure functions: any thread.
//
//   WrittenCondition written;              // NOT (a OR b), by the parser
//   Normalize(written, root, filter);      // a' AND b'
#pragma once

#include <cstdint>
#include <vector>

#include "query/filter_ast.h"

namespace pedigree {

enum class WrittenOp : uint8_t {
  kLeaf,
  kAnd,  // Two or more, as is kOr.
  kOr,
  kNot,      // One, as are the next two.
  kIsTrue,   // Never UNKNOWN.
  kIsFalse,  // Never UNKNOWN.
};

struct WrittenPredicate {
  WrittenOp op = WrittenOp::kLeaf;
  PredicateOp leaf = PredicateOp::kIsTrue;  // Of a kLeaf, as is the next one.
  bool null_matches = false;                // An enum's != or NOT IN: TRUE, not UNKNOWN, of NULL.
  uint16_t height = 0;                      // Of its normal form, as that prints.
  uint32_t position = 0;
  // Of a kLeaf in Filter::operands, of the others in WrittenCondition::operands.
  uint32_t first_operand = 0;
  uint32_t operand_count = 0;
};

// Operands stand before what they are operands of.
struct WrittenCondition {
  std::vector<WrittenPredicate> predicates;
  std::vector<uint32_t> operands;
};

// Fills in filter.predicates, their operands and root; its scalars and the leaves' operands are
// there already. The stack it takes is proportional to the height of `root`.
void Normalize(const WrittenCondition& written, uint32_t root, Filter& filter);

// Whether a leaf that reads like this one matches NULL unless something above it says otherwise:
// an enum's != and NOT IN.
bool MatchesNullAsWritten(const Filter& filter, PredicateOp op,
                          absl::Span<const uint32_t> operands);

// The leaf that is TRUE where `op` is FALSE, FALSE where it is TRUE. REQUIRES: IsLeaf(op).
PredicateOp Negated(PredicateOp op);

}  // namespace pedigree
