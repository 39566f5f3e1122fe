// One round of catching up with a source: brings what has come and changed there into what follows
// it (import_target.h).
//
// Types, then nodes, then their links, then events, each in batches that are durable one by one. A
// round does the same whatever of it is in the store already, so one that was interrupted is run
// again. Ids, times and the order of events stay; what is new in the source is new here, what has
// changed replaces what was. What is gone from the source stays. Threads: one.
//
//   Rounds rounds(target.get(), std::move(history));
//   absl::StatusOr<Brought> brought = rounds.Run(source.get(), Extent::kChanged, &progress);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrate/history.h"
#include "migrate/import_target.h"
#include "migrate/progress.h"
#include "migrate/source.h"
#include "pedigree/v1/import.pb.h"

namespace pedigree::migrate {

enum class Extent : uint8_t {
  kAll,      // Every row is read and compared with the target.
  kChanged,  // What has come or changed since the last round, or since Rounds::SetMarks().
};

// Rows that were not in the target, or otherwise.
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
  // `target` is not owned and outlives this. `history` knows what it has; if not all, the first
  // round must be of kAll.
  Rounds(ImportTarget* target, std::unique_ptr<History> history);

  void SetMarks(const Marks& marks) { marks_ = marks; }

  // FailedPrecondition if rows break a rule and are not to be repaired, with the list; as Source
  // and the target.
  absl::StatusOr<Brought> Run(Source* source, Extent extent, Progress* progress);

  // Rows that the source has handed out ids for since the last round, about.
  int64_t RowsBehind(const Marks& now) const;

  const Findings& findings() const { return history_->findings(); }

 private:
  // A node whose name or external id another one has.
  struct TakenRow {
    NodeRow row;
    bool name;
    bool external_id;
  };

  absl::Status RunTypes(Source* source);
  template <class Node>
  absl::Status RunNodes(Source* source, Extent extent);
  // Adds a node to the request; `taken` gets those that were not put.
  template <class Node>
  absl::Status AddNode(NodeRow row, std::vector<TakenRow>* taken);
  template <class Node>
  absl::Status PutNodes(std::vector<TakenRow>* taken);
  template <class Node>
  absl::Status PutTaken(std::vector<TakenRow> rows);
  absl::Status RunLinks(Source* source, Extent extent, NodeKind kind);
  absl::Status RunEvents(Source* source, Extent extent);

  // Counts a row that has been added to the request; whether that is full then.
  bool IsFullWith(const google::protobuf::MessageLite& row);
  // Puts what the request has, if anything.
  absl::StatusOr<v1::PutImportResponse> Put();
  absl::Status CheckFindings() const;

  ImportTarget* const target_;
  const std::unique_ptr<History> history_;
  Marks marks_;
  // What goes with the next Put(), and what its nodes were made of.
  v1::PutImportRequest request_;
  std::vector<NodeRow> request_nodes_;
  int request_rows_ = 0;
  size_t request_bytes_ = 0;
  Brought brought_;               // Of the round.
  Progress* progress_ = nullptr;  // Of the round.
};

}  // namespace pedigree::migrate
