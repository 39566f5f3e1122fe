// PutTypes, Put*Type, Get*Type*: the rules by which types come to be and evolve.
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/handlers.h"
#include "store/text.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using ml_metadata::PropertyType;

// What a request allows a stored type and the one it brings to differ in.
struct Evolution {
  bool can_add_fields;
  bool can_omit_fields;
};

// The contract deprecates these fields; clients send them all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
template <class Request>
absl::StatusOr<Evolution> EvolutionOf(const Request& request) {
  if (!request.all_fields_match()) {
    return absl::UnimplementedError("all_fields_match = false is not supported");
  }
  return Evolution{request.can_add_fields(), request.can_omit_fields()};
}
#pragma GCC diagnostic pop

template <class Type>
absl::Status Conflict(const Type& type, absl::string_view property, absl::string_view what) {
  return absl::AlreadyExistsError(absl::StrCat("type ", Quoted(type.name()),
                                               " already exists, and its property ",
                                               Quoted(property), " ", what));
}

// Brings the properties of `type` into `merged`, the stored type. True if that adds any.
template <class Type>
absl::StatusOr<bool> MergeProperties(const Type& type, Evolution evolution, Type* merged) {
  for (const auto& [name, kind] : merged->properties()) {
    const auto it = type.properties().find(name);
    if (it == type.properties().end()) {
      if (evolution.can_omit_fields) continue;
      return Conflict(type, name, "is missing here; set can_omit_fields to leave it out");
    }
    if (it->second != kind) {
      return Conflict(type, name, absl::StrCat("is ", PropertyType_Name(kind)));
    }
  }
  bool added = false;
  for (const auto& [name, kind] : type.properties()) {
    if (merged->properties().contains(name)) continue;
    if (!evolution.can_add_fields) {
      return Conflict(type, name, "is new; set can_add_fields to add it");
    }
    (*merged->mutable_properties())[name] = kind;
    added = true;
  }
  return added;
}

// True if the base type of `merged` changes.
template <class Type>
absl::StatusOr<bool> MergeBaseType(const Type& type, Type* merged) {
  if (!type.has_base_type() || type.base_type() == merged->base_type()) return false;
  if (merged->has_base_type()) {
    return absl::UnimplementedError(
        absl::StrCat("type ", Quoted(type.name()), ": a base_type cannot be changed"));
  }
  merged->set_base_type(type.base_type());
  return true;
}

template <class Type>
bool MergeExternalId(const Type& type, Type* merged) {
  if (!type.has_external_id()) return false;
  if (merged->has_external_id() && merged->external_id() == type.external_id()) return false;
  merged->set_external_id(type.external_id());
  return true;
}

// Brings `type` into the stored type of its name. True if that changes it.
template <class Type>
absl::StatusOr<bool> Merge(const Type& type, Evolution evolution, Type* stored) {
  auto added = MergeProperties(type, evolution, stored);
  if (!added.ok()) return added.status();
  auto based = MergeBaseType(type, stored);
  if (!based.ok()) return based.status();
  const bool named = MergeExternalId(type, stored);
  return *added || *based || named;
}

// What holds for a type whatever the store has.
template <class Node>
absl::Status CheckType(const typename TraitsOf<Node>::Type& type) {
  if (type.name().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("an ", TraitsOf<Node>::kName, " type needs a name"));
  }
  // UNSET is 0 in the base types of all three kinds.
  if (type.has_base_type() && static_cast<int>(type.base_type()) == 0) {
    return absl::UnimplementedError(
        absl::StrCat("type ", Quoted(type.name()), ": base_type UNSET is not supported"));
  }
  return absl::OkStatus();
}

template <class Node>
absl::StatusOr<int64_t> UpsertType(Transaction& transaction, typename TraitsOf<Node>::Type* type,
                                   Evolution evolution) {
  if (absl::Status status = CheckType<Node>(*type); !status.ok()) return status;
  const auto* stored = transaction.catalog().Of<Node>().FindByName(type->name(), type->version());
  if (stored != nullptr) {
    auto merged = *stored;
    auto changed = Merge(*type, evolution, &merged);
    if (!changed.ok()) return changed.status();
    return *changed ? transaction.PutType<Node>(&merged) : merged.id();
  }
  type->clear_id();
  if (type->version().empty()) type->clear_version();
  return transaction.PutType<Node>(type);
}

template <class Node, class Types, class AddId>
absl::Status UpsertAll(Transaction& transaction, Types* types, Evolution evolution, AddId add_id) {
  for (auto& type : *types) {
    auto id = UpsertType<Node>(transaction, &type, evolution);
    if (!id.ok()) return id.status();
    add_id(*id);
  }
  return absl::OkStatus();
}

}  // namespace

template <class Node>
absl::Status PutType(Transaction& transaction, typename RpcOf<Node>::PutTypeRequest* request,
                     typename RpcOf<Node>::PutTypeResponse* response) {
  auto evolution = EvolutionOf(*request);
  if (!evolution.ok()) return evolution.status();
  auto id = UpsertType<Node>(transaction, RpcOf<Node>::Type(request), *evolution);
  if (!id.ok()) return id.status();
  response->set_type_id(*id);
  return absl::OkStatus();
}

