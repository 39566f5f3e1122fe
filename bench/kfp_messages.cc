#include "bench/kfp_messages.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pedigree::bench {
namespace {

constexpr char kRunStoreSession[] =
    R"({"Provider":"minio","Params":{"fromEnv":"false","secretName":"mlpipeline-minio-artifact"}})";
constexpr char kArtifactStoreSession[] = R"({"Provider":"minio","Params":{"fromEnv":"false"}})";
constexpr char kImportStoreSession[] = R"({"Provider":"gs","Params":{"fromEnv":"true"}})";

using Properties = google::protobuf::Map<std::string, mlmd::Value>;

void SetString(Properties* properties, const std::string& name, const std::string& text) {
  (*properties)[name].set_string_value(text);
}

// The next of a sequence of numbers that look random (splitmix64).
uint64_t Scatter(uint64_t* state) {
  uint64_t mixed = (*state += 0x9e3779b97f4a7c15);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

std::string Uuid(uint64_t seed) {
  const uint64_t high = Scatter(&seed);
  const uint64_t low = Scatter(&seed);
  return absl::StrFormat("%08x-%04x-4%03x-a%03x-%012x", high >> 32, (high >> 16) & 0xffff,
                         high & 0xfff, low >> 52, low & 0xffffffffffff);
}

// FNV-1a.
uint64_t HashOf(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

mlmd::Execution NewExecution(const std::string& display_name, const std::string& task_name,
                             int64_t parent_dag) {
  mlmd::Execution execution;
  execution.set_last_known_state(mlmd::Execution::RUNNING);
  Properties* properties = execution.mutable_custom_properties();
  SetString(properties, "display_name", display_name);
  SetString(properties, "task_name", task_name);
  if (parent_dag != 0) (*properties)["parent_dag_id"].set_int_value(parent_dag);
  return execution;
}

google::protobuf::Map<std::string, google::protobuf::Value>* Struct(mlmd::Execution* execution,
                                                                    const std::string& name) {
  return (*execution->mutable_custom_properties())[name].mutable_struct_value()->mutable_fields();
}

}  // namespace

KfpIdentity IdentityOf(const std::string& pipeline, uint64_t nonce, int64_t number) {
  return {.number = number,
          .pipeline = pipeline,
          .run_id = Uuid(nonce ^ HashOf(absl::StrCat(pipeline, "/", number)))};
}

std::string FingerprintOf(absl::string_view text) {
  uint64_t state = HashOf(text);
  std::string fingerprint;
  for (int i = 0; i < 4; ++i) absl::StrAppendFormat(&fingerprint, "%016x", Scatter(&state));
  return fingerprint;
}

mlmd::Context RunContext(const KfpIdentity& run) {
  mlmd::Context context;
  Properties* properties = context.mutable_custom_properties();
  SetString(properties, "namespace", run.name_space);
  SetString(properties, "resource_name", "run-resource");
  SetString(properties, "pipeline_root", run.PipelineRoot());
  SetString(properties, "store_session_info", kRunStoreSession);
  return context;
}

mlmd::Execution NewRootExecution(const KfpIdentity& run) {
  mlmd::Execution execution = NewExecution("", "", 0);
  execution.set_name(absl::StrCat("run/", run.run_id));
  auto* inputs = Struct(&execution, "inputs");
  (*inputs)["epochs"].set_number_value(10);
  (*inputs)["lr"].set_number_value(0.1);
  (*inputs)["name"].set_string_value("iris");
  auto* flags = (*inputs)["flags"].mutable_list_value();
  flags->add_values()->set_string_value("a");
  flags->add_values()->set_string_value("b");
  return execution;
}

mlmd::Execution NewContainerExecution(const KfpTask& task, int64_t parent_dag,
                                      std::optional<int> iteration,
                                      const std::string& fingerprint) {
  mlmd::Execution execution = NewExecution(task.name, task.name, parent_dag);
  if (task.outcome == KfpOutcome::kSkipped) {
    execution.set_last_known_state(mlmd::Execution::CANCELED);
  }
  Properties* properties = execution.mutable_custom_properties();
  for (const char* name : {"pod_name", "pod_uid", "namespace", "image"}) {
    SetString(properties, name, "");
  }
  if (!fingerprint.empty()) SetString(properties, "cache_fingerprint", fingerprint);
  auto* inputs = Struct(&execution, "inputs");
  for (const std::string& parameter : task.parameters) {
    (*inputs)[parameter].set_number_value(iteration.value_or(1) * 0.5);
  }
  return execution;
}

mlmd::Execution NewImporterExecution(const KfpTask& task, int64_t parent_dag) {
  return NewExecution("", task.name, parent_dag);
}

mlmd::Execution NewDagExecution(const KfpTask& task, int64_t parent_dag,
                                std::optional<int> iteration) {
  mlmd::Execution execution = NewExecution(task.name, task.name, parent_dag);
  Properties& properties = *execution.mutable_custom_properties();
  properties["total_dag_tasks"].set_int_value(static_cast<int64_t>(task.body.size()));
  auto* inputs = Struct(&execution, "inputs");
  if (iteration) {
    properties["iteration_index"].set_int_value(*iteration);
    (*inputs)["pipelinechannel--item"].set_number_value(*iteration);
  } else if (task.kind == KfpTaskKind::kLoop) {
    properties["iteration_count"].set_int_value(task.iterations);
    auto* items = (*inputs)["pipelinechannel--items"].mutable_list_value();
    for (int i = 0; i < task.iterations; ++i) items->add_values()->set_number_value(i);
  }
  return execution;
}

void SetPod(const KfpTask& task, const KfpIdentity& run, mlmd::Execution* execution) {
  Properties* properties = execution->mutable_custom_properties();
  uint64_t seed = HashOf(run.run_id) ^ static_cast<uint64_t>(execution->id());
  const std::string uid = Uuid(seed);
  SetString(properties, "pod_name",
            absl::StrFormat("%s-%05x-system-container-impl-%d", run.pipeline,
                            Scatter(&seed) & 0xfffff, Scatter(&seed) & 0x7fffffff));
  SetString(properties, "pod_uid", uid);
  SetString(properties, "namespace", run.name_space);
  SetString(properties, "image", absl::StrCat("registry.local/", task.name, ":1"));
}

void SetOutputParameters(const KfpTask& task, mlmd::Execution* execution) {
  if (task.output_parameters.empty()) return;
  auto* outputs = Struct(execution, "outputs");
  for (const std::string& name : task.output_parameters) (*outputs)[name].set_number_value(0.03);
}

mlmd::Artifact NewArtifact(const KfpIdentity& run, const KfpTask& task, int64_t execution,
                           const std::string& output) {
  mlmd::Artifact artifact;
  artifact.set_state(mlmd::Artifact::LIVE);
  const uint64_t seed = HashOf(run.run_id) + static_cast<uint64_t>(execution);
  artifact.set_uri(absl::StrCat(run.PipelineRoot(), "/", task.name, "/", Uuid(seed), "/", output));
  Properties* properties = artifact.mutable_custom_properties();
  SetString(properties, "display_name", output);
  SetString(properties, "store_session_info", kArtifactStoreSession);
  if (output == kLogsOutput) return artifact;
  SetString(properties, "framework", "sklearn");
  (*properties)["rows"].set_double_value(150);
  (*properties)["ok"].set_int_value(1);
  return artifact;
}

mlmd::Artifact ImportedArtifact(const KfpTask& task) {
  mlmd::Artifact artifact;
  artifact.set_uri(task.uri);
  artifact.set_state(mlmd::Artifact::LIVE);
  SetString(artifact.mutable_custom_properties(), "key", "value");
  SetString(artifact.mutable_custom_properties(), "store_session_info", kImportStoreSession);
  return artifact;
}

void AddEvent(mlmd::Event::Type type, const std::string& name, int64_t artifact,
              mlmd::PutExecutionRequest* request) {
  mlmd::Event* event = request->add_artifact_event_pairs()->mutable_event();
  event->set_artifact_id(artifact);
  event->set_type(type);
  event->mutable_path()->add_steps()->set_key(name);
}

std::optional<int64_t> IntProperty(const mlmd::Execution& execution, const std::string& name) {
  const auto found = execution.custom_properties().find(name);
  if (found == execution.custom_properties().end() || !found->second.has_int_value()) {
    return std::nullopt;
  }
  return found->second.int_value();
}

std::string StringProperty(const mlmd::Execution& execution, const std::string& name) {
  const auto found = execution.custom_properties().find(name);
  return found == execution.custom_properties().end() ? "" : found->second.string_value();
}

}  // namespace pedigree::bench
