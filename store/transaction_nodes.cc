// Nodes, their links, and the indexes over them.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/ids.h"
#include "store/keys.h"
#include "store/text.h"
#include "store/transaction.h"

namespace pedigree {
namespace {

using Change = PostingSet::Change;

// An artifact always has a uri, if an empty one; the other kinds have none.
void FillUri(ml_metadata::Artifact* artifact) {
  if (!artifact->has_uri()) artifact->set_uri("");
}
template <class Node>
void FillUri(Node*) {}

void KeepName(const NodePeek& old, ml_metadata::Context*) { (void)old; }
template <class Node>
void KeepName(const NodePeek& old, Node* node) {
  if (old.name.has_value()) {
    node->set_name(std::string(*old.name));
  } else {
    node->clear_name();
  }
}

// More ancestors than this are refused: the check for cycles runs on the committer's thread.
constexpr size_t kMaxAncestors = 100000;

std::string UriOf(const ml_metadata::Artifact& artifact, int64_t id) {
  return UriKey{artifact.uri(), id}.Encode();
}

}  // namespace

absl::Status Transaction::Claim(const std::string& key, int64_t id,
                                absl::FunctionRef<std::string()> what) {
  auto taken = Get(key);
  if (!taken.ok()) return taken.status();
  if (taken->has_value()) return absl::AlreadyExistsError(what());
  std::string value;
  AppendId(&value, id);
  writes_.Put(key, value);
  return absl::OkStatus();
}

template <class Node>
absl::Status Transaction::ClaimName(const Node& node) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  if (!node.has_name()) return absl::OkStatus();
  return Claim(NameKey{kKind, node.type_id(), node.name()}.Encode(), node.id(), [&] {
    return absl::StrCat(
        "the ", NameOf(kKind), " name ", Quoted(node.name()), " already exists in type ",
        Quoted(catalog_->TypeName(kKind, node.type_id())), " (type_id ", node.type_id(), ")");
  });
}

template <class Node>
absl::Status Transaction::ClaimExternalId(const Node& node) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  if (!node.has_external_id()) return absl::OkStatus();
  return Claim(ExternalIdKey{kKind, node.external_id()}.Encode(), node.id(), [&] {
    return absl::StrCat("the external_id ", Quoted(node.external_id()),
                        " already exists: it is another ", NameOf(kKind), "'s");
  });
}

absl::Status Transaction::AddToContexts(NodeKind kind, int64_t id,
                                        absl::Span<const int64_t> contexts) {
  for (int64_t context : contexts) {
    absl::Status status = ChangePosting(ContextMembersPrefix(context, kind), id, Change::kAdd);
    if (!status.ok()) return status;
    JournalMembership(kind, id, context);
  }
  return absl::OkStatus();
}

template <class Node>
absl::Status Transaction::PutNew(const Node& node, absl::Span<const int64_t> contexts) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  const int64_t id = node.id();
  if (absl::Status status = ClaimName(node); !status.ok()) return status;
  if (absl::Status status = ClaimExternalId(node); !status.ok()) return status;

  const std::vector<int64_t> links = SortedOnce(contexts);
  const auto near = absl::MakeConstSpan(links).subspan(0, MaxNearLinks(kKind));
  const auto far = absl::MakeConstSpan(links).subspan(near.size());
  for (int64_t context : far) {
    writes_.Put(FarLinkKey{kKind, id, context}.Encode(), {});
  }
  const std::string message = SerializeSame(node);
  writes_.Put(NodeKey{kKind, id}.Encode(),
              EncodeRecord(near, far.empty() ? FarLinks::kNone : FarLinks::kSome, message));
  JournalCreated(ChangedNode(kKind), id, message);

  if constexpr (kKind == NodeKind::kArtifact) writes_.Put(UriOf(node, id), {});
  IndexProperties(node);
  absl::Status status = ChangePosting(TypeMembersPrefix(kKind, node.type_id()), id, Change::kAdd);
  if (status.ok()) {
    status = ChangePosting(UpdateTimePrefix(kKind, node.last_update_time_since_epoch()), id,
                           Change::kAdd);
  }
  if (status.ok() && !catalog_->IsCreatedInOrder(kKind)) {
    status =
        ChangePosting(CreateTimePrefix(kKind, node.create_time_since_epoch()), id, Change::kAdd);
  }
  return status.ok() ? AddToContexts(kKind, id, links) : status;
}

