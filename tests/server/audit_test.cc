// pedigree.v1.AuditService: Watch and VerifyJournal, over a real store and dispatcher, without a
// transport.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "pedigree/v1/audit.pb.h"
#include "server/audit_verify.h"
#include "server/audit_watch.h"
#include "server/dispatcher.h"
#include "store/keys.h"
#include "tests/store/status_testing.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using std::chrono::milliseconds;
using Strings = std::vector<std::string>;

constexpr std::chrono::seconds kLong{60};

// A client that takes messages when the test asks for them.
class Client final : public StreamSink {
 public:
  Client(Dispatcher& dispatcher, const std::string& method,
         const google::protobuf::Message& request)
      : stream_(dispatcher.NewStream(this)) {
    stream_->Start(*FindStreamMethod(kAuditServiceName, method), request.SerializeAsString());
  }
  ~Client() override {
    cancelled_ = true;
    stream_->OnCancelled();
    while (TakeBytes().has_value()) {
    }
  }

  bool IsCancelled() const override { return cancelled_; }
  void Write(std::string message) override {
    std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_FALSE(message_.has_value());
    message_ = std::move(message);
    changed_.notify_all();
  }
  void Finish(const absl::Status& status) override {
    std::lock_guard<std::mutex> lock(mutex_);
    end_ = status;
    changed_.notify_all();
  }
  void Abort() override {}

  // The next message; nullopt at the end.
  template <class Response>
  std::optional<Response> Take() {
    const auto bytes = TakeBytes();
    if (!bytes.has_value()) return std::nullopt;
    Response response;
    EXPECT_TRUE(response.ParseFromString(*bytes));
    return response;
  }
  std::optional<v1::WatchResponse> TakeWatch() { return Take<v1::WatchResponse>(); }
  absl::Status end() {
    std::lock_guard<std::mutex> lock(mutex_);
    return end_.value_or(absl::InternalError("it goes on"));
  }

 private:
  std::optional<std::string> TakeBytes() {
    std::optional<std::string> taken;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      EXPECT_TRUE(changed_.wait_for(lock, kLong,
                                    [this] { return message_.has_value() || end_.has_value(); }));
      taken.swap(message_);
    }
    if (taken.has_value()) stream_->OnWritten(Stream::Written::kYes);
    return taken;
  }

  std::atomic<bool> cancelled_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::string> message_;
  std::optional<absl::Status> end_;
  std::shared_ptr<Stream> stream_;
};

class Caller final : public ReplyTo {
 public:
  explicit Caller(std::promise<absl::Status>* done) : done_(done) {}
  bool IsCancelled() const override { return false; }
  CallOrigin Origin() const override {
    return {.tls_identity = "alice", .declared_principal = "job", .peer = "ipv4:127.0.0.1:9"};
  }
  void Done(absl::StatusOr<std::string> reply) override { done_->set_value(reply.status()); }

 private:
  std::promise<absl::Status>* done_;
};

class Audit : public ::testing::Test {
 protected:
  Audit() : dispatcher_(std::make_unique<Dispatcher>(&*store_)) {}

  // A request of an artifact through the dispatcher.
  absl::Status Put(const std::string& uri, int64_t id = 0) {
    ml_metadata::PutArtifactsRequest request;
    request.add_artifacts()->set_type_id(1);
    request.mutable_artifacts(0)->set_uri(uri);
    if (id != 0) request.mutable_artifacts(0)->set_id(id);
    return Call("PutArtifacts", request);
  }
  absl::Status PutExecution() {
    ml_metadata::PutExecutionsRequest request;
    request.add_executions()->set_type_id(6);
    return Call("PutExecutions", request);
  }
  absl::Status Call(const std::string& method, const google::protobuf::Message& request) {
    std::promise<absl::Status> done;
    dispatcher_->Submit(*FindMethod(method), request.SerializeAsString(),
                        std::make_unique<Caller>(&done));
    return done.get_future().get();
  }
  void Reopen() {
    dispatcher_.reset();
    store_.Reopen();
    dispatcher_ = std::make_unique<Dispatcher>(&*store_);
  }
  void Damage(const std::function<void(RawDatabase&)>& damage) {
    dispatcher_.reset();
    store_.Close();
    {
      RawDatabase database(store_.database());
      damage(database);
    }
    store_.Open();
    dispatcher_ = std::make_unique<Dispatcher>(&*store_);
  }

