// The store as a whole: reopening, group commit, readers beside writers, reads from memory alone.
#include "store/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/store/test_store.h"
#include "tests/store/write_group.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using Ids = std::vector<int64_t>;

TEST(Store, AReopenKeepsEverything) {
  TestStore store;
  const int64_t type = PutType<Artifact>(store, "Model");
  const int64_t run_type = PutType<Context>(store, "Run");
  ASSERT_EQ(*Insert(store, NewNode<Context>(run_type, "run")), 1);
  Artifact artifact = NewNode<Artifact>(type, "a");
  artifact.set_uri("s3://a");
  artifact.set_external_id("x");
  ASSERT_EQ(*Insert(store, artifact, {1}), 1);
  ASSERT_EQ(*Insert(store, NewNode<Execution>(5), {1}), 1);
  ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
    Event event;
    event.set_artifact_id(1);
    event.set_execution_id(1);
    event.set_type(Event::OUTPUT);
    return AddEvents(transaction, {&event});
  })));
  const std::string before = Find<Artifact>(store, 1)->ShortDebugString();

  for (int round = 0; round < 2; ++round) {
    store.Reopen();
    EXPECT_EQ(Find<Artifact>(store, 1)->ShortDebugString(), before);
    EXPECT_EQ(FindIdByName(store, NodeKind::kArtifact, type, "a"), 1);
    EXPECT_EQ(FindIdByExternalId(store, NodeKind::kArtifact, "x"), 1);
    EXPECT_EQ(ArtifactsByUri(store, "s3://a"), Ids({1}));
    EXPECT_EQ(ContextMembers(store, 1, NodeKind::kArtifact), Ids({1}));
    EXPECT_EQ(ContextMembers(store, 1, NodeKind::kExecution), Ids({1}));
    EXPECT_EQ(EventsOfArtifact(store, 1).size(), 1u);
    EXPECT_EQ(EventsOfExecution(store, 1).size(), 1u);
    EXPECT_EQ(Problems(store), "");
  }
}

TEST(Store, IdsGoOnAfterAReopen) {
  TestStore store;
  for (int64_t round = 1; round <= 3; ++round) {
    EXPECT_EQ(*Insert(store, NewNode<Artifact>(1)), round);
    EXPECT_EQ(*Insert(store, NewNode<Execution>(5)), round);
    EXPECT_EQ(PutType<Context>(store, std::to_string(round)), kLastPredefinedTypeId + round);
    store.Reopen();
  }
}

TEST(Store, AnEmptyStoreHoldsThePredefinedTypesAndNothingElse) {
  TestStore store;
  for (int round = 0; round < 2; ++round) {
    auto report = store->Verify();
    ASSERT_TRUE(IsOk(report));
    EXPECT_TRUE(report->ok());
    EXPECT_EQ(report->types, kLastPredefinedTypeId);
    for (NodeKind kind : kNodeKinds) EXPECT_EQ(report->nodes[IndexOf(kind)], 0);
    EXPECT_EQ(report->events + report->links + report->index_entries, 0);
    store.Reopen();
  }
}

// Claims each of `names` in a thread of its own; answers how many claims succeeded.
int ClaimNames(TestStore& store, int names) {
  int claimed = 0;
  for (int i = 0; i < names; ++i) {
    const std::string name = absl::StrCat("name ", i);
    const auto id = Insert(store, NewNode<Context>(10, name));
    if (id.ok()) {
      ++claimed;
    } else {
      EXPECT_TRUE(Fails(id, StatusCode::kAlreadyExists));
    }
    // Whoever has it: it is there as soon as the call is answered.
    EXPECT_TRUE(FindIdByName(store, NodeKind::kContext, 10, name).has_value());
  }
  return claimed;
}

TEST(GroupCommit, ANameIsClaimedOnceHoweverManyTry) {
  constexpr int kThreads = 16;
  constexpr int kNames = 200;
  TestStore store;
  ASSERT_EQ(PutType<Context>(store, "Run"), 10);
  std::atomic<int> claimed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] { claimed += ClaimNames(store, kNames); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(claimed, kNames);
  EXPECT_EQ(AllNodes(store, NodeKind::kContext).size(), size_t{kNames});
  EXPECT_EQ(AllNodes(store, NodeKind::kContext).back(), kNames) << "failed claims take no ids";
  EXPECT_EQ(Problems(store), "");
}

