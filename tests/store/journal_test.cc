// The journal: what requests leave in it, how its chain is kept, and that no changed bit of it
// goes unnoticed.
#include "store/journal.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/task.pb.h"
#include "store/bulk_loader.h"
#include "store/keys.h"
#include "tests/store/hex.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"
#include "tests/store/write_group.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using Strings = std::vector<std::string>;

std::string Text(const JournalChange& change) {
  static const std::map<ChangedKind, std::string> kNames = {
      {ChangedKind::kArtifactType, "artifact_type"},
      {ChangedKind::kExecutionType, "execution_type"},
      {ChangedKind::kContextType, "context_type"},
      {ChangedKind::kArtifact, "artifact"},
      {ChangedKind::kExecution, "execution"},
      {ChangedKind::kContext, "context"},
      {ChangedKind::kEvent, "event"},
      {ChangedKind::kAttribution, "attribution"},
      {ChangedKind::kAssociation, "association"},
      {ChangedKind::kParentContext, "parent"},
      {ChangedKind::kTask, "task"},
      {ChangedKind::kCacheEntry, "cache"}};
  std::string text = absl::StrCat(change.action == ChangeAction::kCreated ? "+" : "*",
                                  kNames.at(change.kind), " ", change.id);
  if (change.other_id != 0) absl::StrAppend(&text, ",", change.other_id);
  if (change.event_type != 0) absl::StrAppend(&text, ",", static_cast<int>(change.event_type));
  return text;
}

// "1 /method: +artifact 1 *execution 2", for each entry from `from` on.
Strings Entries(TestStore& store, int64_t from = 1, Direction direction = Direction::kAscending) {
  Strings entries;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.VisitJournal(from, direction, [&](const JournalEntry& entry) {
      std::string text = absl::StrCat(entry.sequence, " ", entry.method, ":");
      entry.VisitChanges([&](const JournalChange& change) {
        absl::StrAppend(&text, " ", Text(change));
        return true;
      });
      entries.push_back(text);
      return true;
    });
  })));
  return entries;
}

JournalHead Head(TestStore& store) { return store->CurrentVersion()->journal; }

// The bytes of the newest node or type of this kind.
std::string StoredMessage(TestStore& store, ChangedKind kind, int64_t id) {
  std::string bytes;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
    for (NodeKind node : kNodeKinds) {
      if (kind == ChangedNode(node)) {
        auto record = reader.FindRecord(node, id);
        if (!record.ok()) return record.status();
        bytes = std::string((*record)->message());
      }
      if (kind == ChangedType(node)) {
        auto value = reader.view().Get(TypeKey{node, id}.Encode(), Blocking::kAllowed);
        if (!value.ok()) return value.status();
        bytes = value->value_or("nothing");
      }
    }
    return absl::OkStatus();
  })));
  return bytes;
}

// Compares the newest digest of every node and type with the store.
void ExpectNewestDigestsFit(TestStore& store) {
  std::map<std::pair<ChangedKind, int64_t>, std::string> newest;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.VisitJournal(1, Direction::kAscending, [&](const JournalEntry& entry) {
      entry.VisitChanges([&](const JournalChange& change) {
        if (change.kind > ChangedKind::kContext) return true;
        std::string& digest = newest[{change.kind, change.id}];
        EXPECT_EQ(Hex(digest), Hex(change.digest_before)) << entry.sequence;
        if (change.action == ChangeAction::kUpdated) {
          EXPECT_EQ(Hex(ToView(Sha256(change.before_image))), Hex(digest)) << entry.sequence;
        }
        digest = std::string(change.digest_after);
        return true;
      });
      return true;
    });
  })));
  for (const auto& [what, digest] : newest) {
    EXPECT_EQ(Hex(ToView(Sha256(StoredMessage(store, what.first, what.second)))), Hex(digest))
        << static_cast<int>(what.first) << " " << what.second;
  }
}

