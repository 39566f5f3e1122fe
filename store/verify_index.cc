// Verify: index entries, each of which must be what its node says.
#include <algorithm>
#include <utility>

#include "store/codec.h"
#include "store/id_set.h"
#include "store/verifier.h"

namespace pedigree {
namespace {

constexpr int64_t kLastBlock = kLastId / kIdsPerBlock - 1;

bool IsKind(uint8_t byte) { return byte >= 1 && byte <= 3; }

}  // namespace

// The text of the key is not decoded: the node's own key is encoded and compared with it.
absl::Status Verifier::CheckUnique(Tag tag, absl::string_view key, absl::string_view value) {
  ++report_.index_entries;
  const absl::string_view index = tag == Tag::kName ? "name" : "external_id";
  uint8_t kind_byte = 0;
  int64_t id = 0;
  ByteReader id_reader(value);
  if (!ByteReader(key.substr(kKeyHeadBytes)).ReadU8(&kind_byte) || !IsKind(kind_byte) ||
      !id_reader.ReadId(&id) || !id_reader.AtEnd()) {
    Problem("an entry of the index ", index, " does not decode");
    return absl::OkStatus();
  }
  const auto kind = static_cast<NodeKind>(kind_byte);
  Found node;
  if (absl::Status status = FindNode(kind, id, &node); !status.ok()) return status;
  if (node.state == Found::State::kDamaged) return absl::OkStatus();
  std::string expected;
  if (tag == Tag::kName && node.peek.name.has_value()) {
    expected = NameKey{kind, node.peek.type_id, *node.peek.name}.Encode();
  } else if (tag == Tag::kExternalId && node.peek.external_id.has_value()) {
    expected = ExternalIdKey{kind, *node.peek.external_id}.Encode();
  }
  if (expected != key) Problem(NameOf(kind), " ", id, ": a stale entry in the index ", index);
  return absl::OkStatus();
}

absl::Status Verifier::CheckUri(absl::string_view key, absl::string_view value) {
  ++report_.index_entries;
  int64_t id = 0;
  if (!UriKey::DecodeArtifact(key, &id) || !value.empty()) {
    Problem("an entry of the index uri does not decode");
    return absl::OkStatus();
  }
  Found node;
  if (absl::Status status = FindNode(NodeKind::kArtifact, id, &node); !status.ok()) return status;
  if (node.state == Found::State::kDamaged) return absl::OkStatus();
  if (node.state == Found::State::kMissing || UriKey{node.peek.uri, id}.Encode() != key) {
    Problem("artifact ", id, ": a stale entry in the index uri");
  }
  return absl::OkStatus();
}

absl::Status Verifier::CheckFarLink(absl::string_view key, absl::string_view value) {
  ++report_.index_entries;
  FarLinkKey link = {};
  if (!FarLinkKey::Decode(key, &link) || !value.empty()) {
    Problem("a far link does not decode");
    return absl::OkStatus();
  }
  Found node;
  if (absl::Status status = FindNode(link.kind, link.id, &node); !status.ok()) return status;
  if (node.state == Found::State::kDamaged) return absl::OkStatus();
  if (node.state == Found::State::kMissing || !node.view->HasFarLinks()) {
    Problem(NameOf(link.kind), " ", link.id, ": a far link that its record does not know");
  }
  return absl::OkStatus();
}

absl::Status Verifier::CheckProperty(absl::string_view key, absl::string_view value) {
  ++report_.index_entries;
  uint32_t index_id = 0;
  int64_t id = 0;
  if (!PropertyKey::DecodeNode(key, &index_id, &id) || !value.empty()) {
    Problem("an entry of the index property does not decode");
    return absl::OkStatus();
  }
  const PropertyIndex* index = catalog_.property_indexes().FindById(index_id);
  if (index == nullptr) {
    Problem("property index ", index_id, ": an entry of an index that is not there");
    return absl::OkStatus();
  }
  // What is left of one that is being dropped is deleted without a look at its nodes.
  if (index->state == PropertyIndex::State::kDropping) return absl::OkStatus();
  Found node;
  if (absl::Status status = FindNode(index->kind, id, &node); !status.ok()) return status;
  if (node.state == Found::State::kDamaged) return absl::OkStatus();
  bool belongs = false;
  if (node.state == Found::State::kWhole) {
    PeekNode(index->kind, node.view->message(), [&](bool is_custom, absl::string_view entry) {
      const auto property = PeekProperty(entry);
      belongs = belongs || (property.has_value() && is_custom == index->is_custom &&
                            property->name == index->name &&
                            property->value.kind != PropertyValue::Kind::kOther &&
                            PropertyKey{index_id, property->value, id}.Encode() == key);
    });
  }
  if (!belongs) {
    Problem(NameOf(index->kind), " ", id, ": a stale entry in the index of ", index->ToString());
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Verifier::IsInContext(NodeKind kind, int64_t id, const RecordView& record,
                                           int64_t context) const {
  const std::vector<int64_t> near = record.NearLinks();
  if (std::binary_search(near.begin(), near.end(), context)) return true;
  if (!record.HasFarLinks()) return false;
  auto far = Get(FarLinkKey{kind, id, context}.Encode());
  if (!far.ok()) return far.status();
  return far->has_value();
}

absl::Status Verifier::CheckPosting(Tag tag, absl::string_view key, absl::string_view value) {
  ByteReader reader(key.substr(kKeyHeadBytes));
  int64_t owner = 0;
  int64_t time_ms = 0;
  int64_t block = 0;
  uint8_t kind_byte = 0;
  IdSet set;
  bool decodes = false;
  if (tag == Tag::kTypeMembers) {
    decodes = reader.ReadU8(&kind_byte) && reader.ReadId(&owner);
  } else if (tag == Tag::kContextMembers) {
    decodes = reader.ReadId(&owner) && reader.ReadU8(&kind_byte);
  } else {
    decodes = reader.ReadU8(&kind_byte) && reader.ReadTime(&time_ms);
  }
  decodes = decodes && reader.ReadId(&block) && reader.AtEnd() && IdSet::Decode(value, &set);
  if (!decodes || !IsKind(kind_byte) || block < 0 || block > kLastBlock) {
    Problem("a posting list does not decode");
    return absl::OkStatus();
  }
  const auto kind = static_cast<NodeKind>(kind_byte);
  for (int i = set.Next(0); i < kIdsPerBlock; i = set.Next(i + 1)) {
    ++report_.index_entries;
    const int64_t id = IdOf(block, i);
    Found node;
    if (absl::Status status = FindNode(kind, id, &node); !status.ok()) return status;
    if (node.state == Found::State::kDamaged) continue;
    bool belongs = node.state == Found::State::kWhole;
    if (belongs && tag == Tag::kTypeMembers) belongs = node.peek.type_id == owner;
    if (belongs && tag == Tag::kUpdateTimes) belongs = node.peek.last_update_time_ms == time_ms;
    if (belongs && tag == Tag::kCreateTimes) {
      belongs = node.peek.create_time_ms == time_ms && !catalog_.IsCreatedInOrder(kind);
    }
    if (belongs && tag == Tag::kContextMembers) {
      auto is_in_context = IsInContext(kind, id, *node.view, owner);
      if (!is_in_context.ok()) return is_in_context.status();
      belongs = *is_in_context;
    }
    if (!belongs) {
      Problem(NameOf(kind), " ", id, ": a stale entry in posting list ", static_cast<int>(tag));
    }
  }
  return absl::OkStatus();
}

}  // namespace pedigree
