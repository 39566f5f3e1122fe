// Lists, walked page by page against a model that sorts everything, for the three kinds alike.
#include "query/list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "query/page_token.h"
#include "store/codec.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using Ids = std::vector<int64_t>;
using Options = ml_metadata::ListOperationOptions;
using OrderBy = Options::OrderByField;

constexpr OrderBy::Field kOrders[] = {OrderBy::ID, OrderBy::CREATE_TIME, OrderBy::LAST_UPDATE_TIME};

Options NewOptions(OrderBy::Field order, bool ascending, int32_t size) {
  Options options;
  options.set_max_result_size(size);
  options.mutable_order_by_field()->set_field(order);
  options.mutable_order_by_field()->set_is_asc(ascending);
  return options;
}

struct Listed {
  Ids ids;
  std::string token;
};

// One page. A node whose record is not that of its id fails the test.
absl::StatusOr<Listed> List(TestStore& store, NodeKind kind, ListScope scope,
                            const Options* options, Blocking blocking = Blocking::kAllowed,
                            absl::string_view rpc = "List") {
  Listed listed;
  absl::Status status = store->Read(blocking, [&](const Reader& reader) -> absl::Status {
    auto token =
        ListNodes(reader, {rpc, kind, scope, options}, [&](int64_t id, const RecordView& record) {
          EXPECT_EQ(PeekNode(kind, record.message())->id, id);
          listed.ids.push_back(id);
        });
    if (token.ok()) listed.token = *token;
    return token.status();
  });
  if (!status.ok()) return status;
  return listed;
}

// All pages, each checked to be as full as it can be.
Ids Walk(TestStore& store, NodeKind kind, ListScope scope, Options options) {
  const auto size = static_cast<size_t>(options.max_result_size());
  Ids all;
  while (true) {
    const auto page = List(store, kind, scope, &options);
    EXPECT_TRUE(IsOk(page));
    if (!page.ok()) return all;
    all.insert(all.end(), page->ids.begin(), page->ids.end());
    if (page->token.empty()) {
      EXPECT_LE(page->ids.size(), size);
      EXPECT_TRUE(!page->ids.empty() || all.empty()) << "an empty page after the last";
      return all;
    }
    EXPECT_EQ(page->ids.size(), size);
    if (page->ids.size() != size) return all;
    options.set_next_page_token(page->token);
  }
}

// What the test knows of a node.
struct Item {
  int64_t id;
  int64_t type;
  int64_t create_time;
  int64_t update_time;
  std::set<int64_t> contexts;
};

bool IsIn(const Item& item, ListScope scope) {
  switch (scope.of) {
    case ListScope::Of::kAll:
      return true;
    case ListScope::Of::kType:
      return item.type == scope.id;
    case ListScope::Of::kContext:
      break;
  }
  return item.contexts.count(scope.id) > 0;
}

// The ids of a list by its definition: filter, sort, turn.
Ids Expected(const std::vector<Item>& items, ListScope scope, OrderBy::Field order,
             bool ascending) {
  std::vector<std::pair<int64_t, int64_t>> places;
  for (const Item& item : items) {
    if (!IsIn(item, scope)) continue;
    const int64_t key = order == OrderBy::ID            ? 0
                        : order == OrderBy::CREATE_TIME ? item.create_time
                                                        : item.update_time;
    places.emplace_back(key, item.id);
  }
  std::sort(places.begin(), places.end());
  if (!ascending) std::reverse(places.begin(), places.end());
  Ids ids;
  for (const auto& place : places) ids.push_back(place.second);
  return ids;
}

// Contexts 1 and 2 of a type of their own, and nodes of two types in none, one or both of them.
template <class Node>
class ListOf : public testing::Test {
 protected:
  static constexpr NodeKind kKind = TraitsOf<Node>::kKind;

  ListOf() {
    for (int64_t id : {1, 2}) {
      EXPECT_EQ(*Insert(store_, NewNode<Context>(run_type_, absl::StrCat("run ", id))), id);
      if (kKind == NodeKind::kContext) {
        items_.push_back({id, run_type_, store_.clock(), store_.clock(), {}});
      }
    }
  }