TEST(Sha256, IsTheOneOfTheStandard) {
  EXPECT_EQ(Hex(ToView(Sha256("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(ToView(Sha256(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(JournalOrigin, HoldsNoBytesThatAreNoText) {
  EXPECT_EQ(OriginText("Zoë"), "Zoë");
  EXPECT_EQ(OriginText("a\nb\x7f\xff"), "a?b??");
  EXPECT_EQ(OriginText(std::string(1000, 'a')), std::string(kMaxOriginBytes, 'a'));
}

TEST(JournalChange, EncodesAndDecodesEveryKindAndAction) {
  const std::string before(kSha256Bytes, 'b');
  const std::string after(kSha256Bytes, 'a');
  CallOrigin origin{.tls_identity = "t", .declared_principal = "p", .peer = "x", .method = "/m"};
  for (int kind = 1; kind <= 12; ++kind) {
    for (int action = 1; action <= 3; ++action) {
      JournalChange change;
      change.kind = static_cast<ChangedKind>(kind);
      change.action = static_cast<ChangeAction>(action);
      change.id = 300;
      const bool is_event = change.kind == ChangedKind::kEvent;
      if (is_event || IsMembership(change.kind)) change.other_id = 1'000'000;
      if (is_event) change.event_type = 4;
      if (change.has_before()) change.digest_before = before;
      if (change.has_after()) change.digest_after = after;
      if (change.has_image()) change.before_image = "image";
      std::string changes;
      change.AppendTo(&changes);
      JournalHead head;
      std::string bytes;
      EncodeJournalEntry(origin, 5, changes, &head, &bytes);
      JournalEntry entry;
      ASSERT_TRUE(JournalEntry::Decode(1, bytes, &entry)) << kind << " " << action;
      EXPECT_EQ(entry.tls_identity, "t");
      EXPECT_EQ(entry.declared_principal, "p");
      EXPECT_EQ(entry.peer, "x");
      EXPECT_EQ(entry.method, "/m");
      EXPECT_EQ(entry.time_ms, 5);
      int count = 0;
      entry.VisitChanges([&](const JournalChange& read) {
        EXPECT_EQ(read.kind, change.kind);
        EXPECT_EQ(read.action, change.action);
        EXPECT_EQ(read.id, change.id);
        EXPECT_EQ(read.other_id, change.other_id);
        EXPECT_EQ(read.event_type, change.event_type);
        EXPECT_EQ(read.digest_before, change.digest_before);
        EXPECT_EQ(read.digest_after, change.digest_after);
        EXPECT_EQ(read.before_image, change.before_image);
        ++count;
        return true;
      });
      EXPECT_EQ(count, 1);
      // Cut off anywhere within the change, it is no entry.
      for (size_t left = 1; left < changes.size(); ++left) {
        EXPECT_FALSE(JournalEntry::Decode(1, bytes.substr(0, bytes.size() - left), &entry));
      }
    }
  }
}

TEST(JournalEntry, HasNoNegativeIds) {
  JournalChange change;
  change.kind = ChangedKind::kAssociation;
  change.id = -7;
  change.other_id = 1;
  std::string changes;
  change.AppendTo(&changes);
  JournalHead head;
  std::string bytes;
  EncodeJournalEntry({}, 5, changes, &head, &bytes);
  JournalEntry entry;
  EXPECT_FALSE(JournalEntry::Decode(1, bytes, &entry));
}

TEST(Journal, HasOneEntryForEachRequestWithItsChanges) {
  TestStore store;
  EXPECT_EQ(Head(store).sequence, 0);
  const int64_t model = PutType<Artifact>(store, "m");
  const int64_t step = PutType<Execution>(store, "e");
  const int64_t run = PutType<Context>(store, "c");
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Context>(run, "r1"))));
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Context>(run, "r2"), {1})));
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(model), {1, 2})));
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Execution>(step))));
  ASSERT_TRUE(IsOk(Link(store, NodeKind::kExecution, 1, {2})));
  store.SetClock(TestStore::kStartMs + 1);
  Artifact artifact = *Find<Artifact>(store, 1);
  artifact.set_uri("s3");
  ASSERT_TRUE(IsOk(Update(store, artifact)));
  ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
    Event event;
    event.set_artifact_id(1);
    event.set_execution_id(1);
    event.set_type(Event::OUTPUT);
    absl::Status status = AddEvents(transaction, {&event});
    api::Task task;
    task.mutable_created_at()->set_seconds(1);
    status.Update(transaction.InsertTask(&task).status());
    return status;
  })));
  ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
    ml_metadata::ArtifactType type = *transaction.catalog().Of<Artifact>().FindById(model);
    (*type.mutable_properties())["p"] = ml_metadata::INT;
    return transaction.PutType<Artifact>(&type).status();
  })));
  EXPECT_EQ(absl::StrJoin(Entries(store), "\n"),
            "1 : +artifact_type 10\n"
            "2 : +execution_type 11\n"
            "3 : +context_type 12\n"
            "4 : +context 1\n"
            "5 : +context 2 +parent 2,1\n"
            "6 : +artifact 1 +attribution 1,1 +attribution 1,2\n"
            "7 : +execution 1\n"
            "8 : +association 1,2\n"
            "9 : *artifact 1\n"
            "10 : +event 1,1,4 +task 1\n"
            "11 : *artifact_type 10");
  ExpectNewestDigestsFit(store);
  EXPECT_EQ(Problems(store), "");
  auto report = store->Verify();
  ASSERT_TRUE(IsOk(report));
  EXPECT_EQ(report->journal_entries, 11);
}

