#include "migrate/read_ahead.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pedigree::migrate {
namespace {

// What is handed over at once, and how often that may wait.
constexpr size_t kBatchItems = 256;
constexpr size_t kBatchBytes = size_t{512} << 10;
constexpr size_t kMostWaiting = 4;

size_t BytesOf(const std::optional<std::string>& text) { return text ? text->size() : 0; }

size_t BytesOf(const NodeRow& row) {
  size_t bytes = sizeof(row);
  for (const PropertyRow& property : row.properties) {
    bytes += sizeof(property) + property.name.size() + BytesOf(property.string_value) +
             BytesOf(property.byte_value) + BytesOf(property.proto_value);
  }
  return bytes;
}

size_t BytesOf(const EventRow& row) { return sizeof(row) + row.path.size() * sizeof(EventPathRow); }

struct Link {
  int64_t node;
  int64_t context;
};

size_t BytesOf(const Link& link) { return sizeof(link); }

struct OrphanOf {
  size_t place;  // So many rows of the batch came before it.
  Table table;
  int64_t owner;
};

template <class Row>
struct Batch {
  std::vector<Row> rows;
  std::vector<OrphanOf> orphans;

  bool empty() const { return rows.empty() && orphans.empty(); }
};

// Batches that one thread fills and another takes.
template <class Row>
class Queue {
 public:
  // Of the thread that reads. Cancelled once nobody takes anything any more.
  absl::Status Add(Row& row) {
    bytes_ += BytesOf(row);
    filling_.rows.push_back(std::move(row));
    return HandOverIfFull();
  }
  // Without an answer: the next row will have it.
  void AddOrphan(Table table, int64_t owner) {
    filling_.orphans.push_back({filling_.rows.size(), table, owner});
    HandOverIfFull().IgnoreError();
  }
  // No batch comes after this.
  void End(absl::Status status) {
    HandOver().IgnoreError();
    std::lock_guard<std::mutex> lock(mutex_);
    status_ = std::move(status);
    has_ended_ = true;
    changed_.notify_all();
  }

  // Of the thread that visits. Empty at the end.
  Batch<Row> Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !waiting_.empty() || has_ended_; });
    if (waiting_.empty()) return {};
    Batch<Row> batch = std::move(waiting_.front());
    waiting_.pop_front();
    changed_.notify_all();
    return batch;
  }
  void Stop() {
    std::lock_guard<std::mutex> lock(mutex_);
    is_stopped_ = true;
    changed_.notify_all();
  }
  // REQUIRES: End() has been called.
  absl::Status status() {
    std::lock_guard<std::mutex> lock(mutex_);
    return status_;
  }

 private:
  absl::Status HandOverIfFull() {
    const bool is_full = filling_.rows.size() + filling_.orphans.size() >= kBatchItems;
    return is_full || bytes_ >= kBatchBytes ? HandOver() : absl::OkStatus();
  }
  absl::Status HandOver() {
    if (filling_.empty()) return absl::OkStatus();
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.size() < kMostWaiting || is_stopped_; });
    if (is_stopped_) return absl::CancelledError("the visit has ended");
    waiting_.push_back(std::move(filling_));
    changed_.notify_all();
    filling_ = {};
    filling_.rows.reserve(kBatchItems);
    bytes_ = 0;
    return absl::OkStatus();
  }

  Batch<Row> filling_;  // Of the thread that reads, as the next.
  size_t bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch<Row>> waiting_;  // Guarded by mutex_, as all below.
  absl::Status status_;
  bool has_ended_ = false;
  bool is_stopped_ = false;
};

template <class Row>
absl::Status VisitBatch(Batch<Row>& batch, absl::FunctionRef<absl::Status(Row& row)> visit,
                        Source::Orphan orphan) {
  auto next = batch.orphans.begin();
  const auto tell_orphans = [&](size_t place) {
    for (; next != batch.orphans.end() && next->place <= place; ++next) {
      orphan(next->table, next->owner);
    }
  };
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    tell_orphans(i);
    if (absl::Status status = visit(batch.rows[i]); !status.ok()) return status;
  }
  tell_orphans(batch.rows.size());
  return absl::OkStatus();
}

