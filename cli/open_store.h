// Opens the store of a server that does not run. Threads: any.
//
//   auto store = OpenStore(data_dir);
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "store/store.h"

namespace pedigree::cli {

// Opens a store that is there. NotFound if there is none; as Store::Open.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(const std::string& data_dir);

}  // namespace pedigree::cli
