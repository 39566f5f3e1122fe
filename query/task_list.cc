#include "query/task_list.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "query/task_page.h"
#include "store/keys.h"

namespace pedigree {
namespace {

using IsUsable = absl::FunctionRef<absl::StatusOr<bool>(const api::Task& task)>;

class Lister {
 public:
  Lister(const Reader& reader, const TaskPage& page, IsUsable is_usable)
      : reader_(reader),
        page_(page),
        is_usable_(is_usable),
        is_lookup_(page.FixedText(TaskField::kFingerprint) != nullptr) {}

  absl::StatusOr<TaskList> Run() {
    absl::Status status = Look();
    if (!status.ok()) return status;
    TaskList list;
    const bool has_more = found_.size() > page_.size;
    if (has_more) found_.pop_back();
    if (has_more) list.next_page_token = page_.TokenAfter(found_.back().position);
    for (Found& found : found_) list.tasks.push_back(std::move(found.bytes));
    list.total_size = total_;
    return list;
  }

 private:
  struct Found {
    TaskPosition position;
    std::string bytes;
  };

  auto IsBefore() const {
    return [this](const Found& a, const Found& b) {
      return page_.order.IsBefore(a.position, b.position);
    };
  }

  absl::Status Look() {
    const std::string* id = page_.FixedText(TaskField::kId);
    const std::string* fingerprint = page_.FixedText(TaskField::kFingerprint);
    const std::string* pipeline = page_.FixedText(TaskField::kPipelineName);
    const std::string* name_space = page_.FixedText(TaskField::kNamespace);
    if (id != nullptr) return LookAtOne(NumberOfTaskId(*id).value_or(0));
    if (fingerprint == nullptr) return LookAtAll();
    if (pipeline == nullptr) return LookUnder(TaskFingerprintKey::Prefix(*fingerprint));
    if (name_space == nullptr)
      return LookUnder(TaskFingerprintKey::Prefix(*fingerprint, *pipeline));
    const std::string prefix = TaskFingerprintKey::Prefix(*fingerprint, *pipeline, *name_space);
    return page_.order.field == TaskField::kCreatedAt ? LookInOrder(prefix) : LookUnder(prefix);
  }

  // Reads the task into task_. False if it is not of the list.
  absl::StatusOr<bool> Belongs(int64_t number, absl::string_view bytes) {
    if (absl::Status status = reader_.Spend(page_.filter.cost()); !status.ok()) return status;
    if (!task_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return DamagedRecord("task", number);
    }
    if (!page_.Matches(task_)) return false;
    if (!is_lookup_) return true;
    return is_usable_(task_);
  }

  // The task's bytes if it is of the list.
  absl::StatusOr<std::optional<std::string>> FetchIfBelongs(int64_t number) {
    auto bytes = reader_.FindTask(number);
    if (!bytes.ok()) return bytes.status();
    if (!bytes->has_value()) return DamagedRecord("the index of task", number);
    auto belongs = Belongs(number, **bytes);
    if (!belongs.ok()) return belongs.status();
    if (!*belongs) return std::nullopt;
    return bytes;
  }

  absl::Status LookAtOne(int64_t number) {
    auto bytes = reader_.FindTask(number);
    if (!bytes.ok() || !bytes->has_value()) return bytes.status();
    return Gather(number, **bytes);
  }

  absl::Status LookAtAll() {
    absl::Status inner;
    absl::Status status = reader_.VisitTasks(kFirstId, Direction::kAscending,
                                             [&](int64_t number, absl::string_view bytes) {
                                               inner = Gather(number, bytes);
                                               return inner.ok();
                                             });
    if (!status.ok()) return status;
    Sort();
    return inner;
  }

  absl::Status LookUnder(const std::string& prefix) {
    absl::Status inner;
    absl::Status status =
        reader_.VisitTaskPlaces(prefix, Direction::kAscending, [&](TaskPlace place) {
          auto bytes = reader_.FindTask(place.number);
          inner = bytes.status();
          if (inner.ok() && !bytes->has_value()) inner = DamagedRecord("task", place.number);
          if (inner.ok()) inner = Gather(place.number, **bytes);
          return inner.ok();
        });
    if (!status.ok()) return status;
    Sort();
    return inner;
  }