  int64_t Head() { return store_->CurrentVersion()->journal.sequence; }

  static v1::WatchRequest ToTheEnd(int64_t after = 0) {
    v1::WatchRequest request;
    request.set_after_sequence(after);
    request.set_stop_at_end(true);
    return request;
  }
  // All entries of a watch that ends.
  std::vector<v1::JournalEntry> Watch(const v1::WatchRequest& request) {
    Client client(*dispatcher_, "Watch", request);
    std::vector<v1::JournalEntry> entries;
    while (auto response = client.TakeWatch()) {
      entries.insert(entries.end(), response->entries().begin(), response->entries().end());
    }
    EXPECT_TRUE(IsOk(client.end()));
    return entries;
  }
  static std::vector<int64_t> Sequences(const std::vector<v1::JournalEntry>& entries) {
    std::vector<int64_t> sequences;
    for (const auto& entry : entries) sequences.push_back(entry.sequence());
    return sequences;
  }
  absl::Status WatchEnd(const v1::WatchRequest& request) {
    Client client(*dispatcher_, "Watch", request);
    while (client.TakeWatch()) {
    }
    return client.end();
  }
  Strings Problems(int64_t first = 0) {
    v1::VerifyJournalRequest request;
    request.set_first_sequence(first);
    Client client(*dispatcher_, "VerifyJournal", request);
    Strings problems;
    std::optional<v1::VerifyJournalResponse> last;
    while (auto response = client.Take<v1::VerifyJournalResponse>()) {
      problems.insert(problems.end(), response->problems().begin(), response->problems().end());
      last = response;
    }
    EXPECT_TRUE(IsOk(client.end()));
    EXPECT_TRUE(last.has_value() && last->done());
    return problems;
  }

  TestStore store_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(Audit, WatchTellsWhoChangedWhat) {
  ASSERT_TRUE(IsOk(Put("a")));
  store_.SetClock(TestStore::kStartMs + 5);
  ASSERT_TRUE(IsOk(Put("b", 1)));
  v1::WatchRequest request = ToTheEnd();
  request.set_before_images(true);
  const auto entries = Watch(request);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].sequence(), 1);
  EXPECT_EQ(entries[0].time_ms(), TestStore::kStartMs);
  EXPECT_EQ(entries[0].tls_identity(), "alice");
  EXPECT_EQ(entries[0].declared_principal(), "job");
  EXPECT_EQ(entries[0].peer(), "ipv4:127.0.0.1:9");
  EXPECT_EQ(entries[0].method(), "/ml_metadata.MetadataStoreService/PutArtifacts");
  EXPECT_EQ(entries[0].previous_hash(), std::string(32, '\0'));
  EXPECT_EQ(entries[1].previous_hash(), entries[0].hash());
  ASSERT_EQ(entries[0].changes_size(), 1);
  EXPECT_EQ(entries[0].changes(0).kind(), v1::CHANGED_ARTIFACT);
  EXPECT_EQ(entries[0].changes(0).action(), v1::CREATED);
  EXPECT_EQ(entries[0].changes(0).id(), 1);
  ASSERT_EQ(entries[1].changes_size(), 1);
  EXPECT_EQ(entries[1].changes(0).action(), v1::UPDATED);
  EXPECT_EQ(entries[1].changes(0).digest_before(), entries[0].changes(0).digest_after());
  Artifact before;
  ASSERT_TRUE(before.ParseFromString(entries[1].changes(0).before_image()));
  EXPECT_EQ(before.uri(), "a");
  EXPECT_EQ(Watch(ToTheEnd())[1].changes(0).before_image(), "");
}

