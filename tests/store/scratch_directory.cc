#include "tests/store/scratch_directory.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

namespace pedigree {

namespace fs = std::filesystem;

namespace {

// Memory where there is enough of it: these tests open hundreds of stores, and none needs a disk to
// survive anything but the end of a process.
std::string Parent() {
  constexpr uintmax_t kEnough = uintmax_t{512} << 20;
  std::error_code error;
  const fs::space_info memory = fs::space("/dev/shm", error);
  if (!error && memory.available >= kEnough && access("/dev/shm", W_OK) == 0) return "/dev/shm";
  return testing::TempDir();
}

// The paths below a directory. Throws fs::filesystem_error if one goes meanwhile.
std::set<std::string> PathsIn(const std::string& directory) {
  std::set<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    paths.insert(entry.path().string());
  }
  return paths;
}

// False if files came or went meanwhile: `to` is then a mixture of two states.
bool CopyIfAtRest(const std::string& from, const std::string& to) {
  try {
    const std::set<std::string> before = PathsIn(from);
    fs::copy(from, to, fs::copy_options::recursive);
    return PathsIn(from) == before;
  } catch (const fs::filesystem_error& error) {
    if (error.code() == std::errc::no_such_file_or_directory) return false;
    throw;
  }
}

}  // namespace

ScratchDirectory::ScratchDirectory() {
  std::string name = Parent() + "/pedigree-store-test-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    std::perror(name.c_str());
    std::abort();
  }
  path_ = fs::canonical(name);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code error;
  fs::remove_all(path_, error);
  if (error) ADD_FAILURE() << "cannot remove " << path_ << ": " << error.message();
}

void CopyDirectory(const std::string& from, const std::string& to) {
  for (int tries = 1; !CopyIfAtRest(from, to); ++tries) {
    ASSERT_LT(tries, 100) << from << " is never at rest";
    fs::remove_all(to);
  }
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  EXPECT_TRUE(file.good()) << path;
}

}  // namespace pedigree