  // Keeps the task if it may be one of the page: found_ is a heap with the last of them on top.
  absl::Status Gather(int64_t number, absl::string_view bytes) {
    auto belongs = Belongs(number, bytes);
    if (!belongs.ok() || !*belongs) return belongs.status();
    ++total_;
    TaskPosition position = page_.order.PositionOf(task_, number);
    if (page_.after.has_value() && !page_.order.IsBefore(*page_.after, position)) {
      return absl::OkStatus();
    }
    if (found_.size() > page_.size) {
      if (!page_.order.IsBefore(position, found_.front().position)) return absl::OkStatus();
      std::pop_heap(found_.begin(), found_.end(), IsBefore());
      found_.pop_back();
    }
    found_.push_back({std::move(position), std::string(bytes)});
    std::push_heap(found_.begin(), found_.end(), IsBefore());
    return absl::OkStatus();
  }

  void Sort() { std::sort_heap(found_.begin(), found_.end(), IsBefore()); }

  // By time of creation, as the index has it.
  absl::Status LookInOrder(const std::string& prefix) {
    const Direction direction = page_.order.direction == Direction::kDescending
                                    ? Direction::kAscending
                                    : Direction::kDescending;
    absl::Status inner;
    const auto visit_all = [&](absl::FunctionRef<absl::StatusOr<bool>(TaskPlace)> visit) {
      return [&inner, visit](TaskPlace place) {
        auto goes_on = visit(place);
        inner = goes_on.status();
        return goes_on.ok() && *goes_on;
      };
    };
    if (!page_.after.has_value()) {
      absl::Status status = reader_.VisitTaskPlaces(
          prefix, direction, visit_all([&](TaskPlace place) { return TakeInOrder(place); }));
      return status.ok() ? inner : status;
    }
    const TaskPlace after = {page_.after->seconds, page_.after->number};
    absl::Status status = reader_.VisitTaskPlaces(
        prefix, direction, visit_all([&](TaskPlace place) { return CountBefore(after, place); }));
    if (status.ok()) status = inner;
    if (!status.ok()) return status;
    status = reader_.VisitTaskPlacesFrom(prefix, after, direction,
                                         visit_all([&](TaskPlace place) -> absl::StatusOr<bool> {
                                           return place == after ? true : TakeInOrder(place);
                                         }));
    return status.ok() ? inner : status;
  }

  bool MayCount() const { return looked_at_ < kMostCountedTasks; }

  // Counts the tasks of earlier pages, `after` included. False: that is all.
  absl::StatusOr<bool> CountBefore(TaskPlace after, TaskPlace place) {
    const TaskPosition position = {place.created_s, "", place.number};
    if (page_.order.IsBefore({after.created_s, "", after.number}, position)) return false;
    if (!MayCount()) return false;
    ++looked_at_;
    auto bytes = FetchIfBelongs(place.number);
    if (!bytes.ok()) return bytes.status();
    if (bytes->has_value()) ++total_;
    return true;
  }

  // Takes the task if the page, or the one more that tells of a next page, has room for it, and
  // goes on counting. False: neither is left to do.
  absl::StatusOr<bool> TakeInOrder(TaskPlace place) {
    if (found_.size() > page_.size && !MayCount()) return false;
    ++looked_at_;
    auto bytes = FetchIfBelongs(place.number);
    if (!bytes.ok()) return bytes.status();
    if (!bytes->has_value()) return true;
    ++total_;
    if (found_.size() > page_.size) return true;
    found_.push_back({{place.created_s, "", place.number}, *std::move(*bytes)});
    return true;
  }

  const Reader& reader_;
  const TaskPage& page_;
  IsUsable is_usable_;
  const bool is_lookup_;
  api::Task task_;  // The one that is looked at.
  std::vector<Found> found_;
  int64_t looked_at_ = 0;
  int64_t total_ = 0;
};

}  // namespace

absl::StatusOr<TaskList> ListTasks(const Reader& reader, const api::ListTasksRequest& request,
                                   IsUsable is_usable) {
  auto page = ReadTaskPage(request);
  if (!page.ok()) return page.status();
  reader.LimitQuery();
  auto list = Lister(reader, *page, is_usable).Run();
  if (!absl::IsResourceExhausted(list.status())) return list;
  return absl::ResourceExhaustedError(
      absl::StrCat("the list of tasks needs too much work: ", list.status().message(),
                   "; filter by fingerprint, pipelineName and namespace"));
}

}  // namespace pedigree
