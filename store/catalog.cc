#include "store/catalog.h"

#include <algorithm>
#include <iterator>

#include "store/codec.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Execution;

constexpr absl::string_view kArtifactTypes[] = {"mlmd.Dataset", "mlmd.Model", "mlmd.Metrics",
                                                "mlmd.Statistics"};
constexpr absl::string_view kExecutionTypes[] = {"mlmd.Train", "mlmd.Transform", "mlmd.Process",
                                                 "mlmd.Evaluate", "mlmd.Deploy"};

template <class Node>
absl::string_view NameIn(const TypeTable<Node>& table, int64_t id) {
  const auto* type = table.FindById(id);
  return type == nullptr ? absl::string_view() : absl::string_view(type->name());
}

template <class Node>
int64_t AddIfMissing(absl::string_view name, int64_t last_id, Catalog* catalog) {
  if (catalog->Of<Node>().FindByName(name, "") != nullptr) return last_id;
  auto type = std::make_shared<typename TraitsOf<Node>::Type>();
  type->set_id(last_id + 1);
  type->set_name(std::string(name));
  catalog->Of<Node>().Put(std::move(type));
  return last_id + 1;
}

template <class Names>
bool Contains(const Names& names, absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

absl::string_view Catalog::TypeName(NodeKind kind, int64_t id) const {
  switch (kind) {
    case NodeKind::kArtifact:
      return NameIn(Of<Artifact>(), id);
    case NodeKind::kExecution:
      return NameIn(Of<Execution>(), id);
    case NodeKind::kContext:
      break;
  }
  return NameIn(Of<ml_metadata::Context>(), id);
}

std::string Catalog::EncodeCreateOrder() const {
  std::string bytes;
  for (NodeKind kind : created_out_of_order_) AppendU8(&bytes, static_cast<uint8_t>(kind));
  return bytes;
}

bool Catalog::DecodeCreateOrder(absl::string_view bytes) {
  created_out_of_order_.clear();
  uint8_t last = 0;
  for (char byte : bytes) {
    const auto kind = static_cast<uint8_t>(byte);
    if (kind <= last || kind > std::size(kNodeKinds)) return false;
    created_out_of_order_.insert(static_cast<NodeKind>(kind));
    last = kind;
  }
  return !bytes.empty();
}

absl::Span<const absl::string_view> PredefinedTypeNames(NodeKind kind) {
  if (kind == NodeKind::kArtifact) return kArtifactTypes;
  if (kind == NodeKind::kExecution) return kExecutionTypes;
  return {};
}

bool IsPredefinedTypeName(NodeKind kind, absl::string_view name) {
  return Contains(PredefinedTypeNames(kind), name);
}

int64_t AddMissingPredefinedTypes(int64_t last_type_id, Catalog* catalog) {
  int64_t last = last_type_id;
  for (absl::string_view name : kArtifactTypes) last = AddIfMissing<Artifact>(name, last, catalog);
  for (absl::string_view name : kExecutionTypes) {
    last = AddIfMissing<Execution>(name, last, catalog);
  }
  return last;
}

void AddPredefinedTypes(Catalog* catalog) { AddMissingPredefinedTypes(0, catalog); }

}  // namespace pedigree