absl::Status Increment(Transaction& transaction) {
  auto record = transaction.FindRecord(NodeKind::kArtifact, 1);
  if (!record.ok()) return record.status();
  auto node = transaction.FindNode<Artifact>(1);
  if (!node.ok()) return node.status();
  ml_metadata::Value& count = (*(*node)->mutable_custom_properties())["count"];
  count.set_int_value(count.int_value() + 1);
  return transaction.Update(**record, &**node, UpdateTime::kIfChanged);
}

TEST(GroupCommit, ReadModifyWriteLosesNothing) {
  constexpr int kThreads = 8;
  constexpr int kTimes = 100;
  TestStore store(Sync::kAlways);
  ASSERT_EQ(*Insert(store, NewNode<Artifact>(1)), 1);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kTimes; ++n) EXPECT_TRUE(IsOk(store->Write(Increment)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Find<Artifact>(store, 1)->custom_properties().at("count").int_value(),
            kThreads * kTimes);
  store.Reopen();
  EXPECT_EQ(Find<Artifact>(store, 1)->custom_properties().at("count").int_value(),
            kThreads * kTimes);
  EXPECT_EQ(Problems(store), "");
}

TEST(GroupCommit, ARequestSeesThoseBeforeItInItsGroup) {
  TestStore store;
  const auto statuses = WriteAsOneGroup(
      *store, {[](Transaction& transaction) {
                 Artifact artifact = NewNode<Artifact>(1, "a");
                 return transaction.Insert(&artifact, {}).status();
               },
               [](Transaction& transaction) {
                 EXPECT_EQ(*transaction.FindIdByName(NodeKind::kArtifact, 1, "a"), 1);
                 EXPECT_EQ(*transaction.NodeExists(NodeKind::kArtifact, 1), true);
                 Artifact artifact = NewNode<Artifact>(1, "a");
                 return transaction.Insert(&artifact, {}).status();
               },
               [](Transaction& transaction) {
                 Execution execution = NewNode<Execution>(5);
                 EXPECT_EQ(*transaction.Insert(&execution, {}), 1);
                 Event event;
                 event.set_artifact_id(1);
                 event.set_execution_id(1);
                 event.set_type(Event::INPUT);
                 return AddEvents(transaction, {&event});
               }});
  ASSERT_EQ(statuses.size(), 3u);
  EXPECT_TRUE(IsOk(statuses[0]));
  EXPECT_TRUE(Fails(statuses[1], StatusCode::kAlreadyExists));
  EXPECT_TRUE(IsOk(statuses[2]));
  EXPECT_EQ(AllNodes(store, NodeKind::kArtifact), Ids({1}));
  EXPECT_EQ(EventsOfArtifact(store, 1).size(), 1u);
  EXPECT_EQ(Problems(store), "");
}

TEST(GroupCommit, AFailedRequestTakesNothingFromItsNeighbours) {
  TestStore store;
  const auto insert = [](const std::string& name) {
    return [name](Transaction& transaction) {
      Artifact artifact = NewNode<Artifact>(1, name);
      artifact.set_external_id(name);
      return transaction.Insert(&artifact, {}).status();
    };
  };
  const auto insert_and_fail = [](Transaction& transaction) -> absl::Status {
    ml_metadata::ArtifactType type;
    type.set_name("New");
    EXPECT_TRUE(IsOk(transaction.PutType<Artifact>(&type)));
    Artifact artifact = NewNode<Artifact>(1, "b");
    artifact.set_external_id("b");
    EXPECT_TRUE(IsOk(transaction.Insert(&artifact, {})));
    return absl::InvalidArgumentError("on purpose");
  };
  const auto statuses =
      WriteAsOneGroup(*store, {insert("a"), insert_and_fail, insert_and_fail, insert("b")});
  EXPECT_TRUE(IsOk(statuses[0]));
  EXPECT_TRUE(Fails(statuses[1], StatusCode::kInvalidArgument));
  EXPECT_TRUE(Fails(statuses[2], StatusCode::kInvalidArgument));
  EXPECT_TRUE(IsOk(statuses[3]));
  EXPECT_EQ(AllNodes(store, NodeKind::kArtifact), Ids({1, 2}));
  EXPECT_EQ(FindIdByName(store, NodeKind::kArtifact, 1, "b"), 2);
  EXPECT_EQ(PutType<Artifact>(store, "New"), kLastPredefinedTypeId + 1);
  EXPECT_EQ(Problems(store), "");
}

