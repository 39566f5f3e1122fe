#include "store/import_rows.h"

#include <tuple>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "store/keys.h"
#include "store/property.h"
#include "store/text.h"

namespace pedigree {
namespace {

using google::protobuf::RepeatedPtrField;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

template <class... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

bool IsId(int64_t id) { return id >= 1 && id <= kLastStoredId; }

// A type of another kind that has the id.
template <class Node>
bool IsTypeOfAnother(const Catalog& catalog, int64_t id) {
  int kinds = catalog.Of<Artifact>().FindById(id) != nullptr ? 1 : 0;
  kinds += catalog.Of<Execution>().FindById(id) != nullptr ? 1 : 0;
  kinds += catalog.Of<Context>().FindById(id) != nullptr ? 1 : 0;
  return kinds > (catalog.Of<Node>().FindById(id) != nullptr ? 1 : 0);
}

template <class Node>
absl::Status CheckType(const Catalog& catalog, const typename TraitsOf<Node>::Type& type) {
  const auto& types = catalog.Of<Node>();
  if (!IsId(type.id())) return Invalid("a type has the id ", type.id());
  if (type.name().empty()) return Invalid("type ", type.id(), " has no name");
  if (IsTypeOfAnother<Node>(catalog, type.id())) {
    return Invalid("type ", type.id(), " is of another kind of node as well");
  }
  const auto* same = type.has_external_id() ? types.FindByExternalId(type.external_id()) : nullptr;
  if (same != nullptr && same->id() != type.id()) {
    return absl::FailedPreconditionError(absl::StrCat("type ", type.id(), ", ", Quoted(type.name()),
                                                      ", has the external id of type ",
                                                      same->id()));
  }
  const auto* stored = types.FindById(type.id());
  if (stored == nullptr) return absl::OkStatus();
  // Nodes may have them.
  for (const auto& [name, kind] : stored->properties()) {
    const auto it = type.properties().find(name);
    if (it != type.properties().end() && it->second == kind) continue;
    return absl::FailedPreconditionError(absl::StrCat("property ", Quoted(name), " of type ",
                                                      type.id(), ", ", Quoted(type.name()),
                                                      ", is gone or otherwise than it was"));
  }
  return absl::OkStatus();
}

// Whether the node's properties are those that its type declares.
template <class Node>
absl::Status CheckProperties(const Node& node, const typename TraitsOf<Node>::Type& type) {
  for (const auto& [name, value] : node.properties()) {
    const auto declared = type.properties().find(name);
    if (declared != type.properties().end() && declared->second == PropertyTypeOf(value)) continue;
    return Invalid(TraitsOf<Node>::kName, " ", node.id(), ": property ", Quoted(name),
                   " is not declared so by type ", Quoted(type.name()));
  }
  return absl::OkStatus();
}

template <class Node>
absl::Status CheckNode(const Catalog& catalog, const Node& node) {
  constexpr absl::string_view kName = TraitsOf<Node>::kName;
  if (!IsId(node.id())) return Invalid("an ", kName, " has the id ", node.id());
  if (!node.has_create_time_since_epoch() || !node.has_last_update_time_since_epoch()) {
    return Invalid(kName, " ", node.id(), " has no create_time or last_update_time");
  }
  if (TraitsOf<Node>::kKind == NodeKind::kContext && node.name().empty()) {
    return Invalid(kName, " ", node.id(), " has no name");
  }
  const auto* type = catalog.Of<Node>().FindById(node.type_id());
  if (type == nullptr) {
    return Invalid(kName, " ", node.id(), " is of type ", node.type_id(), ", which there is not");
  }
  return CheckProperties(node, *type);
}

absl::Status CheckExists(const Transaction& transaction, NodeKind kind, int64_t id) {
  auto exists = transaction.NodeExists(kind, id);
  if (!exists.ok()) return exists.status();
  return *exists ? absl::OkStatus() : Invalid("no ", NameOf(kind), " has id ", id);
}

absl::Status CheckEnds(const Transaction& transaction, const Event& event) {
  if (event.type() == Event::UNKNOWN || !event.has_milliseconds_since_epoch()) {
    return Invalid("the event of artifact ", event.artifact_id(), " and execution ",
                   event.execution_id(), " has no type or time");
  }
  absl::Status status = CheckExists(transaction, NodeKind::kArtifact, event.artifact_id());
  status.Update(CheckExists(transaction, NodeKind::kExecution, event.execution_id()));
  return status;
}

// One request on its way into the store.
class RowImport {
 public:
  RowImport(Transaction& transaction, v1::PutImportResponse* response)
      : transaction_(transaction), response_(*response) {}

