// A stream of messages as an answer of grpc-web: each message a frame, in a chunk of its own.
//
// Threads: what Stream calls, any; the rest is for the connection's strand.
//
//   auto stream = std::make_shared<HttpStream>(connection, exchange);
//   stream->Start(dispatcher, *method, request);
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "server/dispatcher.h"
#include "server/http/exchange.h"
#include "server/stream.h"

namespace pedigree {

class HttpConnection;

class HttpStream final : public StreamSink, public std::enable_shared_from_this<HttpStream> {
 public:
  HttpStream(std::shared_ptr<HttpConnection> connection, std::shared_ptr<HttpExchange> exchange);

  void Start(Dispatcher* dispatcher, const StreamMethod& method, absl::string_view request);
  // The client or the time is gone.
  void Cancel();
  void OnWritten(Stream::Written written) { stream_->OnWritten(written); }

  const std::shared_ptr<HttpExchange>& exchange() const { return exchange_; }
  // Whether the head of the answer is out.
  bool has_begun() const { return has_begun_; }
  void set_has_begun() { has_begun_ = true; }

  bool IsCancelled() const override;
  void Write(std::string message) override;
  void Finish(const absl::Status& status) override;
  void Abort() override;

 private:
  // In this order: the connection is let go before what keeps the listener alive.
  const std::shared_ptr<HttpExchange> exchange_;
  const std::shared_ptr<HttpConnection> connection_;
  std::shared_ptr<HttpStream> self_;  // Until Finish().
  std::shared_ptr<Stream> stream_;
  bool has_begun_ = false;
};

}  // namespace pedigree
