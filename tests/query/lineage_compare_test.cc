// Lineages compared: runs as Kubeflow Pipelines writes them, and graphs that are not so tidy.
#include "query/lineage_compare.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/query/small_lineage.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;
using Nodes = std::vector<LineageNode>;
using Fields = std::vector<FieldDifference>;

constexpr LineageWalkOptions kUpstream = {.direction = LineageDirection::kUpstream};

absl::Status GoOn(int64_t, absl::Span<const LineageNode>, absl::Span<LineageVerdict>) {
  return absl::OkStatus();
}

LineageComparison Compare(SmallLineage& lineage, LineageNode a, LineageNode b,
                          const LineageWalkOptions& options = kUpstream,
                          LineageWalk::OnHop judge = GoOn) {
  LineageComparison result;
  EXPECT_TRUE(
      IsOk(lineage.store()->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
        const LineageView view(reader);
        auto comparison = CompareLineages(reader, view, {a, b}, options, judge);
        if (comparison.ok()) result = *std::move(comparison);
        return comparison.status();
      })));
  return result;
}

// One line for each thing that is answered, so that a test reads as the answer does.
std::vector<std::string> Lines(const LineageComparison& comparison) {
  std::vector<std::string> lines;
  for (const auto& pair : comparison.differing) {
    for (const FieldDifference& field : pair.differences) {
      lines.push_back(absl::StrCat(pair.hops, " ", pair.way, ": ", field.field, " ",
                                   field.a.value_or("-"), " ", field.b.value_or("-")));
    }
  }
  const auto add_singles = [&](absl::string_view side, const auto& singles) {
    for (const auto& single : singles) {
      lines.push_back(absl::StrCat(single.hops, " ", single.way, ": ", side, " ", single.type));
    }
  };
  add_singles("only_a", comparison.only_a);
  add_singles("only_b", comparison.only_b);
  return lines;
}
using Strings = std::vector<std::string>;

// A run of a pipeline: preprocess -> train, as KFP writes it. Nothing has a name, steps are told
// apart by task_name, and artifacts by the paths of events.
struct RunOptions {
  std::string learning_rate = "0.1";
  std::string train_image = "trainer:1";
  bool augments = false;  // An extra step between the two.
};

class KubeflowRuns : public ::testing::Test {
 protected:
  KubeflowRuns()
      : dataset_type_(PutType<Artifact>(lineage_.store(), "system.Dataset")),
        model_type_(PutType<Artifact>(lineage_.store(), "system.Model")),
        step_type_(PutType<Execution>(lineage_.store(), "system.ContainerExecution")) {}

  LineageNode AddDataset(const std::string& uri) {
    Artifact artifact;
    artifact.set_type_id(dataset_type_);
    artifact.set_uri(uri);
    return lineage_.Add(artifact);
  }
  LineageNode AddStep(const std::string& task, const std::string& image,
                      const std::string& parameter = "", const std::string& value = "") {
    Execution execution;
    execution.set_type_id(step_type_);
    auto& properties = *execution.mutable_custom_properties();
    properties["task_name"].set_string_value(task);
    properties["image"].set_string_value(image);
    if (!parameter.empty()) {
      auto& inputs = *properties["inputs"].mutable_struct_value();
      (*inputs.mutable_fields())[parameter].set_string_value(value);
    }
    return lineage_.Add(execution);
  }
  // Reads the input, and writes a data set.
  LineageNode AddDataStep(const std::string& task, LineageNode input) {
    const LineageNode step = AddStep(task, "tools:1");
    const LineageNode output = AddDataset("s3://prepared");
    lineage_.Connect(input, step, "input");
    lineage_.Connect(step, output, "output");
    return output;
  }
  LineageNode AddTraining(const RunOptions& run, LineageNode data) {
    const LineageNode train = AddStep("train", run.train_image, "lr", run.learning_rate);
    lineage_.Connect(data, train, "dataset");
    Artifact model;
    model.set_type_id(model_type_);
    model.set_uri("s3://model");
    const LineageNode added = lineage_.Add(model);
    lineage_.Connect(train, added, "model");
    return added;
  }
  LineageNode AddRun(const RunOptions& run, LineageNode raw) {
    LineageNode data = AddDataStep("preprocess", raw);
    if (run.augments) data = AddDataStep("augment", data);
    return AddTraining(run, data);
  }