TEST(GroupCommit, AGroupOfMoreRequestsThanFitIsCut) {
  TestStore store;
  std::vector<TestWrite::Work> writes;
  for (int i = 0; i < 2500; ++i) {
    writes.emplace_back([](Transaction& transaction) {
      Artifact artifact = NewNode<Artifact>(1);
      return transaction.Insert(&artifact, {}).status();
    });
  }
  for (const absl::Status& status : WriteAsOneGroup(*store, std::move(writes))) {
    EXPECT_TRUE(IsOk(status));
  }
  EXPECT_EQ(AllNodes(store, NodeKind::kArtifact).size(), 2500u);
  EXPECT_EQ(Problems(store), "");
}

TEST(GroupCommit, RefusesWhatIsTooMuchToWait) {
  TestStore store;
  StoreOptions options = store.options();
  options.max_queued_bytes = 1000;
  store.Close();
  auto opened = Store::Open(options);
  ASSERT_TRUE(IsOk(opened));
  std::latch running(1);
  std::latch released(1);
  std::promise<absl::Status> first;
  std::promise<absl::Status> waits;
  std::promise<absl::Status> refused;
  (*opened)->Enqueue(std::make_unique<TestWrite>(
      [&](Transaction&) {
        running.count_down();
        released.wait();
        return absl::OkStatus();
      },
      &first, 5000));
  running.wait();
  const auto nothing = [](Transaction&) { return absl::OkStatus(); };
  (*opened)->Enqueue(std::make_unique<TestWrite>(nothing, &waits, 900));
  (*opened)->Enqueue(std::make_unique<TestWrite>(nothing, &refused, 200));
  auto refusal = refused.get_future();
  EXPECT_EQ(refusal.wait_for(std::chrono::seconds(0)), std::future_status::ready)
      << "the refusal comes before Enqueue returns";
  EXPECT_TRUE(Fails(refusal.get(), StatusCode::kUnavailable, "retry later"));
  released.count_down();
  EXPECT_TRUE(IsOk(first.get_future().get()));
  EXPECT_TRUE(IsOk(waits.get_future().get()));
}

