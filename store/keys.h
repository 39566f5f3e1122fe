// Every key of the store: one struct each, with Encode and Decode.
//
// A key begins with `space:be32` (0 today; one deployment will later hold many isolated stores)
// and `tag:u8`, which says what it is. FORMAT.md has the same rules and vectors; a test compares
// both with this code. Decode answers false for bytes that are not such a key.
// Pure values: any thread.
//
//   std::string key = NodeKey{NodeKind::kArtifact, 7}.Encode();
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "store/property.h"
#include "store/task.h"
#include "store/traits.h"

namespace pedigree {

inline constexpr uint32_t kSpace = 0;
inline constexpr size_t kKeyHeadBytes = 5;  // space and tag

enum class Tag : uint8_t {
  // What is stored.
  kFormat = 0x01,
  kCounters = 0x02,
  kType = 0x03,
  kPropertyIndex = 0x04,
  kLineageSnapshot = 0x05,
  kCacheToken = 0x06,
  kCreateOrder = 0x07,
  kImport = 0x08,
  kJournalHead = 0x09,
  kNode = 0x10,
  kExecutionEvents = 0x20,
  kArtifactEvent = 0x21,
  kEventLog = 0x22,
  kCacheEntry = 0x23,
  kCacheLease = 0x24,
  kJournal = 0x26,
  kTask = 0x28,
  kLastTask = 0x29,
  // Indexes: each follows from what is stored.
  kName = 0x30,
  kExternalId = 0x31,
  kUri = 0x32,
  kFarLink = 0x33,
  kProperty = 0x34,
  kCacheLookup = 0x35,
  kTaskFingerprint = 0x38,
  // posting lists (id_set.h)
  kTypeMembers = 0x40,
  kContextMembers = 0x41,
  kUpdateTimes = 0x42,
  kCreateTimes = 0x43,
};

// The bytes that every key of `tag` starts with.
std::string KeyHead(Tag tag);

// format := space tag -> version:be32                                  e.g. 00000000 01
struct FormatKey {
  std::string Encode() const { return KeyHead(Tag::kFormat); }
};

// counters := space tag -> Counters (record.h)                         e.g. 00000000 02
struct CountersKey {
  std::string Encode() const { return KeyHead(Tag::kCounters); }
};

// type := space tag kind:u8 id:be64 -> ArtifactType, ExecutionType or ContextType
// e.g. artifact type 10: 00000000 03 01 000000000000000a
struct TypeKey {
  NodeKind kind;
  int64_t id;

  std::string Encode() const;
  static bool Decode(absl::string_view key, TypeKey* out);
};

// property_index := space tag index:be32 -> PropertyIndex (property_index.h)
// e.g. the first one: 00000000 04 00000001
struct PropertyIndexKey {
  uint32_t index;

  std::string Encode() const;
  static bool Decode(absl::string_view key, PropertyIndexKey* out);
};

// node := space tag kind:u8 id:be64 -> record (record.h)
// e.g. artifact 7: 00000000 10 01 0000000000000007
struct NodeKey {
  NodeKind kind;
  int64_t id;

  std::string Encode() const;
  static bool Decode(absl::string_view key, NodeKey* out);
};

// execution_events := space tag execution:be64 number:be64 -> chunk of events (record.h)
// The events that one request added to one execution; `number` is the insertion number of the
// first, so that key order is insertion order.
// e.g. execution 3, first event 9: 00000000 20 0000000000000003 0000000000000009
struct ExecutionEventsKey {
  int64_t execution;
  int64_t number;

  static std::string Prefix(int64_t execution);
  std::string Encode() const;
  static bool Decode(absl::string_view key, ExecutionEventsKey* out);
};

// artifact_event := space tag artifact:be64 execution:be64 type:u8 -> number:varint Event
// The other direction, and the proof that (artifact, execution, type) is unique.
// e.g. artifact 7, execution 3, OUTPUT: 00000000 21 0000000000000007 0000000000000003 04
struct ArtifactEventKey {
  int64_t artifact;
  int64_t execution;
  uint8_t type;

