#include "bench/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"

namespace pedigree::bench {
namespace {

constexpr std::chrono::seconds kStopPatience{20};
constexpr std::chrono::milliseconds kPollInterval{20};
constexpr size_t kLogTailBytes = 800;

// Runs between fork and exec in a process whose other threads are gone: system calls only.
[[noreturn]] void ExecuteInChild(char* const* arguments, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the parent died before the line above
  setpgid(0, 0);                        // a Ctrl-C is for the benchmark, which then stops us
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

std::string Describe(int wait_status) {
  if (WIFSIGNALED(wait_status)) return absl::StrCat("was ended by signal ", WTERMSIG(wait_status));
  return absl::StrCat("exited with code ", WEXITSTATUS(wait_status));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::vector<std::string>& command, const std::string& log_path) {
  if (access(command[0].c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("no executable program at ", command[0]));
  }
  const int log = open(log_path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", log_path));
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.data()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) ExecuteInChild(arguments.data(), log, parent);
  const int fork_errno = errno;
  close(log);
  if (pid < 0) return absl::ErrnoToStatus(fork_errno, absl::StrCat("cannot start ", command[0]));
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, log_path));
}

ChildProcess::~ChildProcess() { Stop().IgnoreError(); }

absl::Status ChildProcess::CheckAlive() {
  if (!ended_) ended_ = waitpid(pid_, &wait_status_, WNOHANG) == pid_;
  if (!ended_) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("process ", pid_, " ", Describe(wait_status_), "; its log ends: ", LogTail()));
}

absl::Status ChildProcess::Stop() {
  if (ended_) return absl::OkStatus();
  kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kStopPatience;
  while (waitpid(pid_, &wait_status_, WNOHANG) != pid_) {
    if (std::chrono::steady_clock::now() > deadline) {
      kill(pid_, SIGKILL);
      waitpid(pid_, &wait_status_, 0);
      break;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  ended_ = true;
  if (WIFEXITED(wait_status_) && WEXITSTATUS(wait_status_) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("stopping process ", pid_, ": it ",
                                          Describe(wait_status_), "; its log ends: ", LogTail()));
}

std::string ChildProcess::LogTail() const {
  std::ifstream file(log_path_);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.size() <= kLogTailBytes ? text : text.substr(text.size() - kLogTailBytes);
}

}  // namespace pedigree::bench
