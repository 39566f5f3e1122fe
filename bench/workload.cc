#include "bench/workload.h"

#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::bench {
namespace {

constexpr char kService[] = "/ml_metadata.MetadataStoreService/";
constexpr char kStoreSession[] =
    R"({"Provider":"minio","Params":{"fromEnv":"false","secretName":"mlpipeline-minio-artifact"}})";

// Calls `method` and parses the reply. DataLoss if the reply is none of this type.
template <class Reply, class Request>
absl::StatusOr<Reply> Ask(LoadClient& client, const std::string& method, const Request& request) {
  const absl::StatusOr<std::string> bytes =
      client.Call(absl::StrCat(kService, method), request.SerializeAsString());
  if (!bytes.ok()) return bytes.status();
  Reply reply;
  if (!reply.ParseFromString(*bytes)) {
    return absl::DataLossError(absl::StrCat("the reply to ", method, " does not parse"));
  }
  return reply;
}

absl::StatusOr<ml_metadata::Context> PutContext(LoadClient& client, const std::string& type_name,
                                                const std::string& name) {
  ml_metadata::PutContextTypeRequest type;
  type.mutable_context_type()->set_name(type_name);
  const auto type_reply = Ask<ml_metadata::PutContextTypeResponse>(client, "PutContextType", type);
  if (!type_reply.ok()) return type_reply.status();
  ml_metadata::PutContextsRequest put;
  ml_metadata::Context* context = put.add_contexts();
  context->set_type_id(type_reply->type_id());
  context->set_name(name);
  const auto put_reply = Ask<ml_metadata::PutContextsResponse>(client, "PutContexts", put);
  if (!put_reply.ok()) return put_reply.status();
  if (put_reply->context_ids_size() != 1) return absl::DataLossError("PutContexts: not one id");
  context->set_id(put_reply->context_ids(0));
  return *context;
}

void SetString(google::protobuf::Map<std::string, ml_metadata::Value>* properties,
               const std::string& name, const std::string& text) {
  (*properties)[name].set_string_value(text);
}

void AddOutput(ml_metadata::PutExecutionRequest* request, const KfpRun& run,
               const std::string& name, ml_metadata::Event::Type event_type) {
  auto* pair = request->add_artifact_event_pairs();
  ml_metadata::Artifact* artifact = pair->mutable_artifact();
  artifact->set_type_id(run.artifact_type_id);
  artifact->set_uri(
      absl::StrCat("minio://mlpipeline/v2/artifacts/iris/", kVaryingDigits, "/", name));
  artifact->set_state(ml_metadata::Artifact::LIVE);
  SetString(artifact->mutable_custom_properties(), "display_name", name);
  (*artifact->mutable_custom_properties())["accuracy"].set_double_value(0.96875);
  pair->mutable_event()->set_type(event_type);
  pair->mutable_event()->mutable_path()->add_steps()->set_key(name);
}

// The twelve digits of the n-th request, in no order, as the uuids in KFP's uris are.
void WriteDigits(uint64_t n, char* digits) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio: a bijection that scatters
  uint64_t mixed = (n * kOdd) >> 16;
  for (size_t i = 0; i < sizeof(kVaryingDigits) - 1; ++i, mixed >>= 4) {
    digits[i] = "0123456789abcdef"[mixed & 15];
  }
}

}  // namespace

absl::StatusOr<KfpRun> SetUpKfpRun(LoadClient& client) {
  KfpRun run;
  ml_metadata::PutArtifactTypeRequest artifact_type;
  artifact_type.mutable_artifact_type()->set_name("system.Dataset");
  const auto artifact_reply =
      Ask<ml_metadata::PutArtifactTypeResponse>(client, "PutArtifactType", artifact_type);
  if (!artifact_reply.ok()) return artifact_reply.status();
  run.artifact_type_id = artifact_reply->type_id();
  ml_metadata::PutExecutionTypeRequest execution_type;
  execution_type.mutable_execution_type()->set_name("system.ContainerExecution");
  const auto execution_reply =
      Ask<ml_metadata::PutExecutionTypeResponse>(client, "PutExecutionType", execution_type);
  if (!execution_reply.ok()) return execution_reply.status();
  run.execution_type_id = execution_reply->type_id();
  absl::StatusOr<ml_metadata::Context> pipeline =
      PutContext(client, "system.Pipeline", "iris-training");
  if (!pipeline.ok()) return pipeline.status();
  run.pipeline_context = *std::move(pipeline);
  absl::StatusOr<ml_metadata::Context> run_context =
      PutContext(client, "system.PipelineRun", "5e0bd5ea-1795-4113-b759-0ea2c1e0f0a1");
  if (!run_context.ok()) return run_context.status();
  run.run_context = *std::move(run_context);
  return run;
}

