// The filter and the lists of ListTasksV1: spellings, comparisons, order, pages.
#include "query/task_list.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "query/task_filter.h"
#include "query/task_page.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;

api::Task NewTask(const std::string& fingerprint, int64_t second,
                  const std::string& name_space = "ns") {
  api::Task task;
  task.set_fingerprint(fingerprint);
  task.set_pipelinename("pipeline/p");
  task.set_namespace_(name_space);
  task.set_runid("run");
  task.set_mlmdexecutionid("17");
  task.mutable_created_at()->set_seconds(second);
  return task;
}

api::Task Insert(TestStore& store, api::Task task) {
  EXPECT_TRUE(IsOk(store->Write(
      [&](Transaction& transaction) { return transaction.InsertTask(&task).status(); })));
  return task;
}

// Tasks of the run "unusable" are not usable.
absl::StatusOr<TaskList> List(TestStore& store, const api::ListTasksRequest& request) {
  absl::StatusOr<TaskList> list;
  absl::Status status = store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    list = ListTasks(reader, request, [](const api::Task& task) -> absl::StatusOr<bool> {
      return task.runid() != "unusable";
    });
    return list.status();
  });
  EXPECT_EQ(status, list.status());
  return list;
}

// The numbers of the tasks of a page, as in "1 2 of 5", with " ..." if another page follows.
std::string Numbers(const absl::StatusOr<TaskList>& list) {
  if (!list.ok()) return std::string(list.status().message());
  std::vector<int64_t> numbers;
  for (const std::string& bytes : list->tasks) {
    api::Task task;
    EXPECT_TRUE(task.ParseFromString(bytes));
    numbers.push_back(NumberOfTaskId(task.id()).value_or(0));
  }
  return absl::StrCat(absl::StrJoin(numbers, " "), " of ", list->total_size,
                      list->next_page_token.empty() ? "" : " ...");
}

api::ListTasksRequest Request(const std::string& filter, const std::string& sort_by = "",
                              int32_t page_size = 0, const std::string& page_token = "") {
  api::ListTasksRequest request;
  request.set_filter(filter);
  request.set_sort_by(sort_by);
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  return request;
}

std::string One(const std::string& predicate) {
  return absl::StrCat("{\"predicates\":[{", predicate, "}]}");
}

// What Kubeflow's cache client asks, as its JSON library writes it on most days.
std::string Lookup(const std::string& fingerprint, const std::string& name_space = "ns") {
  return absl::StrCat(R"({"predicates":[{"op":"EQUALS", "key":"fingerprint", "stringValue":")",
                      fingerprint,
                      R"("}, {"op":"EQUALS", "key":"pipelineName", "stringValue":"pipeline/p"}, )"
                      R"({"op":"EQUALS", "key":"namespace", "stringValue":")",
                      name_space, R"("}]})");
}

