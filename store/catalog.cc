#include "store/catalog.h"

namespace pedigree {
namespace {

template <class Node>
absl::string_view NameIn(const TypeTable<Node>& table, int64_t id) {
  const auto* type = table.FindById(id);
  return type == nullptr ? absl::string_view() : absl::string_view(type->name());
}

template <class Node>
void Add(Catalog* catalog, int64_t id, const char* name) {
  auto type = std::make_shared<typename TraitsOf<Node>::Type>();
  type->set_id(id);
  type->set_name(name);
  catalog->Of<Node>().Put(std::move(type));
}

}  // namespace

absl::string_view Catalog::TypeName(NodeKind kind, int64_t id) const {
  switch (kind) {
    case NodeKind::kArtifact:
      return NameIn(Of<ml_metadata::Artifact>(), id);
    case NodeKind::kExecution:
      return NameIn(Of<ml_metadata::Execution>(), id);
    case NodeKind::kContext:
      break;
  }
  return NameIn(Of<ml_metadata::Context>(), id);
}

void AddPredefinedTypes(Catalog* catalog) {
  using ml_metadata::Artifact;
  using ml_metadata::Execution;
  int64_t id = 0;
  for (const char* name : {"mlmd.Dataset", "mlmd.Model", "mlmd.Metrics", "mlmd.Statistics"}) {
    Add<Artifact>(catalog, ++id, name);
  }
  for (const char* name :
       {"mlmd.Train", "mlmd.Transform", "mlmd.Process", "mlmd.Evaluate", "mlmd.Deploy"}) {
    Add<Execution>(catalog, ++id, name);
  }
}

}  // namespace pedigree