ml_metadata::Artifact KfpArtifact(int64_t type_id, const std::string& uri) {
  ml_metadata::Artifact artifact;
  artifact.set_type_id(type_id);
  artifact.set_uri(uri);
  artifact.set_state(ml_metadata::Artifact::LIVE);
  auto* properties = artifact.mutable_custom_properties();
  SetString(properties, "display_name", "model");
  SetString(properties, "framework", "scikit-learn");
  SetString(properties, "store_session_info", kStoreSession);
  (*properties)["accuracy"].set_double_value(0.96875);
  (*properties)["rows"].set_double_value(150);
  return artifact;
}

ml_metadata::Execution KfpExecution(int64_t type_id) {
  ml_metadata::Execution execution;
  execution.set_type_id(type_id);
  execution.set_last_known_state(ml_metadata::Execution::COMPLETE);
  auto* properties = execution.mutable_custom_properties();
  SetString(properties, "display_name", "train-model");
  SetString(properties, "task_name", "train-model");
  SetString(properties, "pod_name", "iris-training-x7k2p-system-container-impl-1795411317");
  SetString(properties, "pod_uid", "5e0bd5ea-1795-4113-b759-0ea2c1e0f0a1");
  SetString(properties, "namespace", "kubeflow");
  SetString(properties, "cache_fingerprint",
            "9c1185a5c5e9fc54612808977ee8f548b2258d31a1b0e7a4ea5e4b0c8f7d9e12");
  (*properties)["parent_dag_id"].set_int_value(1);
  auto* inputs = (*properties)["inputs"].mutable_struct_value()->mutable_fields();
  (*inputs)["epochs"].set_number_value(10);
  (*inputs)["learning_rate"].set_number_value(0.1);
  return execution;
}

std::string PutExecutionTemplate(const KfpRun& run) {
  ml_metadata::PutExecutionRequest request;
  ml_metadata::Execution* execution = request.mutable_execution();
  execution->set_type_id(run.execution_type_id);
  execution->set_last_known_state(ml_metadata::Execution::COMPLETE);
  SetString(execution->mutable_custom_properties(), "display_name", "train-model");
  SetString(execution->mutable_custom_properties(), "task_name", "train-model");
  (*execution->mutable_custom_properties())["parent_dag_id"].set_int_value(1);
  AddOutput(&request, run, "dataset", ml_metadata::Event::INPUT);
  AddOutput(&request, run, "model", ml_metadata::Event::OUTPUT);
  AddOutput(&request, run, "metrics", ml_metadata::Event::OUTPUT);
  *request.add_contexts() = run.pipeline_context;
  *request.add_contexts() = run.run_context;
  return request.SerializeAsString();
}

std::string PutArtifactsTemplate(const KfpRun& run, int count) {
  ml_metadata::PutArtifactsRequest request;
  for (int i = 0; i < count; ++i) {
    *request.add_artifacts() = KfpArtifact(
        run.artifact_type_id,
        absl::StrCat("minio://mlpipeline/v2/artifacts/iris-training/", kVaryingDigits, "/", i));
  }
  return request.SerializeAsString();
}

PatchedRequest::PatchedRequest(std::string request_template)
    : template_(std::move(request_template)) {
  for (size_t at = template_.find(kVaryingDigits); at != std::string::npos;
       at = template_.find(kVaryingDigits, at + 1)) {
    patches_.push_back(at);
  }
}

grpc::ByteBuffer PatchedRequest::Next() {
  char digits[sizeof(kVaryingDigits) - 1];
  WriteDigits(++made_, digits);
  for (const size_t at : patches_) template_.replace(at, sizeof(digits), digits, sizeof(digits));
  return ByteBufferOf(template_);
}

RequestPool::RequestPool(const std::vector<std::string>& requests) {
  for (const std::string& request : requests) requests_.push_back(ByteBufferOf(request));
}

grpc::ByteBuffer RequestPool::Next() {
  next_ = next_ + 1 == requests_.size() ? 0 : next_ + 1;
  return requests_[next_];
}

std::vector<std::string> GetArtifactsByIdRequests(size_t count, size_t ids_per_request,
                                                  int64_t max_id, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int64_t> id(1, max_id);
  std::vector<std::string> requests;
  for (size_t i = 0; i < count; ++i) {
    ml_metadata::GetArtifactsByIDRequest request;
    for (size_t j = 0; j < ids_per_request; ++j) request.add_artifact_ids(id(random));
    requests.push_back(request.SerializeAsString());
  }
  return requests;
}

std::string GetContextRequest(const KfpRun& run) {
  ml_metadata::GetContextByTypeAndNameRequest request;
  request.set_type_name("system.PipelineRun");
  request.set_context_name(run.run_context.name());
  return request.SerializeAsString();
}

}  // namespace pedigree::bench
