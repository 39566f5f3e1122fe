// The program store_process, which opens a store in a process of its own.
//
// Threads: one.
//
//   OtherProcess other({"hold", data_dir});
//   EXPECT_EQ(other.ReadLine(), "OK");     // it has the store open
//   other.WriteLine("insert");
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace pedigree {

class OtherProcess {
 public:
  // kNobody needs a test that runs as root.
  enum class As { kThisUser, kNobody };

  // Aborts the test program where it cannot be started.
  explicit OtherProcess(const std::vector<std::string>& arguments, As as = As::kThisUser);
  // Waits for the process to end.
  ~OtherProcess();
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  // The next line that it prints, without its end; "" once it prints no more.
  std::string ReadLine();
  void WriteLine(const std::string& line);

 private:
  pid_t pid_ = -1;
  FILE* from_ = nullptr;
  FILE* to_ = nullptr;
};

}  // namespace pedigree
