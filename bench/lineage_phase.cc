// Lineage: walks over the graph in memory against a compressed sparse row graph of the same events,
// with and without bodies, over gRPC, while others write; what the graph holds, and how fast it
// comes back after a start.
#include <algorithm>
#include <atomic>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/echo_server.h"
#include "bench/line_plot.h"
#include "bench/lineage_data.h"
#include "bench/phases.h"
#include "bench/process_usage.h"
#include "bench/statistics.h"
#include "bench/workload.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "query/lineage_walk.h"
#include "server/handlers.h"
#include "store/graph_load.h"
#include "store/graph_snapshot.h"

namespace pedigree::bench {
namespace {

constexpr char kGetLineageSubgraph[] = "/ml_metadata.MetadataStoreService/GetLineageSubgraph";
constexpr size_t kNodes = 10'000;  // Of the closures that have targets.
constexpr size_t kStarts = 24;     // Different closures.
constexpr int kWriters = 8;
// Holds all closures that are asked for, so that what is measured is a warm cache.
constexpr size_t kRecordCacheBytes = size_t{512} << 20;
// Holds the whole store while it is filled, since events go to artifacts all over it.
constexpr size_t kFillCacheBytes = size_t{4} << 30;

double ThreadCpuSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// A walk upstream from an artifact, over so many hops that it reaches about as many nodes as
// wanted.
struct Question {
  LineageNode start;
  int64_t max_hops = 0;
  size_t nodes = 0;
};

// Walks that reach `nodes` nodes give or take a tenth, from artifacts all over the store.
std::vector<Question> QuestionsFor(const Reader& reader, size_t nodes, size_t count) {
  std::mt19937 random(7);
  const LineageView view(reader);
  std::uniform_int_distribution<uint32_t> artifact(view.last_artifact() / 4, view.last_artifact());
  std::vector<Question> questions;
  for (size_t tries = 0; questions.size() < count && tries < 50 * count; ++tries) {
    const LineageNode start = LineageNode::Artifact(artifact(random));
    LineageWalk walk(reader, view);
    size_t reached = 0;
    const auto on_hop = [&](int64_t, absl::Span<const LineageNode> found,
                            absl::Span<LineageVerdict> verdicts) {
      reached += found.size();
      if (reached < nodes) return absl::OkStatus();
      std::fill(verdicts.begin(), verdicts.end(), LineageVerdict::kStop);
      return absl::OkStatus();
    };
    if (!walk.Run({start}, {.direction = LineageDirection::kUpstream}, on_hop).ok()) continue;
    if (reached < nodes || reached > nodes + nodes / 10) continue;
    questions.push_back({start, static_cast<int64_t>(walk.hop_ends().size()) - 1, reached});
  }
  return questions;
}

size_t WalkIds(const Reader& reader, const Question& question) {
  LineageWalk walk(reader, LineageView(reader));
  (void)walk.Run({question.start},
                 {.direction = LineageDirection::kUpstream, .max_hops = question.max_hops});
  return walk.nodes().size();
}

// The same, and all bodies one after the other, as an answer has them.
size_t WalkBodies(const Reader& reader, const Question& question, std::string* bodies) {
  LineageWalk walk(reader, LineageView(reader));
  (void)walk.Run({question.start},
                 {.direction = LineageDirection::kUpstream, .max_hops = question.max_hops});
  bodies->clear();
  for (NodeKind kind : {NodeKind::kArtifact, NodeKind::kExecution}) {
    std::vector<int64_t> ids;
    walk.AppendIds(kind, &ids);
    (void)reader.VisitRecords(kind, ids, [&](int64_t, const RecordView& record) {
      bodies->append(record.message().data(), record.message().size());
    });
  }
  return walk.nodes().size();
}

// Boost.Graph's own breadth-first search over the same view, against the direction of its edges.
class BoostWalk {
 public:
  explicit BoostWalk(const LineageView& view)
      : view_(view), colors_(num_vertices(view), boost::white_color) {}

