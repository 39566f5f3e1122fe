// Names of versions for exports that go on after a break.
//
// The same name is the same content, in this process or the next: it tells how far the store is,
// and digests what an export's header has. Threads: any.
//
//   auto version = ChooseExportVersion(store, request.snapshot());   // pinned
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pedigree/v1/audit.pb.h"
#include "store/store.h"

namespace pedigree {

// What an export of the version says first.
// Errors: as Reader.
absl::StatusOr<v1::ExportHeader> ExportHeaderOf(const Reader& reader);

// The version of this name, or the newest if it is "", pinned (store/pinned_versions.h).
// Errors: NotFound if it is gone; ResourceExhausted if too many are in use.
absl::StatusOr<std::shared_ptr<const Version>> ChooseExportVersion(const Store& store,
                                                                   const std::string& snapshot);

}  // namespace pedigree
