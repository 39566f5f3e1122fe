// Where a history comes from: a database of MLMD's, or a server of theirs.
//
// A database is one state: all that is read of it is of the moment when it was opened. A server
// answers with what it has at each call; of that only nodes that were there when it was opened are
// read, and what belongs to them. Nothing is ever written to a source. Rows come in the order of
// their ids, in bounded memory. What has changed since, a source that is opened later tells.
// Threads: one.
//
//   auto source = OpenSource("sqlite:mlmd.db");
//   (*source)->VisitNodes(NodeKind::kArtifact, 1, [](NodeRow& row) { ... });
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrate/rows.h"

namespace pedigree::migrate {

struct SourceInfo {
  std::string name;        // For people, without a password: "sqlite:mlmd.db".
  int schema_version = 0;  // 0 of a server.
  // Whether all that is read is of one moment.
  bool is_snapshot = true;
};

// How far a source had come: what it has later and not before is found by these.
struct Marks {
  std::array<int64_t, 3> node = {};            // The last id, by IndexOf(kind), as the next two.
  std::array<int64_t, 3> update_time_ms = {};  // The newest.
  std::array<int64_t, 3> link = {};            // The last id; of parent contexts, how many.
  int64_t event = 0;                           // The last id.
};

// What has been handed out: new rows have ids after these. In SQL, more than the last row's where
// rows have been deleted.
struct LastIds {
  int64_t type = 0;
  std::array<int64_t, 3> node = {};  // By IndexOf(kind).
  int64_t event = 0;
};

class Source {
 public:
  virtual ~Source() = default;

  virtual const SourceInfo& info() const = 0;

  template <class Row>
  using Visit = absl::FunctionRef<absl::Status(Row& row)>;

  // Errors of all: those of `visit`; DataLoss if the source is damaged, or a column holds what it
  // cannot hold; Unavailable if it cannot be reached any more.

  // How many rows each table has.
  virtual absl::StatusOr<TableCounts> CountRows() = 0;
  virtual absl::StatusOr<LastIds> FindLastIds() = 0;

  // All types, with their properties and parents. Rows of those that belong to no type are counted
  // by `orphan`, with the id of the type that there is not.
  using Orphan = absl::FunctionRef<void(Table table, int64_t owner)>;
  virtual absl::Status VisitTypes(Visit<TypeRow> visit, Orphan orphan) = 0;

  // The nodes of a kind from id `from` on, with their properties.
  virtual absl::Status VisitNodes(NodeKind kind, int64_t from, Visit<NodeRow> visit,
                                  Orphan orphan) = 0;

  // The events from id `from` on, with the steps of their paths in order.
  virtual absl::Status VisitEvents(int64_t from, Visit<EventRow> visit, Orphan orphan) = 0;

  // The contexts of the nodes of a kind (of a context: its parents), ascending by node, then
  // context.
  using VisitLink = absl::FunctionRef<absl::Status(int64_t node, int64_t context)>;
  virtual absl::Status VisitLinks(NodeKind kind, VisitLink visit) = 0;

  // Ids of rows that have the same (type_id, name), external_id or (artifact_id, execution_id,
  // type) as a row with a smaller id, ascending.
  virtual absl::StatusOr<std::vector<int64_t>> FindDuplicateNames(NodeKind kind) = 0;
  virtual absl::StatusOr<std::vector<int64_t>> FindDuplicateExternalIds(NodeKind kind) = 0;
  virtual absl::StatusOr<std::vector<int64_t>> FindDuplicateEvents() = 0;

  // What a later source can be asked to go on from.
  virtual absl::StatusOr<Marks> FindMarks() = 0;

  // What has come or changed since another source of the same database or server had come to
  // `since`, and maybe some rows more: transactions do not become visible in the order of ids and
  // times. Links in any order; nodes and events by id. What a server does not tell is left out: of
  // a server, contexts and events that were added to nodes which have not been updated, nor are of
  // events of those that have.
  virtual absl::Status VisitChangedNodes(NodeKind kind, const Marks& since,
                                         Visit<NodeRow> visit) = 0;
  virtual absl::Status VisitNewLinks(NodeKind kind, const Marks& since, VisitLink visit) = 0;
  virtual absl::Status VisitNewEvents(const Marks& since, Visit<EventRow> visit) = 0;
};

// Opens the same source once more, in its state of now.
using SourceOpener = std::function<absl::StatusOr<std::unique_ptr<Source>>()>;

// Opens `sqlite:FILE`, `mysql://...`, `postgresql://...` or `grpc://HOST:PORT`. Errors:
// InvalidArgument if that is no source; NotFound, PermissionDenied, Unavailable if it cannot be
// reached; FailedPrecondition if it is no MLMD database, or of a schema that cannot be imported.
absl::StatusOr<std::unique_ptr<Source>> OpenSource(const std::string& url);

// Whether the URL names a server, of which no state can be read at one moment: its import ends with
// rounds over everything (follow.h).
bool IsServerUrl(const std::string& url);

}  // namespace pedigree::migrate
