#include "server/trace_answer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "query/lineage_scope.h"
#include "query/lineage_start.h"
#include "query/lineage_token.h"
#include "query/lineage_walk.h"
#include "server/lineage_messages.h"
#include "server/lineage_parts.h"

namespace pedigree {
namespace {

// A message ends with the first node or event that makes it so large. Enough that a message's own
// costs vanish, and small beside the 4 MiB that clients take by default.
constexpr size_t kMessageBytes = 256 << 10;
// Nodes and events that are fetched at once: few while their size is not known.
constexpr size_t kFirstBatch = 16;
constexpr size_t kMaxBatch = 4096;
constexpr int64_t kItemsPerVisit = 8;

// Everything that a call which goes on must have in common with the one before.
std::string TextOf(v1::TraceRequest request) {
  request.clear_resume_token();
  request.clear_max_nodes();
  return request.SerializeAsString();
}

absl::StatusOr<LineageResume> ResumeOf(const v1::TraceRequest& request) {
  return DecodeResumeToken(TextOf(request), request.resume_token());
}

absl::StatusOr<LineageView> ViewOf(const Reader& reader, const v1::TraceRequest& request,
                                   int64_t as_of_ms) {
  if (request.resume_token().empty()) return LineageView::AsOf(reader, as_of_ms);
  auto resume = ResumeOf(request);
  if (!resume.ok()) return resume.status();
  auto view = LineageView::Within(reader, resume->bounds, as_of_ms);
  if (!absl::IsInvalidArgument(view.status())) return view;
  return absl::InvalidArgumentError(absl::StrCat("resume_token: ", view.status().message()));
}

}  // namespace

absl::StatusOr<StreamPart> TraceAnswer::Next(const Reader& reader,
                                             const v1::TraceRequest& request) {
  if (!trace_.has_value()) {
    if (absl::Status status = Begin(reader, request); !status.ok()) return status;
  }
  Answer answer(reader.catalog());
  std::vector<Event> events;
  size_t bytes = 0;
  while (bytes < kMessageBytes && !AtEnd(next_)) {
    auto added = AddBatch(reader, request, kMessageBytes - bytes, &answer, &events);
    if (!added.ok()) return added.status();
    bytes += *added;
  }
  std::sort(events.begin(), events.end());  // Into insertion order.
  for (const auto& [number, event] : events) {
    answer.AddBytes(v1::TraceResponse::kEventsFieldNumber, event);
  }
  StreamPart part;
  if (AtEnd(next_)) {
    part.place = StreamPart::Place::kLast;
    answer.AddMessage(v1::TraceResponse::kCompletenessFieldNumber, completeness_);
  }
  if (absl::Status status = answer.status(); !status.ok()) return status;
  part.message = answer.Release();
  return part;
}

absl::Status TraceAnswer::Begin(const Reader& reader, const v1::TraceRequest& request) {
  if (request.max_nodes() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_nodes is ", request.max_nodes(), "; it must not be below 0"));
  }
  if (absl::Status status = CheckContent(request.content()); !status.ok()) return status;
  const int64_t as_of_ms = request.scope().has_as_of_ms() ? request.scope().as_of_ms() : kNow;
  auto view = ViewOf(reader, request, as_of_ms);
  if (!view.ok()) return view.status();
  absl::Status status = Walk(reader, request, *view);
  return status.ok() ? ChoosePlaces(request, *view) : status;
}

absl::Status TraceAnswer::Walk(const Reader& reader, const v1::TraceRequest& request,
                               const LineageView& view) {
  auto start = StartOf(request.start());
  if (!start.ok()) return start.status();
  auto direction = DirectionOf(request.direction());
  if (!direction.ok()) return direction.status();
  auto scope = ScopeOf(request.scope());
  if (!scope.ok()) return scope.status();
  auto judge = LineageJudge::Make(reader, *scope);
  if (!judge.ok()) return judge.status();
  auto nodes = ResolveStart(reader, view, *start);
  if (!nodes.ok()) return nodes.status();
  reader.LimitQuery();
  const LineageWalkOptions options = OptionsOf(*scope, *direction);
  LineageWalk walk(reader, view);
  absl::Status status =
      judge->has_opinions() ? walk.Run(*nodes, options, *judge) : walk.Run(*nodes, options);
  std::string reason;
  if (absl::IsResourceExhausted(status)) {
    reason = absl::StrCat("the walk ended ", walk.hop_ends().size(),
                          " hops from the start: ", status.message());
    has_token_ = false;  // The next walk may end elsewhere.
  } else if (!status.ok()) {
    return status;
  } else if (walk.is_cut_by_hops()) {
    reason = absl::StrCat("the walk ended after max_hops = ", scope->max_hops);
  }
  // To order what the walk was let reach must not fail because the walk took all it may.
  reader.LiftQueryLimit();
  auto trace = LineageTrace::Of(reader, walk, options);
  if (!trace.ok()) return trace.status();
  trace_ = *std::move(trace);
  completeness_ = CompletenessOf(reason, *scope);
  completeness_.set_has_cycle(trace_->has_cycle());
  return absl::OkStatus();
}

absl::Status TraceAnswer::ChoosePlaces(const v1::TraceRequest& request, const LineageView& view) {
  end_ = trace_->size();
  if (!request.resume_token().empty()) {
    auto resume = ResumeOf(request);
    if (!resume.ok()) return resume.status();
    if (resume->place > trace_->size() ||
        resume->nodes_digest != trace_->DigestOfFirst(resume->place)) {
      return absl::FailedPreconditionError(
          "resume_token: what the filters match has changed since: start again without it");
    }
    next_.place = resume->place;
  }
  if (request.max_nodes() == 0) return absl::OkStatus();
  const auto max_nodes = static_cast<uint64_t>(request.max_nodes());
  if (end_ - next_.place <= max_nodes) return absl::OkStatus();
  end_ = next_.place + max_nodes;
  completeness_.set_complete(false);
  if (!has_token_) return absl::OkStatus();
  completeness_.set_reason(absl::StrCat("max_nodes: ", trace_->size() - end_, " nodes follow"));
  completeness_.set_resume_token(
      EncodeResumeToken(TextOf(request), {view.bounds(), end_, trace_->DigestOfFirst(end_)}));
  return absl::OkStatus();
}

void TraceAnswer::Advance(Cursor* cursor) const {
  if (++cursor->item <= trace_->EventsOf(cursor->place).size()) return;
  cursor->item = 0;
  ++cursor->place;
}

absl::StatusOr<size_t> TraceAnswer::AddBatch(const Reader& reader, const v1::TraceRequest& request,
                                             size_t bytes_left, Answer* answer,
                                             std::vector<Event>* events) {
  const size_t count = bytes_per_item_ == 0
                           ? kFirstBatch
                           : std::clamp(bytes_left / bytes_per_item_, size_t{1}, kMaxBatch);
  const size_t first_node = next_.place + (next_.item == 0 ? 0 : 1);
  size_t node_count = 0;
  std::vector<uint32_t> numbers;
  Cursor cursor = next_;
  for (size_t i = 0; i < count && !AtEnd(cursor); ++i, Advance(&cursor)) {
    if (cursor.item == 0) {
      ++node_count;
    } else {
      numbers.push_back(trace_->EventsOf(cursor.place)[cursor.item - 1]);
    }
  }
  absl::Status spent = reader.Spend(static_cast<int64_t>(count) / kItemsPerVisit);
  if (!spent.ok()) return spent;
  auto node_parts =
      NodeParts(reader, trace_->nodes().subspan(first_node, node_count), request.content());
  if (!node_parts.ok()) return node_parts.status();
  auto event_parts = EventParts(reader, numbers, request.content());
  if (!event_parts.ok()) return event_parts.status();

  // What makes the message too large is left for the next one, and fetched again.
  size_t bytes = 0;
  size_t nodes_added = 0;
  size_t events_added = 0;
  while (bytes < bytes_left && nodes_added + events_added < node_count + numbers.size()) {
    if (next_.item == 0) {
      const std::string& node = (*node_parts)[nodes_added++];
      answer->AddBytes(v1::TraceResponse::kNodesFieldNumber, node);
      bytes += node.size();
    } else {
      std::string& event = (*event_parts)[events_added];
      bytes += event.size();
      events->emplace_back(numbers[events_added++], std::move(event));
    }
    Advance(&next_);
  }
  bytes_per_item_ = bytes / (nodes_added + events_added) + 1;
  return bytes;
}

}  // namespace pedigree
