#include "tests/model/memory_directory.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace pedigree::model {

namespace fs = std::filesystem;

MemoryDirectory::MemoryDirectory() {
  const fs::path in_memory = "/dev/shm";
  const bool usable = access(in_memory.c_str(), W_OK) == 0;
  path_ = (usable ? in_memory : fs::temp_directory_path()) / "pedigree-test-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) {
    std::perror(path_.c_str());
    std::abort();
  }
}

MemoryDirectory::~MemoryDirectory() {
  std::error_code ignored;  // What cannot be removed is no reason to end a test run.
  fs::remove_all(path_, ignored);
}

}  // namespace pedigree::model
