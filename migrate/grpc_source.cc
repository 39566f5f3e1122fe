#include "migrate/grpc_source.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "migrate/convert.h"
#include "migrate/grpc_client.h"
#include "migrate/grpc_reader.h"

namespace pedigree::migrate {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

constexpr size_t kExecutionsPerCall = 100;
// Events of one execution whose ids have room here.
constexpr int64_t kEventsPerExecution = int64_t{1} << 20;
// An update may become visible after one with a later time.
constexpr int64_t kOverlapMs = 10'000;

int64_t EventId(int64_t execution, int64_t place) {
  return execution * kEventsPerExecution + place;
}

void SortOnce(std::vector<int64_t>* ids) {
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
}

class GrpcSource final : public Source {
 public:
  // `owned` is the client, or null.
  GrpcSource(GrpcClient* client, std::unique_ptr<GrpcClient> owned)
      : client_(std::move(owned)),
        reader_(client),
        info_({absl::StrCat("grpc://", client->address()), 0, false}) {}

  // What is there now bounds all that is read.
  absl::Status Begin() {
    absl::Status status = FindNewest<Artifact>();
    if (status.ok()) status = FindNewest<Execution>();
    if (status.ok()) status = FindNewest<Context>();
    return status;
  }

  const SourceInfo& info() const override { return info_; }

  // Exact once everything has been read.
  absl::StatusOr<TableCounts> CountRows() override { return counts_; }

  absl::StatusOr<LastIds> FindLastIds() override {
    LastIds last;
    last.node = marks_.node;
    absl::Status status = VisitTypes(
        [&](TypeRow& type) {
          last.type = std::max(last.type, type.id);
          return absl::OkStatus();
        },
        [](Table, int64_t) {});
    if (!status.ok()) return status;
    return last;
  }

