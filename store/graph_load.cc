#include "store/graph_load.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
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
  graph->SetEvent(static_cast<uint32_t>(number),
                  {static_cast<uint32_t>(head.artifact), static_cast<uint32_t>(head.execution),
                   head.type},
                  *time_ms);
  return true;
}

}  // namespace

absl::Status LoadGraph(const View& view, const Counters& counters, const LogLine& log,
                       EventGraph* graph) {
  const int64_t last = std::min(counters.last_event_number, kLastGraphId);
  Progress progress(log, last);
  absl::Status status =
      view.ScanThrough(PrefixRange(KeyHead(Tag::kArtifactEvent)),
                       [&](absl::string_view key, absl::string_view value) {
                         if (LoadEvent(key, value, last, graph)) progress.Add();
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
  return absl::OkStatus();
}

}  // namespace pedigree
