// All types of the store and its property indexes, in memory, as one immutable value per version of
// the store.
//
// Types are few (KFP has about a dozen) and every answer needs their names, every write their
// declared properties and the properties that are indexed. A Catalog never changes after it is
// published; a transaction that adds or changes one copies it (shared entries, so a copy costs
// pointers only) and publishes the copy with its commit. Immutable: any thread.
//
//   const ArtifactType* type = catalog.Of<Artifact>().FindByName("system.Model", "");
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "store/property_index.h"
#include "store/traits.h"

namespace pedigree {

// Types of one kind of node. Lookups answer nullptr where there is none.
template <class Node>
class TypeTable {
 public:
  using Type = typename TraitsOf<Node>::Type;

  const Type* FindById(int64_t id) const {
    auto it = by_id_.find(id);
    return it == by_id_.end() ? nullptr : it->second.get();
  }
  // An empty version is the unset version.
  const Type* FindByName(absl::string_view name, absl::string_view version) const {
    auto it = by_name_.find(NameAndVersion(name, version));
    return it == by_name_.end() ? nullptr : FindById(it->second);
  }
  const Type* FindByExternalId(absl::string_view external_id) const {
    auto it = by_external_id_.find(external_id);
    return it == by_external_id_.end() ? nullptr : FindById(it->second);
  }

  // Adds the type or replaces the one with its id.
  void Put(std::shared_ptr<const Type> type) {
    const int64_t id = type->id();
    if (const Type* old = FindById(id); old != nullptr && old->has_external_id()) {
      by_external_id_.erase(old->external_id());
    }
    by_name_[NameAndVersion(type->name(), type->version())] = id;
    if (type->has_external_id()) by_external_id_[type->external_id()] = id;
    by_id_[id] = std::move(type);
  }

  // By ascending id.
  const std::map<int64_t, std::shared_ptr<const Type>>& all() const { return by_id_; }

 private:
  static std::pair<std::string, std::string> NameAndVersion(absl::string_view name,
                                                            absl::string_view version) {
    return {std::string(name), std::string(version)};
  }

  std::map<int64_t, std::shared_ptr<const Type>> by_id_;
  absl::flat_hash_map<std::pair<std::string, std::string>, int64_t> by_name_;
  absl::flat_hash_map<std::string, int64_t> by_external_id_;
};

class Catalog {
 public:
  template <class Node>
  const TypeTable<Node>& Of() const {
    return std::get<TypeTable<Node>>(tables_);
  }
  template <class Node>
  TypeTable<Node>& Of() {
    return std::get<TypeTable<Node>>(tables_);
  }

  const PropertyIndexes& property_indexes() const { return property_indexes_; }
  PropertyIndexes& property_indexes() { return property_indexes_; }

  // The name of a type; "" for an id that no type of the kind has.
  absl::string_view TypeName(NodeKind kind, int64_t id) const;

 private:
  std::tuple<TypeTable<ml_metadata::Artifact>, TypeTable<ml_metadata::Execution>,
             TypeTable<ml_metadata::Context>>
      tables_;
  PropertyIndexes property_indexes_;
};

// The types that exist in every store from the start: mlmd.Dataset and so on, ids 1 to 9. They are
// found by name and id, and left out of Get*Types.
inline constexpr int64_t kLastPredefinedTypeId = 9;
void AddPredefinedTypes(Catalog* catalog);

}  // namespace pedigree
