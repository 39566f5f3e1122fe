#include "tests/cli/lineage/sample.h"

#include <google/protobuf/text_format.h>

#include <map>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pedigree::cli::testing {
namespace {

using ml_metadata::Event;

constexpr int64_t kBegin = 1'767'225'600'000;  // 2026-01-01

v1::NodeRef Ref(v1::NodeKind kind, int64_t id) {
  v1::NodeRef ref;
  ref.set_kind(kind);
  ref.set_id(id);
  return ref;
}

v1::TraceResponse Parsed(const std::string& text) {
  v1::TraceResponse part;
  if (!google::protobuf::TextFormat::ParseFromString(text, &part)) std::abort();
  return part;
}

// Puts a trace together in the order in which nodes are made, which must be a topological one.
class Maker {
 public:
  explicit Maker(LineageWay way) : way_(way) {}

  ml_metadata::Artifact* AddArtifact(const std::string& type, const std::string& name) {
    auto* node = part_.add_nodes();
    *node->mutable_ref() = Ref(v1::ARTIFACT, ++artifacts_);
    places_[{v1::ARTIFACT, artifacts_}] = part_.nodes_size() - 1;
    auto* artifact = node->mutable_artifact();
    artifact->set_id(artifacts_);
    artifact->set_type(type);
    artifact->set_name(name);
    artifact->set_uri(absl::StrCat("s3://platform/", type, "/", name));
    artifact->set_state(ml_metadata::Artifact::LIVE);
    artifact->set_create_time_since_epoch(kBegin + 1000 * artifacts_);
    artifact->set_last_update_time_since_epoch(kBegin + 1000 * artifacts_);
    return artifact;
  }
  ml_metadata::Execution* AddExecution(const std::string& type, const std::string& name) {
    auto* node = part_.add_nodes();
    *node->mutable_ref() = Ref(v1::EXECUTION, ++executions_);
    places_[{v1::EXECUTION, executions_}] = part_.nodes_size() - 1;
    auto* execution = node->mutable_execution();
    execution->set_id(executions_);
    execution->set_type(type);
    execution->set_name(name);
    execution->set_last_known_state(ml_metadata::Execution::COMPLETE);
    execution->set_create_time_since_epoch(kBegin + 1000 * executions_);
    execution->set_last_update_time_since_epoch(kBegin + 1000 * executions_ + 90'000);
    return execution;
  }
  void Join(int64_t execution, Event::Type type, int64_t artifact, const std::string& path) {
    const bool is_input = type == Event::INPUT;
    SetHops(is_input ? v1::EXECUTION : v1::ARTIFACT, is_input ? execution : artifact,
            1 + HopsOf(is_input ? v1::ARTIFACT : v1::EXECUTION, is_input ? artifact : execution));
    auto* event = part_.add_events();
    event->set_execution_id(execution);
    event->set_artifact_id(artifact);
    event->set_type(type);
    event->mutable_path()->add_steps()->set_key(path);
    event->set_milliseconds_since_epoch(kBegin + execution);
  }

  LineageGraph Finish(std::vector<v1::NodeRef> starts) {
    LineageGraph graph(way_, std::move(starts));
    part_.mutable_completeness()->set_complete(true);
    if (way_ == LineageWay::kDown) {
      graph.Add(v1::DOWNSTREAM, std::move(part_));
    } else {
      v1::TraceResponse reversed = part_;
      for (int i = 0; i < part_.nodes_size(); ++i) {
        *reversed.mutable_nodes(i) = part_.nodes(part_.nodes_size() - 1 - i);
      }
      graph.Add(v1::UPSTREAM, std::move(reversed));
      if (way_ == LineageWay::kBoth) graph.Add(v1::DOWNSTREAM, std::move(part_));
    }
    graph.Finish();
    return graph;
  }

 private:
  v1::TraceResponse::Node* Find(v1::NodeKind kind, int64_t id) {
    return part_.mutable_nodes(places_[{kind, id}]);
  }
  int64_t HopsOf(v1::NodeKind kind, int64_t id) { return Find(kind, id)->hops(); }
  void SetHops(v1::NodeKind kind, int64_t id, int64_t hops) {
    auto* node = Find(kind, id);
    if (node->hops() == 0 || node->hops() > hops) node->set_hops(hops);
  }

  LineageWay way_;
  v1::TraceResponse part_;
  std::map<std::pair<int, int64_t>, int> places_;
  int64_t artifacts_ = 0;
  int64_t executions_ = 0;
};

}  // namespace

LineageGraph SmallLineage(LineageWay way, const std::string& name) {
  v1::TraceResponse up = Parsed(R"pb(
    nodes {
      ref { kind: ARTIFACT id: 4 }
      artifact {
        id: 4
        type: "Model"
        uri: "s3://models/fraud/v1"
        state: LIVE
        create_time_since_epoch: 1767225700000
        last_update_time_since_epoch: 1767225700000
        properties {
          key: "framework"
          value { string_value: "xgboost" }
        }
        custom_properties {
          key: "trees"
          value { int_value: 400 }
        }
      }
    }
    nodes {
      ref { kind: EXECUTION id: 2 }
      hops: 1
      execution {
        id: 2
        type: "Train"
        name: "train-january"
        last_known_state: COMPLETE
        create_time_since_epoch: 1767225650000
        last_update_time_since_epoch: 1767225700000
      }
    }
    nodes {
      ref { kind: ARTIFACT id: 2 }
      hops: 2
      artifact { id: 2 type: "DataSet" name: "labels" uri: "s3://lake/labels" state: LIVE }
    }
    nodes {
      ref { kind: ARTIFACT id: 1 }
      hops: 2
      artifact {
        id: 1
        type: "DataSet"
        name: "transactions"
        uri: "s3://lake/tx/2026-01"
        state: LIVE
      }
    }
    nodes {
      ref { kind: EXECUTION id: 1 }
      hops: 3
      is_boundary: true
      execution { id: 1 type: "Ingest" name: "ingest" last_known_state: CACHED }
    }
    events {
      artifact_id: 4
      execution_id: 2
      type: OUTPUT
      path { steps { key: "model" } }
    }
    events {
      artifact_id: 1
      execution_id: 2
      type: INPUT
      path {
        steps { key: "examples" }
        steps { index: 0 }
      }
    }
    events { artifact_id: 2 execution_id: 2 type: DECLARED_INPUT }
    events {
      artifact_id: 1
      execution_id: 1
      type: OUTPUT
      path { steps { key: "rows" } }
    }
    events {
      artifact_id: 2
      execution_id: 1
      type: OUTPUT
      path { steps { key: "labels" } }
    }
    completeness { complete: true })pb");
  up.mutable_nodes(0)->mutable_artifact()->set_name(name);
  v1::TraceResponse down = Parsed(R"pb(
    nodes {
      ref { kind: EXECUTION id: 3 }
      hops: 1
      execution { id: 3 type: "Evaluate" name: "evaluate" last_known_state: FAILED }
    }
    nodes {
      ref { kind: ARTIFACT id: 5 }
      hops: 2
      artifact { id: 5 type: "Metrics" uri: "s3://metrics/5.json" state: ABANDONED }
    }
    events {
      artifact_id: 4
      execution_id: 3
      type: INPUT
      path { steps { key: "model" } }
    }
    events {
      artifact_id: 5
      execution_id: 3
      type: OUTPUT
      path { steps { key: "metrics" } }
    }
    completeness { complete: false reason: "max_nodes" has_cycle: false })pb");
  // The start comes first in both.
  v1::TraceResponse whole_down;
  *whole_down.add_nodes() = up.nodes(0);
  whole_down.MergeFrom(down);
  LineageGraph graph(way, {Ref(v1::ARTIFACT, 4)});
  if (way != LineageWay::kDown) graph.Add(v1::UPSTREAM, std::move(up));
  if (way != LineageWay::kUp) graph.Add(v1::DOWNSTREAM, std::move(whole_down));
  graph.Finish();
  return graph;
}

LineageGraph Chain(int64_t steps) {
  Maker maker(LineageWay::kUp);
  maker.AddArtifact("DataSet", "first");
  for (int64_t i = 1; i <= steps; ++i) {
    maker.AddExecution("Step", absl::StrCat("step-", i));
    maker.Join(i, Event::INPUT, i, "in");
    maker.AddArtifact("DataSet", absl::StrCat("data-", i));
    maker.Join(i, Event::OUTPUT, i + 1, "out");
  }
  return maker.Finish({Ref(v1::ARTIFACT, steps + 1)});
}

LineageGraph PlatformLineage(int64_t nodes, uint64_t seed) {
  Maker maker(LineageWay::kDown);
  std::mt19937_64 random(seed);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  int64_t artifacts = 0;
  int64_t executions = 0;
  std::vector<int64_t> features;
  std::vector<int64_t> models;
  const auto add_artifact = [&](const std::string& type, const std::string& name) {
    auto* artifact = maker.AddArtifact(type, name);
    (*artifact->mutable_properties())["rows"].set_int_value(static_cast<int64_t>(below(5'000'000)));
    return ++artifacts;
  };
  const auto add_step = [&](const std::string& type, const std::string& name) {
    auto* step = maker.AddExecution(type, name);
    if (below(25) == 0) step->set_last_known_state(ml_metadata::Execution::FAILED);
    if (below(12) == 0) step->set_last_known_state(ml_metadata::Execution::CACHED);
    (*step->mutable_custom_properties())["image"].set_string_value(
        absl::StrCat("registry.example/", type, ":1.", below(40)));
    return ++executions;
  };
  const int64_t start = add_artifact("DataSet", "transactions-raw");
  for (int week = 1; artifacts + executions < nodes; ++week) {
    const int64_t prepare = add_step("Prepare", absl::StrCat("prepare-week-", week));
    maker.Join(prepare, Event::INPUT, start, "raw");
    const int64_t table = add_artifact("DataSet", absl::StrCat("transactions-week-", week));
    maker.Join(prepare, Event::OUTPUT, table, "table");
    for (int i = 0; i < 3; ++i) {
      const int64_t step = add_step("Featurize", absl::StrCat("features-", week, "-", i));
      maker.Join(step, Event::INPUT, table, "table");
      features.push_back(add_artifact("FeatureSet", absl::StrCat("features-", week, "-", i)));
      maker.Join(step, Event::OUTPUT, features.back(), "features");
    }
    for (int i = 0; i < 18 && artifacts + executions < nodes; ++i) {
      const std::string name = absl::StrCat("fraud-", week, ".", i);
      const int64_t train = add_step("Train", absl::StrCat("train-", name));
      const size_t recent = std::min<size_t>(features.size(), 6);
      for (int input = 0; input < 2; ++input) {
        maker.Join(train, Event::INPUT, features[features.size() - 1 - below(recent)], "features");
      }
      if (!models.empty() && below(30) == 0) {
        maker.Join(train, Event::INPUT,
                   models[models.size() - 1 - below(std::min<size_t>(models.size(), 20))],
                   "teacher");
      }
      models.push_back(add_artifact("Model", name));
      maker.Join(train, Event::OUTPUT, models.back(), "model");
      const int64_t evaluate = add_step("Evaluate", absl::StrCat("evaluate-", name));
      maker.Join(evaluate, Event::INPUT, models.back(), "model");
      maker.Join(evaluate, Event::OUTPUT, add_artifact("Metrics", absl::StrCat("auc-", name)),
                 "metrics");
    }
  }
  return maker.Finish({Ref(v1::ARTIFACT, start)});
}

}  // namespace pedigree::cli::testing