  // The clock often stands still, so that many times are equal.
  void Tick() {
    if (random_.OneIn(3)) store_.SetClock(store_.clock() + random_.Between(1, 5));
  }

  void InsertOne() {
    Tick();
    const int64_t type = random_.OneIn(3) ? types_[0] : types_[1];
    std::set<int64_t> contexts;
    for (int64_t context : {1, 2}) {
      if (random_.OneIn(2)) contexts.insert(context);
    }
    auto id = Insert(store_, NewNode<Node>(type, absl::StrCat("node ", items_.size())),
                     Ids(contexts.begin(), contexts.end()));
    ASSERT_TRUE(IsOk(id));
    items_.push_back({*id, type, store_.clock(), store_.clock(), contexts});
  }

  void Touch(Item& item) {
    auto node = Find<Node>(store_, item.id);
    ASSERT_TRUE(node.has_value());
    node->set_external_id(absl::StrCat("change ", ++changes_));
    ASSERT_TRUE(IsOk(Update(store_, *node)));
    item.update_time = store_.clock();
  }
  void TouchOne() {
    Tick();
    Touch(items_[random_.Index(items_.size())]);
  }

  std::vector<ListScope> Scopes() const {
    return {ListScope::All(),       ListScope::Type(types_[0]), ListScope::Type(types_[1]),
            ListScope::Type(999),   ListScope::Context(1),      ListScope::Context(2),
            ListScope::Context(999)};
  }

  Random random_;
  TestStore store_;
  const int64_t run_type_ = PutType<Context>(store_, "Run");
  const int64_t types_[2] = {PutType<Node>(store_, "A"), PutType<Node>(store_, "B")};
  std::vector<Item> items_;
  int changes_ = 0;
};
using Nodes = testing::Types<Artifact, Execution, Context>;
TYPED_TEST_SUITE(ListOf, Nodes);

TYPED_TEST(ListOf, EveryScopeOrderDirectionAndPageSizeIsTheModels) {
  for (int i = 0; i < 60; ++i) this->InsertOne();
  for (int i = 0; i < 60; ++i) this->TouchOne();
  for (const ListScope& scope : this->Scopes()) {
    for (OrderBy::Field order : kOrders) {
      for (bool ascending : {true, false}) {
        const Ids expected = Expected(this->items_, scope, order, ascending);
        for (int32_t size : {1, 2, 7, static_cast<int32_t>(expected.size()), 100}) {
          if (size == 0) continue;
          EXPECT_EQ(Walk(this->store_, this->kKind, scope, NewOptions(order, ascending, size)),
                    expected)
              << "scope " << static_cast<int>(scope.of) << " " << scope.id << ", "
              << OrderBy::Field_Name(order) << (ascending ? " up, " : " down, ") << size;
        }
      }
    }
  }
}

TYPED_TEST(ListOf, WithoutOptionsIsEverythingInIdOrder) {
  for (int i = 0; i < 150; ++i) this->InsertOne();
  for (int i = 0; i < 50; ++i) this->TouchOne();
  for (const ListScope& scope : this->Scopes()) {
    const auto listed = List(this->store_, this->kKind, scope, nullptr);
    ASSERT_TRUE(IsOk(listed));
    EXPECT_EQ(listed->ids, Expected(this->items_, scope, OrderBy::ID, true));
    EXPECT_EQ(listed->token, "");
  }
}

TYPED_TEST(ListOf, UnsetOptionsAreTwentyByIdAscending) {
  for (int i = 0; i < 50; ++i) this->InsertOne();
  const Options options;
  const auto listed = List(this->store_, this->kKind, ListScope::All(), &options);
  ASSERT_TRUE(IsOk(listed));
  Ids expected = Expected(this->items_, ListScope::All(), OrderBy::ID, true);
  expected.resize(20);
  EXPECT_EQ(listed->ids, expected);
  EXPECT_NE(listed->token, "");
}

