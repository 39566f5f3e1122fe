// Random questions of all calls of pedigree.v1.LineageService about random graphs, and all small
// questions about all small graphs: every answer is the oracle's.
//
// PEDIGREE_TEST_SEED=<seed of a graph> begins with that graph.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/lineage_service_handlers.h"
#include "server/trace_answer.h"
#include "tests/query/compare_walk.h"
#include "tests/query/graph_nodes.h"
#include "tests/query/random_graph.h"
#include "tests/query/small_graphs.h"
#include "tests/server/lineage_service_oracle.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using absl::StatusCode;

#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr uint64_t kGraphs = 20'000;
constexpr uint64_t kEverySmallGraph = 1;
#else
constexpr uint64_t kGraphs = 1'000;
constexpr uint64_t kEverySmallGraph = 37;
#endif
// Graphs that are read over the same nodes, before others are made.
constexpr uint64_t kGraphsPerNodes = 1'000;
constexpr size_t kNoLimit = 1'000'000;

// What a trace in one or more messages has said.
struct ToldTrace {
  v1::TraceResponse all;  // Without completeness.
  v1::Completeness completeness;
};

absl::StatusOr<ToldTrace> Trace(const Reader& reader, const v1::TraceRequest& request) {
  TraceAnswer answer;
  ToldTrace told;
  while (true) {
    auto part = answer.Next(reader, request);
    if (!part.ok()) return part.status();
    v1::TraceResponse message;
    EXPECT_TRUE(message.ParseFromString(part->message));
    EXPECT_EQ(message.has_completeness(), part->place == StreamPart::Place::kLast);
    told.completeness.Swap(message.mutable_completeness());
    message.clear_completeness();
    told.all.MergeFrom(message);
    if (part->place == StreamPart::Place::kLast) return told;
  }
}

template <class Response, class Request>
absl::StatusOr<Response> Ask(absl::Status (*handler)(const Reader&, const Request&, Answer*),
                             const Reader& reader, const Request& request) {
  Answer answer(reader.catalog());
  absl::Status status = handler(reader, request, &answer);
  if (status.ok()) status = answer.status();
  if (!status.ok()) return status;
  Response response;
  EXPECT_TRUE(response.ParseFromString(answer.Release()));
  return response;
}

std::string Difference(const google::protobuf::Message& actual,
                       const google::protobuf::Message& expected) {
  if (actual.SerializeAsString() == expected.SerializeAsString()) return "";
  std::string report;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&report);
  return differencer.Compare(expected, actual) ? "" : report;
}

// One graph and the questions about it.
class Questioner {
 public:
  Questioner(const GraphNodes& nodes, RandomGraph made)
      : nodes_(nodes), made_(std::move(made)), first_(made_.lineage) {
    FillGraph(made_.lineage, &graph_);
  }

  const RandomGraph& made() const { return made_; }
  // The graph grows; questions are still about what it was at first.
  void Grow(RandomGraphs* graphs) {
    const size_t before = made_.lineage.events.size();
    graphs->Grow(&made_);
    AppendToGraph(made_.lineage, before, &graph_);
  }

  void AskImpact(const OracleQuestion& question, StartBy start_by, int32_t max_contexts) {
    v1::ImpactRequest request;
    FillStart(question, start_by, &request);
    request.set_direction(DirectionMessageOf(question));
    request.set_max_contexts(max_contexts);
    auto response = Ask<v1::ImpactResponse>(&Impact, reader(), request);
    if (IsRefused(question, start_by, response.status())) return;
    const auto most = static_cast<size_t>(max_contexts == 0 ? 100 : max_contexts);
    Expect(&*response, oracle_.Impact(question, most));
  }

  void AskOrigins(const OracleQuestion& question, StartBy start_by,
                  v1::TraceRequest::Content content) {
    v1::OriginsRequest request;
    FillStart(question, start_by, &request);
    request.set_content(content);
    auto response = Ask<v1::OriginsResponse>(&Origins, reader(), request);
    if (IsRefused(question, start_by, response.status())) return;
    Expect(&*response, oracle_.Origins(question, content));
  }

