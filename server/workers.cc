#include "server/workers.h"

#include <utility>

namespace pedigree {
namespace {

constexpr int kThreads = 4;
// Work that waits for a thread, beyond which more is refused.
constexpr size_t kMaxWaiting = 10000;

}  // namespace

Workers::Workers() {
  for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Loop(); });
}

Workers::~Workers() { Stop(); }

void Workers::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Workers::Add(std::unique_ptr<Work> work, Admission admission) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const bool has_room = admission == Admission::kAlways || waiting_.size() < kMaxWaiting;
    if (!stopping_ && has_room) waiting_.push_back(std::move(work));
  }
  if (work == nullptr) {
    wake_.notify_one();
  } else {
    work->Refuse(absl::UnavailableError("too many reads wait for the disk; retry later"));
  }
}

void Workers::Loop() {
  while (true) {
    std::unique_ptr<Work> work;
    bool stopping = false;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
      stopping = stopping_;
    }
    if (stopping) {
      work->Refuse(absl::UnavailableError("the server is stopping; retry elsewhere"));
    } else {
      work->Run();
    }
  }
}

}  // namespace pedigree
