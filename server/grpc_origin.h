// Who a call of gRPC comes from, for the journal. Any thread, while the call is under way.
//
//   CallOrigin origin = OriginOf(*context);
#pragma once

#include <grpcpp/server_context.h>

#include "store/journal.h"

namespace pedigree {

// Without the method. The TLS identity is the common name of a client certificate that has been
// verified.
CallOrigin OriginOf(const grpc::CallbackServerContext& context);

}  // namespace pedigree
