// Random filters over random small stores: what the product lists is what the oracle finds.
//
// PEDIGREE_TEST_SEED=<seed of a store> begins with that store; FILTER_RANDOM_QUERIES=<number> asks
// that many queries.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "query/filter_attributes.h"
#include "query/list.h"
#include "tests/query/filter_oracle.h"
#include "tests/query/planned_filter.h"
#include "tests/query/random_filter.h"
#include "tests/query/random_store.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using Ids = std::vector<int64_t>;
using Options = ml_metadata::ListOperationOptions;
using OrderBy = Options::OrderByField;
using Strings = std::vector<std::string>;

// Where nothing is optimised or everything is checked, a query takes ten times as long.
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int64_t kDefaultQueries = 100'000;
#else
constexpr int64_t kDefaultQueries = 10'000;
#endif
constexpr int64_t kQueriesPerStore = 500;
constexpr int kMostDifferences = 3;

int64_t QueriesOfThisRun() {
  const char* given = std::getenv("FILTER_RANDOM_QUERIES");
  return given == nullptr ? kDefaultQueries : std::strtoll(given, nullptr, 10);
}

// One question.
struct Question {
  NodeKind kind = NodeKind::kArtifact;
  std::string filter;
  ListScope scope;
  OrderBy::Field order = OrderBy::ID;
  bool is_ascending = true;

  std::string ToString() const {
    static constexpr const char* kScopes[] = {"all", "of type ", "of context "};
    return absl::StrCat(NameOf(kind), "s, ", kScopes[static_cast<size_t>(scope.of)],
                        scope.of == ListScope::Of::kAll ? "" : absl::StrCat(scope.id), ", by ",
                        OrderBy::Field_Name(order), is_ascending ? " up: " : " down: ", filter);
  }
};

bool IsIn(const OracleNode& node, ListScope scope) {
  if (scope.of == ListScope::Of::kAll) return true;
  if (scope.of == ListScope::Of::kType) return node.type_id == scope.id;
  return node.contexts.count(scope.id) > 0;
}

// The whole list by its definition; nullopt if the oracle will not.
std::optional<Ids> Expected(const OracleModel& model, const Question& question,
                            const FilterOracle& oracle) {
  std::vector<std::pair<int64_t, int64_t>> places;
  for (const auto& [id, node] : model.Of(question.kind)) {
    if (!IsIn(node, question.scope)) continue;
    const FilterOracle::Answer answer = oracle.Matches(model, question.kind, id);
    if (answer == FilterOracle::Answer::kTooMuch) return std::nullopt;
    if (answer == FilterOracle::Answer::kNo) continue;
    const int64_t key = question.order == OrderBy::ID            ? 0
                        : question.order == OrderBy::CREATE_TIME ? node.create_time
                                                                 : node.last_update_time;
    places.emplace_back(key, id);
  }
  std::sort(places.begin(), places.end());
  if (!question.is_ascending) std::reverse(places.begin(), places.end());
  Ids ids;
  for (const auto& place : places) ids.push_back(place.second);
  return ids;
}

class FilterRandom : public testing::Test {
 protected:
  struct Counts {
    int64_t queries = 0;
    int64_t rows = 0;
    int64_t with_rows = 0;
    int64_t skipped = 0;
    int64_t with_writes = 0;
    int64_t from_memory = 0;
    int64_t stores = 0;
    int64_t indexes_built = 0;
    int64_t indexes_dropped = 0;
  };

  void AskOneStore(uint64_t seed, int64_t queries) {
    Random random(seed);
    random_ = &random;
    RandomStore store(&random);
    store_ = &store;
    ++counts_.stores;
    for (; queries > 0 && differences_ < kMostDifferences; --queries) {
      if (random.OneIn(8)) store.ChangeSomething();
      if (random.OneIn(3)) store.ChangeIndexes();
      if (random.OneIn(5000)) store.store().Reopen();
      ASSERT_FALSE(HasFatalFailure());
      AskOne(RandomQuestion(), seed);
    }
    counts_.indexes_built += store.indexes_built();
    counts_.indexes_dropped += store.indexes_dropped();
    if (random.OneIn(20)) {
      EXPECT_EQ(Problems(store.store()), "");
    }
  }

