#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/http/connection.h"
#include "server/http/request_parser.h"
#include "server/http/stream.h"

// The second half of HttpConnection: from a whole request to the end of its answer.

namespace pedigree {
namespace {

namespace asio = boost::asio;

// Up to here head and body go out as one piece.
constexpr size_t kOnePieceBytes = 16 * 1024;

absl::Status Stopping() {
  return absl::UnavailableError("the server is stopping; retry elsewhere");
}

absl::Status DeadlineExceeded() {
  return absl::DeadlineExceededError("the call was not answered within its grpc-timeout");
}

// Brings the reply of a call to the connection's strand.
class HttpReply final : public ReplyTo {
 public:
  using Handler = std::function<void(absl::StatusOr<std::string>)>;
  HttpReply(std::shared_ptr<HttpExchange> exchange, Handler post_reply)
      : exchange_(std::move(exchange)), post_reply_(std::move(post_reply)) {}

  bool IsCancelled() const override {
    return exchange_->is_cancelled.load(std::memory_order_relaxed);
  }
  CallOrigin Origin() const override { return exchange_->origin; }
  void Done(absl::StatusOr<std::string> reply) override {
    exchange_->has_reply = true;
    post_reply_(std::move(reply));
  }

 private:
  // In this order: the connection, which the function holds, is let go before what keeps the
  // listener alive.
  const std::shared_ptr<HttpExchange> exchange_;
  Handler post_reply_;
};

}  // namespace

void HttpConnection::Execute() {
  state_ = State::kWorking;
  SetNoDeadline();
  switch (exchange_->route.work) {
    case HttpWork::kAnswer:
      break;  // TakeRoute() has answered it.
    case HttpWork::kHealth:
      Answer(TextAnswer(200, "ok\n"));
      break;
    case HttpWork::kReadiness: {
      const absl::Status status = shared_->is_draining ? Stopping() : shared_->pages.readiness();
      Answer(status.ok() ? TextAnswer(200, "ok\n")
                         : TextAnswer(503, absl::StrCat(status.message(), "\n")));
      break;
    }
    case HttpWork::kMetrics:
      MakeMetrics();
      break;
    case HttpWork::kCall:
    case HttpWork::kStream:
      ExecuteCall();
      break;
  }
}

void HttpConnection::MakeMetrics() {
  asio::post(shared_->page_thread, [self = shared_from_this(), exchange = exchange_] {
    std::string text = self->shared_->pages.metrics(self->shared_->Statistics());
    self->Post([self, exchange, text = std::move(text)]() mutable {
      if (self->exchange_ != exchange) return;
      HttpAnswer answer;
      answer.headers = "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n";
      answer.body = {std::move(text)};
      self->Answer(std::move(answer));
    });
  });
}

void HttpConnection::ExecuteCall() {
  const HttpRoute& route = exchange_->route;
  absl::StatusOr<std::string> message =
      GrpcWebRequest(route.request_kind, std::move(parser_->parser.get().body()),
                     shared_->options.max_message_bytes);
  parser_.reset();
  CountReceived(0);
  if (message.ok() && exchange_->deadline.has_value() && Clock::now() >= *exchange_->deadline) {
    message = DeadlineExceeded();
  }
  if (message.ok() && !shared_->calls.Begin()) message = Stopping();
  if (!message.ok()) {
    OnReply(exchange_, message.status());
    return;
  }
  exchange_->calls = &shared_->calls;
  StartTimer();
  SubmitCall(*std::move(message));
  // Notices when the client goes while the call is under way.
  if (!exchange_->has_reply) Wait();
}

void HttpConnection::SubmitCall(std::string message) {
  const HttpRoute& route = exchange_->route;
  if (route.work == HttpWork::kStream) {
    exchange_->stream = std::make_shared<HttpStream>(shared_from_this(), exchange_);
    exchange_->stream->Start(shared_->dispatcher, *route.stream, message);
    return;
  }
  auto post_reply = [self = shared_from_this(),
                     exchange = exchange_](absl::StatusOr<std::string> reply) {
    self->Post([self, exchange, reply = std::move(reply)]() mutable {
      self->OnReply(exchange, std::move(reply));
    });
  };
  shared_->dispatcher->Submit(*route.method, message,
                              std::make_unique<HttpReply>(exchange_, std::move(post_reply)));
}

void HttpConnection::StartTimer() {
  if (!exchange_->deadline.has_value()) return;
  exchange_->timer.emplace(transport_->socket().get_executor());
  exchange_->timer->expires_at(*exchange_->deadline);
  exchange_->timer->async_wait(
      [self = shared_from_this(), exchange = exchange_](const Transport::Error& error) {
        if (!error) self->OnTimer(exchange);
      });
}

void HttpConnection::OnTimer(const std::shared_ptr<HttpExchange>& exchange) {
  if (exchange_ != exchange || exchange->is_answered) return;
  exchange->is_cancelled = true;
  exchange->has_expired = true;
  if (exchange->stream != nullptr) {
    exchange->stream->Cancel();
  } else {
    OnReply(exchange, DeadlineExceeded());
  }
}

void HttpConnection::OnReply(const std::shared_ptr<HttpExchange>& exchange,
                             absl::StatusOr<std::string> reply) {
  if (exchange_ != exchange || exchange->is_answered) return;
  if (!reply.ok()) {
    Answer(ErrorAnswer(reply.status()));
    return;
  }
  HttpAnswer answer = GrpcWebAnswer(exchange->route.answer_kind, *std::move(reply));
  answer.headers += exchange->route.headers;
  Answer(std::move(answer));
}

HttpAnswer HttpConnection::ErrorAnswer(const absl::Status& status) const {
  HttpAnswer answer = GrpcWebError(exchange_->route.answer_kind, status);
  answer.headers += exchange_->route.headers;
  return answer;
}

void HttpConnection::Refuse(HttpAnswer answer) {
  parser_.reset();
  CountReceived(0);
  exchange_->after = AfterAnswer::kClose;
  Answer(std::move(answer));
}

void HttpConnection::RefuseCall(const absl::Status& status) { Refuse(ErrorAnswer(status)); }

void HttpConnection::RefuseMalformed(int status, absl::string_view why) {
  exchange_ = std::make_shared<HttpExchange>();
  Refuse(TextAnswer(status, absl::StrCat(why, "\n")));
}

void HttpConnection::Answer(HttpAnswer answer) {
  state_ = State::kWriting;
  exchange_->is_answered = true;
  exchange_->timer.reset();
  if (shared_->is_draining) exchange_->after = AfterAnswer::kClose;
  ++shared_->answers[static_cast<size_t>(answer.status)];
  answer_ = std::move(answer);
  head_ = HeadOf(answer_, exchange_->after);
  const size_t body_bytes = BodyBytes(answer_);
  if (exchange_->wants_head_only) answer_.body.clear();
  if (body_bytes <= kOnePieceBytes) {
    for (const std::string& piece : answer_.body) head_ += piece;
    answer_.body.clear();
  }
  std::vector<asio::const_buffer> buffers = {asio::buffer(head_)};
  for (const std::string& piece : answer_.body) buffers.push_back(asio::buffer(piece));
  SetDeadline(TransferTime(body_bytes));
  transport_->Write(std::move(buffers),
                    [self = shared_from_this()](const Transport::Error& error, size_t) {
                      self->OnAnswered(error);
                    });
}

void HttpConnection::OnAnswered(const Transport::Error& error) {
  if (state_ == State::kClosed) return;
  answer_ = HttpAnswer();
  head_ = std::string();
  if (error) {
    Close();
  } else if (exchange_->after == AfterAnswer::kClose) {
    exchange_.reset();
    Linger();
  } else {
    NextRequest();
  }
}

void HttpConnection::OnStreamMessage(const std::shared_ptr<HttpStream>& stream,
                                     std::string message) {
  const std::shared_ptr<HttpExchange>& exchange = stream->exchange();
  if (exchange_ != exchange) {  // Closed.
    stream->OnWritten(Stream::Written::kFailed);
    return;
  }
  const GrpcWebKind kind = exchange->route.answer_kind;
  head_.clear();
  if (!stream->has_begun()) {
    ++shared_->answers[200];
    stream->set_has_begun();
    if (exchange->chunking == Chunking::kToTheEnd) exchange->after = AfterAnswer::kClose;
    head_ = StreamHead(exchange->route.headers, kind, exchange->chunking, exchange->after);
  }
  head_ += StreamPiece(kind, exchange->chunking,
                       absl::StrCat(GrpcWebFrameHead(message.size()), message));
  // No deadline here: a client that takes nothing for long is dropped by Streams.
  transport_->Write({asio::buffer(head_)},
                    [self = shared_from_this(), stream](const Transport::Error& error, size_t) {
                      if (error) self->Close();
                      stream->OnWritten(error ? Stream::Written::kFailed : Stream::Written::kYes);
                    });
}

void HttpConnection::OnStreamEnd(const std::shared_ptr<HttpStream>& stream, absl::Status status) {
  const std::shared_ptr<HttpExchange> exchange = stream->exchange();
  exchange->stream.reset();
  if (exchange_ != exchange) return;
  if (exchange->has_expired) status = DeadlineExceeded();
  if (!stream->has_begun()) {
    Answer(ErrorAnswer(status));
    return;
  }
  exchange->is_answered = true;
  exchange->timer.reset();
  state_ = State::kWriting;
  head_ = absl::StrCat(
      StreamPiece(exchange->route.answer_kind, exchange->chunking, GrpcWebTrailer(status)),
      StreamEnd(exchange->chunking));
  SetDeadline(TransferTime(head_.size()));
  transport_->Write({asio::buffer(head_)},
                    [self = shared_from_this()](const Transport::Error& error, size_t) {
                      self->OnAnswered(error);
                    });
}

}  // namespace pedigree