// Calls read on another thread, and visit and orphan with what it adds on this one.
template <class Row>
absl::Status Visit(absl::FunctionRef<absl::Status(Queue<Row>& queue)> read,
                   absl::FunctionRef<absl::Status(Row& row)> visit, Source::Orphan orphan) {
  Queue<Row> queue;
  std::thread reader([&] { queue.End(read(queue)); });
  absl::Status status;
  for (auto batch = queue.Take(); !batch.empty() && status.ok();) {
    status = VisitBatch(batch, visit, orphan);
    if (status.ok()) batch = queue.Take();
  }
  queue.Stop();
  reader.join();
  return status.ok() ? queue.status() : status;
}

template <class Row>
auto AddTo(Queue<Row>& queue) {
  return [&queue](Row& row) { return queue.Add(row); };
}
template <class Row>
auto AddOrphanTo(Queue<Row>& queue) {
  return [&queue](Table table, int64_t owner) { queue.AddOrphan(table, owner); };
}

class SourceAhead final : public Source {
 public:
  explicit SourceAhead(std::unique_ptr<Source> source) : source_(std::move(source)) {}

  absl::Status VisitNodes(NodeKind kind, int64_t from, Source::Visit<NodeRow> visit,
                          Orphan orphan) override {
    return migrate::Visit<NodeRow>(
        [&](Queue<NodeRow>& queue) {
          return source_->VisitNodes(kind, from, AddTo(queue), AddOrphanTo(queue));
        },
        visit, orphan);
  }
  absl::Status VisitEvents(int64_t from, Source::Visit<EventRow> visit, Orphan orphan) override {
    return migrate::Visit<EventRow>(
        [&](Queue<EventRow>& queue) {
          return source_->VisitEvents(from, AddTo(queue), AddOrphanTo(queue));
        },
        visit, orphan);
  }
  absl::Status VisitLinks(NodeKind kind, VisitLink visit) override {
    return migrate::Visit<Link>(
        [&](Queue<Link>& queue) {
          return source_->VisitLinks(kind, [&](int64_t node, int64_t context) {
            Link link = {node, context};
            return queue.Add(link);
          });
        },
        [&](Link& link) { return visit(link.node, link.context); }, [](Table, int64_t) {});
  }

  const SourceInfo& info() const override { return source_->info(); }
  absl::StatusOr<TableCounts> CountRows() override { return source_->CountRows(); }
  absl::StatusOr<LastIds> FindLastIds() override { return source_->FindLastIds(); }
  absl::Status VisitTypes(Source::Visit<TypeRow> visit, Orphan orphan) override {
    return source_->VisitTypes(visit, orphan);
  }
  absl::StatusOr<std::vector<int64_t>> FindDuplicateNames(NodeKind kind) override {
    return source_->FindDuplicateNames(kind);
  }
  absl::StatusOr<std::vector<int64_t>> FindDuplicateExternalIds(NodeKind kind) override {
    return source_->FindDuplicateExternalIds(kind);
  }
  absl::StatusOr<std::vector<int64_t>> FindDuplicateEvents() override {
    return source_->FindDuplicateEvents();
  }
  absl::StatusOr<Marks> FindMarks() override { return source_->FindMarks(); }
  absl::Status VisitChangedNodes(NodeKind kind, const Marks& since,
                                 Source::Visit<NodeRow> visit) override {
    return source_->VisitChangedNodes(kind, since, visit);
  }
  absl::Status VisitNewLinks(NodeKind kind, const Marks& since, VisitLink visit) override {
    return source_->VisitNewLinks(kind, since, visit);
  }
  absl::Status VisitNewEvents(const Marks& since, Source::Visit<EventRow> visit) override {
    return source_->VisitNewEvents(since, visit);
  }

 private:
  const std::unique_ptr<Source> source_;
};

}  // namespace

std::unique_ptr<Source> ReadAhead(std::unique_ptr<Source> source) {
  return std::make_unique<SourceAhead>(std::move(source));
}

}  // namespace pedigree::migrate
