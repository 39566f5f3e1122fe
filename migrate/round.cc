#include "migrate/round.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "migrate/convert.h"

namespace pedigree::migrate {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

// Of a request, beside its last row: messages of servers are limited.
constexpr size_t kBytesPerPut = size_t{1} << 20;

// Where a request has the nodes of a kind, and the answer those of them that were not put.
template <class Node>
struct FieldsOf;

#define PEDIGREE_FIELDS(Kind, kinds, kind)                                                        \
  template <>                                                                                     \
  struct FieldsOf<Kind> {                                                                         \
    static Kind* AddNode(v1::PutImportRequest* request) { return request->add_##kinds(); }        \
    static auto* AddType(v1::PutImportRequest* request) { return request->add_##kind##_types(); } \
    static const auto& Taken(const v1::PutImportResponse& response) {                             \
      return response.taken_##kinds();                                                            \
    }                                                                                             \
  };
PEDIGREE_FIELDS(Artifact, artifacts, artifact)
PEDIGREE_FIELDS(Execution, executions, execution)
PEDIGREE_FIELDS(Context, contexts, context)
#undef PEDIGREE_FIELDS

// Answers the type that has been added.
template <class Node>
absl::StatusOr<const google::protobuf::MessageLite*> AddType(const History& history,
                                                             const TypeRow& row,
                                                             v1::PutImportRequest* request) {
  const std::string parent = row.parents.empty() ? "" : history.TypeName(row.parents.front());
  auto type = ToType<Node>(row, parent);
  if (!type.ok()) return type.status();
  auto* added = FieldsOf<Node>::AddType(request);
  *added = *std::move(type);
  return added;
}

absl::StatusOr<const google::protobuf::MessageLite*> AddType(const History& history,
                                                             const TypeRow& row,
                                                             v1::PutImportRequest* request) {
  switch (*KindOfType(row.kind)) {
    case NodeKind::kArtifact:
      return AddType<Artifact>(history, row, request);
    case NodeKind::kExecution:
      return AddType<Execution>(history, row, request);
    case NodeKind::kContext:
      break;
  }
  return AddType<Context>(history, row, request);
}

const google::protobuf::MessageLite& AddLink(NodeKind kind, int64_t node, int64_t context,
                                             v1::PutImportRequest* request) {
  if (kind == NodeKind::kArtifact) {
    auto* link = request->add_attributions();
    link->set_artifact_id(node);
    link->set_context_id(context);
    return *link;
  }
  if (kind == NodeKind::kExecution) {
    auto* link = request->add_associations();
    link->set_execution_id(node);
    link->set_context_id(context);
    return *link;
  }
  auto* link = request->add_parent_contexts();
  link->set_child_id(node);
  link->set_parent_id(context);
  return *link;
}

}  // namespace

std::string Brought::ToString() const {
  std::string text;
  const auto add = [&](int64_t count, absl::string_view what) {
    if (count == 0) return;
    absl::StrAppend(&text, text.empty() ? "" : ", ", count, " ", what, count == 1 ? "" : "s");
  };
  add(types, "type");
  add(nodes, "node");
  add(links, "link");
  add(events, "event");
  return text.empty() ? "nothing new" : text;
}

Rounds::Rounds(ImportTarget* target, std::unique_ptr<History> history)
    : target_(target), history_(std::move(history)) {
  history_->GoOn();
}

int64_t Rounds::RowsBehind(const Marks& now) const {
  int64_t behind = std::max<int64_t>(now.event - marks_.event, 0);
  for (size_t i = 0; i < now.node.size(); ++i) {
    behind += std::max<int64_t>(now.node[i] - marks_.node[i], 0);
    behind += std::max<int64_t>(now.link[i] - marks_.link[i], 0);
  }
  return behind;
}

absl::StatusOr<Brought> Rounds::Run(Source* source, Extent extent, Progress* progress) {
  brought_ = {};
  request_.Clear();  // Of a round that failed.
  request_nodes_.clear();
  request_rows_ = 0;
  request_bytes_ = 0;
  progress_ = progress;
  auto marks = source->FindMarks();
  if (!marks.ok()) return marks.status();
  absl::Status status = RunTypes(source);
  // Contexts first: the entry of an execution in the cache looks at its contexts.
  if (status.ok()) status = RunNodes<Context>(source, extent);
  if (status.ok()) status = RunNodes<Artifact>(source, extent);
  if (status.ok()) status = RunNodes<Execution>(source, extent);
  for (NodeKind kind : kNodeKinds) {
    if (status.ok()) status = RunLinks(source, extent, kind);
  }
  if (status.ok()) status = RunEvents(source, extent);
  if (!status.ok()) return status;
  marks_ = *marks;
  return brought_;
}

absl::Status Rounds::CheckFindings() const {
  const Findings& findings = history_->findings();
  if (findings.refused() == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      findings.refused(),
      " rows that the source received break its own rules; say with --repair what to do about "
      "them:\n",
      findings.ToString()));
}

bool Rounds::IsFullWith(const google::protobuf::MessageLite& row) {
  ++request_rows_;
  request_bytes_ += row.ByteSizeLong();
  return request_rows_ == kRowsPerPut || request_bytes_ >= kBytesPerPut;
}

absl::StatusOr<v1::PutImportResponse> Rounds::Put() {
  if (request_rows_ == 0) return v1::PutImportResponse();
  if (absl::Status status = CheckFindings(); !status.ok()) return status;
  request_rows_ = 0;
  request_bytes_ = 0;
  auto response = target_->Put(std::exchange(request_, {}));
  if (!response.ok()) return response.status();
  brought_.types += response->types();
  brought_.nodes += response->nodes();
  brought_.links += response->links();
  brought_.events += response->events();
  return response;
}

absl::Status Rounds::RunTypes(Source* source) {
  absl::Status status = history_->ReadTypes(source);
  if (status.ok()) status = CheckFindings();
  if (!status.ok()) return status;
  for (const TypeRow& row : history_->types()) {
    auto type = AddType(*history_, row, &request_);
    if (!type.ok()) return type.status();
    if (!IsFullWith(**type)) continue;
    if (status = Put().status(); !status.ok()) return status;
  }
  return Put().status();
}

template <class Node>
absl::Status Rounds::RunNodes(Source* source, Extent extent) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  // Those whose name or external id another node has, which may yet be about to lose it.
  std::vector<TakenRow> taken;
  const auto visit = [&](NodeRow& row) {
    progress_->Add(1 + static_cast<int64_t>(row.properties.size()));
    if (!history_->Admit(kKind, &row)) return absl::OkStatus();
    return AddNode<Node>(std::move(row), &taken);
  };
  absl::Status status = extent == Extent::kAll
                            ? source->VisitNodes(kKind, 1, visit, [](Table, int64_t) {})
                            : source->VisitChangedNodes(kKind, marks_, visit);
  if (status.ok()) status = PutNodes<Node>(&taken);
  if (status.ok()) status = PutTaken<Node>(std::move(taken));
  return status.ok() ? CheckFindings() : status;
}

