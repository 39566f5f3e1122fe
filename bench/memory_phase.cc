#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/phases.h"
#include "bench/process_usage.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "store/store.h"

namespace pedigree::bench {
namespace {

constexpr int64_t kArtifactsPerCall = 100;
constexpr int kInFlight = 8;
constexpr double kIdleLimitMib = 64;
constexpr std::chrono::minutes kLoadPatience{2};

absl::StatusOr<LoadedServer> StartEmpty(const Bench& bench) {
  LoadedServer loaded;
  absl::StatusOr<std::unique_ptr<MeasuredServer>> server =
      StartPedigreed(bench.settings, "pedigreed", "always");
  if (!server.ok()) return server.status();
  loaded.server = *std::move(server);
  absl::StatusOr<KfpRun> run = SetUpKfpRun(loaded.server->client());
  if (!run.ok()) return run.status();
  loaded.run = *std::move(run);
  return loaded;
}

// Ids are handed out from 1 without gaps: the last one has to exist.
absl::Status CheckLastArtifact(LoadedServer& loaded) {
  ml_metadata::GetArtifactsByIDRequest request;
  request.add_artifact_ids(loaded.artifacts);
  const absl::StatusOr<std::string> reply =
      loaded.server->client().Call(kGetArtifactsById, request.SerializeAsString());
  if (!reply.ok()) return reply.status();
  ml_metadata::GetArtifactsByIDResponse response;
  if (!response.ParseFromString(*reply) || response.artifacts_size() != 1) {
    return absl::DataLossError(absl::StrCat("artifact ", loaded.artifacts, " is not there"));
  }
  return absl::OkStatus();
}

// Sends `calls` requests, as fast as they are answered, adds the load to the report, and answers
// how many were answered in time.
absl::StatusOr<int64_t> SendAll(const Bench& bench, MeasuredServer& server,
                                const std::string& method, int64_t calls,
                                const RequestFactory& next_request) {
  const Load load{.method = method,
                  .in_flight = kInFlight,
                  .duration = kLoadPatience,
                  .max_calls = static_cast<uint64_t>(calls),
                  .server_pid = server.pid()};
  const absl::StatusOr<LoadResult> result = server.client().Run(load, next_request);
  if (!result.ok()) return result.status();
  const std::string rpc = method.substr(method.rfind('/') + 1);
  bench.report.AddLoad(absl::StrFormat("%s of %d, %d in flight", rpc, kArtifactsPerCall, kInFlight),
                       server.name(), {*result});
  return static_cast<int64_t>(result->calls);
}

absl::Status PutArtifacts(const Bench& bench, LoadedServer& loaded) {
  PatchedRequest requests(PutArtifactsTemplate(loaded.run, static_cast<int>(kArtifactsPerCall)));
  const absl::StatusOr<int64_t> answered =
      SendAll(bench, *loaded.server, kPutArtifacts, bench.settings.memory_nodes / kArtifactsPerCall,
              [&requests] { return requests.Next(); });
  if (!answered.ok()) return answered.status();
  loaded.artifacts = *answered * kArtifactsPerCall;
  return CheckLastArtifact(loaded);
}

// Reads every artifact once, so that the block cache is as full as it gets.
absl::Status ReadArtifacts(const Bench& bench, LoadedServer& loaded) {
  int64_t last_id = 0;
  const RequestFactory next_request = [&last_id] {
    ml_metadata::GetArtifactsByIDRequest request;
    for (int64_t i = 0; i < kArtifactsPerCall; ++i) request.add_artifact_ids(++last_id);
    return ByteBufferOf(request.SerializeAsString());
  };
  return SendAll(bench, *loaded.server, kGetArtifactsById, loaded.artifacts / kArtifactsPerCall,
                 next_request)
      .status();
}

// Adds the memory of the server now to the report.
absl::Status AddMemory(const Bench& bench, const MeasuredServer& server, const std::string& when,
                       double limit_mib, const std::string& note) {
  WaitUntilIdle({&server});
  const absl::StatusOr<ResidentMemory> memory = ResidentMemoryOf(server.pid());
  if (!memory.ok()) return memory.status();
  bench.report.AddFigure(
      {.name = "memory, " + when,
       .unit = Unit::kMebibytes,
       .values = {memory->now_mib},
       .target = AtMost(limit_mib),
       .note = absl::StrFormat("%.1f MiB at most so far%s", memory->peak_mib, note)});
  return absl::OkStatus();
}

// Fills `loaded` and reports its memory before, between and after.
absl::Status MeasureMemory(const Bench& bench, LoadedServer& loaded) {
  const absl::StatusOr<ResidentMemory> echo = ResidentMemoryOf(bench.echo.pid());
  if (!echo.ok()) return echo.status();
  absl::Status added =
      AddMemory(bench, *loaded.server, "idle", kIdleLimitMib,
                absl::StrFormat("; the bare gRPC echo has %.1f MiB", echo->now_mib));
  if (!added.ok()) return added;

  const Settings& settings = bench.settings;
  const double limit_mib =
      static_cast<double>(settings.block_cache_mib + settings.write_buffer_mib) +
      static_cast<double>(StoreOptions().record_cache_bytes >> 20) + kIdleLimitMib;
  if (absl::Status put = PutArtifacts(bench, loaded); !put.ok()) return put;
  added = AddMemory(bench, *loaded.server, absl::StrCat(loaded.artifacts, " artifacts written"),
                    limit_mib,
                    "; the limit is block cache + write buffers + record cache + idle limit");
  if (!added.ok()) return added;
  if (absl::Status read = ReadArtifacts(bench, loaded); !read.ok()) return read;
  return AddMemory(bench, *loaded.server, "and all of them read", limit_mib, "");
}

}  // namespace

absl::StatusOr<LoadedServer> RunMemoryPhase(const Bench& bench) {
  absl::StatusOr<LoadedServer> loaded = StartEmpty(bench);
  if (!loaded.ok()) return loaded;
  bench.report.AddFact("server", loaded->server->command());
  if (absl::Status status = MeasureMemory(bench, *loaded); !status.ok()) return status;
  return loaded;
}

}  // namespace pedigree::bench