TEST(Journal, SaysOfEventsAndTasksWhatWasStored) {
  TestStore store;
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Execution>(6))));
  ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
    Event event;
    event.set_artifact_id(1);
    event.set_execution_id(1);
    event.set_type(Event::INPUT);
    absl::Status status = AddEvents(transaction, {&event});
    api::Task task;
    task.mutable_created_at()->set_seconds(1);
    status.Update(transaction.InsertTask(&task).status());
    return status;
  })));
  ASSERT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
    std::string event;
    absl::Status status = reader.VisitEventsOfExecution(
        1, [&](absl::string_view bytes) { event = std::string(bytes); });
    auto task = reader.FindTask(1);
    if (!task.ok()) return task.status();
    Strings digests;
    status.Update(reader.VisitJournal(3, Direction::kAscending, [&](const JournalEntry& entry) {
      entry.VisitChanges([&](const JournalChange& change) {
        digests.push_back(Hex(change.digest_after));
        return true;
      });
      return true;
    }));
    EXPECT_EQ(digests, (Strings{Hex(ToView(Sha256(event))), Hex(ToView(Sha256(**task)))}));
    return status;
  })));
}

TEST(Journal, HasNothingOfRequestsThatFailOrChangeNothing) {
  TestStore store;
  const int64_t type = PutType<Artifact>(store, "m");
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(type, "a"))));
  const JournalHead before = Head(store);
  EXPECT_FALSE(Insert(store, NewNode<Artifact>(type, "a")).ok());
  EXPECT_TRUE(IsOk(Update(store, *Find<Artifact>(store, 1))));
  EXPECT_TRUE(IsOk(store->Write([](Transaction& transaction) {
    const std::string text = FingerprintText("f");
    absl::Status status =
        transaction.GrantCacheLease({text, CacheScope::kNamespace, "n", ""}, "o", 30'000).status();
    status.Update(transaction.AddPropertyIndex(NodeKind::kArtifact, true, "x").status());
    transaction.SetLineageSnapshot({.last_event = 0, .id = "0123456789abcdef"});
    return status;
  })));
  EXPECT_EQ(Head(store).sequence, before.sequence);
  EXPECT_EQ(Head(store).hash, before.hash);
}

TEST(Journal, OfAGroupIsOneKeyWithoutTheRequestsThatFailed) {
  TestStore store;
  const auto insert = [](Transaction& transaction) {
    Artifact artifact = NewNode<Artifact>(1);
    return transaction.Insert(&artifact, {}).status();
  };
  const auto fail = [&](Transaction& transaction) {
    return insert(transaction).ok() ? absl::AbortedError("no") : absl::InternalError("?");
  };
  const auto statuses = WriteAsOneGroup(*store, {insert, fail, insert, fail});
  EXPECT_FALSE(statuses[1].ok());
  EXPECT_EQ(Entries(store), (Strings{"1 : +artifact 1", "2 : +artifact 2"}));
  EXPECT_EQ(Problems(store), "");
  store.Close();
  RawDatabase database(store.database());
  EXPECT_TRUE(database.Get(JournalKey{1}.Encode()).has_value());
  EXPECT_FALSE(database.Get(JournalKey{2}.Encode()).has_value());
}

TEST(Journal, NotesPublishedAndInvalidatedEntriesOfTheCache) {
  TestStore store;
  Execution execution = NewNode<Execution>(6);
  (*execution.mutable_custom_properties())["cache_fingerprint"].set_string_value("f");
  execution.set_last_known_state(Execution::COMPLETE);
  ASSERT_TRUE(IsOk(Insert(store, execution)));
  ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
    transaction.PublishCacheEntry(1, {"n", "p"}, 7);
    return absl::OkStatus();
  })));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(IsOk(store->Write(
        [&](Transaction& transaction) { return transaction.InvalidateCacheEntry(1).status(); })));
  }
  EXPECT_EQ(Entries(store), (Strings{"1 : +execution 1", "2 : *cache 1", "3 : *cache 1"}));
}

