#include "server/calls_under_way.h"

namespace pedigree {

bool CallsUnderWay::Begin() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (draining_) return false;
  ++count_;
  return true;
}

void CallsUnderWay::End() {
  std::lock_guard<std::mutex> lock(mutex_);
  --count_;
  if (draining_ && count_ == 0) idle_.notify_all();
}

bool CallsUnderWay::Drain(std::chrono::milliseconds at_most) {
  std::unique_lock<std::mutex> lock(mutex_);
  draining_ = true;
  return idle_.wait_for(lock, at_most, [this] { return count_ == 0; });
}

void CallsUnderWay::DrainAll() {
  std::unique_lock<std::mutex> lock(mutex_);
  draining_ = true;
  idle_.wait(lock, [this] { return count_ == 0; });
}

}  // namespace pedigree
