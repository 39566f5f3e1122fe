#include "bench/phases.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace pedigree::bench {

absl::StatusOr<std::unique_ptr<MeasuredServer>> StartPedigreed(const Settings& settings,
                                                               const std::string& name,
                                                               const std::string& sync,
                                                               const std::string& data_dir) {
  PedigreedOptions options{
      .name = name,
      .program = settings.program,
      .directory = settings.directory,
      .data_dir = data_dir,
      .flags = {"--sync=" + sync,
                absl::StrCat("--block_cache_bytes=", settings.block_cache_mib << 20),
                absl::StrCat("--write_buffer_bytes=", settings.write_buffer_mib << 20)}};
  options.flags.insert(options.flags.end(), settings.server_flags.begin(),
                       settings.server_flags.end());
  return StartPedigreed(options);
}

Contender ServerLoad(MeasuredServer& server, const std::string& method, int in_flight,
                     const RequestFactory& next_request, const Settings& settings) {
  const Load load{.method = method,
                  .in_flight = in_flight,
                  .warm_up = settings.warm_up,
                  .duration = settings.window,
                  .server_pid = server.pid()};
  return {server.name(),
          [&server, &next_request, load] { return server.client().Run(load, next_request); }};
}

std::vector<double> SharesByCpu(const std::vector<LoadResult>& server,
                                const std::vector<LoadResult>& echo) {
  std::vector<double> shares;
  for (size_t i = 0; i < server.size(); ++i) {
    shares.push_back((echo[i].server_cpu_us + echo[i].client_cpu_us) /
                     (server[i].server_cpu_us + server[i].client_cpu_us));
  }
  return shares;
}

}  // namespace pedigree::bench
