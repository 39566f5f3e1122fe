// The snapshot of the graph beside the database: a start with it, with a damaged one, with none or
// with another one shows the same events, and so does a crash at any step between its file and the
// trimmed log.
#include "store/graph_snapshot.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/keys.h"
#include "tests/store/graph_difference.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;
using Rows = std::vector<EventRow>;

constexpr char kFile[] = "/LINEAGE";
bool Never() { return false; }

// A store in a directory of its own, and the lines that it logs.
class LoggingStore {
 public:
  // A snapshot is due after so many events.
  explicit LoggingStore(uint32_t log_events) : log_events_(log_events) { Open(); }

  Store& operator*() { return *store_; }
  std::string data_dir() const { return scratch_.path() + "/store"; }
  std::string file() const { return data_dir() + kFile; }
  // Of the last opening.
  const std::vector<std::string>& lines() const { return lines_; }

  void Open() {
    lines_.clear();
    StoreOptions options;
    options.data_dir = data_dir();
    options.sync = Sync::kNever;
    options.block_cache_bytes = size_t{8} << 20;
    options.write_buffer_bytes = size_t{4} << 20;
    options.log_events_per_snapshot = log_events_;
    options.log = [this](absl::string_view line) { lines_.emplace_back(line); };
    auto store = Store::Open(options);
    ASSERT_TRUE(IsOk(store));
    store_ = *std::move(store);
  }
  void Close() { store_.reset(); }

  // `count` requests of some events each, on nodes of their own and on old ones.
  void AddEvents(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(IsOk(store_->Write([](Transaction& transaction) -> absl::Status {
        Artifact artifact = NewNode<Artifact>(1);
        Execution execution = NewNode<Execution>(5);
        if (auto id = transaction.Insert(&artifact, {}); !id.ok()) return id.status();
        if (auto id = transaction.Insert(&execution, {}); !id.ok()) return id.status();
        Event events[3];
        for (Event& event : events) {
          event.set_execution_id(execution.id());
          event.set_artifact_id(artifact.id());
        }
        events[0].set_type(Event::OUTPUT);
        events[1].set_type(Event::INPUT);
        events[1].set_artifact_id((artifact.id() + 1) / 2);
        events[2].set_type(Event::DECLARED_INPUT);
        events[2].set_execution_id((execution.id() + 1) / 2);
        return pedigree::AddEvents(transaction, {&events[0], &events[1], &events[2]});
      })));
    }
  }

  Rows rows() {
    Rows rows;
    EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
      EXPECT_EQ(GraphDifference(reader), "");
      rows = EventsInGraph(reader);
      return absl::OkStatus();
    })));
    return rows;
  }

  // What the store names, once it is of this event or a later one and the log before it is gone.
  GraphSnapshot WaitForSnapshot(uint32_t last_event) {
    GraphSnapshot named;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (named.last_event < last_event || LogBegin() <= named.last_event) {
      EXPECT_LT(std::chrono::steady_clock::now(), deadline) << "the snapshot does not come";
      if (testing::Test::HasFailure()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const auto bytes =
          store_->CurrentVersion()->view->Get(LineageSnapshotKey().Encode(), Blocking::kAllowed);
      if (bytes.ok() && bytes->has_value()) {
        EXPECT_TRUE(GraphSnapshot::Decode(**bytes, &named));
      }
    }
    return named;
  }

  // What a crash leaves that comes before the store names the new snapshot.
  absl::StatusOr<GraphSnapshot> WriteUnnamedSnapshot() {
    const auto version = store_->CurrentVersion();
    const auto last = static_cast<uint32_t>(version->counters.last_event_number);
    return WriteGraphSnapshot(data_dir(), *version->graph, last, Never);
  }

  // The number of the first event in the log; beyond all numbers if it is empty.
  int64_t LogBegin() {
    EventLogKey first = {std::numeric_limits<int64_t>::max()};
    EXPECT_TRUE(IsOk(store_->CurrentVersion()->view->Scan(
        PrefixRange(KeyHead(Tag::kEventLog)), Direction::kAscending, Blocking::kAllowed,
        [&](absl::string_view key, absl::string_view) {
          EXPECT_TRUE(EventLogKey::Decode(key, &first));
          return false;
        })));
    return first.number;
  }

 private:
  ScratchDirectory scratch_;
  const uint32_t log_events_;
  std::vector<std::string> lines_;
  std::unique_ptr<Store> store_;
};

