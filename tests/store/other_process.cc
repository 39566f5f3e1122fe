#include "tests/store/other_process.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace pedigree {
namespace {

constexpr uid_t kNobody = 65534;

// After fork, in a process that may have had threads: system calls only.
[[noreturn]] void BecomeProgram(int program, int in, int out, OtherProcess::As as,
                                char* const* arguments) {
  if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0) _exit(126);
  if (as == OtherProcess::As::kNobody &&
      (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0)) {
    _exit(126);
  }
  // By descriptor: nobody may have no right to look into the build directory.
  fexecve(program, arguments, environ);
  _exit(127);
}

}  // namespace

OtherProcess::OtherProcess(const std::vector<std::string>& arguments, As as) {
  std::vector<std::string> texts = {"store_process"};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);

  int in[2];
  int out[2];
  const int program = open(PEDIGREE_STORE_PROCESS, O_RDONLY | O_CLOEXEC);
  if (program < 0 || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
    std::perror(PEDIGREE_STORE_PROCESS);
    std::abort();
  }
  pid_ = fork();
  if (pid_ == 0) BecomeProgram(program, in[0], out[1], as, pointers.data());
  if (pid_ < 0) std::abort();
  close(program);
  close(in[0]);
  close(out[1]);
  to_ = fdopen(in[1], "w");
  from_ = fdopen(out[0], "r");
}

OtherProcess::~OtherProcess() {
  std::fclose(to_);
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_ || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    ADD_FAILURE() << "store_process ended with wait status " << status;
  }
  std::fclose(from_);
}

std::string OtherProcess::ReadLine() {
  std::string line;
  for (int c = std::fgetc(from_); c != EOF && c != '\n'; c = std::fgetc(from_)) {
    line.push_back(static_cast<char>(c));
  }
  return line;
}

void OtherProcess::WriteLine(const std::string& line) {
  std::fprintf(to_, "%s\n", line.c_str());
  std::fflush(to_);
}

}  // namespace pedigree
