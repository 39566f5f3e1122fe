#include "store/lookup.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/keys.h"

namespace pedigree {
namespace {

template <class Value>
absl::StatusOr<std::optional<Value>> Decoded(
    const absl::StatusOr<std::optional<std::string>>& bytes, absl::string_view what) {
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  Value value;
  if (!Value::Decode(**bytes, &value)) {
    return absl::DataLossError(absl::StrCat(what, " does not decode; the store is damaged"));
  }
  return std::optional<Value>(std::move(value));
}

}  // namespace

absl::StatusOr<NodeRecord> NodeRecord::FromBytes(NodeKind kind, int64_t id, std::string bytes) {
  NodeRecord record;
  record.bytes_ = std::make_unique<const std::string>(std::move(bytes));
  auto view = RecordView::Parse(*record.bytes_);
  if (!view.has_value()) return DamagedRecord(NameOf(kind), id);
  record.view_ = *view;
  return record;
}

absl::StatusOr<std::optional<NodeRecord>> KeyLookup::FindRecord(NodeKind kind, int64_t id) const {
  auto bytes = Get(NodeKey{kind, id}.Encode());
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  auto record = NodeRecord::FromBytes(kind, id, *std::move(*bytes));
  if (!record.ok()) return record.status();
  return std::optional<NodeRecord>(*std::move(record));
}

absl::StatusOr<std::vector<int64_t>> KeyLookup::FindContextsOf(NodeKind kind, int64_t id,
                                                               const NodeRecord& record,
                                                               size_t most) const {
  std::vector<int64_t> contexts = record.NearLinks();
  if (contexts.size() > most) contexts.resize(most);
  if (!record.HasFarLinks() || contexts.size() == most) return contexts;
  absl::Status status = VisitEntries(PrefixRange(FarLinkKey::Prefix(kind, id)),
                                     [&](absl::string_view key, absl::string_view) {
                                       FarLinkKey link = {};
                                       if (FarLinkKey::Decode(key, &link)) {
                                         contexts.push_back(link.context);
                                       }
                                       return contexts.size() < most;
                                     });
  if (!status.ok()) return status;
  return contexts;
}

absl::StatusOr<std::optional<int64_t>> KeyLookup::FindId(const std::string& key) const {
  auto bytes = Get(key);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  ByteReader reader(**bytes);
  int64_t id = 0;
  if (!reader.ReadId(&id) || !reader.AtEnd()) {
    return absl::DataLossError("an index entry does not decode; the store is damaged");
  }
  return id;
}

absl::StatusOr<std::optional<CacheEntry>> KeyLookup::FindCacheEntry(int64_t execution) const {
  return Decoded<CacheEntry>(Get(CacheEntryKey{execution}.Encode()), "an entry of the cache");
}

absl::StatusOr<std::optional<CacheLease>> KeyLookup::FindCacheLease(
    const CacheLeaseKey& key) const {
  return Decoded<CacheLease>(Get(key.Encode()), "a lease of the cache");
}

absl::StatusOr<std::optional<int64_t>> KeyLookup::FindIdByName(NodeKind kind, int64_t type_id,
                                                               absl::string_view name) const {
  return FindId(NameKey{kind, type_id, name}.Encode());
}

absl::StatusOr<std::optional<int64_t>> KeyLookup::FindIdByExternalId(
    NodeKind kind, absl::string_view external_id) const {
  return FindId(ExternalIdKey{kind, external_id}.Encode());
}

}  // namespace pedigree
