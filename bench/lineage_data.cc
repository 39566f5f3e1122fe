#include "bench/lineage_data.h"

#include <algorithm>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "bench/workload.h"

namespace pedigree::bench {
namespace {

constexpr int64_t kPipelines = 200;
constexpr int64_t kStepsPerRun = 20;
constexpr int64_t kExecutionsPerWrite = 200;

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

// The types and contexts that the nodes refer to, by id.
struct Frame {
  int64_t artifact_type = 0;
  int64_t execution_type = 0;
  int64_t pipeline_type = 0;
  int64_t run_type = 0;
  int64_t first_pipeline = 0;
  int64_t last_run = -1;  // Runs up to this one have contexts, which follow each other in id.
  int64_t first_run = 0;  // The context of run 0.
};

template <class Node>
absl::Status PutType(Transaction& transaction, const char* name, int64_t* id) {
  typename TraitsOf<Node>::Type type;
  type.set_name(name);
  auto put = transaction.PutType<Node>(&type);
  if (put.ok()) *id = *put;
  return put.status();
}

absl::Status InsertContext(Transaction& transaction, int64_t type, const std::string& name,
                           int64_t* id) {
  Context context;
  context.set_type_id(type);
  context.set_name(name);
  auto inserted = transaction.Insert(&context, {});
  if (inserted.ok()) *id = *inserted;
  return inserted.status();
}

absl::Status PutFrame(Transaction& transaction, Frame* frame) {
  absl::Status status = PutType<Artifact>(transaction, "system.Dataset", &frame->artifact_type);
  if (status.ok()) {
    status = PutType<Execution>(transaction, "system.ContainerExecution", &frame->execution_type);
  }
  if (status.ok()) status = PutType<Context>(transaction, "system.Pipeline", &frame->pipeline_type);
  if (status.ok()) status = PutType<Context>(transaction, "system.PipelineRun", &frame->run_type);
  for (int64_t i = 0; i < kPipelines && status.ok(); ++i) {
    int64_t id = 0;
    status = InsertContext(transaction, frame->pipeline_type, absl::StrCat("pipeline-", i), &id);
    if (i == 0) frame->first_pipeline = id;
  }
  return status;
}

absl::Status PutStep(Transaction& transaction, const LineageData& data, int64_t e, Frame* frame) {
  absl::Status status;
  const int64_t run = LineageData::RunOf(e);
  while (frame->last_run < run && status.ok()) {
    int64_t id = 0;
    ++frame->last_run;
    status =
        InsertContext(transaction, frame->run_type, absl::StrCat("run-", frame->last_run), &id);
    if (frame->last_run == 0) frame->first_run = id;
  }
  if (!status.ok()) return status;
  const std::vector<int64_t> contexts = {frame->first_pipeline + (e - 1) % kPipelines,
                                         frame->first_run + run};
  Execution execution = KfpExecution(frame->execution_type);
  auto id = transaction.Insert(&execution, contexts);
  if (!id.ok()) return id.status();
  std::vector<Event> events;
  const auto add_event = [&](int64_t artifact, Event::Type type, const std::string& name) {
    Event& event = events.emplace_back();
    event.set_artifact_id(artifact);
    event.set_execution_id(*id);
    event.set_type(type);
    event.mutable_path()->add_steps()->set_key(name);
  };
  for (size_t i = 0; i < LineageData::kInputs; ++i) {
    const uint32_t input = data.inputs(e)[i];
    if (input != 0) add_event(input, Event::INPUT, absl::StrCat("input_", i));
  }
  for (int64_t i = 0; i < LineageData::kOutputs; ++i) {
    Artifact artifact = KfpArtifact(frame->artifact_type, absl::StrCat("s3://b/", e, "/", i));
    auto output = transaction.Insert(&artifact, contexts);
    if (!output.ok()) return output.status();
    add_event(*output, Event::OUTPUT, absl::StrCat("output_", i));
  }
  std::vector<Event*> pointers;
  for (Event& event : events) pointers.push_back(&event);
  return transaction.AddEvents(pointers, [](const Event&) { return absl::OkStatus(); });
}

}  // namespace

int64_t LineageData::RunOf(int64_t e) {
  const int64_t step = (e - 1) / kPipelines;
  return step / kStepsPerRun * kPipelines + (e - 1) % kPipelines;
}

LineageData::LineageData(int64_t executions) : inputs_(static_cast<size_t>(executions)) {
  std::mt19937_64 random(1);
  const auto below = [&](int64_t bound) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(bound));
  };
  for (int64_t e = 1; e <= executions; ++e) {
    const int64_t step = (e - 1) / kPipelines % kStepsPerRun;
    auto& inputs = inputs_[static_cast<size_t>(e - 1)];
    for (uint32_t& input : inputs) {
      const int64_t percent = below(100);
      int64_t back = kPipelines * (1 + below(std::max<int64_t>(1, std::min<int64_t>(step, 3))));
      if (percent < 1) {
        back = 1 + below(2 * kPipelines);
      } else if (percent < 9 || step == 0) {
        back = kPipelines * (kStepsPerRun + below(kStepsPerRun));
      }
      if (back >= e) continue;
      const auto artifact = static_cast<uint32_t>(2 * (e - back) - below(2));
      // An artifact is read once by each step.
      if (std::count(inputs.begin(), inputs.end(), artifact) == 0) input = artifact;
    }
    events_ += kOutputs + std::count_if(inputs.begin(), inputs.end(),
                                        [](uint32_t input) { return input != 0; });
  }
}

