// Messages of pedigree.v1.LineageService to what query/ works with, and back.
//
// Pure functions; any thread.
//
//   auto scope = ScopeOf(request.scope());
//   if (!scope.ok()) return scope.status();
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pedigree/v1/lineage.pb.h"
#include "query/lineage_scope.h"
#include "query/lineage_start.h"
#include "query/lineage_view.h"

namespace pedigree {

// InvalidArgument if it is of no kind that has lineage; NotFound if no node has such an id.
// `field` is the reference's name in error texts.
absl::StatusOr<LineageNode> NodeOf(absl::string_view field, const v1::NodeRef& ref);
v1::NodeRef RefOf(LineageNode node);

// Errors: as NodeOf; InvalidArgument if it names nothing to begin with.
absl::StatusOr<LineageStart> StartOf(const v1::LineageStart& message);

// InvalidArgument if max_hops is below 0 or an event type unknown. Filters are not parsed yet.
absl::StatusOr<LineageScope> ScopeOf(const v1::LineageScope& message);

// InvalidArgument if it is unspecified or unknown.
absl::StatusOr<LineageDirection> DirectionOf(v1::LineageDirection direction);

// InvalidArgument if it is unknown.
absl::Status CheckContent(v1::TraceRequest::Content content);

// Complete, unless `reason` says why not. Without has_cycle and resume_token.
v1::Completeness CompletenessOf(absl::string_view reason, const LineageScope& scope);

}  // namespace pedigree
