#include "tests/crash/subject.h"

#include <rocksdb/env.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "tests/model/compare.h"

namespace pedigree::crash {
namespace {

// Far beyond what closing takes on a busy machine.
constexpr std::chrono::seconds kCloseTimeout{60};

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

// Adds a property of this many bytes to the first node of the request.
void Inflate(size_t bytes, google::protobuf::Message* request) {
  auto* put = google::protobuf::DynamicCastToGenerated<ml_metadata::PutExecutionRequest>(request);
  if (put == nullptr) return;
  auto& properties = *put->mutable_execution()->mutable_custom_properties();
  properties["large"].set_string_value(std::string(bytes, 'z'));
}

}  // namespace

Subject::Subject(uint64_t seed)
    : random_(seed),
      clock_ms_(std::make_shared<std::atomic<int64_t>>(1'700'000'000'000)),
      requests_(&random_, &model_) {
  if (absl::Status status = OpenPlain(); !status.ok()) Die(status.ToString());
  model::Call types = requests_.FirstTypes();
  types.status = model::Invoke(*store_, types.rpc, *types.request, types.response.get());
  if (!types.status.ok()) Die(types.status.ToString());
  model_.Write(*types.request, clock_ms(), types.response.get());
  Close();
}

Subject::~Subject() { Close(); }

void Subject::PrepareFiles() {
  files_ = std::make_shared<FaultFileSystem>(directory_.path() + "/trash");
}

absl::Status Subject::OpenPrepared() { return OpenWith(files_); }

absl::Status Subject::OpenPlain() { return OpenWith(nullptr); }

absl::Status Subject::OpenWith(std::shared_ptr<rocksdb::FileSystem> files) {
  *clock_ms_ += 10;
  StoreOptions options;
  options.data_dir = directory_.path() + "/store";
  options.sync = Sync::kAlways;
  options.block_cache_bytes = size_t{1} << 20;
  options.write_buffer_bytes = size_t{64} << 10;  // The least that RocksDB takes.
  options.clock_ms = [clock = clock_ms_] { return clock->load(); };
  options.file_system = std::move(files);
  auto store = Store::Open(std::move(options));
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  return absl::OkStatus();
}

void Subject::Close() {
  if (store_ == nullptr) return;
  auto closed = std::async(std::launch::async, [this] { store_.reset(); });
  if (closed.wait_for(kCloseTimeout) != std::future_status::ready) {
    Die("the store does not close: its destructor hangs");
  }
}

model::Call Subject::NextWrite() {
  model::Call call = requests_.SoundWrite(clock_ms());
  if (random_.OneIn(4)) {
    Inflate(static_cast<size_t>(random_.Between(1000, 20000)), call.request.get());
  }
  return call;
}

std::string Subject::MustWrite() {
  model::Call call = NextWrite();
  call.status = model::Invoke(*store_, call.rpc, *call.request, call.response.get());
  std::unique_ptr<google::protobuf::Message> expected(call.response->New());
  const model::Verdict verdict = model_.Write(*call.request, clock_ms(), expected.get());
  return model::CompareWrite(call, verdict, *expected);
}

std::string Subject::Compare(const model::Model& model) {
  std::string difference = model::Difference(*store_, model);
  return difference.empty() ? model::VerifyProblems(*store_) : difference;
}

int64_t Subject::size() const {
  const model::State& state = model_.state();
  return state.Of<ml_metadata::Artifact>().last_id + state.Of<ml_metadata::Execution>().last_id +
         state.Of<ml_metadata::Context>().last_id;
}

void UseManyBackgroundThreads() {
  for (auto priority : {rocksdb::Env::Priority::LOW, rocksdb::Env::Priority::HIGH}) {
    rocksdb::Env::Default()->SetBackgroundThreads(16, priority);
  }
}

}  // namespace pedigree::crash
