#include "store/bulk_cache_entries.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "store/cache_derive.h"
#include "store/cache_entry.h"
#include "store/keys.h"
#include "store/lookup.h"

namespace pedigree {
namespace {

constexpr size_t kBatchEntries = 10'000;
// Executions of one run lie side by side and share its contexts.
constexpr size_t kMostHeldContexts = 4096;

// The nodes as they are, and the entries that have been made so far.
class MadeSoFar final : public KeyLookup {
 public:
  MadeSoFar(Engine* engine, const Catalog& catalog)
      : engine_(*engine), catalog_(catalog), nodes_(engine->CurrentView()), entries_(nodes_) {}

  const Catalog& catalog() const override { return catalog_; }
  const View& nodes() const { return *nodes_; }

  absl::Status Add(int64_t execution, const CacheEntry& entry) {
    made_.insert_or_assign(CacheEntryKey{execution}.Encode(), entry.Encode());
    made_.insert_or_assign(entry.LookupKey(execution), entry.LookupValue());
    return made_.size() < 2 * kBatchEntries ? absl::OkStatus() : Write();
  }

  absl::Status Write() {
    std::vector<Mutation> mutations;
    mutations.reserve(made_.size());
    for (const auto& [key, value] : made_) mutations.push_back({false, key, value});
    std::sort(mutations.begin(), mutations.end(),
              [](const Mutation& a, const Mutation& b) { return a.key < b.key; });
    absl::Status status = engine_.Apply(mutations, Durability::kUnlogged);
    if (!status.ok()) return status;
    made_.clear();
    entries_ = engine_.CurrentView();
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) const override {
    NodeKey node = {};
    if (!NodeKey::Decode(key, &node)) {
      const auto made = made_.find(key);
      if (made != made_.end()) return std::optional<std::string>(made->second);
      return entries_->Get(key, Blocking::kAllowed);
    }
    const auto held = held_contexts_.find(key);
    if (held != held_contexts_.end()) return held->second;
    auto bytes = nodes_->Get(key, Blocking::kAllowed);
    if (bytes.ok() && node.kind == NodeKind::kContext) {
      if (held_contexts_.size() >= kMostHeldContexts) held_contexts_.clear();
      held_contexts_.emplace(key, *bytes);
    }
    return bytes;
  }

  absl::Status VisitEntries(const KeyRange& range, VisitEntry visit) const override {
    return nodes_->Scan(range, Direction::kAscending, Blocking::kAllowed, visit);
  }

  Engine& engine_;
  const Catalog& catalog_;
  const std::shared_ptr<const View> nodes_;
  std::shared_ptr<const View> entries_;                 // With all that has been written.
  absl::flat_hash_map<std::string, std::string> made_;  // What has not.
  mutable absl::flat_hash_map<std::string, std::optional<std::string>> held_contexts_;
};

absl::StatusOr<CacheEntry> MakeEntry(const MadeSoFar& made, int64_t execution,
                                     const NodeRecord& record, const CacheFacts& facts) {
  auto place = DeriveCachePlace(made, execution, record, facts);
  if (!place.ok()) return place.status();
  CacheEntry entry;
  entry.fingerprint_text = FingerprintText(facts.fingerprint);
  entry.name_space = std::move(place->name_space);
  entry.pipeline = std::move(place->pipeline);
  if (!facts.is_complete) return entry;
  entry.cache_class = CacheClass::kLive;
  auto origin = FindOriginRun(made, execution, facts);
  if (!origin.ok()) return origin.status();
  entry.completed_ms = std::max<int64_t>(facts.update_time_ms, 1);  // 0 is not complete.
  entry.run_ms = std::max<int64_t>(facts.update_time_ms - facts.create_time_ms, 0);
  if (origin->has_value()) {
    entry.completed_ms = (*origin)->completed_ms;
    entry.run_ms = (*origin)->run_ms;
  }
  return entry;
}

absl::StatusOr<bool> AnyFingerprint(const View& view) {
  bool found = false;
  absl::Status status =
      view.Scan(PrefixRange(PropertyKey::Prefix(kCacheFingerprintIndex)), Direction::kAscending,
                Blocking::kAllowed, [&](absl::string_view, absl::string_view) {
                  found = true;
                  return false;
                });
  if (!status.ok()) return status;
  return found;
}

}  // namespace

absl::Status WriteCacheEntries(Engine* engine, const Catalog& catalog) {
  MadeSoFar made(engine, catalog);
  auto any = AnyFingerprint(made.nodes());
  if (!any.ok() || !*any) return any.status();
  absl::Status inner;
  const auto visit = [&](absl::string_view key, absl::string_view bytes) {
    NodeKey node = {};
    if (!NodeKey::Decode(key, &node)) return true;
    // Most executions have no fingerprint: they are looked at where they lie.
    const auto view = RecordView::Parse(bytes);
    if (!view.has_value()) {
      inner = DamagedRecord("execution", node.id);
      return false;
    }
    const auto facts = CacheFactsOf(view->message());
    if (!facts.has_value()) return true;
    auto record = NodeRecord::FromBytes(node.kind, node.id, std::string(bytes));
    auto entry = record.ok() ? MakeEntry(made, node.id, *record, *facts) : record.status();
    inner = entry.ok() ? made.Add(node.id, *entry) : entry.status();
    return inner.ok();
  };
  const KeyRange executions = {NodeKey{NodeKind::kExecution, 0}.Encode(),
                               NodeKey{NodeKind::kContext, 0}.Encode()};
  absl::Status status =
      made.nodes().Scan(executions, Direction::kAscending, Blocking::kAllowed, visit);
  if (status.ok()) status = inner;
  return status.ok() ? made.Write() : status;
}

}  // namespace pedigree
