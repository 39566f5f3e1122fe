#include "store/bulk_loader.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/task.pb.h"
#include "store/bulk_cache_entries.h"
#include "store/cache_entry.h"
#include "store/codec.h"
#include "store/directory.h"
#include "store/durable_file.h"
#include "store/high_water.h"
#include "store/ids.h"
#include "store/keys.h"
#include "store/property_entry.h"
#include "store/reader.h"
#include "store/rocksdb_engine.h"
#include "store/text.h"

namespace pedigree {
namespace {

// A chunk of events that has become so large is written, and another begins.
constexpr size_t kChunkBytes = size_t{64} << 10;
// Events in one entry of the event log.
constexpr size_t kEventsPerLogEntry = 4096;

absl::Status OutOfOrder(absl::string_view what, int64_t id) {
  return absl::InternalError(absl::StrCat(what, " ", id, " is not imported in order"));
}

template <class Node>
void PutTypesOf(const Catalog& catalog,
                absl::FunctionRef<void(absl::string_view key, absl::string_view value)> put) {
  for (const auto& [id, type] : catalog.Of<Node>().all()) {
    put(TypeKey{TraitsOf<Node>::kKind, id}.Encode(), SerializeSame(*type));
  }
}

}  // namespace

std::string ImportState::Encode() const {
  std::string bytes;
  AppendId(&bytes, last_source_event);
  bytes.append(source);
  return bytes;
}

bool ImportState::Decode(absl::string_view bytes, ImportState* out) {
  ByteReader reader(bytes);
  if (!reader.ReadId(&out->last_source_event)) return false;
  out->source = std::string(reader.rest());
  return true;
}

void BulkLoader::Batch::Put(absl::string_view key, absl::string_view value) {
  rows.push_back(
      {bytes.size(), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size())});
  bytes.append(key.data(), key.size());
  bytes.append(value.data(), value.size());
}

size_t BulkLoader::Batch::size() const {
  constexpr size_t kPostingBytes = 128;
  return bytes.size() + rows.size() * sizeof(Row) + postings.size() * kPostingBytes +
         events.size() * sizeof(NewEvent);
}

absl::StatusOr<std::unique_ptr<BulkLoader>> BulkLoader::Open(BulkLoaderOptions options) {
  std::unique_ptr<BulkLoader> loader(new BulkLoader(std::move(options)));
  for (NodeKind kind : loader->options_.created_out_of_order) {
    loader->catalog_.SetCreatedOutOfOrder(kind);
  }
  loader->format_ =
      loader->catalog_.AllAreCreatedInOrder() ? kFirstFormatVersion : kCreateOrderFormatVersion;
  PropertyIndexes& indexes = loader->catalog_.property_indexes();
  AddPredefinedPropertyIndexes(&indexes);
  for (PropertyIndex index : loader->options_.property_indexes) {
    if (indexes.Find(index.kind, index.is_custom, index.name) != nullptr) continue;
    index.id = indexes.all().rbegin()->first + 1;
    index.state = PropertyIndex::State::kReady;
    index.next = kFirstId;
    index.last = 0;
    indexes.Put(std::move(index));
  }
  if (absl::Status status = loader->OpenEngine(); !status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat("cannot import into ", Quoted(loader->options_.data_dir), ": ",
                                     status.message()));
  }
  return loader;
}

BulkLoader::~BulkLoader() {
  // After an error the thread may still be writing; what it says is of no use any more.
  if (writing_.valid()) writing_.get().IgnoreError();
}

absl::Status BulkLoader::OpenEngine() {
  if (!lock_.has_value()) {
    auto lock = DirectoryLock::Take(options_.data_dir);
    if (!lock.ok()) return lock.status();
    lock_ = *std::move(lock);
  }
  if (absl::Status status = PrepareImport(options_.data_dir, format_); !status.ok()) return status;
  RocksDbOptions rocksdb_options;
  rocksdb_options.directory = DatabaseDirectory(options_.data_dir);
  rocksdb_options.mode = OpenMode::kCreate;
  rocksdb_options.work_load = WorkLoad::kBulkLoad;
  rocksdb_options.block_cache_bytes = options_.block_cache_bytes;
  rocksdb_options.write_buffer_bytes = options_.write_buffer_bytes;
  rocksdb_options.file_system = options_.file_system;
  auto engine = OpenRocksDb(rocksdb_options);
  if (!engine.ok()) return engine.status();
  engine_ = *std::move(engine);
  auto format = engine_->CurrentView()->Get(FormatKey().Encode(), Blocking::kAllowed);
  if (!format.ok()) return format.status();
  return format->has_value() ? LoadState() : WriteFirstState();
}

