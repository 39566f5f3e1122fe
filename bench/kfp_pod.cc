#include "bench/kfp_pod.h"

#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pedigree::bench {
namespace {

constexpr char kMetadataStore[] = "/ml_metadata.MetadataStoreService/";
constexpr absl::StatusCode kNone = absl::StatusCode::kOk;

int64_t SecondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// What KFP compares before it uses an artifact again.
bool IsEqualToImport(const mlmd::Artifact& found, const mlmd::Artifact& wanted) {
  if (found.type_id() != wanted.type_id() || found.state() != wanted.state() ||
      found.uri() != wanted.uri() ||
      found.custom_properties_size() != wanted.custom_properties_size()) {
    return false;
  }
  for (const auto& [name, value] : wanted.custom_properties()) {
    const auto property = found.custom_properties().find(name);
    if (property == found.custom_properties().end() ||
        property->second.string_value() != value.string_value()) {
      return false;
    }
  }
  return true;
}

// The state that a DAG of `total` tasks has come to; nullopt while it runs.
std::optional<mlmd::Execution::State> StateOfDag(const std::vector<mlmd::Execution>& tasks,
                                                 int64_t total) {
  int64_t completed = 0;
  int64_t failed = 0;
  for (const mlmd::Execution& task : tasks) {
    switch (task.last_known_state()) {
      case mlmd::Execution::COMPLETE:
      case mlmd::Execution::CACHED:
      case mlmd::Execution::CANCELED:
        ++completed;
        break;
      case mlmd::Execution::FAILED:
        ++failed;
        break;
      default:
        break;
    }
  }
  if (completed == total) return mlmd::Execution::COMPLETE;
  if (failed > 0) return mlmd::Execution::FAILED;
  return std::nullopt;
}

}  // namespace

Pod::Pod(PlayedRun& run, PodKind kind) : run_(run), kind_(kind), number_(run.pods++) {
  ++run.tally.pods[static_cast<size_t>(kind)];
}

template <class Reply, class Request>
Coroutine<absl::StatusOr<Reply>> Pod::Try(absl::string_view method, const Request& request,
                                          absl::StatusCode borne) {
  const std::string bytes = request.SerializeAsString();
  const CallLoop::Answer answer = co_await run_.Call(number_, kind_, kMetadataStore, method, bytes);
  if (!answer.status.ok()) {
    if (answer.status.code() != borne) co_await GiveUp(run_.activity, answer.status);
    co_return answer.status;
  }
  Reply reply;
  if (!reply.ParseFromString(answer.reply)) {
    co_await GiveUp(run_.activity,
                    absl::DataLossError(absl::StrCat(method, ": the answer does not parse")));
  }
  co_return reply;
}

template <class Reply, class Request>
Coroutine<Reply> Pod::Ask(absl::string_view method, const Request& request) {
  absl::StatusOr<Reply> reply = co_await Try<Reply>(method, request, kNone);
  co_return *std::move(reply);
}

Coroutine<int64_t> Pod::GetOrPutContextType(const std::string& type) {
  known_context_types_.insert(type);
  mlmd::GetContextTypeRequest get;
  get.set_type_name(type);
  const absl::StatusOr<mlmd::GetContextTypeResponse> known =
      co_await Try<mlmd::GetContextTypeResponse>("GetContextType", get,
                                                 absl::StatusCode::kNotFound);
  if (known.ok()) co_return known->context_type().id();
  mlmd::PutContextTypeRequest put;
  put.mutable_context_type()->set_name(type);
  const absl::StatusOr<mlmd::PutContextTypeResponse> created =
      co_await Try<mlmd::PutContextTypeResponse>("PutContextType", put,
                                                 absl::StatusCode::kAlreadyExists);
  if (created.ok()) co_return created->type_id();
  const mlmd::GetContextTypeResponse again =
      co_await Ask<mlmd::GetContextTypeResponse>("GetContextType", get);
  co_return again.context_type().id();
}

Coroutine<mlmd::Context> Pod::FindContext(const std::string& type, const std::string& name) {
  mlmd::GetContextByTypeAndNameRequest get;
  get.set_type_name(type);
  get.set_context_name(name);
  mlmd::GetContextByTypeAndNameResponse found =
      co_await Ask<mlmd::GetContextByTypeAndNameResponse>("GetContextByTypeAndName", get);
  co_return std::move(*found.mutable_context());
}

