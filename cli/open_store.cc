#include "cli/open_store.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/text.h"

namespace pedigree::cli {

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const std::string& data_dir) {
  // Store::Open would create what is not there.
  std::error_code error;
  if (!std::filesystem::exists(absl::StrCat(data_dir, "/PEDIGREE"), error)) {
    return absl::NotFoundError(absl::StrCat(Quoted(data_dir), " is no store"));
  }
  StoreOptions options;
  options.data_dir = data_dir;
  return Store::Open(std::move(options));
}

}  // namespace pedigree::cli
