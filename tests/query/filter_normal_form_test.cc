// The normal form: its shape, and that it means what was written, by trying all truth values.
#include "query/filter_normal_form.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "query/filter_parser.h"
#include "tests/store/random.h"
#include "tests/store/status_testing.h"

namespace pedigree {
namespace {

Filter Parse(const std::string& text) {
  auto filter = ParseFilter(NodeKind::kArtifact, text);
  EXPECT_TRUE(IsOk(filter)) << text;
  return filter.ok() ? *std::move(filter) : Filter();
}

std::string Print(const std::string& text) { return ToString(Parse(text)); }

TEST(FilterNormalForm, NegatesEveryLeaf) {
  struct Case {
    const char* leaf;
    const char* negated;
  };
  for (const Case& c : std::vector<Case>{{"id = 1", "id != 1"},
                                         {"id < 1", "id >= 1"},
                                         {"id > 1", "id <= 1"},
                                         {"id IN (1, 2)", "id NOT IN (1, 2)"},
                                         {"name LIKE 'a'", "name NOT LIKE 'a'"},
                                         {"id BETWEEN 1 AND 2", "id NOT BETWEEN 1 AND 2"},
                                         {"id IS NULL", "id IS NOT NULL"}}) {
    EXPECT_EQ(Print(absl::StrCat("NOT ", c.leaf)), absl::StrCat("(", c.negated, ")"));
    EXPECT_EQ(Print(absl::StrCat("NOT (", c.negated, ")")), absl::StrCat("(", c.leaf, ")"));
    EXPECT_EQ(Print(absl::StrCat("NOT NOT ", c.leaf)), absl::StrCat("(", c.leaf, ")"));
  }
}

TEST(FilterNormalForm, FlattensChains) {
  EXPECT_EQ(Print("id = 1 AND (id = 2 AND (id = 3 AND id = 4))"),
            "((id = 1) AND (id = 2) AND (id = 3) AND (id = 4))");
  EXPECT_EQ(Print("NOT (id = 1 OR NOT (id = 2 AND id = 3))"),
            "((id != 1) AND (id = 2) AND (id = 3))");
  EXPECT_EQ(Print("NOT (id = 1 AND id = 2) OR id = 3"), "((id != 1) OR (id != 2) OR (id = 3))");
  EXPECT_EQ(Print("(id = 1 OR id = 2) IS TRUE OR id = 3"), "((id = 1) OR (id = 2) OR (id = 3))");
}

TEST(FilterNormalForm, TestsGoToTheLeaves) {
  EXPECT_EQ(Print("(id = 1) IS TRUE"), "(id = 1)");
  EXPECT_EQ(Print("(id = 1) IS FALSE"), "(id != 1)");
  EXPECT_EQ(Print("(id = 1) IS NOT TRUE"), "((id != 1) IS NOT FALSE)");
  EXPECT_EQ(Print("(id = 1) IS NOT FALSE"), "((id = 1) IS NOT FALSE)");
  EXPECT_EQ(Print("NOT ((id = 1) IS TRUE)"), "((id != 1) IS NOT FALSE)");
  EXPECT_EQ(Print("(id = 1 AND NOT name = 'a') IS NOT TRUE"),
            "(((id != 1) IS NOT FALSE) OR ((name = 'a') IS NOT FALSE))");
  EXPECT_EQ(Print("(id IS NULL) IS NOT TRUE"), "(id IS NOT NULL)");
  EXPECT_EQ(Print("properties.a.bool_value"), "(properties.a.bool_value IS TRUE)");
  EXPECT_EQ(Print("NOT properties.a.bool_value"), "(properties.a.bool_value IS FALSE)");
  EXPECT_EQ(Print("properties.a.bool_value IS NOT TRUE"), "(properties.a.bool_value IS NOT TRUE)");
  EXPECT_EQ(Print("NOT properties.a.bool_value IS FALSE"),
            "(properties.a.bool_value IS NOT FALSE)");
}

// Recorded of MLMD's server: state != LIVE finds what has no state, NOT (state = LIVE) does not.
TEST(FilterNormalForm, AnEnumsInequalityMatchesNullItsNegatedEqualityDoesNot) {
  const auto null_matches = [](const std::string& text) {
    return Parse(text).RootPredicate().null_matches;
  };
  EXPECT_TRUE(null_matches("state != LIVE"));
  EXPECT_TRUE(null_matches("state NOT IN (LIVE, PENDING)"));
  EXPECT_TRUE(null_matches("NOT (NOT (state != LIVE))"));
  EXPECT_TRUE(null_matches("(state = LIVE) IS NOT TRUE"));
  EXPECT_FALSE(null_matches("state = LIVE"));
  EXPECT_FALSE(null_matches("NOT (state = LIVE)"));
  EXPECT_FALSE(null_matches("NOT (state != LIVE)"));
  EXPECT_FALSE(null_matches("NOT (state IN (LIVE))"));
  EXPECT_FALSE(null_matches("(state != LIVE) IS FALSE"));
  EXPECT_FALSE(null_matches("name != 'a'"));
  EXPECT_TRUE(null_matches("events_a.type != events_b.type"));
  EXPECT_EQ(Print("state <> LIVE"), "(state != LIVE)");
  EXPECT_EQ(Print("NOT (state = LIVE)"), "(NOT (state = LIVE))");
  EXPECT_EQ(Print("NOT (state IN (LIVE))"), "(NOT (state IN (LIVE)))");
  EXPECT_EQ(Print("NOT (state != LIVE)"), "(state = LIVE)");
  EXPECT_EQ(Print("(state = LIVE) IS NOT TRUE"), "(state != LIVE)");
  EXPECT_EQ(Print("(state = LIVE) IS NOT FALSE"), "((state = LIVE) IS NOT FALSE)");
}

TEST(FilterNormalForm, EachPredicateKnowsItsVariables) {
  const Filter filter =
      Parse("id = 1 AND (contexts_a.id = id OR properties.p.int_value = contexts_b.id) AND 1 = 1");
  const auto parts = filter.OperandsOf(filter.RootPredicate());
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(filter.RootPredicate().variables, SetOf(0) | SetOf(1) | SetOf(2) | SetOf(3));
  EXPECT_EQ(filter.predicates[parts[0]].variables, SetOf(0));
  EXPECT_EQ(filter.predicates[parts[1]].variables, SetOf(0) | SetOf(1) | SetOf(2) | SetOf(3));
  EXPECT_EQ(filter.predicates[parts[2]].variables, VariableSet{0});
  const auto branches = filter.OperandsOf(filter.predicates[parts[1]]);
  EXPECT_EQ(filter.predicates[branches[0]].variables, SetOf(0) | SetOf(1));
  EXPECT_EQ(filter.predicates[branches[1]].variables, SetOf(2) | SetOf(3));
}

TEST(FilterNormalForm, OperandsStandBeforeWhatTheyAreOperandsOf) {
  const Filter filter =
      Parse("NOT (id + 1 = 2 * -id OR name = 'a' AND (uri = 'b' OR (id = 3) IS NOT TRUE))");
  EXPECT_EQ(filter.root + 1, filter.predicates.size());
  for (size_t i = 0; i < filter.predicates.size(); ++i) {
    if (IsLeaf(filter.predicates[i].op)) continue;
    EXPECT_GE(filter.predicates[i].operand_count, 2U);
    for (const uint32_t operand : filter.OperandsOf(filter.predicates[i])) {
      EXPECT_LT(operand, i);
      EXPECT_NE(filter.predicates[operand].op, filter.predicates[i].op) << "not flat";
    }
  }
  for (size_t i = 0; i < filter.scalars.size(); ++i) {
    const Scalar& scalar = filter.scalars[i];
    if (scalar.op < ScalarOp::kNegate) continue;
    EXPECT_LT(scalar.operands.left, i);
    EXPECT_LT(scalar.operands.right, i);
  }
}

// Three-valued logic, by its tables.

enum class Truth : uint8_t { kFalse, kUnknown, kTrue };

Truth Not(Truth a) { return static_cast<Truth>(2 - static_cast<int>(a)); }
Truth Of(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

constexpr size_t kLeaves = 4;
using Assignment = std::array<Truth, kLeaves>;

// A random condition over `kLeaves` bool properties: its text, and its value by the tables.
// The last leaf stands for an enum's inequality as well.
class RandomCondition {
 public:
  RandomCondition(Random& random, int depth) {
    op_ = depth == 0 || random.OneIn(6) ? Op::kLeaf : static_cast<Op>(random.Between(1, 7));
    if (op_ == Op::kLeaf) leaf_ = random.Index(kLeaves + 2);
    const int64_t operands = op_ == Op::kLeaf ? 0 : op_ <= Op::kOr ? random.Between(2, 3) : 1;
    for (int64_t i = 0; i < operands; ++i) operands_.emplace_back(random, depth - 1);
  }

  std::string Text() const {
    switch (op_) {
      case Op::kLeaf:
        if (leaf_ == kLeaves) return "(state != LIVE)";
        if (leaf_ == kLeaves + 1) return "(state = LIVE)";
        return absl::StrCat("properties.p", leaf_, ".bool_value");
      case Op::kAnd:
      case Op::kOr: {
        std::string text = absl::StrCat("(", operands_[0].Text());
        for (size_t i = 1; i < operands_.size(); ++i) {
          absl::StrAppend(&text, op_ == Op::kAnd ? " AND " : " OR ", operands_[i].Text());
        }
        return text + ")";
      }
      case Op::kNot:
        return absl::StrCat("(NOT ", operands_[0].Text(), ")");
      case Op::kIsTrue:
        return absl::StrCat("(", operands_[0].Text(), " IS TRUE)");
      case Op::kIsNotTrue:
        return absl::StrCat("(", operands_[0].Text(), " IS NOT TRUE)");
      case Op::kIsFalse:
        return absl::StrCat("(", operands_[0].Text(), " IS FALSE)");
      case Op::kIsNotFalse:
        break;
    }
    return absl::StrCat("(", operands_[0].Text(), " IS NOT FALSE)");
  }

  // `state` is whether the artifact is LIVE, UNKNOWN if it has no state.
  Truth Value(const Assignment& leaves, Truth state) const {
    const auto value = [&](size_t i) { return operands_[i].Value(leaves, state); };
    Truth all = Truth::kTrue;
    Truth any = Truth::kFalse;
    switch (op_) {
      case Op::kLeaf:
        if (leaf_ == kLeaves) return Of(state != Truth::kTrue);
        return leaf_ == kLeaves + 1 ? state : leaves[leaf_];
      case Op::kAnd:
        for (size_t i = 0; i < operands_.size(); ++i) all = std::min(all, value(i));
        return all;
      case Op::kOr:
        for (size_t i = 0; i < operands_.size(); ++i) any = std::max(any, value(i));
        return any;
      case Op::kNot:
        return Not(value(0));
      case Op::kIsTrue:
        return Of(value(0) == Truth::kTrue);
      case Op::kIsNotTrue:
        return Of(value(0) != Truth::kTrue);
      case Op::kIsFalse:
        return Of(value(0) == Truth::kFalse);
      case Op::kIsNotFalse:
        break;
    }
    return Of(value(0) != Truth::kFalse);
  }

 private:
  enum class Op : uint8_t { kLeaf, kAnd, kOr, kNot, kIsTrue, kIsNotTrue, kIsFalse, kIsNotFalse };

  Op op_;
  size_t leaf_ = 0;
  std::vector<RandomCondition> operands_;
};

// Whether a predicate of the normal form holds, by filter_ast.h.
bool Holds(const Filter& filter, const Predicate& predicate, const Assignment& leaves,
           Truth state) {
  if (predicate.op == PredicateOp::kAnd || predicate.op == PredicateOp::kOr) {
    const bool is_and = predicate.op == PredicateOp::kAnd;
    for (const uint32_t operand : filter.OperandsOf(predicate)) {
      if (Holds(filter, filter.predicates[operand], leaves, state) != is_and) return !is_and;
    }
    return is_and;
  }
  const Variable& variable = filter.variables[filter.ScalarOf(predicate, 0).variable];
  Truth value = state;
  if (variable.is_property()) value = leaves[static_cast<size_t>(variable.name[1] - '0')];
  if (value == Truth::kUnknown) return predicate.null_matches;
  const bool wants_true =
      predicate.op == PredicateOp::kIsTrue || predicate.op == PredicateOp::kEqual;
  return (value == Truth::kTrue) == wants_true;
}

TEST(FilterNormalForm, MeansWhatWasWritten) {
  Random random;
  for (int i = 0; i < 1000; ++i) {
    const RandomCondition condition(random, 4);
    const Filter filter = Parse(condition.Text());
    Assignment leaves;
    for (int bits = 0; bits < 3 * 3 * 3 * 3 * 3; ++bits) {
      int rest = bits;
      for (Truth& leaf : leaves) {
        leaf = static_cast<Truth>(rest % 3);
        rest /= 3;
      }
      const auto state = static_cast<Truth>(rest);
      ASSERT_EQ(Holds(filter, filter.RootPredicate(), leaves, state),
                condition.Value(leaves, state) == Truth::kTrue)
          << condition.Text() << "\n"
          << ToString(filter) << "\nassignment " << bits;
    }
  }
}

}  // namespace
}  // namespace pedigree
