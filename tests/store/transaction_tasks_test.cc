// Tasks of Kubeflow Pipelines in the store: numbers, ids, the index by fingerprint.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/task.pb.h"
#include "store/keys.h"
#include "store/task.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"
#include "tests/store/write_group.h"

namespace pedigree {
namespace {

using Numbers = std::vector<int64_t>;

api::Task NewTask(const std::string& fingerprint, int64_t second, const std::string& pipeline = "p",
                  const std::string& name_space = "n") {
  api::Task task;
  task.set_fingerprint(fingerprint);
  task.set_pipelinename(pipeline);
  task.set_namespace_(name_space);
  task.mutable_created_at()->set_seconds(second);
  return task;
}

api::Task Insert(TestStore& store, api::Task task) {
  EXPECT_TRUE(IsOk(store->Write(
      [&](Transaction& transaction) { return transaction.InsertTask(&task).status(); })));
  return task;
}

template <typename Visit>
Numbers Collect(TestStore& store, const Visit& visit) {
  Numbers numbers;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed,
                               [&](const Reader& reader) { return visit(reader, &numbers); })));
  return numbers;
}

Numbers AllTasks(TestStore& store, int64_t from, Direction direction, size_t most = SIZE_MAX) {
  return Collect(store, [&](const Reader& reader, Numbers* numbers) {
    return reader.VisitTasks(from, direction, [&](int64_t number, absl::string_view bytes) {
      api::Task task;
      EXPECT_TRUE(task.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
      EXPECT_EQ(NumberOfTaskId(task.id()), number);
      numbers->push_back(number);
      return numbers->size() < most;
    });
  });
}

Numbers Under(TestStore& store, const std::string& prefix,
              Direction direction = Direction::kAscending) {
  return Collect(store, [&](const Reader& reader, Numbers* numbers) {
    return reader.VisitTaskPlaces(prefix, direction, [&](TaskPlace place) {
      numbers->push_back(place.number);
      return true;
    });
  });
}

TEST(TaskId, HoldsItsNumberAndIsAUuid) {
  std::set<std::string> ids;
  for (int64_t number : {int64_t{1}, int64_t{42}, int64_t{1} << 52}) {
    for (int i = 0; i < 100; ++i) {
      const std::string id = NewTaskId(number);
      EXPECT_EQ(NumberOfTaskId(id), number);
      EXPECT_TRUE(ids.insert(id).second) << id;
      ASSERT_EQ(id.size(), 36u);
      for (size_t dash : {8u, 13u, 18u, 23u}) EXPECT_EQ(id[dash], '-') << id;
      EXPECT_EQ(id[14], '8') << id;
      EXPECT_EQ(id[19], '8') << id;
    }
  }
}

TEST(TaskId, OfAnotherMakerHasNoNumber) {
  for (const char* id :
       {"", "7", "-", "00000000-0000-8000-8000-00000000000",
        "00000000-0000-8000-8000-0000000000011", "00000000-0000-8000-0000-000000000001",
        "00000000-0000-8000-c000-000000000001", "00000000-0000-8000-8000-00000000000G",
        "id with spaces"}) {
    EXPECT_EQ(NumberOfTaskId(id), std::nullopt) << id;
  }
}

TEST(InsertTask, NumbersInTheOrderOfInsertionAcrossRestarts) {
  TestStore store;
  EXPECT_EQ(NumberOfTaskId(Insert(store, NewTask("f", 9)).id()), 1);
  EXPECT_EQ(NumberOfTaskId(Insert(store, NewTask("f", 1)).id()), 2);
  store.Reopen();
  const api::Task third = Insert(store, NewTask("f", 5));
  EXPECT_EQ(NumberOfTaskId(third.id()), 3);
  EXPECT_EQ(AllTasks(store, 1, Direction::kAscending), (Numbers{1, 2, 3}));
  EXPECT_EQ(AllTasks(store, 2, Direction::kAscending), (Numbers{2, 3}));
  EXPECT_EQ(AllTasks(store, 2, Direction::kDescending), (Numbers{2, 1}));
  EXPECT_EQ(AllTasks(store, kLastId, Direction::kDescending), (Numbers{3, 2, 1}));
  EXPECT_EQ(AllTasks(store, 1, Direction::kAscending, 1), (Numbers{1}));
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    EXPECT_EQ(**reader.FindTask(3), third.SerializeAsString());
    EXPECT_FALSE(reader.FindTask(4)->has_value());
    return absl::OkStatus();
  })));
  EXPECT_EQ(Problems(store), "");
}

