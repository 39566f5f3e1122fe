#include "tests/store/test_store.h"

#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "store/directory.h"
#include "store/rocksdb_engine.h"

namespace pedigree {
namespace {

using Ids = std::vector<int64_t>;

// Collects what a visitor of ids is given.
template <typename Visit>
Ids Collect(TestStore& store, const Visit& visit) {
  Ids ids;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return visit(reader, [&](int64_t id) {
      ids.push_back(id);
      return true;
    });
  })));
  return ids;
}

template <typename Ask>
auto Answer(TestStore& store, const Ask& ask) {
  typename std::invoke_result_t<Ask, const Reader&>::value_type answer = {};
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    auto result = ask(reader);
    if (result.ok()) answer = *result;
    return result.status();
  })));
  return answer;
}

ml_metadata::Event ParseEvent(absl::string_view bytes) {
  ml_metadata::Event event;
  EXPECT_TRUE(event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return event;
}

}  // namespace

TestStore::TestStore(Sync sync, size_t block_cache_bytes)
    : sync_(sync),
      block_cache_bytes_(block_cache_bytes),
      clock_ms_(std::make_shared<std::atomic<int64_t>>(kStartMs)),
      steady_ms_(std::make_shared<std::atomic<int64_t>>(1)) {
  Open();
}

StoreOptions TestStore::options() const {
  StoreOptions options;
  options.data_dir = data_dir();
  options.sync = sync_;
  options.block_cache_bytes = block_cache_bytes_;
  options.write_buffer_bytes = size_t{4} << 20;
  options.clock_ms = [clock = clock_ms_] { return clock->load(); };
  options.steady_ms = [clock = steady_ms_] { return clock->load(); };
  options.cache_policy = cache_policy_;
  options.journal = journal_;
  return options;
}

void TestStore::Open() {
  auto store = Store::Open(options());
  if (!store.ok()) {  // Every test would go on with a null pointer.
    std::cerr << "cannot open the test's store: " << store.status() << std::endl;
    std::abort();
  }
  store_ = *std::move(store);
}

RawDatabase::RawDatabase(const std::string& database) {
  RocksDbOptions options;
  options.directory = database;
  options.block_cache_bytes = size_t{1} << 20;
  options.write_buffer_bytes = size_t{1} << 20;
  auto engine = OpenRocksDb(options);
  if (!engine.ok()) {
    std::cerr << "cannot open the test's database: " << engine.status() << std::endl;
    std::abort();
  }
  engine_ = *std::move(engine);
}

std::optional<std::string> RawDatabase::Get(const std::string& key) {
  auto value = engine_->CurrentView()->Get(key, Blocking::kAllowed);
  EXPECT_TRUE(IsOk(value));
  return value.ok() ? *std::move(value) : std::nullopt;
}

void RawDatabase::Apply(const Mutation& mutation) {
  EXPECT_TRUE(IsOk(engine_->Apply({mutation}, Durability::kBuffered)));
}

void RawDatabase::Put(const std::string& key, const std::string& value) {
  Apply({false, key, value});
}

void RawDatabase::Delete(const std::string& key) { Apply({true, key, {}}); }

std::vector<std::pair<std::string, std::string>> RawDatabase::All() {
  std::vector<std::pair<std::string, std::string>> all;
  EXPECT_TRUE(
      IsOk(engine_->CurrentView()->Scan({}, Direction::kAscending, Blocking::kAllowed,
                                        [&](absl::string_view key, absl::string_view value) {
                                          all.emplace_back(std::string(key), std::string(value));
                                          return true;
                                        })));
  return all;
}

absl::Status Link(TestStore& store, NodeKind kind, int64_t id, const Ids& contexts) {
  return store->Write(
      [&](Transaction& transaction) { return transaction.Link(kind, id, contexts); });
}

absl::Status AddEvents(Transaction& transaction, const std::vector<ml_metadata::Event*>& events) {
  return transaction.AddEvents(events, [](const ml_metadata::Event&) { return absl::OkStatus(); });
}

std::optional<int64_t> FindIdByName(TestStore& store, NodeKind kind, int64_t type_id,
                                    const std::string& name) {
  return Answer(store,
                [&](const Reader& reader) { return reader.FindIdByName(kind, type_id, name); });
}

std::optional<int64_t> FindIdByExternalId(TestStore& store, NodeKind kind,
                                          const std::string& external_id) {
  return Answer(store,
                [&](const Reader& reader) { return reader.FindIdByExternalId(kind, external_id); });
}

Ids TypeMembers(TestStore& store, NodeKind kind, int64_t type_id, Direction direction) {
  return Collect(store, [&](const Reader& reader, Reader::VisitId visit) {
    const int64_t from = direction == Direction::kAscending ? kFirstId : kLastId;
    return reader.VisitTypeMembers(kind, type_id, from, direction, visit);
  });
}

Ids ContextMembers(TestStore& store, int64_t context, NodeKind kind) {
  return Collect(store, [&](const Reader& reader, Reader::VisitId visit) {
    return reader.VisitContextMembers(context, kind, kFirstId, Direction::kAscending, visit);
  });
}

Ids Links(TestStore& store, NodeKind kind, int64_t id) {
  return Answer(store, [&](const Reader& reader) { return reader.Links(kind, id); });
}

Ids ArtifactsByUri(TestStore& store, const std::string& uri) {
  return Collect(store, [&](const Reader& reader, Reader::VisitId visit) {
    return reader.VisitArtifactsByUri(uri, visit);
  });
}

Ids ByUpdateTime(TestStore& store, NodeKind kind) {
  return Collect(store, [&](const Reader& reader, Reader::VisitId visit) {
    return reader.VisitByUpdateTime(kind, {0, kFirstId}, Direction::kAscending,
                                    [&](TimeAndId place) { return visit(place.id); });
  });
}

Ids AllNodes(TestStore& store, NodeKind kind) {
  return Collect(store, [&](const Reader& reader, Reader::VisitId visit) {
    return reader.VisitNodes(kind, kFirstId, Direction::kAscending,
                             [&](int64_t id, const RecordView&) { return visit(id); });
  });
}

std::vector<ml_metadata::Event> EventsOfExecution(TestStore& store, int64_t execution) {
  std::vector<ml_metadata::Event> events;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.VisitEventsOfExecution(
        execution, [&](absl::string_view bytes) { events.push_back(ParseEvent(bytes)); });
  })));
  return events;
}

std::vector<ml_metadata::Event> EventsOfArtifact(TestStore& store, int64_t artifact) {
  std::vector<ml_metadata::Event> events;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.VisitEventsOfArtifact(
        artifact, [&](absl::string_view bytes) { events.push_back(ParseEvent(bytes)); });
  })));
  return events;
}

std::string Problems(TestStore& store) {
  auto report = store->Verify();
  if (!report.ok()) return absl::StrCat("Verify: ", report.status().ToString());
  return absl::StrJoin(report->problems, "\n");
}

}  // namespace pedigree