TYPED_TEST(ListOf, ThePageSizeMayChangeFromPageToPage) {
  for (int i = 0; i < 80; ++i) this->InsertOne();
  for (int i = 0; i < 40; ++i) this->TouchOne();
  for (const ListScope& scope : this->Scopes()) {
    for (OrderBy::Field order : kOrders) {
      Options options = NewOptions(order, false, 1);
      Ids all;
      while (true) {
        options.set_max_result_size(static_cast<int32_t>(this->random_.Between(1, 9)));
        const auto page = List(this->store_, this->kKind, scope, &options);
        ASSERT_TRUE(IsOk(page));
        all.insert(all.end(), page->ids.begin(), page->ids.end());
        if (page->token.empty()) break;
        options.set_next_page_token(page->token);
      }
      EXPECT_EQ(all, Expected(this->items_, scope, order, false));
    }
  }
}

// A size above 100 is no page size: it answers at most 101 nodes, and no token whatever follows.
TYPED_TEST(ListOf, MoreThanAHundredAnswersOneMoreAndNoToken) {
  while (this->items_.size() < 105) this->InsertOne();
  for (OrderBy::Field order : kOrders) {
    for (const ListScope& scope : {ListScope::All(), ListScope::Type(this->types_[1])}) {
      const Ids expected = Expected(this->items_, scope, order, true);
      for (int32_t size : {100, 101, 102, std::numeric_limits<int32_t>::max()}) {
        const Options options = NewOptions(order, true, size);
        const auto listed = List(this->store_, this->kKind, scope, &options);
        ASSERT_TRUE(IsOk(listed));
        const size_t most = size == kMaxPageSize ? 100 : 101;
        EXPECT_EQ(listed->ids.size(), std::min(most, expected.size())) << size;
        EXPECT_TRUE(std::equal(listed->ids.begin(), listed->ids.end(), expected.begin())) << size;
        EXPECT_EQ(listed->token.empty(), size > kMaxPageSize || expected.size() <= most) << size;
      }
    }
  }
}

TYPED_TEST(ListOf, NodesAddedAndUpdatedMeanwhileNeitherSkipNorRepeatInIdOrder) {
  for (int i = 0; i < 60; ++i) this->InsertOne();
  for (const ListScope& scope :
       {ListScope::All(), ListScope::Type(this->types_[1]), ListScope::Context(1)}) {
    for (OrderBy::Field order : {OrderBy::ID, OrderBy::CREATE_TIME}) {
      for (bool ascending : {true, false}) {
        const Ids before = Expected(this->items_, scope, order, ascending);
        Options options = NewOptions(order, ascending, 7);
        Ids all;
        while (true) {
          const auto page = List(this->store_, this->kKind, scope, &options);
          ASSERT_TRUE(IsOk(page));
          all.insert(all.end(), page->ids.begin(), page->ids.end());
          if (page->token.empty()) break;
          options.set_next_page_token(page->token);
          this->InsertOne();
          this->TouchOne();
          this->TouchOne();
        }
        const Ids after = Expected(this->items_, scope, order, ascending);
        if (ascending) {
          // Ends with what has been added; the last page may have come before the last of them.
          EXPECT_LE(before.size(), all.size());
          EXPECT_EQ(all, Ids(after.begin(), after.begin() + static_cast<ptrdiff_t>(all.size())));
        } else {
          EXPECT_EQ(all, before);
        }
      }
    }
  }
}

TYPED_TEST(ListOf, NodesThatStayAsTheyAreComeOnceInTimeOrder) {
  for (int i = 0; i < 80; ++i) this->InsertOne();
  for (const ListScope& scope :
       {ListScope::All(), ListScope::Type(this->types_[1]), ListScope::Context(1)}) {
    for (bool ascending : {true, false}) {
      this->store_.SetClock(this->store_.clock() + 1);
      const int64_t start = this->store_.clock();
      Options options = NewOptions(OrderBy::LAST_UPDATE_TIME, ascending, 7);
      Ids all;
      for (int pages = 0; pages < 1000; ++pages) {
        const auto page = List(this->store_, this->kKind, scope, &options);
        ASSERT_TRUE(IsOk(page));
        all.insert(all.end(), page->ids.begin(), page->ids.end());
        if (page->token.empty()) break;
        options.set_next_page_token(page->token);
        if (pages < 10) this->TouchOne();
      }
      for (const Item& item : this->items_) {
        if (item.update_time >= start || !IsIn(item, scope)) continue;
        EXPECT_EQ(std::count(all.begin(), all.end(), item.id), 1) << item.id;
      }
    }
  }
}

