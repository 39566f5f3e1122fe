// A filter_query, parsed, checked and in normal form: what a planner or an evaluator works on.
//
// A `Filter` is flat vectors whose elements name each other by index: no pointers, nothing that
// recurses when it is copied or destroyed. Immutable after ParseFilter (filter_parser.h): any
// number of threads may read one.
//
//   absl::StatusOr<Filter> filter = ParseFilter(
//       NodeKind::kArtifact, "contexts_a.name = 'run1' AND NOT (state = LIVE OR uri LIKE 'gs:%')");
//   ToString(*filter)            ((contexts_a.name = 'run1') AND (NOT (state = LIVE)) AND
//                                 (uri NOT LIKE 'gs:%'))
//   filter->variables            [0] the artifact, [1] contexts_a
//   filter->predicates           three leaves, then the kAnd over them: filter->root
//
// WHAT A FILTER MEANS. Each variable is an INNER JOIN: a row gives every variable one value of its
// own kind, variable 0 the node itself, a property that property of the node, a neighbourhood one
// neighbour (its link must exist). A node is in the result, once, if some row makes the root TRUE.
// A variable without any value therefore excludes the node, wherever in the text it was mentioned:
// `variables` counts even if the root would be TRUE without it.
//
// NORMAL FORM. The text has three-valued logic (TRUE, FALSE, UNKNOWN), NOT and IS [NOT] TRUE/FALSE
// anywhere. Of a whole filter only "TRUE or not" matters, and that can be asked for part by part:
//
//   AND, OR        are TRUE by their operands' being TRUE alone
//   NOT            goes to the leaves by De Morgan: NOT (a = b) is a != b, UNKNOWN where it was
//   x IS NOT TRUE  and its like go to the leaves as well ((x OR y) IS NOT TRUE is x IS NOT TRUE AND
//                  y IS NOT TRUE) and become the flag `null_matches` there
//
// So a filter is AND and OR, flattened (no AND directly below an AND), over leaves, and each
// predicate simply holds or does not. An evaluator never sees UNKNOWN, NOT or a test of a test.
//
// A leaf compares values by SQL's rules, and where these say UNKNOWN because some operand is NULL
// (not there: an artifact without a state, a property of another kind than asked for), the leaf
// holds iff `null_matches`. A double that is not a number counts as NULL everywhere: only so is
// NOT (a < b) the same as a >= b. An enum's `!=` and NOT IN have the flag set from the start: they
// match what is unset, but their negation matches it just as little as `=` does.
//
//   state = LIVE            kEqual                   NOT (state = LIVE)      kNotEqual
//   state != LIVE           kNotEqual, null_matches  NOT (state != LIVE)     kEqual
//   (a < 1) IS NOT TRUE     kGreaterEqual, null_matches
//
// BOUNDS. No predicate or scalar tree is deeper than kMaxFilterDepth, so recursion over one is
// safe; widths are bounded by the text alone (10,000 terms of an OR are one predicate).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/traits.h"

namespace pedigree {

// Of the text. Far more than any client sends (10,000 quoted names are 400 KiB), and what is parsed
// on a gRPC thread: some 10 ms.
inline constexpr size_t kMaxFilterBytes = size_t{1} << 20;

// Of parentheses, NOTs and signs in one another, and of the trees of a Filter as they print, also
// of those that chains of + - * make. What keeps recursion off the end of a thread's stack.
inline constexpr int kMaxFilterDepth = 200;

// Of distinct variables, the node itself among them. A join of more is beyond the databases behind
// the peer as well (SQLite 64 tables, MySQL 61), and 64 make a set of them one machine word.
inline constexpr size_t kMaxFilterVariables = 64;

// What a variable ranges over, seen from the node.
enum class VariableKind : uint8_t {
  kNode,            // The node itself: variable 0 of every filter, and no other.
  kProperty,        // properties.NAME
  kCustomProperty,  // custom_properties.NAME
  kContexts,        // contexts_ALIAS         of an artifact or execution
  kEvents,          // events_ALIAS           of an artifact or execution
  kParentContexts,  // parent_contexts_ALIAS  of a context
  kChildContexts,   // child_contexts_ALIAS   of a context
  kArtifacts,       // artifacts_ALIAS        of a context
  kExecutions,      // executions_ALIAS       of a context
};

struct Variable {
  VariableKind kind = VariableKind::kNode;
  std::string name;       // The property's name, or the alias without its prefix; "" for the node.
  uint32_t position = 0;  // Byte offset of its first mention.