Coroutine<mlmd::Context> Pod::GetOrPutContext(const std::string& type, const std::string& name,
                                              const mlmd::Context& template_context) {
  mlmd::Context found = co_await FindContext(type, name);
  if (found.has_id()) co_return found;
  const int64_t type_id = co_await GetOrPutContextType(type);
  mlmd::PutContextsRequest put;
  mlmd::Context* context = put.add_contexts();
  *context = template_context;
  context->set_name(name);
  context->set_type_id(type_id);
  // Another pod may have been faster.
  (void)co_await Try<mlmd::PutContextsResponse>("PutContexts", put,
                                                absl::StatusCode::kAlreadyExists);
  found = co_await FindContext(type, name);
  if (!found.has_id()) {
    co_await GiveUp(run_.activity,
                    absl::InternalError(absl::StrCat("the context ", name, " is not there")));
  }
  co_return found;
}

Coroutine<void> Pod::GetPipeline() {
  const mlmd::Context no_properties;
  const mlmd::Context of_run = RunContext(run_.identity);
  mlmd::Context pipeline =
      co_await GetOrPutContext(kPipelineType, run_.identity.pipeline, no_properties);
  mlmd::Context run_context = co_await GetOrPutContext(kRunType, run_.identity.run_id, of_run);
  mlmd::GetParentContextsByContextRequest get;
  get.set_context_id(run_context.id());
  const mlmd::GetParentContextsByContextResponse parents =
      co_await Ask<mlmd::GetParentContextsByContextResponse>("GetParentContextsByContext", get);
  if (parents.contexts_size() == 0) {
    mlmd::PutParentContextsRequest put;
    put.add_parent_contexts()->set_child_id(run_context.id());
    put.mutable_parent_contexts(0)->set_parent_id(pipeline.id());
    (void)co_await Try<mlmd::PutParentContextsResponse>("PutParentContexts", put,
                                                        absl::StatusCode::kAlreadyExists);
  } else if (parents.contexts_size() != 1 || parents.contexts(0).id() != pipeline.id()) {
    co_await GiveUp(run_.activity, absl::InternalError("the run has another parent context"));
  }
  contexts_.clear();
  contexts_.push_back(std::move(pipeline));
  contexts_.push_back(std::move(run_context));
}

Coroutine<void> Pod::KnowContextTypes() {
  for (const char* type : {kPipelineType, kRunType}) {
    const std::string name = type;
    if (known_context_types_.count(name) == 0) (void)co_await GetOrPutContextType(name);
  }
}

Coroutine<std::vector<mlmd::Context>> Pod::GetContextsOf(int64_t execution) {
  mlmd::GetContextsByExecutionRequest get;
  get.set_execution_id(execution);
  const mlmd::GetContextsByExecutionResponse reply =
      co_await Ask<mlmd::GetContextsByExecutionResponse>("GetContextsByExecution", get);
  if (reply.contexts_size() != 2) {
    co_await GiveUp(run_.activity, absl::InternalError(absl::StrCat(
                                       "execution ", execution, " is in ", reply.contexts_size(),
                                       " contexts, not in those of its run and its pipeline")));
  }
  std::vector<mlmd::Context> contexts(reply.contexts().begin(), reply.contexts().end());
  if (contexts[0].type() == kRunType) std::swap(contexts[0], contexts[1]);
  co_return contexts;
}

Coroutine<ReadExecution> Pod::GetExecution(int64_t id) {
  mlmd::GetExecutionsByIDRequest get;
  get.add_execution_ids(id);
  const mlmd::GetExecutionsByIDResponse reply =
      co_await Ask<mlmd::GetExecutionsByIDResponse>("GetExecutionsByID", get);
  if (reply.executions_size() != 1) {
    co_await GiveUp(run_.activity, absl::InternalError(absl::StrCat("there is no execution ", id)));
  }
  co_await KnowContextTypes();
  ReadExecution read{.execution = reply.executions(0), .contexts = {}};
  read.contexts = co_await GetContextsOf(id);
  if (contexts_.empty()) contexts_ = read.contexts;
  co_return read;
}

Coroutine<absl::StatusOr<mlmd::Execution>> Pod::CreateExecution(
    const std::string& type, const mlmd::Execution& execution,
    const std::vector<NamedArtifact>& inputs) {
  mlmd::PutExecutionTypeRequest put_type;
  put_type.mutable_execution_type()->set_name(type);
  const mlmd::PutExecutionTypeResponse type_reply =
      co_await Ask<mlmd::PutExecutionTypeResponse>("PutExecutionType", put_type);
  mlmd::PutExecutionRequest put;
  *put.mutable_execution() = execution;
  put.mutable_execution()->set_type_id(type_reply.type_id());
  for (const NamedArtifact& input : inputs) {
    AddEvent(mlmd::Event::INPUT, input.name, input.artifact, &put);
  }
  for (const mlmd::Context& context : contexts_) *put.add_contexts() = context;
  const absl::StatusOr<mlmd::PutExecutionResponse> created =
      co_await Try<mlmd::PutExecutionResponse>("PutExecution", put,
                                               absl::StatusCode::kAlreadyExists);
  if (!created.ok()) co_return created.status();
  mlmd::GetExecutionsByIDRequest get;
  get.add_execution_ids(created->execution_id());
  const mlmd::GetExecutionsByIDResponse read =
      co_await Ask<mlmd::GetExecutionsByIDResponse>("GetExecutionsByID", get);
  if (read.executions_size() != 1) {
    co_await GiveUp(run_.activity, absl::InternalError("a new execution is not there"));
  }
  co_return read.executions(0);
}