// Also when the queue is so full that nothing more is accepted.
TEST(GroupCommit, WaitsForWhatWasAccepted) {
  ScratchDirectory scratch;
  StoreOptions options;
  options.data_dir = scratch.path() + "/store";
  options.max_queued_bytes = 1000;
  auto opened = Store::Open(options);
  ASSERT_TRUE(IsOk(opened));
  std::promise<void> begun;
  std::promise<void> go_on;
  std::promise<absl::Status> first;
  std::promise<absl::Status> last;
  const auto nothing = [](Transaction&) { return absl::OkStatus(); };
  (*opened)->Enqueue(std::make_unique<TestWrite>(
      [&](Transaction&) {
        begun.set_value();
        go_on.get_future().wait();
        return absl::OkStatus();
      },
      &first, 1));
  begun.get_future().wait();
  (*opened)->Enqueue(std::make_unique<TestWrite>(nothing, &last, 5000));
  auto waited = std::async(std::launch::async, [&] {
    (*opened)->WaitForAcceptedWrites();
    return last.get_future().wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  EXPECT_EQ(waited.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  go_on.set_value();
  EXPECT_TRUE(waited.get());
  (*opened)->WaitForAcceptedWrites();  // Nothing is left to wait for.
}

TEST(GroupCommit, ClosingFinishesWhatWasAccepted) {
  TestStore store;
  std::vector<std::promise<absl::Status>> done(300);
  for (auto& one : done) {
    store->Enqueue(std::make_unique<TestWrite>(
        [](Transaction& transaction) {
          Artifact artifact = NewNode<Artifact>(1);
          return transaction.Insert(&artifact, {}).status();
        },
        &one));
  }
  store.Reopen();
  for (auto& one : done) EXPECT_TRUE(IsOk(one.get_future().get()));
  EXPECT_EQ(AllNodes(store, NodeKind::kArtifact).size(), done.size());
}

// How often each uri occurs among all artifacts of one version, by both of its orders.
void ExpectWholeCommits(const Reader& reader, size_t* seen) {
  std::map<std::string, int> by_record;
  Ids members;
  ASSERT_TRUE(IsOk(reader.VisitNodes(
      NodeKind::kArtifact, kFirstId, Direction::kAscending, [&](int64_t, const RecordView& record) {
        const auto node = PeekNode(NodeKind::kArtifact, record.message());
        ++by_record[std::string(node->uri)];
        return true;
      })));
  ASSERT_TRUE(IsOk(reader.VisitTypeMembers(NodeKind::kArtifact, 1, kFirstId, Direction::kAscending,
                                           [&](int64_t id) {
                                             members.push_back(id);
                                             return true;
                                           })));
  for (const auto& [uri, count] : by_record) EXPECT_EQ(count, 2) << uri;
  EXPECT_EQ(members.size(), 2 * by_record.size());
  EXPECT_GE(by_record.size(), *seen) << "versions never go back";
  *seen = by_record.size();
}

TEST(Readers, SeeWholeCommitsAndNeverGoBack) {
  constexpr int kPairs = 300;
  TestStore store;
  std::atomic<bool> writing = true;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      size_t seen = 0;
      while (writing) {
        EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
          ExpectWholeCommits(reader, &seen);
          return absl::OkStatus();
        })));
      }
    });
  }
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&, i] {
      for (int n = 0; n < kPairs / 4; ++n) {
        EXPECT_TRUE(IsOk(store->Write([&](Transaction& transaction) -> absl::Status {
          for (int twice = 0; twice < 2; ++twice) {
            Artifact artifact = NewNode<Artifact>(1);
            artifact.set_uri(std::to_string(i) + absl::StrCat("/", n));
            if (auto id = transaction.Insert(&artifact, {}); !id.ok()) return id.status();
          }
          return absl::OkStatus();
        })));
      }
    });
  }
  for (std::thread& thread : writers) thread.join();
  writing = false;
  for (std::thread& thread : readers) thread.join();
  EXPECT_EQ(AllNodes(store, NodeKind::kArtifact).size(), 2u * kPairs);
}

TEST(Readers, OneReaderStaysAtItsVersion) {
  TestStore store;
  ASSERT_EQ(*Insert(store, NewNode<Artifact>(1, "a")), 1);
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
    EXPECT_EQ(*Insert(store, NewNode<Artifact>(1, "b")), 2);
    Artifact changed = *Find<Artifact>(store, 1);
    changed.set_uri("s3://new");
    EXPECT_TRUE(IsOk(Update(store, changed)));
    EXPECT_FALSE(reader.FindIdByName(NodeKind::kArtifact, 1, "b")->has_value());
    EXPECT_FALSE(reader.FindRecord(NodeKind::kArtifact, 2)->has_value());
    auto node = reader.FindNode<Artifact>(1);
    EXPECT_EQ((*node)->uri(), "");
    return absl::OkStatus();
  })));
}

// Everything that one Reader can be asked, as one text.
absl::StatusOr<std::string> AskEverything(const Reader& reader) {
  std::string text;
  const auto add = [&](int64_t id) {
    text += std::to_string(id) + " ";
    return true;
  };
  const auto add_event = [&](absl::string_view event) { text += std::string(event) + " "; };
  const auto add_record = [&](int64_t id, const RecordView& record) {
    return add(id) && add(static_cast<int64_t>(record.message().size()));
  };
  const std::vector<absl::Status> statuses = {
      reader.FindRecord(NodeKind::kArtifact, 700).status(),
      reader.FindRecord(NodeKind::kArtifact, 1'000'000).status(),
      reader.FindIdByName(NodeKind::kArtifact, 1, "a700").status(),
      reader.VisitRecords(NodeKind::kArtifact, {1, 500, 900},
                          [&](int64_t id, const RecordView& record) { add_record(id, record); }),
      reader.VisitTypeMembers(NodeKind::kArtifact, 1, kFirstId, Direction::kAscending, add),
      reader.VisitNodes(NodeKind::kArtifact, 500, Direction::kDescending, add_record),
      reader.VisitContextMembers(1, NodeKind::kArtifact, kFirstId, Direction::kAscending, add),
      reader.VisitByUpdateTime(NodeKind::kArtifact, {0, 1}, Direction::kAscending,
                               [&](TimeAndId place) { return add(place.id); }),
      reader.VisitArtifactsByUri("s3://700", add),
      reader.Links(NodeKind::kArtifact, 700).status(),
      reader.VisitEventsOfExecution(1, add_event),
      reader.VisitEventsOfArtifact(1, add_event),
  };
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return text;
}