template <class Node>
absl::Status Rounds::AddNode(NodeRow row, std::vector<TakenRow>* taken) {
  auto node = ToNode<Node>(row);
  if (!node.ok()) return node.status();
  Node* added = FieldsOf<Node>::AddNode(&request_);
  *added = *std::move(node);
  request_nodes_.push_back(std::move(row));
  return IsFullWith(*added) ? PutNodes<Node>(taken) : absl::OkStatus();
}

template <class Node>
absl::Status Rounds::PutNodes(std::vector<TakenRow>* taken) {
  std::vector<NodeRow> rows = std::exchange(request_nodes_, {});
  auto response = Put();
  if (!response.ok()) return response.status();
  for (const v1::TakenNode& one : FieldsOf<Node>::Taken(*response)) {
    const auto index = static_cast<size_t>(one.index());
    if (index >= rows.size()) return absl::InternalError("the answer names a row there is not");
    taken->push_back({std::move(rows[index]), one.name(), one.external_id()});
  }
  return absl::OkStatus();
}

template <class Node>
absl::Status Rounds::PutTaken(std::vector<TakenRow> rows) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  // Once more, now that all others have been put. What is taken still is a duplicate.
  std::vector<TakenRow> duplicates;
  for (TakenRow& one : rows) {
    absl::Status status = AddNode<Node>(std::move(one.row), &duplicates);
    if (!status.ok()) return status;
  }
  absl::Status status = PutNodes<Node>(&duplicates);
  std::vector<TakenRow> left;
  for (TakenRow& one : duplicates) {
    if (!status.ok()) return status;
    if (one.name) history_->MendTakenName(kKind, &one.row);
    if (one.external_id) history_->MendTakenExternalId(kKind, &one.row);
    status = AddNode<Node>(std::move(one.row), &left);
  }
  if (status.ok()) status = PutNodes<Node>(&left);
  if (!status.ok() || left.empty()) return status;
  return absl::AlreadyExistsError(absl::StrCat(NameOf(kKind), " ", left.front().row.id,
                                               " has a name that another one has, mended or not"));
}

absl::Status Rounds::RunLinks(Source* source, Extent extent, NodeKind kind) {
  const auto visit = [&](int64_t node, int64_t context) {
    progress_->Add(1);
    if (!history_->AdmitLink(kind, node, context)) return absl::OkStatus();
    return IsFullWith(AddLink(kind, node, context, &request_)) ? Put().status() : absl::OkStatus();
  };
  absl::Status status = extent == Extent::kAll ? source->VisitLinks(kind, visit)
                                               : source->VisitNewLinks(kind, marks_, visit);
  if (status.ok()) status = Put().status();
  return status.ok() ? CheckFindings() : status;
}

absl::Status Rounds::RunEvents(Source* source, Extent extent) {
  const auto visit = [&](EventRow& row) {
    progress_->Add(1 + static_cast<int64_t>(row.path.size()));
    if (!history_->Admit(&row)) return absl::OkStatus();
    *request_.add_events() = ToEvent(row);
    const auto& event = request_.events(request_.events_size() - 1);
    return IsFullWith(event) ? Put().status() : absl::OkStatus();
  };
  absl::Status status = extent == Extent::kAll
                            ? source->VisitEvents(1, visit, [](Table, int64_t) {})
                            : source->VisitNewEvents(marks_, visit);
  if (status.ok()) status = Put().status();
  return status.ok() ? CheckFindings() : status;
}

}  // namespace pedigree::migrate
