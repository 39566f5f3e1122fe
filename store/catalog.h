// All types of the store, its property indexes, which kinds of node were created in id order, and
// what is being imported, in memory, as one immutable value per version of the store.
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
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
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

// The names of those below, of one kind.
absl::Span<const absl::string_view> PredefinedTypeNames(NodeKind kind);
// Whether a type of this name, without a version, is one of those below.
bool IsPredefinedTypeName(NodeKind kind, absl::string_view name);

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

  // Whether order by create time is order by id. A server creates nodes so; what was imported may
  // be otherwise, and then nodes of the kind are indexed by create time.
  bool IsCreatedInOrder(NodeKind kind) const {
    return created_out_of_order_.find(kind) == created_out_of_order_.end();
  }
  bool AllAreCreatedInOrder() const { return created_out_of_order_.empty(); }
  void SetCreatedOutOfOrder(NodeKind kind) { created_out_of_order_.insert(kind); }

  // What an import that has not ended is of; "" if there is none.
  const std::string& import_source() const { return import_source_; }
  bool IsBeingImported() const { return !import_source_.empty(); }
  void SetImportSource(std::string source) { import_source_ = std::move(source); }

  // create_order := kinds:u8{1..}, ascending: those that were not created in id order; only in
  // stores that have some. e.g. artifacts and contexts: 01 03
  std::string EncodeCreateOrder() const;
  bool DecodeCreateOrder(absl::string_view bytes);

  // The name of a type; "" for an id that no type of the kind has.
  absl::string_view TypeName(NodeKind kind, int64_t id) const;

 private:
  std::tuple<TypeTable<ml_metadata::Artifact>, TypeTable<ml_metadata::Execution>,
             TypeTable<ml_metadata::Context>>
      tables_;
  PropertyIndexes property_indexes_;
  std::set<NodeKind> created_out_of_order_;
  std::string import_source_;
};

// The types that exist in every store from the start: mlmd.Dataset and so on, ids 1 to 9 but in
// stores that were imported from a database that is older than these types. They are found by name
// and id, and left out of Get*Types.
inline constexpr int64_t kLastPredefinedTypeId = 9;
void AddPredefinedTypes(Catalog* catalog);
// The same, under the ids after `last_type_id` and only those that are missing. Answers the last
// id.
int64_t AddMissingPredefinedTypes(int64_t last_type_id, Catalog* catalog);

template <class Node>
bool IsPredefined(const typename TraitsOf<Node>::Type& type) {
  return type.version().empty() && IsPredefinedTypeName(TraitsOf<Node>::kKind, type.name());
}

}  // namespace pedigree
