// The disk breaks or fills up at the n-th file operation, for every n of a sweep.
//
// The write that meets the fault gets a clear status and nothing of it shows; reads go on; every
// write after it is refused in the same way, also when the disk works again, until the store is
// opened anew. Then everything acknowledged is there, and the write that met the fault whole or not
// at all, whether the store was closed or the power was cut. IO_ERROR_SEED, IO_ERROR_SWEEP (the
// largest n) and IO_ERROR_CASE (the number of the only case to run) say what to do.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <optional>
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
constexpr int kVariants = 3;                              // Of each n.
constexpr int kThreads = 16;                              // A case mostly waits.
constexpr auto kAnswerWithin = std::chrono::seconds(20);  // Wide enough for a busy machine.

enum class Disk : uint8_t { kBroken, kFull };

// What happens after some writes have failed.
enum class Ending : uint8_t {
  kCrash,         // The power is cut.
  kClose,         // The store is closed.
  kLiftAndCrash,  // The same two after the fault has gone away.
  kLiftAndClose,
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
    if (failure.empty()) failure = Compare("while the disk fails");
    if (failure.empty() && IsLifted()) {
      subject_.files().Lift();
      failure = WriteSome();
      if (failure.empty()) failure = Compare("after the fault");
    }
    if (!failure.empty()) return failure;
    if (IsCrash()) subject_.files().CutPowerAt(subject_.files().operations() + 1);
    subject_.Close();
    return Recover();
  }

  bool met_the_fault() const { return lost_.has_value(); }

 private:
  bool IsLifted() const {
    return case_.ending == Ending::kLiftAndCrash || case_.ending == Ending::kLiftAndClose;
  }
  bool IsCrash() const {
    return case_.ending == Ending::kCrash || case_.ending == Ending::kLiftAndCrash;
  }

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

  // One write that may fail for the fault, but for nothing else, and that must fail once one has.
  std::string Write() {
    model::Call call = subject_.NextWrite();
    std::unique_ptr<google::protobuf::Message> expected(call.response->New());
    model::Model with_it = subject_.model();
    const model::Verdict verdict =
        with_it.Write(*call.request, subject_.clock_ms(), expected.get());
    const auto start = Clock::now();
    call.status = model::Invoke(subject_.store(), call.rpc, *call.request, call.response.get());
    if (Clock::now() - start > kAnswerWithin) return call.rpc + " took too long to answer";
    if (call.status.ok()) {
      // A write that changes nothing needs no disk.
      const bool changes = !IsUnchanged(subject_.model().state(), with_it.state());
      if (changes && lost_) return call.rpc + " is acknowledged after a write that failed";
      subject_.model() = with_it;
      return model::CompareWrite(call, verdict, *expected);
    }
    if (call.status.code() != Code()) {
      return absl::StrCat(call.rpc, " failed in another way: ", call.status.ToString());
    }
    if (!lost_) lost_ = with_it;
    return "";
  }

  std::string WriteSome() {
    for (int i = 0; i < 4; ++i) {
      if (std::string failure = Write(); !failure.empty()) return failure;
    }
    return "";
  }

  // Writes until one has met the fault, and some more.
  std::string WriteIntoTheFault() {
    constexpr int kMostWrites = 40;
    for (int i = 0; i < kMostWrites && !lost_; ++i) {
      if (std::string failure = Write(); !failure.empty()) return failure;
    }
    return WriteSome();
  }

  std::string Compare(const std::string& when) {
    const std::string difference = model::Difference(subject_.store(), subject_.model());
    return difference.empty() ? "" : absl::StrCat(when, ":", difference);
  }

  // Opens what is left: all that was acknowledged, with or without the write that met the fault. It
  // must take writes again.
  std::string Recover() {
    subject_.files().LosePower(&subject_.random());
    if (absl::Status status = subject_.OpenPlain(); !status.ok()) {
      return absl::StrCat("open after the fault: ", status.ToString());
    }
    const std::string difference = model::Difference(subject_.store(), subject_.model());
    if (!difference.empty()) {
      if (!lost_ || !model::Difference(subject_.store(), *lost_).empty()) {
        return absl::StrCat("after the restart:", difference);
      }
      subject_.model() = *lost_;
    }
    std::string failure = model::VerifyProblems(subject_.store());
    for (int i = 0; i < 3 && failure.empty(); ++i) failure = subject_.MustWrite();
    return failure;
  }

  const Case case_;
  Subject subject_;
  // The acknowledged writes and the first one that failed: what may be there after a restart.
  std::optional<model::Model> lost_;
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
  std::cout << cases.size() << " cases, " << met << " met the fault, " << failures.size()
            << " failed" << std::endl;
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

TEST(IoError, FullDiskThenPowerCut) { RunAll(Sweep(Disk::kFull, Ending::kCrash)); }
TEST(IoError, FullDiskThenClose) { RunAll(Sweep(Disk::kFull, Ending::kClose)); }
TEST(IoError, FullDiskThenRoomThenPowerCut) { RunAll(Sweep(Disk::kFull, Ending::kLiftAndCrash)); }
TEST(IoError, FullDiskThenRoomThenClose) { RunAll(Sweep(Disk::kFull, Ending::kLiftAndClose)); }
TEST(IoError, BrokenDiskThenPowerCut) { RunAll(Sweep(Disk::kBroken, Ending::kCrash)); }
TEST(IoError, BrokenDiskThenClose) { RunAll(Sweep(Disk::kBroken, Ending::kClose)); }
TEST(IoError, MendedDiskThenPowerCut) { RunAll(Sweep(Disk::kBroken, Ending::kLiftAndCrash)); }
TEST(IoError, MendedDiskThenClose) { RunAll(Sweep(Disk::kBroken, Ending::kLiftAndClose)); }

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
