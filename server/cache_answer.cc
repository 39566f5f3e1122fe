#include "server/cache_answer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "store/event_graph.h"
#include "store/ids.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using ml_metadata::Event;

struct Output {
  int64_t artifact = 0;
  std::string event;
};

absl::StatusOr<std::vector<Output>> OutputsOf(const Reader& reader, int64_t execution) {
  std::vector<Output> outputs;
  bool damaged = false;
  absl::Status status = reader.VisitEventsOfExecution(execution, [&](absl::string_view bytes) {
    int64_t artifact = 0;
    uint64_t type = 0;
    WireCursor cursor(bytes);
    while (const auto field = cursor.Next()) {
      if (field->number == Event::kArtifactIdFieldNumber) artifact = field->AsInt64();
      if (field->number == Event::kTypeFieldNumber) type = field->scalar;
    }
    damaged = damaged || !cursor.ok() || type > 7;
    if (damaged || !EventEnds::IsOutput(static_cast<uint8_t>(type))) return;
    outputs.push_back({artifact, std::string(bytes)});
  });
  if (!status.ok()) return status;
  if (damaged) return DamagedRecord("an event of execution", execution);
  return outputs;
}

// The outputs as field CacheHit.outputs, in the order of events.
absl::Status AddOutputs(const Reader& reader, int64_t execution, Answer* answer) {
  auto outputs = OutputsOf(reader, execution);
  if (!outputs.ok()) return outputs.status();
  std::vector<int64_t> ids;
  for (const Output& output : *outputs) ids.push_back(output.artifact);
  absl::flat_hash_map<int64_t, std::string> artifacts;
  absl::Status status = reader.VisitRecords(
      NodeKind::kArtifact, SortedOnce(ids), [&](int64_t id, const RecordView& record) {
        Answer part(reader.catalog());
        part.AddNode(v1::CachedOutput::kArtifactFieldNumber, NodeKind::kArtifact, record);
        artifacts[id] = part.Release();
      });
  if (!status.ok()) return status;
  for (const Output& output : *outputs) {
    const auto artifact = artifacts.find(output.artifact);
    if (artifact == artifacts.end()) return DamagedRecord("artifact", output.artifact);
    std::string part = artifact->second;
    AppendBytesField(&part, v1::CachedOutput::kEventFieldNumber, output.event);
    answer->AddBytes(v1::CacheHit::kOutputsFieldNumber, part);
  }
  return absl::OkStatus();
}

// By the wall clock, for people.
int64_t ExpiresAtMs(const CacheLease& lease, const CacheRuntime& runtime) {
  return runtime.clock_ms() + std::max<int64_t>(lease.LeftMs(runtime), 0);
}

}  // namespace

absl::Status AnswerHit(const Reader& reader, const CacheKeyTexts& key, const CacheAnswer& found,
                       Answer* answer) {
  v1::CacheHit tail;
  tail.set_age_ms(found.age_ms);
  tail.set_completed_at_ms(found.completed_ms);
  if (key.scope() == CacheScope::kPipeline) {
    tail.set_namespace_(key.key().namespace_());
    tail.set_pipeline(key.key().pipeline());
  } else {
    auto entry = reader.FindCacheEntry(found.execution);
    if (!entry.ok()) return entry.status();
    if (!entry->has_value()) return DamagedRecord("the cache_entry of execution", found.execution);
    tail.set_namespace_((*entry)->name_space);
    tail.set_pipeline((*entry)->pipeline);
  }
  bool is_there = false;
  absl::Status status = reader.VisitRecords(
      NodeKind::kExecution, {found.execution}, [&](int64_t, const RecordView& record) {
        is_there = true;
        answer->AddNode(v1::CacheHit::kExecutionFieldNumber, NodeKind::kExecution, record);
      });
  if (status.ok() && !is_there) status = DamagedRecord("execution", found.execution);
  if (status.ok()) status = AddOutputs(reader, found.execution, answer);
  if (!status.ok()) return status;
  answer->AddFields(tail);
  answer->Enclose(v1::LookupResponse::kHitFieldNumber);
  static_assert(int{v1::LookupResponse::kHitFieldNumber} ==
                int{v1::LookupOrReserveResponse::kHitFieldNumber});
  ++reader.cache().counters.hits;
  reader.cache().counters.saved_ms += found.run_ms;
  return absl::OkStatus();
}

v1::CacheMiss ToMessage(const CacheAnswer& miss) {
  v1::CacheMiss message;
  message.set_reason(static_cast<v1::MissReason>(miss.reason));
  message.set_detail(miss.detail);
  return message;
}

void CountMiss(const CacheAnswer& miss, CacheRuntime* runtime) {
  ++runtime->counters.misses[static_cast<size_t>(miss.reason)];
}

v1::CacheLease ToMessage(const CacheLease& lease, const CacheRuntime& runtime) {
  v1::CacheLease message;
  message.set_owner(lease.owner);
  message.set_fencing_token(lease.token);
  message.set_lease_ms(lease.lease_ms);
  message.set_expires_at_ms(ExpiresAtMs(lease, runtime));
  return message;
}

v1::CacheBusy ToBusy(const CacheLease& lease, const CacheRuntime& runtime) {
  v1::CacheBusy message;
  message.set_owner(lease.owner);
  message.set_expires_at_ms(ExpiresAtMs(lease, runtime));
  return message;
}

}  // namespace pedigree
