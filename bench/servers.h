// The servers that are measured, each a child process on a free loopback port with a connected
// client.
//
// Threading: one owner; start them from the main thread (see child_process.h).
//
//   auto server = StartPedigreed({.name = "always", .program = "bin/pedigreed",
//                                 .directory = scratch, .flags = {"--sync=always"}});
//   (*server)->client().Call("/ml_metadata.MetadataStoreService/GetArtifacts", "");
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bench/child_process.h"
#include "bench/load_generator.h"

namespace pedigree::bench {

class MeasuredServer {
 public:
  // REQUIRES: `process` runs and `client` is connected to it.
  MeasuredServer(std::string name, std::string command, std::string address,
                 std::unique_ptr<ChildProcess> process, std::unique_ptr<LoadClient> client);

  // How the report calls it, and how it was started.
  const std::string& name() const { return name_; }
  const std::string& command() const { return command_; }
  const std::string& address() const { return address_; }

  pid_t pid() const { return process_->pid(); }
  LoadClient& client() { return *client_; }

  // Ends it in order; see ChildProcess::Stop.
  absl::Status Stop();

 private:
  std::string name_;
  std::string command_;
  std::string address_;
  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<LoadClient> client_;
};

// How to start one pedigreed.
struct PedigreedOptions {
  std::string name;
  std::string program;             // path of the binary
  std::string directory;           // receives <port>.data and <port>.log
  std::string data_dir = {};       // instead of <port>.data
  std::vector<std::string> flags;  // beyond port, listen address and data directory
};

// Starts a pedigreed and waits until it answers. Unavailable, with its log's end, if it does not
// within 60 s (a start on existing data rebuilds indexes).
absl::StatusOr<std::unique_ptr<MeasuredServer>> StartPedigreed(const PedigreedOptions& options);

// Starts the echo: this very program again, with the flags that make it one.
absl::StatusOr<std::unique_ptr<MeasuredServer>> StartEcho(const std::string& directory);

// Waits until all `servers` and this process use less than 3 % of a core together, so that the
// flushes and compactions after one measurement do not disturb the next. Gives up after 3 s.
void WaitUntilIdle(const std::vector<const MeasuredServer*>& servers);

}  // namespace pedigree::bench
