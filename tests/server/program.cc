#include "tests/server/program.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace pedigree::testing {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(2);
constexpr uid_t kNobody = 65534;

[[noreturn]] void Die(const std::string& what) {
  std::perror(what.c_str());
  std::abort();
}

// Runs in the child between fork and exec: only async-signal-safe calls, no allocation.
[[noreturn]] void RunInChild(int program, char* const argv[], int output, bool as_nobody,
                             pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (as_nobody && (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0)) {
    _exit(126);
  }
  if (as_nobody) prctl(PR_SET_PDEATHSIG, SIGKILL);  // A change of user clears it.
  // By descriptor: another user may not be able to reach the path.
  fexecve(program, argv, environ);
  _exit(127);
}

}  // namespace

Program::Program(const ProgramOptions& options) {
  std::vector<std::string> words = {options.path};
  words.insert(words.end(), options.args.begin(), options.args.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int program = open(options.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (program < 0) Die(options.path);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) Die("pipe");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) Die("fork");
  if (pid_ == 0) RunInChild(program, argv.data(), ends[1], options.as_nobody, parent);
  close(program);
  close(ends[1]);
  output_fd_ = ends[0];
}

Program::~Program() {
  Signal(SIGKILL);
  WaitForEnd();
  close(output_fd_);
}

void Program::Signal(int signal) {
  if (!end_.has_value()) kill(pid_, signal);
}

std::optional<ExitStatus> Program::WaitForEnd(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!end_.has_value()) {
    ReadOutput();  // A full pipe would stop it.
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      end_ = WIFSIGNALED(status) ? ExitStatus{.code = 0, .signal = WTERMSIG(status)}
                                 : ExitStatus{.code = WEXITSTATUS(status), .signal = 0};
    } else if (absl::Now() >= deadline) {
      return std::nullopt;
    } else {
      absl::SleepFor(kPoll);
    }
  }
  ReadOutput();
  return end_;
}

bool Program::WaitForOutput(absl::string_view text, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!absl::StrContains(Output(), text)) {
    if (absl::Now() >= deadline || WaitForEnd(absl::ZeroDuration()).has_value()) {
      return absl::StrContains(output_, text);
    }
    absl::SleepFor(kPoll);
  }
  return true;
}

void Program::ReadOutput() {
  char buffer[4096];
  for (ssize_t size = 0; (size = read(output_fd_, buffer, sizeof(buffer))) > 0;) {
    output_.append(buffer, static_cast<size_t>(size));
  }
}

std::string Program::Output() {
  ReadOutput();
  return output_;
}

std::vector<std::string> Program::OwnLines() {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(Output(), '\n')) {
    if (absl::StartsWith(line, "pedigreed: ")) lines.emplace_back(line);
  }
  return lines;
}

}  // namespace pedigree::testing
