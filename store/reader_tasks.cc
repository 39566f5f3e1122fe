// Reads of tasks of Kubeflow Pipelines.
#include <utility>

#include "store/keys.h"
#include "store/reader.h"

namespace pedigree {
namespace {

absl::Status DamagedTasks() {
  return absl::DataLossError(
      "a key of a task does not decode; the store is damaged: restore a backup");
}

// Those keys of `all` that stand at `from` or after it in this direction.
KeyRange From(std::string from, KeyRange all, Direction direction) {
  if (direction == Direction::kAscending) {
    all.begin = std::move(from);
  } else {
    from.push_back('\0');  // The range excludes its end, and `from` itself belongs to it.
    all.end = std::move(from);
  }
  return all;
}

}  // namespace

absl::StatusOr<std::optional<std::string>> Reader::FindTask(int64_t number) const {
  return Get(TaskKey{number}.Encode());
}

absl::Status Reader::VisitTasks(int64_t from, Direction direction, VisitTask visit) const {
  const KeyRange range = From(TaskKey{from}.Encode(), PrefixRange(KeyHead(Tag::kTask)), direction);
  bool damaged = false;
  absl::Status status = Scan(range, direction, [&](absl::string_view key, absl::string_view value) {
    TaskKey task = {};
    damaged = !TaskKey::Decode(key, &task);
    return !damaged && visit(task.number, value);
  });
  if (!status.ok()) return status;
  return damaged ? DamagedTasks() : absl::OkStatus();
}

absl::Status Reader::VisitTaskPlaces(const std::string& prefix, Direction direction,
                                     VisitTaskPlace visit) const {
  return ScanTaskPlaces(PrefixRange(prefix), direction, visit);
}

absl::Status Reader::VisitTaskPlacesFrom(const std::string& prefix, TaskPlace from,
                                         Direction direction, VisitTaskPlace visit) const {
  std::string first = prefix;
  AppendTaskPlace(&first, from);
  return ScanTaskPlaces(From(std::move(first), PrefixRange(prefix), direction), direction, visit);
}

absl::Status Reader::ScanTaskPlaces(const KeyRange& range, Direction direction,
                                    VisitTaskPlace visit) const {
  bool damaged = false;
  absl::Status status = Scan(range, direction, [&](absl::string_view key, absl::string_view) {
    TaskPlace place = {};
    damaged = !TaskFingerprintKey::DecodePlace(key, &place);
    return !damaged && visit(place);
  });
  if (!status.ok()) return status;
  return damaged ? DamagedTasks() : absl::OkStatus();
}

}  // namespace pedigree
