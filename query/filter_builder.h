// Puts a Filter together from what a parser reads, from the leaves up.
//
// Knows the limits and the layout of a Filter, nothing of the text. Threads: one each.
//
//   FilterBuilder builder(NodeKind::kArtifact);
//   ... uint32_t leaf = builder.AddLeaf(PredicateOp::kEqual, 5, {name, text});
//   Filter filter = std::move(builder).Build(leaf);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "query/filter_ast.h"
#include "query/filter_normal_form.h"
#include "store/traits.h"

namespace pedigree {

class FilterBuilder {
 public:
  explicit FilterBuilder(NodeKind kind);

  // What there is so far: variables, scalars and text, but no predicates.
  const Filter& filter() const { return filter_; }

  // The index of that variable. nullopt: it would be one more than kMaxFilterVariables.
  std::optional<uint32_t> FindOrAddVariable(VariableKind kind, absl::string_view name,
                                            uint32_t position);

  // The following add a scalar and answer its index; nullopt: the tree would be deeper than
  // kMaxFilterDepth.
  uint32_t AddLiteral(const Scalar& literal);
  uint32_t AddString(absl::string_view text, uint32_t position);
  uint32_t AddAttribute(uint32_t variable, Field field, ScalarType type, uint32_t position);
  std::optional<uint32_t> AddArithmetic(ScalarOp op, uint32_t position, uint32_t left,
                                        uint32_t right);
  std::optional<uint32_t> AddNegation(uint32_t position, uint32_t operand);

  // Turns a literal number into its negative, which starts at `position`. False: it has none.
  bool NegateLiteral(uint32_t literal, uint32_t position);

  // The following add a condition and answer its index in what was written; nullopt as above.
  std::optional<uint32_t> AddLeaf(PredicateOp op, uint32_t position,
                                  absl::Span<const uint32_t> scalars);
  std::optional<uint32_t> AddCompound(WrittenOp op, uint32_t position,
                                      absl::Span<const uint32_t> conditions);

  // The filter whose root is that condition, in normal form.
  Filter Build(uint32_t root) &&;

 private:
  std::optional<uint32_t> AddScalar(const Scalar& scalar, int height);

  Filter filter_;
  std::vector<uint8_t> heights_;  // Of the trees of filter_.scalars, as they print.
  WrittenCondition written_;
};

}  // namespace pedigree
