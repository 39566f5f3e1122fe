#include "server/put_node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "store/property.h"
#include "store/text.h"

namespace pedigree {
namespace {

using google::protobuf::FieldMask;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using ml_metadata::Value;
using Properties = google::protobuf::Map<std::string, Value>;

constexpr absl::string_view kProperties = "properties";
constexpr absl::string_view kCustomProperties = "custom_properties";

template <class Node>
absl::Status Invalid(const Node& node, absl::string_view what) {
  const std::string who = node.has_id()     ? absl::StrCat(" ", node.id())
                          : node.has_name() ? absl::StrCat(" ", Quoted(node.name()))
                                            : std::string();
  return absl::InvalidArgumentError(absl::StrCat(TraitsOf<Node>::kName, who, ": ", what));
}

template <class Node>
absl::Status CheckProperties(const Node& node, const typename TraitsOf<Node>::Type& type) {
  for (const auto& [name, value] : node.properties()) {
    const auto declared = type.properties().find(name);
    if (declared == type.properties().end()) {
      return Invalid(node, absl::StrCat("property ", Quoted(name), " is not declared by type ",
                                        Quoted(type.name())));
    }
    if (declared->second != PropertyTypeOf(value)) {
      return Invalid(node, absl::StrCat("property ", Quoted(name), " is ",
                                        PropertyType_Name(PropertyTypeOf(value)), ", type ",
                                        Quoted(type.name()), " declares ",
                                        PropertyType_Name(declared->second)));
    }
  }
  return absl::OkStatus();
}

template <class Node>
absl::Status CheckName(const Node& node) {
  if (TraitsOf<Node>::kKind != NodeKind::kContext || !node.name().empty()) return absl::OkStatus();
  return Invalid(node, "a context needs a name");
}

template <class Node>
absl::StatusOr<int64_t> CreateNode(Transaction& transaction, Node* node,
                                   absl::Span<const int64_t> contexts) {
  if (!node->has_type_id()) return Invalid(*node, "type_id is missing");
  const auto* type = transaction.catalog().Of<Node>().FindById(node->type_id());
  if (type == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("no ", TraitsOf<Node>::kName, " type has id ", node->type_id()));
  }
  if (absl::Status status = CheckName(*node); !status.ok()) return status;
  if (absl::Status status = CheckProperties(*node, *type); !status.ok()) return status;
  return transaction.Insert(node, contexts);
}

bool HasPath(const FieldMask& mask, absl::string_view path) {
  return std::find(mask.paths().begin(), mask.paths().end(), path) != mask.paths().end();
}

void MaskProperties(const FieldMask& mask, absl::string_view field, const Properties& from,
                    Properties* to) {
  if (HasPath(mask, field)) {
    *to = from;
    return;
  }
  const std::string head = absl::StrCat(field, ".");
  for (absl::string_view path : mask.paths()) {
    if (!absl::ConsumePrefix(&path, head)) continue;
    const std::string name(path);
    const auto it = from.find(name);
    if (it == from.end()) {
      to->erase(name);
    } else {
      (*to)[name] = it->second;
    }
  }
}

// Moves the fields that the mask names, unset ones included. Unknown paths are ignored.
template <class Node>
void MaskFields(const FieldMask& mask, Node* from, Node* to) {
  for (const char* path :
       {"name", "uri", "state", "last_known_state", "external_id", "system_metadata"}) {
    const auto* field = Node::descriptor()->FindFieldByName(path);
    if (field == nullptr || !HasPath(mask, path)) continue;
    to->GetReflection()->SwapFields(to, from, {field});
  }
}

// What the stored node becomes when the fields of the mask are taken from the request.
template <class Node>
absl::Status ApplyMask(const FieldMask& mask, const NodeRecord& stored, Node* node) {
  Node merged;
  const absl::string_view message = stored.message();
  if (!merged.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return DamagedRecord(TraitsOf<Node>::kName, node->id());
  }
  MaskFields(mask, node, &merged);
  MaskProperties(mask, kProperties, node->properties(), merged.mutable_properties());
  MaskProperties(mask, kCustomProperties, node->custom_properties(),
                 merged.mutable_custom_properties());
  *node = std::move(merged);
  return absl::OkStatus();
}

template <class Node>
absl::Status CheckUpdateTime(const Node& node, const NodePeek& stored) {
  if (node.has_last_update_time_since_epoch() &&
      node.last_update_time_since_epoch() == stored.last_update_time_ms) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      TraitsOf<Node>::kName, " ", stored.id, " was last updated at ", stored.last_update_time_ms,
      ", the request says ", node.last_update_time_since_epoch(), ": read it again"));
}

template <class Node>
absl::StatusOr<int64_t> UpdateNode(Transaction& transaction, Node* node,
                                   const PutNodeOptions& options) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  const int64_t id = node->id();
  if (id <= 0) return Invalid(*node, "ids begin at 1");
  auto record = transaction.FindRecord(kKind, id);
  if (!record.ok()) return record.status();
  if (!record->has_value()) return Invalid(*node, "there is none with this id");
  const auto stored = PeekNode(kKind, (*record)->message());
  if (!stored.has_value()) return DamagedRecord(TraitsOf<Node>::kName, id);
  if (node->has_type_id() && node->type_id() != stored->type_id) {
    return Invalid(*node, absl::StrCat("its type_id is ", stored->type_id, ", not ",
                                       node->type_id(), ", and cannot change"));
  }
  if (options.match_update_time) {
    if (absl::Status status = CheckUpdateTime(*node, *stored); !status.ok()) return status;
  }
  if (options.update_mask != nullptr && options.update_mask->paths_size() > 0) {
    absl::Status status = ApplyMask(*options.update_mask, **record, node);
    if (!status.ok()) return status;
  }
  if (absl::Status status = CheckName(*node); !status.ok()) return status;
  const auto* type = transaction.catalog().Of<Node>().FindById(stored->type_id);
  if (type == nullptr) return DamagedRecord(TraitsOf<Node>::kName, id);
  if (absl::Status status = CheckProperties(*node, *type); !status.ok()) return status;
  absl::Status status = transaction.Update(**record, node, options.update_time);
  if (status.ok() && !options.contexts.empty()) {
    status = transaction.Link(kKind, id, options.contexts);
  }
  if (!status.ok()) return status;
  return id;
}

}  // namespace

template <class Node>
absl::StatusOr<int64_t> PutNode(Transaction& transaction, Node* node,
                                const PutNodeOptions& options) {
  return node->has_id() ? UpdateNode(transaction, node, options)
                        : CreateNode(transaction, node, options.contexts);
}

template absl::StatusOr<int64_t> PutNode(Transaction&, Artifact*, const PutNodeOptions&);
template absl::StatusOr<int64_t> PutNode(Transaction&, Execution*, const PutNodeOptions&);
template absl::StatusOr<int64_t> PutNode(Transaction&, Context*, const PutNodeOptions&);

}  // namespace pedigree