Coroutine<mlmd::Execution> Pod::GetExecutionByName(const std::string& type,
                                                   const std::string& name) {
  mlmd::GetExecutionByTypeAndNameRequest get;
  get.set_type_name(type);
  get.set_execution_name(name);
  mlmd::GetExecutionByTypeAndNameResponse reply =
      co_await Ask<mlmd::GetExecutionByTypeAndNameResponse>("GetExecutionByTypeAndName", get);
  if (!reply.has_execution()) {
    co_await GiveUp(run_.activity,
                    absl::InternalError(absl::StrCat("there is no execution ", name)));
  }
  co_await KnowContextTypes();
  contexts_ = co_await GetContextsOf(reply.execution().id());
  co_return std::move(*reply.mutable_execution());
}

Coroutine<void> Pod::PutExecution(const mlmd::PutExecutionRequest& request) {
  (void)co_await Ask<mlmd::PutExecutionResponse>("PutExecution", request);
}

Coroutine<std::vector<NamedArtifact>> Pod::GetArtifactsOf(int64_t execution) {
  mlmd::GetEventsByExecutionIDsRequest get_events;
  get_events.add_execution_ids(execution);
  const mlmd::GetEventsByExecutionIDsResponse events =
      co_await Ask<mlmd::GetEventsByExecutionIDsResponse>("GetEventsByExecutionIDs", get_events);
  std::vector<NamedArtifact> named;
  mlmd::GetArtifactsByIDRequest get;
  for (const mlmd::Event& event : events.events()) {
    get.add_artifact_ids(event.artifact_id());
    named.push_back({event.path().steps_size() == 0 ? "" : event.path().steps(0).key(),
                     event.artifact_id(), event.type()});
  }
  // Without an id, too.
  const mlmd::GetArtifactsByIDResponse artifacts =
      co_await Ask<mlmd::GetArtifactsByIDResponse>("GetArtifactsByID", get);
  if (artifacts.artifacts_size() > events.events_size() ||
      (artifacts.artifacts_size() == 0 && events.events_size() > 0)) {
    co_await GiveUp(run_.activity, absl::InternalError("an event's artifact is not there"));
  }
  co_return named;
}

Coroutine<int64_t> Pod::RecordArtifact(const std::string& type, const mlmd::Artifact& artifact) {
  mlmd::PutArtifactTypeRequest put_type;
  put_type.mutable_artifact_type()->set_name(type);
  const mlmd::PutArtifactTypeResponse type_reply =
      co_await Ask<mlmd::PutArtifactTypeResponse>("PutArtifactType", put_type);
  mlmd::PutArtifactsRequest put;
  *put.add_artifacts() = artifact;
  put.mutable_artifacts(0)->set_type_id(type_reply.type_id());
  const mlmd::PutArtifactsResponse created =
      co_await Ask<mlmd::PutArtifactsResponse>("PutArtifacts", put);
  if (created.artifact_ids_size() != 1) {
    co_await GiveUp(run_.activity, absl::InternalError("PutArtifacts: not one id"));
  }
  mlmd::GetArtifactsByIDRequest get;
  get.add_artifact_ids(created.artifact_ids(0));
  const mlmd::GetArtifactsByIDResponse read =
      co_await Ask<mlmd::GetArtifactsByIDResponse>("GetArtifactsByID", get);
  if (read.artifacts_size() != 1) {
    co_await GiveUp(run_.activity, absl::InternalError("a new artifact is not there"));
  }
  co_return created.artifact_ids(0);
}

Coroutine<int64_t> Pod::GetOrPutArtifactType(const std::string& type) {
  mlmd::GetArtifactTypeRequest get;
  get.set_type_name(type);
  const absl::StatusOr<mlmd::GetArtifactTypeResponse> known =
      co_await Try<mlmd::GetArtifactTypeResponse>("GetArtifactType", get,
                                                  absl::StatusCode::kNotFound);
  if (known.ok()) co_return known->artifact_type().id();
  mlmd::PutArtifactTypeRequest put;
  put.mutable_artifact_type()->set_name(type);
  const mlmd::PutArtifactTypeResponse created =
      co_await Ask<mlmd::PutArtifactTypeResponse>("PutArtifactType", put);
  co_return created.type_id();
}

