// A server under test as a child process which cannot outlive the benchmark: it is stopped by its
// pid when the object dies, and the kernel kills it should the benchmark itself be killed.
//
// Threading: one owner; Start only from the main thread, because the kernel ties the child's life
// to the thread that forked it.
//
//   auto child = ChildProcess::Start({"/usr/bin/server", "--port=1"}, "/tmp/x/server.log");
//   double cpu_before = *CpuSecondsOf((*child)->pid());
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pedigree::bench {

class ChildProcess {
 public:
  // Runs `command` (a path and its arguments) with its output in `log_path`. NotFound if the
  // program cannot be executed; the system error's code if the fork or the log fails.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& command, const std::string& log_path);

  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }

  // Unavailable, with how it ended and the last lines of its log, once the child has ended.
  absl::Status CheckAlive();

  // SIGTERM, and SIGKILL should it not have ended after 20 s. Internal if it needed the second or
  // exited with another code than 0. Does nothing the second time.
  absl::Status Stop();

 private:
  ChildProcess(pid_t pid, std::string log_path) : pid_(pid), log_path_(std::move(log_path)) {}

  std::string LogTail() const;

  pid_t pid_;
  std::string log_path_;
  bool ended_ = false;
  int wait_status_ = 0;
};

}  // namespace pedigree::bench