  SmallLineage lineage_;
  int64_t dataset_type_;
  int64_t model_type_;
  int64_t step_type_;
};

TEST_F(KubeflowRuns, OfTheSameDoNotDiffer) {
  const LineageNode raw = AddDataset("s3://raw");
  const LineageComparison same = Compare(lineage_, AddRun({}, raw), AddRun({}, raw));
  EXPECT_EQ(Lines(same), Strings{});
  EXPECT_EQ(same.equal_pairs, 4);
  EXPECT_EQ(same.shared_nodes, 1);
  EXPECT_FALSE(same.has_cycle);
  EXPECT_FALSE(same.is_cut_by_hops);
}

TEST_F(KubeflowRuns, DifferInAParameter) {
  const LineageNode raw = AddDataset("s3://raw");
  const LineageComparison comparison =
      Compare(lineage_, AddRun({}, raw), AddRun({.learning_rate = "0.9"}, raw));
  EXPECT_EQ(Lines(comparison),
            Strings{"1 model: custom_properties.inputs {\"lr\":\"0.1\"} {\"lr\":\"0.9\"}"});
  EXPECT_EQ(comparison.equal_pairs, 3);
}

TEST_F(KubeflowRuns, DifferInAnImage) {
  const LineageNode raw = AddDataset("s3://raw");
  EXPECT_EQ(Lines(Compare(lineage_, AddRun({}, raw), AddRun({.train_image = "trainer:2"}, raw))),
            Strings{"1 model: custom_properties.image \"trainer:1\" \"trainer:2\""});
}

TEST_F(KubeflowRuns, DifferInTheVersionOfADataSet) {
  const LineageNode v1 = AddDataset("s3://raw/v1");
  const LineageNode v2 = AddDataset("s3://raw/v2");
  const LineageComparison comparison = Compare(lineage_, AddRun({}, v1), AddRun({}, v2));
  EXPECT_EQ(Lines(comparison),
            Strings{"4 model / dataset / output / input: uri \"s3://raw/v1\" \"s3://raw/v2\""});
  ASSERT_EQ(comparison.differing.size(), 1u);
  EXPECT_EQ(comparison.differing[0].a, v1);
  EXPECT_EQ(comparison.differing[0].b, v2);
  EXPECT_EQ(comparison.shared_nodes, 0);
}

TEST_F(KubeflowRuns, DifferInAnExtraStepTheNearestFirst) {
  const LineageNode raw = AddDataset("s3://raw");
  const LineageComparison comparison =
      Compare(lineage_, AddRun({}, raw), AddRun({.augments = true}, raw));
  EXPECT_EQ(Lines(comparison),
            (Strings{"3 model / dataset / output: custom_properties.task_name \"preprocess\" "
                     "\"augment\"",
                     "4 model / dataset / output / input: uri \"s3://raw\" \"s3://prepared\"",
                     "5 model / dataset / output / input / output: only_b "
                     "system.ContainerExecution"}));
}

TEST_F(KubeflowRuns, DifferInAnExtraInputOfAStep) {
  const LineageNode raw = AddDataset("s3://raw");
  const LineageNode v1 = AddRun({}, raw);
  const LineageNode data = AddDataStep("preprocess", raw);
  const LineageNode v2 = AddTraining({}, data);
  const LineageNode vocabulary = AddDataStep("vocabulary", AddDataset("s3://text"));
  Nodes producers;
  lineage_.Walk({v2}, {.direction = LineageDirection::kUpstream, .max_hops = 1},
                [&](const Reader&, const LineageWalk& walk) { producers = walk.nodes(); });
  lineage_.Connect(vocabulary, producers[1], "vocabulary");
  const LineageComparison comparison = Compare(lineage_, v1, v2);
  EXPECT_EQ(Lines(comparison), Strings{"2 model / vocabulary: only_b system.Dataset"})
      << "what is behind it is its consequence";
  EXPECT_EQ(comparison.only_b[0].node, vocabulary);
}