Coroutine<int64_t> Pod::FindEqualArtifact(const mlmd::Artifact& artifact) {
  mlmd::GetArtifactsByURIRequest by_uri;
  by_uri.add_uris(artifact.uri());
  const mlmd::GetArtifactsByURIResponse candidates =
      co_await Ask<mlmd::GetArtifactsByURIResponse>("GetArtifactsByURI", by_uri);
  for (const mlmd::Artifact& candidate : candidates.artifacts()) {
    if (!IsEqualToImport(candidate, artifact)) continue;
    mlmd::GetContextsByArtifactRequest by_artifact;
    by_artifact.set_artifact_id(candidate.id());
    const mlmd::GetContextsByArtifactResponse contexts =
        co_await Ask<mlmd::GetContextsByArtifactResponse>("GetContextsByArtifact", by_artifact);
    for (const mlmd::Context& context : contexts.contexts()) {
      if (context.id() == contexts_[0].id()) co_return candidate.id();
    }
  }
  co_return 0;
}

Coroutine<std::vector<mlmd::Execution>> Pod::ListDag(int64_t dag) {
  mlmd::GetExecutionsByContextRequest list;
  list.set_context_id(contexts_[1].id());
  list.mutable_options()->set_filter_query(
      absl::StrCat("custom_properties.parent_dag_id.int_value = ", dag));
  list.mutable_options()->set_next_page_token("");
  std::vector<mlmd::Execution> executions;
  while (true) {
    const mlmd::GetExecutionsByContextResponse page =
        co_await Ask<mlmd::GetExecutionsByContextResponse>("GetExecutionsByContext", list);
    executions.insert(executions.end(), page.executions().begin(), page.executions().end());
    if (page.next_page_token().empty()) co_return executions;
    list.mutable_options()->set_next_page_token(page.next_page_token());
  }
}

Coroutine<void> Pod::UpdateDagStates(ReadExecution dag) {
  while (true) {
    const auto tasks = IntProperty(dag.execution, "total_dag_tasks");
    if (!tasks) co_return;  // The root: only KFP's own server knows when it ends.
    const int64_t id = dag.execution.id();
    const int64_t total = IntProperty(dag.execution, "iteration_count").value_or(*tasks);
    const std::vector<mlmd::Execution> children = co_await ListDag(id);
    const auto state = StateOfDag(children, total);
    if (!state) co_return;
    ReadExecution read = co_await GetExecution(id);
    mlmd::PutExecutionRequest put;
    *put.mutable_execution() = std::move(read.execution);
    put.mutable_execution()->set_last_known_state(*state);
    co_await PutExecution(put);
    const int64_t parent = IntProperty(dag.execution, "parent_dag_id").value_or(0);
    dag = co_await GetExecution(parent);
  }
}

KfpCacheKey Pod::CacheKey(const std::string& fingerprint) const {
  return {fingerprint, run_.identity.pipeline, run_.identity.name_space};
}

Coroutine<std::string> Pod::AskTaskService(absl::string_view method, const std::string& request) {
  CallLoop::Answer answer = co_await run_.Call(number_, kind_, kTaskServicePrefix, method, request);
  // KFP fails the task on any error of its cache.
  if (!answer.status.ok()) co_await GiveUp(run_.activity, answer.status);
  co_return std::move(answer.reply);
}

Coroutine<int64_t> Pod::FindCached(const std::string& fingerprint) {
  if (run_.local_cache != nullptr) co_return run_.FindInLocalCache(fingerprint);
  const std::string request = ListTasksRequest(CacheKey(fingerprint));
  const std::string reply = co_await AskTaskService("ListTasksV1", request);
  const absl::StatusOr<int64_t> execution = CachedExecution(reply);
  if (!execution.ok()) co_await GiveUp(run_.activity, execution.status());
  co_return *execution;
}

Coroutine<void> Pod::PutIntoCache(const std::string& fingerprint, int64_t execution) {
  if (run_.local_cache != nullptr) {
    run_.PutIntoLocalCache(fingerprint, execution);
    co_return;
  }
  const int64_t now_s = SecondsNow();
  const std::string request =
      CreateTaskRequest(CacheKey(fingerprint), run_.identity.run_id, execution, now_s, now_s);
  (void)co_await AskTaskService("CreateTaskV1", request);
}

}  // namespace pedigree::bench
