// A server program under test: started on a free loopback port with a fresh directory, stopped,
// killed, restarted on the same directory. Whatever a test does, the destructor reaps the process
// and removes the directory.
//
// The program is called as `PROGRAM --grpc_port=N --data_dir=DIR --listen=127.0.0.1 EXTRA...`; its
// output goes to a log beside the data directory, and the log's tail is part of every error.
//
// Threading: one thread at a time. The kernel kills the server when the thread that started it
// ends, so that an aborted test leaves no process behind: start it from a thread that lives on.
//
// Example:
//   auto server = ServerProcess::Start({.program = path});
//   ASSERT_TRUE(server.ok()) << server.status();
//   RawClient client((*server)->address());
//   ...
//   absl::Status stopped = (*server)->Stop();   // an error unless it exits with code 0
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace pedigree::testing {

// How a process ended: by exit(code), or by a signal.
struct ExitStatus {
  int code = 0;
  int signal = 0;  // 0 unless a signal ended it.

  bool ok() const { return code == 0 && signal == 0; }
  std::string ToString() const;  // "exit code 3" or "signal 9 (Killed)".
};

struct ServerOptions {
  std::string program;
  std::vector<std::string> extra_args = {};
  absl::Duration start_timeout = absl::Seconds(30);
  absl::Duration stop_timeout = absl::Seconds(30);
};

class ServerProcess {
 public:
  // Starts the program and returns when it accepts gRPC connections. FailedPrecondition: it ended
  // before. DeadlineExceeded: it neither ended nor listened in time, and was killed. Internal or
  // Unavailable: this machine refused a directory, a port or a process.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(ServerOptions options);

  // Kills a server that still runs.
  ~ServerProcess();

  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& address() const { return address_; }    // "127.0.0.1:23817"; never changes.
  const std::string& data_dir() const { return data_dir_; }  // Never changes, stays until the end.
  pid_t pid() const { return pid_; }                         // 0 while no server runs.

  // Returns whether the server runs. A server that has ended by itself is noticed here, and its
  // status is then in last_exit().
  bool IsRunning();

  // How the server ended last; nullopt if it never has.
  const std::optional<ExitStatus>& last_exit() const { return last_exit_; }

  // Asks the server to end (SIGTERM) and waits. OK if it then exits with code 0; Aborted if it ends
  // any other way; DeadlineExceeded if it does not end in time (it is then killed);
  // FailedPrecondition if it had ended by itself, or was stopped or killed, before.
  absl::Status Stop();

  // Ends the server at once, as a power cut of the process (SIGKILL), and reaps it.
  // FailedPrecondition as for Stop.
  absl::Status Kill9();

  // Starts the server again: same directory, address and arguments; the log goes on.
  // FailedPrecondition if it still runs; otherwise as Start.
  absl::Status Restart();

  // The last `max_bytes` bytes of what the server has printed.
  std::string LogTail(size_t max_bytes = 4096) const;

 private:
  explicit ServerProcess(ServerOptions options) : options_(std::move(options)) {}

  absl::Status CreateDirectories();
  absl::Status Launch();
  absl::Status Fork();
  absl::Status WaitUntilReady();
  bool IsReady() const;
  std::vector<std::string> CommandLine() const;
  absl::Status RequireRunning();
  bool WaitForEnd(absl::Duration timeout);
  void KillAndReap();
  std::string WithLog(const std::string& what) const;

  const ServerOptions options_;
  std::string root_dir_;  // Holds the data directory and the log; removed by the destructor.
  std::string data_dir_;
  std::string log_path_;
  std::string address_;
  int port_ = 0;
  pid_t pid_ = 0;
  std::optional<ExitStatus> last_exit_;
};

}  // namespace pedigree::testing
