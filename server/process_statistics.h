// What the operating system says of this process. A plain value.
//
//   ReadProcessStatistics().resident_bytes
#pragma once

#include <cstdint>

namespace pedigree {

struct ProcessStatistics {
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  double cpu_seconds = 0;
  double start_seconds = 0;  // Since the epoch.
  uint64_t open_files = 0;
  uint64_t max_open_files = 0;
  uint64_t threads = 0;
};

// What cannot be read is 0. Reads /proc; any thread.
ProcessStatistics ReadProcessStatistics();

// Raises the number of files that may be open to what the system allows this process, so that
// connections leave room for the files of the store.
void RaiseFileLimit();

}  // namespace pedigree