  static std::string Prefix(int64_t artifact);
  std::string Encode() const;
  static bool Decode(absl::string_view key, ArtifactEventKey* out);
};

// lineage_snapshot := space tag -> GraphSnapshot (graph_snapshot.h)      e.g. 00000000 05
struct LineageSnapshotKey {
  std::string Encode() const { return KeyHead(Tag::kLineageSnapshot); }
};

// create_order := space tag -> kinds:u8{1..} (catalog.h)                e.g. 00000000 07
struct CreateOrderKey {
  std::string Encode() const { return KeyHead(Tag::kCreateOrder); }
};

// import := space tag -> ImportState (bulk_loader.h)                     e.g. 00000000 08
struct ImportKey {
  std::string Encode() const { return KeyHead(Tag::kImport); }
};

// journal_head := space tag -> JournalHead (journal.h)                  e.g. 00000000 09
struct JournalHeadKey {
  std::string Encode() const { return KeyHead(Tag::kJournalHead); }
};

// journal := space tag sequence:be64 -> chunk of entries (journal.h)
// The entries of one commit group, or a part of them, beginning with this number.
// e.g. of those from number 9 on: 00000000 26 0000000000000009
struct JournalKey {
  int64_t sequence;

  std::string Encode() const;
  static bool Decode(absl::string_view key, JournalKey* out);
};

// event_log := space tag number:be64 -> entry (event_log.h)
// The events of one commit group, beginning with this number.
// e.g. of those from number 9 on: 00000000 22 0000000000000009
struct EventLogKey {
  int64_t number;

  std::string Encode() const;
  static bool Decode(absl::string_view key, EventLogKey* out);
};

// cache_token := space tag -> token:be64
// The last fencing token that was handed out, of all leases.               e.g. 00000000 06
struct CacheTokenKey {
  std::string Encode() const { return KeyHead(Tag::kCacheToken); }
};

// cache_entry := space tag execution:be64 -> CacheEntry (cache_entry.h)
// e.g. of execution 4: 00000000 23 0000000000000004
struct CacheEntryKey {
  int64_t execution;

  std::string Encode() const;
  static bool Decode(absl::string_view key, CacheEntryKey* out);
};

// Where entries of the cache are looked for. Stored in keys: the values are part of the format.
enum class CacheScope : uint8_t { kPipeline = 1, kNamespace = 2, kAny = 3 };

// A fingerprint is stored as the `text` that stands for it in keys (codec.h), which is short, and
// of which equal ones are equal fingerprints.
std::string FingerprintText(absl::string_view fingerprint);

// cache_lease := space tag text scope:u8 text text -> CacheLease (cache_lease.h)
// The fingerprint, and namespace and pipeline as far as the scope has them, else "".
// e.g. "f" in namespace "n": 00000000 24 66 0001 02 6e 0001 0001
struct CacheLeaseKey {
  absl::string_view fingerprint_text;
  CacheScope scope;
  absl::string_view name_space;
  absl::string_view pipeline;

  std::string Encode() const;
  // Whether the bytes are such a key; its texts cannot be read back.
  static bool IsOne(absl::string_view key);
};

// cache_lookup := space tag text text text class:u8 age:be64 number:be64 -> run:varint
// Fingerprint, namespace and pipeline, then the entries that have them, best first: `age` and
// `number` are when the producer completed (as time is in keys) and the execution, all bits
// flipped. `run` is that of the entry.
// "f" in namespace "n", no pipeline, live, completed at 5 ms, execution 4:
// e.g. of 4: 00000000 35 66 0001 6e 0001 0001 01 7ffffffffffffffa fffffffffffffffb
struct CacheLookupKey {
  absl::string_view fingerprint_text;
  absl::string_view name_space;
  absl::string_view pipeline;
  uint8_t cache_class;  // CacheClass (cache_entry.h).
  int64_t completed_ms;
  int64_t execution;

  // Of all entries of a fingerprint, in any namespace, in one, and in one of its pipelines.
  static std::string Prefix(absl::string_view fingerprint_text);
  static std::string Prefix(absl::string_view fingerprint_text, absl::string_view name_space);
  static std::string Prefix(absl::string_view fingerprint_text, absl::string_view name_space,
                            absl::string_view pipeline);
  std::string Encode() const;
  // The numbers; the texts stay as they are. `pair_size` is where the key says all of its three
  // texts: up to there it is a Prefix() of the third kind.
  static bool DecodeNumbers(absl::string_view key, CacheLookupKey* out, size_t* pair_size);
};

// The fingerprint of a key of cache_lookup or cache_lease, as FingerprintText(). Empty for other
// keys.
absl::string_view FingerprintTextIn(absl::string_view key);

// task := space tag number:be64 -> api.Task
// A task of Kubeflow Pipelines; numbers are in insertion order.
// e.g. task 7: 00000000 28 0000000000000007
struct TaskKey {
  int64_t number;

  std::string Encode() const;
  static bool Decode(absl::string_view key, TaskKey* out);
};

// last_task := space tag -> number:be64
// The last number of a task, so that none is handed out twice.           e.g. 00000000 29
struct LastTaskKey {
  std::string Encode() const { return KeyHead(Tag::kLastTask); }
};

// name := space tag kind:u8 type:be64 text -> id:be64
// e.g. context "r" of type 12: 00000000 30 03 000000000000000c 72 0001
struct NameKey {
  NodeKind kind;
  int64_t type_id;
  absl::string_view name;

