// History: what is wrong with a row, and how it is mended.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "migrate/convert.h"
#include "migrate/history.h"
#include "store/event_graph.h"
#include "store/property.h"

namespace pedigree::migrate {
namespace {

std::string WhereOf(const EventRow& event) {
  return absl::StrCat("event ", event.id, " of artifact ", event.artifact_id, " and execution ",
                      event.execution_id);
}

}  // namespace

bool History::MendType(TypeRow* type) {
  const auto where = [&] { return absl::StrCat("type ", type->id); };
  if (type->id < 1 || type->id > kLastImportedId) {
    Find(Problem::kBadId, where);
    return false;
  }
  if (!KindOfType(type->kind).has_value()) {
    Find(Problem::kUnknownTypeKind, where);
    return false;
  }
  MendText(&type->name, where);
  MendText(&type->version, where);
  MendText(&type->description, where);
  MendText(&type->external_id, where);
  if (type->name.value_or("").empty()) {
    Find(Problem::kNamelessType, where);
    type->name = absl::StrCat("~", type->id);
  }
  const auto key = [&] {
    return absl::StrCat(type->kind, " ", type->version.value_or(""), "\n", *type->name);
  };
  if (!type_keys_.insert(key()).second) {
    Find(Problem::kDuplicateType, where);
    absl::StrAppend(&*type->name, "~", type->id);
    type_keys_.insert(key());
  }
  if (type->external_id.has_value() &&
      !type_keys_.insert(absl::StrCat("external ", type->kind, " ", *type->external_id)).second) {
    Find(Problem::kDuplicateTypeExternalId, where);
    type->external_id.reset();
  }
  MendTypeProperties(type);
  MendParents(type);
  for (std::optional<std::string>* json : {&type->input_type, &type->output_type}) {
    TypeRow alone;
    alone.input_type = *json;
    if (ToType<ml_metadata::Execution>(alone, "").ok()) continue;
    Find(Problem::kBadStructType, where);
    json->reset();
  }
  return true;
}

void History::MendTypeProperties(TypeRow* type) {
  std::vector<TypePropertyRow> kept;
  for (TypePropertyRow& property : type->properties) {
    const auto where = [&] {
      return absl::StrCat("type ", type->id, ", property ", property.name);
    };
    MendText(&property.name, where);
    const int64_t kind = property.data_type.value_or(0);
    if (kind < 1 || !ml_metadata::PropertyType_IsValid(static_cast<int>(kind))) {
      Find(Problem::kBadTypeProperty, where);
    } else {
      kept.push_back(std::move(property));
    }
  }
  type->properties = std::move(kept);
}

void History::MendParents(TypeRow* type) {
  std::vector<int64_t> kept;
  for (int64_t parent : type->parents) {
    if (kept.empty() && IsBaseType(*KindOfType(type->kind), TypeName(parent))) {
      kept.push_back(parent);
      continue;
    }
    Find(Problem::kBadParentType,
         [&] { return absl::StrCat("type ", type->id, ", parent ", parent); });
  }
  type->parents = std::move(kept);
}

void History::MendText(std::string* text, absl::FunctionRef<std::string()> where) {
  namespace internal = google::protobuf::internal;
  const auto is_valid = [](absl::string_view bytes) {
    return internal::IsStructurallyValidUTF8(bytes.data(), static_cast<int>(bytes.size()));
  };
  if (is_valid(*text)) return;
  Find(Problem::kBadText, where);
  std::string mended;
  absl::string_view rest = *text;
  while (!rest.empty()) {
    constexpr size_t kMostBytes = 4;
    size_t size = 1;
    while (size <= kMostBytes && size <= rest.size() && !is_valid(rest.substr(0, size))) ++size;
    if (size <= kMostBytes && size <= rest.size()) {
      mended.append(rest.data(), size);
    } else {
      mended.append("\xef\xbf\xbd");
      size = 1;
    }
    rest.remove_prefix(size);
  }
  *text = std::move(mended);
}

void History::MendTakenName(NodeKind kind, NodeRow* node) {
  const Repair repair = Find(Problem::kDuplicateName,
                             [&] { return absl::StrCat(pedigree::NameOf(kind), " ", node->id); });
  if (repair == Repair::kClear && kind != NodeKind::kContext) {
    node->name.reset();
  } else {
    node->name = absl::StrCat(node->name.value_or(""), "~", node->id);
  }
}

void History::MendTakenExternalId(NodeKind kind, NodeRow* node) {
  Find(Problem::kDuplicateExternalId,
       [&] { return absl::StrCat(pedigree::NameOf(kind), " ", node->id); });
  node->external_id.reset();
}

void History::MendIdentity(NodeKind kind, NodeRow* node) {
  const auto where = [&] { return absl::StrCat(pedigree::NameOf(kind), " ", node->id); };
  MendText(&node->name, where);
  MendText(&node->external_id, where);
  MendText(&node->uri, where);
  if (duplicate_names_[IndexOf(kind)].contains(node->id)) MendTakenName(kind, node);
  if (duplicate_external_ids_[IndexOf(kind)].contains(node->id)) MendTakenExternalId(kind, node);
  if (kind == NodeKind::kContext && node->name.value_or("").empty()) {
    Find(Problem::kNamelessContext, where);
    node->name = absl::StrCat("~", node->id);
  }
  if (!node->state.has_value()) return;
  const auto state = static_cast<int>(std::clamp<int64_t>(*node->state, -1, 1 << 20));
  const bool is_known = kind == NodeKind::kArtifact ? ml_metadata::Artifact_State_IsValid(state)
                                                    : ml_metadata::Execution_State_IsValid(state);
  if (is_known) return;
  Find(Problem::kUnknownState, where);
  node->state.reset();
}

bool History::MendNode(NodeKind kind, NodeRow* node) {
  const auto where = [&] { return absl::StrCat(pedigree::NameOf(kind), " ", node->id); };
  if (node->id < 1 || node->id > kLastImportedId) {
    Find(Problem::kBadId, where);
    return false;
  }
  const auto type = type_facts_.find(node->type_id);
  if (type == type_facts_.end() || type->second.kind != kind) {
    Find(Problem::kUnknownType, [&] { return absl::StrCat(where(), ", type ", node->type_id); });
    return false;
  }
  MendIdentity(kind, node);
  // All are looked at before any goes: whether a name is taken depends on the others.
  std::vector<bool> stays;
  for (PropertyRow& property : node->properties) {
    stays.push_back(MendProperty(kind, *node, type->second, &property));
  }
  size_t kept = 0;
  for (size_t i = 0; i < stays.size(); ++i) {
    if (!stays[i]) continue;
    if (kept != i) node->properties[kept] = std::move(node->properties[i]);
    ++kept;
  }
  node->properties.resize(kept);
  return true;
}

bool History::MendProperty(NodeKind kind, const NodeRow& node, const TypeFacts& type,
                           PropertyRow* property) {
  const auto where = [&] {
    return absl::StrCat(pedigree::NameOf(kind), " ", node.id, ", ",
                        property->is_custom ? "custom property " : "property ", property->name);
  };
  MendText(&property->name, where);
  MendText(&property->string_value, where);
  property->byte_value.reset();  // No value of a node has ever been in it.
  if (!property->int_value.has_value() && !property->double_value.has_value() &&
      !property->string_value.has_value() && !property->proto_value.has_value() &&
      !property->bool_value.has_value()) {
    Find(Problem::kEmptyProperty, where);
    return false;
  }
  const auto value = ToValue(*property);
  if (!value.ok()) {
    Find(Problem::kBadValue, where);
    return false;
  }
  if (property->is_custom) return true;
  const auto declared = type.properties.find(property->name);
  if (declared != type.properties.end() && declared->second == PropertyTypeOf(*value)) return true;
  if (Find(Problem::kUndeclaredProperty, where) != Repair::kMakeCustom) return false;
  const bool is_taken =
      std::any_of(node.properties.begin(), node.properties.end(), [&](const PropertyRow& other) {
        return &other != property && other.is_custom && other.name == property->name;
      });
  property->is_custom = true;
  return !is_taken;
}

bool History::MendEvent(EventRow* event) {
  const auto where = [&] { return WhereOf(*event); };
  if (event->id < 1 || event->id > kLastImportedId) {
    Find(Problem::kBadId, where);
    return false;
  }
  if (!ids_[IndexOf(NodeKind::kArtifact)].Contains(event->artifact_id) ||
      !ids_[IndexOf(NodeKind::kExecution)].Contains(event->execution_id)) {
    Find(Problem::kDanglingEvent, where);
    return false;
  }
  if (event->artifact_id > kLastGraphId || event->execution_id > kLastGraphId) {
    Find(Problem::kBadId, where);
    return false;
  }
  if (event->type < 1 || event->type > ml_metadata::Event_Type_Type_MAX) {
    Find(Problem::kUnknownEventType, where);
    return false;
  }
  if (duplicate_events_.contains(event->id)) {
    Find(Problem::kDuplicateEvent, where);
    return false;
  }
  if (!event->time_ms.has_value()) {
    if (Find(Problem::kTimelessEvent, where) == Repair::kDrop) return false;
    event->time_ms = 0;
  }
  std::vector<EventPathRow> path;
  for (EventPathRow& step : event->path) {
    MendText(&step.key, where);
    if (step.is_index ? step.index.has_value() : step.key.has_value()) {
      path.push_back(std::move(step));
    } else {
      Find(Problem::kBadPath, where);
    }
  }
  event->path = std::move(path);
  return true;
}

}  // namespace pedigree::migrate
