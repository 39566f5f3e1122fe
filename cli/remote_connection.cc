// A server over gRPC. No stub is compiled in: requests and answers travel as bytes.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/sync_stream.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/connection_kinds.h"
#include "cli/input_file.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

using grpc::internal::RpcMethod;

constexpr char kDefaultPort[] = "8080";
constexpr char kPrincipalHeader[] = "pedigree-principal";
constexpr size_t kMaxPrincipalBytes = 256;
constexpr int kConnectPatienceMs = 5000;

std::string EnvironmentOr(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.good() && !file.eof()) return InputFileError(errno, "read", path);
  return text;
}

bool WantsTls(const ConnectionOptions& options) {
  return options.tls || !options.tls_ca.empty() || !options.tls_cert.empty() ||
         !options.tls_key.empty();
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(
    const ConnectionOptions& options) {
  if (!WantsTls(options)) return grpc::InsecureChannelCredentials();
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError("--tls_cert and --tls_key go together");
  }
  grpc::SslCredentialsOptions ssl;
  for (const auto& [path, text] : {std::pair(&options.tls_ca, &ssl.pem_root_certs),
                                   std::pair(&options.tls_cert, &ssl.pem_cert_chain),
                                   std::pair(&options.tls_key, &ssl.pem_private_key)}) {
    if (path->empty()) continue;
    auto read = ReadFile(*path);
    if (!read.ok()) return read.status();
    *text = *std::move(read);
  }
  return grpc::SslCredentials(ssl);
}

grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message) {
  const std::string bytes = message.SerializeAsString();
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

absl::string_view ToView(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

// Of gRPC's account of a failed connection the part that people can use.
absl::string_view Reason(absl::string_view text) {
  for (absl::string_view before : {"last error: ", "Failed to connect to remote host: "}) {
    const size_t at = text.rfind(before);
    if (at != absl::string_view::npos) text.remove_prefix(at + before.size());
  }
  absl::ConsumePrefix(&text, "UNKNOWN: ");
  absl::ConsumePrefix(&text, "UNAVAILABLE: ");
  return text;
}

class RemoteConnection final : public Connection {
 public:
  RemoteConnection(std::string server, const ConnectionOptions& options, std::string principal,
                   std::shared_ptr<grpc::Channel> channel)
      : server_(std::move(server)),
        wants_tls_(WantsTls(options)),
        principal_(std::move(principal)),
        channel_(std::move(channel)) {}

  const std::string& where() const override { return server_; }

 protected:
  absl::Status CallBytes(const char* method, const google::protobuf::MessageLite& request,
                         absl::FunctionRef<void(absl::string_view)> visit) override {
    grpc::ClientContext context;
    Prepare(&context);
    grpc::ByteBuffer reply;
    const grpc::Status status =
        grpc::internal::BlockingUnaryCall(channel_.get(), RpcMethod(method, RpcMethod::NORMAL_RPC),
                                          &context, ToBuffer(request), &reply);
    if (!status.ok()) return Explained(status, method);
    grpc::Slice slice;
    if (const grpc::Status dumped = reply.DumpToSingleSlice(&slice); !dumped.ok()) {
      return absl::InternalError(dumped.error_message());
    }
    visit(ToView(slice));
    return absl::OkStatus();
  }

  absl::Status StreamBytes(const char* method, const google::protobuf::MessageLite& request,
                           absl::FunctionRef<bool(absl::string_view)> visit) override {
    grpc::ClientContext context;
    Prepare(&context);
    const RpcMethod rpc(method, RpcMethod::SERVER_STREAMING);
    const std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> reader(
        grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create(channel_.get(), rpc, &context,
                                                                      ToBuffer(request)));
    grpc::ByteBuffer message;
    bool is_wanted = true;
    grpc::Status dumped;
    while (reader->Read(&message)) {
      if (!is_wanted) continue;
      grpc::Slice slice;
      dumped = message.DumpToSingleSlice(&slice);
      is_wanted = dumped.ok() && visit(ToView(slice));
      if (!is_wanted) context.TryCancel();
    }
    const grpc::Status status = reader->Finish();
    if (!dumped.ok()) return absl::InternalError(dumped.error_message());
    return status.ok() || !is_wanted ? absl::OkStatus() : Explained(status, method);
  }

 private:
  void Prepare(grpc::ClientContext* context) const {
    if (!principal_.empty()) context->AddMetadata(kPrincipalHeader, principal_);
  }

  absl::Status Explained(const grpc::Status& status, absl::string_view method) const {
    const auto code = static_cast<absl::StatusCode>(status.error_code());
    if (code == absl::StatusCode::kUnavailable &&
        channel_->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_READY) {
      return absl::UnavailableError(
          absl::StrCat("cannot reach ", server_, ": ", Reason(status.error_message()),
                       wants_tls_ ? " (is pedigreed running, with TLS? say --server)"
                                  : " (is pedigreed running? say --server)"));
    }
    if (code == absl::StatusCode::kUnimplemented) {
      return absl::UnimplementedError(absl::StrCat(
          server_, " does not know ", method, " (is it a pedigreed, and as new as this program?)"));
    }
    return absl::Status(code, status.error_message());
  }

  const std::string server_;
  const bool wants_tls_;
  const std::string principal_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

absl::StatusOr<std::string> TargetOf(absl::string_view server) {
  if (absl::StartsWith(server, "unix:")) return std::string(server);
  absl::string_view host = server;
  absl::string_view port = kDefaultPort;
  // The colon before the port; one within brackets is of an IPv6 address.
  const size_t colon = server.rfind(':');
  if (colon != absl::string_view::npos && server.find(']', colon) == absl::string_view::npos) {
    host = server.substr(0, colon);
    port = server.substr(colon + 1);
  }
  uint32_t number = 0;
  const bool is_bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  if (host.empty() || (!is_bracketed && host.find(':') != absl::string_view::npos) ||
      host.find('/') != absl::string_view::npos || !absl::SimpleAtoi(port, &number) ||
      number == 0 || number > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("--server ", Quoted(server), " must be HOST:PORT or unix:PATH"));
  }
  in_addr address;
  if (inet_pton(AF_INET, std::string(host).c_str(), &address) == 1) {
    return absl::StrCat("ipv4:", host, ":", number);
  }
  if (is_bracketed) return absl::StrCat("ipv6:[", host, "]:", number);
  return absl::StrCat("dns:///", host, ":", number);
}

absl::StatusOr<std::string> PrincipalOf(absl::string_view given) {
  const std::string principal = given.empty() ? EnvironmentOr("USER", "") : std::string(given);
  bool can_be_sent = principal.size() <= kMaxPrincipalBytes;
  for (const char c : principal)
    can_be_sent = can_be_sent && absl::ascii_isprint(static_cast<unsigned char>(c));
  if (can_be_sent) return principal;
  if (given.empty()) return std::string();
  return absl::InvalidArgumentError(
      absl::StrCat("--principal ", Quoted(given), " must be printable ASCII of at most ",
                   kMaxPrincipalBytes, " bytes: it is sent as a header"));
}

absl::StatusOr<std::unique_ptr<Connection>> OpenRemote(const ConnectionOptions& options) {
  const std::string server = Connection::WhereOf(options);
  auto target = TargetOf(server);
  if (!target.ok()) return target.status();
  auto principal = PrincipalOf(options.principal);
  if (!principal.ok()) return principal.status();
  auto credentials = CredentialsOf(options);
  if (!credentials.ok()) return credentials.status();
  // gRPC would write about failures of its own accord, and errors are one line. Who debugs says so.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectPatienceMs);
  return std::make_unique<RemoteConnection>(
      server, options, *std::move(principal),
      grpc::CreateCustomChannel(*target, *credentials, arguments));
}

}  // namespace pedigree::cli
