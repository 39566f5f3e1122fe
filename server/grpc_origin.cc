#include "server/grpc_origin.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <vector>

namespace pedigree {
namespace {

absl::string_view ToView(grpc::string_ref text) { return {text.data(), text.size()}; }

std::string TlsIdentityOf(const grpc::CallbackServerContext& context) {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return "";
  const std::vector<grpc::string_ref> names = auth->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  return names.empty() ? "" : OriginText(ToView(names.front()));
}

}  // namespace

CallOrigin OriginOf(const grpc::CallbackServerContext& context) {
  CallOrigin origin;
  origin.tls_identity = TlsIdentityOf(context);
  const auto& metadata = context.client_metadata();
  const auto principal = metadata.find(grpc::string_ref(kPrincipalHeader));
  if (principal != metadata.end()) {
    origin.declared_principal = OriginText(ToView(principal->second));
  }
  origin.peer = context.peer();
  return origin;
}

}  // namespace pedigree