TEST(TaskFilterText, TakesEverySpellingOfProtobufsJson) {
  api::Task task = NewTask("c0ffee", 1'700'000'000);
  const std::vector<std::string> matching = {
      "",
      "{}",
      " { \"predicates\" : [ ] } ",
      One(R"("op":"EQUALS","key":"fingerprint","stringValue":"c0ffee")"),
      One(R"("op":1,"key":"fingerprint","string_value":"c0ffee")"),
      One("\n\t\"stringValue\" : \"c0\\u0066fee\" , \"key\" : \"fingerprint\" , \"op\" : "
          "\"EQUALS\" "),
      One(R"("op":"EQUALS","key":"mlmdExecutionID","stringValue":"17")"),
      One(R"("op":"EQUALS","key":"mlmd_execution_id","longValue":"17")"),
      One(R"("op":"EQUALS","key":"execution_id","long_value":17)"),
      One(R"("op":"LESS_THAN","key":"mlmdExecutionID","intValue":100)"),
      One(R"("op":"IN","key":"runId","stringValues":{"values":["x","run"]})"),
      One(R"("op":8,"key":"run_id","string_values":{"values":["run"]})"),
      One(R"("op":"IN","key":"mlmdExecutionID","longValues":{"values":["16","17"]})"),
      One(R"("op":"IN","key":"mlmdExecutionID","intValues":{"values":[17]})"),
      One(R"("op":"IS_SUBSTRING","key":"pipeline_name","stringValue":"LINE/P")"),
      One(R"("op":"EQUALS","key":"created_at","timestampValue":"2023-11-14T22:13:20Z")"),
      One(R"("op":"EQUALS","key":"create_time","timestamp_value":"2023-11-14T23:13:20.5+01:00")"),
      One(R"("op":"GREATER_THAN_EQUALS","key":"created_at","longValue":"1700000000")"),
      One(R"("op":"EQUALS","key":"finished_at","intValue":0)"),
      One(R"("op":"LESS_THAN","key":"end_time","timestampValue":"1980-01-01T00:00:00Z")"),
      One(R"("op":"NOT_EQUALS","key":"namespace","stringValue":"NS")"),
      One(R"("op":"NOT_EQUALS","key":"namespace","intValue":3)"),
      "%7B%22predicates%22%3A%5B%7B%22op%22%3A%22EQUALS%22%2C+%22key%22%3A%22fingerprint%22%2c"
      "%22stringValue%22%3A%22c0ffee%22%7D%5D%7D",
  };
  for (const std::string& text : matching) {
    const auto filter = TaskFilter::Parse(text);
    ASSERT_TRUE(IsOk(filter)) << text;
    EXPECT_TRUE(filter->Matches(task)) << text;
  }
  const std::vector<std::string> others = {
      One(R"("op":"EQUALS","key":"fingerprint","stringValue":"C0FFEE")"),
      One(R"("op":"EQUALS","key":"fingerprint","stringValue":"c0ffee ")"),
      One(R"("op":"EQUALS","key":"fingerprint","longValue":"0")"),
      One(R"("op":"IN","key":"runId","stringValues":{})"),
      One(R"("op":"GREATER_THAN","key":"created_at","timestampValue":"2023-11-14T22:13:20.9Z")"),
      One(R"("op":"EQUALS","key":"id","stringValue":"x")"),
  };
  for (const std::string& text : others) {
    const auto filter = TaskFilter::Parse(text);
    ASSERT_TRUE(IsOk(filter)) << text;
    EXPECT_FALSE(filter->Matches(task)) << text;
  }
}

// Text that is JSON as it is keeps its percent signs; text that is not is unescaped first.
TEST(TaskFilterText, IsUnescapedOnlyIfItMustBe) {
  const auto plain = TaskFilter::Parse(One(R"("op":1,"key":"id","stringValue":"a%20b+c")"));
  ASSERT_TRUE(IsOk(plain));
  EXPECT_EQ(*plain->FixedText(TaskField::kId), "a%20b+c");
  const auto escaped = TaskFilter::Parse(
      "%7b%22predicates%22:[%7b%22op%22:1,%22key%22:%22id%22,%22stringValue%22:%22a%20b+c%22%7d]%"
      "7d");
  ASSERT_TRUE(IsOk(escaped));
  EXPECT_EQ(*escaped->FixedText(TaskField::kId), "a b c");
}

TEST(TaskFilterText, ThatCannotBeReadIsRefused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"x", "not the JSON of an api.Filter"},
      {"{", "not the JSON of an api.Filter"},
      {"[]", "not the JSON of an api.Filter"},
      {"null", "not the JSON of an api.Filter"},
      {"{} {}", "not the JSON of an api.Filter"},
      {"%", "not the JSON of an api.Filter"},
      {"%7", "not the JSON of an api.Filter"},
      {"%zz", "not the JSON of an api.Filter"},
      {"%7B%22predicates%22:%ff%7D", "not the JSON of an api.Filter"},
      {R"({"predicate":[]})", "not the JSON of an api.Filter"},
      {One(R"("op":"EQUAL","key":"id","stringValue":"x")"), "not the JSON of an api.Filter"},
      {One(R"("op":"EQUALS","key":"id","intValue":"x")"), "not the JSON of an api.Filter"},
      {One(R"("op":"EQUALS","key":"created_at","timestampValue":"today")"), "not the JSON"},
      {One(R"("op":"EQUALS","stringValue":"x")"), "has no key"},
      {One(R"("op":"EQUALS","key":"name","stringValue":"x")"), "no field 'name'"},
      {One(R"("op":"EQUALS","key":"id")"), "a value is missing"},
      {One(R"("key":"id","stringValue":"x")"), "op is missing"},
      {One(R"("op":4,"key":"id","stringValue":"x")"), "op is missing, or none"},
      {One(R"("op":99,"key":"id","stringValue":"x")"), "op is missing, or none"},
      {One(R"("op":"IN","key":"id","stringValue":"x")"), "IN takes a list"},
      {One(R"("op":"EQUALS","key":"id","stringValues":{"values":["x"]})"), "only IN takes a list"},
      {One(R"("op":"IS_SUBSTRING","key":"mlmdExecutionID","intValue":1)"), "takes a string"},
      {One(R"("op":"EQUALS","key":"created_at","stringValue":"2023")"), "created_at is a time"},
      {One(R"("op":"EQUALS","key":"runId","timestampValue":"2023-11-14T22:13:20Z")"), "no time"},
  };
  for (const auto& [text, part] : cases) {
    EXPECT_TRUE(Fails(TaskFilter::Parse(text), StatusCode::kInvalidArgument, part)) << text;
  }
}