  bool is_property() const {
    return kind == VariableKind::kProperty || kind == VariableKind::kCustomProperty;
  }
};

// A set of variables: bit i is variable i.
using VariableSet = uint64_t;
static_assert(kMaxFilterVariables <= 8 * sizeof(VariableSet));

constexpr VariableSet SetOf(uint32_t variable) { return VariableSet{1} << variable; }

// What is asked of a variable. filter_attributes.h has which variables have which.
enum class Field : uint8_t {
  kId,
  kTypeId,
  kType,  // The type's name.
  kName,
  kExternalId,
  kCreateTime,
  kLastUpdateTime,
  kUri,
  kState,           // Of an artifact.
  kLastKnownState,  // Of an execution.
  // Of a property. NULL where the property's value is of another kind.
  kIntValue,
  kDoubleValue,
  kStringValue,
  kBoolValue,
  // Of an event.
  kEventType,
  kArtifactId,
  kExecutionId,
  kMilliseconds,
};

enum class ScalarType : uint8_t {
  kInt,
  kDouble,
  kString,
  kBool,
  // Enums of metadata_store.proto; their values are its numbers.
  kArtifactState,
  kExecutionState,
  kEventType,
};

constexpr bool IsNumber(ScalarType type) {
  return type == ScalarType::kInt || type == ScalarType::kDouble;
}
constexpr bool IsEnum(ScalarType type) { return type >= ScalarType::kArtifactState; }

enum class ScalarOp : uint8_t {
  kLiteral,
  kAttribute,
  kNegate,  // Of operands.left.
  kAdd,     // Of operands.left and operands.right, as are the next two.
  kSubtract,
  kMultiply,
};

// An expression with a value. Operands stand before what they are operands of.
//
// Arithmetic of ints is an int, with a double among them a double; with NULL it is NULL. An int
// that leaves int64 is NULL too, and so is NaN, stored or calculated: there is no such number, and
// no reason to fail the query.
struct Scalar {
  // Where a string stands in Filter::text; see Filter::TextOf.
  struct Text {
    uint32_t begin;
    uint32_t size;
  };
  // Indexes in Filter::scalars. Both are the same for kNegate.
  struct Operands {
    uint32_t left;
    uint32_t right;
  };

  ScalarOp op = ScalarOp::kLiteral;
  ScalarType type = ScalarType::kInt;
  Field field = Field::kId;   // Of a kAttribute.
  uint32_t position = 0;      // Byte offset in the text; of an operator's own character.
  VariableSet variables = 0;  // In the whole expression.

  // `op` and `type` tell which one it is. One word: a list of 500,000 numbers fits a request.
  union {
    int64_t int_value = 0;  // Of a literal of type kInt or an enum; of type kBool 0 or 1.
    double double_value;    // Of a literal of type kDouble; finite.
    Text text;              // Of a literal of type kString.
    uint32_t variable;      // Of a kAttribute: index in Filter::variables.
    Operands operands;      // Of the others.
  };
};

enum class PredicateOp : uint8_t {
  // Over predicates, at least two. Both flattened.
  kAnd,
  kOr,
  // Over scalars, from here on. Two of types that compare: numbers of either type; or both
  // strings, both bools (FALSE < TRUE), or of the same enum (only kEqual and kNotEqual).
  // Strings compare by their bytes. An int and a double compare as the numbers they are, not as
  // the nearest doubles: 9007199254740993 > 9007199254740992.0.
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  // The first one against each of the others; at least one of these. Types as for kEqual, equal
  // values possibly repeated.
  kIn,
  kNotIn,
  // A string and a pattern, which is always a literal. In a pattern % stands for any text, _ for
  // any one character (of UTF-8, not byte), and a backslash takes the meaning of the character
  // behind it; no pattern ends in one that does not.
  kLike,
  kNotLike,
  // value, low, high: low <= value AND value <= high, or not. FALSE beats NULL in this: 5 BETWEEN
  // 6 AND NULL is FALSE. Types as for kLess.
  kBetween,
  kNotBetween,
  // One scalar of any type. Never UNKNOWN.
  kIsNull,
  kIsNotNull,
  // One scalar of type kBool.
  kIsTrue,
  kIsFalse,
};

constexpr bool IsLeaf(PredicateOp op) { return op > PredicateOp::kOr; }

// A condition. Operands stand before what they are operands of.
struct Predicate {
  PredicateOp op = PredicateOp::kIsTrue;
  bool null_matches = false;   // Of a leaf: it holds where SQL says UNKNOWN. See above.
  uint32_t position = 0;       // Byte offset: of a leaf's operator, of a kAnd's or kOr's first one.
  uint32_t first_operand = 0;  // See Filter::OperandsOf.
  uint32_t operand_count = 0;
  VariableSet variables = 0;  // All that are used in it: where two operands share none, each can
                              // be satisfied on its own.
};

struct Filter {
  NodeKind kind = NodeKind::kArtifact;
  std::vector<Variable> variables;    // In order of their first mention; [0] is the node.
  std::vector<Scalar> scalars;        // Operands first, else as written.
  std::vector<Predicate> predicates;  // All below the root, each once.
  std::vector<uint32_t> operands;
  std::string text;   // All string literals, decoded.
  uint32_t root = 0;  // Index in predicates: the last one.

  const Predicate& RootPredicate() const { return predicates[root]; }

  // Indexes: of a leaf in `scalars`, else in `predicates`.
  absl::Span<const uint32_t> OperandsOf(const Predicate& predicate) const {
    return absl::MakeConstSpan(operands).subspan(predicate.first_operand, predicate.operand_count);
  }
  // REQUIRES: `predicate` is a leaf.
  const Scalar& ScalarOf(const Predicate& predicate, size_t operand) const {
    return scalars[operands[predicate.first_operand + operand]];
  }
  // REQUIRES: `scalar` is a literal of type kString. Points into this filter.
  absl::string_view TextOf(const Scalar& scalar) const {
    return absl::string_view(text).substr(scalar.text.begin, scalar.text.size);
  }
};

// The filter in its own language: normal form, every compound in parentheses, one line.
// ParseFilter reads it, and what it makes of it prints the same (unless it is longer than the text
// was, and too long).
std::string ToString(const Filter& filter);

// One predicate or scalar of `filter`, as ToString of the whole prints it: for explain.
std::string ToString(const Filter& filter, const Predicate& predicate);
std::string ToString(const Filter& filter, const Scalar& scalar);

// As in the text: "contexts_a", "properties.span", with backquotes where the name needs them;
// "artifact" and so on for the node itself.
std::string ToString(const Filter& filter, const Variable& variable);

}  // namespace pedigree
