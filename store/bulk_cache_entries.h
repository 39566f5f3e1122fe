// The entries of the cache of a history from elsewhere (bulk_loader.h), when all its nodes are
// there: those that this store would have if it had served that history, as far as nodes tell. A
// result is taken to have been made when its execution was last updated.
//
// Threads: one, and nobody else writes.
//
//   absl::Status status = WriteCacheEntries(engine.get(), catalog);   // again after a crash
#pragma once

#include "absl/status/status.h"
#include "store/catalog.h"
#include "store/engine.h"

namespace pedigree {

// Without a log: the caller flushes. Memory is bounded by one batch of 10,000 entries.
// Errors: DataLoss if a record is damaged; as Engine::Apply.
absl::Status WriteCacheEntries(Engine* engine, const Catalog& catalog);

}  // namespace pedigree
