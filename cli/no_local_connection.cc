// In pedigree, which leaves stores to pedigree-full (main.cc), in place of local_connection.cc.
#include "absl/status/status.h"
#include "cli/connection_kinds.h"

namespace pedigree::cli {

absl::StatusOr<std::unique_ptr<Connection>> OpenLocal(const ConnectionOptions&) {
  return absl::InternalError("this program opens no stores: pedigree-full does");
}

}  // namespace pedigree::cli
