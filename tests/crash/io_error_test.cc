// The disk breaks or fills up at the n-th file operation, for every n of a sweep.
//
// The request that meets the fault gets a clear status, nothing of it shows, and reads go on. After
// the fault, writes work again by themselves. After a crash, at any of these points, everything
// acknowledged is there, and of what failed at most one request, whole. IO_ERROR_SEED and
// IO_ERROR_SWEEP (the largest n) say what to do.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
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

using Clock = std::chrono::steady_clock;

constexpr int64_t kDefaultSweep = 24;
constexpr int kVariants = 3;  // Of each n.
constexpr int kThreads = 16;  // A case mostly waits.
constexpr auto kResumeWithin = std::chrono::milliseconds(3000);
constexpr auto kAnswerWithin = std::chrono::milliseconds(5000);

enum class Disk : uint8_t { kBroken, kFull };

// What happens after some requests have failed.
enum class Ending : uint8_t {
  kLift,   // The fault goes away: writes resume. Then the power is cut.
  kCrash,  // The power is cut while the disk is still broken.
  kClose,  // The store is closed while the disk is still broken.
};

struct Case {
  Disk disk;
  Ending ending;
  Effect effect;
  int64_t first;  // The fault begins with this operation.
  int64_t count;  // It lasts for this many, if nothing lifts it before.
  int64_t writes_before;
  uint64_t seed;

  std::string ToString() const {
    return absl::StrCat(disk == Disk::kFull ? "full" : "broken", " disk, ending ",
                        static_cast<int>(ending), ", effect ", static_cast<int>(effect), ", from ",
                        first, " for ", count, ", after ", writes_before, " writes, seed ", seed);
  }
};

class FaultRun {
 public:
  explicit FaultRun(const Case& one) : case_(one), subject_(one.seed) {}

  // "" or what went wrong.
  std::string Run() {
    if (absl::Status status = subject_.Open(); !status.ok()) {
      return absl::StrCat("open: ", status.ToString());
    }
    for (int64_t i = 0; i < case_.writes_before; ++i) {
      if (std::string failure = subject_.MustWrite(); !failure.empty()) return failure;
    }
    Begin();
    std::string failure = WriteIntoTheFault();
    if (failure.empty() && !lost_.empty()) failure = Compare();
    if (!failure.empty()) return failure;
    switch (case_.ending) {
      case Ending::kLift:
        return LiftAndCrash();
      case Ending::kCrash:
        subject_.files().CutPowerAt(subject_.files().operations() + 1);
        break;
      case Ending::kClose:
        break;
    }
    subject_.Close();
    return Recover();
  }

  bool met_the_fault() const { return !lost_.empty(); }
  std::chrono::milliseconds resumed_after() const { return resumed_after_; }

 private:
  static constexpr int kMostWrites = 40;

  void Begin() {
    const bool full = case_.disk == Disk::kFull;
    subject_.files().Fail(subject_.files().operations() + case_.first,
                          full ? FaultFileSystem::FullDisk() : FaultFileSystem::BrokenDisk(),
                          case_.effect, case_.count);
  }

  absl::StatusCode Code() const {
    return case_.disk == Disk::kFull ? absl::StatusCode::kResourceExhausted
                                     : absl::StatusCode::kUnavailable;
  }

  // One write that may fail for the fault, but for nothing else.
  std::string Write(bool* failed) {
    model::Call call = subject_.NextWrite();
    std::unique_ptr<google::protobuf::Message> expected(call.response->New());
    model::Model with_it = subject_.model();
    const model::Verdict verdict =
        with_it.Write(*call.request, subject_.clock_ms(), expected.get());
    const auto start = Clock::now();
    call.status = model::Invoke(subject_.store(), call.rpc, *call.request, call.response.get());
    if (Clock::now() - start > kAnswerWithin) return call.rpc + " took too long to answer";
    *failed = !call.status.ok();
    if (call.status.ok()) {
      const bool unchanged = IsUnchanged(subject_.model().state(), with_it.state());
      subject_.model() = with_it;
      // What has failed before is settled by the next write that reaches the disk.
      if (!unchanged) lost_.clear();
      return model::CompareWrite(call, verdict, *expected);
    }
    if (call.status.code() != Code()) {
      return absl::StrCat(call.rpc, " failed in another way: ", call.status.ToString());
    }
    subject_.model().SkipIdsOf(with_it);
    lost_.push_back(with_it);
    return "";
  }

  std::string WriteIntoTheFault() {
    int failures = 0;
    for (int i = 0; i < kMostWrites && failures < 4; ++i) {
      bool failed = false;
      if (std::string failure = Write(&failed); !failure.empty()) return failure;
      if (failed) ++failures;
    }
    return "";
  }

