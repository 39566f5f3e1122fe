#include "tests/query/graph_nodes.h"

#include <numeric>
#include <utility>

namespace pedigree {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

GraphNodes::GraphNodes(uint64_t seed) : random_(seed) {
  const int64_t context_type = AddType<Context>("Run");
  for (int64_t id = 1; id <= kContexts; ++id) {
    EXPECT_TRUE(IsOk(Insert(store_, NewNode<Context>(context_type, std::to_string(id)))));
    contexts_[id];
  }
  const std::vector<int64_t> artifact_types = {
      AddType<Artifact>("Data"), AddType<Artifact>("Data", "2"), AddType<Artifact>("Model")};
  const std::vector<int64_t> execution_types = {AddType<Execution>("Train"),
                                                AddType<Execution>("Evaluate")};
  for (int64_t id = 1; id <= kNodes; ++id) {
    store_.SetClock(CreateTimeOf(id));
    AddNode(artifact_types, id, &artifacts_);
    AddNode(execution_types, id, &executions_);
  }
  AddEvents();
  ReadNodes(&artifacts_);
  ReadNodes(&executions_);
  ReadNodes(&contexts_);
  EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
    version_ = reader.version();
    return absl::OkStatus();
  })));
}

std::shared_ptr<const Version> GraphNodes::VersionOf(const EventGraph& graph,
                                                     const Sizes& sizes) const {
  auto version = std::make_shared<Version>(*version_);
  version->graph = &graph;
  version->counters.last_node_id[IndexOf(NodeKind::kArtifact)] = sizes.artifacts;
  version->counters.last_node_id[IndexOf(NodeKind::kExecution)] = sizes.executions;
  version->counters.last_event_number = sizes.events;
  return version;
}

template <class Node>
int64_t GraphNodes::AddType(const std::string& name, const std::string& version) {
  typename TraitsOf<Node>::Type type;
  type.set_name(name);
  if (!version.empty()) type.set_version(version);
  EXPECT_TRUE(IsOk(store_->Write(
      [&](Transaction& transaction) { return transaction.PutType<Node>(&type).status(); })));
  type_names_[type.id()] = name;
  type_versions_[type.id()] = version;
  return type.id();
}

std::vector<int64_t> GraphNodes::SomeContexts() {
  std::vector<int64_t> contexts;
  if (random_.OneIn(8)) {
    contexts.resize(kContexts);
    std::iota(contexts.begin(), contexts.end(), 1);
  } else {
    for (int64_t id = 1; id <= kContexts; ++id) {
      if (random_.OneIn(10)) contexts.push_back(id);
    }
  }
  return contexts;
}

template <class Node>
void GraphNodes::AddNode(const std::vector<int64_t>& types, int64_t id,
                         std::map<int64_t, Node>* nodes) {
  Node node = NewNode<Node>(random_.Pick(types));
  const std::string name(1, static_cast<char>(random_.Between('x', 'z')));
  bool is_free = true;  // Names are unique within a type.
  for (const auto& [other_id, other] : *nodes) {
    is_free = is_free && (other.type_id() != node.type_id() || other.name() != name);
  }
  if (is_free && random_.OneIn(2)) node.set_name(name);
  if (random_.OneIn(2)) {
    (*node.mutable_custom_properties())["lr"].set_int_value(random_.Between(1, 2));
  }
  if constexpr (std::is_same_v<Node, Artifact>) {
    if (random_.OneIn(2)) node.set_uri(random_.OneIn(2) ? "s3://a" : "s3://b");
  }
  const std::vector<int64_t> contexts = SomeContexts();
  contexts_of_[{TraitsOf<Node>::kKind, id}] = contexts;
  (*nodes)[id] = node;
  const auto inserted = Insert(store_, std::move(node), contexts);
  EXPECT_TRUE(IsOk(inserted));
  EXPECT_EQ(inserted.value_or(0), id);
}

template <class Node>
void GraphNodes::ReadNodes(std::map<int64_t, Node>* nodes) {
  for (auto& [id, node] : *nodes) {
    const std::optional<Node> stored = Find<Node>(store_, id);
    ASSERT_TRUE(stored.has_value());
    node = *stored;
    node.set_type(type_names_.at(node.type_id()));
  }
}

void GraphNodes::AddEvents() {
  std::vector<Event*> events;
  for (int64_t execution = 1; execution <= kNodes; ++execution) {
    for (int64_t artifact = 1; artifact <= kNodes; ++artifact) {
      for (int type = Event::Type_MIN; type <= Event::Type_MAX; ++type) {
        Event& event = events_[{artifact, execution, static_cast<Event::Type>(type)}];
        event.set_artifact_id(artifact);
        event.set_execution_id(execution);
        event.set_type(static_cast<Event::Type>(type));
        event.set_milliseconds_since_epoch(random_.Between(1, 1000));
        if (random_.OneIn(2)) {
          event.mutable_path()->add_steps()->set_key(random_.OneIn(2) ? "data" : "model");
        }
        if (random_.OneIn(4)) event.mutable_path()->add_steps()->set_index(0);
        events.push_back(&event);
      }
    }
  }
  EXPECT_TRUE(IsOk(store_->Write(
      [&](Transaction& transaction) { return pedigree::AddEvents(transaction, events); })));
}

}  // namespace pedigree
