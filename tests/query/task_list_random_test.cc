// Random filters, orders and pages over random tasks: what is listed is what a plain evaluation of
// the filter's definition finds, and pages neither skip nor repeat a task while others are added.
//
// PEDIGREE_TEST_SEED=<seed> repeats a run.
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "api/filter.pb.h"
#include "query/task_list.h"
#include "query/task_page.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using api::Predicate;

const std::vector<std::string>& Texts() {
  static const auto* const texts =
      new std::vector<std::string>{"", "a", "A", "ab", "b", "7", "-3", "07", "é"};
  return *texts;
}

const std::vector<std::string>& Keys() {
  static const auto* const keys = new std::vector<std::string>{
      "id",       "task_id",      "namespace",         "pipelineName", "pipeline_name",
      "runId",    "run_id",       "mlmdExecutionID",   "created_at",   "create_time",
      "end_time", "execution_id", "mlmd_execution_id", "finished_at",  "fingerprint"};
  return *keys;
}

// Mostly one of two, so that a look-up finds several pages.
const std::string& LabelText(Random& random) {
  return random.OneIn(8) ? random.Pick(Texts()) : Texts()[1 + random.Index(2)];
}

api::Task RandomTask(Random& random) {
  api::Task task;
  task.set_fingerprint(LabelText(random));
  task.set_pipelinename(LabelText(random));
  task.set_namespace_(LabelText(random));
  task.set_runid(random.OneIn(4) ? "unusable" : random.Pick(Texts()));
  task.set_mlmdexecutionid(absl::StrCat(random.Between(-3, 12)));
  task.mutable_created_at()->set_seconds(random.Between(-2, 8));
  if (random.OneIn(2)) task.mutable_finished_at()->set_seconds(random.Between(-2, 8));
  return task;
}

bool IsTimeKey(const std::string& key) {
  return key == "created_at" || key == "create_time" || key == "end_time" || key == "finished_at";
}

std::string AnyText(Random& random, const std::vector<api::Task>& tasks) {
  if (!random.OneIn(6) || tasks.empty()) return random.Pick(Texts());
  return random.Pick(tasks).id();
}

Predicate RandomPredicate(Random& random, const std::vector<api::Task>& tasks) {
  Predicate predicate;
  predicate.set_key(random.Pick(Keys()));
  const bool is_time = IsTimeKey(predicate.key());
  static const std::vector<Predicate::Op> kOps = {
      Predicate::EQUALS,    Predicate::EQUALS,           Predicate::NOT_EQUALS,
      Predicate::LESS_THAN, Predicate::LESS_THAN_EQUALS, Predicate::GREATER_THAN,
      Predicate::IN,        Predicate::IS_SUBSTRING,     Predicate::GREATER_THAN_EQUALS};
  predicate.set_op(random.Pick(kOps));
  if (predicate.op() == Predicate::IS_SUBSTRING && is_time) predicate.set_op(Predicate::EQUALS);
  if (predicate.op() == Predicate::IS_SUBSTRING) {
    predicate.set_string_value(AnyText(random, tasks));
  } else if (predicate.op() == Predicate::IN) {
    const int64_t count = random.Between(0, 3);
    const int64_t kind = random.Between(is_time ? 1 : 0, 2);
    if (kind == 0) predicate.mutable_string_values();
    if (kind == 1) predicate.mutable_int_values();
    if (kind == 2) predicate.mutable_long_values();
    for (int64_t i = 0; i < count; ++i) {
      if (kind == 0) predicate.mutable_string_values()->add_values(AnyText(random, tasks));
      const int64_t number = random.Between(-3, 12);
      if (kind == 1) predicate.mutable_int_values()->add_values(static_cast<int32_t>(number));
      if (kind == 2) predicate.mutable_long_values()->add_values(number);
    }
  } else if (is_time && random.OneIn(2)) {
    predicate.mutable_timestamp_value()->set_seconds(random.Between(-2, 8));
    if (random.OneIn(2)) predicate.mutable_timestamp_value()->set_nanos(500'000'000);
  } else if (is_time || random.OneIn(4)) {
    random.OneIn(2) ? predicate.set_int_value(static_cast<int32_t>(random.Between(-3, 12)))
                    : predicate.set_long_value(random.Between(-3, 12));
  } else {
    predicate.set_string_value(AnyText(random, tasks));
  }
  return predicate;
}

