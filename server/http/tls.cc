#include "server/http/tls.h"

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

namespace asio = boost::asio;
using asio::ssl::context;

// Keeps the first error of some steps.
class FirstError {
 public:
  explicit FirstError(const char* field) : field_(field) {}
  boost::system::error_code& error() { return error_; }
  absl::Status status() const {
    if (!error_) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("ssl_config.", field_, ": OpenSSL refuses it: ", error_.message()));
  }

 private:
  const char* field_;
  boost::system::error_code error_;
};

absl::Status UseIdentity(const SslOptions& ssl, context* tls) {
  FirstError certificate("server_cert");
  tls->use_certificate_chain(asio::buffer(ssl.server_cert), certificate.error());
  if (!certificate.status().ok()) return certificate.status();
  FirstError key("server_key");
  tls->use_private_key(asio::buffer(ssl.server_key), context::pem, key.error());
  return key.status();
}

absl::Status AskForCertificates(const SslOptions& ssl, context* tls) {
  FirstError authority("custom_ca");
  tls->add_certificate_authority(asio::buffer(ssl.custom_ca), authority.error());
  if (!authority.status().ok()) return authority.status();
  tls->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert,
                       authority.error());
  return authority.status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<context>> MakeTlsContext(const SslOptions& ssl) {
  auto tls = std::make_unique<context>(context::tls_server);
  SSL_CTX* const native = tls->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // Of idle connections.
  // Sessions that are resumed without a look at the client's certificate want a name to tell
  // contexts apart; there is only this one.
  constexpr unsigned char kName[] = "pedigree";
  SSL_CTX_set_session_id_context(native, kName, sizeof(kName) - 1);
  absl::Status status = UseIdentity(ssl, tls.get());
  if (status.ok() && ssl.client_verify) status = AskForCertificates(ssl, tls.get());
  if (!status.ok()) return status;
  return tls;
}

}  // namespace pedigree