TYPED_TEST(ListOf, AnswersFromMemoryAreTheSameOrNone) {
  for (int i = 0; i < 150; ++i) this->InsertOne();
  for (int i = 0; i < 60; ++i) this->TouchOne();
  this->store_.Reopen();
  int would_block = 0;
  for (const ListScope& scope : this->Scopes()) {
    for (OrderBy::Field order : kOrders) {
      const Options options = NewOptions(order, true, 10);
      // A compaction in the background may take away what a read has just brought into memory.
      for (int i = 0; i < 20; ++i) {
        const auto at_once = List(this->store_, this->kKind, scope, &options, Blocking::kCacheOnly);
        const auto waiting = List(this->store_, this->kKind, scope, &options);
        ASSERT_TRUE(IsOk(waiting));
        if (at_once.ok()) {
          EXPECT_EQ(at_once->ids, waiting->ids);
          EXPECT_EQ(at_once->token, waiting->token);
          break;
        }
        EXPECT_TRUE(IsWouldBlock(at_once.status())) << at_once.status();
        EXPECT_LT(i, 19) << "everything should be in memory by now";
        ++would_block;
      }
    }
  }
  EXPECT_GT(would_block, 0) << "the test never met a cold store";
}

// Few nodes and every option; the store does not matter.
class ListOptions : public testing::Test {
 protected:
  ListOptions() {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(IsOk(Insert(store_, NewNode<Artifact>(1))));
  }

  absl::StatusOr<Listed> ListAll(const Options& options, absl::string_view rpc = "List") {
    return List(store_, NodeKind::kArtifact, ListScope::All(), &options, Blocking::kAllowed, rpc);
  }

  TestStore store_;
};

TEST_F(ListOptions, ThatAreWrongAreInvalid) {
  for (int32_t size : {0, -1, std::numeric_limits<int32_t>::min()}) {
    EXPECT_TRUE(Fails(ListAll(NewOptions(OrderBy::ID, true, size)), StatusCode::kInvalidArgument,
                      "max_result_size"));
  }
  EXPECT_TRUE(Fails(ListAll(NewOptions(OrderBy::FIELD_UNSPECIFIED, true, 5)),
                    StatusCode::kInvalidArgument, "order_by_field"));
  Options unknown_order = NewOptions(OrderBy::ID, true, 5);
  ASSERT_TRUE(unknown_order.mutable_order_by_field()->ParseFromString("\x08\x09"));
  EXPECT_TRUE(Fails(ListAll(unknown_order), StatusCode::kInvalidArgument, "order_by_field"));
  for (const char* token : {"x", "!!!", "AAAA", "AWhKFjHgoFoxgAAAAAAAAAUAAAAAAAAABw"}) {
    Options options = NewOptions(OrderBy::ID, true, 5);
    options.set_next_page_token(token);
    EXPECT_TRUE(Fails(ListAll(options), StatusCode::kInvalidArgument, "next_page_token")) << token;
  }
}

TEST_F(ListOptions, AnEmptyFilterIsNone) {
  Options options = NewOptions(OrderBy::ID, true, 5);
  options.set_filter_query(" ");
  EXPECT_TRUE(Fails(ListAll(options), StatusCode::kInvalidArgument, "filter_query, position 2"));
  options.set_filter_query("");
  EXPECT_TRUE(IsOk(ListAll(options)));
}

TEST_F(ListOptions, ATokenIsGoodForItsListOnly) {
  ASSERT_TRUE(IsOk(Insert(store_, NewNode<Context>(PutType<Context>(store_, "Run"), "run"))));
  const Options first = NewOptions(OrderBy::ID, true, 5);
  Options next = first;
  next.set_next_page_token(ListAll(first)->token);
  EXPECT_TRUE(IsOk(ListAll(next)));
  EXPECT_TRUE(Fails(ListAll(next, "Other"), StatusCode::kInvalidArgument, "another list"));
  for (const ListScope& scope :
       {ListScope::Type(1), ListScope::Type(0), ListScope::Context(1), ListScope::Context(0)}) {
    EXPECT_TRUE(Fails(List(store_, NodeKind::kArtifact, scope, &next), StatusCode::kInvalidArgument,
                      "another list"));
  }
  Options down = next;
  down.mutable_order_by_field()->set_is_asc(false);
  EXPECT_TRUE(Fails(ListAll(down), StatusCode::kInvalidArgument, "another list"));
  Options by_time = next;
  by_time.mutable_order_by_field()->set_field(OrderBy::LAST_UPDATE_TIME);
  EXPECT_TRUE(Fails(ListAll(by_time), StatusCode::kInvalidArgument, "another list"));
  Options larger = next;
  larger.set_max_result_size(9);
  EXPECT_TRUE(IsOk(ListAll(larger)));
  store_.Reopen();
  EXPECT_TRUE(IsOk(ListAll(next))) << "tokens outlive the process";
}