TEST_F(KubeflowRuns, WithACachedStepShareWhatItWrote) {
  const LineageNode data = AddDataStep("preprocess", AddDataset("s3://raw"));
  const LineageNode v1 = AddTraining({}, data);
  const LineageNode cached = AddStep("preprocess", "tools:1");
  lineage_.Connect(cached, data, "output");
  const LineageComparison comparison =
      Compare(lineage_, v1, AddTraining({.learning_rate = "0.5"}, data));
  EXPECT_EQ(Lines(comparison).size(), 1u);
  EXPECT_EQ(comparison.shared_nodes, 1) << "what is behind is not looked at";
}

TEST_F(KubeflowRuns, ThatSwapTwoInputsDifferInBoth) {
  const LineageNode x = AddDataset("s3://x");
  const LineageNode y = AddDataset("s3://y");
  const auto add = [&](LineageNode train_on, LineageNode evaluate_on) {
    const LineageNode model = AddTraining({}, train_on);
    const LineageNode evaluate = AddStep("evaluate", "tools:1");
    lineage_.Connect(model, evaluate, "model");
    lineage_.Connect(evaluate_on, evaluate, "dataset");
    const LineageNode metrics = AddDataset("s3://metrics");
    lineage_.Connect(evaluate, metrics, "metrics");
    return metrics;
  };
  EXPECT_EQ(Lines(Compare(lineage_, add(x, y), add(y, x))),
            (Strings{"2 metrics / dataset: uri \"s3://y\" \"s3://x\"",
                     "4 metrics / model / model / dataset: uri \"s3://x\" \"s3://y\""}));
}

TEST(LineageCompare, OfOneNodeSharesIt) {
  SmallLineage lineage;
  const Nodes chain = lineage.AddChain(3);
  const LineageComparison comparison = Compare(lineage, chain[2], chain[2]);
  EXPECT_EQ(comparison.shared_nodes, 1);
  EXPECT_EQ(comparison.equal_pairs, 0);
}

class Steps : public ::testing::Test {
 protected:
  Steps() : a_(lineage_.AddExecution()), b_(lineage_.AddExecution()) {
    lineage_.Connect(a_, model_a_ = lineage_.AddArtifact());
    lineage_.Connect(b_, model_b_ = lineage_.AddArtifact());
  }

  LineageNode AddArtifact(const std::string& name, const std::string& uri) {
    Artifact artifact;
    if (!name.empty()) artifact.set_name(name);
    artifact.set_uri(uri);
    return lineage_.Add(artifact);
  }
  Strings Compared() { return Lines(Compare(lineage_, model_a_, model_b_)); }

  SmallLineage lineage_;
  LineageNode a_;
  LineageNode b_;
  LineageNode model_a_;
  LineageNode model_b_;
};

TEST_F(Steps, PairInputsByPathThenByNameThenById) {
  const int64_t other_type = PutType<Artifact>(lineage_.store(), "other");
  const auto input = [&](LineageNode step, const std::string& path, const std::string& name,
                         const std::string& uri) {
    lineage_.Connect(AddArtifact(name, uri), step, path);
  };
  // Names are unique in a type, so no name is in both; what has none is paired by id.
  input(a_, "list", "", "1");
  input(a_, "list", "", "2");
  input(a_, "list", "", "3");
  input(b_, "list", "", "4");
  input(b_, "list", "", "5");
  input(a_, "x", "n1", "6");
  input(b_, "y", "n2", "6");
  // By path, not by what is there: of another type under the same path.
  input(a_, "z", "", "7");
  Artifact other;
  other.set_type_id(other_type);
  lineage_.Connect(lineage_.Add(other), b_, "z");
  EXPECT_EQ(Compared(), (Strings{"2 step / list: uri \"1\" \"4\"", "2 step / list: uri \"2\" \"5\"",
                                 "2 step / list: only_a data", "2 step / x: only_a data",
                                 "2 step / z: only_a data", "2 step / y: only_b data",
                                 "2 step / z: only_b other"}));
}