TEST_F(Audit, WatchGoesOnAfterAnEntryAndFilters) {
  ASSERT_TRUE(IsOk(Put("a")));
  ASSERT_TRUE(IsOk(PutExecution()));
  ASSERT_TRUE(IsOk(Put("b")));
  EXPECT_EQ(Sequences(Watch(ToTheEnd(1))), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(Sequences(Watch(ToTheEnd(3))), std::vector<int64_t>());
  v1::WatchRequest request = ToTheEnd();
  request.add_kinds(v1::CHANGED_EXECUTION);
  EXPECT_EQ(Sequences(Watch(request)), (std::vector<int64_t>{2}));
  request.add_kinds(v1::CHANGED_ARTIFACT);
  request.add_methods("/ml_metadata.MetadataStoreService/PutArtifacts");
  EXPECT_EQ(Sequences(Watch(request)), (std::vector<int64_t>{1, 3}));
}

TEST_F(Audit, WatchRefusesWhatItCannotDo) {
  using Code = absl::StatusCode;
  EXPECT_TRUE(Fails(WatchEnd(ToTheEnd(-1)), Code::kInvalidArgument, "after_sequence"));
  EXPECT_TRUE(Fails(WatchEnd(ToTheEnd(1)), Code::kFailedPrecondition, "ends with entry 0"));
  v1::WatchRequest request = ToTheEnd();
  request.add_methods("PutArtifacts");
  EXPECT_TRUE(Fails(WatchEnd(request), Code::kInvalidArgument, "full names"));
  request = ToTheEnd();
  request.add_kinds(static_cast<v1::ChangedKind>(77));
  EXPECT_TRUE(Fails(WatchEnd(request), Code::kInvalidArgument, "77"));
}

TEST_F(Audit, WatchTellsOfGapsWhateverItIsAskedFor) {
  store_.set_journal(JournalMode::kOff);
  Reopen();
  ASSERT_TRUE(IsOk(Put("a")));
  v1::WatchRequest request = ToTheEnd();
  request.add_kinds(v1::CHANGED_EXECUTION);
  const auto entries = Watch(request);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].method(), "journal=off");
}

// Nothing is lost between a look and the wait for the next commit, and nothing comes twice.
TEST_F(Audit, WatchFollowsConcurrentWritesEntryByEntry) {
  constexpr int kWriters = 4;
  constexpr int kWrites = 150;
  constexpr int64_t kAll = kWriters * kWrites;
  Client client(*dispatcher_, "Watch", v1::WatchRequest());
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&] {
      for (int n = 0; n < kWrites; ++n) EXPECT_TRUE(IsOk(Put(absl::StrCat(n))));
    });
  }
  int64_t next = 1;
  std::string hash(32, '\0');
  while (next <= kAll) {
    const auto response = client.TakeWatch();
    ASSERT_TRUE(response.has_value()) << client.end();
    for (const auto& entry : response->entries()) {
      ASSERT_EQ(entry.sequence(), next++);
      ASSERT_EQ(entry.previous_hash(), hash);
      hash = entry.hash();
    }
    EXPECT_EQ(response->sequence(), next - 1);
  }
  for (std::thread& writer : writers) writer.join();
  // Each by itself: every commit wakes the watch.
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(IsOk(Put("more")));
    const auto response = client.TakeWatch();
    ASSERT_TRUE(response.has_value()) << client.end();
    ASSERT_EQ(response->entries_size(), 1);
    EXPECT_EQ(response->entries(0).sequence(), next++);
  }
  EXPECT_EQ(static_cast<int64_t>(Watch(ToTheEnd(100)).size()), kAll + 20 - 100);
}

TEST_F(Audit, AWatchThatReadsNothingHoldsNobodyUpAndMissesNothing) {
  Client slow(*dispatcher_, "Watch", v1::WatchRequest());
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(IsOk(Put(std::string(2000, 'u'), i == 0 ? 0 : 1)));
  int64_t next = 1;
  while (next <= Head()) {
    const auto response = slow.TakeWatch();
    ASSERT_TRUE(response.has_value()) << slow.end();
    for (const auto& entry : response->entries()) ASSERT_EQ(entry.sequence(), next++);
  }
}

