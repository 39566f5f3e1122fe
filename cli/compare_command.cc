// pedigree compare A B
#include <CLI/CLI.hpp>
#include <set>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/lineage/answers.h"
#include "cli/lineage/fetch.h"
#include "cli/lineage/question.h"
#include "cli/node_calls.h"
#include "cli/output.h"
#include "cli/reference.h"

namespace pedigree::cli {
namespace {

template <class Node>
void SetBody(const Node& node, v1::TraceResponse::Node* told);
template <>
void SetBody(const ml_metadata::Artifact& node, v1::TraceResponse::Node* told) {
  *told->mutable_artifact() = node;
}
template <>
void SetBody(const ml_metadata::Execution& node, v1::TraceResponse::Node* told) {
  *told->mutable_execution() = node;
}

template <class Node>
absl::Status AddLabels(Connection* connection, v1::NodeKind kind, const std::set<int64_t>& ids,
                       Labels* labels) {
  const auto nodes = NodesById<Node>(connection, std::vector<int64_t>(ids.begin(), ids.end()));
  if (!nodes.ok()) return nodes.status();
  for (const Node& node : *nodes) {
    v1::TraceResponse::Node told;
    told.mutable_ref()->set_kind(kind);
    told.mutable_ref()->set_id(node.id());
    SetBody(node, &told);
    const GraphNode shown(std::move(told));
    labels->emplace(shown.ref(), shown.label());
  }
  return absl::OkStatus();
}

// What the nodes of an answer are called: it has only their ids.
absl::StatusOr<Labels> LabelsOf(Connection* connection, const v1::CompareRequest& request,
                                const v1::CompareResponse& answer) {
  std::set<int64_t> artifacts = {request.artifact_a(), request.artifact_b()};
  std::set<int64_t> executions;
  const auto add = [&](const v1::NodeRef& ref) {
    (ref.kind() == v1::ARTIFACT ? artifacts : executions).insert(ref.id());
  };
  for (const auto& pair : answer.differing()) {
    add(pair.a());
    add(pair.b());
  }
  for (const auto& single : answer.only_a()) add(single.ref());
  for (const auto& single : answer.only_b()) add(single.ref());
  Labels labels;
  absl::Status status =
      AddLabels<ml_metadata::Artifact>(connection, v1::ARTIFACT, artifacts, &labels);
  if (status.ok()) {
    status = AddLabels<ml_metadata::Execution>(connection, v1::EXECUTION, executions, &labels);
  }
  if (!status.ok()) return status;
  return labels;
}

class CompareCommand final : public Command {
 public:
  const char* name() const override { return "compare"; }
  const char* summary() const override {
    return "what differs upstream of two artifacts: inputs, parameters, code, versions";
  }
  const char* examples() const override {
    return "pedigree compare artifact:41 artifact:42\n"
           "pedigree compare model-v1 model-v2 --output csv";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("A", a_, "artifact:42, 42, a name or a uri")->type_name("")->required();
    app->add_option("B", b_, "the artifact to compare it with")->type_name("")->required();
    AddOutputOption(app, &format_);
    AddQuestionOptions(app, &question_);
  }

  absl::Status Run() override {
    const auto question = Question::Open(question_);
    if (!question.ok()) return question.status();
    const auto a = Resolve(question->connection(), a_, {NodeKind::kArtifact});
    if (!a.ok()) return a.status();
    const auto b = Resolve(question->connection(), b_, {NodeKind::kArtifact});
    if (!b.ok()) return b.status();
    v1::CompareRequest request;
    request.set_artifact_a(a->id);
    request.set_artifact_b(b->id);
    *request.mutable_scope() = question->scope();
    v1::CompareResponse answer;
    absl::Status status =
        question->connection()->Call("/pedigree.v1.LineageService/Compare", request, &answer);
    if (!status.ok()) return status;
    if (format_ == OutputFormat::kJson) return PrintJson(answer);
    const auto labels = LabelsOf(question->connection(), request, answer);
    if (!labels.ok()) return labels.status();
    const CompareNames names = NamesFor(*a, *b, *labels);
    if (format_ == OutputFormat::kCsv) {
      Print(CompareTable(answer, names, *labels).ToCsv());
    } else {
      Print(CompareText(answer, names, *labels, Screen::OfStandardOutput()));
    }
    return absl::OkStatus();
  }

 private:
  // Two artifacts of one name are told apart by their ids.
  static CompareNames NamesFor(const NodeRef& a, const NodeRef& b, const Labels& labels) {
    CompareNames names = {ToString(a), ToString(b)};
    const auto label_a = labels.find(names.a);
    const auto label_b = labels.find(names.b);
    if (label_a == labels.end() || label_b == labels.end()) return names;
    if (label_a->second == label_b->second) return names;
    return {label_a->second, label_b->second};
  }

  std::string a_;
  std::string b_;
  OutputFormat format_ = OutputFormat::kTable;
  QuestionOptions question_;
};

}  // namespace

std::unique_ptr<Command> MakeCompareCommand() { return std::make_unique<CompareCommand>(); }

}  // namespace pedigree::cli
