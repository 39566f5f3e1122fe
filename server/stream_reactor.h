// gRPC's side of a server stream (stream.h): the raw callback API, one message outstanding.
//
// Threads: as gRPC calls it.
//
//   return StartStream(dispatcher, &calls, method, context, request);
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/dispatcher.h"
#include "server/service.h"

namespace pedigree {

// Starts a stream for a call that has come in. `calls` counts it until gRPC is done with it; once
// it is draining the stream is refused with Unavailable.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartStream(Dispatcher* dispatcher,
                                                        CallsUnderWay* calls,
                                                        const StreamMethod& method,
                                                        grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request);

}  // namespace pedigree
