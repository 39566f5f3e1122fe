#include "bench/cache_data.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/interrupt.h"
#include "bench/kfp_messages.h"
#include "pedigree/v1/cache.pb.h"
#include "store/store.h"

namespace pedigree::bench {
namespace {

constexpr int64_t kPerWrite = 2'000;
constexpr int64_t kPerRun = 100;  // Executions in a run's context, with one artifact for all.
constexpr int64_t kPerLine = 1'000'000;  // Executions between two lines of progress.
constexpr char kPipelineName[] = "bench-cache";
constexpr char kNamespace[] = "kubeflow";
// Holds what fingerprints, which come in no order, write to all over.
constexpr size_t kFillCacheBytes = size_t{2} << 30;
constexpr size_t kFillBufferBytes = size_t{256} << 20;

std::string NthFingerprint(int64_t number) { return FingerprintOf(absl::StrCat("step ", number)); }

// What the executions refer to.
struct Frame {
  int64_t artifact_type = 0;
  int64_t execution_type = 0;
  int64_t run_type = 0;
  int64_t pipeline = 0;
  int64_t run = 0;       // The newest run's context,
  int64_t artifact = 0;  // and its artifact.
};

template <class Node>
absl::Status PutType(Transaction& transaction, const char* name, int64_t* id) {
  typename TraitsOf<Node>::Type type;
  type.set_name(name);
  const auto put = transaction.PutType<Node>(&type);
  if (put.ok()) *id = *put;
  return put.status();
}

template <class Node>
absl::Status Insert(Transaction& transaction, Node node, std::vector<int64_t> contexts,
                    int64_t* id) {
  const auto inserted = transaction.Insert(&node, contexts);
  if (inserted.ok()) *id = *inserted;
  return inserted.status();
}

absl::Status PutFrame(Transaction& transaction, Frame* frame) {
  int64_t pipeline_type = 0;
  absl::Status status =
      PutType<mlmd::Artifact>(transaction, "system.Dataset", &frame->artifact_type);
  if (status.ok()) {
    status = PutType<mlmd::Execution>(transaction, kContainerType, &frame->execution_type);
  }
  if (status.ok()) status = PutType<mlmd::Context>(transaction, kPipelineType, &pipeline_type);
  if (status.ok()) status = PutType<mlmd::Context>(transaction, kRunType, &frame->run_type);
  if (!status.ok()) return status;
  mlmd::Context pipeline;
  pipeline.set_type_id(pipeline_type);
  pipeline.set_name(kPipelineName);
  return Insert(transaction, pipeline, {}, &frame->pipeline);
}

absl::Status PutRun(Transaction& transaction, int64_t number, Frame* frame) {
  mlmd::Context run;
  run.set_type_id(frame->run_type);
  run.set_name(absl::StrCat("run-", number));
  (*run.mutable_custom_properties())["namespace"].set_string_value(kNamespace);
  absl::Status status = Insert(transaction, run, {frame->pipeline}, &frame->run);
  if (!status.ok()) return status;
  mlmd::Artifact artifact;
  artifact.set_type_id(frame->artifact_type);
  artifact.set_uri(absl::StrCat("minio://mlpipeline/v2/artifacts/bench-cache/", number, "/data"));
  artifact.set_state(mlmd::Artifact::LIVE);
  return Insert(transaction, artifact, {frame->pipeline, frame->run}, &frame->artifact);
}

absl::Status PutStep(Transaction& transaction, int64_t number, Frame* frame) {
  if (number % kPerRun == 0) {
    if (absl::Status status = PutRun(transaction, number / kPerRun, frame); !status.ok()) {
      return status;
    }
  }
  mlmd::Execution execution;
  execution.set_type_id(frame->execution_type);
  execution.set_last_known_state(mlmd::Execution::COMPLETE);
  auto& properties = *execution.mutable_custom_properties();
  properties["cache_fingerprint"].set_string_value(NthFingerprint(number));
  mlmd::Event event;
  int64_t id = 0;
  absl::Status status = Insert(transaction, execution, {frame->pipeline, frame->run}, &id);
  if (!status.ok()) return status;
  event.set_execution_id(id);
  event.set_artifact_id(frame->artifact);
  event.set_type(mlmd::Event::OUTPUT);
  event.mutable_path()->add_steps()->set_key("data");
  return transaction.AddEvents({&event}, [](const mlmd::Event&) { return absl::OkStatus(); });
}

absl::Status Fill(int64_t fingerprints, Store& store) {
  Frame frame;
  absl::Status status =
      store.Write([&](Transaction& transaction) { return PutFrame(transaction, &frame); });
  for (int64_t number = 0; number < fingerprints && status.ok();) {
    if (Interrupted()) return InterruptedStatus();
    if (number > 0 && number % kPerLine == 0) {
      std::cerr << "pedigree_bench: " << number << " fingerprints ..." << std::endl;
    }
    const int64_t end = std::min(number + kPerWrite, fingerprints);
    status = store.Write([&](Transaction& transaction) {
      absl::Status put;
      while (number < end && put.ok()) put = PutStep(transaction, number++, &frame);
      return put;
    });
  }
  return status;
}

// Says that the store of this name has been filled and closed.
std::string MarkOf(const std::string& data_dir) { return data_dir + ".filled"; }

absl::Status SetMark(const std::string& data_dir) {
  std::ofstream mark(MarkOf(data_dir));
  mark << "\n";
  mark.close();
  if (mark) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write ", MarkOf(data_dir)));
}

}  // namespace

absl::StatusOr<std::string> FilledCacheStore(const CacheStoreOptions& options) {
  const std::string data_dir =
      absl::StrCat(options.directory, "/cache-", options.fingerprints, ".data");
  std::error_code error;
  if (std::filesystem::exists(MarkOf(data_dir), error)) return data_dir;
  std::filesystem::remove_all(data_dir, error);  // Of a benchmark that did not finish it.
  StoreOptions store_options;
  store_options.data_dir = data_dir;
  store_options.sync = Sync::kNever;
  store_options.block_cache_bytes = kFillCacheBytes;
  store_options.write_buffer_bytes = kFillBufferBytes;
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(store_options);
  if (!store.ok()) return store.status();
  if (absl::Status filled = Fill(options.fingerprints, **store); !filled.ok()) return filled;
  store->reset();  // Into table files.
  if (absl::Status marked = SetMark(data_dir); !marked.ok()) return marked;
  return data_dir;
}

std::string CacheLookupRequest(int64_t number) {
  v1::LookupRequest request;
  v1::CacheKey* key = request.mutable_key();
  key->set_fingerprint(NthFingerprint(number));
  key->set_namespace_(kNamespace);
  key->set_pipeline(kPipelineName);
  key->set_scope(v1::PIPELINE);
  request.mutable_condition()->set_require_live_outputs(true);
  return request.SerializeAsString();
}

}  // namespace pedigree::bench
