// Lists with options: order and pages.
#include <algorithm>

#include "tests/model/model.h"
#include "tests/model/wanted.h"

namespace pedigree::model {
namespace {

using google::protobuf::Message;
using namespace ml_metadata;  // NOLINT: half of its messages.

bool IsAfter(const Place& a, const Place& b, bool ascending) {
  const auto pair_a = std::make_pair(a.time_ms, a.id);
  const auto pair_b = std::make_pair(b.time_ms, b.id);
  return ascending ? pair_a > pair_b : pair_a < pair_b;
}

constexpr int kMostOnAPage = 100;

template <class Node>
Page PageOf(const State& state, const Wanted<Node>& wanted, const ListOperationOptions& options,
            const Place* after) {
  Page page;
  const auto field = options.order_by_field().field();
  const bool ascending = options.order_by_field().is_asc();
  if (options.max_result_size() <= 0 ||
      field == ListOperationOptions::OrderByField::FIELD_UNSPECIFIED) {
    page.verdict.Fault(absl::StatusCode::kInvalidArgument);
    return page;
  }
  std::vector<Place> places;
  for (const auto& [id, node] : state.Of<Node>().nodes) {
    int64_t time_ms = 0;
    if (field == ListOperationOptions::OrderByField::CREATE_TIME) {
      time_ms = node->create_time_since_epoch();
    } else if (field == ListOperationOptions::OrderByField::LAST_UPDATE_TIME) {
      time_ms = node->last_update_time_since_epoch();
    }
    const Place place = {time_ms, id};
    if (wanted(*node) && (after == nullptr || IsAfter(place, *after, ascending))) {
      places.push_back(place);
    }
  }
  std::sort(places.begin(), places.end(),
            [&](const Place& a, const Place& b) { return IsAfter(b, a, ascending); });
  // A size beyond the cap answers one more than the cap, and no token.
  const bool beyond_cap = options.max_result_size() > kMostOnAPage;
  const auto size = static_cast<size_t>(beyond_cap ? kMostOnAPage + 1 : options.max_result_size());
  page.has_more = places.size() > size && !beyond_cap;
  if (places.size() > size) places.resize(size);
  for (const Place& place : places) page.ids.push_back(place.id);
  if (!places.empty()) page.last = places.back();
  return page;
}

}  // namespace

Page Model::List(const Message& request, const Place* after) const {
  const State& s = state_;
  const auto* type = request.GetDescriptor();
#define PEDIGREE_LIST(Name, Node, wanted)                       \
  if (type == Name##Request::descriptor()) {                    \
    const auto& q = static_cast<const Name##Request&>(request); \
    return PageOf<Node>(s, wanted, q.options(), after);         \
  }
  PEDIGREE_LIST(GetArtifacts, Artifact, Any<Artifact>())
  PEDIGREE_LIST(GetExecutions, Execution, Any<Execution>())
  PEDIGREE_LIST(GetContexts, Context, Any<Context>())
  PEDIGREE_LIST(GetArtifactsByType, Artifact, OfType<Artifact>(s, q.type_name(), q.type_version()))
  PEDIGREE_LIST(GetExecutionsByType, Execution,
                OfType<Execution>(s, q.type_name(), q.type_version()))
  PEDIGREE_LIST(GetContextsByType, Context, OfType<Context>(s, q.type_name(), q.type_version()))
  PEDIGREE_LIST(GetArtifactsByContext, Artifact, InContext<Artifact>(s, q.context_id()))
  PEDIGREE_LIST(GetExecutionsByContext, Execution, InContext<Execution>(s, q.context_id()))
#undef PEDIGREE_LIST
  Page page;
  page.verdict.Fault(absl::StatusCode::kInternal);
  return page;
}

}  // namespace pedigree::model