  absl::Status VisitTypes(Visit<TypeRow> visit, Orphan) override {
    std::vector<TypeRow> types;
    absl::Status status = AddTypes<Artifact>(&types);
    if (status.ok()) status = AddTypes<Execution>(&types);
    if (status.ok()) status = AddTypes<Context>(&types);
    if (!status.ok()) return status;
    std::sort(types.begin(), types.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    CountOf(counts_, Table::kType) = static_cast<int64_t>(types.size());
    CountOf(counts_, Table::kTypeProperty) = 0;
    CountOf(counts_, Table::kParentType) = 0;
    for (TypeRow& type : types) {
      CountOf(counts_, Table::kTypeProperty) += static_cast<int64_t>(type.properties.size());
      CountOf(counts_, Table::kParentType) += static_cast<int64_t>(type.parents.size());
      if (status = visit(type); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status VisitNodes(NodeKind kind, int64_t from, Visit<NodeRow> visit, Orphan) override {
    switch (kind) {
      case NodeKind::kArtifact:
        return VisitNodesOf<Artifact>(from, visit);
      case NodeKind::kExecution:
        return VisitNodesOf<Execution>(from, visit);
      case NodeKind::kContext:
        break;
    }
    return VisitNodesOf<Context>(from, visit);
  }

  absl::Status VisitEvents(int64_t from, Visit<EventRow> visit, Orphan) override {
    auto executions = IdsOf<Execution>();
    if (!executions.ok()) return executions.status();
    const auto first =
        std::lower_bound((*executions)->begin(), (*executions)->end(), from / kEventsPerExecution);
    if (first == (*executions)->begin()) {
      CountOf(counts_, Table::kEvent) = CountOf(counts_, Table::kEventPath) = 0;
    }
    const auto rest = absl::MakeConstSpan(**executions)
                          .subspan(static_cast<size_t>(first - (*executions)->begin()));
    return VisitEventsOf(
        rest, [&](EventRow& row) { return row.id < from ? absl::OkStatus() : visit(row); });
  }

  absl::Status VisitLinks(NodeKind kind, VisitLink visit) override {
    auto contexts = IdsOf<Context>();
    if (!contexts.ok()) return contexts.status();
    Links links;
    for (int64_t context : **contexts) {
      absl::Status status = kind == NodeKind::kArtifact    ? AddMembers<Artifact>(context, &links)
                            : kind == NodeKind::kExecution ? AddMembers<Execution>(context, &links)
                                                           : AddContexts<Context>(context, &links);
      if (!status.ok()) return status;
    }
    std::sort(links.begin(), links.end());
    // A page may be read twice where members come meanwhile.
    links.erase(std::unique(links.begin(), links.end()), links.end());
    CountOf(counts_, LinkTable(kind)) = static_cast<int64_t>(links.size());
    for (const auto& [node, context] : links) {
      if (absl::Status status = visit(node, context); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // A server that serves its database has that of the schema that is unique in all of these.
  absl::StatusOr<std::vector<int64_t>> FindDuplicateNames(NodeKind) override {
    return std::vector<int64_t>();
  }
  absl::StatusOr<std::vector<int64_t>> FindDuplicateExternalIds(NodeKind) override {
    return std::vector<int64_t>();
  }
  absl::StatusOr<std::vector<int64_t>> FindDuplicateEvents() override {
    return std::vector<int64_t>();
  }

  absl::StatusOr<Marks> FindMarks() override { return marks_; }

  absl::Status VisitChangedNodes(NodeKind kind, const Marks& since, Visit<NodeRow> visit) override {
    switch (kind) {
      case NodeKind::kArtifact:
        return VisitChanged<Artifact>(since, visit);
      case NodeKind::kExecution:
        return VisitChanged<Execution>(since, visit);
      case NodeKind::kContext:
        break;
    }
    return VisitChanged<Context>(since, visit);
  }

  absl::Status VisitNewLinks(NodeKind kind, const Marks& since, VisitLink visit) override {
    auto changed = ChangedOf(kind, since);
    if (!changed.ok()) return changed.status();
    std::vector<int64_t> ids = **changed;
    if (kind == NodeKind::kArtifact) {
      // Those that an execution has read have got its contexts without an update.
      auto executions = ChangedOf(NodeKind::kExecution, since);
      if (!executions.ok()) return executions.status();
      absl::Status status = AddArtifactsOf(**executions, &ids);
      if (!status.ok()) return status;
      SortOnce(&ids);
    }
    Links links;
    for (int64_t id : ids) {
      absl::Status status = kind == NodeKind::kArtifact    ? AddContexts<Artifact>(id, &links)
                            : kind == NodeKind::kExecution ? AddContexts<Execution>(id, &links)
                                                           : AddContexts<Context>(id, &links);
      if (!status.ok()) return status;
    }
    for (const auto& [node, context] : links) {
      if (absl::Status status = visit(node, context); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status VisitNewEvents(const Marks& since, Visit<EventRow> visit) override {
    auto executions = ChangedOf(NodeKind::kExecution, since);
    if (!executions.ok()) return executions.status();
    auto artifacts = ChangedOf(NodeKind::kArtifact, since);
    if (!artifacts.ok()) return artifacts.status();
    std::vector<int64_t> ids = **executions;
    absl::Status status = AddExecutionsOf(**artifacts, &ids);
    if (!status.ok()) return status;
    SortOnce(&ids);
    return VisitEventsOf(ids, visit);
  }

 private:
  template <class Node>
  static constexpr size_t kIndex = IndexOf(TraitsOf<Node>::kKind);

  bool IsKnown(NodeKind kind, int64_t id) const { return id <= marks_.node[IndexOf(kind)]; }

  template <class Node>
  absl::Status FindNewest() {
    // The time before the ids: what comes in between is then read again, and not overlooked.
    absl::Status status =
        reader_.VisitNodes<Node>(GrpcReader::Order::kLastUpdatedFirst, 1, [&](Node& node) {
          marks_.update_time_ms[kIndex<Node>] = node.last_update_time_since_epoch();
          return absl::StatusOr<bool>(false);
        });
    if (!status.ok()) return status;
    return reader_.VisitNodes<Node>(GrpcReader::Order::kNewestIdFirst, 1, [&](Node& node) {
      marks_.node[kIndex<Node>] = node.id();
      CountOf(counts_, NodeTable(TraitsOf<Node>::kKind)) = node.id();  // About.
      return absl::StatusOr<bool>(false);
    });
  }

  template <class Node>
  absl::Status AddTypes(std::vector<TypeRow>* rows) {
    auto types = reader_.Types<Node>();
    if (!types.ok()) return types.status();
    rows->insert(rows->end(), types->begin(), types->end());
    return absl::OkStatus();
  }

  template <class Node>
  static absl::StatusOr<NodeRow> RowOf(const Node& node) {
    NodeRow row = ToNodeRow(node);
    const bool is_ambiguous = std::any_of(row.properties.begin(), row.properties.end(),
                                          [](const auto& one) { return one.is_ambiguous; });
    if (!row.has_more && !is_ambiguous) return row;
    return absl::FailedPreconditionError(absl::StrCat(
        TraitsOf<Node>::kName, " ", node.id(), " has ",
        row.has_more ? "system_metadata" : "a text that MLMD takes for a struct",
        ", which no MLMD server has: a server of Pedigree's is copied by its data_dir"));
  }

  template <class Node>
  absl::Status VisitNodesOf(int64_t from, Visit<NodeRow> visit) {
    constexpr NodeKind kKind = TraitsOf<Node>::kKind;
    if (from <= 1) {
      CountOf(counts_, NodeTable(kKind)) = CountOf(counts_, PropertyTable(kKind)) = 0;
    }
    return reader_.VisitNodes<Node>(GrpcReader::Order::kById, GrpcReader::kNodesPerPage,
                                    [&](Node& node) -> absl::StatusOr<bool> {
                                      if (!IsKnown(kKind, node.id())) return false;
                                      if (node.id() < from) return true;
                                      auto row = RowOf(node);
                                      if (!row.ok()) return row.status();
                                      ++CountOf(counts_, NodeTable(kKind));
                                      CountOf(counts_, PropertyTable(kKind)) +=
                                          static_cast<int64_t>(row->properties.size());
                                      absl::Status status = visit(*row);
                                      if (!status.ok()) return status;
                                      return true;
                                    });
  }

  // All ids of the kind, listed once.
  template <class Node>
  absl::StatusOr<const std::vector<int64_t>*> IdsOf() {
    std::vector<int64_t>& ids = ids_[kIndex<Node>];
    if (is_listed_[kIndex<Node>]) return &ids;
    ids.clear();
    absl::Status status =
        reader_.VisitNodes<Node>(GrpcReader::Order::kById, GrpcReader::kNodesPerPage,
                                 [&](Node& node) -> absl::StatusOr<bool> {
                                   if (!IsKnown(TraitsOf<Node>::kKind, node.id())) return false;
                                   ids.push_back(node.id());
                                   return true;
                                 });
    if (!status.ok()) return status;
    is_listed_[kIndex<Node>] = true;
    return &ids;
  }

  using Links = std::vector<std::pair<int64_t, int64_t>>;  // Node, context.

  template <class Node>
  absl::Status AddMembers(int64_t context, Links* links) {
    auto members = reader_.MembersOf<Node>(context);
    if (!members.ok()) return members.status();
    for (int64_t node : *members) {
      if (IsKnown(TraitsOf<Node>::kKind, node)) links->emplace_back(node, context);
    }
    return absl::OkStatus();
  }

  template <class Node>
  absl::Status AddContexts(int64_t node, Links* links) {
    auto contexts = reader_.ContextsOf<Node>(node);
    if (!contexts.ok()) return contexts.status();
    for (int64_t context : *contexts) {
      if (IsKnown(NodeKind::kContext, context)) links->emplace_back(node, context);
    }
    return absl::OkStatus();
  }

  // The events of executions, which ascend.
  absl::Status VisitEventsOf(absl::Span<const int64_t> executions,
                             absl::FunctionRef<absl::Status(EventRow& row)> visit) {
    for (size_t begin = 0; begin < executions.size(); begin += kExecutionsPerCall) {
      auto some = reader_.EventsOfExecutions(executions.subspan(begin, kExecutionsPerCall));
      if (!some.ok()) return some.status();
      std::map<int64_t, std::vector<const Event*>> by_execution;
      for (const Event& event : *some) by_execution[event.execution_id()].push_back(&event);
      for (const auto& [execution, events] : by_execution) {
        absl::Status status = VisitEventsOf(execution, events, visit);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status VisitEventsOf(int64_t execution, absl::Span<const Event* const> events,
                             absl::FunctionRef<absl::Status(EventRow& row)> visit) {
    if (static_cast<int64_t>(events.size()) >= kEventsPerExecution) {
      return absl::ResourceExhaustedError(absl::StrCat("execution ", execution, " has ",
                                                       events.size(),
                                                       " events: too many to import over gRPC"));
    }
    int64_t place = 0;
    for (const Event* event : events) {
      EventRow row = ToEventRow(EventId(execution, ++place), *event);
      // Its artifact came after this source was opened.
      if (!IsKnown(NodeKind::kArtifact, row.artifact_id)) continue;
      if (row.has_more) {
        return absl::FailedPreconditionError(absl::StrCat(
            "an event of execution ", execution, " has system_metadata, which no MLMD server has"));
      }
      ++CountOf(counts_, Table::kEvent);
      CountOf(counts_, Table::kEventPath) += static_cast<int64_t>(row.path.size());
      if (absl::Status status = visit(row); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Artifacts that have events with the executions.
  absl::Status AddArtifactsOf(absl::Span<const int64_t> executions, std::vector<int64_t>* ids) {
    for (size_t begin = 0; begin < executions.size(); begin += kExecutionsPerCall) {
      auto some = reader_.EventsOfExecutions(executions.subspan(begin, kExecutionsPerCall));
      if (!some.ok()) return some.status();
      for (const Event& event : *some) {
        if (IsKnown(NodeKind::kArtifact, event.artifact_id())) ids->push_back(event.artifact_id());
      }
    }
    return absl::OkStatus();
  }

  // Executions that have events with the artifacts.
  absl::Status AddExecutionsOf(absl::Span<const int64_t> artifacts, std::vector<int64_t>* ids) {
    for (size_t begin = 0; begin < artifacts.size(); begin += kExecutionsPerCall) {
      auto some = reader_.EventsOfArtifacts(artifacts.subspan(begin, kExecutionsPerCall));
      if (!some.ok()) return some.status();
      for (const Event& event : *some) {
        if (IsKnown(NodeKind::kExecution, event.execution_id())) {
          ids->push_back(event.execution_id());
        }
      }
    }
    return absl::OkStatus();
  }

  template <class Node>
  absl::Status VisitChanged(const Marks& since, Visit<NodeRow> visit) {
    std::vector<NodeRow> rows;
    const int64_t from_ms = since.update_time_ms[kIndex<Node>] - kOverlapMs;
    absl::Status status =
        reader_.VisitNodes<Node>(GrpcReader::Order::kLastUpdatedFirst, GrpcReader::kNodesPerPage,
                                 [&](Node& node) -> absl::StatusOr<bool> {
                                   if (node.last_update_time_since_epoch() < from_ms) return false;
                                   if (!IsKnown(TraitsOf<Node>::kKind, node.id())) return true;
                                   auto row = RowOf(node);
                                   if (!row.ok()) return row.status();
                                   rows.push_back(*std::move(row));
                                   return true;
                                 });
    if (!status.ok()) return status;
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    std::vector<int64_t>& changed = changed_[kIndex<Node>];
    changed.clear();
    for (NodeRow& row : rows) {
      // A node that is updated while its list is read comes twice.
      if (!changed.empty() && changed.back() == row.id) continue;
      changed.push_back(row.id);
      if (status = visit(row); !status.ok()) return status;
    }
    changed_since_[kIndex<Node>] = from_ms;
    return absl::OkStatus();
  }

  // Ids of those that VisitChangedNodes() visits.
  absl::StatusOr<const std::vector<int64_t>*> ChangedOf(NodeKind kind, const Marks& since) {
    if (changed_since_[IndexOf(kind)] != since.update_time_ms[IndexOf(kind)] - kOverlapMs) {
      absl::Status status =
          VisitChangedNodes(kind, since, [](NodeRow&) { return absl::OkStatus(); });
      if (!status.ok()) return status;
    }
    return &changed_[IndexOf(kind)];
  }

  const std::unique_ptr<GrpcClient> client_;
  GrpcReader reader_;
  const SourceInfo info_;
  Marks marks_;  // When it was opened.
  TableCounts counts_ = {};
  std::array<std::vector<int64_t>, 3> ids_;  // By IndexOf(kind), as the next ones.
  std::array<bool, 3> is_listed_ = {};
  std::array<std::vector<int64_t>, 3> changed_;
  std::array<int64_t, 3> changed_since_ = {-1, -1, -1};
};

absl::StatusOr<std::unique_ptr<Source>> Begun(std::unique_ptr<GrpcSource> source) {
  if (absl::Status status = source->Begin(); !status.ok()) return status;
  return source;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Source>> OpenGrpcSource(const std::string& address) {
  auto client = GrpcClient::Open(address);
  if (!client.ok()) return client.status();
  GrpcClient* const borrowed = client->get();
  return Begun(std::make_unique<GrpcSource>(borrowed, *std::move(client)));
}

absl::StatusOr<std::unique_ptr<Source>> OpenGrpcSource(GrpcClient* client) {
  return Begun(std::make_unique<GrpcSource>(client, nullptr));
}

}  // namespace pedigree::migrate