absl::Status BulkLoader::WriteFirstState() {
  state_.source = options_.source;
  std::string format;
  AppendBe32(&format, format_);
  batch_.Put(FormatKey().Encode(), format);
  if (!catalog_.AllAreCreatedInOrder()) {
    batch_.Put(CreateOrderKey().Encode(), catalog_.EncodeCreateOrder());
  }
  for (const auto& [id, index] : catalog_.property_indexes().all()) {
    batch_.Put(PropertyIndexKey{id}.Encode(), index->Encode());
  }
  absl::Status status = Commit();
  return status.ok() ? WaitForWrite() : status;
}

absl::Status BulkLoader::LoadState() {
  const auto view = engine_->CurrentView();
  auto state = view->Get(ImportKey().Encode(), Blocking::kAllowed);
  if (!state.ok()) return state.status();
  auto counters = view->Get(CountersKey().Encode(), Blocking::kAllowed);
  if (!counters.ok()) return counters.status();
  auto create_order = view->Get(CreateOrderKey().Encode(), Blocking::kAllowed);
  if (!create_order.ok()) return create_order.status();
  if (!counters->has_value() || !Counters::Decode(**counters, &counters_) ||
      (state->has_value() && !ImportState::Decode(**state, &state_))) {
    return absl::DataLossError("what an import has left is damaged: remove the directory");
  }
  // The last batch takes the state away: only the marker is missing.
  if (!state->has_value()) {
    if (options_.after_load == AfterLoad::kFollow) {
      return absl::FailedPreconditionError(
          "it holds an import that only has to be finished, and does not follow its source: run "
          "that one again, or remove the directory");
    }
    is_complete_ = true;
    return absl::OkStatus();
  }
  if (!options_.name.empty() && state_.source != options_.source &&
      absl::StartsWith(state_.source, options_.name)) {
    return BeginAnew();
  }
  if (state_.source != options_.source ||
      create_order->value_or("") != catalog_.EncodeCreateOrder()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it holds a part of another import, or its source has changed since it began: remove the "
        "directory to begin anew (it was of ",
        Quoted(state_.source), ")"));
  }
  return absl::OkStatus();
}

// What is there is of a state that cannot be read any more. To go on with the rest of a newer one
// would write posting lists twice, and leave entries of the cache behind.
absl::Status BulkLoader::BeginAnew() {
  engine_.reset();
  counters_ = {};
  state_ = {};
  const std::string directory = DatabaseDirectory(options_.data_dir);
  std::error_code error;
  // Without this file there is no database, whatever else a crash leaves.
  std::filesystem::remove(directory + "/CURRENT", error);
  if (!error) std::filesystem::remove_all(directory, error);
  if (error) return FileError(error.value(), "remove", directory);
  return OpenEngine();
}

absl::Status BulkLoader::PutTypes(Catalog catalog, int64_t last_type_id) {
  counters_.last_type_id = options_.after_load == AfterLoad::kReady
                               ? AddMissingPredefinedTypes(last_type_id, &catalog)
                               : last_type_id;
  const auto put = [&](absl::string_view key, absl::string_view value) { batch_.Put(key, value); };
  PutTypesOf<ml_metadata::Artifact>(catalog, put);
  PutTypesOf<ml_metadata::Execution>(catalog, put);
  PutTypesOf<ml_metadata::Context>(catalog, put);
  types_ = std::move(catalog);
  return absl::OkStatus();
}

