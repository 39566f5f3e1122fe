// Events, stored once in each direction.
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/keys.h"
#include "store/transaction.h"

namespace pedigree {

using ml_metadata::Event;

absl::StatusOr<bool> Transaction::EventExists(const Event& event, const std::string& key) const {
  switch (writes_.Find(key).state) {
    case WriteSet::State::kValue:
      return true;
    case WriteSet::State::kDeleted:
      return false;
    case WriteSet::State::kUnknown:
      break;
  }
  // The store cannot have an event of a node that it does not have yet.
  if (IsOfThisGroup(NodeKind::kArtifact, event.artifact_id()) ||
      IsOfThisGroup(NodeKind::kExecution, event.execution_id())) {
    return false;
  }
  auto stored = view_->Get(key, Blocking::kAllowed);
  if (!stored.ok()) return stored.status();
  return stored->has_value();
}

namespace {

absl::Status CheckGraphIds(const Event& event) {
  if (event.artifact_id() <= kLastGraphId && event.execution_id() <= kLastGraphId) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(absl::StrCat(
      "an event between artifact ", event.artifact_id(), " and execution ", event.execution_id(),
      " cannot be stored: ids of nodes with events go up to ", kLastGraphId));
}

}  // namespace

absl::Status Transaction::AddEvents(absl::Span<Event* const> events,
                                    absl::FunctionRef<absl::Status(const Event& event)> check) {
  struct Chunk {
    ExecutionEventsKey key;
    std::string bytes;
  };
  if (!graph_->HasRoomFor(static_cast<uint32_t>(group_begin_.last_event_number),
                          events_.size() + events.size())) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the store has room for no more events: it has ", counters_.last_event_number));
  }
  std::vector<Chunk> chunks;
  absl::flat_hash_map<int64_t, size_t> chunk_of;  // By execution.
  for (Event* event : events) {
    if (absl::Status status = check(*event); !status.ok()) return status;
    if (absl::Status status = CheckGraphIds(*event); !status.ok()) return status;
    if (!event->has_milliseconds_since_epoch()) event->set_milliseconds_since_epoch(now_ms());
    const std::string key = ArtifactEventKey{event->artifact_id(), event->execution_id(),
                                             static_cast<uint8_t>(event->type())}
                                .Encode();
    auto exists = EventExists(*event, key);
    if (!exists.ok()) return exists.status();
    if (*exists) {
      return absl::AlreadyExistsError(absl::StrCat(
          "an event ", Event::Type_Name(event->type()), " between artifact ", event->artifact_id(),
          " and execution ", event->execution_id(), " already exists"));
    }
    if (event->has_path() && event->path().steps().empty()) event->clear_path();
    const int64_t number = ++counters_.last_event_number;
    const std::string bytes = event->SerializeAsString();
    std::string value;
    AppendVarint(&value, static_cast<uint64_t>(number));
    value.append(bytes);
    writes_.Put(key, value);
    JournalEvent(*event, bytes);
    events_.push_back(
        {{static_cast<uint32_t>(event->artifact_id()), static_cast<uint32_t>(event->execution_id()),
          static_cast<uint8_t>(event->type())},
         event->milliseconds_since_epoch()});

    const auto [it, is_new] = chunk_of.try_emplace(event->execution_id(), chunks.size());
    if (is_new) chunks.push_back({{event->execution_id(), number}, {}});
    AppendEventToChunk(bytes, &chunks[it->second].bytes);
  }
  for (const Chunk& chunk : chunks) {
    writes_.Put(chunk.key.Encode(), chunk.bytes);
  }
  return absl::OkStatus();
}

void Transaction::SetLineageSnapshot(const GraphSnapshot& snapshot) {
  writes_.Put(LineageSnapshotKey().Encode(), snapshot.Encode());
}

absl::StatusOr<int64_t> Transaction::TrimEventLog(int64_t from, int64_t before, int64_t most) {
  const KeyRange range = {EventLogKey{from}.Encode(), EventLogKey{before}.Encode()};
  int64_t next = 0;
  absl::Status status = view_->Scan(range, Direction::kAscending, Blocking::kAllowed,
                                    [&](absl::string_view key, absl::string_view) {
                                      if (most-- > 0) {
                                        writes_.Delete(key);
                                        return true;
                                      }
                                      EventLogKey head = {};
                                      if (EventLogKey::Decode(key, &head)) next = head.number;
                                      return false;
                                    });
  if (!status.ok()) return status;
  return next;
}

}  // namespace pedigree
