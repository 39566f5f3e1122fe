// Types: stored one key each, served from the catalog.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/keys.h"
#include "store/text.h"
#include "store/transaction.h"

namespace pedigree {

template <class Node>
absl::StatusOr<int64_t> Transaction::PutType(typename TraitsOf<Node>::Type* type) {
  using Type = typename TraitsOf<Node>::Type;
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  if (type->has_external_id()) {
    const Type* owner = catalog_->Of<Node>().FindByExternalId(type->external_id());
    if (owner != nullptr && (!type->has_id() || owner->id() != type->id())) {
      return absl::AlreadyExistsError(absl::StrCat("the external_id ", Quoted(type->external_id()),
                                                   " already exists: it is that of ", NameOf(kKind),
                                                   " type ", Quoted(owner->name())));
    }
  }
  std::optional<std::string> before;
  if (type->has_id()) {
    auto stored = Get(TypeKey{kKind, type->id()}.Encode());
    if (!stored.ok()) return stored.status();
    before = *std::move(stored);
  } else {
    type->set_id(++counters_.last_type_id);
  }
  const std::string message = SerializeSame(*type);
  writes_.Put(TypeKey{kKind, type->id()}.Encode(), message);
  if (!before.has_value()) {
    JournalCreated(ChangedType(kKind), type->id(), message);
  } else if (*before != message) {
    JournalUpdated(ChangedType(kKind), type->id(), *before, message);
  }
  MutableCatalog()->Of<Node>().Put(std::make_shared<const Type>(*type));
  return type->id();
}

template absl::StatusOr<int64_t> Transaction::PutType<ml_metadata::Artifact>(
    ml_metadata::ArtifactType*);
template absl::StatusOr<int64_t> Transaction::PutType<ml_metadata::Execution>(
    ml_metadata::ExecutionType*);
template absl::StatusOr<int64_t> Transaction::PutType<ml_metadata::Context>(
    ml_metadata::ContextType*);

}  // namespace pedigree
