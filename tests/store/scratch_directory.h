// A new directory in memory or where temporary files belong, removed with all that is in it when
// the object dies. Threads: any, once made.
//
//   ScratchDirectory scratch;
//   const std::string data_dir = scratch.path() + "/store";
#pragma once

#include <string>

namespace pedigree {

class ScratchDirectory {
 public:
  // Aborts the test program where it cannot be made.
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Copies a directory with all that is in it. A store may be open in it, if nobody writes to it:
// when RocksDB adds or removes files in the background, the copy is made again. Fails the test if
// that happens a hundred times.
void CopyDirectory(const std::string& from, const std::string& to);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& content);

}  // namespace pedigree