// Fills a store with 1,000 artifacts in one context, so that it has some blocks.
void Fill(TestStore& store) {
  ASSERT_EQ(PutType<Context>(store, "Run"), 10);
  ASSERT_EQ(*Insert(store, NewNode<Context>(10, "run")), 1);
  ASSERT_EQ(*Insert(store, NewNode<Execution>(5)), 1);
  ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) -> absl::Status {
    std::vector<Event> events(1000);
    std::vector<Event*> pointers;
    for (int64_t i = 1; i <= 1000; ++i) {
      Artifact artifact = NewNode<Artifact>(1, absl::StrCat("a", i));
      artifact.set_uri(absl::StrCat("s3://", i));
      (*artifact.mutable_custom_properties())["p"].set_string_value(std::string(200, 'p'));
      if (auto id = transaction.Insert(&artifact, {1}); !id.ok()) return id.status();
      Event& event = events[static_cast<size_t>(i) - 1];
      event.set_artifact_id(i);
      event.set_execution_id(1);
      event.set_type(Event::OUTPUT);
      pointers.push_back(&event);
    }
    return AddEvents(transaction, pointers);
  })));
}

TEST(CacheOnly, AnswersWouldBlockUntilABlockingReadHasBeenThere) {
  TestStore store;
  Fill(store);
  store.Reopen();  // What was in memory is in table files, and the cache is empty.
  const auto ask = [&](Blocking blocking) {
    std::string text;
    absl::Status status = store->Read(blocking, [&](const Reader& reader) {
      auto answer = AskEverything(reader);
      if (answer.ok()) text = *answer;
      return answer.status();
    });
    return std::make_pair(status, text);
  };
  const auto cold = ask(Blocking::kCacheOnly);
  EXPECT_TRUE(IsWouldBlock(cold.first)) << cold.first;
  // 2,000 visits are allowed to one reader: the whole of the above takes about 1,600. A compaction
  // in the background may take what is in memory away once or twice.
  auto blocking = ask(Blocking::kAllowed);
  auto warm = ask(Blocking::kCacheOnly);
  for (int i = 0; i < 20 && IsWouldBlock(warm.first); ++i) {
    blocking = ask(Blocking::kAllowed);
    warm = ask(Blocking::kCacheOnly);
  }
  EXPECT_TRUE(IsOk(blocking.first));
  EXPECT_TRUE(IsOk(warm.first));
  EXPECT_EQ(warm.second, blocking.second);
  EXPECT_FALSE(warm.second.empty());
}

TEST(CacheOnly, ColdReadsOfEveryKindWouldBlockAndNeverSayNotFound) {
  TestStore store;
  Fill(store);
  using Ask = std::function<absl::Status(const Reader&)>;
  const auto all = [](int64_t) { return true; };
  const std::vector<std::pair<const char*, Ask>> asks = {
      {"FindRecord",
       [](const Reader& r) { return r.FindRecord(NodeKind::kArtifact, 700).status(); }},
      {"FindIdByName",
       [](const Reader& r) { return r.FindIdByName(NodeKind::kArtifact, 1, "a700").status(); }},
      {"VisitRecords",
       [](const Reader& r) {
         return r.VisitRecords(NodeKind::kArtifact, {700}, [](int64_t, const RecordView&) {});
       }},
      {"VisitNodes",
       [](const Reader& r) {
         return r.VisitNodes(NodeKind::kArtifact, 1, Direction::kAscending,
                             [](int64_t, const RecordView&) { return true; });
       }},
      {"VisitTypeMembers",
       [&](const Reader& r) {
         return r.VisitTypeMembers(NodeKind::kArtifact, 1, 1, Direction::kAscending, all);
       }},
      {"VisitContextMembers",
       [&](const Reader& r) {
         return r.VisitContextMembers(1, NodeKind::kArtifact, 1, Direction::kAscending, all);
       }},
      {"VisitByUpdateTime",
       [](const Reader& r) {
         return r.VisitByUpdateTime(NodeKind::kArtifact, {0, 1}, Direction::kAscending,
                                    [](TimeAndId) { return true; });
       }},
      {"VisitArtifactsByUri",
       [&](const Reader& r) { return r.VisitArtifactsByUri("s3://700", all); }},
      {"Links", [](const Reader& r) { return r.Links(NodeKind::kArtifact, 700).status(); }},
      {"VisitEventsOfExecution",
       [](const Reader& r) { return r.VisitEventsOfExecution(1, [](absl::string_view) {}); }},
      {"VisitEventsOfArtifact",
       [](const Reader& r) { return r.VisitEventsOfArtifact(1, [](absl::string_view) {}); }},
  };
  for (const auto& [what, ask] : asks) {
    store.Reopen();
    const absl::Status status = store->Read(Blocking::kCacheOnly, ask);
    EXPECT_TRUE(IsWouldBlock(status)) << what << ": " << status;
  }
}