TEST_F(Audit, WatchesEndWhenTheServerStops) {
  Client parked(*dispatcher_, "Watch", v1::WatchRequest());
  ASSERT_TRUE(parked.TakeWatch().has_value());
  Client writing(*dispatcher_, "Watch", v1::WatchRequest());
  dispatcher_->EndWaits();
  EXPECT_FALSE(parked.TakeWatch().has_value());
  EXPECT_TRUE(Fails(parked.end(), absl::StatusCode::kUnavailable, "stopping"));
  while (writing.TakeWatch()) {
  }
  EXPECT_TRUE(Fails(writing.end(), absl::StatusCode::kUnavailable));
  EXPECT_TRUE(Fails(WatchEnd(v1::WatchRequest()), absl::StatusCode::kUnavailable));
  EXPECT_EQ(Problems(), Strings());  // Other streams go on.
}

TEST_F(Audit, ThereAreOnlySoManyWatches) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<Client>(*dispatcher_, "Watch", v1::WatchRequest()));
    ASSERT_TRUE(clients.back()->TakeWatch().has_value());
  }
  EXPECT_TRUE(Fails(WatchEnd(v1::WatchRequest()), absl::StatusCode::kUnavailable, "200 watches"));
  EXPECT_EQ(Problems(), Strings());
  clients.pop_back();  // It is cancelled while it is parked.
  Client another(*dispatcher_, "Watch", v1::WatchRequest());
  EXPECT_TRUE(another.TakeWatch().has_value());
  ASSERT_TRUE(IsOk(Put("a")));
  for (auto& client : clients) {
    const auto response = client->TakeWatch();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->sequence(), 1);
  }
}

class WatchMessages : public Audit {
 protected:
  absl::StatusOr<StreamPart> Next(WatchAnswer& answer, const v1::WatchRequest& request) {
    absl::StatusOr<StreamPart> part;
    EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
      part = answer.Next(reader, request);
      return absl::OkStatus();
    })));
    return part;
  }
  static v1::WatchResponse Parse(const StreamPart& part) {
    v1::WatchResponse response;
    EXPECT_TRUE(response.ParseFromString(part.message));
    return response;
  }
};

TEST_F(WatchMessages, SayNowAndThenThatNothingMatched) {
  ASSERT_TRUE(IsOk(Put("a")));
  v1::WatchRequest request;
  request.add_kinds(v1::CHANGED_TASK);
  WatchAnswer often(milliseconds(0));
  for (int i = 0; i < 3; ++i) {
    const auto part = Next(often, request);
    ASSERT_TRUE(IsOk(part));
    EXPECT_EQ(part->place, StreamPart::Place::kWithin);
    EXPECT_EQ(Parse(*part).sequence(), 1);
  }
  WatchAnswer seldom;
  ASSERT_EQ(Next(seldom, request)->place, StreamPart::Place::kWithin);  // At once, the first time.
  ASSERT_TRUE(IsOk(Put("b")));
  const auto part = Next(seldom, request);
  ASSERT_EQ(part->place, StreamPart::Place::kNothingYet);
  EXPECT_LE(part->wait_until, std::chrono::steady_clock::now() + kWatchHeartbeat);
}

TEST_F(WatchMessages, AreBoundedAndSayHowFarALongLookHasCome) {
  const std::string uri(100'000, 'u');
  for (int i = 0; i < 100; ++i) {  // About 10 MB of images.
    ASSERT_TRUE(IsOk(Put(uri + std::to_string(i), i == 0 ? 0 : 1)));
  }
  v1::WatchRequest request = ToTheEnd();
  request.set_before_images(true);
  WatchAnswer all;
  int messages = 0;
  int64_t entries = 0;
  for (bool is_last = false; !is_last; ++messages) {
    const auto part = Next(all, request);
    ASSERT_TRUE(IsOk(part));
    EXPECT_LT(part->message.size(), size_t{512} << 10);
    entries += Parse(*part).entries_size();
    is_last = part->place == StreamPart::Place::kLast;
  }
  EXPECT_EQ(entries, 100);
  EXPECT_GT(messages, 20);
  request.add_kinds(v1::CHANGED_TASK);
  WatchAnswer none;
  const auto first = Next(none, request);
  EXPECT_EQ(first->place, StreamPart::Place::kWithin);
  EXPECT_GT(Parse(*first).sequence(), 70);
  EXPECT_LT(Parse(*first).sequence(), 100);
  const auto second = Next(none, request);
  EXPECT_EQ(second->place, StreamPart::Place::kLast);
  EXPECT_EQ(Parse(*second).sequence(), 100);
}

TEST_F(Audit, VerifyJournalOfAStoreThatIsWholeSaysWhereTheChainEnds) {
  EXPECT_EQ(Problems(), Strings());  // An empty one.
  ASSERT_TRUE(IsOk(Put("a")));
  ASSERT_TRUE(IsOk(Put("b", 1)));
  ASSERT_TRUE(IsOk(PutExecution()));
  for (const int64_t first : {0, 1, 2, 3}) EXPECT_EQ(Problems(first), Strings()) << first;
  Client client(*dispatcher_, "VerifyJournal", v1::VerifyJournalRequest());
  const auto response = client.Take<v1::VerifyJournalResponse>();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->last_sequence(), 3);
  EXPECT_EQ(response->last_hash(), Watch(ToTheEnd(2))[0].hash());
  v1::VerifyJournalRequest beyond;
  beyond.set_first_sequence(4);
  Client refused(*dispatcher_, "VerifyJournal", beyond);
  EXPECT_FALSE(refused.Take<v1::VerifyJournalResponse>().has_value());
  EXPECT_TRUE(Fails(refused.end(), absl::StatusCode::kNotFound, "entry 3"));
}

