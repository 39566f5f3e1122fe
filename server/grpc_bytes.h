// Bytes and statuses between gRPC and the method table. Pure functions; any thread.
//
//   Finish(ToGrpc(status));
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree {

grpc::Status ToGrpc(const absl::Status& status);
grpc::ByteBuffer ToBuffer(std::string bytes);
inline absl::string_view ToView(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

// A request's bytes in one piece; InvalidArgument if it has none.
absl::StatusOr<grpc::Slice> ToSlice(const grpc::ByteBuffer& request);

}  // namespace pedigree