  void AskPaths(const OracleQuestion& question, OracleRef to, int32_t max_paths,
                v1::TraceRequest::Content content) {
    v1::FindPathsRequest request;
    *request.mutable_from() = MessageOf(*question.starts.begin());
    *request.mutable_to() = MessageOf(to);
    *request.mutable_scope() = ScopeMessageOf(question);
    request.set_max_paths(max_paths);
    request.set_content(content);
    auto response = Ask<v1::FindPathsResponse>(&FindPaths, reader(), request);
    OracleQuestion both = question;
    both.starts.insert(to);
    if (IsRefused(both, StartBy::kName, response.status())) return;
    const v1::FindPathsResponse expected =
        oracle_.FindPaths(question, to, static_cast<size_t>(std::max(max_paths, 1)), content);
    if (limits_.has_value() && !response->completeness().complete()) {
      // The best of them.
      ASSERT_LE(response->paths_size(), expected.paths_size());
      for (int i = 0; i < response->paths_size(); ++i) {
        ASSERT_EQ(Difference(response->paths(i), expected.paths(i)), "") << what_;
      }
      return;
    }
    Expect(&*response, expected);
  }

  void AskCompare(const OracleQuestion& question, OracleRef a, OracleRef b) {
    v1::CompareRequest request;
    request.set_artifact_a(a.second);
    request.set_artifact_b(b.second);
    *request.mutable_scope() = ScopeMessageOf(question);
    auto response = Ask<v1::CompareResponse>(&Compare, reader(), request);
    OracleQuestion both = question;
    both.starts = {a, b};
    if (IsRefused(both, StartBy::kName, response.status())) return;
    const v1::CompareResponse expected = oracle_.Compare(question, a, b, *response);
    Expect(&*response, expected);
  }

  // All of a trace at once; then, if `between` is given, in pieces of so many nodes as it answers.
  // It may let the graph grow.
  using Between = std::function<int64_t(Questioner&)>;
  void AskTrace(const OracleQuestion& question, StartBy start_by, v1::TraceRequest::Content content,
                const Between& between) {
    v1::TraceRequest request;
    FillStart(question, start_by, &request);
    request.set_direction(DirectionMessageOf(question));
    request.set_content(content);
    const auto told = Trace(reader(), request);
    if (IsRefused(question, start_by, told.status())) return;
    const ExpectedTrace expected = TraceByDefinition(first_, question);
    if (limits_.has_value() && !told->completeness.complete()) {
      ExpectCut(question, content, *told);
      return;
    }
    ExpectPiece(*told, expected, 0, expected.nodes.size(), content, question);
    if (between == nullptr) return;
    set_limits(std::nullopt);
    size_t place = 0;
    request.set_max_nodes(1);
    do {
      const auto piece = Trace(reader(), request);
      ASSERT_TRUE(IsOk(piece)) << what_;
      const size_t end =
          std::min(place + static_cast<size_t>(request.max_nodes()), expected.nodes.size());
      ExpectPiece(*piece, expected, place, end, content, question);
      if (testing::Test::HasFailure()) return;
      place = end;
      request.set_resume_token(piece->completeness.resume_token());
      request.set_max_nodes(between(*this));
      ++pieces_;
    } while (place < expected.nodes.size());
  }

  void set_limits(std::optional<ReadLimits> limits) { limits_ = limits; }
  int64_t pieces() const { return pieces_; }
  int64_t exhausted() const { return exhausted_; }
  int64_t refused() const { return refused_; }

 private:
  Reader reader() const {
    return Reader(nodes_.VersionOf(graph_, made_.sizes), Blocking::kAllowed,
                  limits_.value_or(ReadLimits()));
  }

  template <class Request>
  void FillStart(const OracleQuestion& question, StartBy start_by, Request* request) {
    what_ = absl::StrCat(first_.ToString(), "\n", question.ToString());
    *request->mutable_start() = StartMessageOf(question, start_by);
    *request->mutable_scope() = ScopeMessageOf(question);
  }

  // Whether the call was refused, which must be for a reason.
  bool IsRefused(const OracleQuestion& question, StartBy start_by, const absl::Status& status) {
    if (limits_.has_value() && absl::IsResourceExhausted(status)) {
      ++exhausted_;
      return true;
    }
    const auto exist = static_cast<size_t>(
        std::count_if(question.starts.begin(), question.starts.end(),
                      [&](OracleRef start) { return Exists(first_, question, start); }));
    const bool has_starts =
        start_by == StartBy::kFilter ? exist > 0 : exist == question.starts.size();
    EXPECT_EQ(status.code(), has_starts ? StatusCode::kOk : StatusCode::kNotFound) << status << "\n"
                                                                                   << what_;
    refused_ += has_starts ? 0 : 1;
    return !has_starts || !status.ok();
  }

  // Answers that say why they are incomplete say so if and only if they are.
  static void ExpectReason(v1::Completeness* completeness) {
    EXPECT_EQ(completeness->reason().empty(), completeness->complete());
    completeness->clear_reason();
  }

