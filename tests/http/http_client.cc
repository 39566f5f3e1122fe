#include "tests/http/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pedigree::testing {
namespace {

std::string PercentDecoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

// Pieces of base64, each with its padding.
std::string DecodePieces(absl::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    size_t size = text.find('=');
    size = size == absl::string_view::npos ? text.size() : (size / 4 + 1) * 4;
    std::string piece;
    EXPECT_TRUE(absl::Base64Unescape(text.substr(0, size), &piece)) << text.substr(0, 100);
    bytes += piece;
    text.remove_prefix(std::min(size, text.size()));
  }
  return bytes;
}

void ReadTrailer(absl::string_view trailer, GrpcWebReply* reply) {
  for (absl::string_view line : absl::StrSplit(trailer, "\r\n", absl::SkipEmpty())) {
    if (absl::ConsumePrefix(&line, "grpc-status:")) {
      EXPECT_TRUE(absl::SimpleAtoi(line, &reply->code)) << trailer;
    } else if (absl::ConsumePrefix(&line, "grpc-message:")) {
      reply->message = PercentDecoded(line);
    } else {
      ADD_FAILURE() << "trailer " << line;
    }
  }
}

}  // namespace

HttpClient::HttpClient(int port) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval timeout = {20, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(std::exchange(fd_, -1));
  }
}

HttpClient::~HttpClient() { Close(Ending::kOrderly); }

void HttpClient::Send(const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t more = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (more <= 0) return;
    sent += static_cast<size_t>(more);
  }
}

bool HttpClient::ReadMore() {
  char bytes[64 * 1024];
  const ssize_t got = recv(fd_, bytes, sizeof(bytes), 0);
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(got));
  return true;
}

bool HttpClient::WaitFor(size_t bytes) {
  while (buffer_.size() < bytes) {
    if (!ReadMore()) return false;
  }
  return true;
}

bool HttpClient::ReadChunks(HttpReply* reply) {
  while (true) {
    size_t line_end = 0;
    while ((line_end = buffer_.find("\r\n")) == std::string::npos) {
      if (!ReadMore()) return false;
    }
    size_t size = 0;
    if (!absl::SimpleHexAtoi(buffer_.substr(0, line_end), &size)) return false;
    if (!WaitFor(line_end + 2 + size + 2)) return false;
    reply->body += buffer_.substr(line_end + 2, size);
    buffer_.erase(0, line_end + 2 + size + 2);
    if (size == 0) return true;
    ++reply->chunks;
  }
}

std::optional<HttpReply> HttpClient::Receive(Body body) {
  size_t head_end = 0;
  while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return std::nullopt;
  }
  HttpReply reply;
  const std::string head = buffer_.substr(0, head_end);
  buffer_.erase(0, head_end + 4);
  const std::vector<std::string> lines = absl::StrSplit(head, "\r\n");
  EXPECT_TRUE(absl::StartsWith(lines[0], "HTTP/1.1 ")) << lines[0];
  if (!absl::SimpleAtoi(lines[0].substr(9, 3), &reply.status)) return std::nullopt;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> field =
        absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    const bool is_new =
        reply.headers.emplace(absl::AsciiStrToLower(field.first), field.second).second;
    EXPECT_TRUE(is_new) << lines[i];
  }
  if (body == Body::kNone || reply.status < 200 || reply.status == 204) return reply;
  if (reply.Header("transfer-encoding") == "chunked") {
    if (!ReadChunks(&reply)) return std::nullopt;
    return reply;
  }
  size_t length = 0;
  if (!absl::SimpleAtoi(reply.Header("content-length"), &length)) {
    while (ReadMore()) {
    }
    reply.body = std::exchange(buffer_, "");
    return reply;
  }
  if (!WaitFor(length)) return std::nullopt;
  reply.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return reply;
}

std::optional<HttpReply> HttpClient::Call(const std::string& request) {
  Send(request);
  return Receive();
}

bool HttpClient::WaitForEnd() {
  if (!buffer_.empty()) return false;
  char byte = 0;
  const ssize_t got = recv(fd_, &byte, 1, 0);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

void HttpClient::EndSending() { shutdown(fd_, SHUT_WR); }

void HttpClient::Close(Ending ending) {
  if (fd_ < 0) return;
  if (ending == Ending::kReset) {
    linger now = {1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }
  close(std::exchange(fd_, -1));
}

std::string FrameOf(const std::string& message) {
  std::string frame(1, '\0');
  for (const int shift : {24, 16, 8, 0}) {
    frame.push_back(static_cast<char>(message.size() >> shift));
  }
  return frame + message;
}

std::string PostOf(const std::string& path, const std::string& body, const std::string& headers,
                   const std::string& type) {
  return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: localhost\r\nContent-Type: ", type,
                      "\r\nContent-Length: ", body.size(), "\r\n", headers, "\r\n", body);
}

std::string GetOf(const std::string& path, const std::string& headers) {
  return absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\n", headers, "\r\n");
}

GrpcWebReply ReadGrpcWeb(const HttpReply& reply) {
  EXPECT_EQ(reply.status, 200) << reply.body.substr(0, 200);
  const bool is_text = reply.Header("content-type") == "application/grpc-web-text+proto";
  if (!is_text) {
    EXPECT_EQ(reply.Header("content-type"), "application/grpc-web+proto");
  }
  const std::string bytes = is_text ? DecodePieces(reply.body) : reply.body;
  GrpcWebReply result;
  absl::string_view rest = bytes;
  while (rest.size() >= 5) {
    const auto flags = static_cast<unsigned char>(rest[0]);
    size_t size = 0;
    for (size_t i = 1; i < 5; ++i) size = size << 8 | static_cast<unsigned char>(rest[i]);
    rest.remove_prefix(5);
    if (rest.size() < size) break;
    if (flags == 0x80) {
      ReadTrailer(rest.substr(0, size), &result);
    } else {
      EXPECT_EQ(flags, 0);
      result.messages.emplace_back(rest.substr(0, size));
      EXPECT_EQ(result.code, -1) << "a message after the trailer";
    }
    rest.remove_prefix(size);
  }
  EXPECT_EQ(rest.size(), 0U) << "what is left is no frame";
  return result;
}

}  // namespace pedigree::testing
