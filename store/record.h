// Values of the store that are not plain protobuf: node records, event chunks, counters.
//
// Value types over owned or borrowed bytes; any thread.
//
//   std::string record = EncodeRecord({2, 5}, FarLinks::kNone, artifact_bytes);
//   RecordView::Parse(record)->NearLinks();   // {2, 5}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/traits.h"

namespace pedigree {

// The contexts of an artifact or execution stand in its record up to this many, beyond that under
// FarLinkKey each: the common node needs no key for them, and a data set of 100,000 runs does not
// rewrite a list of 100,000 ids for the next one. A context's parents all stand in its record: they
// are few, and the check for cycles walks them.
inline constexpr size_t kMaxNearLinks = 16;
constexpr size_t MaxNearLinks(NodeKind kind) {
  return kind == NodeKind::kContext ? SIZE_MAX : kMaxNearLinks;
}

enum class FarLinks : uint8_t { kNone, kSome };

// A message in wire format, deterministic: equal messages have equal bytes, whatever the order of
// their maps was.
std::string SerializeSame(const google::protobuf::MessageLite& message);

// node record := links:varint link:varint{count} message
//   links    2 x count, + 1 if there are far links
//   link     id of a context (of an artifact: attribution, of an execution: association, of a
//            context: parent), ascending, each as the difference to the one before
//   message  Artifact, Execution or Context, serialised deterministically, without `type`
// e.g. an execution 1 of type 11 in contexts 2 and 5: 04 02 03 | 08 01 10 0b
//
// A view: borrows its bytes.
class RecordView {
 public:
  // Nullopt if the bytes are no record.
  static std::optional<RecordView> Parse(absl::string_view bytes);

  // Ascending ids of the contexts that stand in the record.
  std::vector<int64_t> NearLinks() const;
  void VisitNearLinks(absl::FunctionRef<void(int64_t context)> visit) const;
  bool HasFarLinks() const { return has_far_links_; }
  // The node's message, without `type`.
  absl::string_view message() const { return message_; }

 private:
  absl::string_view link_bytes_;
  absl::string_view message_;
  uint64_t link_count_ = 0;
  bool has_far_links_ = false;
};

// REQUIRES: near_links ascending, at most MaxNearLinks.
std::string EncodeRecord(absl::Span<const int64_t> near_links, FarLinks far_links,
                         absl::string_view message);

// The top-level fields of a node that the store works with, read without parsing the rest.
// Strings are borrowed from the message.
struct NodePeek {
  int64_t id = 0;
  int64_t type_id = 0;
  int64_t create_time_ms = 0;
  int64_t last_update_time_ms = 0;
  std::optional<absl::string_view> name;
  std::optional<absl::string_view> external_id;
  absl::string_view uri;
  // The number of an Artifact's state or an Execution's last_known_state, where it is set.
  std::optional<int32_t> state;
};

// The type id alone; 0 if the bytes are no message. It stands second, so this reads two fields.
int64_t PeekTypeId(NodeKind kind, absl::string_view message);

// Nullopt if the bytes are no message.
std::optional<NodePeek> PeekNode(NodeKind kind, absl::string_view message);

// The same, and visits the entries of both property maps on the way (property.h).
using VisitPropertyEntry = absl::FunctionRef<void(bool is_custom, absl::string_view entry)>;
std::optional<NodePeek> PeekNode(NodeKind kind, absl::string_view message,
                                 VisitPropertyEntry visit);

// chunk of events := (size:varint Event){1..}
void AppendEventToChunk(absl::string_view event, std::string* chunk);
// Calls visit for each event of the chunk until it answers false. False if the bytes are no chunk.
bool VisitChunk(absl::string_view chunk, absl::FunctionRef<bool(absl::string_view event)> visit);

// Names what the store must remember beyond its nodes. Written with every commit.
// counters := artifact:be64 execution:be64 context:be64 type:be64 event:be64 time:be64
struct Counters {
  int64_t last_node_id[3] = {0, 0, 0};  // By IndexOf(kind).
  int64_t last_type_id = 0;             // One sequence for the types of all kinds.
  int64_t last_event_number = 0;
  int64_t last_time_ms = 0;  // The newest time handed out: the clock never runs behind it.

  std::string Encode() const;
  static bool Decode(absl::string_view bytes, Counters* out);
};

// "artifact 7: the record does not decode; ..." as DataLoss.
absl::Status DamagedRecord(absl::string_view what, int64_t id);

}  // namespace pedigree
