// Look-ups of cached steps by fingerprint against an echo of the same bytes, among 10,000 of them
// and among very many.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/cache_data.h"
#include "bench/echo_server.h"
#include "bench/interleave.h"
#include "bench/phases.h"
#include "bench/statistics.h"
#include "pedigree/v1/cache.pb.h"

namespace pedigree::bench {
namespace {

constexpr int64_t kFew = 10'000;
constexpr size_t kRequests = 2048;  // Different ones: the warm part of a store.
constexpr int kInFlight = 64;
constexpr double kShareOfEcho = 0.9;
constexpr double kMostOfFew = 1.3;

// A server with cached steps, and look-ups all over it.
struct Subject {
  std::unique_ptr<MeasuredServer> server;
  std::vector<std::string> requests;
};

std::vector<std::string> LookupRequests(int64_t fingerprints) {
  std::vector<std::string> requests;
  for (size_t i = 0; i < kRequests; ++i) {
    requests.push_back(CacheLookupRequest(static_cast<int64_t>(i) * 7919 * 631 % fingerprints));
  }
  return requests;
}

absl::StatusOr<Subject> StartSubject(const Bench& bench, int64_t fingerprints) {
  const Settings& settings = bench.settings;
  const std::string& directory =
      settings.keep_directory.empty() ? settings.directory : settings.keep_directory;
  const absl::StatusOr<std::string> data_dir =
      FilledCacheStore({.directory = directory, .fingerprints = fingerprints});
  if (!data_dir.ok()) return data_dir.status();
  auto server = StartPedigreed(
      settings, absl::StrFormat("pedigreed, %d fingerprints", fingerprints), "always", *data_dir);
  if (!server.ok()) return server.status();
  return Subject{*std::move(server), LookupRequests(fingerprints)};
}

// Asks everything once, which warms the caches; the last reply, for the echo.
absl::StatusOr<std::string> WarmUp(Subject& subject) {
  std::string last;
  for (const std::string& request : subject.requests) {
    absl::StatusOr<std::string> reply = subject.server->client().Call(kCacheLookup, request);
    if (!reply.ok()) return reply.status();
    v1::LookupResponse response;
    if (!response.ParseFromString(*reply) || response.hit().outputs_size() != 1) {
      return absl::DataLossError(
          absl::StrCat("no hit with one output: ", response.ShortDebugString()));
    }
    last = *std::move(reply);
  }
  return last;
}

std::vector<double> Column(const Rounds& rounds, size_t contender, double LoadResult::*member) {
  return ValuesOf(rounds[contender], member);
}

void AddFigures(const Bench& bench, const Rounds& rounds, int64_t many) {
  enum : size_t { kFewRounds, kManyRounds, kEchoRounds };
  const auto ratios = [&](size_t a, size_t b, double LoadResult::*member) {
    return RatiosOf(Column(rounds, a, member), Column(rounds, b, member));
  };
  for (const size_t subject : {kFewRounds, kManyRounds}) {
    bench.report.AddFigure({.name = absl::StrFormat("Lookup among %d fingerprints / echo",
                                                    subject == kFewRounds ? kFew : many),
                            .values = ratios(subject, kEchoRounds, &LoadResult::rate),
                            .target = AtLeast(kShareOfEcho)});
    bench.report.AddFigure({.name = "  the same by CPU of both sides",
                            .values = SharesByCpu(rounds[subject], rounds[kEchoRounds])});
  }
  bench.report.AddFigure(
      {.name = absl::StrFormat("Lookup among %d: p99 / among %d", many, kFew),
       .unit = Unit::kTimes,
       .values = ratios(kManyRounds, kFewRounds, &LoadResult::p99_us),
       .target = AtMost(kMostOfFew),
       .note = absl::StrFormat("%d in flight, %d different steps, warm", kInFlight, kRequests)});
  bench.report.AddFigure({.name = "  the server's CPU",
                          .unit = Unit::kTimes,
                          .values = ratios(kManyRounds, kFewRounds, &LoadResult::server_cpu_us),
                          .target = AtMost(kMostOfFew)});
}

absl::Status MeasureThroughput(const Bench& bench, Subject& few, Subject& many,
                               int64_t fingerprints) {
  const Settings& settings = bench.settings;
  const absl::StatusOr<std::string> reply = WarmUp(many);
  if (!reply.ok()) return reply.status();
  if (const auto small = WarmUp(few); !small.ok()) return small.status();
  if (const auto taught = bench.echo.client().Call(kEchoSetReplyMethod, *reply); !taught.ok()) {
    return taught.status();
  }
  RequestPool few_pool(few.requests), many_pool(many.requests);
  const RequestFactory next_few = [&few_pool] { return few_pool.Next(); };
  const RequestFactory next_many = [&many_pool] { return many_pool.Next(); };
  const std::vector<Contender> contenders = {
      ServerLoad(*few.server, kCacheLookup, kInFlight, next_few, settings),
      ServerLoad(*many.server, kCacheLookup, kInFlight, next_many, settings),
      ServerLoad(bench.echo, kEchoCallMethod, kInFlight, next_many, settings)};
  const absl::StatusOr<Rounds> rounds = Interleave(contenders, settings.rounds, [&] {
    WaitUntilIdle({few.server.get(), many.server.get()});
  });
  if (!rounds.ok()) return rounds.status();
  const std::string scenario = absl::StrFormat(
      "CacheService.Lookup, %d in flight, reply of %d bytes", kInFlight, reply->size());
  for (size_t i = 0; i < contenders.size(); ++i) {
    bench.report.AddLoad(scenario, contenders[i].name, (*rounds)[i]);
  }
  AddFigures(bench, *rounds, fingerprints);
  return absl::OkStatus();
}

absl::Status MeasureLatency(const Bench& bench, Subject& few, Subject& many) {
  const auto call_in_turn = [](Subject& subject) {
    return [&subject, next = size_t{0}]() mutable {
      const std::string& request = subject.requests[next++ % subject.requests.size()];
      return subject.server->client().Call(kCacheLookup, request).status();
    };
  };
  const absl::StatusOr<Rounds> rounds = InterleaveOperations(
      {{few.server->name(), call_in_turn(few)}, {many.server->name(), call_in_turn(many)}},
      bench.settings.rounds, bench.settings.window);
  if (!rounds.ok()) return rounds.status();
  for (const auto& [name, member] :
       {std::pair("p50", &LoadResult::p50_us), std::pair("p99", &LoadResult::p99_us)}) {
    bench.report.AddFigure(
        {.name = absl::StrCat("  ", name, ", one client"),
         .unit = Unit::kTimes,
         .values = RatiosOf(Column(*rounds, 1, member), Column(*rounds, 0, member)),
         .note = "call by call in turn"});
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunCachePhase(const Bench& bench) {
  const int64_t fingerprints = bench.settings.cache_fingerprints;
  absl::StatusOr<Subject> few = StartSubject(bench, kFew);
  if (!few.ok()) return few.status();
  absl::StatusOr<Subject> many = StartSubject(bench, fingerprints);
  if (!many.ok()) return many.status();
  absl::Status status = MeasureThroughput(bench, *few, *many, fingerprints);
  if (status.ok()) status = MeasureLatency(bench, *few, *many);
  if (!status.ok()) return status;
  status = few->server->Stop();
  return status.ok() ? many->server->Stop() : status;
}

}  // namespace pedigree::bench
