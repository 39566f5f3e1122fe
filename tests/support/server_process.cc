#include "tests/support/server_process.h"

#include <fcntl.h>
#include <grpcpp/channel.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "tests/support/loopback_port.h"
#include "tests/support/raw_client.h"

namespace pedigree::testing {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kPoll = absl::Milliseconds(2);

ExitStatus FromWaitStatus(int status) {
  if (WIFSIGNALED(status)) return {.code = 0, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

// Runs in the child between fork and exec: only async-signal-safe calls, no allocation.
[[noreturn]] void RunInChild(char* const argv[], const char* log_path, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // The parent died before the line above.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int input = open("/dev/null", O_RDONLY);
  if (log < 0 || input < 0) _exit(127);
  dup2(input, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  execv(argv[0], argv);
  constexpr char kFailed[] = "the program cannot be executed: ";
  const char* why = strerrordesc_np(errno);
  if (write(STDERR_FILENO, kFailed, sizeof(kFailed) - 1) < 0) _exit(127);
  if (why != nullptr && write(STDERR_FILENO, why, strlen(why)) < 0) _exit(127);
  _exit(127);
}

}  // namespace

std::string ExitStatus::ToString() const {
  if (signal == 0) return absl::StrCat("exit code ", code);
  const char* name = sigdescr_np(signal);
  return absl::StrCat("signal ", signal, " (", name == nullptr ? "unknown" : name, ")");
}

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(ServerOptions options) {
  auto server = std::unique_ptr<ServerProcess>(new ServerProcess(std::move(options)));
  if (const absl::Status made = server->CreateDirectories(); !made.ok()) return made;
  const absl::StatusOr<int> port = FreeLoopbackPort();
  if (!port.ok()) return port.status();
  server->port_ = *port;
  server->address_ = absl::StrCat("127.0.0.1:", *port);
  if (const absl::Status launched = server->Launch(); !launched.ok()) return launched;
  return server;
}

ServerProcess::~ServerProcess() {
  KillAndReap();
  std::error_code ignored;  // A directory that cannot be removed is no reason to end a test run.
  if (!root_dir_.empty()) fs::remove_all(root_dir_, ignored);
}

bool ServerProcess::IsRunning() {
  if (pid_ == 0) return false;
  siginfo_t ended = {};
  const auto id = static_cast<id_t>(pid_);
  if (waitid(P_PID, id, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return true;
  KillAndReap();  // Keeps the status; what the program itself has started goes with it.
  return false;
}

absl::Status ServerProcess::Stop() {
  if (const absl::Status running = RequireRunning(); !running.ok()) return running;
  kill(-pid_, SIGTERM);
  if (!WaitForEnd(options_.stop_timeout)) {
    KillAndReap();
    return absl::DeadlineExceededError(WithLog(
        absl::StrCat("the server did not end within ", absl::FormatDuration(options_.stop_timeout),
                     " of SIGTERM and was killed")));
  }
  if (last_exit_->ok()) return absl::OkStatus();
  return absl::AbortedError(
      WithLog(absl::StrCat("the server answered SIGTERM with ", last_exit_->ToString())));
}

absl::Status ServerProcess::Kill9() {
  if (const absl::Status running = RequireRunning(); !running.ok()) return running;
  KillAndReap();
  return absl::OkStatus();
}

absl::Status ServerProcess::Restart() {
  if (IsRunning()) return absl::FailedPreconditionError("the server still runs");
  return Launch();
}

std::string ServerProcess::LogTail(size_t max_bytes) const {
  std::ifstream log(log_path_, std::ios::binary | std::ios::ate);
  if (!log) return "";
  const auto size = static_cast<size_t>(log.tellg());
  const size_t length = size < max_bytes ? size : max_bytes;
  std::string tail(length, '\0');
  log.seekg(static_cast<std::streamoff>(size - length));
  log.read(tail.data(), static_cast<std::streamsize>(length));
  tail.resize(static_cast<size_t>(log.gcount()));
  return tail;
}

absl::Status ServerProcess::CreateDirectories() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::string name = ((error ? fs::path("/tmp") : parent) / "pedigree-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    return absl::InternalError(absl::StrCat("cannot create ", name, ": ", strerror(errno)));
  }
  root_dir_ = name;
  data_dir_ = root_dir_ + "/data";
  log_path_ = root_dir_ + "/server.log";
  if (!fs::create_directory(data_dir_, error)) {
    return absl::InternalError(absl::StrCat("cannot create ", data_dir_, ": ", error.message()));
  }
  return absl::OkStatus();
}

absl::Status ServerProcess::Launch() {
  if (const absl::Status forked = Fork(); !forked.ok()) return forked;
  return WaitUntilReady();
}

absl::Status ServerProcess::Fork() {
  std::vector<std::string> words = CommandLine();
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return absl::InternalError(absl::StrCat("cannot fork: ", strerror(errno)));
  if (pid == 0) RunInChild(argv.data(), log_path_.c_str(), parent);
  setpgid(pid, pid);  // Whoever comes first, child or parent: the group exists from here on.
  pid_ = pid;
  return absl::OkStatus();
}

absl::Status ServerProcess::WaitUntilReady() {
  const absl::Time deadline = absl::Now() + options_.start_timeout;
  const std::string command = absl::StrJoin(CommandLine(), " ");
  while (absl::Now() < deadline) {
    const bool ready = IsReady();
    // Asked last: whoever answers on the port, it is this server only if this one lives.
    if (!IsRunning()) {
      return absl::FailedPreconditionError(WithLog(absl::StrCat(
          "the server ended before it was ready, ", last_exit_->ToString(), ": ", command)));
    }
    if (ready) return absl::OkStatus();
    absl::SleepFor(kPoll);
  }
  KillAndReap();
  return absl::DeadlineExceededError(WithLog(
      absl::StrCat("the server did not accept gRPC connections on ", address_, " within ",
                   absl::FormatDuration(options_.start_timeout), " and was killed: ", command)));
}

// A channel that has been refused once waits 100 ms, whatever it is told: TCP is asked before.
bool ServerProcess::IsReady() const {
  if (!IsListening(port_)) return false;
  const absl::Time deadline = absl::Now() + absl::Milliseconds(500);
  return NewChannel(address_)->WaitForConnected(absl::ToChronoTime(deadline));
}

std::vector<std::string> ServerProcess::CommandLine() const {
  std::vector<std::string> words = {options_.program, absl::StrCat("--grpc_port=", port_),
                                    absl::StrCat("--data_dir=", data_dir_), "--listen=127.0.0.1"};
  words.insert(words.end(), options_.extra_args.begin(), options_.extra_args.end());
  return words;
}

absl::Status ServerProcess::RequireRunning() {
  const bool was_running = pid_ != 0;
  if (IsRunning()) return absl::OkStatus();
  if (!was_running) return absl::FailedPreconditionError("no server runs");
  return absl::FailedPreconditionError(
      WithLog(absl::StrCat("the server had ended by itself, ", last_exit_->ToString())));
}

bool ServerProcess::WaitForEnd(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (IsRunning()) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(kPoll);
  }
  return true;
}

void ServerProcess::KillAndReap() {
  if (pid_ == 0) return;
  kill(-pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  last_exit_ = FromWaitStatus(status);
  pid_ = 0;
}

std::string ServerProcess::WithLog(const std::string& what) const {
  const std::string log = LogTail();
  return log.empty() ? what + " (it printed nothing)"
                     : absl::StrCat(what, "\nits log ends:\n", log);
}

}  // namespace pedigree::testing
