#include "migrate/verify_import.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "migrate/canonical.h"
#include "migrate/schema.h"
#include "migrate/store_rows.h"
#include "store/text.h"

namespace pedigree::migrate {
namespace {

constexpr DigestOf NodesOf(NodeKind kind) {
  return kind == NodeKind::kArtifact    ? DigestOf::kArtifacts
         : kind == NodeKind::kExecution ? DigestOf::kExecutions
                                        : DigestOf::kContexts;
}
constexpr DigestOf LinksOf(NodeKind kind) {
  return kind == NodeKind::kArtifact    ? DigestOf::kAttributions
         : kind == NodeKind::kExecution ? DigestOf::kAssociations
                                        : DigestOf::kParentContexts;
}

// What becomes of each row: `id` places it, `row` is canonical.
using Sink = absl::FunctionRef<void(DigestOf digest, int64_t id, std::string row)>;

void AddType(const TypeRow& type, TableCounts* counts, Sink sink) {
  ++CountOf(*counts, Table::kType);
  CountOf(*counts, Table::kTypeProperty) += static_cast<int64_t>(type.properties.size());
  CountOf(*counts, Table::kParentType) += static_cast<int64_t>(type.parents.size());
  sink(DigestOf::kTypes, type.id, CanonicalType(type));
}

void AddLink(NodeKind kind, int64_t node, int64_t context, TableCounts* counts, Sink sink) {
  ++CountOf(*counts, LinkTable(kind));
  sink(LinksOf(kind), node, CanonicalLink(node, context));
}

void AddNode(NodeKind kind, const NodeRow& node, absl::Span<const int64_t> contexts,
             TableCounts* counts, Sink sink) {
  ++CountOf(*counts, NodeTable(kind));
  CountOf(*counts, PropertyTable(kind)) += static_cast<int64_t>(node.properties.size());
  sink(NodesOf(kind), node.id, CanonicalNode(node));
  for (int64_t context : contexts) AddLink(kind, node.id, context, counts, sink);
}

void AddEvent(const EventRow& event, int64_t place, TableCounts* counts, Sink sink) {
  ++CountOf(*counts, Table::kEvent);
  CountOf(*counts, Table::kEventPath) += static_cast<int64_t>(event.path.size());
  sink(DigestOf::kEvents, event.execution_id, CanonicalEvent(event, place));
}

absl::Status ReadSource(History* history, TableCounts* counts, Progress* progress, Sink sink) {
  for (const TypeRow& type : history->types()) AddType(type, counts, sink);
  for (NodeKind kind : kNodeKinds) {
    absl::Status status =
        history->VisitNodes(kind, 1, [&](NodeRow& node, absl::Span<const int64_t> contexts) {
          progress->Add(static_cast<int64_t>(1 + node.properties.size() + contexts.size()));
          AddNode(kind, node, contexts, counts, sink);
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
  }
  absl::flat_hash_map<int64_t, uint32_t> places;  // By execution.
  return history->VisitEvents(1, [&](EventRow& event) {
    progress->Add(static_cast<int64_t>(1 + event.path.size()));
    AddEvent(event, ++places[event.execution_id], counts, sink);
    return absl::OkStatus();
  });
}

// Types that the source lacks because it is older than they are: the store has added them.
template <class Node>
void CollectAddedTypes(const Catalog& catalog, int64_t last_id, absl::flat_hash_set<int64_t>* ids) {
  for (const auto& [id, type] : catalog.Of<Node>().all()) {
    if (id > last_id && IsPredefined<Node>(*type)) ids->insert(id);
  }
}

absl::Status ReadStore(const Reader& reader, int64_t last_type_id, TableCounts* counts,
                       Progress* progress, Sink sink) {
  const StoreRows rows(reader);
  absl::flat_hash_set<int64_t> added;
  CollectAddedTypes<ml_metadata::Artifact>(reader.catalog(), last_type_id, &added);
  CollectAddedTypes<ml_metadata::Execution>(reader.catalog(), last_type_id, &added);
  absl::Status status = rows.VisitTypes([&](const TypeRow& type) {
    if (!added.contains(type.id)) AddType(type, counts, sink);
    return absl::OkStatus();
  });
  for (NodeKind kind : kNodeKinds) {
    if (!status.ok()) return status;
    status = rows.VisitNodes(
        kind, kFirstId, kLastId, [&](const NodeRow& node, absl::Span<const int64_t> contexts) {
          progress->Add(static_cast<int64_t>(1 + node.properties.size() + contexts.size()));
          AddNode(kind, node, contexts, counts, sink);
          if (kind != NodeKind::kExecution) return absl::OkStatus();
          int64_t place = 0;
          return rows.VisitEventsOf(node.id, [&](const EventRow& event) {
            progress->Add(static_cast<int64_t>(1 + event.path.size()));
            AddEvent(event, ++place, counts, sink);
            return absl::OkStatus();
          });
        });
  }
  return status;
}

bool IsPredefinedRow(const TypeRow& type) {
  return type.version.value_or("").empty() &&
         IsPredefinedTypeName(*KindOfType(type.kind), type.name.value_or(""));
}

absl::Status ReadServer(Source* server, int64_t last_type_id, TableCounts* counts,
                        Progress* progress, Sink sink) {
  const auto orphan = [](Table, int64_t) {};
  absl::Status status = server->VisitTypes(
      [&](TypeRow& type) {
        // Those that the source lacks because it is older than they are.
        if (type.id <= last_type_id || !IsPredefinedRow(type)) AddType(type, counts, sink);
        return absl::OkStatus();
      },
      orphan);
  for (NodeKind kind : kNodeKinds) {
    if (!status.ok()) return status;
    status = server->VisitNodes(
        kind, 1,
        [&](NodeRow& node) {
          progress->Add(static_cast<int64_t>(1 + node.properties.size()));
          AddNode(kind, node, {}, counts, sink);
          return absl::OkStatus();
        },
        orphan);
    if (!status.ok()) return status;
    status = server->VisitLinks(kind, [&](int64_t node, int64_t context) {
      progress->Add(1);
      AddLink(kind, node, context, counts, sink);
      return absl::OkStatus();
    });
  }
  if (!status.ok()) return status;
  // A server's events come execution by execution.
  int64_t execution = 0;
  int64_t place = 0;
  return server->VisitEvents(
      1,
      [&](EventRow& event) {
        progress->Add(static_cast<int64_t>(1 + event.path.size()));
        place = event.execution_id == execution ? place + 1 : 1;
        execution = event.execution_id;
        AddEvent(event, place, counts, sink);
        return absl::OkStatus();
      },
      orphan);
}

// Reads what is to be proved, and can do so again. Types beyond the last id of the source are left
// out if every store has them.
using ReadActual = absl::FunctionRef<absl::Status(int64_t last_type_id, TableCounts* counts,
                                                  Progress* progress, Sink sink)>;

enum class Side : uint8_t { kSource, kStore };

// Rows of the blocks that differ, to be compared one by one.
class Suspects {
 public:
  // Blocks that are looked at, at most, of each kind: what they hold must fit into memory.
  static constexpr size_t kMostBlocks = 4;

  Suspects(const HistoryDigest& a, const HistoryDigest& b) {
    for (size_t i = 0; i < kDigestCount; ++i) {
      std::vector<int64_t> blocks = a.digests[i].Differences(b.digests[i]);
      blocks.resize(std::min(blocks.size(), kMostBlocks));
      blocks_[i] = {blocks.begin(), blocks.end()};
    }
  }

  bool empty() const {
    return std::all_of(std::begin(blocks_), std::end(blocks_),
                       [](const auto& blocks) { return blocks.empty(); });
  }

  void Add(Side side, DigestOf digest, int64_t id, std::string row) {
    const auto i = static_cast<size_t>(digest);
    if (!blocks_[i].contains(id / Digest::kIdsPerBlock)) return;
    Sides& sides = rows_[i][id];
    (side == Side::kSource ? sides.source : sides.store).push_back(std::move(row));
  }

  std::vector<std::string> Differences() {
    std::vector<std::string> texts;
    for (size_t i = 0; i < kDigestCount; ++i) {
      size_t count = 0;
      for (auto& [id, sides] : rows_[i]) {
        std::sort(sides.source.begin(), sides.source.end());
        std::sort(sides.store.begin(), sides.store.end());
        if (sides.source == sides.store || ++count > kMostDifferences) continue;
        texts.push_back(
            absl::StrCat(NameOf(static_cast<DigestOf>(i)), " ", id, ": ", Describe(sides)));
      }
    }
    return texts;
  }

 private:
  struct Sides {
    std::vector<std::string> source;
    std::vector<std::string> store;
  };

  static std::string Describe(const Sides& sides) {
    const auto first_not_in = [](const std::vector<std::string>& rows,
                                 const std::vector<std::string>& others) -> std::string {
      for (const std::string& row : rows) {
        if (!std::binary_search(others.begin(), others.end(), row)) return row;
      }
      return "no such row";
    };
    return absl::StrCat("the source has ", first_not_in(sides.source, sides.store),
                        ", the store has ", first_not_in(sides.store, sides.source));
  }

  absl::flat_hash_set<int64_t> blocks_[kDigestCount];
  std::map<int64_t, Sides> rows_[kDigestCount];
};

absl::StatusOr<std::vector<std::string>> FindDifferences(History* history, ReadActual read_actual,
                                                         const ImportProof& proof) {
  Suspects suspects(proof.expected, proof.actual);
  if (suspects.empty()) return std::vector<std::string>();
  Progress silent(Progress::Style::kSilent);
  TableCounts unused = {};
  absl::Status status =
      ReadSource(history, &unused, &silent, [&](DigestOf digest, int64_t id, std::string row) {
        suspects.Add(Side::kSource, digest, id, std::move(row));
      });
  if (!status.ok()) return status;
  status = read_actual(history->last_ids().type, &unused, &silent,
                       [&](DigestOf digest, int64_t id, std::string row) {
                         suspects.Add(Side::kStore, digest, id, std::move(row));
                       });
  if (!status.ok()) return status;
  return suspects.Differences();
}

absl::StatusOr<ImportProof> Prove(Source* source, const Repairs& repairs, Progress* progress,
                                  ReadActual read_actual) {
  auto history = History::Survey(source, repairs, nullptr, progress);
  if (!history.ok()) return history.status();
  ImportProof proof;
  proof.source = (*history)->info().name;
  proof.schema_version = (*history)->info().schema_version;
  proof.made_at = absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone());
  proof.source_rows = (*history)->found();
  proof.repaired = (*history)->findings();
  if (proof.repaired.refused() > 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the source has rows that no import takes as they are; give the --repair that "
                     "the import had:\n",
                     proof.repaired.ToString()));
  }
  int64_t rows = 0;
  for (int64_t count : (*history)->kept()) rows += count;
  progress->Begin("reading the source", rows);
  absl::Status status =
      ReadSource(history->get(), &proof.expected.counts, progress,
                 [&](DigestOf digest, int64_t id, std::string row) {
                   proof.expected.digests[static_cast<size_t>(digest)].Add(id, row);
                 });
  if (!status.ok()) return status;
  progress->End();
  progress->Begin("reading the store", rows);
  status = read_actual((*history)->last_ids().type, &proof.actual.counts, progress,
                       [&](DigestOf digest, int64_t id, std::string row) {
                         proof.actual.digests[static_cast<size_t>(digest)].Add(id, row);
                       });
  if (!status.ok()) return status;
  progress->End();
  auto differences = FindDifferences(history->get(), read_actual, proof);
  if (!differences.ok()) return differences.status();
  proof.differences = *std::move(differences);
  return proof;
}

}  // namespace