TEST_F(Steps, PairVersionsOfATypeByName) {
  ml_metadata::ArtifactType type;
  type.set_name("data");
  type.set_version("v2");
  ASSERT_TRUE(IsOk(lineage_.store()->Write(
      [&](Transaction& transaction) { return transaction.PutType<Artifact>(&type).status(); })));
  Artifact newer;
  newer.set_type_id(type.id());
  newer.set_name("table");
  newer.set_uri("3");
  lineage_.Connect(AddArtifact("", "1"), a_);
  lineage_.Connect(AddArtifact("table", "2"), a_);
  lineage_.Connect(lineage_.Add(newer), b_);
  EXPECT_EQ(Compared(), (Strings{"2 step / data: type.version - \"v2\"",
                                 "2 step / data: uri \"2\" \"3\"", "2 step / data: only_a data"}))
      << "the same name goes before the smaller id";
}

TEST_F(Steps, ShareWhatBothReadEvenInOtherWays) {
  const LineageNode data = AddArtifact("", "1");
  lineage_.Connect(data, a_, "old_name");
  lineage_.Connect(data, b_, "new_name");
  const LineageComparison comparison = Compare(lineage_, model_a_, model_b_);
  EXPECT_EQ(Lines(comparison), Strings{});
  EXPECT_EQ(comparison.shared_nodes, 1);
}

TEST_F(Steps, TellEventTypesApart) {
  lineage_.AddEvent(AddArtifact("", "1"), a_, Event::INPUT, "x");
  lineage_.AddEvent(AddArtifact("", "1"), b_, Event::DECLARED_INPUT, "x");
  EXPECT_EQ(Compared(), (Strings{"2 step / x: only_a data", "2 step / x: only_b data"}));
}

TEST_F(Steps, WriteOutPathsOfSeveralSteps) {
  for (LineageNode step : {a_, b_}) {
    Event event;
    event.set_artifact_id(AddArtifact("", step == a_ ? "1" : "2").id());
    event.set_execution_id(step.id());
    event.set_type(Event::INPUT);
    event.mutable_path()->add_steps()->set_key("examples");
    event.mutable_path()->add_steps()->set_index(0);
    event.mutable_path()->add_steps()->set_key("train");
    ASSERT_TRUE(IsOk(lineage_.store()->Write(
        [&](Transaction& transaction) { return AddEvents(transaction, {&event}); })));
  }
  EXPECT_EQ(Compared(), Strings{"2 step / examples[0].train: uri \"1\" \"2\""});
}

TEST_F(Steps, EndAtMaxHopsAndAtStops) {
  const LineageNode raw_a = AddArtifact("", "1");
  const LineageNode raw_b = AddArtifact("", "2");
  lineage_.Connect(raw_a, a_);
  lineage_.Connect(raw_b, b_);
  LineageComparison comparison = Compare(lineage_, model_a_, model_b_,
                                         {.direction = LineageDirection::kUpstream, .max_hops = 1});
  EXPECT_TRUE(comparison.is_cut_by_hops);
  EXPECT_EQ(comparison.equal_pairs, 2);
  EXPECT_EQ(Lines(comparison), Strings{});

  const auto stop_at_a = [&](int64_t, absl::Span<const LineageNode> nodes,
                             absl::Span<LineageVerdict> verdicts) {
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i] == a_) verdicts[i] = LineageVerdict::kStop;
    }
    return absl::OkStatus();
  };
  comparison = Compare(lineage_, model_a_, model_b_, kUpstream, stop_at_a);
  EXPECT_EQ(Lines(comparison), Strings{}) << "not only_b, either";
  EXPECT_EQ(comparison.equal_pairs, 2);
  EXPECT_FALSE(comparison.is_cut_by_hops);

  const auto without_b = [&](int64_t, absl::Span<const LineageNode> nodes,
                             absl::Span<LineageVerdict> verdicts) {
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i] == raw_b) verdicts[i] = LineageVerdict::kLeaveOut;
    }
    return absl::OkStatus();
  };
  EXPECT_EQ(Lines(Compare(lineage_, model_a_, model_b_, kUpstream, without_b)),
            Strings{"2 step / data: only_a data"});

  EXPECT_EQ(Compare(lineage_, model_a_, model_b_,
                    {.direction = LineageDirection::kUpstream, .event_types = 1u << Event::OUTPUT})
                .equal_pairs,
            2);
}