  template <class Node, class Types>
  absl::Status PutTypes(const Types& types) {
    for (const auto& type : types) {
      if (absl::Status status = CheckType<Node>(transaction_.catalog(), type); !status.ok()) {
        return status;
      }
      auto is_new = transaction_.ImportType<Node>(type);
      if (!is_new.ok()) return is_new.status();
      response_.set_types(response_.types() + (*is_new ? 1 : 0));
    }
    return absl::OkStatus();
  }

  template <class Node>
  absl::Status PutNodes(RepeatedPtrField<Node>* nodes, RepeatedPtrField<v1::TakenNode>* taken) {
    for (int i = 0; i < nodes->size(); ++i) {
      Node& node = *nodes->Mutable(i);
      node.clear_type();
      if (absl::Status status = CheckNode(transaction_.catalog(), node); !status.ok()) {
        return status;
      }
      auto name = transaction_.IsNameTaken(node);
      if (!name.ok()) return name.status();
      auto external_id = transaction_.IsExternalIdTaken(node);
      if (!external_id.ok()) return external_id.status();
      if (*name || *external_id) {
        v1::TakenNode* one = taken->Add();
        one->set_index(i);
        one->set_name(*name);
        one->set_external_id(*external_id);
        continue;
      }
      auto is_new = transaction_.ImportNode(node);
      if (!is_new.ok()) return is_new.status();
      response_.set_nodes(response_.nodes() + (*is_new ? 1 : 0));
    }
    return absl::OkStatus();
  }

  absl::Status Link(NodeKind kind, int64_t id, int64_t context) {
    if (absl::Status status = CheckExists(transaction_, NodeKind::kContext, context);
        !status.ok()) {
      return status;
    }
    auto record = transaction_.FindRecord(kind, id);
    if (!record.ok()) return record.status();
    if (!record->has_value()) return Invalid("no ", NameOf(kind), " has id ", id);
    auto linked = transaction_.IsLinked(kind, id, **record, context);
    if (!linked.ok()) return linked.status();
    if (*linked) return absl::OkStatus();
    if (kind == NodeKind::kContext) {
      auto cycle = transaction_.IsAncestor(id, context);
      if (!cycle.ok()) return cycle.status();
      if (*cycle) return Invalid("context ", context, " as a parent of ", id, " closes a cycle");
    }
    response_.set_links(response_.links() + 1);
    return transaction_.Link(kind, id, {context});
  }

  absl::Status PutEvents(RepeatedPtrField<Event>* events) {
    absl::flat_hash_set<std::tuple<int64_t, int64_t, int>> seen;
    std::vector<Event*> added;
    for (Event& event : *events) {
      auto there = transaction_.HasEvent(event);
      if (!there.ok()) return there.status();
      const bool is_first =
          seen.insert({event.artifact_id(), event.execution_id(), event.type()}).second;
      if (!*there && is_first) added.push_back(&event);
    }
    response_.set_events(static_cast<int64_t>(added.size()));
    return transaction_.AddEvents(
        added, [&](const Event& event) { return CheckEnds(transaction_, event); });
  }

 private:
  Transaction& transaction_;
  v1::PutImportResponse& response_;
};

}  // namespace

absl::Status ImportRows(Transaction& transaction, v1::PutImportRequest* request,
                        v1::PutImportResponse* response) {
  RowImport rows(transaction, response);
  absl::Status status = rows.PutTypes<Artifact>(request->artifact_types());
  if (status.ok()) status = rows.PutTypes<Execution>(request->execution_types());
  if (status.ok()) status = rows.PutTypes<Context>(request->context_types());
  // Contexts first: the entry of an execution in the cache looks at its contexts.
  if (status.ok()) {
    status = rows.PutNodes(request->mutable_contexts(), response->mutable_taken_contexts());
  }
  if (status.ok()) {
    status = rows.PutNodes(request->mutable_artifacts(), response->mutable_taken_artifacts());
  }
  if (status.ok()) {
    status = rows.PutNodes(request->mutable_executions(), response->mutable_taken_executions());
  }
  for (const auto& link : request->attributions()) {
    if (!status.ok()) return status;
    status = rows.Link(NodeKind::kArtifact, link.artifact_id(), link.context_id());
  }
  for (const auto& link : request->associations()) {
    if (!status.ok()) return status;
    status = rows.Link(NodeKind::kExecution, link.execution_id(), link.context_id());
  }
  for (const auto& link : request->parent_contexts()) {
    if (!status.ok()) return status;
    status = rows.Link(NodeKind::kContext, link.child_id(), link.parent_id());
  }
  return status.ok() ? rows.PutEvents(request->mutable_events()) : status;
}

}  // namespace pedigree