template <class Node>
bool IsTypeWritten(const Reader& reader, typename RpcOf<Node>::PutTypeRequest* request,
                   typename RpcOf<Node>::PutTypeResponse* response) {
  const auto evolution = EvolutionOf(*request);
  const auto& type = *RpcOf<Node>::Type(request);
  if (!evolution.ok() || !CheckType<Node>(type).ok()) return false;
  const auto* stored = reader.catalog().Of<Node>().FindByName(type.name(), type.version());
  if (stored == nullptr) return false;
  auto merged = *stored;
  const auto changed = Merge(type, *evolution, &merged);
  if (!changed.ok() || *changed) return false;
  response->set_type_id(stored->id());
  return true;
}

absl::Status PutTypes(Transaction& transaction, ml_metadata::PutTypesRequest* request,
                      ml_metadata::PutTypesResponse* response) {
  auto evolution = EvolutionOf(*request);
  if (!evolution.ok()) return evolution.status();
  absl::Status status =
      UpsertAll<Artifact>(transaction, request->mutable_artifact_types(), *evolution,
                          [&](int64_t id) { response->add_artifact_type_ids(id); });
  if (status.ok()) {
    status = UpsertAll<Execution>(transaction, request->mutable_execution_types(), *evolution,
                                  [&](int64_t id) { response->add_execution_type_ids(id); });
  }
  if (status.ok()) {
    status = UpsertAll<Context>(transaction, request->mutable_context_types(), *evolution,
                                [&](int64_t id) { response->add_context_type_ids(id); });
  }
  return status;
}

template <class Node>
absl::Status GetType(const Reader& reader, const typename RpcOf<Node>::GetTypeRequest& request,
                     Answer* answer) {
  const auto* type =
      reader.catalog().Of<Node>().FindByName(request.type_name(), request.type_version());
  if (type == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("no ", TraitsOf<Node>::kName, " type is named ", Quoted(request.type_name()),
                     request.type_version().empty()
                         ? std::string()
                         : absl::StrCat(" in version ", Quoted(request.type_version()))));
  }
  answer->AddMessage(kTypesField, *type);
  return absl::OkStatus();
}

template <class Node>
absl::Status GetTypes(const Reader& reader, const typename RpcOf<Node>::GetTypesRequest&,
                      Answer* answer) {
  for (const auto& [id, type] : reader.catalog().Of<Node>().all()) {
    if (!IsPredefined<Node>(*type)) answer->AddMessage(kTypesField, *type);
  }
  return absl::OkStatus();
}

template <class Node>
absl::Status GetTypesById(const Reader& reader,
                          const typename RpcOf<Node>::TypesByIdRequest& request, Answer* answer) {
  for (int64_t id : request.type_ids()) {
    const auto* type = reader.catalog().Of<Node>().FindById(id);
    if (type != nullptr) answer->AddMessage(kTypesField, *type);
  }
  return absl::OkStatus();
}

template <class Node>
absl::Status GetTypesByExternalIds(const Reader& reader,
                                   const typename RpcOf<Node>::TypesByExternalIdsRequest& request,
                                   Answer* answer) {
  std::map<int64_t, const typename TraitsOf<Node>::Type*> found;
  for (const std::string& external_id : request.external_ids()) {
    if (external_id.empty()) return absl::InvalidArgumentError("an external_id is empty");
    const auto* type = reader.catalog().Of<Node>().FindByExternalId(external_id);
    if (type != nullptr) found[type->id()] = type;
  }
  if (found.empty() && !request.external_ids().empty()) {
    return absl::NotFoundError(absl::StrCat("no ", TraitsOf<Node>::kName,
                                            " type has one of these external_ids; the first is ",
                                            Quoted(request.external_ids(0))));
  }
  for (const auto& [id, type] : found) answer->AddMessage(kTypesField, *type);
  return absl::OkStatus();
}

#define PEDIGREE_INSTANTIATE(Node)                                                                 \
  template absl::Status PutType<Node>(Transaction&, RpcOf<Node>::PutTypeRequest*,                  \
                                      RpcOf<Node>::PutTypeResponse*);                              \
  template bool IsTypeWritten<Node>(const Reader&, RpcOf<Node>::PutTypeRequest*,                   \
                                    RpcOf<Node>::PutTypeResponse*);                                \
  template absl::Status GetType<Node>(const Reader&, const RpcOf<Node>::GetTypeRequest&, Answer*); \
  template absl::Status GetTypes<Node>(const Reader&, const RpcOf<Node>::GetTypesRequest&,         \
                                       Answer*);                                                   \
  template absl::Status GetTypesById<Node>(const Reader&, const RpcOf<Node>::TypesByIdRequest&,    \
                                           Answer*);                                               \
  template absl::Status GetTypesByExternalIds<Node>(                                               \
      const Reader&, const RpcOf<Node>::TypesByExternalIdsRequest&, Answer*);
PEDIGREE_INSTANTIATE(Artifact)
PEDIGREE_INSTANTIATE(Execution)
PEDIGREE_INSTANTIATE(Context)
#undef PEDIGREE_INSTANTIATE

}  // namespace pedigree
