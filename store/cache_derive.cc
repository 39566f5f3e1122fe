#include "store/cache_derive.h"

#include <utility>
#include <vector>

#include "store/catalog.h"
#include "store/property.h"
#include "store/record.h"

namespace pedigree {
namespace {

constexpr absl::string_view kPipelineType = "system.Pipeline";
// Contexts that are asked whose an execution's entry is: it is looked for at the end of a request.
constexpr size_t kMostContexts = 256;

// The text of a context's custom property `namespace`.
absl::string_view NamespaceIn(absl::string_view entry) {
  const auto property = PeekProperty(entry);
  if (!property.has_value() || property->name != "namespace") return {};
  return property->value.string_value;  // "" unless it is a text.
}

}  // namespace

absl::StatusOr<CachePlace> DeriveCachePlace(const KeyLookup& lookup, int64_t execution,
                                            const NodeRecord& record, const CacheFacts& facts) {
  CachePlace place;
  place.name_space = std::string(facts.name_space);
  auto contexts = lookup.FindContextsOf(NodeKind::kExecution, execution, record, kMostContexts);
  if (!contexts.ok()) return contexts.status();
  for (int64_t id : *contexts) {
    if (!place.name_space.empty() && !place.pipeline.empty()) break;
    auto context = lookup.FindRecord(NodeKind::kContext, id);
    if (!context.ok()) return context.status();
    if (!context->has_value()) continue;
    absl::string_view name_space;
    const auto peek = PeekNode(NodeKind::kContext, (*context)->message(),
                               [&](bool is_custom, absl::string_view entry) {
                                 if (is_custom && name_space.empty()) {
                                   name_space = NamespaceIn(entry);
                                 }
                               });
    if (!peek.has_value()) return DamagedRecord("context", id);
    if (place.name_space.empty()) place.name_space = std::string(name_space);
    if (place.pipeline.empty() &&
        lookup.catalog().TypeName(NodeKind::kContext, peek->type_id) == kPipelineType) {
      place.pipeline = std::string(peek->name.value_or(""));
    }
  }
  return place;
}

absl::StatusOr<std::optional<CacheRun>> FindOriginRun(const KeyLookup& lookup, int64_t execution,
                                                      const CacheFacts& facts) {
  if (!facts.is_cached || facts.cached_execution <= 0 || facts.cached_execution == execution) {
    return std::nullopt;
  }
  auto origin = lookup.FindCacheEntry(facts.cached_execution);
  if (!origin.ok()) return origin.status();
  if (!origin->has_value() || (*origin)->completed_ms == 0) return std::nullopt;
  return CacheRun{(*origin)->completed_ms, (*origin)->run_ms};
}

}  // namespace pedigree