TEST(Journal, SaysWhoAsked) {
  TestStore store;
  const CallOrigin origin{.tls_identity = "alice",
                          .declared_principal = "job-7",
                          .peer = "ipv4:127.0.0.1:9",
                          .method = "/s/M"};
  const auto insert = [](Transaction& transaction) {
    Artifact artifact = NewNode<Artifact>(1);
    return transaction.Insert(&artifact, {}).status();
  };
  const auto statuses = WriteAsOneGroup(*store, {[&](Transaction& transaction) {
                                                   transaction.SetOrigin(&origin);
                                                   return insert(transaction);
                                                 },
                                                 insert});
  Strings who;
  ASSERT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.VisitJournal(1, Direction::kAscending, [&](const JournalEntry& entry) {
      who.push_back(absl::StrCat(entry.tls_identity, " ", entry.declared_principal, " ", entry.peer,
                                 " ", entry.method, " ", entry.time_ms));
      return true;
    });
  })));
  EXPECT_EQ(who, (Strings{"alice job-7 ipv4:127.0.0.1:9 /s/M 1000000", "    1000000"}));
}

TEST(Journal, GoesOnAfterAnOpening) {
  TestStore store;
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  const JournalHead before = Head(store);
  store.Reopen();
  EXPECT_EQ(Head(store).sequence, 1);
  EXPECT_EQ(Head(store).time_ms, TestStore::kStartMs);
  EXPECT_EQ(Head(store).hash, before.hash);
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  EXPECT_EQ(Entries(store), (Strings{"1 : +artifact 1", "2 : +artifact 2"}));
  EXPECT_EQ(Problems(store), "");
}

TEST(Journal, SaysWhereItWasOff) {
  TestStore store;
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  store.set_journal(JournalMode::kOff);
  for (int i = 0; i < 2; ++i) {  // It says so once.
    store.Reopen();
    ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
    ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  }
  EXPECT_EQ(Problems(store), "");
  store.set_journal(JournalMode::kOn);
  store.Reopen();
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  EXPECT_EQ(Entries(store),
            (Strings{"1 : +artifact 1", "2 journal=off:", "3 journal=on:", "4 : +artifact 6"}));
  EXPECT_EQ(Problems(store), "");
}

TEST(Journal, OfAStoreThatIsOlderBeginsBySayingSo) {
  TestStore store;
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  store.Close();
  {
    RawDatabase database(store.database());
    database.Delete(JournalHeadKey().Encode());
    database.Delete(JournalKey{1}.Encode());
  }
  store.Open();
  EXPECT_EQ(Problems(store), "");
  EXPECT_EQ(Head(store).sequence, 0);
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  EXPECT_EQ(Entries(store), (Strings{"1 journal=on:", "2 : +artifact 2"}));
  EXPECT_EQ(Problems(store), "");
}

TEST(Journal, OfAnImportedStoreBeginsBySayingSo) {
  TestStore store;
  store.Close();
  const ScratchDirectory scratch;
  StoreOptions options = store.options();
  options.data_dir = scratch.path() + "/imported";
  {
    BulkLoaderOptions loading;
    loading.data_dir = options.data_dir;
    loading.source = "s";
    auto loader = BulkLoader::Open(std::move(loading));
    ASSERT_TRUE(IsOk(loader));
    ASSERT_TRUE(IsOk((*loader)->PutTypes(Catalog(), 0)));
    ASSERT_TRUE(IsOk((*loader)->Finish({0, 0, 0})));
  }
  auto imported = Store::Open(options);
  ASSERT_TRUE(IsOk(imported));
  ASSERT_TRUE(IsOk((*imported)->Write([](Transaction& transaction) {
    Artifact artifact = NewNode<Artifact>(1);
    return transaction.Insert(&artifact, {}).status();
  })));
  Strings methods;
  ASSERT_TRUE(IsOk((*imported)->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.VisitJournal(1, Direction::kAscending, [&](const JournalEntry& entry) {
      methods.emplace_back(entry.method);
      return true;
    });
  })));
  EXPECT_EQ(methods, (Strings{"journal=on", ""}));
  auto report = (*imported)->Verify();
  ASSERT_TRUE(IsOk(report));
  EXPECT_EQ(absl::StrJoin(report->problems, "\n"), "");
}