void BulkLoader::AddPosting(const std::string& prefix, int64_t id) {
  std::string key = prefix;
  AppendId(&key, BlockOf(id));
  batch_.postings[std::move(key)].Add(OffsetOf(id));
}

template <class Node>
absl::Status BulkLoader::PutNode(const Node& node, absl::Span<const int64_t> contexts) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  const int64_t id = node.id();
  int64_t& last = counters_.last_node_id[IndexOf(kKind)];
  if (id <= last) return OutOfOrder(TraitsOf<Node>::kName, id);
  // A block of ids goes into one batch, so that none of its posting lists is written twice.
  if (batch_.size() >= options_.batch_bytes &&
      (kKind != last_kind_ || BlockOf(id) != BlockOf(last))) {
    if (absl::Status status = Commit(); !status.ok()) return status;
  }
  last = id;
  last_kind_ = kKind;
  const int64_t created_ms = node.create_time_since_epoch();
  const int64_t updated_ms = node.last_update_time_since_epoch();
  const bool is_in_order = catalog_.IsCreatedInOrder(kKind);
  int64_t& last_created_ms = last_create_time_ms_[IndexOf(kKind)];
  if (is_in_order && created_ms < last_created_ms) return OutOfOrder(TraitsOf<Node>::kName, id);
  last_created_ms = created_ms;
  counters_.last_time_ms = std::max({counters_.last_time_ms, created_ms, updated_ms});

  const std::vector<int64_t> links = SortedOnce(contexts);
  const auto near = absl::MakeConstSpan(links).subspan(0, MaxNearLinks(kKind));
  const auto far = absl::MakeConstSpan(links).subspan(near.size());
  batch_.Put(
      NodeKey{kKind, id}.Encode(),
      EncodeRecord(near, far.empty() ? FarLinks::kNone : FarLinks::kSome, SerializeSame(node)));
  for (int64_t context : far) batch_.Put(FarLinkKey{kKind, id, context}.Encode(), {});
  for (int64_t context : links) AddPosting(ContextMembersPrefix(context, kKind), id);

  std::string id_bytes;
  AppendId(&id_bytes, id);
  if (node.has_name()) {
    batch_.Put(NameKey{kKind, node.type_id(), node.name()}.Encode(), id_bytes);
  }
  if (node.has_external_id()) {
    batch_.Put(ExternalIdKey{kKind, node.external_id()}.Encode(), id_bytes);
  }
  if constexpr (kKind == NodeKind::kArtifact) batch_.Put(UriKey{node.uri(), id}.Encode(), {});
  for (const auto& index : catalog_.property_indexes().Of(kKind)) {
    const auto entry = PropertyEntry(*index, PropertyValueIn(node, *index), id);
    if (entry.has_value()) batch_.Put(*entry, {});
  }
  AddPosting(TypeMembersPrefix(kKind, node.type_id()), id);
  AddPosting(UpdateTimePrefix(kKind, updated_ms), id);
  if (!is_in_order) AddPosting(CreateTimePrefix(kKind, created_ms), id);
  return absl::OkStatus();
}

void BulkLoader::PutChunk(int64_t execution, const Chunk& chunk) {
  batch_.Put(ExecutionEventsKey{execution, chunk.first_number}.Encode(), chunk.bytes);
}

absl::Status BulkLoader::AddEvent(const ml_metadata::Event& event, int64_t source_id) {
  if (source_id <= state_.last_source_event) return OutOfOrder("event", source_id);
  if (batch_.size() >= options_.batch_bytes) {
    if (absl::Status status = Commit(); !status.ok()) return status;
  }
  state_.last_source_event = source_id;
  const int64_t number = ++counters_.last_event_number;
  if (number > kLastGraphId || event.artifact_id() > kLastGraphId ||
      event.execution_id() > kLastGraphId) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "event ", source_id, " of artifact ", event.artifact_id(), " and execution ",
        event.execution_id(), " cannot be stored: events and the ids of their nodes go up to ",
        kLastGraphId));
  }
  const std::string bytes = event.SerializeAsString();
  std::string value;
  AppendVarint(&value, static_cast<uint64_t>(number));
  value.append(bytes);
  batch_.Put(ArtifactEventKey{event.artifact_id(), event.execution_id(),
                              static_cast<uint8_t>(event.type())}
                 .Encode(),
             value);
  if (batch_.events.empty()) batch_.first_event = number;
  batch_.events.push_back(
      {{static_cast<uint32_t>(event.artifact_id()), static_cast<uint32_t>(event.execution_id()),
        static_cast<uint8_t>(event.type())},
       event.milliseconds_since_epoch()});
  if (batch_.events.size() >= kEventsPerLogEntry) PutEventLog();
  Chunk& chunk = chunks_[event.execution_id()];
  if (chunk.bytes.size() >= kChunkBytes) {
    PutChunk(event.execution_id(), chunk);
    chunk = {};
  }
  if (chunk.bytes.empty()) chunk.first_number = number;
  AppendEventToChunk(bytes, &chunk.bytes);
  return absl::OkStatus();
}

