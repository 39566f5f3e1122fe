#include "store/event_log.h"

#include "store/codec.h"

namespace pedigree {
namespace {

// Small differences, whatever their sign, become small numbers.
uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
int64_t FromZigZag(uint64_t value) { return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1)); }

// Differences of any two times are possible, as they wrap around.
uint64_t Minus(int64_t a, int64_t b) { return static_cast<uint64_t>(a) - static_cast<uint64_t>(b); }
int64_t Plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

bool IsGraphId(uint64_t id) { return id >= 1 && id <= static_cast<uint64_t>(kLastGraphId); }

}  // namespace

std::string EncodeEventLog(absl::Span<const NewEvent> events) {
  std::string entry;
  entry.reserve(events.size() * 12);
  int64_t last_ms = 0;
  for (const NewEvent& event : events) {
    AppendVarint(&entry, event.ends.execution);
    AppendVarint(&entry, event.ends.artifact);
    AppendU8(&entry, event.ends.type);
    AppendVarint(&entry, ZigZag(static_cast<int64_t>(Minus(event.time_ms, last_ms))));
    last_ms = event.time_ms;
  }
  return entry;
}

bool VisitEventLog(absl::string_view entry, absl::FunctionRef<void(const NewEvent& event)> visit) {
  ByteReader reader(entry);
  int64_t last_ms = 0;
  while (!reader.AtEnd()) {
    uint64_t execution = 0;
    uint64_t artifact = 0;
    uint8_t type = 0;
    uint64_t difference = 0;
    if (!reader.ReadVarint(&execution) || !reader.ReadVarint(&artifact) || !reader.ReadU8(&type) ||
        !reader.ReadVarint(&difference) || !IsGraphId(execution) || !IsGraphId(artifact) ||
        type > EventEnds::kLastType) {
      return false;
    }
    last_ms = Plus(last_ms, FromZigZag(difference));
    visit({{static_cast<uint32_t>(artifact), static_cast<uint32_t>(execution), type}, last_ms});
  }
  return !entry.empty();
}

}  // namespace pedigree
