// What is in RocksDB's log only, after a crash: a torn tail is dropped, since nobody was told about
// it; any other damage stops the start, and nothing that was acknowledged is dropped silently.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "store/directory.h"
#include "store/high_water.h"
#include "store/rocksdb_engine.h"
#include "tests/store/other_process.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;

// How far the high-water mark had come when the process ended.
enum class Mark : uint8_t { kAtTheEnd, kBeforeTheWrites };

// The number of the last write that a store's database holds. The store may be open, but at rest.
uint64_t LastSequenceOf(const std::string& data_dir) {
  const ScratchDirectory scratch;
  RocksDbOptions options;
  options.directory = scratch.path() + "/db";
  options.mode = OpenMode::kReadOnly;
  CopyDirectory(DatabaseDirectory(data_dir), options.directory);
  const auto engine = OpenRocksDb(options);
  EXPECT_TRUE(IsOk(engine));
  return engine.ok() ? (*engine)->LastSequence() : 0;
}

void WaitForMark(const std::string& data_dir) {
  const uint64_t last = LastSequenceOf(data_dir);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (ReadHighWater(data_dir).value_or(0) < last) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the mark does not come";
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// A store whose process ended without closing it, and where each of its writes ends in the log.
// Write number n inserts artifact n; all are acknowledged.
class CrashedStore {
 public:
  explicit CrashedStore(int writes, size_t bytes_each = 50, Mark mark = Mark::kAtTheEnd) {
    OtherProcess process({"crash", image(), absl::StrCat(writes), absl::StrCat(bytes_each)});
    for (int i = 0; i < writes; ++i) {
      size_t end = 0;
      EXPECT_TRUE(absl::SimpleAtoi(process.ReadLine(), &end));
      ends_.push_back(end);
    }
    if (mark == Mark::kAtTheEnd) WaitForMark(image());
    process.WriteLine("end");
    EXPECT_EQ(process.ReadLine(), "");
    if (mark == Mark::kBeforeTheWrites) {
      EXPECT_TRUE(IsOk(WriteHighWater(image(), 1)));
    }
    log_ = ReadFile(LogOf(image()));
    EXPECT_EQ(log_.size(), ends_.back());
  }

  size_t writes() const { return ends_.size(); }
  // Where write n (from 1) begins and ends in the log.
  size_t begin(size_t n) const { return n == 1 ? 0 : ends_[n - 2]; }
  size_t end(size_t n) const { return ends_[n - 1]; }
  const std::string& log() const { return log_; }

  // Opens a copy with another log; what the store then holds, or why it does not open.
  absl::StatusOr<int64_t> OpenWith(const std::string& log) const {
    return OpenAfter([&](const std::string& path) { WriteFile(path, log); });
  }
  absl::StatusOr<int64_t> OpenWithoutLog() const {
    return OpenAfter([](const std::string& path) { fs::remove(path); });
  }

 private:
  std::string image() const { return scratch_.path() + "/image"; }

  static std::string LogOf(const std::string& data_dir) {
    std::string newest;
    for (const auto& entry : fs::directory_iterator(data_dir + "/db")) {
      if (entry.path().extension() == ".log") newest = std::max(newest, entry.path().string());
    }
    EXPECT_FALSE(newest.empty()) << "no log in " << data_dir;
    return newest;
  }

  absl::StatusOr<int64_t> OpenAfter(
      const std::function<void(const std::string& path)>& damage) const {
    const ScratchDirectory scratch;
    StoreOptions options;
    options.data_dir = scratch.path() + "/store";
    options.block_cache_bytes = size_t{1} << 20;
    options.write_buffer_bytes = size_t{8} << 20;
    CopyDirectory(image(), options.data_dir);
    damage(LogOf(options.data_dir));
    auto store = Store::Open(options);
    if (!store.ok()) return store.status();
    auto report = (*store)->Verify();
    if (!report.ok()) return report.status();
    if (!report->ok()) return absl::DataLossError(report->problems[0]);
    return report->nodes[IndexOf(NodeKind::kArtifact)];
  }

  ScratchDirectory scratch_;
  std::vector<size_t> ends_;
  std::string log_;
};

TEST(Log, ACrashLosesNothingThatWasAcknowledged) {
  const CrashedStore crashed(20);
  EXPECT_EQ(*crashed.OpenWith(crashed.log()), 20);
}

TEST(Log, ATornTailIsDroppedAndTheRestKept) {
  const CrashedStore crashed(8, 50, Mark::kBeforeTheWrites);
  Random random;
  for (size_t n = 1; n <= crashed.writes(); ++n) {
    const int64_t whole = static_cast<int64_t>(n) - 1;
    // Cut at the beginning of write n, within its head, anywhere within, and before its last byte.
    const size_t size = crashed.end(n) - crashed.begin(n);
    for (const size_t keep : {size_t{0}, size_t{1}, size_t{6}, random.Index(size), size - 1}) {
      const auto opened = crashed.OpenWith(crashed.log().substr(0, crashed.begin(n) + keep));
      ASSERT_TRUE(IsOk(opened)) << "write " << n << ", " << keep << " bytes";
      EXPECT_EQ(*opened, whole) << "write " << n << ", " << keep << " bytes";
    }
  }
}

TEST(Log, ATornTailWithinManyBlocksIsDropped) {
  // A block of the log is 32 KiB.
  const CrashedStore crashed(3, 100'000, Mark::kBeforeTheWrites);
  Random random;
  for (int i = 0; i < 6; ++i) {
    const size_t keep = random.Index(crashed.end(3) - crashed.begin(3));
    const auto opened = crashed.OpenWith(crashed.log().substr(0, crashed.begin(3) + keep));
    ASSERT_TRUE(IsOk(opened)) << keep;
    EXPECT_EQ(*opened, 2) << keep;
  }
}

// A record of RocksDB's log: checksum (4 bytes), length (2), type (1), then what was written.
constexpr size_t kChecksumBytes = 4;
constexpr size_t kRecordHeadBytes = 7;

std::string Flipped(std::string log, size_t at, int bit) {
  log[at] = static_cast<char>(log[at] ^ (1 << bit));
  return log;
}

TEST(Log, AFlippedBitInTheMiddleIsDataLoss) {
  const CrashedStore crashed(10);
  Random random;
  for (size_t n = 1; n < crashed.writes(); ++n) {
    for (int i = 0; i < 4; ++i) {
      const bool in_checksum = i == 0;
      const size_t first = crashed.begin(n) + (in_checksum ? 0 : kRecordHeadBytes);
      const size_t last = in_checksum ? first + kChecksumBytes : crashed.end(n);
      const size_t at = first + random.Index(last - first);
      EXPECT_TRUE(Fails(crashed.OpenWith(Flipped(crashed.log(), at, 3)), StatusCode::kDataLoss,
                        "restore a backup"))
          << "write " << n << ", byte " << at - crashed.begin(n);
    }
  }
}

// A torn end and a lost one look alike; the mark tells them apart.
TEST(Log, AnEndThatWasAcknowledgedIsNoTornTail) {
  const CrashedStore crashed(8);
  for (size_t n = 1; n <= crashed.writes(); ++n) {
    for (const size_t keep : {size_t{0}, crashed.end(n) - crashed.begin(n) - 1}) {
      EXPECT_TRUE(Fails(crashed.OpenWith(crashed.log().substr(0, crashed.begin(n) + keep)),
                        StatusCode::kDataLoss, "acknowledged writes are missing"))
          << "write " << n << ", " << keep << " bytes";
    }
  }
}

// RocksDB takes each of the following for the torn end of the log.

TEST(Log, AFlippedBitInALengthInTheMiddleIsDataLoss) {
  const CrashedStore crashed(10);
  for (size_t n = 1; n < crashed.writes(); n += 4) {
    for (size_t byte = kChecksumBytes; byte < kRecordHeadBytes - 1; ++byte) {
      for (int bit : {0, 4, 6}) {
        const auto opened = crashed.OpenWith(Flipped(crashed.log(), crashed.begin(n) + byte, bit));
        EXPECT_TRUE(Fails(opened, StatusCode::kDataLoss))
            << "write " << n << ", byte " << byte << ", bit " << bit << ": " << opened.value_or(-1)
            << " of 10 acknowledged writes are left";
      }
    }
  }
}

TEST(Log, AFlippedBitInARecordTypeInTheMiddleIsDataLoss) {
  const CrashedStore crashed(10);
  for (size_t n = 1; n < crashed.writes(); n += 4) {
    for (int bit = 0; bit < 8; ++bit) {
      const auto opened =
          crashed.OpenWith(Flipped(crashed.log(), crashed.begin(n) + kRecordHeadBytes - 1, bit));
      EXPECT_TRUE(Fails(opened, StatusCode::kDataLoss))
          << "write " << n << ", bit " << bit << ": " << opened.value_or(-1)
          << " of 10 acknowledged writes are left";
    }
  }
}

// What a disk that loses a sector leaves.
TEST(Log, ZeroesInTheMiddleAreDataLoss) {
  const CrashedStore crashed(300);
  for (const size_t at : {size_t{0}, size_t{4096}, size_t{32768}, size_t{40960}}) {
    ASSERT_LT(at + 512, crashed.begin(crashed.writes()));
    std::string log = crashed.log();
    log.replace(at, 512, 512, '\0');
    const auto opened = crashed.OpenWith(log);
    EXPECT_TRUE(Fails(opened, StatusCode::kDataLoss))
        << "512 zeroes at " << at << ": " << opened.value_or(-1)
        << " of 300 acknowledged writes are left";
  }
}

TEST(Log, AWriteOfZeroesInTheMiddleIsDataLoss) {
  const CrashedStore crashed(10);
  for (size_t n = 1; n < crashed.writes(); n += 4) {
    const size_t size = crashed.end(n) - crashed.begin(n);
    std::string log = crashed.log();
    log.replace(crashed.begin(n), size, size, '\0');
    const auto opened = crashed.OpenWith(log);
    EXPECT_TRUE(Fails(opened, StatusCode::kDataLoss))
        << "write " << n << ": " << opened.value_or(-1) << " of 10 acknowledged writes are left";
  }
}

// The log then looks whole: what is missing shows in what refers to it.
TEST(Log, AWriteThatIsCutOutShows) {
  const CrashedStore crashed(10);
  for (size_t n = 1; n < crashed.writes(); n += 4) {
    std::string log = crashed.log();
    log.erase(crashed.begin(n), crashed.end(n) - crashed.begin(n));
    EXPECT_TRUE(Fails(crashed.OpenWith(log), StatusCode::kDataLoss)) << "write " << n;
  }
}

TEST(Log, AMissingLogIsDataLoss) {
  const CrashedStore crashed(10);
  const auto opened = crashed.OpenWithoutLog();
  EXPECT_TRUE(Fails(opened, StatusCode::kDataLoss))
      << opened.value_or(-1) << " of 10 acknowledged writes are left";
}

}  // namespace
}  // namespace pedigree