absl::Status FillStore(const LineageData& data, Store& store) {
  Frame frame;
  absl::Status status =
      store.Write([&](Transaction& transaction) { return PutFrame(transaction, &frame); });
  for (int64_t e = 1; e <= data.executions() && status.ok();) {
    status = store.Write([&](Transaction& transaction) {
      absl::Status put;
      for (int64_t i = 0; i < kExecutionsPerWrite && e <= data.executions() && put.ok(); ++i) {
        put = PutStep(transaction, data, e++, &frame);
      }
      return put;
    });
  }
  return status;
}

CsrGraph::CsrGraph(const LineageData& data, LineageDirection direction)
    : artifacts_(static_cast<uint32_t>(data.artifacts())),
      offsets_(static_cast<size_t>(data.artifacts() + data.executions()) + 1) {
  // Calls visit(from, to) for every event, in the direction of the walk.
  const auto visit_edges = [&](auto visit) {
    for (int64_t e = 1; e <= data.executions(); ++e) {
      const auto id = static_cast<uint32_t>(e);
      const uint32_t execution = VertexOf(LineageNode::Execution(id));
      const bool upstream = direction == LineageDirection::kUpstream;
      for (uint32_t input : data.inputs(e)) {
        if (input == 0) continue;
        const uint32_t artifact = VertexOf(LineageNode::Artifact(input));
        upstream ? visit(execution, artifact) : visit(artifact, execution);
      }
      for (uint32_t output : {2 * id - 1, 2 * id}) {
        const uint32_t artifact = VertexOf(LineageNode::Artifact(output));
        upstream ? visit(artifact, execution) : visit(execution, artifact);
      }
    }
  };
  visit_edges([&](uint32_t from, uint32_t) { ++offsets_[from + 1]; });
  for (size_t i = 1; i < offsets_.size(); ++i) offsets_[i] += offsets_[i - 1];
  targets_.resize(offsets_.back());
  std::vector<uint64_t> next(offsets_.begin(), offsets_.end() - 1);
  visit_edges([&](uint32_t from, uint32_t to) { targets_[next[from]++] = to; });
}

CsrWalk::CsrWalk(const CsrGraph& graph) : graph_(graph), seen_(graph.vertices() / 64 + 1) {}

size_t CsrWalk::Run(uint32_t start, int64_t max_hops) {
  const auto take = [&](uint32_t vertex) {
    uint64_t& word = seen_[vertex / 64];
    const uint64_t bit = uint64_t{1} << (vertex % 64);
    if ((word & bit) != 0) return;
    word |= bit;
    queue_.push_back(vertex);
  };
  queue_.clear();
  take(start);
  size_t next = 0;
  for (int64_t hop = 0; hop < max_hops && next < queue_.size(); ++hop) {
    for (const size_t end = queue_.size(); next < end; ++next) {
      const uint32_t vertex = queue_[next];
      for (const uint32_t* to = graph_.begin(vertex); to != graph_.end(vertex); ++to) take(*to);
    }
  }
  for (uint32_t vertex : queue_) seen_[vertex / 64] = 0;
  return queue_.size();
}

}  // namespace pedigree::bench
