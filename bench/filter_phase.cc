// Filtered lists against reads of the same nodes by id, on a small and on a large store: both
// ratios say whether a query's cost follows its answer.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/interleave.h"
#include "bench/phases.h"
#include "bench/statistics.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::bench {
namespace {

namespace mlmd = ml_metadata;

constexpr char kService[] = "/ml_metadata.MetadataStoreService/";
constexpr int kExecutionsPerRun = 100;
constexpr int kStepsPerDag = 10;
constexpr size_t kRequests = 256;  // Different ones of each kind.
constexpr int64_t kSmallStore = 10'000;
constexpr double kMostOfById = 2;
constexpr double kMostOfSmall = 1.3;

std::string FingerprintOf(int64_t execution) { return absl::StrFormat("%064x", execution); }
std::string UriOf(int64_t artifact) { return absl::StrCat("gs://bucket/models/", artifact); }
int64_t DagOf(int64_t execution) { return (execution - 1) / kStepsPerDag + 1; }

// Run number `run`, of executions that each wrote one artifact. Everything has the id that follows
// from the run's number, as ids are handed out from 1 without gaps.
std::string PutRun(const KfpRun& types, int64_t run) {
  mlmd::PutLineageSubgraphRequest request;
  mlmd::Context* context = request.add_contexts();
  context->set_type_id(types.run_context.type_id());
  context->set_name(absl::StrCat("bench-run-", run));
  for (int i = 0; i < kExecutionsPerRun; ++i) {
    const int64_t id = run * kExecutionsPerRun + i + 1;
    mlmd::Execution* execution = request.add_executions();
    *execution = KfpExecution(types.execution_type_id);
    execution->set_name(absl::StrCat("run/", id));
    auto& properties = *execution->mutable_custom_properties();
    properties["cache_fingerprint"].set_string_value(FingerprintOf(id));
    properties["parent_dag_id"].set_int_value(DagOf(id));
    *request.add_artifacts() = KfpArtifact(types.artifact_type_id, UriOf(id));
    auto* edge = request.add_event_edges();
    edge->set_execution_index(i);
    edge->set_artifact_index(i);
    edge->mutable_event()->set_type(mlmd::Event::OUTPUT);
  }
  return request.SerializeAsString();
}

struct FilledServer {
  std::unique_ptr<MeasuredServer> server;
  int64_t executions = 0;
  int64_t first_context = 0;  // Of run 0.
};

absl::StatusOr<FilledServer> Fill(const Bench& bench, int64_t executions) {
  FilledServer filled;
  auto server = StartPedigreed(bench.settings, absl::StrCat("pedigreed, ", executions), "never");
  if (!server.ok()) return server.status();
  filled.server = *std::move(server);
  const absl::StatusOr<KfpRun> types = SetUpKfpRun(filled.server->client());
  if (!types.ok()) return types.status();
  filled.first_context = types->run_context.id() + 1;
  const int64_t runs = executions / kExecutionsPerRun;
  filled.executions = runs * kExecutionsPerRun;
  int64_t run = 0;
  // One in flight at a time keeps ids in the order of runs: several may overtake each other.
  const Load load{.method = absl::StrCat(kService, "PutLineageSubgraph"),
                  .in_flight = 1,
                  .duration = std::chrono::minutes(15),
                  .max_calls = static_cast<uint64_t>(runs),
                  .server_pid = filled.server->pid()};
  const auto result =
      filled.server->client().Run(load, [&] { return ByteBufferOf(PutRun(*types, run++)); });
  if (!result.ok()) return result.status();
  if (static_cast<int64_t>(result->calls) < runs) {
    return absl::DeadlineExceededError("the store for filters is not full in time");
  }
  bench.report.AddLoad(
      absl::StrFormat("PutLineageSubgraph of %d executions, not synced, 1 in flight",
                      kExecutionsPerRun),
      filled.server->name(), {*result});
  return filled;
}

// A question and how to ask it of one node; the same nodes by id.
struct Question {
  std::string name;
  std::string method;
  std::string by_id_method;
  size_t nodes;
  std::function<std::string(const FilledServer&, int64_t execution)> request;
  std::function<std::string(int64_t execution)> by_id;
};

template <class Request>
std::string Filtered(Request request, const std::string& filter) {
  request.mutable_options()->set_filter_query(filter);
  return request.SerializeAsString();
}

std::string ExecutionById(int64_t execution) {
  mlmd::GetExecutionsByIDRequest request;
  request.add_execution_ids(execution);
  return request.SerializeAsString();
}
std::string ArtifactById(int64_t artifact) {
  mlmd::GetArtifactsByIDRequest request;
  request.add_artifact_ids(artifact);
  return request.SerializeAsString();
}
std::string StepsById(int64_t execution) {
  mlmd::GetExecutionsByIDRequest request;
  const int64_t first = (DagOf(execution) - 1) * kStepsPerDag + 1;
  for (int64_t i = 0; i < kStepsPerDag; ++i) request.add_execution_ids(first + i);
  return request.SerializeAsString();
}

std::vector<Question> Questions() {
  const auto executions = [](auto filter) {
    return [filter](const FilledServer&, int64_t id) {
      return Filtered(mlmd::GetExecutionsRequest(), filter(id));
    };
  };
  return {
      {"cache_fingerprint = X", "GetExecutions", "GetExecutionsByID", 1, executions([](int64_t id) {
         return absl::StrCat("custom_properties.cache_fingerprint.string_value = '",
                             FingerprintOf(id), "'");
       }),
       ExecutionById},
      {"parent_dag_id = N in a context", "GetExecutionsByContext", "GetExecutionsByID",
       kStepsPerDag,
       [](const FilledServer& filled, int64_t id) {
         mlmd::GetExecutionsByContextRequest request;
         request.set_context_id(filled.first_context + (id - 1) / kExecutionsPerRun);
         return Filtered(request,
                         absl::StrCat("custom_properties.parent_dag_id.int_value = ", DagOf(id)));
       },
       StepsById},
      {"name = X AND type = T", "GetExecutions", "GetExecutionsByID", 1, executions([](int64_t id) {
         return absl::StrCat("name = 'run/", id, "' AND type = 'system.ContainerExecution'");
       }),
       ExecutionById},
      {"uri = X", "GetArtifacts", "GetArtifactsByID", 1,
       [](const FilledServer&, int64_t id) {
         return Filtered(mlmd::GetArtifactsRequest(), absl::StrCat("uri = '", UriOf(id), "'"));
       },
       ArtifactById},
      {"events_0.artifact_id = N", "GetExecutions", "GetExecutionsByID", 1,
       executions([](int64_t id) { return absl::StrCat("events_0.artifact_id = ", id); }),
       ExecutionById},
  };
}

// Requests for executions all over the store.
template <class Make>
std::vector<std::string> RequestsFor(const FilledServer& filled, Make make) {
  std::vector<std::string> requests;
  for (size_t i = 0; i < kRequests; ++i) {
    const auto stride = static_cast<int64_t>(i) * 7919 * 31;
    requests.push_back(make(stride % filled.executions + 1));
  }
  return requests;
}

// Calls with the requests in turn.
Operation Calls(const std::string& name, MeasuredServer& server, const std::string& method,
                std::vector<std::string> requests) {
  return {name, [&server, path = absl::StrCat(kService, method), requests = std::move(requests),
                 next = size_t{0}]() mutable {
            return server.client().Call(path, requests[next++ % requests.size()]).status();
          }};
}

// Both kinds of call must answer the same nodes, else their times compare nothing.
absl::Status CheckSameAnswer(const Question& question, const FilledServer& filled) {
  const int64_t execution = filled.executions / 2;
  auto filtered = filled.server->client().Call(absl::StrCat(kService, question.method),
                                               question.request(filled, execution));
  auto by_id = filled.server->client().Call(absl::StrCat(kService, question.by_id_method),
                                            question.by_id(execution));
  if (!filtered.ok()) return filtered.status();
  if (!by_id.ok()) return by_id.status();
  if (by_id->empty() || *filtered != *by_id) {
    return absl::DataLossError(absl::StrCat(question.name, ": not the nodes that were asked for"));
  }
  return absl::OkStatus();
}

absl::Status Measure(const Bench& bench, const Question& question, const FilledServer& small,
                     const FilledServer& large) {
  std::vector<Operation> operations;
  for (const FilledServer* filled : {&small, &large}) {
    if (absl::Status status = CheckSameAnswer(question, *filled); !status.ok()) return status;
    operations.push_back(
        Calls(question.name, *filled->server, question.method,
              RequestsFor(*filled, [&](int64_t id) { return question.request(*filled, id); })));
    operations.push_back(Calls(question.by_id_method, *filled->server, question.by_id_method,
                               RequestsFor(*filled, question.by_id)));
  }
  WaitUntilIdle({small.server.get(), large.server.get()});
  auto rounds =
      InterleaveOperations(operations, bench.settings.rounds, 2 * bench.settings.window / 3);
  if (!rounds.ok()) return rounds.status();
  const auto p50 = [&](size_t operation) {
    return ValuesOf((*rounds)[operation], &LoadResult::p50_us);
  };
  const std::string nodes = absl::StrCat(question.nodes, question.nodes == 1 ? " node" : " nodes");
  bench.report.AddFigure({.name = absl::StrCat("filter ", question.name, ": p50 / ",
                                               question.by_id_method, " of ", nodes),
                          .unit = Unit::kTimes,
                          .values = RatiosOf(p50(2), p50(3)),
                          .target = AtMost(kMostOfById),
                          .note = absl::StrFormat("with %d executions", large.executions)});
  bench.report.AddFigure({.name = "  the same with the small store",
                          .unit = Unit::kTimes,
                          .values = RatiosOf(p50(0), p50(1)),
                          .target = AtMost(kMostOfById),
                          .note = absl::StrFormat("with %d executions", small.executions)});
  bench.report.AddFigure({.name = "  p50 in the large store / in the small one",
                          .unit = Unit::kTimes,
                          .values = RatiosOf(p50(2), p50(0)),
                          .target = AtMost(kMostOfSmall)});
  bench.report.AddFigure(
      {.name = "  p50 in the large store", .unit = Unit::kMicroseconds, .values = p50(2)});
  return absl::OkStatus();
}

}  // namespace

absl::Status RunFilterPhase(const Bench& bench) {
  auto small = Fill(bench, std::min(kSmallStore, bench.settings.memory_nodes));
  if (!small.ok()) return small.status();
  auto large = Fill(bench, bench.settings.memory_nodes);
  if (!large.ok()) return large.status();
  for (const Question& question : Questions()) {
    if (absl::Status status = Measure(bench, question, *small, *large); !status.ok()) return status;
  }
  absl::Status stopped = small->server->Stop();
  return stopped.ok() ? large->server->Stop() : stopped;
}

}  // namespace pedigree::bench
