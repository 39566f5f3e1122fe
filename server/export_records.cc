#include "server/export_records.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/cache_entry.h"
#include "store/keys.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using Record = v1::ExportRecord;

// Of ExportPosition, in the order of the records.
enum Stage : int64_t {
  kArtifactTypes,
  kExecutionTypes,
  kContextTypes,
  kContexts,
  kArtifacts,
  kExecutions,
  kEvents,
  kTasks,
  kCacheEntries,
  kEnd,
};

// Nodes and events that are fetched at once.
constexpr size_t kBatch = 512;

class RecordsExport {
 public:
  RecordsExport(const Reader& reader, const ExportScope& scope, ExportPosition* position,
                ExportMessage* message)
      : reader_(reader), scope_(scope), position_(*position), message_(*message) {}

  // Adds records of the stage at hand, until the message is full or there are no more.
  absl::Status AddStage() {
    switch (position_.stage) {
      case kArtifactTypes:
        return AddTypes<ml_metadata::Artifact>(Record::kArtifactTypeFieldNumber);
      case kExecutionTypes:
        return AddTypes<ml_metadata::Execution>(Record::kExecutionTypeFieldNumber);
      case kContextTypes:
        return AddTypes<ml_metadata::Context>(Record::kContextTypeFieldNumber);
      case kContexts:
        return AddNodes(NodeKind::kContext, Record::kContextFieldNumber);
      case kArtifacts:
        return AddNodes(NodeKind::kArtifact, Record::kArtifactFieldNumber);
      case kExecutions:
        return AddNodes(NodeKind::kExecution, Record::kExecutionFieldNumber);
      case kEvents:
        return AddEvents();
      case kTasks:
        return AddTasks();
      case kCacheEntries:
        return AddCacheEntries();
      default:
        return absl::InvalidArgumentError("position is not one of an export in records");
    }
  }

 private:
  // A record of this id has been added, or left out.
  void Pass(int64_t id) { position_.id = id + 1; }

  template <class Node>
  absl::Status AddTypes(int field) {
    for (const auto& [id, type] : reader_.catalog().Of<Node>().all()) {
      if (id < position_.id) continue;
      if (message_.IsFull()) break;
      message_.AddRecord(field, SerializeSame(*type));
      Pass(id);
    }
    return absl::OkStatus();
  }

  absl::Status AddNodes(NodeKind kind, int field) {
    const IdBitmap* const nodes = scope_.nodes(kind);
    return nodes == nullptr ? AddAllNodes(kind, field) : AddNodesIn(*nodes, kind, field);
  }

  absl::Status AddAllNodes(NodeKind kind, int field) {
    std::string prefix = KeyHead(Tag::kNode);
    prefix.push_back(static_cast<char>(kind));
    KeyRange range = PrefixRange(prefix);
    range.begin = NodeKey{kind, position_.id}.Encode();
    absl::Status inner;
    absl::Status status = reader_.view().ScanThrough(
        range, [&](absl::string_view key_bytes, absl::string_view value) {
          NodeKey key = {};
          const auto record = RecordView::Parse(value);
          if (!NodeKey::Decode(key_bytes, &key) || !record.has_value()) {
            inner = DamagedRecord("node", position_.id);
            return false;
          }
          inner = reader_.Spend(1);
          if (!inner.ok() || message_.IsFull()) return false;
          inner = AddNode(kind, field, key.id, *record);
          return inner.ok();
        });
    return status.ok() ? inner : status;
  }

  absl::Status AddNodesIn(const IdBitmap& nodes, NodeKind kind, int field) {
    while (!message_.IsFull()) {
      std::vector<int64_t> ids;
      for (auto id = nodes.FirstFrom(position_.id); id.has_value() && ids.size() < kBatch;
           id = nodes.FirstFrom(*id + 1)) {
        ids.push_back(*id);
      }
      if (ids.empty()) break;
      absl::Status inner;
      absl::Status status =
          reader_.VisitRecords(kind, ids, [&](int64_t id, const RecordView& record) {
            if (inner.ok() && !message_.IsFull()) inner = AddNode(kind, field, id, record);
          });
      if (!status.ok()) return status;
      if (!inner.ok()) return inner;
      // What changed and is gone again is passed over.
      if (!message_.IsFull()) Pass(ids.back());
    }
    return absl::OkStatus();
  }

  absl::Status AddNode(NodeKind kind, int field, int64_t id, const RecordView& record) {
    std::vector<int64_t> links;
    if (record.HasFarLinks()) {
      auto all = reader_.Links(kind, id);
      if (!all.ok()) return all.status();
      links = *std::move(all);
    } else {
      links = record.NearLinks();
    }
    if (!scope_.KnowsAll(NodeKind::kContext)) {
      std::erase_if(links,
                    [&](int64_t context) { return !scope_.Knows(NodeKind::kContext, context); });
    }
    content_.clear();
    // The fields of all three kinds have the same numbers.
    AppendBytesField(&content_, v1::ExportedArtifact::kArtifactFieldNumber, record.message());
    AppendIdsField(&content_, v1::ExportedArtifact::kContextIdsFieldNumber, links);
    message_.AddRecord(field, content_);
    Pass(id);
    return absl::OkStatus();
  }

