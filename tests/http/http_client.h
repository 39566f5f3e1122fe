// A client of HTTP/1.1 and grpc-web of which every byte can be chosen by the test, over TCP.
//
// Threading: an HttpClient is for one thread at a time.
//
// Example:
//   HttpClient client(port);
//   client.Send(PostOf("/package.Service/Method", FrameOf(request)));
//   std::optional<HttpReply> reply = client.Receive();
//   EXPECT_EQ(ReadGrpcWeb(*reply).code, 0);
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pedigree::testing {

struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;                            // Chunks are put together.
  size_t chunks = 0;

  std::string Header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "" : it->second;
  }
};

class HttpClient {
 public:
  enum class Ending { kOrderly, kReset };

  explicit HttpClient(int port);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  bool is_connected() const { return fd_ >= 0; }
  // All of it, unless the server hangs up. Waits as long as the server lets it.
  void Send(const std::string& bytes);
  // The next answer, nullopt if the server hangs up before it is whole. Bytes that follow it are
  // kept for the next. An answer to HEAD has no body.
  enum class Body { kPresent, kNone };
  std::optional<HttpReply> Receive(Body body = Body::kPresent);
  // Send() and Receive().
  std::optional<HttpReply> Call(const std::string& request);
  // Whether the server ends the connection, with no bytes before. Waits for 20 s.
  bool WaitForEnd();
  // Ends this side only.
  void EndSending();
  void Close(Ending ending);

 private:
  bool ReadMore();
  bool ReadChunks(HttpReply* reply);
  bool WaitFor(size_t bytes);

  int fd_ = -1;
  std::string buffer_;
};

inline constexpr char kBinaryType[] = "application/grpc-web+proto";
inline constexpr char kTextType[] = "application/grpc-web-text";

// A frame of data around a message.
std::string FrameOf(const std::string& message);
// A whole POST; `headers` are lines with CRLF at their ends.
std::string PostOf(const std::string& path, const std::string& body,
                   const std::string& headers = "", const std::string& type = kBinaryType);
std::string GetOf(const std::string& path, const std::string& headers = "");

struct GrpcWebReply {
  std::vector<std::string> messages;
  int code = -1;        // Of the trailer; -1 if there is none.
  std::string message;  // Percent-decoded.
};
// The frames of an answer, decoded from its text form if it has that. Fails the test if they are
// not frames.
GrpcWebReply ReadGrpcWeb(const HttpReply& reply);

}  // namespace pedigree::testing