constexpr uint32_t kNoSnapshots = 1u << 30;

TEST(GraphSnapshot, GoesThroughItsFile) {
  Random random;
  for (const uint32_t events : {0u, 1u, 7u, 1000u, 65'535u, 65'536u, 65'537u, 200'000u}) {
    const ScratchDirectory scratch;
    EventGraph graph;
    for (uint32_t number = 1; number <= events; ++number) {
      graph.Append(number,
                   {static_cast<uint32_t>(random.Between(1, kLastGraphId)) % 1'000'000 + 1,
                    number / 3 + 1, static_cast<uint8_t>(random.Between(0, 7))},
                   static_cast<int64_t>(random.Skewed()) - 5);
    }
    const auto written = WriteGraphSnapshot(scratch.path(), graph, events, Never);
    ASSERT_TRUE(IsOk(written));
    EventGraph read;
    ASSERT_TRUE(IsOk(ReadGraphSnapshot(scratch.path(), *written, &read)));
    for (uint32_t number = 1; number <= events; ++number) {
      const EventEnds ends = graph.ends(number);
      const EventEnds got = read.ends(number);
      ASSERT_EQ(got.artifact, ends.artifact) << number;
      ASSERT_EQ(got.execution, ends.execution) << number;
      ASSERT_EQ(got.type, ends.type) << number;
      ASSERT_EQ(read.time_ms(number), graph.time_ms(number)) << number;
    }
  }
}

TEST(GraphSnapshot, IsNotReadWhereAnyByteIsWrong) {
  const ScratchDirectory scratch;
  EventGraph graph;
  for (uint32_t number = 1; number <= 10; ++number) {
    graph.Append(number, {number, 1, Event::OUTPUT}, number);
  }
  const auto written = WriteGraphSnapshot(scratch.path(), graph, 10, Never);
  ASSERT_TRUE(IsOk(written));
  const std::string whole = ReadFile(scratch.path() + kFile);
  const auto status_with = [&](const std::string& bytes) {
    WriteFile(scratch.path() + kFile, bytes);
    EventGraph read;
    return ReadGraphSnapshot(scratch.path(), *written, &read);
  };
  ASSERT_TRUE(IsOk(status_with(whole)));
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_TRUE(Fails(status_with(damaged), absl::StatusCode::kDataLoss)) << "byte " << i;
    EXPECT_TRUE(Fails(status_with(whole.substr(0, i)), absl::StatusCode::kDataLoss))
        << i << " bytes";
  }
  GraphSnapshot other = *written;
  other.id[3] = static_cast<char>(other.id[3] ^ 1);
  WriteFile(scratch.path() + kFile, whole);
  EventGraph read;
  EXPECT_TRUE(Fails(ReadGraphSnapshot(scratch.path(), other, &read), absl::StatusCode::kDataLoss));
  fs::remove(scratch.path() + kFile);
  EXPECT_TRUE(
      Fails(ReadGraphSnapshot(scratch.path(), *written, &read), absl::StatusCode::kNotFound));
}

TEST(GraphSnapshot, IsLeftHalfWrittenWhereTheStoreCloses) {
  const ScratchDirectory scratch;
  EventGraph graph;
  graph.Append(1, {1, 1, Event::OUTPUT}, 1);
  const auto written = WriteGraphSnapshot(scratch.path(), graph, 1, [] { return true; });
  EXPECT_TRUE(Fails(written, absl::StatusCode::kCancelled));
  EXPECT_FALSE(fs::exists(scratch.path() + kFile));
}

TEST(GraphOfStore, StartsFromTheLogAlone) {
  LoggingStore store(kNoSnapshots);
  store.AddEvents(100);
  const Rows rows = store.rows();
  ASSERT_EQ(rows.size(), 300u);
  store.Close();
  store.Open();
  EXPECT_EQ(store.rows(), rows);
  EXPECT_EQ(store.LogBegin(), 1);
  EXPECT_FALSE(fs::exists(store.file()));
}

