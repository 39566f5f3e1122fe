// Checks the records of an export in jsonl before they are loaded: their order, and that what they
// name is there.
//
// Memory: a bit for each node. Threads: one.
//
//   JsonlCheck check(header);
//   status = check.CheckHeader(selection);
//   status = check.Add(record);   // each
//   status = check.End();
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"
#include "pedigree/v1/audit.pb.h"
#include "store/id_bitmap.h"
#include "store/traits.h"

namespace pedigree::cli {

// The number in the id of an api.Task. InvalidArgument if the bytes are no task, or it has no such
// id.
absl::StatusOr<int64_t> NumberOfTask(const std::string& task);

class JsonlCheck {
 public:
  // Not owned; outlives this.
  explicit JsonlCheck(const v1::ExportHeader& header) : header_(header) {}

  // Errors of all: InvalidArgument.
  absl::Status CheckHeader(const v1::ExportSelection& selection) const;
  absl::Status Add(const v1::ExportRecord& record);
  absl::Status End() const;

  const std::map<std::string, int64_t>& counts() const { return counts_; }

 private:
  // Records of a kind come together, with ascending ids.
  absl::Status TakePlace(int stage, const char* name, int64_t id, int64_t last);
  template <class Node>
  absl::Status AddType(int stage, const char* name, const typename TraitsOf<Node>::Type& type);
  template <class Node>
  absl::Status AddNode(int stage, const char* name, const Node& node, int64_t last,
                       const google::protobuf::RepeatedField<int64_t>& contexts);
  absl::Status AddEvent(const v1::ExportedEvent& event);

  const v1::ExportHeader& header_;
  int stage_ = 0;
  int64_t last_id_ = 0;                                // Of the stage.
  std::array<absl::flat_hash_set<int64_t>, 3> types_;  // By IndexOf(kind), as is the next.
  std::array<IdBitmap, 3> nodes_;
  IdBitmap parents_;  // That contexts name.
  std::map<std::string, int64_t> counts_;
};

}  // namespace pedigree::cli