TEST(CacheOnly, WhatIsJustWrittenNeedsNoDisk) {
  TestStore store;
  ASSERT_EQ(*Insert(store, NewNode<Artifact>(1, "a")), 1);
  EXPECT_TRUE(IsOk(store->Read(Blocking::kCacheOnly, [](const Reader& reader) -> absl::Status {
    auto record = reader.FindRecord(NodeKind::kArtifact, 1);
    EXPECT_TRUE(record.ok() && record->has_value());
    return record.status();
  })));
}

TEST(CacheOnly, LongAnswersBelongElsewhere) {
  TestStore store;
  ASSERT_TRUE(IsOk(store->Write([](Transaction& transaction) -> absl::Status {
    for (int64_t i = 0; i <= kCacheOnlyVisits; ++i) {
      Artifact artifact = NewNode<Artifact>(1);
      if (auto id = transaction.Insert(&artifact, {}); !id.ok()) return id.status();
    }
    return absl::OkStatus();
  })));
  const auto visit = [&](Blocking blocking, int64_t most) {
    int64_t visited = 0;
    absl::Status status = store->Read(blocking, [&](const Reader& reader) {
      return reader.VisitNodes(NodeKind::kArtifact, kFirstId, Direction::kAscending,
                               [&](int64_t, const RecordView&) { return ++visited < most; });
    });
    return std::make_pair(status, visited);
  };
  EXPECT_TRUE(IsOk(visit(Blocking::kCacheOnly, kCacheOnlyVisits - kScanVisits).first));
  EXPECT_TRUE(IsWouldBlock(visit(Blocking::kCacheOnly, kLastId).first));
  const auto whole = visit(Blocking::kAllowed, kLastId);
  EXPECT_TRUE(IsOk(whole.first));
  EXPECT_EQ(whole.second, kCacheOnlyVisits + 1);

  Ids ids(static_cast<size_t>(kCacheOnlyVisits) + 1);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i) + 1;
  EXPECT_TRUE(IsWouldBlock(store->Read(Blocking::kCacheOnly, [&](const Reader& reader) {
    return reader.VisitRecords(NodeKind::kArtifact, ids, [](int64_t, const RecordView&) {});
  })));
}

TEST(Store, VisitorsCanStopAndBeginAnywhere) {
  TestStore store;
  for (int i = 0; i < 600; ++i) ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  const auto from = [&](int64_t first, Direction direction, size_t most) {
    Ids ids;
    EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
      return reader.VisitTypeMembers(NodeKind::kArtifact, 1, first, direction, [&](int64_t id) {
        ids.push_back(id);
        return ids.size() < most;
      });
    })));
    return ids;
  };
  EXPECT_EQ(from(254, Direction::kAscending, 4), Ids({254, 255, 256, 257}));
  EXPECT_EQ(from(257, Direction::kDescending, 4), Ids({257, 256, 255, 254}));
  EXPECT_EQ(from(599, Direction::kAscending, 9), Ids({599, 600}));
  EXPECT_EQ(from(601, Direction::kAscending, 9), Ids());
  EXPECT_EQ(from(2, Direction::kDescending, 9), Ids({2, 1}));
  EXPECT_EQ(from(kLastId, Direction::kDescending, 2), Ids({600, 599}));
}

}  // namespace
}  // namespace pedigree
