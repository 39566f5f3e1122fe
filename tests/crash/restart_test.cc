// A store of many table files, asked right after it has been opened.
//
// RocksDB opens only a few of the files with the store, and the others when they are read first: a
// read that must not wait for the disk meets files that are not open yet.
#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <future>
#include <string>

#include "tests/crash/subject.h"
#include "tests/model/compare.h"

namespace pedigree::crash {
namespace {

// Keeps RocksDB from merging table files, by holding its threads for that.
class NoCompactions {
 public:
  NoCompactions() : released_(release_.get_future().share()) {
    rocksdb::Env* env = rocksdb::Env::Default();
    const int threads = env->GetBackgroundThreads(rocksdb::Env::LOW);
    for (int i = 0; i < threads; ++i) {
      env->Schedule(
          [](void* waiter) {
            auto* done = static_cast<Waiter*>(waiter);
            done->released.wait();
            done->ended.set_value();
            delete done;
          },
          NewWaiter(), rocksdb::Env::LOW);
    }
  }
  ~NoCompactions() {
    release_.set_value();
    for (std::future<void>& ended : ended_) ended.wait();
  }

 private:
  struct Waiter {
    std::shared_future<void> released;
    std::promise<void> ended;
  };

  Waiter* NewWaiter() {
    auto* waiter = new Waiter{released_, {}};
    ended_.push_back(waiter->ended.get_future());
    return waiter;
  }

  std::promise<void> release_;
  std::shared_future<void> released_;
  std::vector<std::future<void>> ended_;
};

TEST(Restart, AnswersFromFilesThatAreNotOpenYet) {
  UseManyBackgroundThreads();
  const NoCompactions no_compactions;
  Subject subject(SeedOf("RESTART_SEED"));
  constexpr int kRestarts = 12;  // Each writes a table file per family that has new keys.
  for (int i = 0; i < kRestarts; ++i) {
    ASSERT_TRUE(subject.OpenPlain().ok());
    const std::string difference = subject.Compare(subject.model());
    ASSERT_TRUE(difference.empty()) << "after restart " << i << ": " << difference;
    for (int k = 0; k < 20; ++k) {
      const std::string failure = subject.MustWrite();
      ASSERT_TRUE(failure.empty()) << failure;
    }
    subject.Close();
  }
}

}  // namespace
}  // namespace pedigree::crash
