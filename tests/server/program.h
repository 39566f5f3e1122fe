// A program run by a test: started with any arguments, as another user if wanted, its output kept.
// ServerProcess (tests/support) is for servers that start well; this is for those that do not, and
// for those whose start a plain-text gRPC connection cannot notice. The destructor kills what still
// runs.
//
// Threading: one thread at a time, and the one that starts it must outlive it (the kernel kills the
// program with its parent thread).
//
// Example:
//   Program program({.path = PEDIGREED, .args = {"--no_such_flag"}});
//   EXPECT_EQ(program.WaitForEnd()->code, 1) << program.Output();
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/support/server_process.h"

namespace pedigree::testing {

struct ProgramOptions {
  std::string path;
  std::vector<std::string> args;
  // Run as user and group 65534, which own nothing. Needs a test that runs as root.
  bool as_nobody = false;
};

class Program {
 public:
  explicit Program(const ProgramOptions& options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // How it ended; nullopt if it does not within the time.
  std::optional<ExitStatus> WaitForEnd(absl::Duration timeout = absl::Seconds(30));
  // Whether its output has come to hold `text` in time.
  bool WaitForOutput(absl::string_view text, absl::Duration timeout = absl::Seconds(30));
  void Signal(int signal);

  // Everything that it has printed so far, to standard output and error.
  std::string Output();
  // The lines among it that the program itself wrote ("pedigreed: ..."): gRPC logs there as well.
  std::vector<std::string> OwnLines();

 private:
  void ReadOutput();

  pid_t pid_ = 0;
  int output_fd_ = -1;
  std::string output_;
  std::optional<ExitStatus> end_;
};

}  // namespace pedigree::testing
