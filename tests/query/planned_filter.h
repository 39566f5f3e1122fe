// Random filters of the shapes that a planner treats specially: short ANDs and ORs of terms on what
// is indexed, most of them made to fit one node of a model. RandomFilters (random_filter.h) makes
// all others.
//
// Threads: one each.
//
//   PlannedFilters filters(NodeKind::kArtifact, model, vocabulary, &random);
//   std::string text = filters.Make();   // name = 'run' AND contexts_a.id IN (3, 7)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "query/filter_attributes.h"
#include "store/traits.h"
#include "tests/query/filter_oracle.h"
#include "tests/query/random_filter.h"
#include "tests/store/random.h"

namespace pedigree {

class PlannedFilters {
 public:
  // All are borrowed and outlive this.
  PlannedFilters(NodeKind kind, const OracleModel& model, const FilterVocabulary& vocabulary,
                 Random* random)
      : kind_(kind),
        model_(model),
        vocabulary_(vocabulary),
        any_(kind, vocabulary, random),
        random_(*random) {}

  std::string Make();

 private:
  // The other node's terms make ORs of two parts that both match something.
  void Refocus();

  std::string Terms(const char* word, int64_t count);

  std::string Term();

  // Names are unique within a type.
  std::string Pair();

  std::string AnyPath(ScalarType* type);

  // Of one that the node has, most of the time, and of the kind that it has there.
  std::string PropertyPath(bool is_custom, ScalarType* type);

  // Null if there is none.
  const OracleNode* Focus() const;

  std::string Comparison(const std::string& path, ScalarType type);

  std::string In(const std::string& path, const std::string& value, ScalarType type);

  // A pattern of a text that is there: its beginning, most often.
  std::string Like(const std::string& path);

  static std::string Quoted(const std::string& text);

  // One of the node's values at the path; NULL if there is none.
  OracleValue ValueThere(const std::string& path);

  // A literal: of such a value or near it, sometimes another.
  std::string Value(const std::string& path, ScalarType type = ScalarType::kString);

  std::string Near(int64_t value);
  std::string Near(double value);

  const NodeKind kind_;
  const OracleModel& model_;
  const FilterVocabulary& vocabulary_;
  RandomFilters any_;
  Random& random_;
  int64_t focus_ = 0;                 // The node that the filter is made to fit; 0 for none.
  std::optional<FilterOracle> path_;  // What values point into.
};

}  // namespace pedigree
