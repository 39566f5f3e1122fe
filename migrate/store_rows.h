// A store's history as rows of MLMD's tables: what its answers say, in the peer's terms.
//
// One version of the store, whatever is written meanwhile. Threads: as Reader.
//
//   store->Read(Blocking::kAllowed, [&](const Reader& reader) {
//     return StoreRows(reader).VisitNodes(NodeKind::kArtifact, 1, kLastId, visit);
//   });
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "migrate/rows.h"
#include "store/reader.h"

namespace pedigree::migrate {

class StoreRows {
 public:
  // `reader` is not owned and outlives this.
  explicit StoreRows(const Reader& reader) : reader_(reader) {}

  // Errors of all: those of `visit`; as Reader.

  // All types, ascending by id.
  absl::Status VisitTypes(absl::FunctionRef<absl::Status(const TypeRow& type)> visit) const;

  // The nodes of a kind from id `from` to `last`, ascending, with the contexts they are in.
  using VisitNode =
      absl::FunctionRef<absl::Status(const NodeRow& node, absl::Span<const int64_t> contexts)>;
  absl::Status VisitNodes(NodeKind kind, int64_t from, int64_t last, VisitNode visit) const;

  // The events of one execution as the server answers them, in insertion order. Rows have no id.
  absl::Status VisitEventsOf(int64_t execution,
                             absl::FunctionRef<absl::Status(const EventRow& event)> visit) const;

  // All events in no particular order, their numbers as ids.
  absl::Status VisitEvents(absl::FunctionRef<absl::Status(const EventRow& event)> visit) const;

 private:
  const Reader& reader_;
};

}  // namespace pedigree::migrate