  // Ends once it has seen so many nodes.
  size_t Run(LineageNode start, size_t nodes) {
    struct Enough {};
    struct Visitor : boost::default_bfs_visitor {
      std::vector<LineageNode>* seen = nullptr;
      size_t most = 0;
      void discover_vertex(LineageNode node, const boost::reverse_graph<LineageView>&) {
        seen->push_back(node);
        if (seen->size() >= most) throw Enough();
      }
    };
    Visitor visitor;
    visitor.seen = &seen_;
    visitor.most = nodes;
    seen_.clear();
    const boost::reverse_graph<LineageView> upstream(view_);
    boost::queue<LineageNode> queue;
    const auto colors =
        boost::make_iterator_property_map(colors_.begin(), get(boost::vertex_index_t(), view_));
    try {
      boost::breadth_first_visit(upstream, start, queue, visitor, colors);
    } catch (const Enough&) {
    }
    for (LineageNode node : seen_) {
      colors_[VertexIndexOf(view_, node)] = boost::white_color;
    }
    return seen_.size();
  }

 private:
  const LineageView view_;
  std::vector<boost::default_color_type> colors_;
  std::vector<LineageNode> seen_;
};

// Mean CPU microseconds of one run over all questions, for each round.
template <class Run>
double CpuMicroseconds(const std::vector<Question>& questions, Run run) {
  const double before = ThreadCpuSeconds();
  size_t nodes = 0;
  for (const Question& question : questions) nodes += run(question);
  const double seconds = ThreadCpuSeconds() - before;
  return nodes == 0 ? 0 : seconds * 1e6 / static_cast<double>(questions.size());
}

ml_metadata::GetLineageSubgraphRequest SubgraphRequest(const Question& question) {
  ml_metadata::GetLineageSubgraphRequest request;
  auto& options = *request.mutable_lineage_subgraph_query_options();
  options.mutable_starting_artifacts()->set_filter_query(
      absl::StrCat("id = ", question.start.id()));
  options.set_direction(ml_metadata::LineageSubgraphQueryOptions::UPSTREAM);
  options.set_max_num_hops(question.max_hops);
  return request;
}

// The whole answer of GetLineageSubgraph. Answers its bytes.
size_t AnswerSubgraph(const Reader& reader, const Question& question) {
  Answer answer(reader.catalog());
  const absl::Status status = GetLineageSubgraph(reader, SubgraphRequest(question), &answer);
  return status.ok() ? answer.Release().size() : 0;
}

struct WalkTimes {
  std::vector<double> csr, ids, bodies, answers, boost;  // By round.
};

WalkTimes MeasureWalks(const Reader& reader, const CsrGraph& csr,
                       const std::vector<Question>& questions, int rounds) {
  CsrWalk csr_walk(csr);
  BoostWalk boost_walk{LineageView(reader)};
  std::string bodies;
  WalkTimes times;
  const auto run_csr = [&](const Question& question) {
    return csr_walk.Run(csr.VertexOf(question.start), question.max_hops);
  };
  const auto run_ids = [&](const Question& question) { return WalkIds(reader, question); };
  const auto run_bodies = [&](const Question& question) {
    return WalkBodies(reader, question, &bodies);
  };
  const auto run_boost = [&](const Question& question) {
    return boost_walk.Run(question.start, question.nodes);
  };
  const auto run_answer = [&](const Question& question) {
    return AnswerSubgraph(reader, question);
  };
  // A round warms all caches, that of wire bytes too.
  CpuMicroseconds(questions, run_bodies);
  CpuMicroseconds(questions, run_answer);
  for (int round = 0; round < rounds; ++round) {
    times.csr.push_back(CpuMicroseconds(questions, run_csr));
    times.ids.push_back(CpuMicroseconds(questions, run_ids));
    times.bodies.push_back(CpuMicroseconds(questions, run_bodies));
    times.answers.push_back(CpuMicroseconds(questions, run_answer));
    times.boost.push_back(CpuMicroseconds(questions, run_boost));
  }
  return times;
}

// All walks reach the same nodes, else their times compare nothing.
absl::Status CheckSameClosures(const Reader& reader, const CsrGraph& csr,
                               const std::vector<Question>& questions) {
  if (questions.size() < kStarts) {
    return absl::FailedPreconditionError("the store has too few closures of the size asked for");
  }
  CsrWalk csr_walk(csr);
  for (const Question& question : questions) {
    const size_t by_csr = csr_walk.Run(csr.VertexOf(question.start), question.max_hops);
    const size_t by_graph = WalkIds(reader, question);
    if (by_csr != by_graph) {
      return absl::DataLossError(
          absl::StrCat("a walk reaches ", by_graph, " nodes, the rows ", by_csr));
    }
  }
  return absl::OkStatus();
}

void AddWalkFigures(Report& report, const WalkTimes& times) {
  report.AddFigure({.name = "closure of 10,000 nodes, ids only / walk over compressed sparse rows",
                    .unit = Unit::kTimes,
                    .values = RatiosOf(times.ids, times.csr),
                    .target = AtMost(1.3),
                    .note = "CPU of the thread, upstream, from artifacts all over the store"});
  report.AddFigure({.name = "  with bodies, warm cache of wire bytes / that walk",
                    .unit = Unit::kTimes,
                    .values = RatiosOf(times.bodies, times.csr),
                    .target = AtMost(3)});
  report.AddFigure({.name = "  boost::breadth_first_visit over the same graph / ids only",
                    .unit = Unit::kTimes,
                    .values = RatiosOf(times.boost, times.ids)});
  report.AddFigure({.name = "  walk over compressed sparse rows",
                    .unit = Unit::kMicroseconds,
                    .values = times.csr});
  report.AddFigure({.name = "  ids only", .unit = Unit::kMicroseconds, .values = times.ids});
  report.AddFigure({.name = "  with bodies", .unit = Unit::kMicroseconds, .values = times.bodies});
  report.AddFigure({.name = "  GetLineageSubgraph in process, CPU",
                    .unit = Unit::kMicroseconds,
                    .values = times.answers});
}

// Eight threads that write executions with an artifact and events, until told to stop.
class Writers {
 public:
  explicit Writers(Store& store) {
    for (int i = 0; i < kWriters; ++i) {
      threads_.emplace_back([this, &store, i] { Loop(store, i); });
    }
  }
  ~Writers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  int64_t writes() const { return writes_; }

