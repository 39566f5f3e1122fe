// Creates and updates one node by the protocol's rules: what Put{Artifacts,Executions,Contexts},
// PutExecution and PutLineageSubgraph have in common. Threads: as the Transaction.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "google/protobuf/field_mask.pb.h"
#include "store/transaction.h"

namespace pedigree {

struct PutNodeOptions {
  // Contexts (of a context: parents) that the node becomes a member of. They exist.
  absl::Span<const int64_t> contexts;
  UpdateTime update_time = UpdateTime::kIfChanged;
  // Not owned. If it has paths, an update changes these fields only; a create ignores it.
  const google::protobuf::FieldMask* update_mask = nullptr;
  // An update must name the stored last_update_time (abort_if_latest_updated_time_changed).
  bool match_update_time = false;
};

// Creates the node if its id is unset, else updates it; answers its id. Takes `node` apart.
// Errors: InvalidArgument (no type_id, no such id, another type, undeclared property, a context
// without a name), NotFound (no such type), AlreadyExists (name or external_id is taken),
// FailedPrecondition (another last_update_time).
template <class Node>
absl::StatusOr<int64_t> PutNode(Transaction& transaction, Node* node,
                                const PutNodeOptions& options);

}  // namespace pedigree
