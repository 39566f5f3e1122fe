#include "server/export_snapshot.h"

#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/keys.h"
#include "store/sha256.h"
#include "store/text.h"

namespace pedigree {
namespace {

constexpr size_t kDigestBytes = 12;

// Leases change neither counters nor the journal, only the last fencing token.
std::string NameOf(const Version& version, int64_t last_token) {
  std::string content = version.counters.Encode();
  AppendId(&content, last_token);
  content.append(version.journal.Encode());
  // What is not journalled shows in the number of the write.
  if (version.journal.mode == JournalHead::Mode::kOff) {
    AppendVarint(&content, version.engine_sequence);
  }
  content.append(version.catalog->EncodeCreateOrder());
  for (const auto& [id, index] : version.catalog->property_indexes().all()) {
    AppendVarint(&content, id);
    content.append(index->Encode());
  }
  const Sha256Digest digest = Sha256(content);
  return absl::StrCat(version.journal.sequence, "-",
                      absl::BytesToHexString(ToView(digest).substr(0, kDigestBytes)));
}

// A number that stands alone under a key; 0 if there is none.
absl::StatusOr<int64_t> NumberUnder(const View& view, const std::string& key) {
  auto bytes = view.Get(key, Blocking::kAllowed);
  if (!bytes.ok()) return bytes.status();
  int64_t number = 0;
  if (bytes->has_value() && !ByteReader(**bytes).ReadId(&number)) {
    return absl::DataLossError("a counter of the store does not decode");
  }
  return number;
}

}  // namespace

absl::StatusOr<v1::ExportHeader> ExportHeaderOf(const Reader& reader) {
  const Version& version = reader.version();
  v1::ExportHeader header;
  header.set_sequence(version.journal.sequence);
  header.set_time_ms(version.journal.time_ms);
  header.set_chain_hash(std::string(version.journal.hash.begin(), version.journal.hash.end()));
  header.set_last_artifact_id(version.last_id(NodeKind::kArtifact));
  header.set_last_execution_id(version.last_id(NodeKind::kExecution));
  header.set_last_context_id(version.last_id(NodeKind::kContext));
  header.set_last_type_id(version.counters.last_type_id);
  header.set_last_event_number(version.counters.last_event_number);
  header.set_last_time_ms(version.counters.last_time_ms);
  const auto last_task = NumberUnder(reader.view(), LastTaskKey().Encode());
  if (!last_task.ok()) return last_task.status();
  header.set_last_task_number(*last_task);
  const auto last_token = NumberUnder(reader.view(), CacheTokenKey().Encode());
  if (!last_token.ok()) return last_token.status();
  header.set_last_fencing_token(*last_token);
  header.set_snapshot(NameOf(version, *last_token));
  for (NodeKind kind : kNodeKinds) {
    if (version.catalog->IsCreatedInOrder(kind)) continue;
    header.add_created_out_of_order(static_cast<v1::NodeKind>(kind));
  }
  for (const auto& [id, index] : version.catalog->property_indexes().all()) {
    if (index->state == PropertyIndex::State::kDropping) continue;
    v1::PropertyIndex* message = header.add_property_indexes();
    message->set_kind(static_cast<v1::NodeKind>(index->kind));
    message->set_is_custom(index->is_custom);
    message->set_name(index->name);
  }
  return header;
}

absl::StatusOr<std::shared_ptr<const Version>> ChooseExportVersion(const Store& store,
                                                                   const std::string& snapshot) {
  if (!snapshot.empty()) {
    std::shared_ptr<const Version> pinned = store.pinned_versions().Find(snapshot);
    if (pinned != nullptr) return pinned;
  }
  std::shared_ptr<const Version> newest = store.CurrentVersion();
  const auto last_token = NumberUnder(*newest->view, CacheTokenKey().Encode());
  if (!last_token.ok()) return last_token.status();
  const std::string name = NameOf(*newest, *last_token);
  if (!snapshot.empty() && snapshot != name) {
    return absl::NotFoundError(absl::StrCat(
        "the snapshot ", Quoted(snapshot),
        " is gone: the store has changed since, and the server kept it for ",
        std::chrono::minutes(kPinnedFor).count(), " minutes after its last use; begin anew"));
  }
  return store.pinned_versions().Pin(name, std::move(newest));
}

}  // namespace pedigree
