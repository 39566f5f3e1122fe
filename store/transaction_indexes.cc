// Property indexes: their entries, their definitions, and how they are built while the store
// serves.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/keys.h"
#include "store/property_entry.h"
#include "store/text.h"
#include "store/transaction.h"

namespace pedigree {
namespace {

// The values of the indexed properties in a stored message, by position in `indexes`.
std::vector<PropertyValue> ValuesIn(NodeKind kind, absl::string_view message,
                                    const PropertyIndexes::List& indexes) {
  std::vector<PropertyValue> values(indexes.size());
  PeekNode(kind, message, [&](bool is_custom, absl::string_view entry) {
    const auto property = PeekProperty(entry);
    if (!property.has_value()) return;
    for (size_t i = 0; i < indexes.size(); ++i) {
      if (indexes[i]->is_custom == is_custom && indexes[i]->name == property->name) {
        values[i] = property->value;
      }
    }
  });
  return values;
}

}  // namespace

template <class Node>
void Transaction::IndexProperties(const Node& node) {
  for (const auto& index : catalog_->property_indexes().Of(TraitsOf<Node>::kKind)) {
    const auto entry = PropertyEntry(*index, PropertyValueIn(node, *index), node.id());
    if (!entry.has_value()) continue;
    writes_.Put(*entry, {});
    if (index->id == kCacheFingerprintIndex) TouchCacheEntry(node.id());
  }
}

template <class Node>
void Transaction::MoveProperties(const NodeRecord& stored, const Node& node) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  const PropertyIndexes::List& indexes = catalog_->property_indexes().Of(kKind);
  if (indexes.empty()) return;
  const std::vector<PropertyValue> old = ValuesIn(kKind, stored.message(), indexes);
  for (size_t i = 0; i < indexes.size(); ++i) {
    const auto before = PropertyEntry(*indexes[i], old[i], node.id());
    const auto after = PropertyEntry(*indexes[i], PropertyValueIn(node, *indexes[i]), node.id());
    if (indexes[i]->id == kCacheFingerprintIndex && (before.has_value() || after.has_value())) {
      TouchCacheEntry(node.id());
    }
    if (before == after) continue;
    if (before.has_value()) writes_.Delete(*before);
    if (after.has_value()) writes_.Put(*after, {});
  }
}

void Transaction::PutPropertyIndex(PropertyIndex index) {
  writes_.Put(PropertyIndexKey{index.id}.Encode(), index.Encode());
  MutableCatalog()->property_indexes().Put(std::move(index));
}

absl::StatusOr<PropertyIndex> Transaction::AddPropertyIndex(NodeKind kind, bool is_custom,
                                                            absl::string_view name) {
  const PropertyIndexes& indexes = catalog_->property_indexes();
  if (const PropertyIndex* there = indexes.Find(kind, is_custom, name); there != nullptr) {
    return *there;
  }
  if (indexes.all().size() >= kMaxPropertyIndexes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the store has ", kMaxPropertyIndexes, " property indexes: drop one first"));
  }
  PropertyIndex index;
  index.id = indexes.all().empty() ? 1 : indexes.all().rbegin()->first + 1;
  index.kind = kind;
  index.is_custom = is_custom;
  index.name = std::string(name);
  index.last = last_id(kind);
  if (index.next > index.last) index.state = PropertyIndex::State::kReady;
  PutPropertyIndex(index);
  return index;
}

absl::Status Transaction::DropPropertyIndex(uint32_t id) {
  const PropertyIndex* found = catalog_->property_indexes().FindById(id);
  if (found == nullptr) return absl::NotFoundError(absl::StrCat("no property index has id ", id));
  if (id == kCacheFingerprintIndex || id == kParentDagIdIndex) {
    return absl::InvalidArgumentError(
        absl::StrCat("the index of ", found->ToString(), " belongs to every store"));
  }
  PropertyIndex index = *found;
  index.state = PropertyIndex::State::kDropping;
  PutPropertyIndex(std::move(index));
  return absl::OkStatus();
}

absl::StatusOr<bool> Transaction::ContinuePropertyIndex(uint32_t id, int64_t most) {
  const PropertyIndex* index = catalog_->property_indexes().FindById(id);
  if (index == nullptr || index->state == PropertyIndex::State::kReady) return false;
  return index->state == PropertyIndex::State::kBuilding ? BuildPropertyIndex(*index, most)
                                                         : EmptyPropertyIndex(*index, most);
}

absl::StatusOr<bool> Transaction::BuildPropertyIndex(PropertyIndex index, int64_t most) {
  const PropertyIndexes::List only = {std::make_shared<const PropertyIndex>(index)};
  const int64_t end = std::min(index.last, index.next + most - 1);
  for (; index.next <= end; ++index.next) {
    auto record = FindRecord(index.kind, index.next);
    if (!record.ok()) return record.status();
    if (!record->has_value()) continue;
    const PropertyValue value = ValuesIn(index.kind, (*record)->message(), only)[0];
    const auto entry = PropertyEntry(index, value, index.next);
    if (entry.has_value()) writes_.Put(*entry, {});
  }
  const bool more = index.next <= index.last;
  if (!more) index.state = PropertyIndex::State::kReady;
  PutPropertyIndex(std::move(index));
  return more;
}

absl::StatusOr<bool> Transaction::EmptyPropertyIndex(const PropertyIndex& index, int64_t most) {
  int64_t deleted = 0;
  absl::Status status =
      view_->Scan(PrefixRange(PropertyKey::Prefix(index.id)), Direction::kAscending,
                  Blocking::kAllowed, [&](absl::string_view key, absl::string_view) {
                    if (deleted == most) return false;
                    writes_.Delete(key);
                    ++deleted;
                    return true;
                  });
  if (!status.ok()) return status;
  if (deleted == most) return true;
  writes_.Delete(PropertyIndexKey{index.id}.Encode());
  MutableCatalog()->property_indexes().Remove(index.id);
  return false;
}

template void Transaction::IndexProperties(const ml_metadata::Artifact&);
template void Transaction::IndexProperties(const ml_metadata::Execution&);
template void Transaction::IndexProperties(const ml_metadata::Context&);
template void Transaction::MoveProperties(const NodeRecord&, const ml_metadata::Artifact&);
template void Transaction::MoveProperties(const NodeRecord&, const ml_metadata::Execution&);
template void Transaction::MoveProperties(const NodeRecord&, const ml_metadata::Context&);

}  // namespace pedigree
