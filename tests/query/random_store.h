// A small store of random content, with a model of it for the oracle (filter_oracle.h).
//
// Whatever an index could mistake for something else is there: types of one name in two versions,
// values that collide across fields, kinds and nodes, texts that are long or hold zero bytes, nodes
// in more contexts than fit into a record, several events between one pair. Each write goes to
// both; a write that the store refuses fails the test. Threads: one each.
//
//   Random random;
//   RandomStore store(&random);
//   store.ChangeSomething();
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/traits.h"
#include "tests/query/filter_oracle.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {

struct TypeOfNodes {
  int64_t id = 0;
  std::string name;
  std::map<std::string, ml_metadata::PropertyType> properties;
};

class RandomStore {
 public:
  // `random` is borrowed and outlives this.
  explicit RandomStore(Random* random);

  // What properties of all kinds of nodes are called: those that every store has an index of, too.
  static const std::vector<std::string>& PropertyNames();
  // All finite: a filter has no other literals.
  static const std::vector<double>& Doubles();

  TestStore& store() { return store_; }
  const OracleModel& model() const { return model_; }
  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<TypeOfNodes>& types(NodeKind kind) const { return types_[IndexOf(kind)]; }

  // A write, of any kind.
  void ChangeSomething();

  // A step in the life of a property index. The store's own thread takes such steps as well.
  void ChangeIndexes();
  // How many have become ready, and how many have been dropped.
  int64_t indexes_built() const { return indexes_built_; }
  int64_t indexes_dropped() const { return indexes_dropped_; }

 private:
  static constexpr size_t kMostIndexes = 20;

  void AddIndex();

  // The clock often stands still, so that many times are equal.
  void Tick();

  // Types of the same name are versions of one.
  template <class Node>
  void PutTypes(const std::vector<std::string>& names);

  const std::string& AnyText() { return random_.Pick(texts_); }

  ml_metadata::Value AnyValue(ml_metadata::PropertyType kind);

  template <class Node>
  void FillProperties(const TypeOfNodes& type, Node* node);

  void FillRest(ml_metadata::Artifact* node);
  void FillRest(ml_metadata::Execution* node);
  void FillRest(ml_metadata::Context*) {}

  template <class Node>
  OracleModel::Nodes& NodesOf();

  template <class Node>
  const TypeOfNodes& TypeOf(int64_t id) const;

  // A text of which has(node, text) is false for all nodes; nullopt if there is no such luck.
  template <class Node, typename Has>
  std::optional<std::string> FreeText(const Has& has);

  template <class Node>
  void FillName(Node* node);

  template <class Node>
  void FillExternalId(Node* node);

  // Contexts that exist; for a context those before it, so that there are no cycles.
  std::set<int64_t> SomeContexts(int64_t before);

  template <class Node>
  void Remember(const Node& node, const std::set<int64_t>& contexts);

  template <class Node>
  std::map<int64_t, Node>& MessagesOf();

  template <class Node>
  void Insert(int64_t count);

  template <class Node>
  void Change();

  template <class Node>
  void LinkMore();

  void AddEvents(int64_t count);

  Random& random_;
  TestStore store_;
  std::vector<std::string> texts_;
  std::vector<TypeOfNodes> types_[3];
  OracleModel model_;
  std::tuple<std::map<int64_t, ml_metadata::Artifact>, std::map<int64_t, ml_metadata::Execution>,
             std::map<int64_t, ml_metadata::Context>>
      messages_;
  std::vector<uint32_t> indexes_;
  int names_ = 0;
  int64_t indexes_built_ = 0;
  int64_t indexes_dropped_ = 0;
};

}  // namespace pedigree
