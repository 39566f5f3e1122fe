#include "store/property_index.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "store/codec.h"

namespace pedigree {

std::string PropertyIndex::Encode() const {
  std::string bytes;
  AppendU8(&bytes, static_cast<uint8_t>(kind));
  AppendU8(&bytes, is_custom ? 1 : 0);
  AppendU8(&bytes, static_cast<uint8_t>(state));
  AppendId(&bytes, next);
  AppendId(&bytes, last);
  bytes.append(name);
  return bytes;
}

bool PropertyIndex::Decode(absl::string_view bytes, PropertyIndex* out) {
  ByteReader reader(bytes);
  uint8_t kind = 0;
  uint8_t is_custom = 0;
  uint8_t state = 0;
  if (!reader.ReadU8(&kind) || !reader.ReadU8(&is_custom) || !reader.ReadU8(&state) ||
      !reader.ReadId(&out->next) || !reader.ReadId(&out->last)) {
    return false;
  }
  out->kind = static_cast<NodeKind>(kind);
  out->is_custom = is_custom == 1;
  out->state = static_cast<State>(state);
  out->name = std::string(reader.rest());
  return IndexOf(out->kind) < 3 && is_custom <= 1 && state >= 1 && state <= 3;
}

std::string PropertyIndex::ToString() const {
  return absl::StrCat(NameOf(kind), is_custom ? " custom_properties." : " properties.", name);
}

const PropertyIndex* PropertyIndexes::Find(NodeKind kind, bool is_custom,
                                           absl::string_view name) const {
  for (const auto& index : Of(kind)) {
    if (index->is_custom == is_custom && index->name == name) return index.get();
  }
  return nullptr;
}

const PropertyIndex* PropertyIndexes::FindById(uint32_t id) const {
  auto it = all_.find(id);
  return it == all_.end() ? nullptr : it->second.get();
}

void PropertyIndexes::Put(PropertyIndex index) {
  const uint32_t id = index.id;
  all_[id] = std::make_shared<const PropertyIndex>(std::move(index));
  Rebuild();
}

void PropertyIndexes::Remove(uint32_t id) {
  all_.erase(id);
  Rebuild();
}

void PropertyIndexes::Rebuild() {
  for (List& list : maintained_) list.clear();
  for (const auto& [id, index] : all_) {
    if (index->state == PropertyIndex::State::kDropping) continue;
    maintained_[IndexOf(index->kind)].push_back(index);
  }
}

void AddPredefinedPropertyIndexes(PropertyIndexes* indexes) {
  PropertyIndex index;
  index.kind = NodeKind::kExecution;
  index.is_custom = true;
  index.state = PropertyIndex::State::kReady;
  index.id = kCacheFingerprintIndex;
  index.name = "cache_fingerprint";
  indexes->Put(index);
  index.id = kParentDagIdIndex;
  index.name = "parent_dag_id";
  indexes->Put(index);
}

}  // namespace pedigree
