#include "store/index_builder.h"

#include <chrono>

#include "store/store.h"

namespace pedigree {
namespace {

// What one write does: some 2 ms of the committer's time.
constexpr int64_t kNodesPerWrite = 1000;
// Between two looks.
constexpr std::chrono::milliseconds kIdle{200};

}  // namespace

IndexBuilder::IndexBuilder(Store* store) : store_(store), thread_([this] { Loop(); }) {}

IndexBuilder::~IndexBuilder() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool IndexBuilder::IsStopping() {
  std::lock_guard<std::mutex> lock(mutex_);
  return stopping_;
}

std::optional<uint32_t> IndexBuilder::FindUnfinished() const {
  std::optional<uint32_t> unfinished;
  (void)store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
    for (const auto& [id, index] : reader.catalog().property_indexes().all()) {
      if (index->state != PropertyIndex::State::kReady) unfinished = id;
    }
    return absl::OkStatus();
  });
  return unfinished;
}

void IndexBuilder::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!wake_.wait_for(lock, kIdle, [this] { return stopping_; })) {
    lock.unlock();
    if (const auto index = FindUnfinished(); index.has_value()) {
      bool more = true;
      while (more && !IsStopping()) {
        // A disk that fails refuses this write as all others: the next look tries again.
        const absl::Status status = store_->Write([&](Transaction& transaction) {
          auto left = transaction.ContinuePropertyIndex(*index, kNodesPerWrite);
          more = left.ok() && *left;
          return left.status();
        });
        more = more && status.ok();
      }
    }
    lock.lock();
  }
}

}  // namespace pedigree
