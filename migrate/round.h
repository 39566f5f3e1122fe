// One round of catching up with a source: brings what has come and changed there into a store that
// is open to follow it (Store, Purpose::kFollow).
//
// Types, then nodes, then their links, then events, each in batches that are durable one by one. A
// round does the same whatever of it is in the store already, so one that was interrupted is run
// again. Ids, times and the order of events stay; what is new in the source is new here, what has
// changed replaces what was. What is gone from the source stays. Threads: one.
//
//   Rounds rounds(store.get(), std::move(history));
//   absl::StatusOr<Brought> brought = rounds.Run(source.get(), Extent::kChanged, &progress);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrate/history.h"
#include "migrate/progress.h"
#include "migrate/source.h"
#include "store/store.h"

namespace pedigree::migrate {

enum class Extent : uint8_t {
  kAll,      // Every row is read and compared with the store.
  kChanged,  // What has come or changed since the last round, or since Rounds::SetMarks().
};

// Rows that were not in the store, or otherwise.
struct Brought {
  int64_t types = 0;
  int64_t nodes = 0;
  int64_t links = 0;
  int64_t events = 0;

  int64_t total() const { return types + nodes + links + events; }
  // "3 nodes, 2 links, 7 events"
  std::string ToString() const;
};

class Rounds {
 public:
  // `store` is not owned and outlives this. `history` knows what it has; if not all, the first
  // round must be of kAll.
  Rounds(Store* store, std::unique_ptr<History> history);

  void SetMarks(const Marks& marks) { marks_ = marks; }

  // FailedPrecondition if rows break a rule and are not to be repaired, with the list; as Source
  // and Store.
  absl::StatusOr<Brought> Run(Source* source, Extent extent, Progress* progress);

  // Rows that the source has handed out ids for since the last round, about.
  int64_t RowsBehind(const Marks& now) const;

  const Findings& findings() const { return history_->findings(); }

 private:
  struct Link {
    NodeKind kind;
    int64_t node;
    int64_t context;
  };

  absl::Status RunTypes(Source* source);
  template <class Node>
  absl::Status RunNodes(Source* source, Extent extent);
  template <class Node>
  absl::Status WriteNodes(std::vector<NodeRow> rows, std::vector<NodeRow>* taken);
  template <class Node>
  absl::Status WriteTaken(const std::vector<NodeRow>& taken);
  absl::Status RunLinks(Source* source, Extent extent, NodeKind kind);
  absl::Status WriteLinks(std::vector<Link> links);
  absl::Status RunEvents(Source* source, Extent extent);
  absl::Status WriteEvents(std::vector<EventRow> rows);
  absl::Status CheckFindings() const;

  Store* const store_;
  const std::unique_ptr<History> history_;
  Marks marks_;
  Brought brought_;               // Of the round.
  Progress* progress_ = nullptr;  // Of the round.
};

}  // namespace pedigree::migrate