void BulkLoader::PutEventLog() {
  if (batch_.events.empty()) return;
  batch_.Put(EventLogKey{batch_.first_event}.Encode(), EncodeEventLog(batch_.events));
  batch_.events.clear();
}

absl::Status BulkLoader::WaitForWrite() {
  return writing_.valid() ? writing_.get() : absl::OkStatus();
}

absl::Status BulkLoader::WriteBatch(Engine* engine, Batch batch) {
  std::vector<std::pair<std::string, std::string>> postings;
  postings.reserve(batch.postings.size());
  for (const auto& [key, set] : batch.postings) postings.emplace_back(key, set.Encode());
  std::vector<Mutation> mutations;
  mutations.reserve(batch.rows.size() + postings.size());
  const absl::string_view bytes = batch.bytes;
  for (const Batch::Row& row : batch.rows) {
    mutations.push_back({false, bytes.substr(row.offset, row.key_bytes),
                         bytes.substr(row.offset + row.key_bytes, row.value_bytes)});
  }
  for (const auto& [key, value] : postings) mutations.push_back({false, key, value});
  // Neighbours in the memtable are cheap to add one after the other.
  std::sort(mutations.begin(), mutations.end(),
            [](const Mutation& a, const Mutation& b) { return a.key < b.key; });
  return engine->Apply(mutations, Durability::kUnlogged);
}

absl::Status BulkLoader::Commit() {
  for (const auto& [execution, chunk] : chunks_) PutChunk(execution, chunk);
  chunks_.clear();
  PutEventLog();
  batch_.Put(CountersKey().Encode(), counters_.Encode());
  batch_.Put(ImportKey().Encode(), state_.Encode());
  if (absl::Status status = WaitForWrite(); !status.ok()) return status;
  writing_ = std::async(std::launch::async, WriteBatch, engine_.get(), std::move(batch_));
  batch_ = Batch();
  return absl::OkStatus();
}

absl::Status BulkLoader::PutTask(int64_t number, absl::string_view task) {
  api::Task message;
  if (!message.ParseFromArray(task.data(), static_cast<int>(task.size()))) {
    return DamagedRecord("task", number);
  }
  if (batch_.size() >= options_.batch_bytes) {
    if (absl::Status status = Commit(); !status.ok()) return status;
  }
  batch_.Put(TaskKey{number}.Encode(), task);
  batch_.Put(TaskFingerprintKey{message.fingerprint(), message.pipelinename(), message.namespace_(),
                                TaskPlace{message.created_at().seconds(), number}}
                 .Encode(),
             {});
  return absl::OkStatus();
}

