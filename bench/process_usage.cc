#include "bench/process_usage.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pedigree::bench {
namespace {

// Time that all cores together did not idle, since boot; 0 if /proc does not tell.
double BusyCoreSeconds() {
  // "cpu  user nice system idle iowait irq softirq steal ...", in ticks.
  constexpr size_t kIdle = 4, kIoWait = 5, kSteal = 8;
  std::ifstream file("/proc/stat");
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  double ticks = 0;
  for (size_t i = 1; i < words.size() && i <= kSteal; ++i) {
    double value = 0;
    if (i != kIdle && i != kIoWait && absl::SimpleAtod(words[i], &value)) ticks += value;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// CPU of this process and of its children that have ended.
double OwnCpuSeconds() {
  double seconds = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage = {};
    getrusage(who, &usage);
    seconds += SecondsOf(usage.ru_utime) + SecondsOf(usage.ru_stime);
  }
  return seconds;
}

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

absl::StatusOr<double> CpuSecondsOf(pid_t pid) {
  clockid_t clock;
  timespec time;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return absl::NotFoundError(absl::StrCat("no process ", pid));
  }
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

absl::StatusOr<ResidentMemory> ResidentMemoryOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
  if (!file) return absl::NotFoundError(absl::StrCat("no process ", pid));
  ResidentMemory memory;
  for (std::string line; std::getline(file, line);) {
    // A line of interest is "VmRSS:\t   12345 kB".
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
    double kib = 0;
    if (words.size() != 3 || !absl::SimpleAtod(words[1], &kib)) continue;
    if (words[0] == "VmRSS:") memory.now_mib = kib / 1024;
    if (words[0] == "VmHWM:") memory.peak_mib = kib / 1024;
  }
  if (memory.now_mib == 0) return absl::DataLossError(absl::StrCat("no VmRSS of process ", pid));
  return memory;
}

CoreWatch::CoreWatch()
    : started_s_(SteadySeconds()), busy_s_(BusyCoreSeconds()), own_s_(OwnCpuSeconds()) {}

absl::StatusOr<double> CoreWatch::CoresBusyWithOthers() const {
  if (busy_s_ == 0) return absl::DataLossError("no times in /proc/stat");
  const double others = BusyCoreSeconds() - busy_s_ - (OwnCpuSeconds() - own_s_);
  return std::max(0.0, others) / (SteadySeconds() - started_s_);
}

}  // namespace pedigree::bench