absl::string_view NameOf(DigestOf digest) {
  switch (digest) {
    case DigestOf::kTypes:
      return "type";
    case DigestOf::kArtifacts:
      return "artifact";
    case DigestOf::kExecutions:
      return "execution";
    case DigestOf::kContexts:
      return "context";
    case DigestOf::kAttributions:
      return "attributions of artifact";
    case DigestOf::kAssociations:
      return "associations of execution";
    case DigestOf::kParentContexts:
      return "parents of context";
    case DigestOf::kEvents:
      break;
  }
  return "events of execution";
}

bool ImportProof::ok() const {
  if (expected.counts != actual.counts || !store_problems.empty()) return false;
  for (size_t i = 0; i < kDigestCount; ++i) {
    if (expected.digests[i].ToHex() != actual.digests[i].ToHex()) return false;
  }
  return true;
}

absl::StatusOr<ImportProof> VerifyImport(Source* source, const Store& store, const Repairs& repairs,
                                         Progress* progress) {
  const auto version = store.CurrentVersion();
  auto proof =
      Prove(source, repairs, progress,
            [&](int64_t last_type_id, TableCounts* counts, Progress* read_progress, Sink sink) {
              return store.Read(version, Blocking::kAllowed, [&](const Reader& reader) {
                return ReadStore(reader, last_type_id, counts, read_progress, sink);
              });
            });
  if (!proof.ok()) return proof.status();
  auto verified = store.Verify();
  if (!verified.ok()) return verified.status();
  proof->store_problems = verified->problems;
  return proof;
}

absl::StatusOr<ImportProof> VerifyImport(Source* source, const SourceOpener& open_server,
                                         const Repairs& repairs, Progress* progress) {
  return Prove(source, repairs, progress,
               [&](int64_t last_type_id, TableCounts* counts, Progress* read_progress,
                   Sink sink) -> absl::Status {
                 auto server = open_server();
                 if (!server.ok()) return server.status();
                 return ReadServer(server->get(), last_type_id, counts, read_progress, sink);
               });
}

}  // namespace pedigree::migrate