TEST(InsertTask, OfARequestThatFailsLeavesNothing) {
  TestStore store;
  const auto insert = [](Transaction& transaction) {
    api::Task task = NewTask("f", 1);
    return transaction.InsertTask(&task).status();
  };
  const auto insert_and_fail = [&](Transaction& transaction) {
    EXPECT_TRUE(IsOk(insert(transaction)));
    return absl::InternalError("on purpose");
  };
  const auto statuses = WriteAsOneGroup(*store, {insert, insert_and_fail, insert});
  EXPECT_TRUE(IsOk(statuses.at(0)));
  EXPECT_FALSE(IsOk(statuses.at(1)));
  EXPECT_TRUE(IsOk(statuses.at(2)));
  EXPECT_EQ(AllTasks(store, 1, Direction::kAscending), (Numbers{1, 2}));
  EXPECT_EQ(Under(store, TaskFingerprintKey::Prefix("f")), (Numbers{2, 1}));
  EXPECT_EQ(Problems(store), "");
}

TEST(TaskIndex, HasTheNewestFirstAndOfOneSecondTheLastInserted) {
  TestStore store;
  Insert(store, NewTask("f", 5));
  Insert(store, NewTask("f", 7));
  Insert(store, NewTask("f", 5));
  Insert(store, NewTask("f", -3));
  Insert(store, NewTask("f", 9, "other"));
  Insert(store, NewTask("f", 9, "p", "other"));
  Insert(store, NewTask("ff", 9));
  const std::string prefix = TaskFingerprintKey::Prefix("f", "p", "n");
  EXPECT_EQ(Under(store, prefix), (Numbers{2, 3, 1, 4}));
  EXPECT_EQ(Under(store, prefix, Direction::kDescending), (Numbers{4, 1, 3, 2}));
  EXPECT_EQ(Under(store, TaskFingerprintKey::Prefix("f", "p")).size(), 5u);
  EXPECT_EQ(Under(store, TaskFingerprintKey::Prefix("f")).size(), 6u);
  EXPECT_EQ(Under(store, TaskFingerprintKey::Prefix("g")), Numbers());
  const auto from = [&](TaskPlace place, Direction direction) {
    return Collect(store, [&](const Reader& reader, Numbers* numbers) {
      return reader.VisitTaskPlacesFrom(prefix, place, direction, [&](TaskPlace found) {
        numbers->push_back(found.number);
        return true;
      });
    });
  };
  EXPECT_EQ(from({5, 3}, Direction::kAscending), (Numbers{3, 1, 4}));
  EXPECT_EQ(from({5, 2}, Direction::kAscending), (Numbers{1, 4}));
  EXPECT_EQ(from({5, 3}, Direction::kDescending), (Numbers{3, 2}));
  EXPECT_EQ(from({5, 4}, Direction::kDescending), (Numbers{2}));
}

TEST(TaskIndex, TellsLongAndStrangeTextsApart) {
  Random random;
  TestStore store;
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  for (int i = 0; i < 200; ++i) {
    // UTF-8 does not matter here: api.Task is proto3, and the wire checks it.
    const std::string fingerprint = absl::StrCat(std::string(random.Index(3) * 100, 'a'), i % 7);
    const std::string pipeline = absl::StrCat(std::string(1, '\0'), i % 3);
    const std::string name_space(random.Index(3), '\0');
    Insert(store, NewTask(fingerprint, i, pipeline, name_space));
    seen.emplace(fingerprint, pipeline, name_space);
  }
  size_t total = 0;
  for (const auto& [fingerprint, pipeline, name_space] : seen) {
    total += Under(store, TaskFingerprintKey::Prefix(fingerprint, pipeline, name_space)).size();
  }
  EXPECT_EQ(total, 200u);
  EXPECT_EQ(Problems(store), "");
}

}  // namespace
}  // namespace pedigree
