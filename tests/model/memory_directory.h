// A new directory, on a file system in memory where there is one: tests that stand in for the disk
// themselves need no real one, and are ten times as fast without. Removed with all it holds.
//
// Threads: any, once made.
//
//   MemoryDirectory directory;
//   StoreOptions options = {.data_dir = directory.path() + "/store"};
#pragma once

#include <string>

namespace pedigree::model {

class MemoryDirectory {
 public:
  // Ends the test program where it cannot be made.
  MemoryDirectory();
  ~MemoryDirectory();
  MemoryDirectory(const MemoryDirectory&) = delete;
  MemoryDirectory& operator=(const MemoryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace pedigree::model
