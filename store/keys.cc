#include "store/keys.h"

#include "store/codec.h"

namespace pedigree {
namespace {

// Starts reading a key of `tag`, after its head.
bool OpenKey(absl::string_view key, Tag tag, ByteReader* reader) {
  uint32_t space = 0;
  uint8_t actual = 0;
  *reader = ByteReader(key);
  return reader->ReadBe32(&space) && reader->ReadU8(&actual) && space == kSpace &&
         actual == static_cast<uint8_t>(tag);
}

bool ReadKind(ByteReader* reader, NodeKind* kind) {
  uint8_t value = 0;
  if (!reader->ReadU8(&value) || value < 1 || value > 3) return false;
  *kind = static_cast<NodeKind>(value);
  return true;
}

std::string KindHead(Tag tag, NodeKind kind) {
  std::string key = KeyHead(tag);
  AppendU8(&key, static_cast<uint8_t>(kind));
  return key;
}

std::string KindAndId(Tag tag, NodeKind kind, int64_t id) {
  std::string key = KindHead(tag, kind);
  AppendId(&key, id);
  return key;
}

std::string KindAndText(Tag tag, NodeKind kind, absl::string_view text) {
  std::string key = KindHead(tag, kind);
  AppendText(&key, text);
  return key;
}

template <class Key>
bool DecodeKindAndId(absl::string_view bytes, Tag tag, Key* out) {
  ByteReader reader("");
  return OpenKey(bytes, tag, &reader) && ReadKind(&reader, &out->kind) && reader.ReadId(&out->id) &&
         reader.AtEnd();
}

}  // namespace

std::string KeyHead(Tag tag) {
  std::string key;
  key.reserve(40);
  AppendBe32(&key, kSpace);
  AppendU8(&key, static_cast<uint8_t>(tag));
  return key;
}

std::string TypeKey::Encode() const { return KindAndId(Tag::kType, kind, id); }

bool TypeKey::Decode(absl::string_view key, TypeKey* out) {
  return DecodeKindAndId(key, Tag::kType, out);
}

std::string NodeKey::Encode() const { return KindAndId(Tag::kNode, kind, id); }

bool NodeKey::Decode(absl::string_view key, NodeKey* out) {
  return DecodeKindAndId(key, Tag::kNode, out);
}

std::string ExecutionEventsKey::Prefix(int64_t execution) {
  std::string key = KeyHead(Tag::kExecutionEvents);
  AppendId(&key, execution);
  return key;
}

std::string ExecutionEventsKey::Encode() const {
  std::string key = Prefix(execution);
  AppendId(&key, number);
  return key;
}

bool ExecutionEventsKey::Decode(absl::string_view key, ExecutionEventsKey* out) {
  ByteReader reader("");
  return OpenKey(key, Tag::kExecutionEvents, &reader) && reader.ReadId(&out->execution) &&
         reader.ReadId(&out->number) && reader.AtEnd();
}

std::string ArtifactEventKey::Prefix(int64_t artifact) {
  std::string key = KeyHead(Tag::kArtifactEvent);
  AppendId(&key, artifact);
  return key;
}

std::string ArtifactEventKey::Encode() const {
  std::string key = Prefix(artifact);
  AppendId(&key, execution);
  AppendU8(&key, type);
  return key;
}

bool ArtifactEventKey::Decode(absl::string_view key, ArtifactEventKey* out) {
  ByteReader reader("");
  return OpenKey(key, Tag::kArtifactEvent, &reader) && reader.ReadId(&out->artifact) &&
         reader.ReadId(&out->execution) && reader.ReadU8(&out->type) && reader.AtEnd();
}

std::string JournalKey::Encode() const {
  std::string key = KeyHead(Tag::kJournal);
  AppendId(&key, sequence);
  return key;
}

bool JournalKey::Decode(absl::string_view key, JournalKey* out) {
  ByteReader reader("");
  return OpenKey(key, Tag::kJournal, &reader) && reader.ReadId(&out->sequence) && reader.AtEnd();
}

std::string EventLogKey::Encode() const {
  std::string key = KeyHead(Tag::kEventLog);
  AppendId(&key, number);
  return key;
}

bool EventLogKey::Decode(absl::string_view key, EventLogKey* out) {
  ByteReader reader("");
  return OpenKey(key, Tag::kEventLog, &reader) && reader.ReadId(&out->number) && reader.AtEnd();
}

std::string CacheEntryKey::Encode() const {
  std::string key = KeyHead(Tag::kCacheEntry);
  AppendId(&key, execution);
  return key;
}

bool CacheEntryKey::Decode(absl::string_view key, CacheEntryKey* out) {
  ByteReader reader("");
  return OpenKey(key, Tag::kCacheEntry, &reader) && reader.ReadId(&out->execution) &&
         reader.AtEnd();
}

std::string FingerprintText(absl::string_view fingerprint) {
  std::string text;
  AppendText(&text, fingerprint);
  return text;
}

std::string CacheLeaseKey::Encode() const {
  std::string key = KeyHead(Tag::kCacheLease);
  key.append(fingerprint_text.data(), fingerprint_text.size());
  AppendU8(&key, static_cast<uint8_t>(scope));
  AppendText(&key, scope == CacheScope::kAny ? "" : name_space);
  AppendText(&key, scope == CacheScope::kPipeline ? pipeline : "");
  return key;
}

bool CacheLeaseKey::IsOne(absl::string_view key) {
  ByteReader reader("");
  uint8_t scope = 0;
  return OpenKey(key, Tag::kCacheLease, &reader) && reader.SkipText() && reader.ReadU8(&scope) &&
         scope >= 1 && scope <= 3 && reader.SkipText() && reader.SkipText() && reader.AtEnd();
}

std::string CacheLookupKey::Prefix(absl::string_view fingerprint_text) {
  std::string key = KeyHead(Tag::kCacheLookup);
  key.append(fingerprint_text.data(), fingerprint_text.size());
  return key;
}

std::string CacheLookupKey::Prefix(absl::string_view fingerprint_text,
                                   absl::string_view name_space) {
  std::string key = Prefix(fingerprint_text);
  AppendText(&key, name_space);
  return key;
}

std::string CacheLookupKey::Prefix(absl::string_view fingerprint_text, absl::string_view name_space,
                                   absl::string_view pipeline) {
  std::string key = Prefix(fingerprint_text, name_space);
  AppendText(&key, pipeline);
  return key;
}

std::string CacheLookupKey::Encode() const {
  std::string key = Prefix(fingerprint_text, name_space, pipeline);
  AppendU8(&key, cache_class);
  AppendTime(&key, ~completed_ms);  // The flipped sign bit is as good a bit as the others.
  AppendId(&key, ~execution);
  return key;
}

bool CacheLookupKey::DecodeNumbers(absl::string_view key, CacheLookupKey* out, size_t* pair_size) {
  ByteReader reader("");
  if (!OpenKey(key, Tag::kCacheLookup, &reader) || !reader.SkipText() || !reader.SkipText() ||
      !reader.SkipText()) {
    return false;
  }
  *pair_size = key.size() - reader.rest().size();
  if (!reader.ReadU8(&out->cache_class) || !reader.ReadTime(&out->completed_ms) ||
      !reader.ReadId(&out->execution) || !reader.AtEnd()) {
    return false;
  }
  out->completed_ms = ~out->completed_ms;
  out->execution = ~out->execution;
  return true;
}

absl::string_view FingerprintTextIn(absl::string_view key) {
  if (key.size() < kKeyHeadBytes) return {};
  const auto tag = static_cast<Tag>(key[kKeyHeadBytes - 1]);  // Asked of every key that is written.
  if (tag != Tag::kCacheLookup && tag != Tag::kCacheLease) return {};
  ByteReader reader("");
  if (!OpenKey(key, tag, &reader)) return {};
  const absl::string_view from = reader.rest();
  if (!reader.SkipText()) return {};
  return from.substr(0, from.size() - reader.rest().size());
}

std::string TaskKey::Encode() const {
  std::string key = KeyHead(Tag::kTask);
  AppendId(&key, number);
  return key;
}

bool TaskKey::Decode(absl::string_view key, TaskKey* out) {
  ByteReader reader("");
  return OpenKey(key, Tag::kTask, &reader) && reader.ReadId(&out->number) && reader.AtEnd();
}

std::string TaskFingerprintKey::Prefix(absl::string_view fingerprint) {
  std::string key = KeyHead(Tag::kTaskFingerprint);
  AppendText(&key, fingerprint);
  return key;
}

std::string TaskFingerprintKey::Prefix(absl::string_view fingerprint, absl::string_view pipeline) {
  std::string key = Prefix(fingerprint);
  AppendText(&key, pipeline);
  return key;
}

std::string TaskFingerprintKey::Prefix(absl::string_view fingerprint, absl::string_view pipeline,
                                       absl::string_view name_space) {
  std::string key = Prefix(fingerprint, pipeline);
  AppendText(&key, name_space);
  return key;
}

std::string TaskFingerprintKey::Encode() const {
  std::string key = Prefix(fingerprint, pipeline, name_space);
  AppendTaskPlace(&key, place);
  return key;
}

bool TaskFingerprintKey::DecodePlace(absl::string_view key, TaskPlace* place) {
  ByteReader reader("");
  int64_t created = 0;
  int64_t number = 0;
  if (!OpenKey(key, Tag::kTaskFingerprint, &reader) || !reader.SkipText() || !reader.SkipText() ||
      !reader.SkipText() || !reader.ReadTime(&created) || !reader.ReadId(&number) ||
      !reader.AtEnd()) {
    return false;
  }
  *place = {~created, ~number};
  return true;
}

// For signed numbers, to flip all bits is to turn the order round.
void AppendTaskPlace(std::string* key, TaskPlace place) {
  AppendTime(key, ~place.created_s);
  AppendId(key, ~place.number);
}

std::string NameKey::Encode() const {
  std::string key = KindAndId(Tag::kName, kind, type_id);
  AppendText(&key, name);
  return key;
}

std::string ExternalIdKey::Encode() const {
  return KindAndText(Tag::kExternalId, kind, external_id);
}

std::string UriKey::Prefix(absl::string_view uri) {
  std::string key = KeyHead(Tag::kUri);
  AppendText(&key, uri);
  return key;
}

std::string UriKey::Encode() const {
  std::string key = Prefix(uri);
  AppendId(&key, artifact);
  return key;
}

bool UriKey::DecodeArtifact(absl::string_view key, int64_t* artifact) {
  ByteReader reader("");
  return OpenKey(key, Tag::kUri, &reader) && reader.SkipText() && reader.ReadId(artifact) &&
         reader.AtEnd();
}

std::string PropertyIndexKey::Encode() const {
  std::string key = KeyHead(Tag::kPropertyIndex);
  AppendBe32(&key, index);
  return key;
}

bool PropertyIndexKey::Decode(absl::string_view key, PropertyIndexKey* out) {
  ByteReader reader("");
  return OpenKey(key, Tag::kPropertyIndex, &reader) && reader.ReadBe32(&out->index) &&
         reader.AtEnd();
}

std::string PropertyKey::Prefix(uint32_t index) {
  std::string key = KeyHead(Tag::kProperty);
  AppendBe32(&key, index);
  return key;
}

std::string PropertyKey::Prefix(uint32_t index, PropertyValue::Kind kind) {
  std::string key = Prefix(index);
  AppendU8(&key, static_cast<uint8_t>(kind));
  return key;
}

std::string PropertyKey::Prefix(uint32_t index, const PropertyValue& value) {
  std::string key = Prefix(index);
  AppendPropertyValue(&key, value);
  return key;
}

std::string PropertyKey::Encode() const {
  std::string key = Prefix(index, value);
  AppendId(&key, id);
  return key;
}

bool PropertyKey::DecodeNode(absl::string_view key, uint32_t* index, int64_t* id) {
  ByteReader reader("");
  uint8_t kind = 0;
  uint64_t bits = 0;
  uint8_t byte = 0;
  if (!OpenKey(key, Tag::kProperty, &reader) || !reader.ReadBe32(index) || !reader.ReadU8(&kind)) {
    return false;
  }
  bool has_value = false;
  switch (static_cast<PropertyValue::Kind>(kind)) {
    case PropertyValue::Kind::kInt:
    case PropertyValue::Kind::kDouble:
      has_value = reader.ReadBe64(&bits);
      break;
    case PropertyValue::Kind::kString:
      has_value = reader.SkipText();
      break;
    case PropertyValue::Kind::kBool:
      has_value = reader.ReadU8(&byte) && byte <= 1;
      break;
    case PropertyValue::Kind::kOther:
      break;
  }
  return has_value && reader.ReadId(id) && reader.AtEnd();
}

std::string FarLinkKey::Prefix(NodeKind kind, int64_t id) {
  return KindAndId(Tag::kFarLink, kind, id);
}

std::string FarLinkKey::Encode() const {
  std::string key = Prefix(kind, id);
  AppendId(&key, context);
  return key;
}

bool FarLinkKey::Decode(absl::string_view key, FarLinkKey* out) {
  ByteReader reader("");
  return OpenKey(key, Tag::kFarLink, &reader) && ReadKind(&reader, &out->kind) &&
         reader.ReadId(&out->id) && reader.ReadId(&out->context) && reader.AtEnd();
}

std::string TypeMembersPrefix(NodeKind kind, int64_t type_id) {
  return KindAndId(Tag::kTypeMembers, kind, type_id);
}

std::string ContextMembersPrefix(int64_t context, NodeKind kind) {
  std::string key = KeyHead(Tag::kContextMembers);
  AppendId(&key, context);
  AppendU8(&key, static_cast<uint8_t>(kind));
  return key;
}

std::string UpdateTimesPrefix(NodeKind kind) { return KindHead(Tag::kUpdateTimes, kind); }

std::string UpdateTimePrefix(NodeKind kind, int64_t time_ms) {
  std::string key = UpdateTimesPrefix(kind);
  AppendTime(&key, time_ms);
  return key;
}

std::string CreateTimesPrefix(NodeKind kind) { return KindHead(Tag::kCreateTimes, kind); }

std::string CreateTimePrefix(NodeKind kind, int64_t time_ms) {
  std::string key = CreateTimesPrefix(kind);
  AppendTime(&key, time_ms);
  return key;
}

}  // namespace pedigree
