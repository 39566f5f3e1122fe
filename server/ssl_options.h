// TLS as the configuration asks for it. A plain value.
//
//   SslOptions ssl{.server_key = pem, .server_cert = pem};
#pragma once

#include <string>

namespace pedigree {

// ssl_config of ml_metadata.MetadataStoreServerConfig: PEM text, not file names.
struct SslOptions {
  // The server's private key, without a passphrase. Required.
  std::string server_key;

  // The server's certificate, followed by any intermediate ones that lead to its authority.
  // Required.
  std::string server_cert;

  // The authorities that client certificates are checked against. Required with client_verify.
  std::string custom_ca;

  // Whether a client must present a certificate signed by custom_ca. Without it none is asked for.
  bool client_verify = false;
};

}  // namespace pedigree