  std::string Compare() {
    const std::string difference = model::Difference(subject_.store(), subject_.model());
    return difference.empty() ? "" : absl::StrCat("while the disk fails:", difference);
  }

  std::string LiftAndCrash() {
    subject_.files().Lift();
    const auto lifted = Clock::now();
    while (true) {
      const bool had_lost = !lost_.empty();
      bool failed = false;
      std::string failure = Write(&failed);
      if (!failure.empty()) return absl::StrCat("after the fault: ", failure);
      if (!failed && (!had_lost || lost_.empty())) break;
      if (Clock::now() - lifted > kResumeWithin) return "writes do not resume after the fault";
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    resumed_after_ = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - lifted);
    for (int i = 0; i < 5; ++i) {
      std::string failure = subject_.MustWrite();
      if (!failure.empty()) return absl::StrCat("after the fault: ", failure);
    }
    std::string difference = model::Difference(subject_.store(), subject_.model());
    if (!difference.empty()) return absl::StrCat("after the fault:", difference);
    subject_.files().CutPowerAt(subject_.files().operations() + 1);
    subject_.Close();
    lost_.clear();
    return Recover();
  }

  // Opens what is left: the acknowledged writes, and on top of them at most one that failed.
  std::string Recover() {
    subject_.files().LosePower(&subject_.random());
    if (absl::Status status = subject_.OpenPlain(); !status.ok()) {
      return absl::StrCat("open after the crash: ", status.ToString());
    }
    std::string difference = model::Difference(subject_.store(), subject_.model());
    for (const model::Model& lost : lost_) {
      if (difference.empty()) break;
      if (model::Difference(subject_.store(), lost).empty()) difference.clear();
    }
    if (!difference.empty()) return absl::StrCat("after the crash:", difference);
    return model::VerifyProblems(subject_.store());
  }

  const Case case_;
  Subject subject_;
  // What the store may hold after a crash: the acknowledged writes and one that failed.
  std::vector<model::Model> lost_;
  std::chrono::milliseconds resumed_after_{0};
};

// Runs all cases, several at a time, and reports those that fail.
void RunAll(const std::vector<Case>& cases) {
  UseManyBackgroundThreads();
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::vector<std::string> failures;
  int64_t met = 0;
  std::chrono::milliseconds slowest{0};
  const auto work = [&] {
    for (size_t i = next++; i < cases.size(); i = next++) {
      FaultRun run(cases[i]);
      const std::string failure = run.Run();
      std::lock_guard<std::mutex> lock(mutex);
      if (run.met_the_fault() || !failure.empty()) ++met;
      slowest = std::max(slowest, run.resumed_after());
      if (!failure.empty()) failures.push_back(cases[i].ToString() + ": " + failure);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  std::cout << cases.size() << " cases, " << failures.size() << " failed; writes resumed after "
            << slowest.count() << " ms at most" << std::endl;
  for (size_t i = 0; i < std::min<size_t>(failures.size(), 5); ++i) ADD_FAILURE() << failures[i];
  EXPECT_EQ(0u, failures.size());
}

std::vector<Case> Sweep(Disk disk, Ending ending) {
  const uint64_t seed = SeedOf("IO_ERROR_SEED");
  Random random(seed);
  std::vector<Case> cases;
  for (int64_t first = 1; first <= FromEnvironment("IO_ERROR_SWEEP", kDefaultSweep); ++first) {
    for (int variant = 0; variant < kVariants; ++variant) {
      Case one;
      one.disk = disk;
      one.ending = ending;
      one.effect = static_cast<Effect>(variant);
      one.first = first;
      one.count = random.OneIn(2) ? INT64_MAX : random.Between(1, 3);
      one.writes_before = random.OneIn(3) ? 0 : random.Between(1, 12);
      one.seed = seed + cases.size();
      cases.push_back(one);
    }
  }
  return cases;
}

TEST(IoError, WritesResumeAfterTheDiskWasFull) { RunAll(Sweep(Disk::kFull, Ending::kLift)); }
TEST(IoError, WritesResumeAfterTheDiskWasBroken) { RunAll(Sweep(Disk::kBroken, Ending::kLift)); }
TEST(IoError, SurvivesACrashWhileTheDiskIsFull) { RunAll(Sweep(Disk::kFull, Ending::kCrash)); }
TEST(IoError, SurvivesACrashWhileTheDiskIsBroken) { RunAll(Sweep(Disk::kBroken, Ending::kCrash)); }
TEST(IoError, ClosesWhileTheDiskIsFull) { RunAll(Sweep(Disk::kFull, Ending::kClose)); }
TEST(IoError, ClosesWhileTheDiskIsBroken) { RunAll(Sweep(Disk::kBroken, Ending::kClose)); }

}  // namespace
}  // namespace pedigree::crash
