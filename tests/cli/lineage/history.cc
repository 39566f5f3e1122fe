#include "tests/cli/lineage/history.h"

#include <google/protobuf/text_format.h>

#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/connection.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "store/store.h"

namespace pedigree::cli::testing {
namespace {

constexpr char kTypes[] = R"pb(
  artifact_types {
    name: "DataSet"
    properties { key: "rows" value: INT }
  }
  artifact_types {
    name: "Model"
    properties { key: "framework" value: STRING }
  }
  artifact_types {
    name: "Metrics"
    properties { key: "auc" value: DOUBLE }
  }
  execution_types { name: "Ingest" }
  execution_types {
    name: "Train"
    properties { key: "learning_rate" value: DOUBLE }
    properties { key: "epochs" value: INT }
  }
  execution_types { name: "Evaluate" }
  context_types { name: "Run" })pb";

class Writer {
 public:
  explicit Writer(Connection* connection) : connection_(connection) {}

  const absl::Status& status() const { return status_; }

  template <class Response>
  Response Call(const char* rpc, const google::protobuf::Message& request) {
    Response response;
    const std::string method = absl::StrCat("/ml_metadata.MetadataStoreService/", rpc);
    const absl::Status status = connection_->Call(method.c_str(), request, &response);
    if (status_.ok()) status_ = status;
    return response;
  }

  void AddTypes() {
    ml_metadata::PutTypesRequest request;
    if (!google::protobuf::TextFormat::ParseFromString(kTypes, &request)) {
      status_ = absl::InternalError("the types do not parse");
      return;
    }
    const auto types = Call<ml_metadata::PutTypesResponse>("PutTypes", request);
    const auto name = [&](const auto& declared, const auto& ids) {
      for (int i = 0; i < ids.size(); ++i) types_[declared.Get(i).name()] = ids.Get(i);
    };
    name(request.artifact_types(), types.artifact_type_ids());
    name(request.execution_types(), types.execution_type_ids());
    name(request.context_types(), types.context_type_ids());
  }

  ml_metadata::Artifact Artifact(const char* type, const char* name, const char* uri) {
    ml_metadata::Artifact artifact;
    artifact.set_type_id(types_[type]);
    artifact.set_name(name);
    artifact.set_uri(uri);
    artifact.set_state(ml_metadata::Artifact::LIVE);
    return artifact;
  }

  ml_metadata::Execution Step(const char* type, const char* name) {
    ml_metadata::Execution execution;
    execution.set_type_id(types_[type]);
    execution.set_name(name);
    execution.set_last_known_state(ml_metadata::Execution::COMPLETE);
    return execution;
  }

  struct Input {
    int64_t artifact;
    const char* path;
  };

  // One step with its inputs and one output, whose id it answers.
  int64_t Run(const ml_metadata::Execution& step, const std::vector<Input>& inputs,
              const ml_metadata::Artifact& output, const char* path, const char* run = nullptr) {
    ml_metadata::PutExecutionRequest request;
    *request.mutable_execution() = step;
    for (const Input& input : inputs) {
      auto* event = request.add_artifact_event_pairs()->mutable_event();
      event->set_artifact_id(input.artifact);
      event->set_type(ml_metadata::Event::INPUT);
      event->mutable_path()->add_steps()->set_key(input.path);
    }
    auto* pair = request.add_artifact_event_pairs();
    *pair->mutable_artifact() = output;
    pair->mutable_event()->set_type(ml_metadata::Event::OUTPUT);
    pair->mutable_event()->mutable_path()->add_steps()->set_key(path);
    if (run != nullptr) {
      auto* context = request.add_contexts();
      context->set_type_id(types_["Run"]);
      context->set_name(run);
      request.mutable_options()->set_reuse_context_if_already_exist(true);
    }
    const auto response = Call<ml_metadata::PutExecutionResponse>("PutExecution", request);
    return response.artifact_ids().empty() ? 0 : *response.artifact_ids().rbegin();
  }

  int64_t Ingest(const char* step, const char* name, const char* uri, int64_t rows) {
    auto data_set = Artifact("DataSet", name, uri);
    (*data_set.mutable_properties())["rows"].set_int_value(rows);
    return Run(Step("Ingest", step), {}, data_set, "table");
  }

  struct Training {
    const char* step;
    double learning_rate;
    const char* image;
    const char* run;
  };
  int64_t Train(const Training& training, const std::vector<Input>& inputs, const char* model,
                const char* uri) {
    auto step = Step("Train", training.step);
    (*step.mutable_properties())["learning_rate"].set_double_value(training.learning_rate);
    (*step.mutable_properties())["epochs"].set_int_value(5);
    (*step.mutable_custom_properties())["image"].set_string_value(training.image);
    auto output = Artifact("Model", model, uri);
    (*output.mutable_properties())["framework"].set_string_value("xgboost");
    return Run(step, inputs, output, "model", training.run);
  }

  void Evaluate(const char* step, const std::vector<Input>& inputs, const char* name,
                const char* uri, double auc, const char* run) {
    auto metrics = Artifact("Metrics", name, uri);
    (*metrics.mutable_properties())["auc"].set_double_value(auc);
    Run(Step("Evaluate", step), inputs, metrics, "metrics", run);
  }

 private:
  Connection* connection_;
  absl::Status status_;
  std::map<std::string, int64_t> types_;
};

}  // namespace

absl::Status WriteHistory(const std::string& data_dir) {
  // Commands open stores that are there only.
  if (const auto store = Store::Open({.data_dir = data_dir}); !store.ok()) return store.status();
  ConnectionOptions options;
  options.data_dir = data_dir;
  auto connection = Connection::Open(options);
  if (!connection.ok()) return connection.status();
  Writer writer(connection->get());
  writer.AddTypes();
  const int64_t january = writer.Ingest("ingest-january", "transactions-2026-01",
                                        "s3://lake/fraud/transactions/2026-01", 1'204'331);
  const int64_t chargebacks =
      writer.Ingest("ingest-chargebacks", "chargebacks", "s3://lake/fraud/chargebacks", 18'220);
  const int64_t holdout =
      writer.Ingest("ingest-holdout", "holdout", "s3://lake/fraud/holdout", 90'000);
  const int64_t v1 = writer.Train(
      {"train-january", 0.1, "registry.example/fraud-train:1.4", "fraud-january"},
      {{january, "examples"}, {chargebacks, "labels"}}, "fraud-v1", "s3://models/fraud/v1");
  writer.Evaluate("evaluate-v1", {{v1, "model"}, {holdout, "examples"}}, "auc-v1",
                  "s3://models/fraud/v1/metrics.json", 0.913, "fraud-january");
  const int64_t february = writer.Ingest("ingest-february", "transactions-2026-02",
                                         "s3://lake/fraud/transactions/2026-02", 1'187'002);
  const int64_t v2 = writer.Train(
      {"train-february", 0.05, "registry.example/fraud-train:1.5", "fraud-february"},
      {{february, "examples"}, {chargebacks, "labels"}}, "fraud-v2", "s3://models/fraud/v2");
  writer.Evaluate("evaluate-v2", {{v2, "model"}, {holdout, "examples"}}, "auc-v2",
                  "s3://models/fraud/v2/metrics.json", 0.887, "fraud-february");
  return writer.status();
}

}  // namespace pedigree::cli::testing
