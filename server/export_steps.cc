#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/answer.h"
#include "server/export_records.h"
#include "store/keys.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using Step = v1::ExportedStep;

// Uses whose artifacts are fetched at once.
constexpr size_t kBatch = 16;
// Executions that are looked up at once.
constexpr size_t kExecutions = 256;
// A record of a step ends with the use that makes its uses so large.
constexpr size_t kStepBytes = size_t{1} << 20;

// Of an event's message.
struct EventPeek {
  int64_t artifact = 0;
  int64_t time_ms = 0;
};

EventPeek Peek(absl::string_view event) {
  EventPeek peek;
  WireCursor cursor(event);
  while (const auto field = cursor.Next()) {
    if (field->number == ml_metadata::Event::kArtifactIdFieldNumber) {
      peek.artifact = field->AsInt64();
    } else if (field->number == ml_metadata::Event::kMillisecondsSinceEpochFieldNumber) {
      peek.time_ms = field->AsInt64();
    }
  }
  return peek;
}

std::string NodeField(const Reader& reader, int field, NodeKind kind, const RecordView& record) {
  Answer answer(reader.catalog());
  answer.AddNode(field, kind, record);
  return answer.Release();
}

// The uses of one record of a step.
class Uses {
 public:
  Uses(const Reader& reader, const ExportScope& scope, int64_t execution)
      : reader_(reader), scope_(scope), execution_(execution) {}

