// The one pass over all keys that VerifyVersion (verify.h) makes.
//
// Each record asks for its index entries, each index entry asks for its record: together they are
// both directions of every invariant. What a key should be follows from its tag; what cannot be
// read is a problem of its own, and what refers to it is then not judged. In seven files: verify.cc
// goes over the keys, verify_nodes.cc has types, nodes and links, verify_events.cc the events,
// verify_index.cc the index entries, verify_cache.cc the cache of steps, verify_tasks.cc the tasks,
// verify_journal.cc the journal.
// Threads: one.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "store/event_log.h"
#include "store/journal.h"
#include "store/keys.h"
#include "store/reader.h"
#include "store/record.h"
#include "store/verify.h"

namespace pedigree {

class Verifier {
 public:
  explicit Verifier(const Reader& reader) : view_(reader.view()), catalog_(reader.catalog()) {}

  // Checks about so many more keys. Whether all has been checked now.
  absl::StatusOr<bool> Step(int64_t keys);
  const VerifyReport& report() const { return report_; }
  int64_t keys() const { return keys_; }

 private:
  using What = absl::FunctionRef<std::string()>;

  // A node as an index entry finds it.
  struct Found {
    enum class State : uint8_t {
      kMissing,
      kDamaged,  // Its own problem; what refers to it is not judged.
      kWhole,
    };
    State state = State::kMissing;
    std::string bytes;
    NodePeek peek;                   // Of kWhole; borrows from `bytes`, as the next.
    std::optional<RecordView> view;  // Of kWhole.
  };

  template <typename... Parts>
  void Problem(const Parts&... parts) {
    ++report_.problem_count;
    if (report_.problems.size() < VerifyReport::kMaxProblems) {
      report_.problems.push_back(absl::StrCat(parts...));
    }
  }
  void ForeignKey(absl::string_view key);

  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) const {
    return view_.Get(key, Blocking::kAllowed);
  }
  absl::Status FindNode(NodeKind kind, int64_t id, Found* found) const;
  // Complains unless `key` holds exactly `value` (any value if nullopt).
  absl::Status Expect(const std::string& key, std::optional<absl::string_view> value, What what);
  absl::Status ExpectMember(const std::string& prefix, int64_t id, What what);

  absl::Status CheckCounters();
  void Finish();
  absl::Status CheckKey(absl::string_view key, absl::string_view value);

  // Records.
  void CheckType(absl::string_view key, absl::string_view value);
  void CheckPropertyIndex(absl::string_view key, absl::string_view value);
  absl::Status CheckNodeRecord(absl::string_view key, absl::string_view value);
  bool FitsType(NodeKind kind, absl::string_view message) const;
  absl::Status CheckNode(NodeKind kind, const NodePeek& node, const RecordView& record);
  absl::Status CheckLinks(NodeKind kind, int64_t id, const RecordView& record);
  absl::StatusOr<std::vector<int64_t>> FarLinksOf(NodeKind kind, int64_t id) const;
  absl::Status CheckProperties(NodeKind kind, int64_t id, absl::string_view message);

  // Events.
  absl::Status CheckChunk(absl::string_view key, absl::string_view chunk);
  absl::StatusOr<std::optional<int64_t>> CheckEvent(int64_t execution, absl::string_view bytes);
  void CheckNumber(int64_t number);
  absl::Status CheckArtifactEvent(absl::string_view key, absl::string_view value);
  void CheckLineageSnapshot(absl::string_view value);
  absl::Status CheckEventLog(absl::string_view key, absl::string_view value);
  absl::Status CheckLoggedEvent(int64_t number, const NewEvent& event);
  absl::StatusOr<bool> IsInChunk(int64_t execution, int64_t number, absl::string_view bytes);
  absl::Status ReadChunkOf(int64_t execution, int64_t number);

  // The cache.
  absl::Status CheckCacheOf(int64_t execution, absl::string_view message);
  absl::Status CheckCacheEntry(absl::string_view key, absl::string_view value);
  absl::Status CheckCacheLookup(absl::string_view key, absl::string_view value);
  absl::Status CheckCacheToken(absl::string_view value);
  absl::Status CheckCacheLease(absl::string_view key, absl::string_view value);

  // Indexes.
  absl::Status CheckUnique(Tag tag, absl::string_view key, absl::string_view value);
  absl::Status CheckUri(absl::string_view key, absl::string_view value);
  absl::Status CheckFarLink(absl::string_view key, absl::string_view value);
  absl::Status CheckProperty(absl::string_view key, absl::string_view value);
  absl::Status CheckPosting(Tag tag, absl::string_view key, absl::string_view value);
  absl::StatusOr<bool> IsInContext(NodeKind kind, int64_t id, const RecordView& record,
                                   int64_t context) const;

  // Tasks.
  absl::StatusOr<int64_t> LastTask();
  void CheckLastTask(absl::string_view value);
  absl::Status CheckTask(absl::string_view key, absl::string_view value);
  absl::Status CheckTaskFingerprint(absl::string_view key, absl::string_view value);

  // The journal.
  void CheckJournalHead(absl::string_view value);
  void CheckJournal(absl::string_view key, absl::string_view value);
  void EndJournal();

  const View& view_;
  const Catalog& catalog_;
  Counters counters_;
  VerifyReport report_;
  int64_t keys_ = 0;                                 // That have been checked.
  std::string next_;                                 // Where the next step begins: "" at first.
  std::array<int64_t, 3> last_create_time_ms_ = {};  // By IndexOf(kind), as the pass comes by.

  // Every number of an event once, a bit each.
  static constexpr int64_t kNumbersPerBlock = 4096;
  absl::flat_hash_map<int64_t, std::bitset<kNumbersPerBlock>> event_numbers_;
  int64_t events_by_artifact_ = 0;
  uint64_t last_cache_token_ = 0;
  JournalHead journal_head_;
  JournalChain journal_;
  // The chunk that was asked for last: those of a large one are asked for one after another.
  struct Chunk {
    int64_t execution = 0;
    int64_t first = 0;
    std::string bytes;
    absl::flat_hash_set<absl::string_view> events;  // Borrow from `bytes`.
  };
  Chunk chunk_;
};

}  // namespace pedigree