TEST_F(Steps, InCyclesEnd) {
  lineage_.Connect(model_a_, a_);
  lineage_.Connect(model_b_, b_);
  LineageComparison comparison = Compare(lineage_, model_a_, model_b_);
  EXPECT_TRUE(comparison.has_cycle);
  EXPECT_EQ(comparison.equal_pairs, 2);

  // A cycle on one side only: the other side is shorter, and ends.
  SmallLineage other;
  const Nodes chain = other.AddChain(5);
  const LineageNode step = other.AddExecution();
  const LineageNode model = other.AddArtifact();
  other.Connect(step, model);
  other.Connect(model, step);
  comparison = Compare(other, chain[4], model);
  EXPECT_TRUE(comparison.has_cycle);
  EXPECT_EQ(comparison.equal_pairs, 5);
}

TEST(LineageCompare, OfDiamondsComesToAPairOnce) {
  SmallLineage lineage;
  const auto add = [&](const std::string& uri) {
    Artifact artifact;
    artifact.set_uri(uri);
    LineageNode below = lineage.Add(artifact);
    const LineageNode raw = below;
    for (int layer = 0; layer < 15; ++layer) {  // 2^15 ways.
      const LineageNode left = lineage.AddExecution();
      const LineageNode right = lineage.AddExecution();
      const LineageNode next = lineage.AddArtifact();
      lineage.Connect(below, left, "in");
      lineage.Connect(below, right, "in");
      lineage.Connect(left, next, "left");
      lineage.Connect(right, next, "right");
      below = next;
    }
    return std::pair(raw, below);
  };
  const auto [raw_a, a] = add("1");
  const auto [raw_b, b] = add("2");
  const LineageComparison comparison = Compare(lineage, a, b);
  EXPECT_EQ(comparison.equal_pairs, 45);
  ASSERT_EQ(comparison.differing.size(), 1u);
  EXPECT_EQ(comparison.differing[0].a, raw_a);
  EXPECT_EQ(comparison.differing[0].hops, 30);
}

