#include "bench/servers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/interrupt.h"
#include "bench/process_usage.h"

namespace pedigree::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kChannels = 2;
constexpr std::chrono::seconds kStartPatience{60};
constexpr std::chrono::seconds kIdlePatience{3};
constexpr std::chrono::milliseconds kIdleSlice{60};
constexpr double kIdleShareOfCore = 0.03;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port that was free a moment ago. Another process may take it first; the server then fails to
// listen, and the benchmark with it.
absl::StatusOr<uint16_t> FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool found = listener >= 0 && bind(listener, generic, length) == 0 &&
                     getsockname(listener, generic, &length) == 0;
  const int found_errno = errno;
  if (listener >= 0) close(listener);
  if (!found) return absl::ErrnoToStatus(found_errno, "no free loopback port");
  return ntohs(address.sin_port);
}

bool AcceptsConnections(uint16_t port) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool accepted = probe >= 0 && connect(probe, reinterpret_cast<const sockaddr*>(&address),
                                              sizeof(address)) == 0;
  if (probe >= 0) close(probe);
  return accepted;
}

absl::Status WaitUntilListening(ChildProcess& process, uint16_t port) {
  const auto deadline = Clock::now() + kStartPatience;
  while (!AcceptsConnections(port)) {
    if (Interrupted()) return InterruptedStatus();
    if (absl::Status alive = process.CheckAlive(); !alive.ok()) return alive;
    if (Clock::now() > deadline) {
      return absl::UnavailableError(absl::StrCat("port ", port, " does not answer"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return process.CheckAlive();  // or another process has taken the port
}

absl::StatusOr<std::unique_ptr<MeasuredServer>> Start(const std::string& name,
                                                      const std::vector<std::string>& command,
                                                      const std::string& log_path, uint16_t port) {
  absl::StatusOr<std::unique_ptr<ChildProcess>> process = ChildProcess::Start(command, log_path);
  if (!process.ok()) return process.status();
  if (absl::Status up = WaitUntilListening(**process, port); !up.ok()) return up;
  const std::string address = absl::StrCat("127.0.0.1:", port);
  absl::StatusOr<std::unique_ptr<LoadClient>> client = LoadClient::Connect(address, kChannels);
  if (!client.ok()) return client.status();
  return std::make_unique<MeasuredServer>(name, absl::StrJoin(command, " "), address,
                                          *std::move(process), *std::move(client));
}

double CpuSecondsOfAll(const std::vector<const MeasuredServer*>& servers) {
  double seconds = CpuSecondsOf(getpid()).value_or(0);
  for (const MeasuredServer* server : servers) {
    seconds += CpuSecondsOf(server->pid()).value_or(0);
  }
  return seconds;
}

}  // namespace

MeasuredServer::MeasuredServer(std::string name, std::string command, std::string address,
                               std::unique_ptr<ChildProcess> process,
                               std::unique_ptr<LoadClient> client)
    : name_(std::move(name)),
      command_(std::move(command)),
      address_(std::move(address)),
      process_(std::move(process)),
      client_(std::move(client)) {}

absl::Status MeasuredServer::Stop() {
  client_.reset();
  return process_->Stop();
}

absl::StatusOr<std::unique_ptr<MeasuredServer>> StartPedigreed(const PedigreedOptions& options) {
  const absl::StatusOr<uint16_t> port = FreePort();
  if (!port.ok()) return port.status();
  const std::string stem = absl::StrCat(options.directory, "/", *port);
  std::vector<std::string> command = {
      options.program, absl::StrCat("--grpc_port=", *port), "--listen=127.0.0.1",
      absl::StrCat("--data_dir=", options.data_dir.empty() ? stem + ".data" : options.data_dir)};
  command.insert(command.end(), options.flags.begin(), options.flags.end());
  return Start(options.name, command, stem + ".log", *port);
}

absl::StatusOr<std::unique_ptr<MeasuredServer>> StartEcho(const std::string& directory) {
  const absl::StatusOr<uint16_t> port = FreePort();
  if (!port.ok()) return port.status();
  return Start("echo", {"/proc/self/exe", "--role=echo", absl::StrCat("--echo_port=", *port)},
               directory + "/echo.log", *port);
}

void WaitUntilIdle(const std::vector<const MeasuredServer*>& servers) {
  const auto deadline = Clock::now() + kIdlePatience;
  double used = CpuSecondsOfAll(servers);
  auto since = Clock::now();
  while (Clock::now() < deadline && !Interrupted()) {
    std::this_thread::sleep_for(kIdleSlice);
    const double used_now = CpuSecondsOfAll(servers);
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - since).count();
    if (used_now - used < kIdleShareOfCore * seconds) return;
    used = used_now;
    since = now;
  }
}

}  // namespace pedigree::bench