// A token is no secret: whoever changes its place may only read another part of the same list.
std::string Forged(const std::string& token, int64_t time_ms, int64_t id) {
  std::string bytes;
  EXPECT_TRUE(absl::WebSafeBase64Unescape(token, &bytes));
  bytes.resize(9);
  AppendTime(&bytes, time_ms);
  AppendId(&bytes, id);
  return absl::WebSafeBase64Escape(bytes);
}

TEST_F(ListOptions, AForgedPlaceShowsAnotherPartOfTheListOrNothing) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  for (OrderBy::Field order : kOrders) {
    for (bool ascending : {true, false}) {
      const Options first = NewOptions(order, ascending, 5);
      const std::string token = ListAll(first)->token;
      for (int64_t id : {int64_t{0}, int64_t{1}, int64_t{10}, int64_t{11}, kLastId - 1, kLastId}) {
        for (int64_t time_ms : {kLeast, int64_t{0}, TestStore::kStartMs, kLastId}) {
          Options options = first;
          options.set_next_page_token(Forged(token, time_ms, id));
          const auto listed = ListAll(options);
          ASSERT_TRUE(IsOk(listed));
          if (order == OrderBy::LAST_UPDATE_TIME) continue;
          if (ascending && id >= 10) {
            EXPECT_TRUE(listed->ids.empty()) << id;
          }
          if (!ascending && id == 1) {
            EXPECT_TRUE(listed->ids.empty()) << id;
          }
        }
      }
    }
  }
}

// Beyond 4,096 members a list by time no longer sorts all of them but walks the time index.
TEST(LargeList, OfAContextByTimeIsTheModels) {
  constexpr int64_t kMembers = 4200;
  TestStore store;
  Random random;
  ASSERT_EQ(*Insert(store, NewNode<Context>(PutType<Context>(store, "Run"), "run")), 1);
  std::vector<Item> items;
  for (int64_t id = 1; id <= kMembers;) {
    store.SetClock(store.clock() + 1);
    ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) -> absl::Status {
      for (int n = 0; n < 100 && id <= kMembers + 40; ++n, ++id) {
        Artifact artifact = NewNode<Artifact>(1);
        // Some are in no context: the time index has them, the list must not.
        const bool is_member = id % 100 != 0;
        if (auto inserted = transaction.Insert(&artifact, is_member ? Ids({1}) : Ids());
            !inserted.ok()) {
          return inserted.status();
        }
        items.push_back({id, 1, store.clock(), store.clock(), {}});
        if (is_member) items.back().contexts.insert(1);
      }
      return absl::OkStatus();
    })));
  }
  for (int i = 0; i < 200; ++i) {
    if (i % 10 == 0) store.SetClock(store.clock() + 1);
    Item& item = random.OneIn(2) ? items[random.Index(items.size())] : items[random.Index(300)];
    Artifact artifact = *Find<Artifact>(store, item.id);
    artifact.set_uri(absl::StrCat("s3://", i));
    ASSERT_TRUE(IsOk(Update(store, artifact)));
    item.update_time = store.clock();
  }
  for (OrderBy::Field order : kOrders) {
    for (bool ascending : {true, false}) {
      const Ids expected = Expected(items, ListScope::Context(1), order, ascending);
      ASSERT_GT(expected.size(), 4096u);
      EXPECT_EQ(
          Walk(store, NodeKind::kArtifact, ListScope::Context(1), NewOptions(order, ascending, 97)),
          expected)
          << OrderBy::Field_Name(order) << (ascending ? " up" : " down");
    }
  }
}

}  // namespace
}  // namespace pedigree
