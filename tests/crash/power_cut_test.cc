// Power cuts: the store must come back as it was after some write, whole, and no earlier than what
// it has acknowledged.
//
// Writes are enqueued in one order, the power is cut at a random file operation, everything that
// was not synced is lost at random, and the store is opened again on what is left: it must be as
// the model is after the first k writes, with k at least the number of acknowledged ones, and
// Verify must find nothing. POWER_CUT_SEED and POWER_CUT_CYCLES say where to begin and how long to
// go on.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/crash/subject.h"
#include "tests/model/compare.h"

namespace pedigree::crash {
namespace {

constexpr int64_t kDefaultCycles = 400;
// A busy or slow machine makes fewer.
constexpr std::chrono::hours kNoLimit{24};
constexpr std::chrono::seconds kDefaultTime{25};
constexpr int64_t kCyclesPerStore = 25;
constexpr int64_t kMostNodes = 500;

// The writes of one cycle, in the order enqueued.
struct Written {
  std::deque<model::Call> calls;  // Addresses stay.
  std::vector<std::future<absl::Status>> done;
  std::vector<model::Model> after;  // after[k]: what the store is after the first k.
  size_t acknowledged = 0;          // The first writes up to the last one acknowledged.
};

struct Counts {
  int64_t cycles = 0;
  int64_t cuts = 0;          // The others ended before the cut came.
  int64_t cuts_in_open = 0;  // The store did not even open.
  int64_t writes = 0;
  int64_t acknowledged = 0;
  int64_t kept_unacknowledged = 0;

  void Add(const Counts& other) {
    cycles += other.cycles;
    cuts += other.cuts;
    cuts_in_open += other.cuts_in_open;
    writes += other.writes;
    acknowledged += other.acknowledged;
    kept_unacknowledged += other.kept_unacknowledged;
  }
};

class PowerCuts {
 public:
  explicit PowerCuts(uint64_t seed) : subject_(seed) {}

  // One cycle. "" or what went wrong.
  std::string Run(Counts* counts) {
    ++counts->cycles;
    Random& random = subject_.random();
    const bool cut_in_open = random.OneIn(6);
    // In opening, the operations count from the beginning.
    absl::Status opened = cut_in_open ? OpenAndCut() : subject_.Open();
    if (!opened.ok()) {
      if (!subject_.files().is_cut()) return absl::StrCat("open: ", opened.ToString());
      ++counts->cuts_in_open;
    }
    Written written;
    written.after.push_back(subject_.model());
    if (opened.ok()) {
      if (!cut_in_open) {
        subject_.files().CutPowerAt(subject_.files().operations() + random.Between(1, 60));
      }
      if (std::string failure = Write(&written); !failure.empty()) return failure;
    }
    subject_.Close();  // Its last flush may meet the cut too.
    if (subject_.files().is_cut()) ++counts->cuts;
    subject_.files().LosePower(&random);
    counts->writes += static_cast<int64_t>(written.calls.size());
    counts->acknowledged += static_cast<int64_t>(written.acknowledged);
    return Recover(written, counts);
  }

  bool is_used_up() const { return subject_.size() > kMostNodes; }

 private:
  absl::Status OpenAndCut() {
    subject_.PrepareFiles();
    subject_.files().CutPowerAt(subject_.random().Between(1, 40));
    return subject_.OpenPrepared();
  }

  // Enqueues writes until the power is gone, or enough of them are done.
  std::string Write(Written* written) {
    Random& random = subject_.random();
    const int64_t most = random.Between(1, 40);
    while (static_cast<int64_t>(written->calls.size()) < most && !subject_.files().is_cut()) {
      for (int64_t burst = random.Between(1, 8); burst > 0; --burst) Enqueue(written);
      if (random.OneIn(2)) written->done.back().wait();
    }
    bool failed = false;
    for (size_t i = 0; i < written->done.size(); ++i) {
      const absl::Status status = written->done[i].get();
      if (!status.ok() && !subject_.files().is_cut()) {
        return absl::StrCat(written->calls[i].rpc, " failed without a cut: ", status.ToString());
      }
      // A write that changes nothing is acknowledged without the disk.
      if (model::IsUnchanged(written->after[i].state(), written->after[i + 1].state())) continue;
      if (status.ok() && failed) return "a write is acknowledged after one that is not";
      if (status.ok()) written->acknowledged = i + 1;
      failed = failed || !status.ok();
    }
    return "";
  }

