// What a filter_query means, in the simplest way there is: for tests to compare the product with.
//
// Shares nothing with query/: a parser of its own, which reads what random generators write and
// checks nothing, and an evaluator that tries every combination of the values of all variables in
// three-valued logic. Slow on purpose. Threads: a value type, any thread.
//
//   OracleModel model;
//   model.Of(NodeKind::kArtifact)[1] = MakeOracleNode(artifact, "Model", {context_id});
//   auto oracle = FilterOracle::Parse("contexts_a.id = 2 AND NOT (state = LIVE)");
//   oracle->Matches(model, NodeKind::kArtifact, 1) == FilterOracle::Answer::kYes
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/traits.h"

namespace pedigree {

// A node of any kind. What is unset is NULL in a filter.
struct OracleNode {
  int64_t id = 0;
  int64_t type_id = 0;
  std::string type;
  std::optional<std::string> name;
  std::optional<std::string> external_id;
  std::optional<std::string> uri;
  std::optional<std::string> state;  // The enum value's name.
  int64_t create_time = 0;
  int64_t last_update_time = 0;
  std::map<std::string, ml_metadata::Value> properties;
  std::map<std::string, ml_metadata::Value> custom_properties;
  std::set<int64_t> contexts;  // Of a context: its parents.
};

OracleNode MakeOracleNode(const ml_metadata::Artifact& artifact, const std::string& type,
                          const std::set<int64_t>& contexts);
OracleNode MakeOracleNode(const ml_metadata::Execution& execution, const std::string& type,
                          const std::set<int64_t>& contexts);
OracleNode MakeOracleNode(const ml_metadata::Context& context, const std::string& type,
                          const std::set<int64_t>& contexts);

struct OracleModel {
  using Nodes = std::map<int64_t, OracleNode>;

  Nodes& Of(NodeKind kind) { return nodes[IndexOf(kind)]; }
  const Nodes& Of(NodeKind kind) const { return nodes[IndexOf(kind)]; }

  std::array<Nodes, 3> nodes;
  std::vector<ml_metadata::Event> events;
};

// A value of a filter's expression; conditions have values too: TRUE, FALSE and NULL (UNKNOWN).
struct OracleValue {
  enum class Kind : uint8_t { kNull, kInt, kDouble, kString, kBool, kEnum };

  Kind kind = Kind::kNull;
  int64_t int_value = 0;
  double double_value = 0;
  bool bool_value = false;
  absl::string_view text;  // Of a string or enum (its name); points into the model or the filter.
};

class FilterOracle {
 public:
  // More combinations of one node's neighbours than this are not tried.
  static constexpr size_t kMaxCombinations = 20'000;

  enum class Answer : uint8_t { kNo, kYes, kTooMuch };

  // Nullopt if this is no filter that it can read. Reads a mere value as well.
  static std::optional<FilterOracle> Parse(absl::string_view text);

  // REQUIRES: the model has the node.
  Answer Matches(const OracleModel& model, NodeKind kind, int64_t id) const;

  // The value of the whole for each combination, at most kMaxCombinations of them: for a path, what
  // the node has there. Points into the model and this.
  std::vector<OracleValue> Values(const OracleModel& model, NodeKind kind, int64_t id) const;

  // Texts of filters that leave out one operand of one AND or OR, or one NOT or IS.
  std::vector<std::string> Simpler() const;

 private:
  friend class OracleParser;
  struct Thing;

  enum class Op : uint8_t {
    kLiteral,
    kAttribute,
    kNegate,
    kAdd,
    kSubtract,
    kMultiply,
    kAnd,
    kOr,
    kNot,
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kIn,
    kLike,
    kBetween,
    kIsNull,
    kIsTrue,
    kIsFalse,
  };

  struct Expression {
    Op op = Op::kLiteral;
    bool is_negated = false;  // NOT IN, NOT LIKE, NOT BETWEEN, IS NOT ...
    bool is_enum = false;     // An attribute or literal that is one.
    OracleValue literal;
    std::string text;     // Of a string or enum literal; an attribute's name.
    size_t variable = 0;  // Of an attribute.
    std::vector<Expression> operands;
    size_t begin = 0;  // Where it stands in the filter's text, parentheses and all.
    size_t end = 0;
  };

  // "contexts_" and "a", "properties" and "span"; both empty for the node itself.
  struct Variable {
    std::string prefix;
    std::string name;
  };

  // One combination: a value for each variable.
  using Row = std::vector<Thing>;

  static OracleValue AttributeOf(const Thing& thing, const std::string& name);
  static OracleValue Evaluate(const Expression& expression, const Row& row);
  static OracleValue EvaluateIn(const Expression& expression, const Row& row);

  std::vector<Thing> ThingsOf(const OracleModel& model, NodeKind kind, const OracleNode& node,
                              const Variable& variable) const;
  // Calls visit(value) for each combination until it answers false. False: too many.
  template <typename Visit>
  bool VisitCombinations(const OracleModel& model, NodeKind kind, int64_t id,
                         const Visit& visit) const;
  template <typename Visit>
  bool VisitRows(const std::vector<std::vector<Thing>>& things, Row* row, const Visit& visit) const;

  void AddSimpler(const Expression& expression, std::vector<std::string>* simpler) const;

  std::string text_;
  std::vector<Variable> variables_;  // [0] is the node itself.
  Expression root_;
};

}  // namespace pedigree