  template <class Response>
  void Expect(Response* response, const Response& expected) {
    ExpectReason(response->mutable_completeness());
    ASSERT_EQ(Difference(*response, expected), "") << what_;
  }

  void ExpectPiece(ToldTrace told, const ExpectedTrace& expected, size_t begin, size_t end,
                   v1::TraceRequest::Content content, const OracleQuestion& question) {
    const bool is_last = end == expected.nodes.size();
    ASSERT_EQ(Difference(told.all, oracle_.Trace(expected, begin, end, content)), "") << what_;
    v1::Completeness completeness;
    completeness.set_complete(is_last && !expected.is_cut_by_hops);
    completeness.set_has_cycle(
        std::any_of(expected.nodes.begin(), expected.nodes.end(),
                    [](const LineageTraceNode& node) { return node.in_cycle; }));
    completeness.set_bodies_are_of_now(question.as_of_ms.has_value());
    EXPECT_EQ(told.completeness.resume_token().empty(), is_last);
    ExpectReason(&told.completeness);
    told.completeness.clear_resume_token();
    ASSERT_EQ(Difference(told.completeness, completeness), "") << what_;
  }

  // A trace that ended for want of work is one of fewer hops.
  void ExpectCut(OracleQuestion question, v1::TraceRequest::Content content,
                 const ToldTrace& told) {
    EXPECT_EQ(told.completeness.resume_token(), "") << "the next walk may end elsewhere";
    EXPECT_NE(told.completeness.reason(), "");
    if (told.all.nodes().empty()) return;
    int64_t hops = 0;
    for (const auto& node : told.all.nodes()) hops = std::max(hops, node.hops());
    std::string difference;
    // The last hop that it finished may have been without nodes.
    for (const int64_t last_hop : {hops, hops + 1}) {
      question.max_hops = std::min(last_hop, question.max_hops.value_or(last_hop));
      const ExpectedTrace expected = TraceByDefinition(first_, question);
      difference = Difference(told.all, oracle_.Trace(expected, 0, expected.nodes.size(), content));
      if (difference.empty()) return;
    }
    FAIL() << difference << "\n" << what_;
  }

  const GraphNodes& nodes_;
  RandomGraph made_;
  const OracleLineage first_;  // As it was made.
  const LineageServiceOracle oracle_ = LineageServiceOracle(nodes_, first_);
  EventGraph graph_;
  std::optional<ReadLimits> limits_;
  std::string what_;  // Was asked last.
  int64_t pieces_ = 0;
  int64_t exhausted_ = 0;
  int64_t refused_ = 0;
};

struct Counts {
  int64_t pieces = 0;
  int64_t exhausted = 0;
  int64_t refused = 0;

  void Add(const Questioner& questioner) {
    pieces += questioner.pieces();
    exhausted += questioner.exhausted();
    refused += questioner.refused();
  }
};

// All calls about one random graph.
void AskAll(const GraphNodes& nodes, Random* random, Counts* counts) {
  RandomGraphs graphs(random, ParallelEvents::kOfOtherTypes);
  Questioner questioner(nodes, graphs.Make());
  const RandomGraph& made = questioner.made();
  const auto start_by = [&] { return random->OneIn(4) ? StartBy::kFilter : StartBy::kName; };
  const auto content = [&] {
    return random->OneIn(2) ? v1::TraceRequest::IDS : v1::TraceRequest::BODIES;
  };
  if (random->OneIn(4)) {
    ReadLimits limits;
    limits.max_query_visits = random->Between(0, 40);
    questioner.set_limits(limits);
  }
  OracleQuestion question = Askable(graphs.Ask(made));
  questioner.AskImpact(question, start_by(), static_cast<int32_t>(random->Between(0, 8)));
  question = Askable(graphs.Ask(made));
  question.is_upstream = true;
  question.is_downstream = false;
  questioner.AskOrigins(question, start_by(), content());

  for (int i = 0; i < 2; ++i) {
    question = i == 0 ? OracleQuestion() : Askable(graphs.Ask(made));  // First, more paths.
    question.is_upstream = false;
    question.is_downstream = true;
    question.starts = {graphs.AnyNode(made)};
    questioner.AskPaths(Askable(question), graphs.AnyNode(made),
                        static_cast<int32_t>(random->OneIn(3) ? 100 : random->Between(0, 6)),
                        content());
    question = i == 0 ? OracleQuestion() : graphs.Ask(made);
    const auto any_artifact = [&] {
      return OracleRef{NodeKind::kArtifact, random->Between(1, made.sizes.artifacts)};
    };
    const OracleRef a = any_artifact();
    const OracleRef b = any_artifact();
    question.starts = {a, b};
    questioner.AskCompare(Askable(question), a, b);
  }
  // The last: its graph grows.
  questioner.AskTrace(Askable(graphs.Ask(made)), start_by(), content(), [&](Questioner& asker) {
    if (random->OneIn(2)) asker.Grow(&graphs);
    return random->Between(1, 6);
  });
  counts->Add(questioner);
}

