#include "tests/support/loopback_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <random>

#include "absl/status/status.h"

namespace pedigree::testing {
namespace {

constexpr int kFirstPort = 20000;
constexpr int kLastPort = 31999;
constexpr int kAttempts = 100;

// Opens a socket and tries `attach` (bind or connect) with the port of the loopback interface.
bool Try(int (*attach)(int, const sockaddr*, socklen_t), int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool done = attach(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return done;
}

}  // namespace

absl::StatusOr<int> FreeLoopbackPort() {
  std::random_device seed;
  std::uniform_int_distribution<int> any_port(kFirstPort, kLastPort);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const int port = any_port(seed);
    // Without SO_REUSEADDR, so that a port whose old connections linger counts as taken.
    if (Try(&bind, port)) return port;
  }
  return absl::UnavailableError("no free loopback port among 20000-31999");
}

bool IsListening(int port) { return Try(&connect, port); }

}  // namespace pedigree::testing
