// Steps between the versions of the format (FORMAT.md, Versions), each on a closed store.
//
// A step never begins without a backup beside the store, `data_dir.format1` of a store of version
// 1, in which table files are hard links where the file system has them. A step that was
// interrupted is seen by the marker and done again. Threads: one.
//
//   auto report = UpgradeStore("pedigree-data");      // pedigreed --upgrade
//   report = DowngradeStore("pedigree-data", 1);      // pedigree downgrade
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace pedigree {

struct FormatSteps {
  uint32_t from = 0;
  uint32_t to = 0;
  std::string backup;  // The directory; "" if nothing was to be done.
};

// Brings the store to the newest version. Errors: as Store::Open; AlreadyExists if there is a
// backup of this version already; ResourceExhausted if there is no room for it.
absl::StatusOr<FormatSteps> UpgradeStore(const std::string& data_dir);

// Brings the store to an older version. FailedPrecondition also if it holds what that version
// cannot express.
absl::StatusOr<FormatSteps> DowngradeStore(const std::string& data_dir, uint32_t to);

}  // namespace pedigree
