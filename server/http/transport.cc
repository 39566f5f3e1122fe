#include "server/http/transport.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// The first common name of the subject; "" without any.
std::string CommonNameOf(const X509& certificate) {
  const X509_NAME* const subject = X509_get_subject_name(&certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place < 0) return "";
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
  if (size < 0) return "";
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return name;
}

class TcpTransport final : public Transport {
 public:
  explicit TcpTransport(tcp::socket socket) : socket_(std::move(socket)) {}

  tcp::socket& socket() override { return socket_; }
  bool CanWait() const override { return true; }
  void Handshake(Handler handler) override {
    asio::dispatch(socket_.get_executor(), [handler = std::move(handler)] { handler(Error(), 0); });
  }
  void ReadSome(asio::mutable_buffer buffer, Handler handler) override {
    socket_.async_read_some(buffer, std::move(handler));
  }
  void Write(std::vector<asio::const_buffer> buffers, Handler handler) override {
    asio::async_write(socket_, std::move(buffers), std::move(handler));
  }
  void EndWriting() override {
    Error ignored;  // The other side may be gone.
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }
  std::string TlsIdentity() const override { return ""; }

 private:
  tcp::socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(tcp::socket socket, asio::ssl::context* tls) : stream_(std::move(socket), *tls) {}

  tcp::socket& socket() override { return stream_.next_layer(); }
  bool CanWait() const override { return false; }
  void Handshake(Handler handler) override {
    stream_.async_handshake(
        asio::ssl::stream_base::server,
        [handler = std::move(handler)](const Error& error) { handler(error, 0); });
  }
  void ReadSome(asio::mutable_buffer buffer, Handler handler) override {
    stream_.async_read_some(buffer, std::move(handler));
  }
  void Write(std::vector<asio::const_buffer> buffers, Handler handler) override {
    asio::async_write(stream_, std::move(buffers), std::move(handler));
  }
  // Every answer says how long it is, so nobody needs TLS's own goodbye, which is a conversation.
  void EndWriting() override {}
  std::string TlsIdentity() const override {
    // OpenSSL takes its own by a pointer to what it may change, and changes nothing here.
    auto* const native = const_cast<asio::ssl::stream<tcp::socket>&>(stream_).native_handle();
    const X509* const certificate = SSL_get0_peer_certificate(native);
    if (certificate == nullptr || SSL_get_verify_result(native) != X509_V_OK) return "";
    return CommonNameOf(*certificate);
  }

 private:
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

void Transport::WaitReadable(Handler handler) {
  socket().async_wait(tcp::socket::wait_read,
                      [handler = std::move(handler)](const Error& error) { handler(error, 0); });
}

std::string Transport::Peer() {
  Error error;
  const tcp::endpoint peer = socket().remote_endpoint(error);
  if (error) return "";
  const std::string address = peer.address().to_string(error);
  return peer.address().is_v6() ? absl::StrCat("ipv6:[", address, "]:", peer.port())
                                : absl::StrCat("ipv4:", address, ":", peer.port());
}

bool Transport::HasEnded() {
  char byte = 0;
  const ssize_t got = recv(socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void Transport::Close() {
  Error ignored;  // It is closed in any case.
  socket().close(ignored);
}

std::unique_ptr<Transport> NewTransport(tcp::socket socket, asio::ssl::context* tls) {
  if (tls == nullptr) return std::make_unique<TcpTransport>(std::move(socket));
  return std::make_unique<TlsTransport>(std::move(socket), tls);
}

}  // namespace pedigree