TEST(Journal, IsReadFromAnyEntryInBothDirections) {
  TestStore store;
  constexpr int64_t kEntries = 1500;
  std::vector<TestWrite::Work> group;
  for (int64_t i = 0; i < 20; ++i) {
    group.push_back([i](Transaction& transaction) {
      Artifact artifact = NewNode<Artifact>(1);
      artifact.set_uri(std::string(static_cast<size_t>(i), 'u'));
      return transaction.Insert(&artifact, {}).status();
    });
  }
  std::vector<TestWrite::Work> large(500, group[1]);  // More than one chunk of one commit.
  while (Head(store).sequence < kEntries) {
    WriteAsOneGroup(*store, Head(store).sequence == 500 ? large : group);
  }
  for (const int64_t from : {1, 2, 19, 20, 21, 501, 777, 1000, 1499, 1500}) {
    Strings ascending = Entries(store, from);
    ASSERT_EQ(static_cast<int64_t>(ascending.size()), kEntries - from + 1) << from;
    EXPECT_EQ(ascending.front(), absl::StrCat(from, " : +artifact ", from));
    Strings descending = Entries(store, from, Direction::kDescending);
    ASSERT_EQ(static_cast<int64_t>(descending.size()), from) << from;
    EXPECT_EQ(descending.front(), ascending.front());
    EXPECT_EQ(descending.back(), "1 : +artifact 1");
  }
  EXPECT_EQ(Entries(store, kEntries + 1).size(), 0u);
  EXPECT_EQ(Entries(store, 0, Direction::kDescending).size(), 0u);
  EXPECT_EQ(Problems(store), "");
}

TEST(Journal, TellsAListenerOfEveryCommitThatGrewIt) {
  TestStore store;
  std::vector<int64_t> told;
  store->SetJournalListener([&](int64_t sequence) {
    EXPECT_GE(Head(store).sequence, sequence);  // Readers see it.
    told.push_back(sequence);
  });
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  ASSERT_TRUE(IsOk(store->Write([](Transaction&) { return absl::OkStatus(); })));
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  store->SetJournalListener(nullptr);
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  EXPECT_EQ(told, (std::vector<int64_t>{1, 2}));
}

// The chunks and the head of a journal, as they are stored.
struct StoredJournal {
  std::vector<std::pair<int64_t, std::string>> chunks;
  JournalHead head;

  Strings Problems() const {
    Strings problems;
    const auto add = [&](std::string text) { problems.push_back(std::move(text)); };
    JournalChain chain;
    for (const auto& [first, chunk] : chunks) chain.AddChunk(first, chunk, add);
    chain.End(head, add);
    return problems;
  }
};

StoredJournal ReadJournal(TestStore& store) {
  StoredJournal journal;
  journal.head = Head(store);
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.VisitJournalChunks(1, Direction::kAscending,
                                     [&](int64_t first, absl::string_view chunk) {
                                       journal.chunks.emplace_back(first, std::string(chunk));
                                       return true;
                                     });
  })));
  return journal;
}

void FillJournal(TestStore& store) {
  const CallOrigin origin{.peer = "ipv4:127.0.0.1:9", .method = "/s/M"};
  for (int i = 0; i < 3; ++i) {
    WriteAsOneGroup(*store, std::vector<TestWrite::Work>(3, [&](Transaction& transaction) {
      transaction.SetOrigin(&origin);
      Artifact artifact = NewNode<Artifact>(1);
      return transaction.Insert(&artifact, {}).status();
    }));
    store.SetClock(store.clock() + 1);
    Artifact artifact = *Find<Artifact>(store, 1);
    artifact.set_uri(absl::StrCat("s3://", i));
    ASSERT_TRUE(IsOk(Update(store, artifact)));
  }
}

TEST(JournalChain, NoticesEveryBitThatChanges) {
  TestStore store;
  FillJournal(store);
  const StoredJournal whole = ReadJournal(store);
  EXPECT_EQ(whole.Problems(), Strings());
  ASSERT_EQ(whole.chunks.size(), 6u);
  for (size_t i = 0; i < whole.chunks.size(); ++i) {
    for (size_t byte = 0; byte < whole.chunks[i].second.size(); ++byte) {
      for (int bit = 0; bit < 8; ++bit) {
        StoredJournal damaged = whole;
        damaged.chunks[i].second[byte] =
            static_cast<char>(damaged.chunks[i].second[byte] ^ 1 << bit);
        EXPECT_NE(damaged.Problems(), Strings()) << i << " " << byte << " " << bit;
      }
    }
  }
  const std::string head = whole.head.Encode();
  for (size_t byte = 0; byte < head.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = head;
      bytes[byte] = static_cast<char>(bytes[byte] ^ 1 << bit);
      StoredJournal damaged = whole;
      const bool decodes = JournalHead::Decode(bytes, &damaged.head);
      EXPECT_TRUE(!decodes || damaged.Problems() != Strings()) << byte << " " << bit;
    }
  }
}

