// What only an import needs, beside ImportNode().
#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "store/bulk_loader.h"
#include "store/codec.h"
#include "store/directory.h"
#include "store/keys.h"
#include "store/text.h"
#include "store/transaction.h"

namespace pedigree {

absl::Status Transaction::CheckImportable() const {
  if (catalog_->IsBeingImported()) {
    return absl::FailedPreconditionError(
        absl::StrCat("an import is going on already, of ", Quoted(catalog_->import_source()),
                     ": end it with the same `pedigree import`, or begin with an empty data_dir"));
  }
  const auto& ids = counters_.last_node_id;
  const bool is_new =
      counters_.last_event_number == 0 && counters_.last_type_id == kLastPredefinedTypeId &&
      std::all_of(std::begin(ids), std::end(ids), [](int64_t id) { return id == 0; });
  auto last_task = Get(LastTaskKey().Encode());
  if (!last_task.ok()) return last_task.status();
  if (is_new && !last_task->has_value()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the store is not empty: an import goes into one that nothing has been put into");
}

absl::Status Transaction::BeginImport(const std::string& source) {
  if (absl::Status status = CheckImportable(); !status.ok()) return status;
  // A program that does not know create_order must not open what is committed next.
  absl::Status raised = raise_format_(kCreateOrderFormatVersion);
  if (!raised.ok()) return raised;
  DeleteTypes<ml_metadata::Artifact>();
  DeleteTypes<ml_metadata::Execution>();
  DeleteTypes<ml_metadata::Context>();
  counters_.last_type_id = 0;
  Catalog* catalog = MutableCatalog();
  for (NodeKind kind : kNodeKinds) catalog->SetCreatedOutOfOrder(kind);
  catalog->SetImportSource(source);
  std::string format;
  AppendBe32(&format, kCreateOrderFormatVersion);
  writes_.Put(FormatKey().Encode(), format);
  writes_.Put(CreateOrderKey().Encode(), catalog->EncodeCreateOrder());
  writes_.Put(ImportKey().Encode(), ImportState{0, source}.Encode());
  return absl::OkStatus();
}

template <class Node>
void Transaction::DeleteTypes() {
  auto& types = MutableCatalog()->Of<Node>();
  for (const auto& [id, type] : types.all()) {
    writes_.Delete(TypeKey{TraitsOf<Node>::kKind, id}.Encode());
  }
  types = {};
}

template <class Node>
absl::StatusOr<bool> Transaction::ImportType(const typename TraitsOf<Node>::Type& type) {
  using Type = typename TraitsOf<Node>::Type;
  const Type* stored = catalog_->Of<Node>().FindById(type.id());
  const Type* named = catalog_->Of<Node>().FindByName(type.name(), type.version());
  if (named != nullptr && named->id() != type.id()) {
    return absl::FailedPreconditionError(
        absl::StrCat(TraitsOf<Node>::kName, " type ", Quoted(type.name()), " had id ", named->id(),
                     " and has now ", type.id(), ": it was made anew"));
  }
  counters_.last_type_id = std::max(counters_.last_type_id, type.id());
  if (stored != nullptr) {
    if (stored->name() != type.name() || stored->version() != type.version()) {
      return absl::FailedPreconditionError(
          absl::StrCat(TraitsOf<Node>::kName, " type ", type.id(), " was ", Quoted(stored->name()),
                       " and is now ", Quoted(type.name()), ": it is another type"));
    }
    if (google::protobuf::util::MessageDifferencer::Equals(*stored, type)) return false;
  }
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  const std::string message = SerializeSame(type);
  writes_.Put(TypeKey{kKind, type.id()}.Encode(), message);
  if (stored == nullptr) {
    JournalCreated(ChangedType(kKind), type.id(), message);
  } else {
    JournalUpdated(ChangedType(kKind), type.id(), SerializeSame(*stored), message);
  }
  MutableCatalog()->Of<Node>().Put(std::make_shared<const Type>(type));
  return true;
}

template <class Node>
absl::StatusOr<bool> Transaction::IsNameTaken(const Node& node) const {
  if (!node.has_name()) return false;
  auto owner = FindIdByName(TraitsOf<Node>::kKind, node.type_id(), node.name());
  if (!owner.ok()) return owner.status();
  return owner->has_value() && **owner != node.id();
}

template <class Node>
absl::StatusOr<bool> Transaction::IsExternalIdTaken(const Node& node) const {
  if (!node.has_external_id()) return false;
  auto owner = FindIdByExternalId(TraitsOf<Node>::kKind, node.external_id());
  if (!owner.ok()) return owner.status();
  return owner->has_value() && **owner != node.id();
}

absl::StatusOr<bool> Transaction::HasEvent(const ml_metadata::Event& event) const {
  return EventExists(event, ArtifactEventKey{event.artifact_id(), event.execution_id(),
                                             static_cast<uint8_t>(event.type())}
                                .Encode());
}

absl::StatusOr<std::string> Transaction::ImportSource() const {
  auto bytes = Get(ImportKey().Encode());
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return absl::NotFoundError("the store follows no source");
  ImportState state;
  if (!ImportState::Decode(**bytes, &state)) {
    return absl::DataLossError("what an import has left is damaged: remove the directory");
  }
  return state.source;
}

template <class Node>
absl::Status Transaction::PutMissingTypes(const Catalog& all) {
  for (const auto& [id, type] : all.Of<Node>().all()) {
    if (catalog_->Of<Node>().FindById(id) != nullptr) continue;
    if (auto put = ImportType<Node>(*type); !put.ok()) return put.status();
  }
  return absl::OkStatus();
}

absl::Status Transaction::EndImport(const std::array<int64_t, 3>& handed_out,
                                    int64_t last_type_id) {
  for (NodeKind kind : kNodeKinds) {
    int64_t& last_id = counters_.last_node_id[IndexOf(kind)];
    last_id = std::max(last_id, handed_out[IndexOf(kind)]);
  }
  counters_.last_type_id = std::max(counters_.last_type_id, last_type_id);
  Catalog all = *catalog_;
  AddMissingPredefinedTypes(counters_.last_type_id, &all);
  absl::Status status = PutMissingTypes<ml_metadata::Artifact>(all);
  if (status.ok()) status = PutMissingTypes<ml_metadata::Execution>(all);
  if (!status.ok()) return status;
  MutableCatalog()->SetImportSource("");
  writes_.Delete(ImportKey().Encode());
  return absl::OkStatus();
}

#define PEDIGREE_INSTANTIATE(Node)                                                          \
  template absl::StatusOr<bool> Transaction::ImportType<Node>(const TraitsOf<Node>::Type&); \
  template absl::StatusOr<bool> Transaction::IsNameTaken(const Node&) const;                \
  template absl::StatusOr<bool> Transaction::IsExternalIdTaken(const Node&) const;
PEDIGREE_INSTANTIATE(ml_metadata::Artifact)
PEDIGREE_INSTANTIATE(ml_metadata::Execution)
PEDIGREE_INSTANTIATE(ml_metadata::Context)
#undef PEDIGREE_INSTANTIATE

}  // namespace pedigree
