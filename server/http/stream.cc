#include "server/http/stream.h"

#include <utility>

#include "server/http/connection.h"

namespace pedigree {

HttpStream::HttpStream(std::shared_ptr<HttpConnection> connection,
                       std::shared_ptr<HttpExchange> exchange)
    : exchange_(std::move(exchange)), connection_(std::move(connection)) {}

void HttpStream::Start(Dispatcher* dispatcher, const StreamMethod& method,
                       absl::string_view request) {
  self_ = shared_from_this();
  stream_ = dispatcher->NewStream(this);
  stream_->Start(method, request);
}

void HttpStream::Cancel() {
  exchange_->is_cancelled = true;
  stream_->OnCancelled();
}

bool HttpStream::IsCancelled() const {
  return exchange_->is_cancelled.load(std::memory_order_relaxed);
}

void HttpStream::Write(std::string message) {
  connection_->Post([self = shared_from_this(), message = std::move(message)]() mutable {
    self->connection_->OnStreamMessage(self, std::move(message));
  });
}

void HttpStream::Finish(const absl::Status& status) {
  connection_->Post(
      [self = std::move(self_), status] { self->connection_->OnStreamEnd(self, status); });
}

// The write that is outstanding then fails.
void HttpStream::Abort() { connection_->CloseSoon(); }

}  // namespace pedigree