TEST(GraphOfStore, StartsFromTheSnapshotAndTheLogAfterIt) {
  LoggingStore store(30);
  store.AddEvents(20);
  const GraphSnapshot first = store.WaitForSnapshot(30);
  EXPECT_GT(store.LogBegin(), int64_t{first.last_event}) << "the log is shorter for it";
  store.AddEvents(3);
  Rows rows = store.rows();
  ASSERT_EQ(rows.size(), 69u);
  for (int round = 0; round < 2; ++round) {
    store.Close();
    store.Open();
    EXPECT_EQ(store.rows(), rows);
    EXPECT_EQ(store.lines(), std::vector<std::string>()) << "it was not read";
  }
  // And once more, on top of the first.
  store.AddEvents(40);
  const GraphSnapshot second = store.WaitForSnapshot(150);
  EXPECT_NE(second.id, first.id);
  store.AddEvents(2);
  rows = store.rows();
  store.Close();
  store.Open();
  EXPECT_EQ(store.rows(), rows);
  EXPECT_EQ(store.lines(), std::vector<std::string>());
  EXPECT_EQ((*store).Verify()->problems, std::vector<std::string>());
}

TEST(GraphOfStore, ShowsTheSameWithoutItsSnapshot) {
  LoggingStore store(30);
  store.AddEvents(20);
  store.WaitForSnapshot(30);
  const std::string old_file = ReadFile(store.file());
  store.AddEvents(30);
  store.WaitForSnapshot(100);
  store.AddEvents(1);
  const Rows rows = store.rows();
  store.Close();
  const std::string file = ReadFile(store.file());
  std::string damaged = file;
  damaged[file.size() / 2] = static_cast<char>(damaged[file.size() / 2] ^ 0x40);
  for (const std::string& bytes :
       {damaged, old_file, file.substr(0, file.size() - 1), file.substr(0, 40), std::string()}) {
    WriteFile(store.file(), bytes);
    store.Open();
    EXPECT_EQ(store.rows(), rows);
    ASSERT_EQ(store.lines().size(), 1u) << "it says why the start took long";
    EXPECT_NE(store.lines()[0].find("snapshot of lineage cannot be used"), std::string::npos);
    store.Close();
  }
  fs::remove(store.file());
  store.Open();
  EXPECT_EQ(store.rows(), rows);
  store.AddEvents(1);
  const Rows more = store.rows();
  store.Close();
  WriteFile(store.file(), file);
  store.Open();
  EXPECT_EQ(store.rows(), more);
  EXPECT_EQ(store.lines(), std::vector<std::string>()) << "it is the one that the store names";
}

// A crash between the new file and its name in the store, or before the log is trimmed.
TEST(GraphOfStore, ShowsTheSameAfterACrashBesideItsSnapshot) {
  LoggingStore store(kNoSnapshots);
  store.AddEvents(30);
  const auto snapshot = store.WriteUnnamedSnapshot();
  ASSERT_TRUE(IsOk(snapshot));
  store.AddEvents(2);
  const Rows rows = store.rows();
  store.Close();
  store.Open();  // Nothing names the file.
  EXPECT_EQ(store.rows(), rows);
  EXPECT_EQ(store.lines(), std::vector<std::string>());
  ASSERT_TRUE(IsOk((*store).Write([&](Transaction& transaction) {
    transaction.SetLineageSnapshot(*snapshot);
    return absl::OkStatus();
  })));
  store.Close();
  store.Open();  // The log has everything too, and is trimmed now.
  EXPECT_EQ(store.rows(), rows);
  EXPECT_EQ(store.lines(), std::vector<std::string>());
  EXPECT_EQ(store.WaitForSnapshot(90).last_event, 90u);
  store.Close();
  store.Open();
  EXPECT_EQ(store.rows(), rows);
  EXPECT_EQ((*store).Verify()->problems, std::vector<std::string>());
}

}  // namespace
}  // namespace pedigree
