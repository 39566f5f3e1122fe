#include <algorithm>
#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/disk_sync.h"
#include "bench/echo_server.h"
#include "bench/interleave.h"
#include "bench/phases.h"
#include "bench/raw_rocksdb.h"
#include "bench/statistics.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::bench {
namespace {

constexpr int kInFlight = 64;
constexpr int kGroup = 32;  // requests per raw write: what a committer finds with 64 in flight
constexpr int kPairs = 5;   // the issue asks for the median of 5 fsynced / not fsynced

// A pedigreed with the types and contexts of a run, and its requests.
struct Subject {
  std::unique_ptr<MeasuredServer> server;
  std::shared_ptr<PatchedRequest> requests;
  RequestFactory next_request;
};

absl::StatusOr<Subject> StartSubject(const Bench& bench, const std::string& sync) {
  absl::StatusOr<std::unique_ptr<MeasuredServer>> server =
      StartPedigreed(bench.settings, "pedigreed --sync=" + sync, sync);
  if (!server.ok()) return server.status();
  const absl::StatusOr<KfpRun> run = SetUpKfpRun((*server)->client());
  if (!run.ok()) return run.status();
  auto requests = std::make_shared<PatchedRequest>(PutExecutionTemplate(*run));
  return Subject{*std::move(server), requests, [requests] { return requests->Next(); }};
}

// Sends one request, checks what came back, and makes the echo answer the same bytes. Done anew for
// every load, because replies grow with the ids in them.
absl::Status TeachEcho(const Bench& bench, Subject& subject) {
  const absl::StatusOr<std::string> reply =
      subject.server->client().Call(kPutExecution, BytesOf(subject.requests->Next()));
  if (!reply.ok()) return reply.status();
  ml_metadata::PutExecutionResponse response;
  if (!response.ParseFromString(*reply) || response.artifact_ids_size() != 3 ||
      response.context_ids_size() != 2 || !response.has_execution_id()) {
    return absl::DataLossError("PutExecution: not the ids of 1 execution, 3 artifacts, 2 contexts");
  }
  return bench.echo.client().Call(kEchoSetReplyMethod, *reply).status();
}

Contender RawLoadOf(RawRocksDb& raw, int requests_per_write, const Settings& settings) {
  const RawRocksDb::Load load{.requests_per_write = requests_per_write,
                              .duration = settings.window};
  return {absl::StrFormat("raw RocksDB, %d per write", requests_per_write),
          [&raw, load] { return raw.Run(load); }};
}

absl::StatusOr<Rounds> Measure(const Bench& bench, const std::string& scenario,
                               const std::vector<Contender>& contenders, int rounds,
                               const std::vector<const MeasuredServer*>& servers) {
  absl::StatusOr<Rounds> results =
      Interleave(contenders, rounds, [&servers] { WaitUntilIdle(servers); });
  if (!results.ok()) return results;
  for (size_t i = 0; i < contenders.size(); ++i) {
    bench.report.AddLoad(scenario, contenders[i].name, (*results)[i]);
  }
  return results;
}

std::vector<double> RatesOf(const std::vector<LoadResult>& rounds) {
  return ValuesOf(rounds, &LoadResult::rate);
}

void AddThroughputFigures(Report& report, const Rounds& rounds) {
  const auto& [always, never, echo, grouped, single] =
      std::tie(rounds[0], rounds[1], rounds[2], rounds[3], rounds[4]);
  report.AddFigure({.name = "PutExecution, fsynced, 64 in flight / echo",
                    .values = RatiosOf(RatesOf(always), RatesOf(echo)),
                    .target = AtLeast(0.40),
                    .note = "rates; the stretch target is 50 %"});
  report.AddFigure({.name = "  the same by CPU of both sides",
                    .values = SharesByCpu(always, echo),
                    .note = "echo's CPU per call / pedigreed's, client included"});
  report.AddFigure({.name = "PutExecution fsynced / not fsynced",
                    .values = RatiosOf(RatesOf(always), RatesOf(never)),
                    .target = AtLeast(0.85)});
  report.AddFigure(
      {.name = "  the same by CPU of both sides", .values = SharesByCpu(always, never)});
  report.AddFigure({.name = absl::StrFormat("PutExecution / raw RocksDB, %d per write", kGroup),
                    .values = RatiosOf(RatesOf(always), RatesOf(grouped)),
                    .note = "the same keys and bytes, synced, one thread, no gRPC"});
  report.AddFigure({.name = "  the same by CPU",
                    .values = RatiosOf(ValuesOf(grouped, &LoadResult::server_cpu_us),
                                       ValuesOf(always, &LoadResult::server_cpu_us)),
                    .note = "RocksDB's CPU per request / pedigreed's, client excluded"});
  report.AddFigure({.name = "PutExecution / raw RocksDB, 1 per write",
                    .unit = Unit::kTimes,
                    .values = RatiosOf(RatesOf(always), RatesOf(single))});
}

std::string DescribeKeys(int requests) {
  const std::vector<RawKey> keys = KeysOfPutExecutions(requests);
  return absl::StrFormat("%d keys, %d bytes", CountKeys(keys), CountBytes(keys));
}

absl::Status MeasureThroughput(const Bench& bench, Subject& always, Subject& never) {
  if (absl::Status taught = TeachEcho(bench, always); !taught.ok()) return taught;
  const Settings& settings = bench.settings;
  bench.report.AddFact("raw RocksDB",
                       absl::StrCat("a write of ", kGroup, " requests: ", DescribeKeys(kGroup),
                                    "; of 1: ", DescribeKeys(1)));
  absl::StatusOr<std::unique_ptr<RawRocksDb>> raw =
      RawRocksDb::Open(settings.directory + "/raw", settings.write_buffer_mib);
  if (!raw.ok()) return raw.status();
  const std::vector<Contender> contenders = {
      ServerLoad(*always.server, kPutExecution, kInFlight, always.next_request, settings),
      ServerLoad(*never.server, kPutExecution, kInFlight, never.next_request, settings),
      ServerLoad(bench.echo, kEchoCallMethod, kInFlight, always.next_request, settings),
      RawLoadOf(**raw, kGroup, settings), RawLoadOf(**raw, 1, settings)};
  const absl::StatusOr<Rounds> rounds =
      Measure(bench, absl::StrFormat("PutExecution, %d in flight", kInFlight), contenders,
              std::max(kPairs, settings.rounds), {always.server.get(), never.server.get()});
  if (!rounds.ok()) return rounds.status();
  AddThroughputFigures(bench.report, *rounds);
  return absl::OkStatus();
}

void AddLatencyFigure(Report& report, const Rounds& rounds) {
  const std::vector<double> put = ValuesOf(rounds[0], &LoadResult::p50_us);
  const std::vector<double> echo = ValuesOf(rounds[1], &LoadResult::p50_us);
  const std::vector<double> sync = ValuesOf(rounds[2], &LoadResult::p50_us);
  std::vector<double> allowed;
  for (size_t i = 0; i < put.size(); ++i) allowed.push_back(echo[i] + 2 * sync[i]);
  report.AddFigure({.name = "one client, fsynced, p50 / (echo p50 + 2 fdatasync p50)",
                    .values = RatiosOf(put, allowed),
                    .target = AtMost(1.0),
                    .note = "the three take turns call by call"});
}

absl::Status MeasureLatency(const Bench& bench, Subject& always) {
  if (absl::Status taught = TeachEcho(bench, always); !taught.ok()) return taught;
  const size_t bytes = CountBytes(KeysOfPutExecutions(1));
  const absl::StatusOr<std::unique_ptr<DiskLog>> log =
      DiskLog::Create(bench.settings.directory, bytes);
  if (!log.ok()) return log.status();
  const auto call = [&always](MeasuredServer& server, const char* method) {
    return server.client().Call(method, BytesOf(always.next_request())).status();
  };
  const std::vector<Operation> operations = {
      {always.server->name(), [&] { return call(*always.server, kPutExecution); }},
      {bench.echo.name(), [&] { return call(bench.echo, kEchoCallMethod); }},
      {absl::StrFormat("pwrite of %d bytes + fdatasync", bytes),
       [&] { return (*log)->AppendAndSync(); }}};
  const absl::StatusOr<Rounds> rounds =
      InterleaveOperations(operations, bench.settings.rounds, bench.settings.window);
  if (!rounds.ok()) return rounds.status();
  for (size_t i = 0; i < operations.size(); ++i) {
    bench.report.AddLoad("PutExecution, 1 client", operations[i].name, (*rounds)[i]);
  }
  AddLatencyFigure(bench.report, *rounds);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunPutExecutionPhase(const Bench& bench) {
  absl::StatusOr<Subject> always = StartSubject(bench, "always");
  if (!always.ok()) return always.status();
  absl::StatusOr<Subject> never = StartSubject(bench, "never");
  if (!never.ok()) return never.status();
  bench.report.AddFact("PutExecution",
                       absl::StrFormat("requests of %d bytes", always->requests->bytes()));
  if (absl::Status status = MeasureLatency(bench, *always); !status.ok()) return status;
  if (absl::Status status = MeasureThroughput(bench, *always, *never); !status.ok()) return status;
  if (absl::Status stopped = always->server->Stop(); !stopped.ok()) return stopped;
  return never->server->Stop();
}

}  // namespace pedigree::bench
