// A TCP connection to a server of which every byte is chosen by the test, and the frames of HTTP/2
// that make a gRPC call: for clients that misbehave or vanish.
//
// Threading: one thread at a time.
//
// Example:
//   RawConnection connection(PortOf(*server));
//   connection.Send(WholeCall("/package.Service/Method", request));
//   connection.Close(RawConnection::Ending::kReset);
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/support/server_process.h"

namespace pedigree::testing {

inline int PortOf(const ServerProcess& server) {
  return std::stoi(server.address().substr(server.address().find(':') + 1));
}

// A TCP connection of which every byte is chosen by the test.
class RawConnection {
 public:
  enum class Ending { kOrderly, kReset };

  explicit RawConnection(int port) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    timeval timeout = {5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  }
  ~RawConnection() { Close(Ending::kOrderly); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // The server may have hung up already.
  void Send(const std::string& bytes) {
    (void)!send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Waits for the server's next bytes, at most 5 s each time.
  bool Receives(size_t bytes = 1) {
    char buffer[4096];
    while (bytes > 0) {
      const ssize_t got = recv(fd_, buffer, std::min(bytes, sizeof(buffer)), 0);
      if (got <= 0) return false;
      bytes -= static_cast<size_t>(got);
    }
    return true;
  }
  void Close(Ending ending) {
    if (fd_ < 0) return;
    if (ending == Ending::kReset) {
      linger now = {1, 0};
      setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

inline std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame.push_back(static_cast<char>(payload.size() >> shift));
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
  return frame + payload;
}

// A header field as HPACK spells it without compression.
inline std::string Header(const std::string& name, const std::string& value) {
  std::string field(1, '\0');
  field.push_back(static_cast<char>(name.size()));
  field += name;
  field.push_back(static_cast<char>(value.size()));
  return field + value;
}

inline constexpr uint8_t kData = 0, kHeaders = 1, kSettings = 4;
inline constexpr uint8_t kEndHeaders = 4;

// What a client sends up to and including the headers of one call.
inline std::string CallBegins(const std::string& path) {
  const std::string headers = Header(":method", "POST") + Header(":scheme", "http") +
                              Header(":path", path) + Header(":authority", "localhost") +
                              Header("content-type", "application/grpc") + Header("te", "trailers");
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "") +
         Frame(kHeaders, kEndHeaders, 1, headers);
}

// The five bytes before a gRPC message of this size.
inline std::string MessageHead(uint32_t size) {
  std::string head(1, '\0');
  for (const int shift : {24, 16, 8, 0}) head.push_back(static_cast<char>(size >> shift));
  return head;
}

// All that a client sends for a call of one message, which is small.
inline std::string WholeCall(const std::string& path, const std::string& request) {
  return CallBegins(path) +
         Frame(kData, 1, 1, MessageHead(static_cast<uint32_t>(request.size())) + request);
}

}  // namespace pedigree::testing
