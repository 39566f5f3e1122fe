#include "server/http/connection.h"

#include <boost/asio/buffer.hpp>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/http/request_parser.h"
#include "server/http/stream.h"

namespace pedigree {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr size_t kHeadReadBytes = 4096;
constexpr size_t kBodyReadBytes = 64 * 1024;
// The parser has its own bound for the head; of chunks it wants whole lines.
constexpr size_t kMaxLineBytes = 16 * 1024;

absl::Status TooLarge(size_t max_bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("the message is larger than the ", max_bytes, " bytes that are taken"));
}

}  // namespace

void HttpConnection::Start(HttpShared* shared, std::unique_ptr<Transport> transport) {
  const std::shared_ptr<HttpConnection> self(new HttpConnection(shared, std::move(transport)));
  self->SetDeadline(shared->options.limits.head);
  shared->connections.Add(self.get());  // Others ask it for its shared_ptr from here on.
  self->Post([self] {
    self->transport_->Handshake([self](const Transport::Error& error, size_t) {
      if (self->state_ == State::kClosed) return;
      if (error) {
        self->Close();
      } else {
        self->NextRequest();
      }
    });
  });
}

HttpConnection::HttpConnection(HttpShared* shared, std::unique_ptr<Transport> transport)
    : shared_(shared), transport_(std::move(transport)) {}

HttpConnection::~HttpConnection() {
  CountReceived(0);
  shared_->connections.Remove(this);
}

void HttpConnection::CloseIfExpired(Clock::time_point now) {
  if (now.time_since_epoch().count() < deadline_.load(std::memory_order_relaxed)) return;
  Post([self = shared_from_this()] {
    // It may have gone on since.
    if (Clock::now().time_since_epoch().count() >= self->deadline_) self->Close();
  });
}

void HttpConnection::BeginDrain() {
  Post([self = shared_from_this()] {
    if (self->state_ == State::kIdle) self->Close();
  });
}

void HttpConnection::CloseSoon() {
  Post([self = shared_from_this()] { self->Close(); });
}

void HttpConnection::SetDeadline(Clock::duration from_now) {
  deadline_ = (Clock::now() + from_now).time_since_epoch().count();
}

HttpConnection::Clock::duration HttpConnection::TransferTime(size_t bytes) const {
  const HttpLimits& limits = shared_->options.limits;
  return limits.transfer +
         std::chrono::seconds(static_cast<int64_t>(bytes) / limits.slowest_bytes_per_second);
}

void HttpConnection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  SetNoDeadline();
  // A call that still runs may hold this object, but nobody is connected by it.
  shared_->connections.Remove(this);
  transport_->Close();
  parser_.reset();
  CountReceived(0);
  if (exchange_ == nullptr) return;
  exchange_->is_cancelled = true;
  exchange_->timer.reset();
  if (exchange_->stream != nullptr) exchange_->stream->Cancel();
  exchange_.reset();
}

void HttpConnection::NextRequest() {
  parser_.reset();
  exchange_.reset();
  if (shared_->is_draining) {
    Close();
    return;
  }
  state_ = State::kIdle;
  SetDeadline(shared_->options.limits.idle);
  if (buffer_.size() > 0) {
    ParseHead();
    return;
  }
  buffer_.clear();
  buffer_.shrink_to_fit();
  if (transport_->CanWait()) {
    Wait();
  } else {
    Read(kHeadReadBytes);
  }
}

void HttpConnection::Wait() {
  if (is_waiting_) return;
  is_waiting_ = true;
  transport_->WaitReadable([self = shared_from_this()](const Transport::Error& error, size_t) {
    self->is_waiting_ = false;
    self->OnReadable(error);
  });
}

void HttpConnection::OnReadable(const Transport::Error& error) {
  if (state_ == State::kClosed) return;
  if (error) {
    Close();
  } else if (state_ == State::kIdle && transport_->CanWait()) {
    Read(kHeadReadBytes);
  } else if (state_ == State::kWorking && transport_->HasEnded()) {
    Close();
  }
}

void HttpConnection::Read(size_t bytes) {
  const auto target = buffer_.prepare(bytes);
  transport_->ReadSome(target,
                       [self = shared_from_this()](const Transport::Error& error, size_t read) {
                         self->OnRead(error, read);
                       });
}

void HttpConnection::OnRead(const Transport::Error& error, size_t bytes) {
  if (state_ == State::kClosed) return;
  if (error) {
    Close();
    return;
  }
  buffer_.commit(bytes);
  switch (state_) {
    case State::kIdle:
    case State::kHead:
      ParseHead();
      break;
    case State::kBody:
      ParseBody();
      break;
    case State::kLingering:
      buffer_.clear();
      Read(kHeadReadBytes);
      break;
    default:
      break;
  }
}

void HttpConnection::ParseHead() {
  if (state_ == State::kIdle) {
    state_ = State::kHead;
    SetDeadline(shared_->options.limits.head);
    parser_ = std::make_unique<HttpRequestParser>();
    parser_->parser.header_limit(static_cast<uint32_t>(shared_->options.limits.head_bytes));
    // Set when the call is known.
    parser_->parser.body_limit(std::numeric_limits<uint64_t>::max());
  }
  Transport::Error error;
  buffer_.consume(parser_->parser.put(buffer_.data(), error));
  if (error == http::error::need_more) error = {};
  if (error == http::error::header_limit || buffer_.size() > shared_->options.limits.head_bytes) {
    RefuseMalformed(431, "the head of the request is too long");
  } else if (error) {
    RefuseMalformed(400, absl::StrCat("the request is malformed: ", error.message()));
  } else if (parser_->parser.is_header_done()) {
    OnHead();
  } else {
    Read(kHeadReadBytes);
  }
}

