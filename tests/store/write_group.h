// Writes that go through the committer together, as one group.
//
// Threads: one at a time for each store.
//
//   const auto statuses = WriteAsOneGroup(store, {insert("a"), fail, insert("b")});
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <utility>
#include <vector>

#include "store/committer.h"
#include "store/store.h"
#include "store/transaction.h"
#include "tests/store/status_testing.h"

namespace pedigree {

// A write whose completion the test can await and whose size it chooses.
class TestWrite final : public PendingWrite {
 public:
  using Work = std::function<absl::Status(Transaction&)>;
  TestWrite(Work work, std::promise<absl::Status>* done, size_t bytes = 1)
      : work_(std::move(work)), done_(done), bytes_(bytes) {}
  absl::Status Run(Transaction& transaction) override { return work_(transaction); }
  void Done(const absl::Status& status) override { done_->set_value(status); }
  size_t bytes() const override { return bytes_; }

 private:
  Work work_;
  std::promise<absl::Status>* done_;  // Not owned; outlives Done().
  size_t bytes_;
};

// Enqueues `writes` behind one that waits until all are in the queue, so that they form one group.
inline std::vector<absl::Status> WriteAsOneGroup(Store& store,
                                                 std::vector<TestWrite::Work> writes) {
  std::latch running(1);
  std::latch released(1);
  std::promise<absl::Status> blocker_done;
  store.Enqueue(std::make_unique<TestWrite>(
      [&](Transaction&) {
        running.count_down();
        released.wait();
        return absl::OkStatus();
      },
      &blocker_done));
  running.wait();
  std::vector<std::promise<absl::Status>> done(writes.size());
  for (size_t i = 0; i < writes.size(); ++i) {
    store.Enqueue(std::make_unique<TestWrite>(std::move(writes[i]), &done[i]));
  }
  released.count_down();
  EXPECT_TRUE(IsOk(blocker_done.get_future().get()));
  std::vector<absl::Status> statuses;
  for (auto& one : done) statuses.push_back(one.get_future().get());
  return statuses;
}

}  // namespace pedigree