// What the driver asks is asked often.
api::Filter RandomFilter(Random& random, const std::vector<api::Task>& tasks) {
  api::Filter filter;
  const bool is_lookup = random.OneIn(3);
  for (const char* key : {"fingerprint", "pipelineName", "namespace"}) {
    if (!is_lookup && random.OneIn(2)) continue;
    Predicate* predicate = filter.add_predicates();
    predicate->set_op(Predicate::EQUALS);
    predicate->set_key(key);
    predicate->set_string_value(LabelText(random));
  }
  while (random.OneIn(3)) *filter.add_predicates() = RandomPredicate(random, tasks);
  return filter;
}

std::string Spelled(Random& random, const api::Filter& filter) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = random.OneIn(2);
  options.preserve_proto_field_names = random.OneIn(2);
  options.always_print_enums_as_ints = random.OneIn(2);
  options.always_print_primitive_fields = random.OneIn(2);
  std::string text;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(filter, &text, options).ok());
  if (!random.OneIn(4)) return text;
  std::string escaped;
  for (char c : text) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (is_plain && !random.OneIn(9)) {
      escaped.push_back(c);
    } else if (c == ' ' && random.OneIn(2)) {
      escaped.push_back('+');
    } else {
      absl::StrAppend(&escaped, "%", absl::BytesToHexString(std::string(1, c)));
    }
  }
  return escaped;
}

// The oracle. Values are texts and numbers, whichever a thing has.
struct Value {
  std::string text;
  std::optional<int64_t> number;
};

Value ValueOf(const api::Task& task, const std::string& key) {
  if (key == "created_at" || key == "create_time") return {"", task.created_at().seconds()};
  if (key == "finished_at" || key == "end_time") return {"", task.finished_at().seconds()};
  std::string text;
  if (key == "id" || key == "task_id") text = task.id();
  if (key == "namespace") text = task.namespace_();
  if (key == "pipelineName" || key == "pipeline_name") text = task.pipelinename();
  if (key == "runId" || key == "run_id") text = task.runid();
  if (key == "fingerprint") text = task.fingerprint();
  if (key == "execution_id" || key == "mlmdExecutionID" || key == "mlmd_execution_id") {
    text = task.mlmdexecutionid();
  }
  const size_t sign = !text.empty() && text[0] == '-' ? 1 : 0;
  const bool is_number = text.size() > sign && text.size() < 10 &&
                         std::all_of(text.begin() + static_cast<ptrdiff_t>(sign), text.end(),
                                     [](unsigned char c) { return std::isdigit(c) != 0; });
  return {text, is_number ? std::make_optional<int64_t>(std::stoll(text)) : std::nullopt};
}

template <class T>
bool OrderHolds(Predicate::Op op, const T& have, const T& want) {
  switch (op) {
    case Predicate::NOT_EQUALS:
      return have != want;
    case Predicate::LESS_THAN:
      return have < want;
    case Predicate::LESS_THAN_EQUALS:
      return have <= want;
    case Predicate::GREATER_THAN:
      return have > want;
    case Predicate::GREATER_THAN_EQUALS:
      return have >= want;
    default:
      return have == want;
  }
}

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

bool Holds(const Predicate& predicate, const api::Task& task) {
  const Value have = ValueOf(task, predicate.key());
  const auto with_number = [&](int64_t want) {
    if (!have.number.has_value()) return predicate.op() == Predicate::NOT_EQUALS;
    return OrderHolds(predicate.op(), *have.number, want);
  };
  if (predicate.op() == Predicate::IS_SUBSTRING) {
    return Lower(have.text).find(Lower(predicate.string_value())) != std::string::npos;
  }
  bool any = false;
  for (const std::string& want : predicate.string_values().values()) any |= have.text == want;
  for (int64_t want : predicate.int_values().values()) any |= have.number == want;
  for (int64_t want : predicate.long_values().values()) any |= have.number == want;
  if (predicate.op() == Predicate::IN) return any;
  if (predicate.has_timestamp_value()) return with_number(predicate.timestamp_value().seconds());
  if (predicate.has_int_value()) return with_number(predicate.int_value());
  if (predicate.has_long_value()) return with_number(predicate.long_value());
  return OrderHolds(predicate.op(), have.text, predicate.string_value());
}

bool IsListed(const api::Filter& filter, const std::string& scope, const api::Task& task) {
  bool is_lookup = false;
  for (const Predicate& predicate : filter.predicates()) {
    if (!Holds(predicate, task)) return false;
    is_lookup |= predicate.key() == "fingerprint" && predicate.op() == Predicate::EQUALS &&
                 predicate.has_string_value();
  }
  if (is_lookup && task.runid() == "unusable") return false;
  return scope.empty() || task.namespace_() == scope;
}

