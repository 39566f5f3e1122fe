#include "server/lineage_service_handlers.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "query/lineage_closure.h"
#include "query/lineage_compare.h"
#include "query/lineage_impact.h"
#include "query/lineage_origins.h"
#include "query/lineage_scope.h"
#include "query/lineage_start.h"
#include "query/lineage_trace.h"
#include "query/lineage_view.h"
#include "query/lineage_walk.h"
#include "server/lineage_messages.h"
#include "server/lineage_parts.h"

namespace pedigree {
namespace {

constexpr int32_t kDefaultMaxContexts = 100;
constexpr int32_t kMaxMaxContexts = 10'000;
// Nodes whose bodies are in memory beside the answer.
constexpr size_t kBodiesAtOnce = 1024;

// An answer in part would be none, so what is beyond the limits is an error.
absl::Status Explained(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return status;
  return absl::ResourceExhaustedError(
      absl::StrCat("this lineage is too large for one answer: ", status.message(),
                   "; narrow the scope by max_hops, event_types, filters or stops"));
}

// What all calls ask: where to begin, what to look at, and which way.
struct Question {
  const v1::LineageStart& start;
  const v1::LineageScope& scope;
  LineageDirection direction;
};

// A walk that has run.
struct Walked {
  const LineageWalk& walk;
  const LineageWalkOptions& options;
  v1::Completeness completeness;  // Without has_cycle.
};

std::string CutReason(const LineageScope& scope) {
  return absl::StrCat("the walk ended after max_hops = ", scope.max_hops);
}

// Walks and then calls `use`.
absl::Status WithWalk(const Reader& reader, const Question& question,
                      absl::FunctionRef<absl::Status(Walked)> use) {
  const auto start = StartOf(question.start);
  if (!start.ok()) return start.status();
  const auto scope = ScopeOf(question.scope);
  if (!scope.ok()) return scope.status();
  const auto judge = LineageJudge::Make(reader, *scope);
  if (!judge.ok()) return judge.status();
  const auto view = LineageView::AsOf(reader, scope->as_of_ms);
  if (!view.ok()) return view.status();
  const auto starts = ResolveStart(reader, *view, *start);
  if (!starts.ok()) return starts.status();

  reader.LimitQuery();
  const LineageWalkOptions options = OptionsOf(*scope, question.direction);
  LineageWalk walk(reader, *view);
  absl::Status status =
      judge->has_opinions() ? walk.Run(*starts, options, *judge) : walk.Run(*starts, options);
  if (!status.ok()) return Explained(status);
  const std::string reason = walk.is_cut_by_hops() ? CutReason(*scope) : "";
  return Explained(use({walk, options, CompletenessOf(reason, *scope)}));
}

absl::StatusOr<size_t> MaxContextsOf(const v1::ImpactRequest& request) {
  const int32_t most = request.max_contexts();
  if (most < 0 || most > kMaxMaxContexts) {
    return absl::InvalidArgumentError(absl::StrCat("max_contexts is ", most,
                                                   "; it must be from 1 to ", kMaxMaxContexts,
                                                   ", or unset for ", kDefaultMaxContexts));
  }
  return static_cast<size_t>(most == 0 ? kDefaultMaxContexts : most);
}

// Adds names and types of the contexts, which are in no order of ids.
absl::Status AddContexts(const Reader& reader,
                         const std::vector<LineageImpact::ContextCount>& contexts,
                         v1::ImpactResponse* response) {
  std::map<int64_t, v1::ImpactResponse::ContextCount*> by_id;
  for (const LineageImpact::ContextCount& context : contexts) {
    v1::ImpactResponse::ContextCount* message = response->add_contexts();
    message->set_context_id(context.id);
    message->set_artifacts(context.artifacts);
    message->set_executions(context.executions);
    by_id[context.id] = message;
  }
  std::vector<int64_t> ids;
  for (const auto& [id, message] : by_id) ids.push_back(id);
  absl::Status damage;
  absl::Status status =
      reader.VisitRecords(NodeKind::kContext, ids, [&](int64_t id, const RecordView& record) {
        const auto context = PeekNode(NodeKind::kContext, record.message());
        if (!context.has_value()) {
          damage = DamagedRecord("context", id);
          return;
        }
        by_id[id]->set_name(std::string(context->name.value_or("")));
        by_id[id]->set_type(
            std::string(reader.catalog().TypeName(NodeKind::kContext, context->type_id)));
      });
  return status.ok() ? damage : status;
}

v1::ImpactResponse::TypeCount TypeCountOf(const Reader& reader,
                                          const LineageImpact::TypeCount& type) {
  v1::ImpactResponse::TypeCount message;
  message.set_kind(type.kind == NodeKind::kExecution ? v1::EXECUTION : v1::ARTIFACT);
  message.set_type_id(type.type_id);
  message.set_type(std::string(reader.catalog().TypeName(type.kind, type.type_id)));
  message.set_count(type.count);
  return message;
}

absl::Status AddNodes(const Reader& reader, int field,
                      const std::vector<LineageOrigins::Node>& nodes,
                      v1::TraceRequest::Content content, Answer* answer) {
  for (size_t begin = 0; begin < nodes.size(); begin += kBodiesAtOnce) {
    const auto batch = absl::MakeConstSpan(nodes).subspan(begin, kBodiesAtOnce);
    std::vector<LineageTraceNode> trace_nodes;
    for (const LineageOrigins::Node& node : batch) {
      trace_nodes.push_back(
          {node.node, static_cast<uint32_t>(node.hops), node.in_cycle, node.is_boundary});
    }
    auto parts = NodeParts(reader, trace_nodes, content);
    if (!parts.ok()) return parts.status();
    for (const std::string& part : *parts) answer->AddBytes(field, part);
    // An answer that is full stays so.
    if (!answer->status().ok()) return answer->status();
  }
  return absl::OkStatus();
}

absl::StatusOr<LineageNode> ArtifactOf(const Reader& reader, absl::string_view field, int64_t id,
                                       const LineageView& view) {
  v1::NodeRef ref;
  ref.set_kind(v1::ARTIFACT);
  ref.set_id(id);
  auto node = NodeOf(field, ref);
  if (!node.ok()) return node;
  auto exists = view.Exists(reader, *node);
  if (!exists.ok()) return exists.status();
  if (*exists) return node;
  return absl::NotFoundError(absl::StrCat(field, ": there is no artifact with id ", id));
}

v1::CompareResponse::Pair MessageOf(LineageComparison::Pair* pair) {
  v1::CompareResponse::Pair message;
  *message.mutable_a() = RefOf(pair->a);
  *message.mutable_b() = RefOf(pair->b);
  message.set_way(std::move(pair->way));
  message.set_hops(pair->hops);
  for (FieldDifference& difference : pair->differences) {
    v1::CompareResponse::Value* value = message.add_differences();
    value->set_field(std::move(difference.field));
    if (difference.a.has_value()) value->set_a(*std::move(difference.a));
    if (difference.b.has_value()) value->set_b(*std::move(difference.b));
  }
  return message;
}

v1::CompareResponse::Single MessageOf(const LineageComparison::Single& single) {
  v1::CompareResponse::Single message;
  *message.mutable_ref() = RefOf(single.node);
  message.set_way(single.way);
  message.set_hops(single.hops);
  message.set_name(single.name);
  message.set_type(single.type);
  return message;
}

void AddComparison(LineageComparison comparison, const LineageScope& scope, Answer* answer) {
  using Response = v1::CompareResponse;
  for (LineageComparison::Pair& pair : comparison.differing) {
    answer->AddMessage(Response::kDifferingFieldNumber, MessageOf(&pair));
  }
  for (const LineageComparison::Single& single : comparison.only_a) {
    answer->AddMessage(Response::kOnlyAFieldNumber, MessageOf(single));
  }
  for (const LineageComparison::Single& single : comparison.only_b) {
    answer->AddMessage(Response::kOnlyBFieldNumber, MessageOf(single));
  }
  Response rest;
  rest.set_equal_pairs(comparison.equal_pairs);
  rest.set_shared_nodes(comparison.shared_nodes);
  *rest.mutable_completeness() =
      CompletenessOf(comparison.is_cut_by_hops ? CutReason(scope) : "", scope);
  rest.mutable_completeness()->set_has_cycle(comparison.has_cycle);
  answer->AddFields(rest);
}

}  // namespace

absl::Status Impact(const Reader& reader, const v1::ImpactRequest& request, Answer* answer) {
  const auto max_contexts = MaxContextsOf(request);
  if (!max_contexts.ok()) return max_contexts.status();
  auto direction =
      DirectionOf(request.direction() == v1::LINEAGE_DIRECTION_UNSPECIFIED ? v1::DOWNSTREAM
                                                                           : request.direction());
  if (!direction.ok()) return direction.status();
  const Question question = {request.start(), request.scope(), *direction};
  return WithWalk(reader, question, [&](Walked walked) -> absl::Status {
    const auto has_cycle = HasCycle(reader, walked.walk, walked.options);
    if (!has_cycle.ok()) return has_cycle.status();
    const auto impact = CountImpact(reader, walked.walk, {.max_contexts = *max_contexts});
    if (!impact.ok()) return impact.status();
    v1::ImpactResponse response;
    response.set_artifacts(impact->artifacts);
    response.set_executions(impact->executions);
    response.set_max_hops(impact->max_hops);
    for (const LineageImpact::TypeCount& type : impact->types) {
      *response.add_types() = TypeCountOf(reader, type);
    }
    if (absl::Status status = AddContexts(reader, impact->contexts, &response); !status.ok()) {
      return status;
    }
    response.set_contexts_in_all(impact->contexts_in_all);
    *response.mutable_completeness() = std::move(walked.completeness);
    response.mutable_completeness()->set_has_cycle(*has_cycle);
    answer->AddFields(response);
    return absl::OkStatus();
  });
}

absl::Status Origins(const Reader& reader, const v1::OriginsRequest& request, Answer* answer) {
  if (absl::Status status = CheckContent(request.content()); !status.ok()) return status;
  const Question question = {request.start(), request.scope(), LineageDirection::kUpstream};
  return WithWalk(reader, question, [&](Walked walked) -> absl::Status {
    const auto origins = FindOrigins(reader, walked.walk, walked.options);
    if (!origins.ok()) return origins.status();
    using Response = v1::OriginsResponse;
    absl::Status status = AddNodes(reader, Response::kSourcesFieldNumber, origins->sources,
                                   request.content(), answer);
    if (!status.ok()) return status;
    status = AddNodes(reader, Response::kDominatorsFieldNumber, origins->dominators,
                      request.content(), answer);
    if (!status.ok()) return status;
    Response rest;
    rest.set_artifacts(origins->artifacts);
    rest.set_executions(origins->executions);
    *rest.mutable_completeness() = std::move(walked.completeness);
    rest.mutable_completeness()->set_has_cycle(origins->has_cycle);
    answer->AddFields(rest);
    return absl::OkStatus();
  });
}

absl::Status Compare(const Reader& reader, const v1::CompareRequest& request, Answer* answer) {
  const auto scope = ScopeOf(request.scope());
  if (!scope.ok()) return scope.status();
  const auto judge = LineageJudge::Make(reader, *scope);
  if (!judge.ok()) return judge.status();
  const auto view = LineageView::AsOf(reader, scope->as_of_ms);
  if (!view.ok()) return view.status();
  const auto a = ArtifactOf(reader, "artifact_a", request.artifact_a(), *view);
  if (!a.ok()) return a.status();
  const auto b = ArtifactOf(reader, "artifact_b", request.artifact_b(), *view);
  if (!b.ok()) return b.status();

  reader.LimitQuery();
  auto comparison = CompareLineages(reader, *view, {*a, *b},
                                    OptionsOf(*scope, LineageDirection::kUpstream), *judge);
  if (!comparison.ok()) return Explained(comparison.status());
  AddComparison(*std::move(comparison), *scope, answer);
  return absl::OkStatus();
}

}  // namespace pedigree
