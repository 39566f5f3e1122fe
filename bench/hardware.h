// What the figures were measured on.
//
// Threading: pure functions of the kernel's state.
//
//   std::cout << HardwareLine("/tmp");   // "AMD EPYC, 2 cores, 23.4 GiB, ext4 on /dev/vda,
//   Linux 6.1"
#pragma once

#include <string>

namespace pedigree::bench {

// CPU model, cores, memory, the file system that holds `directory`, and the kernel.
std::string HardwareLine(const std::string& directory);

// True if nothing written to `directory` reaches a disk (tmpfs), so that figures with fsync say
// nothing.
bool IsInMemory(const std::string& directory);

}  // namespace pedigree::bench