  Question RandomQuestion() {
    Random& random = *random_;
    Question question;
    question.kind = kNodeKinds[random.Index(3)];
    const FilterVocabulary vocabulary = Vocabulary();
    if (random.OneIn(3)) {
      question.filter =
          RandomFilters(question.kind, vocabulary, &random).Make(static_cast<int>(random.Index(4)));
    } else {
      question.filter = PlannedFilters(question.kind, store_->model(), vocabulary, &random).Make();
    }
    if (random.OneIn(4)) {
      question.scope = ListScope::Type(random.Pick(store_->types(question.kind)).id);
    } else if (random.OneIn(4)) {
      const size_t contexts = store_->model().Of(NodeKind::kContext).size();
      question.scope = ListScope::Context(1 + static_cast<int64_t>(random.Index(contexts + 1)));
    }
    constexpr OrderBy::Field kOrders[] = {OrderBy::ID, OrderBy::CREATE_TIME,
                                          OrderBy::LAST_UPDATE_TIME};
    question.order = kOrders[random.Index(3)];
    question.is_ascending = random.OneIn(2);
    return question;
  }

  FilterVocabulary Vocabulary() const {
    FilterVocabulary vocabulary;
    vocabulary.properties = RandomStore::PropertyNames();
    vocabulary.strings = store_->texts();
    for (const NodeKind kind : kNodeKinds) {
      for (const TypeOfNodes& type : store_->types(kind)) vocabulary.strings.push_back(type.name);
    }
    vocabulary.patterns = {"%", "_", "a%", "run%", "%x", "%\\%", "ü%", "_b", "", "%a%", "xxx%"};
    vocabulary.ints = {0,         1,        2, 3, 4, 5, 8, 13, 10, 11, 15, -1, int64_t{1} << 53,
                       INT64_MAX, INT64_MIN};
    for (int64_t i = 0; i < 4; ++i) vocabulary.ints.push_back(TestStore::kStartMs + 5 * i);
    vocabulary.doubles = RandomStore::Doubles();
    return vocabulary;
  }

  void AskOne(const Question& question, uint64_t seed) {
    ++counts_.queries;
    const auto oracle = FilterOracle::Parse(question.filter);
    ASSERT_TRUE(oracle.has_value()) << "the oracle cannot read " << question.filter;
    const auto expected = Expected(store_->model(), question, *oracle);
    if (!expected.has_value()) {
      ++counts_.skipped;
      return;
    }
    counts_.rows += static_cast<int64_t>(expected->size());
    counts_.with_rows += expected->empty() ? 0 : 1;
    if (random_->OneIn(20)) {
      ++counts_.with_writes;
      WalkWithWrites(question, *oracle);
      return;
    }
    const absl::StatusOr<Ids> walked = Walk(question);
    if (walked.ok() && *walked == *expected) return;
    ++differences_;
    ADD_FAILURE() << "store seed " << seed << ", query " << counts_.queries << "\n"
                  << Difference(question) << "\nfirst seen as\n"
                  << question.ToString();
  }

  struct Page {
    Ids ids;
    std::string token;
  };

  absl::StatusOr<Page> ReadPage(const Question& question, const Options& options,
                                Blocking blocking) {
    Page page;
    const ListQuery query = {"List", question.kind, question.scope, &options};
    absl::Status status =
        store_->store()->Read(blocking, [&](const Reader& reader) -> absl::Status {
          auto token = ListNodes(reader, query, [&](int64_t id, const RecordView& record) {
            EXPECT_EQ(PeekNode(question.kind, record.message())->id, id);
            page.ids.push_back(id);
          });
          if (token.ok()) page.token = *token;
          return token.status();
        });
    if (!status.ok()) return status;
    return page;
  }