TEST(LineageCompare, OfLongChainsKeepsWaysShort) {
  SmallLineage lineage;
  const Nodes a = lineage.AddChain(20'001);
  const Nodes b = lineage.AddChain(20'001);
  Artifact changed = *Find<Artifact>(lineage.store(), a[0].id());
  changed.set_uri("s3://changed");
  ASSERT_TRUE(IsOk(Update(lineage.store(), changed)));
  const LineageComparison comparison = Compare(lineage, a.back(), b.back());
  EXPECT_EQ(comparison.equal_pairs, 20'000);
  ASSERT_EQ(comparison.differing.size(), 1u);
  EXPECT_EQ(comparison.differing[0].hops, 20'000);
  const std::vector<std::string> labels = absl::StrSplit(comparison.differing[0].way, " / ");
  ASSERT_EQ(labels.size(), 65u);
  EXPECT_EQ(labels[31], "data");
  EXPECT_EQ(labels[32], "...");
  EXPECT_EQ(labels[64], "data");
}

TEST(LineageCompare, NamesWaysOfAnyLengthInOrder) {
  SmallLineage lineage;
  for (int64_t hops : {1, 31, 32, 33, 63, 64, 65, 66, 97, 130}) {
    LineageNode starts[2];
    for (LineageNode& start : starts) {
      // Every event is labelled with its distance from the start.
      LineageNode node = start = lineage.AddArtifact();
      for (int64_t hop = 1; hop <= hops; ++hop) {
        Artifact artifact;
        if (hop == hops) artifact.set_uri(std::to_string(start.id()));
        Execution execution;
        if (hop == hops) {
          execution.mutable_custom_properties()->insert({"n", ml_metadata::Value()});
          (*execution.mutable_custom_properties())["n"].set_int_value(start.id());
        }
        const LineageNode above =
            node.is_execution() ? lineage.Add(artifact) : lineage.Add(execution);
        lineage.Connect(above, node, std::to_string(hop));
        node = above;
      }
    }
    const LineageComparison comparison = Compare(lineage, starts[0], starts[1]);
    ASSERT_EQ(comparison.differing.size(), 1u);
    std::vector<std::string> expected;
    for (int64_t hop = 1; hop <= hops; ++hop) {
      if (hop <= 32 || hop > hops - 32) {
        expected.push_back(std::to_string(hop));
      } else if (hop == 33) {
        expected.push_back("...");
      }
    }
    EXPECT_EQ(Strings(absl::StrSplit(comparison.differing[0].way, " / ")), expected);
  }
}

// A random lineage and its copy have nothing but equal pairs; and comparing the other way round
// answers the same with a and b swapped.
TEST(LineageCompare, OfRandomGraphsIsSymmetric) {
  Random random;
  for (int round = 0; round < 60; ++round) {
    SmallLineage lineage;
    Nodes artifacts;
    Nodes executions;
    for (int i = 0; i < 10; ++i) {
      Artifact artifact;
      artifact.set_uri(std::to_string(random.Between(1, 3)));
      artifacts.push_back(lineage.Add(artifact));
      executions.push_back(lineage.AddExecution());
    }
    std::set<std::tuple<LineageNode, LineageNode, int>> events;
    for (int i = 0; i < 30; ++i) {
      const auto type = static_cast<Event::Type>(random.Between(1, 7));
      const LineageNode artifact = random.Pick(artifacts);
      const LineageNode execution = random.Pick(executions);
      if (!events.insert({artifact, execution, type}).second) continue;
      lineage.AddEvent(artifact, execution, type, random.OneIn(2) ? "x" : "");
    }
    const LineageNode a = random.Pick(artifacts);
    const LineageNode b = random.Pick(artifacts);
    const LineageComparison there = Compare(lineage, a, b);
    const LineageComparison back = Compare(lineage, b, a);
    EXPECT_EQ(there.equal_pairs, back.equal_pairs);
    EXPECT_EQ(there.shared_nodes, back.shared_nodes);
    EXPECT_EQ(there.has_cycle, back.has_cycle);
    const auto pairs_of = [](const LineageComparison& comparison, bool is_swapped) {
      std::map<std::pair<LineageNode, LineageNode>, int64_t> pairs;
      for (const auto& pair : comparison.differing) {
        pairs[is_swapped ? std::pair(pair.b, pair.a) : std::pair(pair.a, pair.b)] = pair.hops;
      }
      return pairs;
    };
    EXPECT_EQ(pairs_of(there, false), pairs_of(back, true));
    const auto nodes_of = [](const auto& singles) {
      std::map<LineageNode, int64_t> nodes;
      for (const auto& single : singles) nodes[single.node] = single.hops;
      EXPECT_EQ(nodes.size(), singles.size());
      return nodes;
    };
    EXPECT_EQ(nodes_of(there.only_a), nodes_of(back.only_b));
    EXPECT_EQ(nodes_of(there.only_b), nodes_of(back.only_a));
    if (HasFailure()) return;
  }
}

TEST(LineageCompare, OfACopyHasEqualPairsOnly) {
  Random random;
  for (int round = 0; round < 60; ++round) {
    SmallLineage lineage;
    Nodes nodes[2];
    for (int i = 0; i < 20; ++i) {
      for (Nodes& copy : nodes) {
        copy.push_back(i % 2 == 0 ? lineage.AddArtifact() : lineage.AddExecution());
      }
    }
    std::set<std::tuple<size_t, size_t, int>> events;
    for (int i = 0; i < 40; ++i) {
      const size_t artifact = random.Index(10) * 2;
      const size_t execution = random.Index(10) * 2 + 1;
      const auto type = static_cast<Event::Type>(random.Between(1, 7));
      if (!events.insert({artifact, execution, type}).second) continue;
      for (Nodes& copy : nodes) lineage.AddEvent(copy[artifact], copy[execution], type);
    }
    const LineageComparison comparison = Compare(lineage, nodes[0][0], nodes[1][0]);
    EXPECT_EQ(Lines(comparison), Strings{});
    EXPECT_EQ(comparison.shared_nodes, 0);
    lineage.Walk({nodes[0][0]}, kUpstream, [&](const Reader&, const LineageWalk& walk) {
      EXPECT_EQ(comparison.equal_pairs, static_cast<int64_t>(walk.nodes().size()));
    });
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace pedigree