void HttpConnection::OnHead() {
  if (const absl::string_view why = parser_->WhyMalformed(); !why.empty()) {
    RefuseMalformed(400, absl::StrCat("the request is malformed: ", why));
    return;
  }
  exchange_ = std::make_shared<HttpExchange>();
  const bool is_1_1 = parser_->parser.get().version() == 11;
  const bool keeps_open = is_1_1 && parser_->parser.keep_alive();
  exchange_->after = keeps_open ? AfterAnswer::kKeepOpen : AfterAnswer::kClose;
  exchange_->chunking = is_1_1 ? Chunking::kChunked : Chunking::kToTheEnd;
  exchange_->wants_head_only = parser_->parser.get().method() == http::verb::head;
  exchange_->route = RouteOf(parser_->Head(), shared_->origins);
  if (exchange_->route.timeout.has_value()) {
    exchange_->deadline = Clock::now() + *exchange_->route.timeout;
  }
  if (exchange_->route.work == HttpWork::kCall && exchange_->route.method->writes) {
    exchange_->origin.tls_identity = OriginText(transport_->TlsIdentity());
    exchange_->origin.declared_principal = OriginText(parser_->Principal());
    exchange_->origin.peer = transport_->Peer();
  }
  TakeRoute();
}

void HttpConnection::TakeRoute() {
  const HttpRoute& route = exchange_->route;
  const bool is_whole = parser_->parser.is_done();
  const bool is_call = route.work == HttpWork::kCall || route.work == HttpWork::kStream;
  if (route.work == HttpWork::kAnswer) {
    if (!is_whole) exchange_->after = AfterAnswer::kClose;  // The body is not read.
    Answer(std::move(exchange_->route.answer));
  } else if (is_whole) {
    Execute();
  } else if (is_call) {
    BeginBody();
  } else {
    Refuse(TextAnswer(400, "pages take no body\n"));
  }
}

void HttpConnection::BeginBody() {
  auto& parser = parser_->parser;
  const HttpRoute& route = exchange_->route;
  const absl::string_view expectation = parser_->Header(HttpRequestParser::Field::expect);
  if (!expectation.empty() && !absl::EqualsIgnoreCase(expectation, "100-continue")) {
    Refuse(TextAnswer(417, "only 100-continue can be expected\n"));
    return;
  }
  const size_t max_message = shared_->options.max_message_bytes;
  const size_t limit = GrpcWebBodyLimit(route.request_kind, max_message);
  const auto length = parser.content_length();
  if (length.has_value() && *length > limit) {
    RefuseCall(TooLarge(max_message));
    return;
  }
  parser.body_limit(limit);
  parser.eager(true);
  state_ = State::kBody;
  body_begin_ = Clock::now();
  SetDeadline(shared_->options.limits.transfer);
  if (expectation.empty()) {
    ReadBody();
  } else {
    WriteContinue();
  }
}

void HttpConnection::WriteContinue() {
  head_ = "HTTP/1.1 100 Continue\r\n\r\n";
  transport_->Write({asio::buffer(head_)},
                    [self = shared_from_this()](const Transport::Error& error, size_t) {
                      if (self->state_ == State::kClosed) return;
                      if (error) {
                        self->Close();
                      } else {
                        self->ReadBody();
                      }
                    });
}

void HttpConnection::ReadBody() {
  if (buffer_.size() > 0) {
    ParseBody();
  } else {
    Read(kBodyReadBytes);
  }
}

void HttpConnection::ParseBody() {
  auto& parser = parser_->parser;
  Transport::Error error;
  size_t consumed = 1;
  while (!error && !parser.is_done() && buffer_.size() > 0 && consumed > 0) {
    consumed = parser.put(buffer_.data(), error);
    buffer_.consume(consumed);
  }
  if (error == http::error::need_more) error = {};
  if (error == http::error::body_limit) {
    RefuseCall(TooLarge(shared_->options.max_message_bytes));
    return;
  }
  if (error || (!parser.is_done() && buffer_.size() > kMaxLineBytes)) {
    RefuseMalformed(400, "the body of the request is malformed");
    return;
  }
  CountReceived(parser.get().body().size());
  if (parser.is_done()) {
    Execute();
    return;
  }
  if (shared_->receiving_bytes > shared_->options.limits.receiving_bytes) {
    RefuseCall(absl::UnavailableError("too many requests are being received; retry later"));
    return;
  }
  deadline_ = (body_begin_ + TransferTime(received_bytes_)).time_since_epoch().count();
  Read(kBodyReadBytes);
}

void HttpConnection::CountReceived(size_t bytes) {
  shared_->receiving_bytes += bytes;
  shared_->receiving_bytes -= received_bytes_;
  received_bytes_ = bytes;
}

void HttpConnection::Linger() {
  // Closing with bytes unread would reset the connection, and the client might never see its
  // answer. So they are read and dropped, for a while.
  state_ = State::kLingering;
  SetDeadline(shared_->options.limits.linger);
  transport_->EndWriting();
  buffer_.clear();
  Read(kHeadReadBytes);
}

}  // namespace pedigree