 private:
  void Loop(Store& store, int number) {
    std::mt19937 random(static_cast<unsigned>(number));
    while (!stop_) {
      const absl::Status status = store.Write([&](Transaction& transaction) -> absl::Status {
        const int64_t last = transaction.last_id(NodeKind::kArtifact);
        ml_metadata::Execution execution = KfpExecution(11);
        auto id = transaction.Insert(&execution, {});
        if (!id.ok()) return id.status();
        ml_metadata::Event event;
        event.set_artifact_id(last - static_cast<int64_t>(random() % 1'000'000) % last);
        event.set_execution_id(*id);
        event.set_type(ml_metadata::Event::INPUT);
        return transaction.AddEvents({&event},
                                     [](const ml_metadata::Event&) { return absl::OkStatus(); });
      });
      if (status.ok()) ++writes_;
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> writes_ = 0;
  std::vector<std::thread> threads_;
};

// CPU of walks while others write, over that of the same walks before, by round.
void MeasureAmongWriters(Store& store, const std::vector<Question>& questions, int rounds,
                         Report& report) {
  const auto measure = [&] {
    return CpuMicroseconds(questions, [&](const Question& question) {
      size_t nodes = 0;
      (void)store.Read(Blocking::kAllowed, [&](const Reader& reader) {
        nodes = WalkIds(reader, question);
        return absl::OkStatus();
      });
      return nodes;
    });
  };
  std::vector<double> quiet, busy;
  int64_t writes = 0;
  for (int round = 0; round < rounds; ++round) {
    quiet.push_back(measure());
    Writers writers(store);
    while (writers.writes() < 1000) std::this_thread::yield();
    busy.push_back(measure());
    writes += writers.writes();
  }
  report.AddFigure(
      {.name = "walk while 8 threads write / the quiet walk",
       .unit = Unit::kTimes,
       .values = RatiosOf(busy, quiet),
       .target = AtMost(1.25),
       .note = absl::StrFormat("CPU of the walking thread; %d writes meanwhile", writes)});
}

absl::Status MeasureLoading(const Reader& reader, const std::string& directory, int rounds,
                            Report& report) {
  const Version& version = reader.version();
  const auto events = static_cast<double>(version.counters.last_event_number);
  const auto last = static_cast<uint32_t>(version.counters.last_event_number);
  const LogLine silent = [](absl::string_view) {};
  auto snapshot = WriteGraphSnapshot(directory, *version.graph, last, [] { return false; });
  if (!snapshot.ok()) return snapshot.status();
  std::vector<double> scanned, loaded;
  for (int round = 0; round < rounds; ++round) {
    double before = ThreadCpuSeconds();
    auto graph = ScanGraph(reader.view(), version.counters, silent);
    if (!graph.ok()) return graph.status();
    scanned.push_back(events / (ThreadCpuSeconds() - before));
    graph->reset();
    EventGraph from_snapshot;
    before = ThreadCpuSeconds();
    absl::Status status = ReadGraphSnapshot(directory, *snapshot, &from_snapshot);
    if (!status.ok()) return status;
    loaded.push_back(events / (ThreadCpuSeconds() - before));
  }
  report.AddFigure({.name = "graph rebuilt from the store, events per second and core",
                    .unit = Unit::kPerSecond,
                    .values = scanned,
                    .target = AtLeast(3e6)});
  report.AddFigure({.name = "  read from its snapshot",
                    .unit = Unit::kPerSecond,
                    .values = loaded,
                    .note = "the file is in the page cache"});
  report.AddFigure({.name = "graph in memory, bytes per event, both directions, type and time",
                    .unit = Unit::kBytes,
                    .values = {static_cast<double>(version.graph->bytes()) / events},
                    .target = AtMost(33)});
  return absl::OkStatus();
}

// p50 of the call over (walk over compressed sparse rows + a call that answers the same bytes).
absl::Status MeasureCall(const Bench& bench, MeasuredServer& server,
                         const std::vector<Question>& questions, double csr_us) {
  std::vector<std::string> requests;
  for (const Question& question : questions)
    requests.push_back(SubgraphRequest(question).SerializeAsString());
  std::string reply;
  for (const std::string& request : requests) {  // Warms the cache as well.
    auto answered = server.client().Call(kGetLineageSubgraph, request);
    if (!answered.ok()) return answered.status();
    reply = *std::move(answered);
  }
  ml_metadata::GetLineageSubgraphResponse graph;
  if (!graph.ParseFromString(reply)) return absl::DataLossError("the subgraph does not parse");
  const auto nodes = static_cast<size_t>(graph.lineage_subgraph().artifacts_size() +
                                         graph.lineage_subgraph().executions_size());
  if (nodes != questions.back().nodes) {
    return absl::DataLossError(
        absl::StrCat("the subgraph has ", nodes, " nodes instead of ", questions.back().nodes));
  }
  auto set = bench.echo.client().Call(kEchoSetReplyMethod, reply);
  if (!set.ok()) return set.status();
  size_t next = 0;
  const std::vector<Operation> operations = {
      {"GetLineageSubgraph",
       [&] {
         return server.client()
             .Call(kGetLineageSubgraph, requests[next++ % requests.size()])
             .status();
       }},
      {"echo", [&] { return bench.echo.client().Call(kEchoCallMethod, requests[0]).status(); }}};
  WaitUntilIdle({&server});
  auto rounds =
      InterleaveOperations(operations, bench.settings.rounds, 2 * bench.settings.window / 3);
  if (!rounds.ok()) return rounds.status();
  const auto call = ValuesOf((*rounds)[0], &LoadResult::p50_us);
  auto bare = ValuesOf((*rounds)[1], &LoadResult::p50_us);
  bench.report.AddFigure({.name = "  bare transfer of the same bytes, p50",
                          .unit = Unit::kMicroseconds,
                          .values = bare,
                          .note = absl::StrFormat("%d bytes", reply.size())});
  for (double& us : bare) us += csr_us;
  bench.report.AddFigure({.name = "GetLineageSubgraph of 10,000 nodes / (walk + bare transfer)",
                          .unit = Unit::kTimes,
                          .values = RatiosOf(call, bare),
                          .target = AtMost(2)});
  bench.report.AddFigure(
      {.name = "  p50 of the call", .unit = Unit::kMicroseconds, .values = call});
  return absl::OkStatus();
}

// Time against the size of the closure.
void PlotSizes(const Reader& reader, const CsrGraph& csr, const Bench& bench) {
  LinePlot plot{.title = "Upstream closures: CPU time against nodes",
                .x = "nodes",
                .y = "microseconds",
                .lines = {{"compressed sparse rows"}, {"Pedigree, ids"}, {"Pedigree, bodies"}}};
  for (size_t nodes : {10, 100, 1'000, 10'000, 100'000}) {
    const auto questions = QuestionsFor(reader, nodes, 8);
    if (questions.empty()) continue;
    const WalkTimes times = MeasureWalks(reader, csr, questions, 3);
    const auto x = static_cast<double>(nodes);
    plot.lines[0].points.push_back({x, SpreadOf(times.csr).median});
    plot.lines[1].points.push_back({x, SpreadOf(times.ids).median});
    plot.lines[2].points.push_back({x, SpreadOf(times.bodies).median});
    bench.report.AddFact(
        absl::StrFormat("closure of %d", nodes),
        absl::StrFormat("rows %.1f us, ids %.1f us, bodies %.1f us", plot.lines[0].points.back().y,
                        plot.lines[1].points.back().y, plot.lines[2].points.back().y));
  }
  if (!bench.settings.plot.empty()) (void)WriteSvg(plot, bench.settings.plot);
}

StoreOptions OptionsFor(const Settings& settings, const std::string& data_dir) {
  StoreOptions options;
  options.data_dir = data_dir;
  options.sync = Sync::kNever;
  options.block_cache_bytes = static_cast<size_t>(settings.block_cache_mib) << 20;
  options.write_buffer_bytes = static_cast<size_t>(settings.write_buffer_mib) << 20;
  options.record_cache_bytes = kRecordCacheBytes;
  return options;
}

// What is measured in process. Answers the questions of the calls.
absl::StatusOr<std::vector<Question>> MeasureInProcess(const Bench& bench, const LineageData& data,
                                                       const std::string& data_dir,
                                                       double* csr_us) {
  StoreOptions options = OptionsFor(bench.settings, data_dir);
  options.block_cache_bytes = kFillCacheBytes;
  auto store = Store::Open(options);
  if (!store.ok()) return store.status();
  if (absl::Status filled = FillStore(data, **store); !filled.ok()) return filled;
  store->reset();  // Into table files.
  store = Store::Open(OptionsFor(bench.settings, data_dir));
  if (!store.ok()) return store.status();
  const CsrGraph csr(data, LineageDirection::kUpstream);
  std::vector<Question> questions;
  absl::Status status = (*store)->Read(Blocking::kAllowed, [&](const Reader& reader) {
    questions = QuestionsFor(reader, kNodes, kStarts);
    absl::Status same = CheckSameClosures(reader, csr, questions);
    if (!same.ok()) return same;
    const WalkTimes times = MeasureWalks(reader, csr, questions, bench.settings.rounds);
    *csr_us = SpreadOf(times.csr).median;
    AddWalkFigures(bench.report, times);
    PlotSizes(reader, csr, bench);
    return MeasureLoading(reader, bench.settings.directory, 3, bench.report);
  });
  if (!status.ok()) return status;
  MeasureAmongWriters(**store, questions, bench.settings.rounds, bench.report);
  return questions;
}

}  // namespace

absl::Status RunLineagePhase(const Bench& bench) {
  const LineageData data(bench.settings.memory_nodes);
  bench.report.AddFact("lineage",
                       absl::StrFormat("%d executions, %d artifacts, %d events", data.executions(),
                                       data.artifacts(), data.events()));
  const std::string data_dir = bench.settings.directory + "/lineage";
  double csr_us = 0;
  const auto questions = MeasureInProcess(bench, data, data_dir, &csr_us);
  if (!questions.ok()) return questions.status();
  Settings settings = bench.settings;
  settings.server_flags.push_back("--data_dir=" + data_dir);
  settings.server_flags.push_back(absl::StrCat("--record_cache_bytes=", kRecordCacheBytes));
  auto server = StartPedigreed(settings, "pedigreed, lineage", "never");
  if (!server.ok()) return server.status();
  absl::Status status = MeasureCall(bench, **server, *questions, csr_us);
  const absl::Status stopped = (*server)->Stop();
  return status.ok() ? stopped : status;
}

}  // namespace pedigree::bench