  // As a server does it: first from memory, and if that fails once more.
  absl::StatusOr<Page> ReadPage(const Question& question, const Options& options) {
    if (random_->OneIn(3)) {
      auto page = ReadPage(question, options, Blocking::kCacheOnly);
      if (page.ok()) ++counts_.from_memory;
      if (page.ok() || !IsWouldBlock(page.status())) return page;
    }
    return ReadPage(question, options, Blocking::kAllowed);
  }

  Options OptionsOf(const Question& question) {
    Options options;
    options.set_filter_query(question.filter);
    options.mutable_order_by_field()->set_field(question.order);
    options.mutable_order_by_field()->set_is_asc(question.is_ascending);
    return options;
  }

  int32_t RandomPageSize() {
    static const auto* const sizes =
        new std::vector<int32_t>{1, 2, 3, 7, 20, 100, static_cast<int32_t>(kMaxPageSize)};
    return random_->Pick(*sizes);
  }

  // All pages.
  absl::StatusOr<Ids> Walk(const Question& question) {
    Options options = OptionsOf(question);
    const int32_t size = RandomPageSize();
    Ids all;
    while (true) {
      options.set_max_result_size(random_->OneIn(10) ? RandomPageSize() : size);
      const auto page = ReadPage(question, options);
      if (!page.ok()) return page.status();
      all.insert(all.end(), page->ids.begin(), page->ids.end());
      if (page->token.empty()) return all;
      if (page->ids.size() != static_cast<size_t>(options.max_result_size())) {
        return absl::InternalError(absl::StrCat("a page of ", page->ids.size(), " of at most ",
                                                options.max_result_size(), " with a token"));
      }
      options.set_next_page_token(page->token);
      // The list stays what it is, however it is found.
      if (random_->OneIn(10)) store_->ChangeIndexes();
    }
  }

  // What matches before every page and stays in its place comes exactly once, and a page has
  // nothing but what matches.
  void WalkWithWrites(const Question& question, const FilterOracle& oracle) {
    Options options = OptionsOf(question);
    const OracleModel::Nodes before = store_->model().Of(question.kind);
    std::optional<Ids> expected = Expected(store_->model(), question, oracle);
    std::set<int64_t> stayed(expected->begin(), expected->end());
    Ids all;
    for (int pages = 0; expected.has_value(); ++pages) {
      const std::set<int64_t> matching(expected->begin(), expected->end());
      for (auto it = stayed.begin(); it != stayed.end();) {
        const OracleNode& node = store_->model().Of(question.kind).at(*it);
        const bool moved = question.order == OrderBy::LAST_UPDATE_TIME &&
                           node.last_update_time != before.at(*it).last_update_time;
        it = moved || matching.count(*it) == 0 ? stayed.erase(it) : std::next(it);
      }
      options.set_max_result_size(static_cast<int32_t>(random_->Between(1, 4)));
      const auto page = ReadPage(question, options);
      ASSERT_TRUE(IsOk(page)) << question.ToString();
      for (const int64_t id : page->ids) {
        EXPECT_EQ(matching.count(id), 1u) << id << " in " << question.ToString();
      }
      all.insert(all.end(), page->ids.begin(), page->ids.end());
      if (page->token.empty()) break;
      options.set_next_page_token(page->token);
      // Finitely often: in ascending order the list may go on as long as there are writes.
      if (pages < 10) store_->ChangeSomething();
      if (random_->OneIn(3)) store_->ChangeIndexes();
      expected = Expected(store_->model(), question, oracle);
    }
    if (!expected.has_value()) return;
    for (const int64_t id : stayed) {
      EXPECT_EQ(std::count(all.begin(), all.end(), id), 1) << id << " in " << question.ToString();
    }
    if (HasFailure()) differences_ = kMostDifferences;
  }