  std::string Encode() const;
};

// external_id := space tag kind:u8 text -> id:be64
// e.g. execution "x": 00000000 31 02 78 0001
struct ExternalIdKey {
  NodeKind kind;
  absl::string_view external_id;

  std::string Encode() const;
};

// uri := space tag text artifact:be64 -> (empty)
// e.g. "s3" of artifact 7: 00000000 32 7333 0001 0000000000000007
struct UriKey {
  absl::string_view uri;
  int64_t artifact;

  static std::string Prefix(absl::string_view uri);
  std::string Encode() const;
  // The artifact of an encoded key; the uri stands in its record.
  static bool DecodeArtifact(absl::string_view key, int64_t* artifact);
};

// far_link := space tag kind:u8 id:be64 context:be64 -> (empty)
// A context of the node beyond those in its record (record.h).
// e.g. artifact 7 in context 2: 00000000 33 01 0000000000000007 0000000000000002
struct FarLinkKey {
  NodeKind kind;
  int64_t id;
  int64_t context;

  static std::string Prefix(NodeKind kind, int64_t id);
  std::string Encode() const;
  static bool Decode(absl::string_view key, FarLinkKey* out);
};

// property := space tag index:be32 value id:be64 -> (empty)
// The value of the indexed property, as AppendPropertyValue (property.h) has it, of the node.
// e.g. int 5 of node 7 in index 2: 00000000 34 00000002 01 8000000000000005 0000000000000007
struct PropertyKey {
  uint32_t index;
  PropertyValue value;
  int64_t id;

  // Of all entries of the index, of those whose value is of a kind, and of those with the value.
  static std::string Prefix(uint32_t index);
  static std::string Prefix(uint32_t index, PropertyValue::Kind kind);
  static std::string Prefix(uint32_t index, const PropertyValue& value);
  std::string Encode() const;
  // The index and the node of an encoded key; the value stands in the node's record.
  static bool DecodeNode(absl::string_view key, uint32_t* index, int64_t* id);
};

// task_fingerprint := space tag text text text created:be64 number:be64 -> (empty)
// The texts are fingerprint, pipelineName and namespace. Time and number are encoded with all bits
// flipped: the newest of a fingerprint stands first. Task 7 of "f", "p", "n", created in second 5:
// e.g. 00000000 38 66 0001 70 0001 6e 0001 7ffffffffffffffa fffffffffffffff8
struct TaskFingerprintKey {
  absl::string_view fingerprint;
  absl::string_view pipeline;
  absl::string_view name_space;
  TaskPlace place;

  // Of all tasks with the fingerprint, with the pipeline as well, and with all three.
  static std::string Prefix(absl::string_view fingerprint);
  static std::string Prefix(absl::string_view fingerprint, absl::string_view pipeline);
  static std::string Prefix(absl::string_view fingerprint, absl::string_view pipeline,
                            absl::string_view name_space);
  std::string Encode() const;
  // The place of an encoded key; the texts stand in the task.
  static bool DecodePlace(absl::string_view key, TaskPlace* place);
};
void AppendTaskPlace(std::string* key, TaskPlace place);

// Posting lists: prefix, then block:be64 -> id set of the block (id_set.h).
//
// type_members := space tag kind:u8 type:be64 block:be64
// e.g. executions of type 11, ids 256-511: 00000000 40 02 000000000000000b 0000000000000001
std::string TypeMembersPrefix(NodeKind kind, int64_t type_id);

// context_members := space tag context:be64 kind:u8 block:be64
// Attributed artifacts, associated executions, and, under kContext, child contexts.
// e.g. artifacts of context 2, ids 0-255: 00000000 41 0000000000000002 01 0000000000000000
std::string ContextMembersPrefix(int64_t context, NodeKind kind);

// update_times := space tag kind:u8 time:be64 block:be64, the time with its sign bit flipped
// e.g. artifacts updated at 5 ms, ids 0-255: 00000000 42 01 8000000000000005 0000000000000000
std::string UpdateTimesPrefix(NodeKind kind);
std::string UpdateTimePrefix(NodeKind kind, int64_t time_ms);
//
// create_times := space tag kind:u8 time:be64 block:be64, the time with its sign bit flipped
// e.g. artifacts created at 5 ms, ids 0-255: 00000000 43 01 8000000000000005 0000000000000000
std::string CreateTimesPrefix(NodeKind kind);
std::string CreateTimePrefix(NodeKind kind, int64_t time_ms);

}  // namespace pedigree
