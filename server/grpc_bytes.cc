#include "server/grpc_bytes.h"

#include <utility>

namespace pedigree {
namespace {

// Below this a copy into the slice is cheaper than handing over the string.
constexpr size_t kCopyBelowBytes = 4096;

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  // Both use gRPC's canonical codes.
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

grpc::ByteBuffer ToBuffer(std::string bytes) {
  // A reply without a slice aborts gRPC 1.51, so an empty one gets an empty slice.
  if (bytes.size() < kCopyBelowBytes) {
    grpc::Slice slice(bytes.data(), bytes.size());
    return grpc::ByteBuffer(&slice, 1);
  }
  auto* owned = new std::string(std::move(bytes));
  grpc::Slice slice(
      owned->data(), owned->size(), [](void* string) { delete static_cast<std::string*>(string); },
      owned);
  return grpc::ByteBuffer(&slice, 1);
}

absl::StatusOr<grpc::Slice> ToSlice(const grpc::ByteBuffer& request) {
  grpc::Slice slice;
  if (!request.TrySingleSlice(&slice).ok() && !request.DumpToSingleSlice(&slice).ok()) {
    return absl::InvalidArgumentError("the request has no bytes");
  }
  return slice;
}

}  // namespace pedigree
