#include "store/store.h"

#include <chrono>
#include <future>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/backup.h"
#include "store/bulk_loader.h"
#include "store/codec.h"
#include "store/directory.h"
#include "store/keys.h"
#include "store/rocksdb_engine.h"
#include "store/text.h"

namespace pedigree {
namespace {

// Of a check of all keys.
constexpr int64_t kKeysPerReport = 65536;

int64_t SystemClockMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

int64_t SystemSteadyMs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void SetUp(const StoreOptions& options, CacheRuntime* cache) {
  cache->clock_ms = options.clock_ms ? options.clock_ms : SystemClockMs;
  cache->steady_ms = options.steady_ms ? options.steady_ms : SystemSteadyMs;
  std::random_device random;
  cache->boot_id = uint64_t{random()} << 32 | random();
  cache->opened_steady_ms = cache->steady_ms();
  cache->opened_ms = cache->clock_ms();
  cache->policy = options.cache_policy;
}

// What the committer starts from.
struct State {
  Catalog catalog;
  Counters counters;
  JournalHead journal;
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
  AppendBe32(&format, kFirstFormatVersion);
  std::vector<std::pair<std::string, std::string>> rows;
  rows.emplace_back(FormatKey().Encode(), format);
  rows.emplace_back(CountersKey().Encode(), counters.Encode());
  JournalHead journal;
  journal.mode = JournalHead::Mode::kOn;
  rows.emplace_back(JournalHeadKey().Encode(), journal.Encode());
  AppendTypes<ml_metadata::Artifact>(catalog, &rows);
  AppendTypes<ml_metadata::Execution>(catalog, &rows);
  AddPredefinedPropertyIndexes(&catalog.property_indexes());
  for (const auto& [id, index] : catalog.property_indexes().all()) {
    rows.emplace_back(PropertyIndexKey{id}.Encode(), index->Encode());
  }
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
  auto journal = view.Get(JournalHeadKey().Encode(), Blocking::kAllowed);
  if (!journal.ok()) return journal.status();
  if (journal->has_value() && !JournalHead::Decode(**journal, &state.journal)) {
    return Damaged("journal_head does not decode");
  }
  auto create_order = view.Get(CreateOrderKey().Encode(), Blocking::kAllowed);
  if (!create_order.ok()) return create_order.status();
  if (create_order->has_value() && !state.catalog.DecodeCreateOrder(**create_order)) {
    return Damaged("create_order does not decode");
  }
  auto import = view.Get(ImportKey().Encode(), Blocking::kAllowed);
  if (!import.ok()) return import.status();
  if (import->has_value()) {
    ImportState unfinished;
    if (!ImportState::Decode(**import, &unfinished)) return Damaged("import does not decode");
    state.catalog.SetImportSource(unfinished.source);
  }
  status = view.Scan(PrefixRange(KeyHead(Tag::kPropertyIndex)), Direction::kAscending,
                     Blocking::kAllowed, [&](absl::string_view key, absl::string_view value) {
                       PropertyIndexKey head = {};
                       PropertyIndex index;
                       damaged = !PropertyIndexKey::Decode(key, &head) ||
                                 !PropertyIndex::Decode(value, &index);
                       index.id = head.index;
                       if (!damaged) state.catalog.property_indexes().Put(std::move(index));
                       return !damaged;
                     });
  if (!status.ok()) return status;
  if (damaged) return Damaged("the definition of a property index does not decode");
  return state;
}

absl::Status At(const std::string& data_dir, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("cannot open ", Quoted(data_dir), ": ", status.message()));
}

absl::StatusOr<std::unique_ptr<Engine>> OpenEngine(const StoreOptions& options, OpenMode mode) {
  RocksDbOptions rocksdb_options;
  rocksdb_options.directory = DatabaseDirectory(options.data_dir);
  rocksdb_options.mode = mode;
  rocksdb_options.block_cache_bytes = options.block_cache_bytes;
  rocksdb_options.write_buffer_bytes = options.write_buffer_bytes;
  rocksdb_options.file_system = options.file_system;
  return OpenRocksDb(rocksdb_options);
}

// Whether the store is whole as far as can be told without reading all of it. To open it for
// writing would change it: RocksDB deletes the files that a damaged manifest does not name, and
// cuts off what it takes for the torn end of the log. So nobody could restore the one damaged file.
absl::Status LookBeforeWriting(const StoreOptions& options) {
  auto engine = OpenEngine(options, OpenMode::kReadOnly);
  if (!engine.ok()) return engine.status();
  // Damage that is certain goes before damage that may follow from it.
  if (absl::Status status = CheckHighWater(**engine, options.data_dir); !status.ok()) return status;
  return LoadState(*(*engine)->CurrentView()).status();
}

// The first content and the marker of a store that a crash may have left without them.
absl::Status CompleteCreation(Engine* engine, const std::string& data_dir) {
  // A database that is whole already only lacks its marker.
  auto format = engine->CurrentView()->Get(FormatKey().Encode(), Blocking::kAllowed);
  if (!format.ok()) return format.status();
  absl::Status status = format->has_value() ? absl::OkStatus() : WriteFirstState(engine);
  return status.ok() ? MarkReady(data_dir) : status;
}

struct Opened {
  std::unique_ptr<Engine> engine;
  State state;
};

absl::StatusOr<Opened> OpenWhole(const StoreOptions& options, DirectoryState directory) {
  const bool creating = directory == DirectoryState::kCreating;
  if (!creating) {
    if (absl::Status status = LookBeforeWriting(options); !status.ok()) return status;
  }
  auto engine = OpenEngine(options, creating ? OpenMode::kCreate : OpenMode::kReadWrite);
  if (!engine.ok()) return engine.status();
  if (creating) {
    absl::Status status = CompleteCreation(engine->get(), options.data_dir);
    if (!status.ok()) return status;
  }
  // Again: another process may have had the store since the look.
  if (absl::Status status = CheckHighWater(**engine, options.data_dir); !status.ok()) return status;
  auto state = LoadState(*(*engine)->CurrentView());
  if (!state.ok()) return state.status();
  return Opened{*std::move(engine), *std::move(state)};
}

template <class Node>
int64_t TypeCount(const Catalog& catalog) {
  return static_cast<int64_t>(catalog.Of<Node>().all().size());
}

absl::StatusOr<DirectoryState> PrepareFor(const StoreOptions& options) {
  if (options.purpose == Purpose::kServe) return PrepareDirectory(options.data_dir);
  if (absl::Status status = CheckFollowing(options.data_dir); !status.ok()) return status;
  return DirectoryState::kFollowing;
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
  auto directory = PrepareFor(options);
  if (!directory.ok()) return directory.status();
  auto opened = OpenWhole(options, *directory);
  if (!opened.ok()) return At(options.data_dir, opened.status());
  std::unique_ptr<Store> store(new Store(std::move(opened->engine), options.record_cache_bytes));
  store->data_dir_ = options.data_dir;
  const LogLine log = options.log ? options.log : [](absl::string_view) {};
  auto loaded =
      LoadGraph(*store->engine_->CurrentView(), opened->state.counters, options.data_dir, log);
  if (!loaded.ok()) return At(options.data_dir, loaded.status());
  store->graph_ = std::move(loaded->graph);
  SetUp(options, &store->cache_);
  store->pinned_ = std::make_unique<PinnedVersions>(store->cache_.steady_ms);
  CommitterOptions committer;
  committer.durability =
      options.sync == Sync::kAlways ? Durability::kSynced : Durability::kBuffered;
  committer.sync_interval_ms = options.sync == Sync::kInterval ? kSyncIntervalMs : 0;
  committer.max_queued_bytes = options.max_queued_bytes;
  committer.clock_ms = store->cache_.clock_ms;
  committer.on_cache_changed = [store = store.get()](std::vector<std::string> fingerprint_texts) {
    store->OnCacheChanged(std::move(fingerprint_texts));
  };
  committer.journal = options.journal;
  store->journal_mode_ = options.journal;
  committer.on_journal_grown = [store = store.get()](int64_t sequence) {
    store->OnJournalGrown(sequence);
  };
  committer.raise_format = [data_dir = options.data_dir](uint32_t format) {
    return RaiseMarkerFormat(data_dir, format);
  };
  if (const Catalog& catalog = opened->state.catalog; catalog.IsBeingImported()) {
    log(absl::StrCat("an import of ", Quoted(catalog.import_source()),
                     " has not ended: until it has, nothing else is written"));
  }
  store->high_water_ = std::make_unique<HighWaterKeeper>(store->engine_.get(), options.data_dir);
  store->committer_ = std::make_unique<Committer>(
      store->engine_.get(),
      MemoryIndexes{store->graph_.get(), &store->records_, &store->cache_, store->pinned_.get()},
      std::make_shared<const Catalog>(std::move(opened->state.catalog)), opened->state.counters,
      opened->state.journal, std::move(committer));
  store->read_limits_.max_query_visits = options.max_query_visits;
  store->read_limits_.max_query_time = options.max_query_time;
  store->index_builder_ = std::make_unique<IndexBuilder>(store.get());
  store->graph_keeper_ = std::make_unique<GraphKeeper>(
      store.get(), GraphKeeperOptions{.data_dir = options.data_dir,
                                      .last_event_of_snapshot = loaded->last_event_of_snapshot,
                                      .log_events = options.log_events_per_snapshot});
  return store;
}

Store::~Store() {
  if (committer_ == nullptr) return;  // It did not open.
  graph_keeper_.reset();
  index_builder_.reset();
  committer_.reset();
  // What is not flushed is in the log, so an error costs the next start time, not data.
  (void)engine_->Flush();
  high_water_.reset();  // After the flush, which makes durable what was not.
}

absl::Status Store::MakeReady(std::unique_ptr<Store> store) {
  const std::string data_dir = store->data_dir_;
  const uint32_t format = store->CurrentVersion()->catalog->AllAreCreatedInOrder()
                              ? kFirstFormatVersion
                              : kCreateOrderFormatVersion;
  if (absl::Status status = store->WriteStatus(); !status.ok()) return status;
  store.reset();
  return MarkReady(data_dir, format);
}

absl::Status Store::Read(Blocking blocking,
                         absl::FunctionRef<absl::Status(const Reader& reader)> read,
                         const std::function<bool()>* is_cancelled) const {
  return Read(CurrentVersion(), blocking, read, is_cancelled);
}

absl::Status Store::Read(std::shared_ptr<const Version> version, Blocking blocking,
                         absl::FunctionRef<absl::Status(const Reader& reader)> read,
                         const std::function<bool()>* is_cancelled) const {
  ReadLimits limits = read_limits_;
  limits.is_cancelled = is_cancelled;
  return read(Reader(std::move(version), blocking, limits));
}

void Store::Enqueue(std::unique_ptr<PendingWrite> write) { committer_->Enqueue(std::move(write)); }

void Store::WaitForAcceptedWrites() { committer_->WaitForAccepted(); }

absl::Status Store::Write(std::function<absl::Status(Transaction& transaction)> write) {
  std::promise<absl::Status> done;
  std::future<absl::Status> result = done.get_future();
  Enqueue(std::make_unique<WaitedWrite>(std::move(write), &done));
  return result.get();
}

void Store::SetCacheListener(CacheListener listener) {
  std::lock_guard<std::mutex> lock(cache_listener_mutex_);
  cache_listener_ = std::move(listener);
}

void Store::OnCacheChanged(std::vector<std::string> fingerprint_texts) {
  std::lock_guard<std::mutex> lock(cache_listener_mutex_);
  if (cache_listener_) cache_listener_(std::move(fingerprint_texts));
}

void Store::SetJournalListener(JournalListener listener) {
  std::lock_guard<std::mutex> lock(journal_listener_mutex_);
  journal_listener_ = std::move(listener);
}

void Store::OnJournalGrown(int64_t sequence) {
  std::lock_guard<std::mutex> lock(journal_listener_mutex_);
  if (journal_listener_) journal_listener_(sequence);
}

StoreStatistics Store::Statistics() {
  StoreStatistics statistics;
  {
    const std::shared_ptr<const Version> version = CurrentVersion();
    for (NodeKind kind : kNodeKinds) {
      statistics.last_node_id[IndexOf(kind)] = version->last_id(kind);
    }
    statistics.types = {TypeCount<ml_metadata::Artifact>(*version->catalog),
                        TypeCount<ml_metadata::Execution>(*version->catalog),
                        TypeCount<ml_metadata::Context>(*version->catalog)};
    statistics.last_event_number = version->counters.last_event_number;
  }
  statistics.graph_bytes = graph_->bytes();
  statistics.engine = engine_->Statistics();
  statistics.committer = committer_->Statistics();
  statistics.records = records_.Statistics();
  return statistics;
}

absl::StatusOr<VerifyReport> VerifyUnopened(const StoreOptions& options, const ReportKeys& report) {
  auto engine = OpenEngine(options, OpenMode::kReadOnly);
  if (!engine.ok()) return engine.status();
  if (absl::Status status = CheckHighWater(**engine, options.data_dir); !status.ok()) return status;
  if (absl::Status status = (*engine)->VerifyFiles(); !status.ok()) return status;
  auto state = LoadState(*(*engine)->CurrentView());
  if (!state.ok()) return state.status();
  Version version = {};
  version.view = (*engine)->CurrentView();
  version.catalog = std::make_shared<const Catalog>(std::move(state->catalog));
  version.counters = state->counters;
  const auto shared = std::make_shared<const Version>(std::move(version));
  VerifyPass pass(Reader(shared, Blocking::kAllowed));
  while (true) {
    const auto is_done = pass.Step(kKeysPerReport);
    if (!is_done.ok()) return is_done.status();
    if (report) report(pass.keys(), static_cast<int64_t>((*engine)->Statistics().estimated_keys));
    if (*is_done) return pass.report();
  }
}

absl::StatusOr<Backup> Store::BackUp(const BackupOptions& options) {
  return engine_->BackUp(options);
}

absl::StatusOr<VerifyReport> Store::Verify() const {
  if (absl::Status status = engine_->VerifyFiles(); !status.ok()) return status;
  return VerifyVersion(Reader(committer_->CurrentVersion(), Blocking::kAllowed));
}

}  // namespace pedigree