TEST(TaskFilterText, OfAnySizeAndDepthIsAnsweredOrRefused) {
  EXPECT_TRUE(Fails(TaskFilter::Parse(std::string(1 << 20, '[')), StatusCode::kInvalidArgument));
  EXPECT_TRUE(Fails(TaskFilter::Parse(std::string(100'000, '[')), StatusCode::kInvalidArgument));
  std::string nested;
  for (int i = 0; i < 20'000; ++i) nested += "{\"predicates\":";
  EXPECT_TRUE(Fails(TaskFilter::Parse(nested), StatusCode::kInvalidArgument));
  const auto predicates = [](int count) {
    std::string text = "{\"predicates\":[";
    for (int i = 0; i < count; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", R"({"op":2,"key":"id","intValue":1})");
    }
    return text + "]}";
  };
  const auto many = TaskFilter::Parse(predicates(5'000));
  ASSERT_TRUE(IsOk(many));
  EXPECT_TRUE(many->Matches(NewTask("f", 1)));
  EXPECT_GT(many->cost(), 100);
  EXPECT_TRUE(Fails(TaskFilter::Parse(predicates(10'000)), StatusCode::kInvalidArgument, "bytes"));
}

TEST(ListTasks, OfAnEmptyStoreAndOfWhatIsUnknownIsEmpty) {
  TestStore store;
  EXPECT_EQ(Numbers(List(store, Request(""))), " of 0");
  EXPECT_EQ(Numbers(List(store, Request(Lookup("f"), "created_at desc", 1))), " of 0");
  Insert(store, NewTask("f", 1));
  EXPECT_EQ(Numbers(List(store, Request(Lookup("g"), "created_at desc", 1))), " of 0");
  EXPECT_EQ(Numbers(List(store, Request(Lookup("f", "other"), "created_at desc", 1))), " of 0");
  EXPECT_EQ(Numbers(List(store, Request(One(R"("op":1,"key":"id","stringValue":"x")")))), " of 0");
}

TEST(ListTasks, StandInTheOrderAskedForTiesByInsertion) {
  TestStore store;
  for (int64_t second : {5, 7, 5, 3}) Insert(store, NewTask("f", second));
  for (const std::string& filter : {std::string(), Lookup("f")}) {
    EXPECT_EQ(Numbers(List(store, Request(filter))), "4 1 3 2 of 4") << filter;
    EXPECT_EQ(Numbers(List(store, Request(filter, "created_at"))), "4 1 3 2 of 4") << filter;
    EXPECT_EQ(Numbers(List(store, Request(filter, " CREATED_AT \t ASC "))), "4 1 3 2 of 4");
    EXPECT_EQ(Numbers(List(store, Request(filter, "created_at desc"))), "2 3 1 4 of 4") << filter;
    EXPECT_EQ(Numbers(List(store, Request(filter, "create_time DESC"))), "2 3 1 4 of 4") << filter;
    EXPECT_EQ(Numbers(List(store, Request(filter, "runId desc"))), "4 3 2 1 of 4") << filter;
    EXPECT_EQ(Numbers(List(store, Request(filter, "pipelinename"))), "1 2 3 4 of 4") << filter;
    EXPECT_EQ(Numbers(List(store, Request(filter, "created_at desc", 1))), "2 of 4 ...") << filter;
  }
}

TEST(ListTasks, FindsOneByItsId) {
  TestStore store;
  Insert(store, NewTask("f", 5));
  const api::Task second = Insert(store, NewTask("f", 7));
  const auto by_id = [](std::string id) {
    return Request(One(absl::StrCat(R"("op":1,"key":"task_id","stringValue":")", id, "\"")));
  };
  EXPECT_EQ(Numbers(List(store, by_id(second.id()))), "2 of 1");
  // The same number, by another store.
  EXPECT_EQ(Numbers(List(store, by_id(NewTaskId(2)))), " of 0");
  EXPECT_EQ(Numbers(List(store, by_id(NewTaskId(99)))), " of 0");
}

TEST(ListTasks, LeavesOutWhatIsNotUsableOnlyWhereTheFingerprintIsFixed) {
  TestStore store;
  Insert(store, NewTask("f", 5));
  api::Task unusable = NewTask("f", 7);
  unusable.set_runid("unusable");
  Insert(store, unusable);
  EXPECT_EQ(Numbers(List(store, Request(Lookup("f"), "created_at desc", 1))), "1 of 1");
  EXPECT_EQ(Numbers(List(store, Request(One(R"("op":1,"key":"fingerprint","stringValue":"f")")))),
            "1 of 1");
  EXPECT_EQ(Numbers(List(store, Request(""))), "1 2 of 2");
  EXPECT_EQ(Numbers(List(store, Request(One(R"("op":1,"key":"namespace","stringValue":"ns")")))),
            "1 2 of 2");
}

TEST(ListTasks, OfANamespaceByItsReference) {
  TestStore store;
  Insert(store, NewTask("f", 5));
  Insert(store, NewTask("f", 5, "other"));
  api::ListTasksRequest request;
  request.mutable_resource_reference_key()->set_type(api::NAMESPACE);
  EXPECT_EQ(Numbers(List(store, request)), "1 2 of 2");
  request.mutable_resource_reference_key()->set_id("other");
  EXPECT_EQ(Numbers(List(store, request)), "2 of 1");
  request.set_filter(Lookup("f"));
  EXPECT_EQ(Numbers(List(store, request)), " of 0");
  request.set_filter(Lookup("f", "other"));
  EXPECT_EQ(Numbers(List(store, request)), "2 of 1");
  for (api::ResourceType type : {api::EXPERIMENT, api::JOB, api::PIPELINE_VERSION}) {
    api::ListTasksRequest other;
    other.mutable_resource_reference_key()->set_type(type);
    other.mutable_resource_reference_key()->set_id("x");
    EXPECT_EQ(Numbers(List(store, other)), "1 2 of 2");
  }
  for (int type : {0, 3, 99}) {
    api::ListTasksRequest other;
    other.mutable_resource_reference_key()->set_type(static_cast<api::ResourceType>(type));
    EXPECT_TRUE(Fails(List(store, other), StatusCode::kInvalidArgument, "NAMESPACE"));
  }
}

TEST(ListTasks, PageSizesHaveADefaultAndALimit) {
  TestStore store;
  for (int i = 0; i < 250; ++i) Insert(store, NewTask("f", i));
  EXPECT_EQ(List(store, Request(""))->tasks.size(), 20u);
  EXPECT_EQ(List(store, Request("", "", 7))->tasks.size(), 7u);
  EXPECT_EQ(List(store, Request("", "", 1'000))->tasks.size(), 200u);
  EXPECT_EQ(List(store, Request("", "", 1'000))->total_size, 250);
  EXPECT_TRUE(Fails(List(store, Request("", "", -1)), StatusCode::kInvalidArgument, "page_size"));
  // Counting ends where it would be most of the work.
  EXPECT_EQ(List(store, Request(Lookup("f"), "created_at desc", 1))->total_size, kMostCountedTasks);
  EXPECT_EQ(List(store, Request(Lookup("f"), "created_at desc", 200))->total_size, 201);
}

// A reader that must not block gives up after 2,000 keys.
TEST(ListTasks, LooksAtFewKeysForAFingerprintHoweverManyTasksThereAre) {
  TestStore store;
  ASSERT_TRUE(IsOk(store->Write([](Transaction& transaction) {
    absl::Status status;
    for (int i = 0; i < 5'000; ++i) {
      api::Task task = NewTask(i % 2 == 0 ? "hot" : absl::StrCat("f", i), i);
      status.Update(transaction.InsertTask(&task).status());
    }
    return status;
  })));
  const auto list_from_memory = [&](const api::ListTasksRequest& request) {
    absl::StatusOr<TaskList> list;
    store
        ->Read(Blocking::kCacheOnly,
               [&](const Reader& reader) {
                 list = ListTasks(reader, request,
                                  [](const api::Task&) -> absl::StatusOr<bool> { return true; });
                 return list.status();
               })
        .IgnoreError();
    return list;
  };
  EXPECT_EQ(Numbers(list_from_memory(Request(Lookup("f4711"), "created_at desc", 1))), "4712 of 1");
  EXPECT_EQ(Numbers(list_from_memory(Request(Lookup("hot"), "created_at desc", 1))),
            "4999 of 200 ...");
  EXPECT_EQ(Numbers(list_from_memory(Request(Lookup("hot"), "created_at", 1))), "1 of 200 ...");
  EXPECT_TRUE(IsWouldBlock(list_from_memory(Request("")).status()));
}

TEST(ListTasks, OrdersThatCannotBeReadAreRefused) {
  TestStore store;
  for (const char* order : {"name", "created_at up", "desc", "created_at desc desc", "id,runId"}) {
    EXPECT_TRUE(Fails(List(store, Request("", order)), StatusCode::kInvalidArgument, "sort_by"))
        << order;
  }
}

TEST(ListTasks, TokensGoOnWithOrWithoutTheRestOfTheRequest) {
  TestStore store;
  for (int i = 0; i < 5; ++i) Insert(store, NewTask("f", i));
  Insert(store, NewTask("g", 2));
  const std::string same_in_other_words =
      absl::StrCat("{ \"predicates\" :", Lookup("f").substr(Lookup("f").find('[')));
  const std::string token =
      List(store, Request(Lookup("f"), "created_at desc", 2))->next_page_token;
  for (const auto& request :
       {Request("", "", 2, token), Request(Lookup("f"), "created_at desc", 2, token),
        Request(same_in_other_words, "create_time DESC", 2, token)}) {
    EXPECT_EQ(Numbers(List(store, request)), "3 2 of 5 ...") << request.DebugString();
  }
  EXPECT_EQ(Numbers(List(store, Request("", "", 3, token))), "3 2 1 of 5");
  store.Reopen();
  EXPECT_EQ(Numbers(List(store, Request("", "", 1, token))), "3 of 5 ...");
}

TEST(ListTasks, TokensOfAnotherListAndMadeUpOnesAreRefused) {
  TestStore store;
  for (int i = 0; i < 5; ++i) Insert(store, NewTask("f", i));
  api::ListTasksRequest scoped = Request("", "", 2);
  scoped.mutable_resource_reference_key()->set_type(api::NAMESPACE);
  scoped.mutable_resource_reference_key()->set_id("ns");
  const std::string token = List(store, scoped)->next_page_token;
  EXPECT_EQ(Numbers(List(store, Request("", "", 2, token))), "3 4 of 5 ...");
  scoped.set_page_token(token);
  EXPECT_EQ(Numbers(List(store, scoped)), "3 4 of 5 ...");
  scoped.mutable_resource_reference_key()->set_id("other");
  for (const auto& request :
       {scoped, Request("", "created_at desc", 2, token), Request(Lookup("f"), "", 2, token)}) {
    EXPECT_TRUE(Fails(List(store, request), StatusCode::kInvalidArgument, "another list"));
  }
  for (size_t size = 1; size < token.size(); ++size) {
    const auto list = List(store, Request("", "", 2, token.substr(0, size)));
    EXPECT_TRUE(list.ok() || list.status().code() == StatusCode::kInvalidArgument) << size;
  }
  for (const char* bad : {"x", "AAAA", "%%%", "AQ"}) {
    EXPECT_TRUE(Fails(List(store, Request("", "", 2, bad)), StatusCode::kInvalidArgument,
                      "not one that this server made"));
  }
}

}  // namespace
}  // namespace pedigree