template <class Node>
absl::StatusOr<int64_t> Transaction::Insert(Node* node, absl::Span<const int64_t> contexts) {
  const int64_t id = ++counters_.last_node_id[IndexOf(TraitsOf<Node>::kKind)];
  node->set_id(id);
  node->set_create_time_since_epoch(now_ms());
  node->set_last_update_time_since_epoch(now_ms());
  node->clear_type();
  FillUri(node);
  if (absl::Status status = PutNew(*node, contexts); !status.ok()) return status;
  return id;
}

template <class Node>
absl::Status Transaction::MoveIndexes(const NodePeek& old, const Node& node) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  const auto view = [](bool has, const std::string& text) {
    return has ? std::optional<absl::string_view>(text) : std::nullopt;
  };
  if (old.name != view(node.has_name(), node.name())) {
    if (old.name) {
      writes_.Delete(NameKey{kKind, old.type_id, *old.name}.Encode());
    }
    if (absl::Status status = ClaimName(node); !status.ok()) return status;
  }
  if (old.external_id != view(node.has_external_id(), node.external_id())) {
    if (old.external_id) {
      writes_.Delete(ExternalIdKey{kKind, *old.external_id}.Encode());
    }
    if (absl::Status status = ClaimExternalId(node); !status.ok()) return status;
  }
  if constexpr (kKind == NodeKind::kArtifact) {
    if (old.uri != absl::string_view(node.uri())) {
      writes_.Delete(UriKey{old.uri, old.id}.Encode());
      writes_.Put(UriOf(node, old.id), {});
    }
  }
  const int64_t time_ms = node.last_update_time_since_epoch();
  if (old.last_update_time_ms == time_ms) return absl::OkStatus();
  absl::Status status =
      ChangePosting(UpdateTimePrefix(kKind, old.last_update_time_ms), old.id, Change::kRemove);
  if (!status.ok()) return status;
  return ChangePosting(UpdateTimePrefix(kKind, time_ms), old.id, Change::kAdd);
}

template <class Node>
absl::Status Transaction::Update(const NodeRecord& stored, Node* node, UpdateTime update_time) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  const auto old = PeekNode(kKind, stored.message());
  if (!old.has_value()) return DamagedRecord(TraitsOf<Node>::kName, node->id());
  node->set_id(old->id);
  node->set_type_id(old->type_id);
  node->set_create_time_since_epoch(old->create_time_ms);
  node->set_last_update_time_since_epoch(old->last_update_time_ms);
  node->clear_type();
  KeepName(*old, node);
  FillUri(node);

  std::string message = SerializeSame(*node);
  const bool changed = message != stored.message();
  if (!changed && update_time == UpdateTime::kIfChanged) return absl::OkStatus();

  int64_t time_ms = now_ms();
  if (update_time == UpdateTime::kStrictlyLater && time_ms <= old->last_update_time_ms) {
    time_ms = old->last_update_time_ms + 1;
    counters_.last_time_ms = time_ms;
  }
  if (!changed && time_ms == old->last_update_time_ms) return absl::OkStatus();
  node->set_last_update_time_since_epoch(time_ms);
  message = SerializeSame(*node);
  if (absl::Status status = MoveIndexes(*old, *node); !status.ok()) return status;
  MoveProperties(stored, *node);
  writes_.Put(NodeKey{kKind, old->id}.Encode(),
              EncodeRecord(stored.NearLinks(),
                           stored.HasFarLinks() ? FarLinks::kSome : FarLinks::kNone, message));
  JournalUpdated(ChangedNode(kKind), old->id, stored.message(), message);
  return absl::OkStatus();
}

template <class Node>
absl::StatusOr<bool> Transaction::ImportNode(const Node& node) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  auto stored = FindRecord(kKind, node.id());
  if (!stored.ok()) return stored.status();
  int64_t& last_id = counters_.last_node_id[IndexOf(kKind)];
  last_id = std::max(last_id, node.id());
  const int64_t updated_ms = node.last_update_time_since_epoch();
  counters_.last_time_ms = std::max(counters_.last_time_ms, updated_ms);
  if constexpr (kKind == NodeKind::kExecution) cache_imported_[node.id()] = updated_ms;
  if (!stored->has_value()) {
    if (absl::Status status = PutNew(node, {}); !status.ok()) return status;
    return true;
  }
  const std::string message = SerializeSame(node);
  const NodeRecord& record = **stored;
  if (message == record.message()) return false;
  const auto old = PeekNode(kKind, record.message());
  if (!old.has_value()) return DamagedRecord(TraitsOf<Node>::kName, node.id());
  if (old->type_id != node.type_id() || old->create_time_ms != node.create_time_since_epoch()) {
    return absl::FailedPreconditionError(absl::StrCat(
        NameOf(kKind), " ", node.id(),
        " has another type or create time than it had: it is another ", NameOf(kKind)));
  }
  if (absl::Status status = MoveIndexes(*old, node); !status.ok()) return status;
  MoveProperties(record, node);
  writes_.Put(NodeKey{kKind, node.id()}.Encode(),
              EncodeRecord(record.NearLinks(),
                           record.HasFarLinks() ? FarLinks::kSome : FarLinks::kNone, message));
  JournalUpdated(ChangedNode(kKind), node.id(), record.message(), message);
  return true;
}

