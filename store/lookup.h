// Finds single things by exact key, and entries of the cache in order: the reads that readers and
// transactions share.
//
// Reader (reader.h) answers them from a snapshot, Transaction (transaction.h) from its group's
// writes over the newest state. Threads: as the subclass.
//
//   auto id = lookup.FindIdByName(NodeKind::kContext, type_id, "run-7");
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/cache_entry.h"
#include "store/cache_lease.h"
#include "store/cache_runtime.h"
#include "store/catalog.h"
#include "store/engine.h"
#include "store/record.h"

namespace pedigree {

// A node's record with the bytes it lives in.
class NodeRecord {
 public:
  // DataLoss if the bytes are no record.
  static absl::StatusOr<NodeRecord> FromBytes(NodeKind kind, int64_t id, std::string bytes);

  NodeRecord(NodeRecord&&) = default;
  NodeRecord& operator=(NodeRecord&&) = default;
  NodeRecord(const NodeRecord&) = delete;
  NodeRecord& operator=(const NodeRecord&) = delete;

  std::vector<int64_t> NearLinks() const { return view_.NearLinks(); }
  bool HasFarLinks() const { return view_.HasFarLinks(); }
  absl::string_view message() const { return view_.message(); }
  // Valid as long as this object.
  const RecordView& view() const { return view_; }

 private:
  NodeRecord() = default;

  std::unique_ptr<const std::string> bytes_;  // On the heap: views stay valid when this moves.
  RecordView view_;
};

// What is looked up by key. Lookup, below, is what calls are answered from.
class KeyLookup {
 public:
  virtual ~KeyLookup() = default;

  // The types as of this state. Valid as long as this object, and in a transaction until it
  // changes a type.
  virtual const Catalog& catalog() const = 0;

  // Errors of all: WouldBlock() where the reader must not block; DataLoss; Unavailable.
  absl::StatusOr<std::optional<NodeRecord>> FindRecord(NodeKind kind, int64_t id) const;
  absl::StatusOr<std::optional<int64_t>> FindIdByName(NodeKind kind, int64_t type_id,
                                                      absl::string_view name) const;
  absl::StatusOr<std::optional<int64_t>> FindIdByExternalId(NodeKind kind,
                                                            absl::string_view external_id) const;

  // The contexts of a node, whose record this is, at most `most`: those in the record, then those
  // beside it.
  absl::StatusOr<std::vector<int64_t>> FindContextsOf(NodeKind kind, int64_t id,
                                                      const NodeRecord& record, size_t most) const;

  // The cache of steps.
  absl::StatusOr<std::optional<CacheEntry>> FindCacheEntry(int64_t execution) const;
  absl::StatusOr<std::optional<CacheLease>> FindCacheLease(const CacheLeaseKey& key) const;
  // Visits the keys of cache_lookup in `range` in order, until `visit` answers false.
  using VisitEntry = absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>;
  absl::Status VisitCacheLookups(const KeyRange& range, VisitEntry visit) const {
    return VisitEntries(range, visit);
  }

  // The node parsed, without `type`; nullopt if there is none.
  template <class Node>
  absl::StatusOr<std::optional<Node>> FindNode(int64_t id) const {
    auto record = FindRecord(TraitsOf<Node>::kKind, id);
    if (!record.ok()) return record.status();
    if (!record->has_value()) return std::nullopt;
    Node node;
    const absl::string_view bytes = (*record)->message();
    if (!node.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return DamagedRecord(TraitsOf<Node>::kName, id);
    }
    return node;
  }

 protected:
  virtual absl::StatusOr<std::optional<std::string>> Get(const std::string& key) const = 0;
  // Visits what stands in `range` in the order of keys, until `visit` answers false.
  // REQUIRES: of tags that WriteSet keeps in order.
  virtual absl::Status VisitEntries(const KeyRange& range, VisitEntry visit) const = 0;

 private:
  absl::StatusOr<std::optional<int64_t>> FindId(const std::string& key) const;
};

class Lookup : public KeyLookup {
 public:
  // Visits the events of one execution in insertion order.
  virtual absl::Status VisitEventsOfExecution(
      int64_t execution, absl::FunctionRef<void(absl::string_view event)> visit) const = 0;

  virtual CacheRuntime& cache() const = 0;
};

}  // namespace pedigree
