#include "server/audit_message.h"

#include <string>

namespace pedigree {
namespace {

static_assert(static_cast<int>(ChangedKind::kArtifactType) == v1::CHANGED_ARTIFACT_TYPE);
static_assert(static_cast<int>(ChangedKind::kArtifact) == v1::CHANGED_ARTIFACT);
static_assert(static_cast<int>(ChangedKind::kEvent) == v1::CHANGED_EVENT);
static_assert(static_cast<int>(ChangedKind::kAttribution) == v1::CHANGED_ATTRIBUTION);
static_assert(static_cast<int>(ChangedKind::kParentContext) == v1::CHANGED_PARENT_CONTEXT);
static_assert(static_cast<int>(ChangedKind::kTask) == v1::CHANGED_TASK);
static_assert(static_cast<int>(ChangedKind::kCacheEntry) == v1::CHANGED_CACHE_ENTRY);
static_assert(static_cast<int>(ChangeAction::kCreated) == v1::CREATED);
static_assert(static_cast<int>(ChangeAction::kDeleted) == v1::DELETED);

void Fill(const JournalChange& change, BeforeImages images, v1::Change* message) {
  message->set_kind(static_cast<v1::ChangedKind>(change.kind));
  message->set_action(static_cast<v1::ChangeAction>(change.action));
  message->set_id(change.id);
  message->set_other_id(change.other_id);
  message->set_event_type(change.event_type);
  message->set_digest_before(std::string(change.digest_before));
  message->set_digest_after(std::string(change.digest_after));
  if (images == BeforeImages::kAll) message->set_before_image(std::string(change.before_image));
}

}  // namespace

v1::JournalEntry MessageOf(const JournalEntry& entry, BeforeImages images) {
  v1::JournalEntry message;
  message.set_sequence(entry.sequence);
  message.set_time_ms(entry.time_ms);
  message.set_tls_identity(std::string(entry.tls_identity));
  message.set_declared_principal(std::string(entry.declared_principal));
  message.set_peer(std::string(entry.peer));
  message.set_method(std::string(entry.method));
  message.set_previous_hash(std::string(entry.previous_hash));
  message.set_hash(std::string(ToView(entry.Hash())));
  entry.VisitChanges([&](const JournalChange& change) {
    Fill(change, images, message.add_changes());
    return true;
  });
  return message;
}

}  // namespace pedigree
