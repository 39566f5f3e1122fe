// One connection of the HTTP listener: reads requests one after the other, has them answered, and
// ends when the client, a limit or the server wants it.
//
//   idle --> head --> body --> working --> writing --> idle ... closed
//                                    (or) --> lingering --> closed
//
// A connection holds little memory while it is idle, and no thread ever: everything runs on its
// strand, and calls go to the dispatcher. When the client ends its side while a call is under way,
// it is taken to be gone, as by other servers. Threads: the public methods are for any.
//
//   HttpConnection::Start(&shared, NewTransport(std::move(socket), nullptr));
#pragma once

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/http/exchange.h"
#include "server/http/shared.h"
#include "server/http/transport.h"

namespace pedigree {

struct HttpRequestParser;

class HttpConnection final : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Clock = std::chrono::steady_clock;

  // The connection keeps itself alive. `shared` is not owned and outlives it.
  static void Start(HttpShared* shared, std::unique_ptr<Transport> transport);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Closes it if a limit on time has passed.
  void CloseIfExpired(Clock::time_point now);
  // Closes it if it is idle; otherwise it closes after its answer.
  void BeginDrain();
  void CloseSoon();

 private:
  friend class HttpStream;
  enum class State : uint8_t {
    kHandshake,
    kIdle,
    kHead,
    kBody,
    kWorking,
    kWriting,
    kLingering,
    kClosed
  };

  HttpConnection(HttpShared* shared, std::unique_ptr<Transport> transport);
  template <class Work>
  void Post(Work work) {
    boost::asio::post(transport_->socket().get_executor(), std::move(work));
  }

  void SetDeadline(Clock::duration from_now);
  void SetNoDeadline() { deadline_ = kNever; }
  // What a transfer of so many bytes may take.
  Clock::duration TransferTime(size_t bytes) const;
  void Close();

  // Reading.
  void NextRequest();
  void Wait();
  void OnReadable(const Transport::Error& error);
  void Read(size_t bytes);
  void OnRead(const Transport::Error& error, size_t bytes);
  void ParseHead();
  void OnHead();
  void TakeRoute();
  void BeginBody();
  void WriteContinue();
  void ReadBody();
  void ParseBody();
  void CountReceived(size_t bytes);
  void Linger();

  // Answering.
  void Execute();
  void ExecuteCall();
  void SubmitCall(std::string message);
  void MakeMetrics();
  void StartTimer();
  void OnTimer(const std::shared_ptr<HttpExchange>& exchange);
  void OnReply(const std::shared_ptr<HttpExchange>& exchange, absl::StatusOr<std::string> reply);
  // What is left of the request is not read; the connection closes after the answer.
  void Refuse(HttpAnswer answer);
  void RefuseCall(const absl::Status& status);
  void RefuseMalformed(int status, absl::string_view why);
  HttpAnswer ErrorAnswer(const absl::Status& status) const;  // Of a call.
  void Answer(HttpAnswer answer);
  void OnAnswered(const Transport::Error& error);

  // Of streams.
  void OnStreamMessage(const std::shared_ptr<HttpStream>& stream, std::string message);
  void OnStreamEnd(const std::shared_ptr<HttpStream>& stream, absl::Status status);

  // Far enough; the clock counts from the start of the machine.
  static constexpr int64_t kNever = INT64_MAX;

  HttpShared* const shared_;
  const std::unique_ptr<Transport> transport_;
  std::atomic<int64_t> deadline_ = kNever;  // In ticks of Clock.

  // All below is for the strand.
  State state_ = State::kHandshake;
  bool is_waiting_ = false;    // WaitReadable() is outstanding.
  size_t received_bytes_ = 0;  // Of the body that is being received.
  Clock::time_point body_begin_ = {};
  boost::beast::flat_buffer buffer_;
  std::unique_ptr<HttpRequestParser> parser_;
  std::shared_ptr<HttpExchange> exchange_;
  // What is being written.
  std::string head_;
  HttpAnswer answer_;
};

}  // namespace pedigree