absl::StatusOr<bool> Transaction::NodeExists(NodeKind kind, int64_t id) const {
  const std::string key = NodeKey{kind, id}.Encode();
  const WriteSet::State state = writes_.Find(key).state;
  if (state != WriteSet::State::kUnknown) return state == WriteSet::State::kValue;
  if (IsOfThisGroup(kind, id)) return false;
  auto stored = view_->Get(key, Blocking::kAllowed);
  if (!stored.ok()) return stored.status();
  return stored->has_value();
}

absl::StatusOr<bool> Transaction::IsLinked(NodeKind kind, int64_t id, const NodeRecord& record,
                                           int64_t context) const {
  const std::vector<int64_t> near = record.NearLinks();
  if (std::binary_search(near.begin(), near.end(), context)) return true;
  if (!record.HasFarLinks()) return false;
  auto far = Get(FarLinkKey{kind, id, context}.Encode());
  if (!far.ok()) return far.status();
  return far->has_value();
}

absl::StatusOr<bool> Transaction::IsAncestor(int64_t ancestor, int64_t context) const {
  std::vector<int64_t> frontier = {context};
  absl::flat_hash_set<int64_t> seen = {context};
  while (!frontier.empty()) {
    const int64_t id = frontier.back();
    frontier.pop_back();
    if (id == ancestor) return true;
    if (seen.size() > kMaxAncestors) {
      return absl::FailedPreconditionError(
          absl::StrCat("context ", context, " has more than ", kMaxAncestors, " ancestors"));
    }
    auto record = FindRecord(NodeKind::kContext, id);
    if (!record.ok()) return record.status();
    if (!record->has_value()) continue;
    for (int64_t parent : (*record)->NearLinks()) {
      if (seen.insert(parent).second) frontier.push_back(parent);
    }
  }
  return false;
}

absl::Status Transaction::Link(NodeKind kind, int64_t id, absl::Span<const int64_t> contexts) {
  auto record = FindRecord(kind, id);
  if (!record.ok()) return record.status();
  if (!record->has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("no ", NameOf(kind), " has id ", id));
  }
  std::vector<int64_t> near = (*record)->NearLinks();
  std::vector<int64_t> added;
  bool has_far = (*record)->HasFarLinks();
  const size_t near_before = near.size();
  for (int64_t context : SortedOnce(contexts)) {
    auto linked = IsLinked(kind, id, **record, context);
    if (!linked.ok()) return linked.status();
    if (*linked) continue;
    added.push_back(context);
    if (near.size() < MaxNearLinks(kind)) {
      near.push_back(context);
    } else {
      has_far = true;
      writes_.Put(FarLinkKey{kind, id, context}.Encode(), {});
    }
  }
  if (added.empty()) return absl::OkStatus();
  TouchCacheEntryIfAny(kind, id, **record);
  if (near.size() != near_before || has_far != (*record)->HasFarLinks()) {
    std::sort(near.begin(), near.end());
    writes_.Put(
        NodeKey{kind, id}.Encode(),
        EncodeRecord(near, has_far ? FarLinks::kSome : FarLinks::kNone, (*record)->message()));
  }
  return AddToContexts(kind, id, added);
}

template absl::StatusOr<int64_t> Transaction::Insert(ml_metadata::Artifact*,
                                                     absl::Span<const int64_t>);
template absl::StatusOr<int64_t> Transaction::Insert(ml_metadata::Execution*,
                                                     absl::Span<const int64_t>);
template absl::StatusOr<int64_t> Transaction::Insert(ml_metadata::Context*,
                                                     absl::Span<const int64_t>);
template absl::StatusOr<bool> Transaction::ImportNode(const ml_metadata::Artifact&);
template absl::StatusOr<bool> Transaction::ImportNode(const ml_metadata::Execution&);
template absl::StatusOr<bool> Transaction::ImportNode(const ml_metadata::Context&);
template absl::Status Transaction::Update(const NodeRecord&, ml_metadata::Artifact*, UpdateTime);
template absl::Status Transaction::Update(const NodeRecord&, ml_metadata::Execution*, UpdateTime);
template absl::Status Transaction::Update(const NodeRecord&, ml_metadata::Context*, UpdateTime);

}  // namespace pedigree
