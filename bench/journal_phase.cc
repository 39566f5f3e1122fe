#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/interleave.h"
#include "bench/phases.h"
#include "bench/statistics.h"

namespace pedigree::bench {
namespace {

constexpr int kInFlight = 64;

// A pedigreed with the types and contexts of a run, and its requests.
struct Subject {
  std::unique_ptr<MeasuredServer> server;
  std::shared_ptr<PatchedRequest> requests;
  RequestFactory next_request;
};

absl::StatusOr<Subject> StartSubject(const Bench& bench, const std::string& journal) {
  Settings settings = bench.settings;
  settings.server_flags.push_back("--journal=" + journal);
  absl::StatusOr<std::unique_ptr<MeasuredServer>> server =
      StartPedigreed(settings, "pedigreed --journal=" + journal, "always");
  if (!server.ok()) return server.status();
  const absl::StatusOr<KfpRun> run = SetUpKfpRun((*server)->client());
  if (!run.ok()) return run.status();
  auto requests = std::make_shared<PatchedRequest>(PutExecutionTemplate(*run));
  return Subject{*std::move(server), requests, [requests] { return requests->Next(); }};
}

void AddFigures(Report& report, const std::vector<LoadResult>& on,
                const std::vector<LoadResult>& off) {
  report.AddFigure(
      {.name = "PutExecution with the journal / without",
       .values = RatiosOf(ValuesOf(on, &LoadResult::rate), ValuesOf(off, &LoadResult::rate)),
       .target = AtLeast(0.90),
       .note = "rates, fsynced, 64 in flight"});
  report.AddFigure({.name = "  the same by CPU of both sides",
                    .values = SharesByCpu(on, off),
                    .note = "CPU per call without the journal / with it, client included"});
  report.AddFigure({.name = "  the same by CPU of the server",
                    .values = RatiosOf(ValuesOf(off, &LoadResult::server_cpu_us),
                                       ValuesOf(on, &LoadResult::server_cpu_us)),
                    .note = "client excluded"});
}

}  // namespace

absl::Status RunJournalPhase(const Bench& bench) {
  absl::StatusOr<Subject> on = StartSubject(bench, "on");
  if (!on.ok()) return on.status();
  absl::StatusOr<Subject> off = StartSubject(bench, "off");
  if (!off.ok()) return off.status();
  const std::vector<Contender> contenders = {
      ServerLoad(*on->server, kPutExecution, kInFlight, on->next_request, bench.settings),
      ServerLoad(*off->server, kPutExecution, kInFlight, off->next_request, bench.settings)};
  const absl::StatusOr<Rounds> rounds = Interleave(contenders, bench.settings.rounds, [&] {
    WaitUntilIdle({on->server.get(), off->server.get()});
  });
  if (!rounds.ok()) return rounds.status();
  for (size_t i = 0; i < contenders.size(); ++i) {
    bench.report.AddLoad("PutExecution, journal on and off", contenders[i].name, (*rounds)[i]);
  }
  AddFigures(bench.report, (*rounds)[0], (*rounds)[1]);
  if (absl::Status stopped = on->server->Stop(); !stopped.ok()) return stopped;
  return off->server->Stop();
}

}  // namespace pedigree::bench
