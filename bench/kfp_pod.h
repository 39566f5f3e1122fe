// A process of KFP as its metadata store sees it: the operations of KFP's metadata client
// (backend/src/v2/metadata/client.go), each with the calls that it makes, and the cache of context
// types that every process starts without.
//
// An operation that fails gives the run up; what KFP's client bears is not a failure.
//
// Threading: one thread. Every operation is awaited at once: arguments are borrowed meanwhile.
//
//   Pod pod(run, PodKind::kContainerDriver);
//   co_await pod.GetPipeline();
//   ReadExecution parent = co_await pod.GetExecution(parent_dag);
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bench/coroutine.h"
#include "bench/kfp_messages.h"
#include "bench/kfp_run.h"
#include "bench/kfp_task_service.h"

namespace pedigree::bench {

// An execution with the contexts of its pipeline and of its run.
struct ReadExecution {
  mlmd::Execution execution;
  std::vector<mlmd::Context> contexts;
};

// An artifact of an execution, and the name of its event.
struct NamedArtifact {
  std::string name;
  int64_t artifact = 0;
  mlmd::Event::Type event_type = mlmd::Event::UNKNOWN;
};

class Pod {
 public:
  Pod(PlayedRun& run, PodKind kind);

  PlayedRun& run() { return run_; }
  // Of the pipeline, then of the run; known after GetPipeline or GetExecution.
  const std::vector<mlmd::Context>& contexts() const { return contexts_; }

  // Finds the contexts of pipeline and run, or creates what is not there.
  Coroutine<void> GetPipeline();

  // An execution and its contexts.
  Coroutine<ReadExecution> GetExecution(int64_t id);
  Coroutine<std::vector<mlmd::Context>> GetContextsOf(int64_t execution);

  // Creates `execution`, with an event for every input, and reads it again. AlreadyExists if its
  // name is taken.
  Coroutine<absl::StatusOr<mlmd::Execution>> CreateExecution(
      const std::string& type, const mlmd::Execution& execution,
      const std::vector<NamedArtifact>& inputs);
  Coroutine<mlmd::Execution> GetExecutionByName(const std::string& type, const std::string& name);
  Coroutine<void> PutExecution(const mlmd::PutExecutionRequest& request);

  // The events of an execution and its artifacts, which KFP reads together.
  Coroutine<std::vector<NamedArtifact>> GetArtifactsOf(int64_t execution);
  // Records an artifact that has been written; its id.
  Coroutine<int64_t> RecordArtifact(const std::string& type, const mlmd::Artifact& artifact);
  Coroutine<int64_t> GetOrPutArtifactType(const std::string& type);
  // An artifact of this pipeline that equals `artifact` in all that KFP compares; 0 if there is
  // none.
  Coroutine<int64_t> FindEqualArtifact(const mlmd::Artifact& artifact);

  // The executions of a DAG, page by page.
  Coroutine<std::vector<mlmd::Execution>> ListDag(int64_t dag);
  // Sets the state of `dag` and of the DAGs above it, as far as their tasks have ended.
  Coroutine<void> UpdateDagStates(ReadExecution dag);

  // The cached execution of a fingerprint; 0 if there is none.
  Coroutine<int64_t> FindCached(const std::string& fingerprint);
  Coroutine<void> PutIntoCache(const std::string& fingerprint, int64_t execution);

 private:
  // Calls an RPC of MLMD. `borne` are the codes that KFP's client bears, beside OK; any other gives
  // the run up, and so does an answer that is none.
  template <class Reply, class Request>
  Coroutine<absl::StatusOr<Reply>> Try(absl::string_view method, const Request& request,
                                       absl::StatusCode borne);
  template <class Reply, class Request>
  Coroutine<Reply> Ask(absl::string_view method, const Request& request);

  Coroutine<std::string> AskTaskService(absl::string_view method, const std::string& request);
  Coroutine<mlmd::Context> GetOrPutContext(const std::string& type, const std::string& name,
                                           const mlmd::Context& template_context);
  Coroutine<mlmd::Context> FindContext(const std::string& type, const std::string& name);
  Coroutine<int64_t> GetOrPutContextType(const std::string& type);
  // Reads the types that this process does not know yet.
  Coroutine<void> KnowContextTypes();
  KfpCacheKey CacheKey(const std::string& fingerprint) const;

  PlayedRun& run_;
  const PodKind kind_;
  const int number_;
  std::vector<mlmd::Context> contexts_;
  std::set<std::string> known_context_types_;
};

}  // namespace pedigree::bench
