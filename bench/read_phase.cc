#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/echo_server.h"
#include "bench/interleave.h"
#include "bench/phases.h"
#include "bench/splice_cost.h"
#include "bench/statistics.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::bench {
namespace {

constexpr int64_t kWorkingSet = 100'000;  // artifacts read: those that a cache holds
constexpr size_t kPool = 2048;            // different requests
constexpr size_t kIdsPerCall = 100;

// A read, and how it is compared.
struct Read {
  std::string scenario;
  std::string method;
  std::vector<std::string> requests;
  int in_flight = 64;
};

struct ReadRounds {
  std::vector<LoadResult> server;
  std::vector<LoadResult> echo;
};

// Measures `read` against the echo with the same request bytes and the bytes of one reply. `check`
// answers whether that reply has what was asked for.
template <class Check>
absl::StatusOr<ReadRounds> Measure(const Bench& bench, MeasuredServer& server, const Read& read,
                                   Check check) {
  const absl::StatusOr<std::string> reply = server.client().Call(read.method, read.requests[0]);
  if (!reply.ok()) return reply.status();
  if (!check(*reply)) return absl::DataLossError(absl::StrCat(read.scenario, ": wrong reply"));
  if (auto taught = bench.echo.client().Call(kEchoSetReplyMethod, *reply); !taught.ok()) {
    return taught.status();
  }
  RequestPool pool(read.requests);
  const RequestFactory next_request = [&pool] { return pool.Next(); };
  const Settings& settings = bench.settings;
  auto rounds =
      Interleave({ServerLoad(server, read.method, read.in_flight, next_request, settings),
                  ServerLoad(bench.echo, kEchoCallMethod, read.in_flight, next_request, settings)},
                 settings.rounds, [&server] { WaitUntilIdle({&server}); });
  if (!rounds.ok()) return rounds.status();
  const std::string scenario = absl::StrFormat("%s, %d in flight, reply of %d bytes", read.scenario,
                                               read.in_flight, reply->size());
  bench.report.AddLoad(scenario, server.name(), (*rounds)[0]);
  bench.report.AddLoad(scenario, bench.echo.name(), (*rounds)[1]);
  return ReadRounds{(*rounds)[0], (*rounds)[1]};
}

void AddShareOfEcho(Report& report, const std::string& name, const ReadRounds& rounds) {
  report.AddFigure({.name = name + " / echo",
                    .values = RatiosOf(ValuesOf(rounds.server, &LoadResult::rate),
                                       ValuesOf(rounds.echo, &LoadResult::rate)),
                    .target = AtLeast(0.85)});
  report.AddFigure({.name = "  the same by CPU of both sides",
                    .values = SharesByCpu(rounds.server, rounds.echo)});
}

absl::Status MeasurePointReads(const Bench& bench, LoadedServer& loaded) {
  const int64_t max_id = std::min(loaded.artifacts, kWorkingSet);
  const Read by_id{.scenario = "GetArtifactsByID, 1 id",
                   .method = kGetArtifactsById,
                   .requests = GetArtifactsByIdRequests(kPool, 1, max_id, 1)};
  const auto by_id_rounds = Measure(bench, *loaded.server, by_id, [](const std::string& reply) {
    ml_metadata::GetArtifactsByIDResponse response;
    return response.ParseFromString(reply) && response.artifacts_size() == 1;
  });
  if (!by_id_rounds.ok()) return by_id_rounds.status();
  AddShareOfEcho(bench.report, by_id.scenario, *by_id_rounds);

  const Read by_name{.scenario = "GetContextByTypeAndName",
                     .method = kGetContextByTypeAndName,
                     .requests = {GetContextRequest(loaded.run)}};
  const auto by_name_rounds =
      Measure(bench, *loaded.server, by_name, [&loaded](const std::string& reply) {
        ml_metadata::GetContextByTypeAndNameResponse response;
        return response.ParseFromString(reply) &&
               response.context().id() == loaded.run.run_context.id();
      });
  if (!by_name_rounds.ok()) return by_name_rounds.status();
  AddShareOfEcho(bench.report, by_name.scenario, *by_name_rounds);
  return absl::OkStatus();
}

// CPU microseconds per node by both ways, in process, interleaved.
struct NodeCosts {
  std::vector<double> spliced;
  std::vector<double> rebuilt;
};

absl::StatusOr<NodeCosts> MeasureNodeCosts(const Bench& bench) {
  const AnswerMaker maker(kIdsPerCall);
  const auto slice = bench.settings.window / 4;
  NodeCosts costs;
  for (int round = 0; round < bench.settings.rounds; ++round) {
    const auto spliced = MeasureCpuPerNode(maker, AnswerWay::kSplice, slice);
    if (!spliced.ok()) return spliced.status();
    const auto rebuilt = MeasureCpuPerNode(maker, AnswerWay::kParseAndSerialize, slice);
    if (!rebuilt.ok()) return rebuilt.status();
    costs.spliced.push_back(*spliced);
    costs.rebuilt.push_back(*rebuilt);
  }
  return costs;
}

void AddNodeFigures(Report& report, const NodeCosts& costs, const ReadRounds& rounds) {
  std::vector<double> per_node, beyond_echo, if_rebuilt;
  for (size_t i = 0; i < rounds.server.size(); ++i) {
    const double server = rounds.server[i].server_cpu_us / kIdsPerCall;
    per_node.push_back(server);
    beyond_echo.push_back(server - rounds.echo[i].server_cpu_us / kIdsPerCall);
    if_rebuilt.push_back((server - costs.spliced[i] + costs.rebuilt[i]) / server);
  }
  report.AddFigure({.name = "node in an answer: parse + serialise / splice",
                    .unit = Unit::kTimes,
                    .values = RatiosOf(costs.rebuilt, costs.spliced),
                    .target = AtLeast(4),
                    .note = "CPU, in process from the same stored bytes in memory, so storage is "
                            "excluded"});
  report.AddFigure({.name = "  splice", .unit = Unit::kMicroseconds, .values = costs.spliced});
  report.AddFigure(
      {.name = "  parse + serialise", .unit = Unit::kMicroseconds, .values = costs.rebuilt});
  report.AddFigure({.name = "GetArtifactsByID of 100, server CPU per node, whole RPC",
                    .unit = Unit::kMicroseconds,
                    .values = per_node,
                    .note = "storage, splice and transport"});
  report.AddFigure({.name = "  of this beyond the echo of the same bytes",
                    .unit = Unit::kMicroseconds,
                    .values = beyond_echo});
  report.AddFigure({.name = "  the RPC if it parsed and serialised / as it is",
                    .unit = Unit::kTimes,
                    .values = if_rebuilt,
                    .note = "(whole RPC - splice + parse + serialise) / whole RPC"});
}

absl::Status MeasureManyIds(const Bench& bench, LoadedServer& loaded) {
  const int64_t max_id = std::min(loaded.artifacts, kWorkingSet);
  const Read read{.scenario = absl::StrFormat("GetArtifactsByID, %d ids", kIdsPerCall),
                  .method = kGetArtifactsById,
                  .requests = GetArtifactsByIdRequests(kPool / 8, kIdsPerCall, max_id, 2),
                  .in_flight = 16};
  const auto rounds = Measure(bench, *loaded.server, read, [](const std::string& reply) {
    ml_metadata::GetArtifactsByIDResponse response;
    // An id that was drawn twice is answered once.
    return response.ParseFromString(reply) && response.artifacts_size() > 95;
  });
  if (!rounds.ok()) return rounds.status();
  const absl::StatusOr<NodeCosts> costs = MeasureNodeCosts(bench);
  if (!costs.ok()) return costs.status();
  AddNodeFigures(bench.report, *costs, *rounds);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunReadPhase(const Bench& bench, LoadedServer& loaded) {
  if (absl::Status status = MeasurePointReads(bench, loaded); !status.ok()) return status;
  if (absl::Status status = MeasureManyIds(bench, loaded); !status.ok()) return status;
  return loaded.server->Stop();
}

}  // namespace pedigree::bench