absl::Status BulkLoader::PutCacheEntry(int64_t execution, const CopiedCacheEntry& copied) {
  if (nodes_ == nullptr) {
    absl::Status status = Commit();
    if (status.ok()) status = WaitForWrite();
    if (!status.ok()) return status;
    nodes_ = engine_->CurrentView();
  }
  auto bytes = nodes_->Get(NodeKey{NodeKind::kExecution, execution}.Encode(), Blocking::kAllowed);
  if (!bytes.ok()) return bytes.status();
  const std::string record_bytes = bytes->value_or("");
  const auto record = RecordView::Parse(record_bytes);
  const auto facts = record.has_value() ? CacheFactsOf(record->message()) : std::nullopt;
  if (!facts.has_value()) {
    return absl::DataLossError(absl::StrCat("there is a cache entry of execution ", execution,
                                            ", which is not there or has no fingerprint"));
  }
  CacheEntry entry;
  if (copied.is_invalidated) {
    entry.cache_class = CacheClass::kInvalidated;
  } else {
    entry.cache_class = facts->is_complete ? CacheClass::kLive : CacheClass::kNotComplete;
  }
  entry.is_explicit = copied.is_explicit;
  entry.completed_ms = copied.completed_ms;
  entry.run_ms = copied.run_ms;
  entry.fingerprint_text = FingerprintText(facts->fingerprint);
  entry.name_space = copied.name_space;
  entry.pipeline = copied.pipeline;
  if (batch_.size() >= options_.batch_bytes) {
    if (absl::Status status = Commit(); !status.ok()) return status;
  }
  batch_.Put(CacheEntryKey{execution}.Encode(), entry.Encode());
  batch_.Put(entry.LookupKey(execution), entry.LookupValue());
  return absl::OkStatus();
}

absl::Status BulkLoader::WriteLast() {
  absl::Status status = Commit();
  if (status.ok()) status = WaitForWrite();
  if (!status.ok()) return status;
  const std::string key = ImportKey().Encode();
  const Mutation remove = {true, key, {}};
  status = engine_->Apply({&remove, 1}, Durability::kUnlogged);
  is_complete_ = status.ok();
  return status;
}

absl::Status BulkLoader::Close() {
  if (absl::Status status = engine_->Flush(); !status.ok()) return status;
  if (absl::Status status = engine_->Compact(); !status.ok()) return status;
  absl::Status status = WriteHighWater(options_.data_dir, engine_->LastSequence());
  if (!status.ok()) return status;
  return options_.after_load == AfterLoad::kReady ? MarkReady(options_.data_dir, format_)
                                                  : MarkFollowing(options_.data_dir, format_);
}

absl::Status BulkLoader::Finish(const std::array<int64_t, 3>& handed_out) {
  if (!is_complete_) {
    for (NodeKind kind : kNodeKinds) {
      int64_t& last = counters_.last_node_id[IndexOf(kind)];
      last = std::max(last, handed_out[IndexOf(kind)]);
    }
    if (absl::Status status = Commit(); !status.ok()) return status;
    if (absl::Status status = WaitForWrite(); !status.ok()) return status;
    absl::Status entries = WriteCacheEntries(engine_.get(), types_);
    if (!entries.ok()) return entries;
    if (options_.after_load == AfterLoad::kReady) {
      if (absl::Status status = WriteLast(); !status.ok()) return status;
    }
    is_complete_ = true;
  }
  return Close();
}

absl::Status BulkLoader::FinishCopy(const CopiedCounters& counters) {
  if (!is_complete_) {
    for (NodeKind kind : kNodeKinds) {
      int64_t& last = counters_.last_node_id[IndexOf(kind)];
      last = std::max(last, counters.last_node_id[IndexOf(kind)]);
    }
    counters_.last_type_id = std::max(counters_.last_type_id, counters.last_type_id);
    counters_.last_time_ms = std::max(counters_.last_time_ms, counters.last_time_ms);
    const auto put_number = [&](const std::string& key, int64_t number) {
      std::string value;
      AppendId(&value, number);
      if (number > 0) batch_.Put(key, value);
    };
    put_number(LastTaskKey().Encode(), counters.last_task);
    put_number(CacheTokenKey().Encode(), counters.last_fencing_token);
    if (absl::Status status = WriteLast(); !status.ok()) return status;
  }
  return Close();
}

template absl::Status BulkLoader::PutNode(const ml_metadata::Artifact&, absl::Span<const int64_t>);
template absl::Status BulkLoader::PutNode(const ml_metadata::Execution&, absl::Span<const int64_t>);
template absl::Status BulkLoader::PutNode(const ml_metadata::Context&, absl::Span<const int64_t>);

}  // namespace pedigree
