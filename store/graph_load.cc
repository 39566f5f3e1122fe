#include "store/graph_load.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/event_log.h"
#include "store/graph_snapshot.h"
#include "store/keys.h"
#include "store/wire.h"

namespace pedigree {
namespace {

constexpr std::chrono::seconds kBetweenLines{5};
// Events between two looks at the clock.
constexpr int64_t kSlice = 65536;

// Says now and then how far it is.
class Progress {
 public:
  Progress(const LogLine& log, int64_t all) : log_(log), all_(all) {}

  void Add() {
    if (++done_ % kSlice != 0) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_line_ < kBetweenLines) return;
    last_line_ = now;
    log_(absl::StrCat("reading lineage: ", done_, " of ", all_, " events"));
  }
  int64_t done() const { return done_; }

 private:
  const LogLine& log_;
  const int64_t all_;
  int64_t done_ = 0;
  std::chrono::steady_clock::time_point last_line_ = std::chrono::steady_clock::now();
};

std::optional<int64_t> TimeOf(absl::string_view event) {
  WireCursor cursor(event);
  while (const auto field = cursor.Next()) {
    if (field->number == ml_metadata::Event::kMillisecondsSinceEpochFieldNumber) {
      return field->AsInt64();
    }
  }
  return std::nullopt;
}

// One entry of artifact_event. False if it does not decode, or its number was never handed out.
bool LoadEvent(absl::string_view key, absl::string_view value, int64_t last_number,
               EventGraph* graph) {
  ArtifactEventKey head = {};
  uint64_t number = 0;
  ByteReader reader(value);
  if (!ArtifactEventKey::Decode(key, &head) || !reader.ReadVarint(&number)) return false;
  const auto time_ms = TimeOf(reader.rest());
  const auto is_id = [](int64_t id) { return id >= 1 && id <= kLastGraphId; };
  if (!time_ms.has_value() || number < 1 || number > static_cast<uint64_t>(last_number) ||
      !is_id(head.artifact) || !is_id(head.execution)) {
    return false;
  }
  graph->SetEvent(
      static_cast<uint32_t>(number),
      {static_cast<uint32_t>(head.artifact), static_cast<uint32_t>(head.execution), head.type},
      *time_ms);
  return true;
}

// Starts the graph with the snapshot that the store names. 0 if there is none, or none that can be
// used, and then the graph may be of no use.
absl::StatusOr<uint32_t> LoadSnapshot(const View& view, const Counters& counters,
                                      const std::string& data_dir, const LogLine& log,
                                      EventGraph* graph) {
  auto bytes = view.Get(LineageSnapshotKey().Encode(), Blocking::kAllowed);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return 0;
  GraphSnapshot snapshot;
  absl::Status status;
  if (!GraphSnapshot::Decode(**bytes, &snapshot) ||
      snapshot.last_event > counters.last_event_number) {
    status = absl::DataLossError("the store does not say which snapshot it has");
  } else {
    status = ReadGraphSnapshot(data_dir, snapshot, graph);
  }
  if (status.ok()) return snapshot.last_event;
  log(absl::StrCat("reading all events, as the snapshot of lineage cannot be used: ",
                   status.message()));
  return 0;
}

// Appends what the log has after `last`. Answers the number of the last event then; less than the
// store has where the log has a gap, or does not decode.
absl::StatusOr<uint32_t> LoadLog(const View& view, uint32_t last, EventGraph* graph) {
  const KeyRange range = {EventLogKey{int64_t{last} + 1}.Encode(),
                          PrefixRange(KeyHead(Tag::kEventLog)).end};
  absl::Status status =
      view.ScanThrough(range, [&](absl::string_view key, absl::string_view value) {
        EventLogKey head = {};
        if (!EventLogKey::Decode(key, &head) || head.number != int64_t{last} + 1) return false;
        return VisitEventLog(value, [&](const NewEvent& event) {
          graph->Append(++last, event.ends, event.time_ms);
        });
      });
  if (!status.ok()) return status;
  return last;
}

}  // namespace

absl::StatusOr<LoadedGraph> LoadGraph(const View& view, const Counters& counters,
                                      const std::string& data_dir, const LogLine& log) {
  LoadedGraph loaded{std::make_unique<EventGraph>()};
  auto last = LoadSnapshot(view, counters, data_dir, log, loaded.graph.get());
  if (!last.ok()) return last.status();
  loaded.last_event_of_snapshot = *last;
  // After a snapshot that could not be used, events may be in the graph.
  if (*last == 0) loaded.graph = std::make_unique<EventGraph>();
  last = LoadLog(view, *last, loaded.graph.get());
  if (!last.ok()) return last.status();
  if (*last == counters.last_event_number) return loaded;
  auto scanned = ScanGraph(view, counters, log);
  if (!scanned.ok()) return scanned.status();
  return LoadedGraph{*std::move(scanned)};
}

absl::StatusOr<std::unique_ptr<EventGraph>> ScanGraph(const View& view, const Counters& counters,
                                                      const LogLine& log) {
  auto graph = std::make_unique<EventGraph>();
  const int64_t last = std::min(counters.last_event_number, kLastGraphId);
  Progress progress(log, last);
  absl::Status status = view.ScanThrough(PrefixRange(KeyHead(Tag::kArtifactEvent)),
                                         [&](absl::string_view key, absl::string_view value) {
                                           if (LoadEvent(key, value, last, graph.get())) {
                                             progress.Add();
                                           }
                                           return true;
                                         });
  if (!status.ok()) return status;
  if (progress.done() != last) {
    log(absl::StrCat("WARNING: of ", last, " events ", progress.done(),
                     " could be read; the store is damaged: run pedigreed --verify"));
  }
  for (uint32_t number = 1; number <= last; ++number) {
    if (graph->IsSet(number)) {
      graph->Connect(number);
    } else {
      graph->SetEvent(number, {}, 0);  // A gap: no walk comes here.
    }
  }
  return graph;
}

}  // namespace pedigree
