// The bytes under a connection of HTTP: TCP, or TLS on it.
//
// All methods are for the connection's strand, on which all handlers run. A handler keeps alive
// what it needs; after Close() those that are outstanding run with an error.
//
//   auto transport = NewTransport(std::move(socket), tls_or_null);
//   transport->ReadSome(buffer, [self](const auto& error, size_t bytes) { ... });
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio::ssl {
class context;
}

namespace pedigree {

class Transport {
 public:
  using Error = boost::system::error_code;
  using Handler = std::function<void(const Error& error, size_t bytes)>;

  virtual ~Transport() = default;

  virtual boost::asio::ip::tcp::socket& socket() = 0;
  // Whether an idle connection can wait for bytes without memory for them: TLS may have read what
  // it has not yet given away.
  virtual bool CanWait() const = 0;

  virtual void Handshake(Handler handler) = 0;
  virtual void ReadSome(boost::asio::mutable_buffer buffer, Handler handler) = 0;
  // Writes all of it. The bytes are not copied, and stay until the handler runs.
  virtual void Write(std::vector<boost::asio::const_buffer> buffers, Handler handler) = 0;
  // Tells the other side that nothing follows, where that can be said without waiting.
  virtual void EndWriting() = 0;

  // The common name of the client's certificate, which has been verified; "" without one.
  virtual std::string TlsIdentity() const = 0;
  // The other side, as gRPC writes it: "ipv4:127.0.0.1:50012". "" once it is gone.
  std::string Peer();

  // Waits until there is something to read, or the connection has ended.
  void WaitReadable(Handler handler);
  // Whether the other side will send nothing more. REQUIRES: WaitReadable() has called back.
  bool HasEnded();
  void Close();
};

// `tls` is null for plain TCP; not owned, outlives the transport.
std::unique_ptr<Transport> NewTransport(boost::asio::ip::tcp::socket socket,
                                        boost::asio::ssl::context* tls);

}  // namespace pedigree