  // Adds uses from a place on, until there are enough. Answers where the next one is, nullopt if
  // there is none.
  absl::StatusOr<std::optional<ExportPosition>> AddFrom(const ExportPosition& from) {
    std::optional<ExportPosition> rest;
    KeyRange range = PrefixRange(ExecutionEventsKey::Prefix(execution_));
    if (from.chunk != 0) range.begin = ExecutionEventsKey{execution_, from.chunk}.Encode();
    absl::Status inner;
    absl::Status status =
        reader_.view().Scan(range, Direction::kAscending, Blocking::kAllowed,
                            [&](absl::string_view key_bytes, absl::string_view chunk) {
                              ExecutionEventsKey key = {};
                              if (!ExecutionEventsKey::Decode(key_bytes, &key)) {
                                inner = DamagedRecord("events of execution", execution_);
                                return false;
                              }
                              int64_t place = -1;
                              const bool is_chunk = VisitChunk(chunk, [&](absl::string_view event) {
                                ++place;
                                if (key.number == from.chunk && place < from.place) return true;
                                if (bytes_.size() >= kStepBytes) {
                                  rest = from;
                                  rest->chunk = key.number;
                                  rest->place = place;
                                  return false;
                                }
                                inner = Add(event);
                                return inner.ok();
                              });
                              if (!is_chunk)
                                inner = DamagedRecord("events of execution", execution_);
                              return inner.ok() && !rest.has_value();
                            });
    if (status.ok()) status = inner;
    if (status.ok()) status = AddBatch();
    if (!status.ok()) return status;
    return rest;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  absl::Status Add(absl::string_view event) {
    const EventPeek peek = Peek(event);
    const EventEnds ends = {static_cast<uint32_t>(peek.artifact), static_cast<uint32_t>(execution_),
                            0};
    if (!scope_.KnowsEvent(ends, peek.time_ms)) return absl::OkStatus();
    batch_.emplace_back(peek.artifact, std::string(event));
    batch_bytes_ += event.size();
    const bool is_full = batch_.size() >= kBatch || batch_bytes_ >= kStepBytes;
    return is_full ? AddBatch() : absl::OkStatus();
  }

  absl::Status AddBatch() {
    std::vector<int64_t> ids;
    for (const auto& [artifact, event] : batch_) ids.push_back(artifact);
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::vector<std::string> artifacts(ids.size());
    size_t next = 0;
    absl::Status status =
        reader_.VisitRecords(NodeKind::kArtifact, ids, [&](int64_t id, const RecordView& record) {
          while (ids[next] != id) ++next;
          artifacts[next] =
              NodeField(reader_, Step::Use::kArtifactFieldNumber, NodeKind::kArtifact, record);
        });
    if (!status.ok()) return status;
    for (const auto& [artifact, event] : batch_) {
      const auto at = std::lower_bound(ids.begin(), ids.end(), artifact) - ids.begin();
      const std::string& node = artifacts[static_cast<size_t>(at)];
      if (node.empty()) return DamagedRecord("artifact", artifact);
      AppendFieldHead(&bytes_, Step::kUsesFieldNumber,
                      BytesFieldSize(Step::Use::kEventFieldNumber, event.size()) + node.size());
      AppendBytesField(&bytes_, Step::Use::kEventFieldNumber, event);
      bytes_.append(node);
    }
    batch_.clear();
    batch_bytes_ = 0;
    return absl::OkStatus();
  }

  const Reader& reader_;
  const ExportScope& scope_;
  const int64_t execution_;
  std::vector<std::pair<int64_t, std::string>> batch_;
  size_t batch_bytes_ = 0;  // Of its events.
  std::string bytes_;
};

absl::StatusOr<std::string> ContextsOf(const Reader& reader, const ExportScope& scope,
                                       int64_t execution) {
  auto ids = reader.Links(NodeKind::kExecution, execution);
  if (!ids.ok()) return ids.status();
  std::erase_if(*ids, [&](int64_t id) { return !scope.Knows(NodeKind::kContext, id); });
  std::string bytes;
  absl::Status status =
      reader.VisitRecords(NodeKind::kContext, *ids, [&](int64_t, const RecordView& record) {
        bytes.append(NodeField(reader, Step::kContextsFieldNumber, NodeKind::kContext, record));
      });
  if (!status.ok()) return status;
  return bytes;
}

// Adds records of the step at the position until the message is full, and moves on.
absl::Status AddStep(const Reader& reader, const ExportScope& scope, const RecordView& record,
                     ExportPosition* position, ExportMessage* message) {
  const int64_t execution = position->id;
  const auto contexts = ContextsOf(reader, scope, execution);
  if (!contexts.ok()) return contexts.status();
  const std::string node =
      NodeField(reader, Step::kExecutionFieldNumber, NodeKind::kExecution, record);
  while (!message->IsFull()) {
    Uses uses(reader, scope, execution);
    auto rest = uses.AddFrom(*position);
    if (!rest.ok()) return rest.status();
    std::string step = node + uses.bytes() + *contexts;
    if (position->chunk != 0) AppendVarintField(&step, Step::kContinuesFieldNumber, 1);
    if (rest->has_value()) AppendVarintField(&step, Step::kIsContinuedFieldNumber, 1);
    message->AddRecord(v1::ExportRecord::kStepFieldNumber, step);
    if (!rest->has_value()) {
      *position = {.id = execution + 1};
      break;
    }
    *position = **rest;
  }
  return absl::OkStatus();
}

// The next executions from an id on, whichever exist.
absl::StatusOr<std::vector<int64_t>> NextExecutions(const Reader& reader, const ExportScope& scope,
                                                    int64_t from) {
  std::vector<int64_t> ids;
  if (const IdBitmap* executions = scope.nodes(NodeKind::kExecution); executions != nullptr) {
    for (auto id = executions->FirstFrom(from); id.has_value() && ids.size() < kExecutions;
         id = executions->FirstFrom(*id + 1)) {
      ids.push_back(*id);
    }
    return ids;
  }
  const int64_t last = reader.version().last_id(NodeKind::kExecution);
  for (int64_t id = from; id <= last && ids.size() < kExecutions; ++id) ids.push_back(id);
  return ids;
}

}  // namespace

absl::StatusOr<ExportProgress> AddSteps(const Reader& reader, const ExportScope& scope,
                                        ExportPosition* position, ExportMessage* message) {
  if (position->stage != 0) {
    return absl::InvalidArgumentError("position is not one of an export in steps");
  }
  while (!message->IsFull()) {
    const auto ids = NextExecutions(reader, scope, position->id);
    if (!ids.ok()) return ids.status();
    if (ids->empty()) return ExportProgress::kDone;
    absl::Status inner;
    absl::Status status =
        reader.VisitRecords(NodeKind::kExecution, *ids, [&](int64_t id, const RecordView& record) {
          if (!inner.ok() || message->IsFull()) return;
          if (id != position->id) *position = {.id = id};
          inner = AddStep(reader, scope, record, position, message);
        });
    if (!status.ok()) return status;
    if (!inner.ok()) return inner;
    if (!message->IsFull()) *position = {.id = ids->back() + 1};
  }
  return ExportProgress::kMore;
}

}  // namespace pedigree