TEST(LineageServiceRandom, AllAnswersAreTheOracles) {
  const uint64_t seed = Random().seed();
  std::optional<GraphNodes> nodes;
  Counts counts;
  for (uint64_t i = 0; i < kGraphs; ++i) {
    if (i % kGraphsPerNodes == 0) nodes.emplace(seed + i);
    Random random(seed + i);
    AskAll(*nodes, &random, &counts);
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed + i;
  }
  std::cout << kGraphs << " graphs, traces in " << counts.pieces << " pieces, " << counts.exhausted
            << " answers beyond the limits, " << counts.refused << " refused" << std::endl;
  EXPECT_GT(counts.pieces, static_cast<int64_t>(kGraphs));
  EXPECT_GT(counts.exhausted, static_cast<int64_t>(kGraphs / 20));
}

// Calls check(questioner) for every `step`th of the graphs.
template <class Check>
void CheckAll(const SmallGraphs& graphs, uint64_t step, Check check) {
  const GraphNodes nodes;
  for (uint64_t code = 0; code < graphs.count(); code += step) {
    RandomGraph made;
    made.lineage = graphs.Make(code);
    made.sizes = graphs.SizesOf(made.lineage);
    Questioner questioner(nodes, made);
    check(questioner);
    ASSERT_FALSE(testing::Test::HasFailure()) << "graph " << code;
  }
}

void AskFromEachNode(const SmallGraphs& graphs, SmallLimits limits, uint64_t step) {
  int64_t questions = 0;
  CheckAll(graphs, step, [&](Questioner& questioner) {
    graphs.VisitQuestions(limits, [&](const OracleQuestion& question) {
      if (Askable(question).left_out != question.left_out) return;  // Asked without, anyway.
      ++questions;
      questioner.AskTrace(question, StartBy::kName, v1::TraceRequest::IDS, nullptr);
      questioner.AskImpact(question, StartBy::kName, 0);
      if (!question.is_downstream) {
        questioner.AskOrigins(question, StartBy::kName, v1::TraceRequest::IDS);
      }
    });
  });
  std::cout << questions << " questions" << std::endl;
}

void AskForEachPair(const SmallGraphs& graphs, SmallLimits limits, uint64_t step) {
  int64_t questions = 0;
  CheckAll(graphs, step, [&](Questioner& questioner) {
    for (const OracleRef& from : graphs.nodes()) {
      for (const OracleRef& to : graphs.nodes()) {
        OracleQuestion start;
        start.starts = {from};
        start.is_downstream = true;
        graphs.VisitLimits(start, limits, [&](const OracleQuestion& question) {
          if (question.left_out.count(from) > 0) return;
          ++questions;
          questioner.AskPaths(question, to, 100, v1::TraceRequest::IDS);
          const bool are_artifacts =
              from.first == NodeKind::kArtifact && to.first == NodeKind::kArtifact;
          if (are_artifacts && question.left_out.count(to) == 0) {
            questioner.AskCompare(question, from, to);
          }
        });
      }
    }
  });
  std::cout << questions << " questions" << std::endl;
}

TEST(LineageServiceExhaustive, FromEachNodeOfAllGraphsOfFourNodes) {
  AskFromEachNode(SmallGraphs(2, 2), SmallLimits::kStopsAndLeftOut, kEverySmallGraph);
}
TEST(LineageServiceExhaustive, FromEachNodeOfAllGraphsOfFiveNodes) {
  AskFromEachNode(SmallGraphs(3, 2), SmallLimits::kHops, kEverySmallGraph);
  AskFromEachNode(SmallGraphs(2, 3), SmallLimits::kHops, kEverySmallGraph);
}
TEST(LineageServiceExhaustive, ForEachPairOfAllGraphsOfFourNodes) {
  AskForEachPair(SmallGraphs(2, 2), SmallLimits::kStopsAndLeftOut, kEverySmallGraph);
}
TEST(LineageServiceExhaustive, ForEachPairOfAllGraphsOfFiveNodes) {
  AskForEachPair(SmallGraphs(3, 2), SmallLimits::kHops, kEverySmallGraph);
  AskForEachPair(SmallGraphs(2, 3), SmallLimits::kHops, kEverySmallGraph);
}

}  // namespace
}  // namespace pedigree
