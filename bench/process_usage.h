// What a process has used, read from outside it.
//
// Threading: pure functions of the kernel's state.
//
//   double before = *CpuSecondsOf(server_pid);
//   ... load ...
//   double cpu_us_per_call = (*CpuSecondsOf(server_pid) - before) / calls * 1e6;
#pragma once

#include <sys/types.h>

#include "absl/status/statusor.h"

namespace pedigree::bench {

// User and system time of all threads so far, ended ones too, with nanosecond resolution (/proc's
// utime and stime would count in ticks of 10 ms). NotFound if there is no such process.
absl::StatusOr<double> CpuSecondsOf(pid_t pid);

// The resident set now and at its highest (VmRSS and VmHWM).
struct ResidentMemory {
  double now_mib = 0;
  double peak_mib = 0;
};

// NotFound if there is no such process; DataLoss if /proc does not tell.
absl::StatusOr<ResidentMemory> ResidentMemoryOf(pid_t pid);

// How busy the machine's cores have been since some moment, and by whom.
class CoreWatch {
 public:
  CoreWatch();

  // Cores that others than this process and its ended children kept busy on average since the
  // construction: what disturbed the measurements. DataLoss if /proc does not tell.
  // REQUIRES: the children have been stopped.
  absl::StatusOr<double> CoresBusyWithOthers() const;

 private:
  double started_s_;
  double busy_s_;
  double own_s_;
};

}  // namespace pedigree::bench
