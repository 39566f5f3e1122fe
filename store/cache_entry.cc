#include "store/cache_entry.h"

#include "absl/strings/numbers.h"
#include "store/codec.h"
#include "store/property.h"
#include "store/record.h"

namespace pedigree {
namespace {

void AppendSized(std::string* out, absl::string_view bytes) {
  AppendVarint(out, bytes.size());
  out->append(bytes.data(), bytes.size());
}

bool ReadSized(ByteReader* reader, std::string* out) {
  uint64_t size = 0;
  absl::string_view bytes;
  if (!reader->ReadVarint(&size) || !reader->ReadBytes(size, &bytes)) return false;
  *out = std::string(bytes);
  return true;
}

bool ReadCount(ByteReader* reader, int64_t* value) {
  uint64_t bits = 0;
  if (!reader->ReadVarint(&bits) || bits >> 63 != 0) return false;
  *value = static_cast<int64_t>(bits);
  return true;
}

}  // namespace

std::string CacheEntry::Encode() const {
  std::string bytes;
  AppendU8(&bytes, static_cast<uint8_t>(cache_class));
  AppendU8(&bytes, is_explicit ? 1 : 0);
  AppendTime(&bytes, completed_ms);
  AppendVarint(&bytes, static_cast<uint64_t>(run_ms));
  AppendSized(&bytes, fingerprint_text);
  AppendSized(&bytes, name_space);
  AppendSized(&bytes, pipeline);
  return bytes;
}

bool CacheEntry::Decode(absl::string_view bytes, CacheEntry* out) {
  ByteReader reader(bytes);
  uint8_t class_byte = 0;
  uint8_t explicit_byte = 0;
  if (!reader.ReadU8(&class_byte) || class_byte < 1 || class_byte > 3 ||
      !reader.ReadU8(&explicit_byte) || explicit_byte > 1 || !reader.ReadTime(&out->completed_ms) ||
      !ReadCount(&reader, &out->run_ms) || !ReadSized(&reader, &out->fingerprint_text) ||
      !ReadSized(&reader, &out->name_space) || !ReadSized(&reader, &out->pipeline) ||
      !reader.AtEnd()) {
    return false;
  }
  out->cache_class = static_cast<CacheClass>(class_byte);
  out->is_explicit = explicit_byte == 1;
  return true;
}

std::string CacheEntry::LookupKey(int64_t execution) const {
  return CacheLookupKey{fingerprint_text, name_space, pipeline, static_cast<uint8_t>(cache_class),
                        completed_ms,     execution}
      .Encode();
}

std::string CacheEntry::LookupValue() const {
  std::string value;
  AppendVarint(&value, static_cast<uint64_t>(run_ms));
  return value;
}

bool DecodeCacheRun(absl::string_view value, int64_t* run_ms) {
  ByteReader reader(value);
  return ReadCount(&reader, run_ms) && reader.AtEnd();
}

std::optional<CacheFacts> CacheFactsOf(absl::string_view execution_message) {
  using ml_metadata::Execution;
  CacheFacts facts;
  const auto peek = PeekNode(
      NodeKind::kExecution, execution_message, [&](bool is_custom, absl::string_view entry) {
        if (!is_custom) return;
        const auto property = PeekProperty(entry);
        if (!property.has_value() || property->value.kind != PropertyValue::Kind::kString) return;
        if (property->name == "cache_fingerprint") {
          facts.fingerprint = property->value.string_value;
        } else if (property->name == "namespace") {
          facts.name_space = property->value.string_value;
        } else if (property->name == "cached_execution_id") {
          if (!absl::SimpleAtoi(property->value.string_value, &facts.cached_execution)) {
            facts.cached_execution = 0;
          }
        }
      });
  if (!peek.has_value() || facts.fingerprint.empty()) return std::nullopt;
  const int32_t state = peek->state.value_or(Execution::UNKNOWN);
  facts.create_time_ms = peek->create_time_ms;
  facts.update_time_ms = peek->last_update_time_ms;
  facts.is_cached = state == Execution::CACHED;
  facts.is_complete = facts.is_cached || state == Execution::COMPLETE;
  return facts;
}

}  // namespace pedigree