  // The question made as short as it still makes the difference, and both answers.
  std::string Difference(Question question) {
    const auto differs = [&](const Question& other) {
      const auto oracle = FilterOracle::Parse(other.filter);
      if (!oracle.has_value()) return false;
      const auto expected = Expected(store_->model(), other, *oracle);
      if (!expected.has_value()) return false;
      const auto walked = Walk(other);
      if (!walked.ok() && walked.status().code() == absl::StatusCode::kInvalidArgument) {
        return other.filter == question.filter;
      }
      return !walked.ok() || *walked != *expected;
    };
    bool is_simpler = true;
    while (is_simpler) {
      is_simpler = false;
      for (const std::string& filter : FilterOracle::Parse(question.filter)->Simpler()) {
        Question simpler = question;
        simpler.filter = filter;
        if (!differs(simpler)) continue;
        question = simpler;
        is_simpler = true;
        break;
      }
    }
    for (Question simpler : {question, question}) {
      simpler.scope = ListScope::All();
      simpler.order = OrderBy::ID;
      simpler.is_ascending = true;
      if (differs(simpler)) question = simpler;
    }
    const auto walked = Walk(question);
    const auto expected =
        Expected(store_->model(), question, *FilterOracle::Parse(question.filter));
    std::string text = absl::StrCat(
        absl::CHexEscape(question.ToString()),
        "\nproduct: ", walked.ok() ? absl::StrJoin(*walked, " ") : walked.status().ToString(),
        "\noracle:  ", absl::StrJoin(*expected, " "));
    std::set<int64_t> seen;
    const Ids listed = walked.ok() ? *walked : Ids();
    for (const Ids& ids : {listed, *expected}) {
      for (const int64_t id : ids) {
        const bool in_both = std::count(listed.begin(), listed.end(), id) ==
                             std::count(expected->begin(), expected->end(), id);
        if (!in_both && seen.insert(id).second && seen.size() <= 2) {
          absl::StrAppend(&text, "\n", Describe(question.kind, id));
        }
      }
    }
    return text;
  }

  std::string Describe(NodeKind kind, int64_t id) {
    const OracleNode& node = store_->model().Of(kind).at(id);
    std::string text;
    const auto print = [&](const auto& found) {
      if (found.has_value()) text = found->ShortDebugString();
    };
    if (kind == NodeKind::kArtifact) print(Find<Artifact>(store_->store(), id));
    if (kind == NodeKind::kExecution) print(Find<Execution>(store_->store(), id));
    if (kind == NodeKind::kContext) print(Find<Context>(store_->store(), id));
    absl::StrAppend(&text, " type '", node.type, "', contexts ", absl::StrJoin(node.contexts, " "));
    for (const Event& event : store_->model().events) {
      if ((kind == NodeKind::kArtifact && event.artifact_id() == id) ||
          (kind == NodeKind::kExecution && event.execution_id() == id)) {
        absl::StrAppend(&text, ", event ", event.ShortDebugString());
      }
    }
    return text;
  }

  Counts counts_;
  int differences_ = 0;
  Random* random_ = nullptr;
  RandomStore* store_ = nullptr;
};

TEST_F(FilterRandom, ListsAreTheOracles) {
  const uint64_t seed = Random().seed();
  const int64_t queries = QueriesOfThisRun();
  while (counts_.queries < queries && !HasFatalFailure() && differences_ < kMostDifferences) {
    AskOneStore(seed + static_cast<uint64_t>(counts_.stores),
                std::min(kQueriesPerStore, queries - counts_.queries));
  }
  std::cout << counts_.queries << " queries over " << counts_.stores << " stores: " << counts_.rows
            << " rows, " << counts_.with_rows << " queries with a row, " << counts_.skipped
            << " skipped, " << counts_.with_writes << " with writes between, "
            << counts_.from_memory << " pages from memory, " << counts_.indexes_built
            << " indexes built, " << counts_.indexes_dropped << " dropped" << std::endl;
  if (HasFailure()) return;
  // Else the vocabulary does not fit the stores, and the test shows little.
  EXPECT_GE(counts_.with_rows * 10, counts_.queries * 3);
  EXPECT_LT(counts_.skipped * 50, counts_.queries);
}

}  // namespace
}  // namespace pedigree
