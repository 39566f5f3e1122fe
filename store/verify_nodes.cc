// Verify: types, nodes, and the index entries that nodes ask for.
#include <algorithm>
#include <utility>

#include "store/codec.h"
#include "store/property.h"
#include "store/verifier.h"

namespace pedigree {
namespace {

template <class Message>
bool Parse(absl::string_view bytes, Message* message) {
  return message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

template <class Node>
bool Fits(const Catalog& catalog, absl::string_view message) {
  Node node;
  if (!Parse(message, &node)) return false;
  const auto* type = catalog.Of<Node>().FindById(node.type_id());
  if (type == nullptr || node.has_type()) return false;
  for (const auto& [name, value] : node.properties()) {
    const auto declared = type->properties().find(name);
    if (declared == type->properties().end() || declared->second != PropertyTypeOf(value))
      return false;
  }
  return true;
}

}  // namespace

void Verifier::CheckType(absl::string_view key, absl::string_view) {
  ++report_.types;
  TypeKey type = {};
  if (!TypeKey::Decode(key, &type) || type.id < kFirstId) {
    ForeignKey(key);
  } else if (type.id > counters_.last_type_id) {
    Problem(NameOf(type.kind), " type ", type.id, ": beyond the last id handed out");
  } else if (catalog_.TypeName(type.kind, type.id).empty()) {
    Problem(NameOf(type.kind), " type ", type.id, ": not in the catalog");
  }
}

void Verifier::CheckPropertyIndex(absl::string_view key, absl::string_view value) {
  PropertyIndexKey index = {};
  if (!PropertyIndexKey::Decode(key, &index)) {
    ForeignKey(key);
    return;
  }
  const PropertyIndex* known = catalog_.property_indexes().FindById(index.index);
  if (known == nullptr || known->Encode() != value) {
    Problem("property index ", index.index, ": not in the catalog");
  }
}

absl::Status Verifier::CheckNodeRecord(absl::string_view key, absl::string_view value) {
  NodeKey node = {};
  if (!NodeKey::Decode(key, &node)) {
    ForeignKey(key);
    return absl::OkStatus();
  }
  const NodeKind kind = node.kind;
  ++report_.nodes[IndexOf(kind)];
  if (node.id < kFirstId) Problem(NameOf(kind), " ", node.id, ": no id that is handed out");
  const auto record = RecordView::Parse(value);
  if (!record.has_value()) {
    Problem(NameOf(kind), " ", node.id, ": the record does not decode");
    return absl::OkStatus();
  }
  const auto peek = PeekNode(kind, record->message());
  if (!peek.has_value() || peek->id != node.id) {
    Problem(NameOf(kind), " ", node.id, ": the message does not decode or has another id");
    return absl::OkStatus();
  }
  int64_t& last_create_time_ms = last_create_time_ms_[IndexOf(kind)];
  if (catalog_.IsCreatedInOrder(kind) && peek->create_time_ms < last_create_time_ms) {
    Problem(NameOf(kind), " ", node.id, ": created before the node before it");
  }
  last_create_time_ms = peek->create_time_ms;
  return CheckNode(kind, *peek, *record);
}

bool Verifier::FitsType(NodeKind kind, absl::string_view message) const {
  switch (kind) {
    case NodeKind::kArtifact:
      return Fits<ml_metadata::Artifact>(catalog_, message);
    case NodeKind::kExecution:
      return Fits<ml_metadata::Execution>(catalog_, message);
    case NodeKind::kContext:
      break;
  }
  return Fits<ml_metadata::Context>(catalog_, message);
}

absl::Status Verifier::CheckNode(NodeKind kind, const NodePeek& node, const RecordView& record) {
  const auto what = [&](absl::string_view part) {
    return absl::StrCat(NameOf(kind), " ", node.id, ": ", part);
  };
  if (node.id > counters_.last_node_id[IndexOf(kind)]) {
    Problem(what("beyond the last id handed out"));
  }
  if (node.last_update_time_ms > counters_.last_time_ms) {
    Problem(what("updated after the newest time"));
  }
  if (!FitsType(kind, record.message())) Problem(what("does not fit its type"));

  std::string id_bytes;
  AppendId(&id_bytes, node.id);
  absl::Status status = ExpectMember(TypeMembersPrefix(kind, node.type_id), node.id,
                                     [&] { return what("type_members"); });
  if (status.ok()) {
    status = ExpectMember(UpdateTimePrefix(kind, node.last_update_time_ms), node.id,
                          [&] { return what("update_times"); });
  }
  if (status.ok() && !catalog_.IsCreatedInOrder(kind)) {
    status = ExpectMember(CreateTimePrefix(kind, node.create_time_ms), node.id,
                          [&] { return what("create_times"); });
  }
  if (status.ok() && node.name.has_value()) {
    status = Expect(NameKey{kind, node.type_id, *node.name}.Encode(), id_bytes,
                    [&] { return what("name"); });
  }
  if (status.ok() && node.external_id.has_value()) {
    status = Expect(ExternalIdKey{kind, *node.external_id}.Encode(), id_bytes,
                    [&] { return what("external_id"); });
  }
  if (status.ok() && kind == NodeKind::kArtifact) {
    status = Expect(UriKey{node.uri, node.id}.Encode(), "", [&] { return what("uri"); });
  }
  if (status.ok()) status = CheckProperties(kind, node.id, record.message());
  if (status.ok() && kind == NodeKind::kExecution) {
    status = CheckCacheOf(node.id, record.message());
  }
  return status.ok() ? CheckLinks(kind, node.id, record) : status;
}

absl::Status Verifier::CheckProperties(NodeKind kind, int64_t id, absl::string_view message) {
  const PropertyIndexes::List& indexes = catalog_.property_indexes().Of(kind);
  if (indexes.empty()) return absl::OkStatus();
  absl::Status status;
  PeekNode(kind, message, [&](bool is_custom, absl::string_view entry) {
    const auto property = PeekProperty(entry);
    if (!property.has_value() || property->value.kind == PropertyValue::Kind::kOther) return;
    for (const auto& index : indexes) {
      const bool is_in_it =
          index->state == PropertyIndex::State::kReady || id < index->next || id > index->last;
      if (!status.ok() || index->is_custom != is_custom || index->name != property->name ||
          !is_in_it) {
        continue;
      }
      status = Expect(PropertyKey{index->id, property->value, id}.Encode(), "", [&] {
        return absl::StrCat(NameOf(kind), " ", id, ": index of ", index->ToString());
      });
    }
  });
  return status;
}

absl::StatusOr<std::vector<int64_t>> Verifier::FarLinksOf(NodeKind kind, int64_t id) const {
  std::vector<int64_t> links;
  absl::Status status =
      view_.Scan(PrefixRange(FarLinkKey::Prefix(kind, id)), Direction::kAscending,
                 Blocking::kAllowed, [&](absl::string_view key, absl::string_view) {
                   FarLinkKey link = {};
                   // A key that does not decode is met by the pass too.
                   if (FarLinkKey::Decode(key, &link)) {
                     links.push_back(link.context);
                   }
                   return true;
                 });
  if (!status.ok()) return status;
  return links;
}

absl::Status Verifier::CheckLinks(NodeKind kind, int64_t id, const RecordView& record) {
  std::vector<int64_t> links = record.NearLinks();
  if (links.size() > MaxNearLinks(kind)) {
    Problem(NameOf(kind), " ", id, ": ", links.size(), " contexts in its record");
  }
  if (record.HasFarLinks()) {
    auto far = FarLinksOf(kind, id);
    if (!far.ok()) return far.status();
    if (far->empty()) Problem(NameOf(kind), " ", id, ": far links do not match the record");
    links.insert(links.end(), far->begin(), far->end());
    std::sort(links.begin(), links.end());
  }
  int64_t last = 0;
  for (int64_t context : links) {
    ++report_.links;
    const auto what = [&] {
      return absl::StrCat(NameOf(kind), " ", id, ": link to context ", context);
    };
    if (context <= last) Problem(what(), ": not ascending");
    last = context;
    absl::Status status = Expect(NodeKey{NodeKind::kContext, context}.Encode(), std::nullopt, what);
    if (status.ok()) status = ExpectMember(ContextMembersPrefix(context, kind), id, what);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace pedigree
