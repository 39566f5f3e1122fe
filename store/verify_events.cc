// Verify: events by execution and by artifact, and their numbers.
#include <cstdlib>
#include <utility>

#include "store/codec.h"
#include "store/graph_snapshot.h"
#include "store/verifier.h"

namespace pedigree {

using ml_metadata::Event;

namespace {
constexpr int64_t kEndOfNumbers = int64_t{1} << 53;  // As of ids.
}

absl::Status Verifier::CheckChunk(absl::string_view key, absl::string_view chunk) {
  ExecutionEventsKey head = {};
  if (!ExecutionEventsKey::Decode(key, &head) || head.execution < kFirstId || head.number < 1 ||
      head.number >= kEndOfNumbers) {
    Problem("a key of execution_events does not decode");
    return absl::OkStatus();
  }
  if (chunk.empty()) Problem("execution ", head.execution, ": an empty chunk of events");
  if (head.number > counters_.last_event_number) {
    Problem("event ", head.number, ": beyond the last number handed out");
  }
  absl::Status status;
  // A request may add to several executions by turns: numbers ascend within a chunk, with gaps.
  int64_t last = 0;
  const bool whole = VisitChunk(chunk, [&](absl::string_view bytes) {
    ++report_.events;
    const auto number = CheckEvent(head.execution, bytes);
    status = number.status();
    if (!status.ok() || !number->has_value()) return status.ok();
    if (last == 0 ? **number != head.number : **number <= last) {
      Problem("execution ", head.execution, ": its events from number ", head.number,
              " on are out of order: ", **number, " by artifact");
    }
    last = **number;
    return true;
  });
  if (!whole) Problem("execution ", head.execution, ": its events do not decode");
  return status;
}

// The number of the event, which stands by artifact; nullopt if it cannot be told.
absl::StatusOr<std::optional<int64_t>> Verifier::CheckEvent(int64_t execution,
                                                            absl::string_view bytes) {
  Event event;
  if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      event.execution_id() != execution || !event.has_milliseconds_since_epoch()) {
    Problem("execution ", execution, ": one of its events does not decode");
    return std::nullopt;
  }
  const auto what = [&] {
    return absl::StrCat("event of artifact ", event.artifact_id(), " and execution ", execution);
  };
  const ArtifactEventKey key = {event.artifact_id(), execution, static_cast<uint8_t>(event.type())};
  auto reverse = Get(key.Encode());
  if (!reverse.ok()) return reverse.status();
  uint64_t number = 0;
  ByteReader reader(reverse->has_value() ? absl::string_view(**reverse) : absl::string_view());
  const bool has_number = reader.ReadVarint(&number);
  if (!has_number || reader.rest() != bytes) Problem(what(), ": not the same by artifact");
  absl::Status status =
      Expect(NodeKey{NodeKind::kExecution, execution}.Encode(), std::nullopt, what);
  if (status.ok()) {
    status = Expect(NodeKey{NodeKind::kArtifact, event.artifact_id()}.Encode(), std::nullopt, what);
  }
  if (!status.ok()) return status;
  if (!has_number) return std::nullopt;
  return static_cast<int64_t>(number);
}

void Verifier::CheckNumber(int64_t number) {
  if (number > counters_.last_event_number) {
    Problem("event ", number, ": beyond the last number handed out");
  }
  const auto [block, bit] = std::div(number, kNumbersPerBlock);
  auto is_taken = event_numbers_[block][static_cast<size_t>(bit)];
  if (is_taken) Problem("event ", number, ": the number of two events");
  is_taken = true;
}

absl::Status Verifier::CheckArtifactEvent(absl::string_view key, absl::string_view value) {
  ++events_by_artifact_;
  ArtifactEventKey head = {};
  uint64_t number = 0;
  ByteReader reader(value);
  if (!ArtifactEventKey::Decode(key, &head) || !reader.ReadVarint(&number) || number == 0 ||
      number >= uint64_t{kEndOfNumbers}) {
    Problem("an entry of artifact_event does not decode");
    return absl::OkStatus();
  }
  CheckNumber(static_cast<int64_t>(number));
  const auto is_in_chunk = IsInChunk(head.execution, static_cast<int64_t>(number), reader.rest());
  if (!is_in_chunk.ok()) return is_in_chunk.status();
  if (!*is_in_chunk) {
    Problem("event of artifact ", head.artifact, " and execution ", head.execution,
            ": not by execution, where number ", number, " should stand");
  }
  return absl::OkStatus();
}

void Verifier::CheckLineageSnapshot(absl::string_view value) {
  GraphSnapshot snapshot;
  if (!GraphSnapshot::Decode(value, &snapshot)) {
    Problem("lineage_snapshot: does not decode");
  } else if (snapshot.last_event > counters_.last_event_number) {
    Problem("lineage_snapshot: goes beyond the last number handed out");
  }
}

absl::Status Verifier::CheckEventLog(absl::string_view key, absl::string_view value) {
  EventLogKey head = {};
  std::vector<NewEvent> events;
  if (!EventLogKey::Decode(key, &head) ||
      !VisitEventLog(value, [&](const NewEvent& event) { events.push_back(event); })) {
    Problem("an entry of event_log does not decode");
    return absl::OkStatus();
  }
  for (const NewEvent& event : events) {
    if (absl::Status status = CheckLoggedEvent(head.number++, event); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Verifier::CheckLoggedEvent(int64_t number, const NewEvent& logged) {
  const ArtifactEventKey key = {logged.ends.artifact, logged.ends.execution, logged.ends.type};
  auto stored = Get(key.Encode());
  if (!stored.ok()) return stored.status();
  ByteReader reader(stored->has_value() ? absl::string_view(**stored) : absl::string_view());
  uint64_t stored_number = 0;
  Event event;
  if (!reader.ReadVarint(&stored_number) || static_cast<int64_t>(stored_number) != number ||
      !event.ParseFromArray(reader.rest().data(), static_cast<int>(reader.rest().size())) ||
      event.milliseconds_since_epoch() != logged.time_ms) {
    Problem("event_log, event ", number, ": not the same by artifact");
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Verifier::IsInChunk(int64_t execution, int64_t number,
                                         absl::string_view bytes) {
  // A request adds one chunk to an execution, so this is the chunk even if there are numbers that
  // the request gave to events of other executions.
  if (chunk_.execution == execution && chunk_.first <= number && chunk_.events.contains(bytes)) {
    return true;
  }
  if (absl::Status status = ReadChunkOf(execution, number); !status.ok()) return status;
  return chunk_.events.contains(bytes);
}

absl::Status Verifier::ReadChunkOf(int64_t execution, int64_t number) {
  chunk_ = {};
  // The chunk is the last one that begins at the number or before it.
  KeyRange range = {ExecutionEventsKey::Prefix(execution),
                    ExecutionEventsKey{execution, number}.Encode()};
  range.end.push_back('\0');
  absl::Status status = view_.Scan(range, Direction::kDescending, Blocking::kAllowed,
                                   [&](absl::string_view key, absl::string_view value) {
                                     ExecutionEventsKey head = {};
                                     if (!ExecutionEventsKey::Decode(key, &head)) return true;
                                     chunk_.execution = head.execution;
                                     chunk_.first = head.number;
                                     chunk_.bytes = std::string(value);
                                     return false;
                                   });
  if (!status.ok()) return status;
  VisitChunk(chunk_.bytes, [&](absl::string_view event) {
    chunk_.events.insert(event);
    return true;
  });
  return absl::OkStatus();
}

}  // namespace pedigree
