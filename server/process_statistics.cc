#include "server/process_statistics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace pedigree {
namespace {

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

uint64_t Number(absl::string_view text) {
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

uint64_t CountOpenFiles() {
  std::error_code error;
  uint64_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // One is the directory itself.
}

// When the machine started, in seconds since the epoch.
double BootSeconds() {
  const std::string stat = ReadAll("/proc/stat");
  for (absl::string_view line : absl::StrSplit(stat, '\n')) {
    if (absl::ConsumePrefix(&line, "btime ")) return static_cast<double>(Number(line));
  }
  return 0;
}

}  // namespace

ProcessStatistics ReadProcessStatistics() {
  // Places after the name of the program, which ends with the last parenthesis; see proc(5).
  enum Place : size_t { kUser = 11, kSystem = 12, kThreads = 17, kStart = 19, kVirtual, kResident };
  ProcessStatistics statistics;
  const std::string stat = ReadAll("/proc/self/stat");
  const size_t name_end = stat.rfind(") ");
  if (name_end != std::string::npos) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(absl::string_view(stat).substr(name_end + 2), ' ');
    const auto field = [&](Place place) {
      return place < fields.size() ? Number(fields[place]) : 0;
    };
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    statistics.cpu_seconds = static_cast<double>(field(kUser) + field(kSystem)) / ticks;
    statistics.start_seconds = BootSeconds() + static_cast<double>(field(kStart)) / ticks;
    statistics.virtual_bytes = field(kVirtual);
    statistics.resident_bytes = field(kResident) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    statistics.threads = field(kThreads);
  }
  statistics.open_files = CountOpenFiles();
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) statistics.max_open_files = files.rlim_cur;
  return statistics;
}

void RaiseFileLimit() {
  constexpr rlim_t kEnough = 1 << 20;
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const rlim_t wanted = std::min(files.rlim_max, kEnough);
  if (files.rlim_cur >= wanted) return;
  files.rlim_cur = wanted;
  (void)setrlimit(RLIMIT_NOFILE, &files);  // If not, fewer connections are taken.
}

}  // namespace pedigree
