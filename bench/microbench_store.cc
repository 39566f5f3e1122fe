// What reads and commits cost in process: the store and the whole server but for gRPC, no sync,
// everything cached.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/load_generator.h"
#include "bench/store_fixture.h"
#include "bench/workload.h"
#include "server/dispatcher.h"
#include "server/methods.h"

namespace pedigree::bench {
namespace {

constexpr int64_t kArtifacts = 20'000;

// The fixture, or null after reporting why there is none.
std::unique_ptr<StoreFixture> MakeStore(benchmark::State& state, int64_t artifacts) {
  absl::StatusOr<std::unique_ptr<StoreFixture>> fixture = StoreFixture::Create(artifacts);
  if (fixture.ok()) return *std::move(fixture);
  state.SkipWithError(fixture.status().ToString().c_str());
  return nullptr;
}

// Ascending, each once.
std::vector<int64_t> RandomIds(size_t count, std::mt19937* random) {
  std::uniform_int_distribution<int64_t> id(1, kArtifacts);
  std::vector<int64_t> ids;
  while (ids.size() < count) {
    ids.push_back(id(*random));
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  return ids;
}

// Finds one artifact's bytes by its id.
void BM_FindRecord(benchmark::State& state) {
  const auto fixture = MakeStore(state, kArtifacts);
  if (fixture == nullptr) return;
  std::mt19937 random(1);
  std::uniform_int_distribution<int64_t> id(1, kArtifacts);
  for (auto _ : state) {
    const absl::Status status =
        fixture->store().Read(Blocking::kAllowed, [&](const Reader& reader) {
          const auto record = reader.FindRecord(NodeKind::kArtifact, id(random));
          benchmark::DoNotOptimize(record.ok() && record->has_value());
          return record.status();
        });
    if (!status.ok()) state.SkipWithError(status.ToString().c_str());
  }
}
BENCHMARK(BM_FindRecord);

// Finds a context's id by type and name.
void BM_FindIdByName(benchmark::State& state) {
  const auto fixture = MakeStore(state, kArtifacts);
  if (fixture == nullptr) return;
  const ml_metadata::Context& context = fixture->run().run_context;
  for (auto _ : state) {
    const absl::Status status =
        fixture->store().Read(Blocking::kAllowed, [&](const Reader& reader) {
          return reader.FindIdByName(NodeKind::kContext, context.type_id(), context.name())
              .status();
        });
    if (!status.ok()) state.SkipWithError(status.ToString().c_str());
  }
}
BENCHMARK(BM_FindIdByName);

// Visits the records of range(0) random artifacts; items are nodes.
void BM_VisitRecords(benchmark::State& state) {
  const auto fixture = MakeStore(state, kArtifacts);
  if (fixture == nullptr) return;
  std::mt19937 random(2);
  std::vector<std::vector<int64_t>> requests;
  for (int i = 0; i < 64; ++i) {
    requests.push_back(RandomIds(static_cast<size_t>(state.range(0)), &random));
  }
  size_t next = 0;
  for (auto _ : state) {
    size_t bytes = 0;
    const absl::Status status =
        fixture->store().Read(Blocking::kAllowed, [&](const Reader& reader) {
          return reader.VisitRecords(
              NodeKind::kArtifact, requests[next],
              [&bytes](int64_t, const RecordView& record) { bytes += record.message().size(); });
        });
    if (!status.ok()) state.SkipWithError(status.ToString().c_str());
    benchmark::DoNotOptimize(bytes);
    next = (next + 1) % requests.size();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_VisitRecords)->Arg(1)->Arg(100);

// A write that holds the committer until it is let go, so that what is enqueued meanwhile becomes
// one group.
class Gate final : public PendingWrite {
 public:
  explicit Gate(std::future<void> opened) : opened_(std::move(opened)) {}

  absl::Status Run(Transaction&) override {
    opened_.wait();
    return absl::OkStatus();
  }
  void Done(const absl::Status&) override {}
  size_t bytes() const override { return sizeof(*this); }

 private:
  std::future<void> opened_;
};

// What the calls of one group report to.
class Group {
 public:
  explicit Group(int64_t calls) : waiting_(calls) {}

  void Finish(const absl::Status& status) {
    if (!status.ok()) failed_ = true;
    if (--waiting_ == 0) done_.set_value();
  }

  // Waits for all. False if one failed.
  bool Wait() {
    done_.get_future().wait();
    return !failed_;
  }

 private:
  std::atomic<int64_t> waiting_;
  std::atomic<bool> failed_ = false;
  std::promise<void> done_;
};

class ReplyToGroup final : public ReplyTo {
 public:
  explicit ReplyToGroup(Group* group) : group_(group) {}

  bool IsCancelled() const override { return false; }
  void Done(absl::StatusOr<std::string> reply) override {
    benchmark::DoNotOptimize(reply);
    group_->Finish(reply.status());
  }

 private:
  Group* group_;  // Not owned; outlives Done().
};

bool CallAndWait(Dispatcher& dispatcher, const Method& method, const std::string& request) {
  Group group(1);
  dispatcher.Submit(method, request, std::make_unique<ReplyToGroup>(&group));
  return group.Wait();
}

// GetArtifactsByID of range(0) random ids, from request bytes to reply bytes; items are nodes.
void BM_GetArtifactsById(benchmark::State& state) {
  const auto fixture = MakeStore(state, kArtifacts);
  if (fixture == nullptr) return;
  Dispatcher dispatcher(&fixture->store());
  const Method& method = *FindMethod("GetArtifactsByID");
  const std::vector<std::string> requests =
      GetArtifactsByIdRequests(64, static_cast<size_t>(state.range(0)), kArtifacts, 3);
  size_t next = 0;
  for (auto _ : state) {
    if (!CallAndWait(dispatcher, method, requests[next])) state.SkipWithError("a call failed");
    next = (next + 1) % requests.size();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_GetArtifactsById)->Arg(1)->Arg(100);

void BM_GetContextByTypeAndName(benchmark::State& state) {
  const auto fixture = MakeStore(state, kArtifacts);
  if (fixture == nullptr) return;
  Dispatcher dispatcher(&fixture->store());
  const Method& method = *FindMethod("GetContextByTypeAndName");
  const std::string request = GetContextRequest(fixture->run());
  for (auto _ : state) {
    if (!CallAndWait(dispatcher, method, request)) state.SkipWithError("a call failed");
  }
}
BENCHMARK(BM_GetContextByTypeAndName);

// Groups of range(0) PutExecutions, from request bytes to reply bytes; items are PutExecutions. CPU
// is that of all threads: the caller parses, the committer does the rest.
void BM_PutExecution(benchmark::State& state) {
  const auto fixture = MakeStore(state, 0);
  if (fixture == nullptr) return;
  Dispatcher dispatcher(&fixture->store());
  const Method& method = *FindMethod("PutExecution");
  PatchedRequest requests(PutExecutionTemplate(fixture->run()));
  for (auto _ : state) {
    std::promise<void> open_gate;
    Group group(state.range(0));
    fixture->store().Enqueue(std::make_unique<Gate>(open_gate.get_future()));
    for (int64_t i = 0; i < state.range(0); ++i) {
      dispatcher.Submit(method, BytesOf(requests.Next()), std::make_unique<ReplyToGroup>(&group));
    }
    open_gate.set_value();
    if (!group.Wait()) state.SkipWithError("a call failed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_PutExecution)->Arg(1)->Arg(64)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace pedigree::bench