  void Enqueue(Written* written) {
    model::Call& call = written->calls.emplace_back(subject_.NextWrite());
    std::unique_ptr<google::protobuf::Message> expected(call.response->New());
    subject_.model().Write(*call.request, subject_.clock_ms(), expected.get());
    written->after.push_back(subject_.model());
    written->done.push_back(model::Enqueue(subject_.store(), &call));
  }

  // Opens what is left and finds the k.
  std::string Recover(const Written& written, Counts* counts) {
    if (absl::Status status = subject_.OpenPlain(); !status.ok()) {
      return absl::StrCat("open after the cut: ", status.ToString());
    }
    std::string differences;
    for (size_t k = written.acknowledged; k < written.after.size(); ++k) {
      const std::string difference = model::Difference(subject_.store(), written.after[k]);
      if (differences.size() < 10000) absl::StrAppend(&differences, "after ", k, ":", difference);
      if (!difference.empty()) continue;
      counts->kept_unacknowledged += static_cast<int64_t>(k - written.acknowledged);
      subject_.model() = written.after[k];
      const std::string problems = model::VerifyProblems(subject_.store());
      subject_.Close();
      return problems;
    }
    return absl::StrCat("after the cut the store is as after none of the writes ",
                        written.acknowledged, " (acknowledged) to ", written.calls.size(), "\n",
                        differences);
  }

  Subject subject_;
};

// Several stores at once, since after an error RocksDB sleeps a second before it closes.
class Workers {
 public:
  Workers(uint64_t seed, int64_t cycles, std::chrono::steady_clock::time_point deadline)
      : next_seed_(seed), cycles_left_(cycles), deadline_(deadline) {}

  void Run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < kWorkers; ++i) {
      threads.emplace_back([this] {
        while (RunStore()) {
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  const Counts& counts() const { return counts_; }
  const std::string& failure() const { return failure_; }

 private:
  static constexpr int kWorkers = 6;

  // False when there is nothing left to do.
  bool RunStore() {
    const uint64_t seed = next_seed_.fetch_add(1);
    PowerCuts store(seed);
    Counts counts;
    bool goes_on = true;
    for (int64_t i = 0; i < kCyclesPerStore && goes_on && !store.is_used_up(); ++i) {
      goes_on = cycles_left_.fetch_sub(1) > 0 && std::chrono::steady_clock::now() < deadline_;
      if (!goes_on) break;
      const std::string failure = store.Run(&counts);
      if (failure.empty()) continue;
      std::lock_guard<std::mutex> lock(mutex_);
      failure_ = absl::StrCat("cycle ", i, " of POWER_CUT_SEED=", seed, ": ", failure);
      cycles_left_ = 0;
      goes_on = false;
    }
    std::lock_guard<std::mutex> lock(mutex_);
    counts_.Add(counts);
    return goes_on;
  }

  std::atomic<uint64_t> next_seed_;
  std::atomic<int64_t> cycles_left_;
  const std::chrono::steady_clock::time_point deadline_;
  std::mutex mutex_;
  Counts counts_;        // Guarded by mutex_.
  std::string failure_;  // Guarded by mutex_.
};

TEST(PowerCut, LosesNothingAcknowledgedAndLeavesNoHalves) {
  UseManyBackgroundThreads();
  const uint64_t seed = SeedOf("POWER_CUT_SEED");
  const int64_t asked = FromEnvironment("POWER_CUT_CYCLES", 0);
  const std::chrono::seconds time = asked > 0 ? kNoLimit : kDefaultTime;
  Workers workers(seed, asked > 0 ? asked : kDefaultCycles,
                  std::chrono::steady_clock::now() + time);
  workers.Run();
  const Counts& counts = workers.counts();
  std::cout << counts.cycles << " cycles, " << counts.cuts << " cuts (" << counts.cuts_in_open
            << " in opening), " << counts.writes << " writes, " << counts.acknowledged
            << " acknowledged, " << counts.kept_unacknowledged << " kept beyond these" << std::endl;
  EXPECT_TRUE(workers.failure().empty()) << workers.failure();
  EXPECT_GT(counts.cuts, counts.cycles / 4) << "most cuts come too late to test anything";
}

}  // namespace
}  // namespace pedigree::crash
