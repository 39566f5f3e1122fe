#include "store/store.h"

#include <chrono>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/directory.h"
#include "store/keys.h"
#include "store/rocksdb_engine.h"
#include "store/text.h"

namespace pedigree {
namespace {

int64_t SystemClockMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// What the committer starts from.
struct State {
  Catalog catalog;
  Counters counters;
};

template <class Node>
void AppendTypes(const Catalog& catalog, std::vector<std::pair<std::string, std::string>>* rows) {
  for (const auto& [id, type] : catalog.Of<Node>().all()) {
    rows->emplace_back(TypeKey{TraitsOf<Node>::kKind, id}.Encode(), type->SerializeAsString());
  }
}

// The content of an empty store, in one batch. Repeating it does no harm.
absl::Status WriteFirstState(Engine* engine) {
  Catalog catalog;
  AddPredefinedTypes(&catalog);
  Counters counters;
  counters.last_type_id = kLastPredefinedTypeId;
  std::string format;
  AppendBe32(&format, kFormatVersion);
  std::vector<std::pair<std::string, std::string>> rows;
  rows.emplace_back(FormatKey().Encode(), format);
  rows.emplace_back(CountersKey().Encode(), counters.Encode());
  AppendTypes<ml_metadata::Artifact>(catalog, &rows);
  AppendTypes<ml_metadata::Execution>(catalog, &rows);
  std::vector<Mutation> mutations;
  for (const auto& [key, value] : rows) mutations.push_back({false, key, value});
  return engine->Apply(mutations, Durability::kSynced);
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat(what, "; the store is damaged: restore a backup of data_dir"));
}

absl::Status CheckFormat(const View& view) {
  auto bytes = view.Get(FormatKey().Encode(), Blocking::kAllowed);
  if (!bytes.ok()) return bytes.status();
  uint32_t format = 0;
  if (!bytes->has_value() || !ByteReader(**bytes).ReadBe32(&format)) {
    return Damaged("the database does not say which format it has");
  }
  if (format > kFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the store has format ", format,
                                                      ", this program knows formats up to ",
                                                      kFormatVersion, ": use a newer pedigreed"));
  }
  return absl::OkStatus();
}

template <class Node>
bool LoadType(absl::string_view bytes, Catalog* catalog) {
  auto type = std::make_shared<typename TraitsOf<Node>::Type>();
  if (!type->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  catalog->Of<Node>().Put(std::move(type));
  return true;
}

bool LoadType(NodeKind kind, absl::string_view bytes, Catalog* catalog) {
  switch (kind) {
    case NodeKind::kArtifact:
      return LoadType<ml_metadata::Artifact>(bytes, catalog);
    case NodeKind::kExecution:
      return LoadType<ml_metadata::Execution>(bytes, catalog);
    case NodeKind::kContext:
      break;
  }
  return LoadType<ml_metadata::Context>(bytes, catalog);
}

absl::StatusOr<State> LoadState(const View& view) {
  if (absl::Status status = CheckFormat(view); !status.ok()) return status;
  State state;
  auto counters = view.Get(CountersKey().Encode(), Blocking::kAllowed);
  if (!counters.ok()) return counters.status();
  if (!counters->has_value() || !Counters::Decode(**counters, &state.counters)) {
    return Damaged("the counters do not decode");
  }
  bool damaged = false;
  absl::Status status = view.Scan(
      PrefixRange(KeyHead(Tag::kType)), Direction::kAscending, Blocking::kAllowed,
      [&](absl::string_view key, absl::string_view value) {
        TypeKey type = {};
        damaged = !TypeKey::Decode(key, &type) || !LoadType(type.kind, value, &state.catalog);
        return !damaged;
      });
  if (!status.ok()) return status;
  if (damaged) return Damaged("a type does not decode");
  return state;
}

absl::StatusOr<std::unique_ptr<Engine>> OpenEngine(const StoreOptions& options) {
  auto state = PrepareDirectory(options.data_dir);
  if (!state.ok()) return state.status();
  const bool creating = *state == DirectoryState::kCreating;
  RocksDbOptions rocksdb_options;
  rocksdb_options.directory = DatabaseDirectory(options.data_dir);
  rocksdb_options.creation = creating ? Creation::kAllowed : Creation::kForbidden;
  rocksdb_options.block_cache_bytes = options.block_cache_bytes;
  rocksdb_options.write_buffer_bytes = options.write_buffer_bytes;
  rocksdb_options.file_system = options.file_system;
  auto engine = OpenRocksDb(rocksdb_options);
  if (!engine.ok()) {
    return absl::Status(
        engine.status().code(),
        absl::StrCat("cannot open ", Quoted(options.data_dir), ": ", engine.status().message()));
  }
  if (creating) {
    // A database that is whole already only lacks its marker.
    auto format = (*engine)->CurrentView()->Get(FormatKey().Encode(), Blocking::kAllowed);
    absl::Status status = format.status();
    if (format.ok() && !format->has_value()) status = WriteFirstState(engine->get());
    if (status.ok()) status = MarkReady(options.data_dir);
    if (!status.ok()) return status;
  }
  return engine;
}

// Runs a function and wakes the thread that waits for it.
class WaitedWrite final : public PendingWrite {
 public:
  WaitedWrite(std::function<absl::Status(Transaction&)> write, std::promise<absl::Status>* done)
      : write_(std::move(write)), done_(done) {}
  absl::Status Run(Transaction& transaction) override { return write_(transaction); }
  void Done(const absl::Status& status) override { done_->set_value(status); }
  size_t bytes() const override { return sizeof(*this); }

 private:
  std::function<absl::Status(Transaction&)> write_;
  std::promise<absl::Status>* done_;  // Not owned; outlives Done().
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  auto engine = OpenEngine(options);
  if (!engine.ok()) return engine.status();
  auto state = LoadState(*(*engine)->CurrentView());
  if (!state.ok()) return state.status();
  CommitterOptions committer;
  committer.durability =
      options.sync == Sync::kAlways ? Durability::kSynced : Durability::kBuffered;
  committer.sync_interval_ms = options.sync == Sync::kInterval ? kSyncIntervalMs : 0;
  committer.max_queued_bytes = options.max_queued_bytes;
  committer.clock_ms = options.clock_ms ? options.clock_ms : SystemClockMs;
  std::unique_ptr<Store> store(new Store(*std::move(engine)));
  store->committer_ = std::make_unique<Committer>(
      store->engine_.get(), std::make_shared<const Catalog>(std::move(state->catalog)),
      state->counters, std::move(committer));
  return store;
}

Store::~Store() {
  committer_.reset();
  // What is not flushed is in the log, so an error costs the next start time, not data.
  (void)engine_->Flush();
}

absl::Status Store::Read(Blocking blocking,
                         absl::FunctionRef<absl::Status(const Reader& reader)> read) const {
  return read(Reader(committer_->CurrentVersion(), blocking));
}

void Store::Enqueue(std::unique_ptr<PendingWrite> write) { committer_->Enqueue(std::move(write)); }

absl::Status Store::Write(std::function<absl::Status(Transaction& transaction)> write) {
  std::promise<absl::Status> done;
  std::future<absl::Status> result = done.get_future();
  Enqueue(std::make_unique<WaitedWrite>(std::move(write), &done));
  return result.get();
}

absl::StatusOr<VerifyReport> Store::Verify() const {
  if (absl::Status status = engine_->VerifyFiles(); !status.ok()) return status;
  return VerifyVersion(Reader(committer_->CurrentVersion(), Blocking::kAllowed));
}

}  // namespace pedigree