class RandomTasks : public ::testing::Test {
 protected:
  void Insert() {
    api::Task task = RandomTask(random_);
    ASSERT_TRUE(IsOk((*store_)->Write(
        [&](Transaction& transaction) { return transaction.InsertTask(&task).status(); })));
    tasks_.push_back(task);
  }

  TaskList List(const api::ListTasksRequest& request) {
    TaskList found;
    EXPECT_TRUE(IsOk((*store_)->Read(Blocking::kAllowed, [&](const Reader& reader) {
      auto list = ListTasks(reader, request, [](const api::Task& task) -> absl::StatusOr<bool> {
        return task.runid() != "unusable";
      });
      if (list.ok()) found = *list;
      return list.status();
    }))) << request.DebugString();
    return found;
  }

  // Reads all pages of a random request, while tasks are added between them.
  void CheckOne() {
    const api::Filter filter = RandomFilter(random_, tasks_);
    const std::string key = random_.OneIn(2) ? "created_at" : random_.Pick(Keys());
    const bool is_descending = random_.OneIn(2);
    const std::string scope = random_.OneIn(6) ? random_.Pick(Texts()) : "";
    api::ListTasksRequest request;
    request.set_filter(Spelled(random_, filter));
    if (key != "created_at" || is_descending || random_.OneIn(2)) {
      request.set_sort_by(absl::StrCat(key, is_descending ? " desc" : ""));
    }
    if (!scope.empty()) {
      request.mutable_resource_reference_key()->set_type(api::NAMESPACE);
      request.mutable_resource_reference_key()->set_id(scope);
    }
    SCOPED_TRACE(request.DebugString());
    const auto is_before = [&](const api::Task& a, const api::Task& b) {
      const auto place = [&](const api::Task& task) {
        const Value value = ValueOf(task, key);
        return std::make_tuple(IsTimeKey(key) ? *value.number : 0, value.text,
                               *NumberOfTaskId(task.id()));
      };
      return is_descending ? place(b) < place(a) : place(a) < place(b);
    };
    const size_t before = tasks_.size();
    std::vector<api::Task> found;
    do {
      request.set_page_size(static_cast<int32_t>(random_.Between(1, 9)));
      const TaskList page = List(request);
      EXPECT_LE(page.tasks.size(), static_cast<size_t>(request.page_size()));
      EXPECT_EQ(page.total_size, std::count_if(tasks_.begin(), tasks_.end(), [&](const auto& task) {
                  return IsListed(filter, scope, task);
                }));
      for (const std::string& bytes : page.tasks) {
        ASSERT_TRUE(found.emplace_back().ParseFromString(bytes));
      }
      request.set_page_token(page.next_page_token);
      if (random_.OneIn(3)) request.clear_filter();
      if (request.filter().empty()) request.clear_sort_by();
      if (random_.OneIn(2)) Insert();
    } while (!request.page_token().empty());
    ExpectWhole(filter, scope, before, is_before, found);
  }

  template <class IsBefore>
  void ExpectWhole(const api::Filter& filter, const std::string& scope, size_t before,
                   const IsBefore& is_before, const std::vector<api::Task>& found) {
    std::set<std::string> ids;
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_TRUE(i == 0 || is_before(found[i - 1], found[i])) << i;
      EXPECT_TRUE(IsListed(filter, scope, found[i])) << found[i].DebugString();
      ids.insert(found[i].id());
    }
    for (size_t i = 0; i < before; ++i) {
      if (!IsListed(filter, scope, tasks_[i])) continue;
      EXPECT_TRUE(ids.contains(tasks_[i].id())) << tasks_[i].DebugString();
      ++expected_;
    }
  }

  Random random_;
  std::unique_ptr<TestStore> store_ = std::make_unique<TestStore>();
  std::vector<api::Task> tasks_;  // As they are stored, by number.
  size_t expected_ = 0;
};

TEST_F(RandomTasks, AreListedAsTheirDefinitionSays) {
  constexpr int kRounds = 3'000;
  for (int i = 0; i < 100; ++i) Insert();
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    CheckOne();
    // A list judges all tasks; keep them few.
    if (tasks_.size() > 500) {
      store_ = std::make_unique<TestStore>();
      tasks_.clear();
      for (int i = 0; i < 100; ++i) Insert();
    }
  }
  EXPECT_GT(expected_, static_cast<size_t>(kRounds)) << "most lists are empty";
  EXPECT_EQ(Problems(*store_), "");
}

}  // namespace
}  // namespace pedigree
