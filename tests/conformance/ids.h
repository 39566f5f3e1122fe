// Which fields of a message are ids, and the renaming between recorded and actual ids.
//
// A server may number its nodes as it likes. The first time that a recorded id meets an actual one
// of the same kind in the same place of an answer, the two are bound; from then on each stands for
// the other, in requests and in answers. An id <= 0, such as the -1 of an empty pair, stands for
// itself.
//
// Threading: an IdBinding belongs to one replay; one thread at a time.
//
// Example:
//   IdBinding ids;
//   ids.Bind(IdKind::kArtifact, 1, 501);           // recorded 1 is artifact 501 here
//   RenameIds(request, [&](IdKind kind, int64_t id) { return ids.ToActual(kind, id); });
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::conformance {

enum class IdKind { kArtifact, kExecution, kContext, kType };

class IdBinding {
 public:
  // Binds the two unless one of them is bound already, or <= 0.
  void Bind(IdKind kind, int64_t recorded, int64_t actual);

  // The id to send for a recorded one. An id that is not bound becomes one that no server has
  // given out (large ids are recorded as examples of those, and stay).
  int64_t ToActual(IdKind kind, int64_t recorded) const;

  // The recorded id for an answered one. An id that is not bound becomes one that nobody recorded,
  // so that it cannot pass for the right one.
  int64_t ToRecorded(IdKind kind, int64_t actual) const;

 private:
  using Key = std::pair<IdKind, int64_t>;
  absl::flat_hash_map<Key, int64_t> actual_of_;
  absl::flat_hash_map<Key, int64_t> recorded_of_;
};

// The kind of ids that a field holds; nullopt if it holds none.
std::optional<IdKind> KindOfId(const google::protobuf::FieldDescriptor* field);

// Replaces every id in `message`, at any depth; well-known types (google.*) are left alone. The
// keys of maps from int64 to messages are context ids.
using Renaming = absl::FunctionRef<int64_t(IdKind, int64_t)>;
void RenameIds(google::protobuf::Message& message, Renaming rename);

// Walks a recorded and an actual answer in parallel and binds the ids in the same places. Types
// are paired by name and version, other repeated messages by position, if there are equally many.
void BindAllIds(const google::protobuf::Message& recorded, const google::protobuf::Message& actual,
                IdBinding& ids);

// Binds types alone, by name and version: in an answer without order no position means anything,
// but types that nobody has put (the predefined ones) are met nowhere else.
void BindTypeIds(const google::protobuf::Message& recorded, const google::protobuf::Message& actual,
                 IdBinding& ids);

// Replaces every ${kind:id} in a text by the actual id: filter queries name ids in text.
// InvalidArgument: the id of a template is no int64.
absl::StatusOr<std::string> FillTemplates(absl::string_view text, const IdBinding& ids);

}  // namespace pedigree::conformance