  absl::Status AddEvents() {
    const int64_t last = reader_.version().counters.last_event_number;
    position_.id = std::max(position_.id, scope_.first_event());
    while (position_.id <= last && !message_.IsFull()) {
      if (absl::Status status = AddEventBatch(last); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status AddEventBatch(int64_t last) {
    const EventGraph& graph = *reader_.version().graph;
    std::vector<int64_t> numbers;
    std::vector<EventEnds> ends;
    int64_t next = position_.id;
    for (; next <= last && numbers.size() < kBatch; ++next) {
      const auto number = static_cast<uint32_t>(next);
      if (!scope_.KnowsEvent(graph.ends(number), graph.time_ms(number))) continue;
      numbers.push_back(next);
      ends.push_back(graph.ends(number));
    }
    if (absl::Status spent = reader_.Spend(next - position_.id); !spent.ok()) return spent;
    // Keys in order are found faster, and what follows one another by number is nearly in order.
    std::vector<size_t> order(ends.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::pair(ends[a].artifact, ends[a].execution) <
             std::pair(ends[b].artifact, ends[b].execution);
    });
    std::vector<EventEnds> sorted;
    sorted.reserve(ends.size());
    for (size_t i : order) sorted.push_back(ends[i]);
    std::vector<std::string> events(ends.size());
    absl::Status status = reader_.VisitEvents(sorted, [&](size_t place, absl::string_view event) {
      events[order[place]].assign(event.data(), event.size());
    });
    if (!status.ok()) return status;
    for (size_t i = 0; i < numbers.size() && !message_.IsFull(); ++i) {
      if (events[i].empty()) return DamagedRecord("event", numbers[i]);
      content_.clear();
      AppendBytesField(&content_, v1::ExportedEvent::kEventFieldNumber, events[i]);
      AppendVarintField(&content_, v1::ExportedEvent::kNumberFieldNumber,
                        static_cast<uint64_t>(numbers[i]));
      message_.AddRecord(Record::kEventFieldNumber, content_);
      Pass(numbers[i]);
    }
    if (!message_.IsFull()) position_.id = next;
    return absl::OkStatus();
  }

  absl::Status AddTasks() {
    const int64_t first = std::max(position_.id, scope_.first_task());
    return reader_.VisitTasks(first, Direction::kAscending,
                              [&](int64_t number, absl::string_view task) {
                                if (message_.IsFull()) return false;
                                if (scope_.HasTask(task))
                                  message_.AddRecord(Record::kTaskFieldNumber, task);
                                Pass(number);
                                return true;
                              });
  }

  absl::Status AddCacheEntries() {
    KeyRange range = PrefixRange(KeyHead(Tag::kCacheEntry));
    range.begin = CacheEntryKey{position_.id}.Encode();
    absl::Status inner;
    absl::Status status = reader_.view().ScanThrough(
        range, [&](absl::string_view key_bytes, absl::string_view value) {
          CacheEntryKey key = {};
          CacheEntry entry;
          if (!CacheEntryKey::Decode(key_bytes, &key) || !CacheEntry::Decode(value, &entry)) {
            inner = DamagedRecord("cache entry of execution", position_.id);
            return false;
          }
          inner = reader_.Spend(1);
          if (!inner.ok() || message_.IsFull()) return false;
          if (scope_.HasCacheEntry(key.execution)) AddCacheEntry(key, entry);
          Pass(key.execution);
          return true;
        });
    return status.ok() ? inner : status;
  }

  void AddCacheEntry(const CacheEntryKey& key, const CacheEntry& entry) {
    v1::ExportedCacheEntry exported;
    exported.set_execution_id(key.execution);
    exported.set_invalidated(entry.cache_class == CacheClass::kInvalidated);
    exported.set_is_explicit(entry.is_explicit);
    exported.set_namespace_(entry.name_space);
    exported.set_pipeline(entry.pipeline);
    exported.set_completed_at_ms(entry.completed_ms);
    exported.set_run_ms(entry.run_ms);
    message_.AddRecord(Record::kCacheEntryFieldNumber, exported.SerializeAsString());
  }

  const Reader& reader_;
  const ExportScope& scope_;
  ExportPosition& position_;
  ExportMessage& message_;
  std::string content_;
};

}  // namespace

absl::StatusOr<ExportProgress> AddRecords(const Reader& reader, const ExportScope& scope,
                                          ExportPosition* position, ExportMessage* message) {
  RecordsExport records(reader, scope, position, message);
  while (true) {
    if (absl::Status status = records.AddStage(); !status.ok()) return status;
    if (message->IsFull()) return ExportProgress::kMore;
    *position = {.stage = position->stage + 1};
    if (position->stage == kEnd) return ExportProgress::kDone;
  }
}

}  // namespace pedigree
