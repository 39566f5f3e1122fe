#include "bench/hardware.h"

#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace pedigree::bench {
namespace {

std::string CpuModel() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(": ", 1));
    if (parts.size() == 2 && absl::StartsWith(parts[0], "model name")) return parts[1];
  }
  return "unknown CPU";
}

// "ext4 on /dev/vda": the mount with the longest path that holds `directory`.
std::string FileSystemOf(const std::string& directory) {
  std::error_code ignored;
  const std::string path = std::filesystem::canonical(directory, ignored).string() + "/";
  std::ifstream file("/proc/mounts");
  std::string found = "unknown file system";
  size_t found_length = 0;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() < 3) continue;
    const std::string mount = words[1] == "/" ? "/" : words[1] + "/";
    if (!absl::StartsWith(path, mount) || mount.size() < found_length) continue;
    found_length = mount.size();
    found = absl::StrCat(words[2], " on ", words[0]);
  }
  return found;
}

}  // namespace

std::string HardwareLine(const std::string& directory) {
  const double memory_gib = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                            static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 30);
  utsname kernel = {};
  uname(&kernel);
  return absl::StrFormat("%s, %d cores, %.1f GiB, %s, %s %s", CpuModel(),
                         sysconf(_SC_NPROCESSORS_ONLN), memory_gib, FileSystemOf(directory),
                         kernel.sysname, kernel.release);
}

bool IsInMemory(const std::string& directory) {
  constexpr long kTmpfs = 0x01021994;  // TMPFS_MAGIC of linux/magic.h
  struct statfs info = {};
  return statfs(directory.c_str(), &info) == 0 && info.f_type == kTmpfs;
}

}  // namespace pedigree::bench
