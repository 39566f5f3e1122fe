#include "query/filter_builder.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

namespace pedigree {

namespace {

// Heights count the levels that the parser needs for what ToString prints: so what has been parsed
// once, prints as something that parses.
static_assert(kMaxFilterDepth <= std::numeric_limits<uint8_t>::max());
constexpr int kHeightOfAtom = 1;      // Perhaps the sign of a number.
constexpr int kHeightOfNegation = 2;  // A parenthesis and a sign.
constexpr int kHeightOfLeaf = 2;      // ((x) IS NOT FALSE), (NOT (enum)) where nothing is signed.

}  // namespace

FilterBuilder::FilterBuilder(NodeKind kind) {
  filter_.kind = kind;
  filter_.variables.emplace_back();
}

std::optional<uint32_t> FilterBuilder::FindOrAddVariable(VariableKind kind, absl::string_view name,
                                                         uint32_t position) {
  std::vector<Variable>& variables = filter_.variables;
  for (size_t i = 0; i < variables.size(); ++i) {
    if (variables[i].kind == kind && variables[i].name == name) return static_cast<uint32_t>(i);
  }
  if (variables.size() == kMaxFilterVariables) return std::nullopt;
  variables.push_back({kind, std::string(name), position});
  return static_cast<uint32_t>(variables.size() - 1);
}

std::optional<uint32_t> FilterBuilder::AddScalar(const Scalar& scalar, int height) {
  if (height > kMaxFilterDepth) return std::nullopt;
  filter_.scalars.push_back(scalar);
  heights_.push_back(static_cast<uint8_t>(height));
  return static_cast<uint32_t>(filter_.scalars.size() - 1);
}

uint32_t FilterBuilder::AddLiteral(const Scalar& literal) {
  return *AddScalar(literal, kHeightOfAtom);
}

uint32_t FilterBuilder::AddString(absl::string_view text, uint32_t position) {
  Scalar scalar;
  scalar.type = ScalarType::kString;
  scalar.position = position;
  scalar.text = {static_cast<uint32_t>(filter_.text.size()), static_cast<uint32_t>(text.size())};
  filter_.text.append(text.data(), text.size());
  return AddLiteral(scalar);
}

uint32_t FilterBuilder::AddAttribute(uint32_t variable, Field field, ScalarType type,
                                     uint32_t position) {
  Scalar scalar;
  scalar.op = ScalarOp::kAttribute;
  scalar.type = type;
  scalar.field = field;
  scalar.position = position;
  scalar.variables = SetOf(variable);
  scalar.variable = variable;
  return *AddScalar(scalar, kHeightOfAtom);
}

std::optional<uint32_t> FilterBuilder::AddArithmetic(ScalarOp op, uint32_t position, uint32_t left,
                                                     uint32_t right) {
  const Scalar& first = filter_.scalars[left];
  const Scalar& second = filter_.scalars[right];
  assert(IsNumber(first.type) && IsNumber(second.type));
  Scalar scalar;
  scalar.op = op;
  scalar.type = first.type == ScalarType::kDouble ? first.type : second.type;
  scalar.position = position;
  scalar.variables = first.variables | second.variables;
  scalar.operands = {left, right};
  return AddScalar(scalar, 1 + std::max(heights_[left], heights_[right]));
}

std::optional<uint32_t> FilterBuilder::AddNegation(uint32_t position, uint32_t operand) {
  assert(IsNumber(filter_.scalars[operand].type));
  Scalar scalar;
  scalar.op = ScalarOp::kNegate;
  scalar.type = filter_.scalars[operand].type;
  scalar.position = position;
  scalar.variables = filter_.scalars[operand].variables;
  scalar.operands = {operand, operand};
  return AddScalar(scalar, kHeightOfNegation + heights_[operand]);
}

bool FilterBuilder::NegateLiteral(uint32_t literal, uint32_t position) {
  Scalar& scalar = filter_.scalars[literal];
  assert(scalar.op == ScalarOp::kLiteral && IsNumber(scalar.type));
  if (scalar.type == ScalarType::kDouble) {
    scalar.double_value = -scalar.double_value;
  } else {
    if (scalar.int_value == std::numeric_limits<int64_t>::min()) return false;
    scalar.int_value = -scalar.int_value;
  }
  scalar.position = position;
  return true;
}

std::optional<uint32_t> FilterBuilder::AddLeaf(PredicateOp op, uint32_t position,
                                               absl::Span<const uint32_t> scalars) {
  WrittenPredicate leaf;
  leaf.leaf = op;
  leaf.null_matches = MatchesNullAsWritten(filter_, op, scalars);
  leaf.position = position;
  for (const uint32_t scalar : scalars) {
    leaf.height = std::max<uint16_t>(leaf.height, heights_[scalar]);
  }
  leaf.height += kHeightOfLeaf;
  if (leaf.height > kMaxFilterDepth) return std::nullopt;
  leaf.first_operand = static_cast<uint32_t>(filter_.operands.size());
  leaf.operand_count = static_cast<uint32_t>(scalars.size());
  filter_.operands.insert(filter_.operands.end(), scalars.begin(), scalars.end());
  written_.predicates.push_back(leaf);
  return static_cast<uint32_t>(written_.predicates.size() - 1);
}

std::optional<uint32_t> FilterBuilder::AddCompound(WrittenOp op, uint32_t position,
                                                   absl::Span<const uint32_t> conditions) {
  WrittenPredicate compound;
  compound.op = op;
  compound.position = position;
  compound.first_operand = static_cast<uint32_t>(written_.operands.size());
  compound.operand_count = static_cast<uint32_t>(conditions.size());
  for (const uint32_t condition : conditions) {
    compound.height = std::max(compound.height, written_.predicates[condition].height);
  }
  // NOTs and tests go down into the leaves.
  if (op == WrittenOp::kAnd || op == WrittenOp::kOr) ++compound.height;
  if (compound.height > kMaxFilterDepth) return std::nullopt;
  written_.operands.insert(written_.operands.end(), conditions.begin(), conditions.end());
  written_.predicates.push_back(compound);
  return static_cast<uint32_t>(written_.predicates.size() - 1);
}

Filter FilterBuilder::Build(uint32_t root) && {
  Normalize(written_, root, filter_);
  return std::move(filter_);
}

}  // namespace pedigree
