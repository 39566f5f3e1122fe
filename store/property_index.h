// Which properties are indexed: definitions, kept in the catalog and in the store.
//
// An index of a property finds the nodes of one kind by the property's value (filter_query). It is
// maintained from the moment its definition is committed; the nodes that were there before are
// indexed in batches while the store serves (index_builder.h), and it answers queries once that is
// done. Immutable values: any thread.
//
//   auto index = catalog.property_indexes().Find(NodeKind::kExecution, true, "cache_fingerprint");
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "store/traits.h"

namespace pedigree {

// property_index := kind:u8 is_custom:u8 state:u8 next:be64 last:be64 name
// e.g. of executions' custom_properties.x, ready: 02 01 02 0000000000000001 0000000000000000 78
struct PropertyIndex {
  enum class State : uint8_t {
    kBuilding = 1,  // Nodes from `next` to `last` are not in it yet.
    kReady = 2,
    kDropping = 3,  // Nothing is added any more; its entries are being deleted.
  };

  uint32_t id = 0;  // Never reused. In the key.
  NodeKind kind = NodeKind::kArtifact;
  bool is_custom = false;
  State state = State::kBuilding;
  int64_t next = 1;
  int64_t last = 0;  // The last node that was there before the index.
  std::string name;

  std::string Encode() const;
  static bool Decode(absl::string_view bytes, PropertyIndex* out);

  // "execution custom_properties.run_id", as a person names it.
  std::string ToString() const;
};

// Of every store from the start: KFP asks "has this step run before?" by the one, and a DAG's
// driver for its steps by the other.
inline constexpr uint32_t kCacheFingerprintIndex = 1;
inline constexpr uint32_t kParentDagIdIndex = 2;

// More would make every write slow.
inline constexpr size_t kMaxPropertyIndexes = 64;

class PropertyIndexes {
 public:
  using List = std::vector<std::shared_ptr<const PropertyIndex>>;

  // Null if there is none, or only one that is being dropped.
  const PropertyIndex* Find(NodeKind kind, bool is_custom, absl::string_view name) const;
  // Null if there is none of this id.
  const PropertyIndex* FindById(uint32_t id) const;

  // Those of a kind that writes maintain: all but the ones being dropped.
  const List& Of(NodeKind kind) const { return maintained_[IndexOf(kind)]; }
  // By ascending id.
  const std::map<uint32_t, std::shared_ptr<const PropertyIndex>>& all() const { return all_; }

  // Adds the index or replaces the one with its id.
  void Put(PropertyIndex index);
  void Remove(uint32_t id);

 private:
  void Rebuild();

  std::map<uint32_t, std::shared_ptr<const PropertyIndex>> all_;
  List maintained_[3];
};

// The two that every store has.
void AddPredefinedPropertyIndexes(PropertyIndexes* indexes);

}  // namespace pedigree
