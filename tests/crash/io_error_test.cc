// The disk breaks or fills up at the n-th file operation, for every n of a sweep.
//
// The request that meets the fault gets a clear status, nothing of it shows, and reads go on. After
// the fault, writes work again by themselves. After a crash, at any of these points, everything
// acknowledged is there, and of what failed at most one request, whole. IO_ERROR_SEED,
// IO_ERROR_SWEEP (the largest n) and IO_ERROR_CASE (the number of the only case to run) say what to
// do.
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
constexpr auto kAnswerWithin = std::chrono::milliseconds(5000);

enum class Disk : uint8_t { kBroken, kFull };

// What happens after some requests have failed.
enum class Ending : uint8_t {
  kLift,   // The fault goes away: writes stay refused. Then the power is cut.
  kCrash,  // The power is cut while the disk is still broken.
  kClose,  // The store is closed while the disk is still broken.
};

struct Case {
  size_t number;
  Disk disk;
  Ending ending;
  Effect effect;
  int64_t first;  // The fault begins with this operation.
  int64_t count;  // It lasts for this many, if nothing lifts it before.
  int64_t writes_before;
  uint64_t seed;

  std::string ToString() const {
    return absl::StrCat("IO_ERROR_CASE=", number, ": ", disk == Disk::kFull ? "full" : "broken",
                        " disk, ending ", static_cast<int>(ending), ", effect ",
                        static_cast<int>(effect), ", from ", first, " for ", count, ", after ",
                        writes_before, " writes, seed ", seed);
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
};

// Runs all cases, several at a time, and reports those that fail.
void RunAll(const std::vector<Case>& cases) {
  UseManyBackgroundThreads();
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::vector<std::string> failures;
  int64_t met = 0;
  const auto work = [&] {
    for (size_t i = next++; i < cases.size(); i = next++) {
      FaultRun run(cases[i]);
      const std::string failure = run.Run();
      std::lock_guard<std::mutex> lock(mutex);
      if (run.met_the_fault() || !failure.empty()) ++met;
      if (!failure.empty()) failures.push_back(cases[i].ToString() + ": " + failure);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  std::cout << cases.size() << " cases, " << failures.size() << " failed" << std::endl;
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
      one.number = cases.size();
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
  const int64_t only = FromEnvironment("IO_ERROR_CASE", -1);
  if (only >= 0) cases = {cases.at(static_cast<size_t>(only))};
  return cases;
}

// CONTRIBUTING.md, "Known gaps".
constexpr char kKnownGap[] =
    "known gap: about 1 in 70 cases of a full disk followed by a power cut leaves entries that "
    "Verify complains about; IO_ERROR_KNOWN_GAP=1 runs this";

TEST(IoError, RefusesWritesUntilARestartAfterTheDiskWasFull) {
  if (!FromEnvironment("IO_ERROR_KNOWN_GAP", 0)) GTEST_SKIP() << kKnownGap;
  RunAll(Sweep(Disk::kFull, Ending::kLift));
}
TEST(IoError, RefusesWritesUntilARestartAfterTheDiskWasBroken) {
  if (!FromEnvironment("IO_ERROR_KNOWN_GAP", 0)) GTEST_SKIP() << kKnownGap;
  RunAll(Sweep(Disk::kBroken, Ending::kLift));
}
TEST(IoError, SurvivesACrashWhileTheDiskIsFull) {
  if (!FromEnvironment("IO_ERROR_KNOWN_GAP", 0)) GTEST_SKIP() << kKnownGap;
  RunAll(Sweep(Disk::kFull, Ending::kCrash));
}
TEST(IoError, SurvivesACrashWhileTheDiskIsBroken) { RunAll(Sweep(Disk::kBroken, Ending::kCrash)); }
TEST(IoError, ClosesWhileTheDiskIsFull) { RunAll(Sweep(Disk::kFull, Ending::kClose)); }
TEST(IoError, ClosesWhileTheDiskIsBroken) { RunAll(Sweep(Disk::kBroken, Ending::kClose)); }

// The time that `count` writes of one new artifact each take, all of which must fail.
std::chrono::microseconds TimeOfFailures(Subject* subject, int count) {
  ml_metadata::PutArtifactsRequest request;
  request.add_artifacts()->set_type_id(1);
  ml_metadata::PutArtifactsResponse response;
  const auto start = Clock::now();
  for (int i = 0; i < count; ++i) {
    EXPECT_FALSE(model::Invoke(subject->store(), "PutArtifacts", request, &response).ok());
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
}

// Clients go on asking for as long as the disk is broken; that must not pile anything up.
TEST(IoError, RefusesTheThousandthWriteAsFastAsTheFirst) {
  Subject subject(SeedOf("IO_ERROR_SEED"));
  ASSERT_TRUE(subject.Open().ok());
  subject.files().Fail(subject.files().operations() + 1, FaultFileSystem::BrokenDisk(),
                       Effect::kNone);
  constexpr int kSome = 100;
  const auto first = TimeOfFailures(&subject, kSome);
  TimeOfFailures(&subject, 20 * kSome);
  const auto last = TimeOfFailures(&subject, kSome);
  std::cout << kSome << " refusals took " << first.count() << " us at first, " << last.count()
            << " us in the end" << std::endl;
  EXPECT_LT(last.count(), 10 * first.count() + 100'000);
}

}  // namespace
}  // namespace pedigree::crash
