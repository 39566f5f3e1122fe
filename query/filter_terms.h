// The conditions of a filter that an index could serve, taken out of it.
//
// Pure functions; a term borrows its texts from the filter.
//
//   for (uint32_t i : ConjunctsOf(filter, filter.RootPredicate())) TermOf(filter, predicates[i]);
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "query/filter_ast.h"
#include "store/property.h"

namespace pedigree {

// `attribute op literals`, as in x = 1, 1 < x (which is x > 1), x IN (1, 2), x BETWEEN 1 AND 2. It
// holds for no NULL.
struct Term {
  uint32_t variable = 0;
  Field field = Field::kId;
  // kEqual (kIn is kEqual with several literals), kLess, kLessEqual, kGreater, kGreaterEqual or
  // kBetween.
  PredicateOp op = PredicateOp::kEqual;
  // Of the attribute's own kind: an int for an attribute that is an int.
  std::vector<PropertyValue> literals;
};

// Nullopt where the predicate is something else.
std::optional<Term> TermOf(const Filter& filter, const Predicate& predicate);

// Indexes of predicates all of which hold where `predicate` holds: its operands if it is an AND,
// else itself.
std::vector<uint32_t> ConjunctsOf(const Filter& filter, uint32_t predicate);

}  // namespace pedigree