TEST(JournalChain, NamesWhatDoesNotFit) {
  TestStore store;
  FillJournal(store);
  const StoredJournal whole = ReadJournal(store);
  const auto problems = [&](const std::function<void(StoredJournal*)>& damage) {
    StoredJournal damaged = whole;
    damage(&damaged);
    return absl::StrJoin(damaged.Problems(), "; ");
  };
  // The last byte of a chunk is in the digest of its last entry.
  EXPECT_EQ(problems([](StoredJournal* journal) { journal->chunks[0].second.back() ^= 1; }),
            "entry 3: its hash is not the one that entry 4 names");
  EXPECT_EQ(problems([](StoredJournal* journal) { journal->chunks[5].second.back() ^= 1; }),
            "entry 12: its hash is not the one that is kept of the last");
  EXPECT_EQ(
      problems([](StoredJournal* journal) { journal->chunks.erase(journal->chunks.begin() + 2); }),
      "entries 5 to 7: missing");
  EXPECT_EQ(problems([](StoredJournal* journal) { journal->chunks.pop_back(); }),
            "the journal ends with entry 11, and its last is said to be 12");
  EXPECT_EQ(problems([](StoredJournal* journal) { journal->chunks[1].second = std::string(1, 5); }),
            "entry 4: it does not decode");
  EXPECT_EQ(problems([](StoredJournal* journal) { journal->chunks[0].second[1] ^= 1; }),
            "entry 1: it names one before it; entry 1: its hash is not the one that entry 2 names");
}

TEST(Journal, DamageIsFoundByVerify) {
  TestStore store;
  FillJournal(store);
  store.Close();
  {
    RawDatabase database(store.database());
    std::string chunk = database.Get(JournalKey{5}.Encode()).value();
    chunk.back() = static_cast<char>(chunk.back() ^ 1);
    database.Put(JournalKey{5}.Encode(), chunk);
    database.Put(KeyHead(Tag::kJournal) + "x", "");
  }
  store.Open();
  const std::string problems = Problems(store);
  EXPECT_NE(problems.find("journal: entry 7: its hash is not the one that entry 8 names"),
            std::string::npos)
      << problems;
  EXPECT_NE(problems.find("no key of the format"), std::string::npos) << problems;
}

TEST(Journal, HeadThatDoesNotDecodeStopsTheStart) {
  TestStore store;
  store.Close();
  RawDatabase(store.database()).Put(JournalHeadKey().Encode(), "x");
  EXPECT_TRUE(Fails(Store::Open(store.options()), absl::StatusCode::kDataLoss, "journal_head"));
}

// Requests of random writes, some of which fail half way, in groups of random sizes.
TEST(Journal, FollowsTheStoreThroughRandomGroups) {
  Random random;
  TestStore store;
  for (int round = 0; round < 40; ++round) {
    std::vector<TestWrite::Work> group(random.Index(8) + 1);
    for (auto& work : group) {
      const uint64_t seed = random.Bits();
      work = [seed](Transaction& transaction) -> absl::Status {
        Random own(seed);
        const size_t writes = own.Index(4);
        for (size_t i = 0; i < writes; ++i) {
          const int64_t last = transaction.last_id(NodeKind::kArtifact);
          if (last == 0 || own.OneIn(2)) {
            Artifact artifact = NewNode<Artifact>(1);
            absl::Status status = transaction.Insert(&artifact, {}).status();
            if (!status.ok()) return status;
            continue;
          }
          const int64_t id = own.Between(1, last);
          auto record = transaction.FindRecord(NodeKind::kArtifact, id);
          if (!record.ok()) return record.status();
          Artifact artifact = NewNode<Artifact>(1);
          artifact.set_id(id);
          artifact.set_uri(absl::StrCat(own.Index(3)));
          absl::Status status = transaction.Update(**record, &artifact, UpdateTime::kIfChanged);
          if (!status.ok()) return status;
        }
        return own.OneIn(4) ? absl::AbortedError("no") : absl::OkStatus();
      };
    }
    WriteAsOneGroup(*store, std::move(group));
    store.SetClock(store.clock() + 1);
    if (random.OneIn(10)) store.Reopen();
  }
  ExpectNewestDigestsFit(store);
  EXPECT_EQ(Problems(store), "");
}

}  // namespace
}  // namespace pedigree
