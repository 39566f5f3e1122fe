// Random filters that parse: for tests of the parser, and for whatever compares evaluators.
//
// Every attribute, operator and way of writing of the language occurs. Names and values are taken
// from a vocabulary, so that a filter over a store can be made to match something.
// Threads: one each.
//
//   Random random;
//   RandomFilters filters(NodeKind::kArtifact, FilterVocabulary{}, &random);
//   auto filter = ParseFilter(NodeKind::kArtifact, filters.Make());
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/filter_attributes.h"
#include "store/traits.h"
#include "tests/store/random.h"

namespace pedigree {

// What names and values are picked from. None may be empty; there may be at most
// kMaxFilterVariables - 1 variables: properties twice, an alias for each kind of neighbourhood.
struct FilterVocabulary {
  std::vector<std::string> properties = {"span", "my prop", "0", "in"};
  std::vector<std::string> aliases = {"a", "b"};
  std::vector<std::string> strings = {"", "raw", "Model", "it's", "a\\b\"c", "100%", "\n", "ü"};
  std::vector<std::string> patterns = {"%", "_", "ra%", "%a_", "100\\%", ""};
  std::vector<int64_t> ints = {0, 1, 2, 3, -1, INT64_MAX, INT64_MIN};
  std::vector<double> doubles = {0.0, 0.5, -1.5, 3.0, 1e20, 5e-324};
};

class RandomFilters {
 public:
  // `random` is borrowed and outlives this.
  RandomFilters(NodeKind kind, FilterVocabulary vocabulary, Random* random)
      : kind_(kind), vocabulary_(std::move(vocabulary)), random_(*random) {}

  // A condition with conditions in it up to `depth` deep.
  std::string Make(int depth = 4);

  // A literal as the language writes it, in one of the ways it can.
  std::string Literal(ScalarType type);

 private:
  std::string Condition(int depth);
  std::string Chain(const char* word, int depth);
  std::string Leaf();
  std::string Comparison(const std::string& left, ScalarType type);
  std::string List(ScalarType type);
  std::string Scalar(ScalarType type, int depth);
  std::string Number(int depth);
  // An attribute of any variable; "" if there is none of that type.
  std::string Path(ScalarType type);
  std::string AnyPath(ScalarType* type);
  std::string Name(VariableKind kind);

  std::string Quoted(const std::string& text, char quote);
  // Keywords, in any case.
  std::string Word(const char* keyword);
  // At least one, or any number, of spaces.
  std::string Space();
  std::string MaybeSpace();

  NodeKind kind_;
  FilterVocabulary vocabulary_;
  Random& random_;
};

}  // namespace pedigree
