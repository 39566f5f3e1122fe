#include "tests/query/small_lineage.h"

#include <algorithm>
#include <utility>

namespace pedigree {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

namespace {

Event EventOf(LineageNode artifact, LineageNode execution, Event::Type type,
              const std::string& path) {
  Event event;
  event.set_artifact_id(artifact.id());
  event.set_execution_id(execution.id());
  event.set_type(type);
  if (!path.empty()) event.mutable_path()->add_steps()->set_key(path);
  return event;
}

Event EventOf(LineageNode from, LineageNode to, const std::string& path = "") {
  return from.is_execution() ? EventOf(to, from, Event::OUTPUT, path)
                             : EventOf(from, to, Event::INPUT, path);
}

template <class Node>
uint32_t IdOf(const absl::StatusOr<Node>& id) {
  EXPECT_TRUE(IsOk(id));
  return id.ok() ? static_cast<uint32_t>(*id) : 0;
}

}  // namespace

SmallLineage::SmallLineage()
    : artifact_type_(PutType<Artifact>(store_, "data")),
      execution_type_(PutType<Execution>(store_, "step")),
      context_type_(PutType<Context>(store_, "run")) {}

LineageNode SmallLineage::AddArtifact(const std::vector<int64_t>& contexts) {
  return LineageNode::Artifact(IdOf(Insert(store_, NewNode<Artifact>(artifact_type_), contexts)));
}
LineageNode SmallLineage::AddExecution(const std::vector<int64_t>& contexts) {
  return LineageNode::Execution(
      IdOf(Insert(store_, NewNode<Execution>(execution_type_), contexts)));
}
LineageNode SmallLineage::Add(Artifact artifact) {
  if (!artifact.has_type_id()) artifact.set_type_id(artifact_type_);
  return LineageNode::Artifact(IdOf(Insert(store_, std::move(artifact))));
}
LineageNode SmallLineage::Add(Execution execution) {
  if (!execution.has_type_id()) execution.set_type_id(execution_type_);
  return LineageNode::Execution(IdOf(Insert(store_, std::move(execution))));
}
int64_t SmallLineage::AddContext(const std::string& name) {
  return IdOf(Insert(store_, NewNode<Context>(context_type_, name)));
}

void SmallLineage::Connect(LineageNode from, LineageNode to, const std::string& path) {
  Event event = EventOf(from, to, path);
  EXPECT_TRUE(IsOk(
      store_->Write([&](Transaction& transaction) { return AddEvents(transaction, {&event}); })));
}

void SmallLineage::AddEvent(LineageNode artifact, LineageNode execution, Event::Type type,
                            const std::string& path) {
  Event event = EventOf(artifact, execution, type, path);
  EXPECT_TRUE(IsOk(
      store_->Write([&](Transaction& transaction) { return AddEvents(transaction, {&event}); })));
}

std::vector<LineageNode> SmallLineage::AddChain(size_t nodes) {
  constexpr size_t kNodesPerRequest = 2000;
  std::vector<LineageNode> chain;
  while (chain.size() < nodes) {
    const size_t until = std::min(nodes, chain.size() + kNodesPerRequest);
    EXPECT_TRUE(IsOk(store_->Write([&](Transaction& transaction) -> absl::Status {
      std::vector<Event> events;
      while (chain.size() < until) {
        Artifact artifact = NewNode<Artifact>(artifact_type_);
        Execution execution = NewNode<Execution>(execution_type_);
        const bool is_artifact = chain.size() % 2 == 0;
        auto id =
            is_artifact ? transaction.Insert(&artifact, {}) : transaction.Insert(&execution, {});
        if (!id.ok()) return id.status();
        chain.push_back(is_artifact ? LineageNode::Artifact(static_cast<uint32_t>(*id))
                                    : LineageNode::Execution(static_cast<uint32_t>(*id)));
        if (chain.size() > 1) {
          events.push_back(EventOf(chain[chain.size() - 2], chain.back()));
        }
      }
      std::vector<Event*> pointers;
      for (Event& event : events) pointers.push_back(&event);
      return AddEvents(transaction, pointers);
    })));
  }
  return chain;
}

void SmallLineage::Walk(const std::vector<LineageNode>& starts, const LineageWalkOptions& options,
                        std::function<void(const Reader&, const LineageWalk&)> use) {
  EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
    LineageWalk walk(reader, LineageView(reader));
    absl::Status status = walk.Run(starts, options);
    if (status.ok()) use(reader, walk);
    return status;
  })));
}

}  // namespace pedigree