TEST_F(Audit, VerifyJournalFindsAnyByteOfAnEntryThatChanges) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(IsOk(Put(absl::StrCat(i), i == 0 ? 0 : 1)));
  const std::string key = JournalKey{2}.Encode();
  std::string chunk;
  Damage([&](RawDatabase& database) { chunk = database.Get(key).value_or(""); });
  ASSERT_GT(chunk.size(), 150u);
  for (size_t byte = 0; byte < chunk.size(); byte += 7) {
    std::string damaged = chunk;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 0x10);
    Damage([&](RawDatabase& database) { database.Put(key, damaged); });
    EXPECT_NE(Problems(), Strings()) << byte;
  }
  Damage([&](RawDatabase& database) { database.Delete(key); });
  EXPECT_EQ(Problems()[0], "entries 2 to 2: missing");
}

TEST_F(Audit, VerifyJournalFindsStatesThatAreNotWhatEntriesLeft) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(IsOk(Put(absl::StrCat(i))));
  ASSERT_TRUE(IsOk(Put("new", 2)));
  const std::string first = NodeKey{NodeKind::kArtifact, 1}.Encode();
  const std::string second = NodeKey{NodeKind::kArtifact, 2}.Encode();
  Damage([&](RawDatabase& database) {
    database.Put(second, database.Get(first).value_or(""));
    database.Delete(first);
  });
  EXPECT_EQ(absl::StrJoin(Problems(), "\n"),
            "artifact 2: it is not what entry 4 has left it\n"
            "artifact 1: it is missing, and not as entry 1 has left it");
  EXPECT_EQ(absl::StrJoin(Problems(4), "\n"), "artifact 2: it is not what entry 4 has left it");
}

TEST_F(Audit, VerifyJournalComparesNothingThatIsOlderThanAGap) {
  ASSERT_TRUE(IsOk(Put("a")));
  ASSERT_TRUE(IsOk(Put("b")));
  store_.set_journal(JournalMode::kOff);
  Reopen();
  ASSERT_TRUE(IsOk(Put("c", 1)));
  store_.set_journal(JournalMode::kOn);
  Reopen();
  ASSERT_TRUE(IsOk(Put("d", 2)));
  EXPECT_EQ(Problems(), Strings());
}

TEST_F(Audit, VerifyJournalOfALongJournalComesInParts) {
  const std::string uri(100'000, 'u');
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(IsOk(Put(uri + std::to_string(i), i == 0 ? 0 : 1)));
  Client client(*dispatcher_, "VerifyJournal", v1::VerifyJournalRequest());
  std::vector<int64_t> progress;
  while (auto response = client.Take<v1::VerifyJournalResponse>()) {
    EXPECT_EQ(response->problems_size(), 0);
    progress.push_back(response->last_sequence());
  }
  ASSERT_GE(progress.size(), 3u);
  EXPECT_LT(progress[0], 100);
  EXPECT_EQ(progress.back(), 100);
}

}  // namespace
}  // namespace pedigree
