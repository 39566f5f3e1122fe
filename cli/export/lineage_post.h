// Posts the events of an openlineage export to a lineage backend, in their order, and goes on where
// it stopped.
//
// How far it has come stands in a file beside the events, with the digest of what was posted: the
// events after it are posted next time, if the ones before are still the same. After a crash the
// last events (at most 64) are posted once more, which backends bear: an event is the same by its
// run, type and time. Threads: one.
//
//   auto posted = PostEvents("out/openlineage.ndjson", backend.get(), [](int64_t n) { ... });
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/export/lineage_backend.h"

namespace pedigree::cli {

struct PostedEvents {
  int64_t posted = 0;
  int64_t before = 0;  // Already posted by earlier calls.
};

// The file of progress is `events_file`.posted; it is for one url. `progress` is told the number of
// posted events, earlier calls included. Errors: of LineageBackend::Post, with the number of the
// event; DataLoss if an event has no line end; as FileError.
absl::StatusOr<PostedEvents> PostEvents(const std::string& events_file, LineageBackend* backend,
                                        const std::function<void(int64_t events)>& progress);

}  // namespace pedigree::cli
