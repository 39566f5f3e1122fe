// Events as the protocol wants them checked. Threads: as the Transaction.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "store/transaction.h"

namespace pedigree {

// InvalidArgument if the event has no type.
absl::Status CheckEventType(const ml_metadata::Event& event);

// Adds events after checking each: its type and both ids are set, and both nodes exist.
// Errors: InvalidArgument for those, AlreadyExists for an (artifact, execution, type) that exists.
absl::Status AddCheckedEvents(Transaction& transaction,
                              const std::vector<ml_metadata::Event*>& events);

}  // namespace pedigree
