#include "bench/store_fixture.h"

#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace pedigree::bench {
namespace {

constexpr int64_t kArtifactsPerWrite = 1000;

std::string TemporaryDirectory() {
  const char* from_environment = std::getenv("TMPDIR");
  return from_environment == nullptr ? "/tmp" : from_environment;
}

absl::StatusOr<ml_metadata::Context> PutContext(Transaction& transaction, const char* type_name,
                                                const char* name) {
  ml_metadata::ContextType type;
  type.set_name(type_name);
  const auto type_id = transaction.PutType<ml_metadata::Context>(&type);
  if (!type_id.ok()) return type_id.status();
  ml_metadata::Context context;
  context.set_type_id(*type_id);
  context.set_name(name);
  const auto id = transaction.Insert(&context, {});
  if (!id.ok()) return id.status();
  return context;
}

absl::StatusOr<KfpRun> PutKfpRun(Transaction& transaction) {
  KfpRun run;
  ml_metadata::ArtifactType artifact_type;
  artifact_type.set_name("system.Dataset");
  const auto artifact_type_id = transaction.PutType<ml_metadata::Artifact>(&artifact_type);
  if (!artifact_type_id.ok()) return artifact_type_id.status();
  run.artifact_type_id = *artifact_type_id;
  ml_metadata::ExecutionType execution_type;
  execution_type.set_name("system.ContainerExecution");
  const auto execution_type_id = transaction.PutType<ml_metadata::Execution>(&execution_type);
  if (!execution_type_id.ok()) return execution_type_id.status();
  run.execution_type_id = *execution_type_id;
  auto pipeline = PutContext(transaction, "system.Pipeline", "iris-training");
  if (!pipeline.ok()) return pipeline.status();
  run.pipeline_context = *std::move(pipeline);
  auto context =
      PutContext(transaction, "system.PipelineRun", "5e0bd5ea-1795-4113-b759-0ea2c1e0f0a1");
  if (!context.ok()) return context.status();
  run.run_context = *std::move(context);
  return run;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreFixture>> StoreFixture::Create(int64_t artifacts) {
  std::unique_ptr<StoreFixture> fixture(new StoreFixture);
  auto directory = ScratchDirectory::Create(TemporaryDirectory());
  if (!directory.ok()) return directory.status();
  fixture->directory_ = *std::move(directory);
  absl::Status status = fixture->Open();
  if (status.ok()) status = fixture->PutTypesAndContexts();
  if (status.ok()) status = fixture->PutArtifacts(artifacts);
  if (status.ok() && artifacts > 0) status = fixture->Open();
  if (!status.ok()) return status;
  return fixture;
}

absl::Status StoreFixture::Open() {
  store_.reset();  // closes, and so flushes
  StoreOptions options;
  options.data_dir = directory_->path() + "/data";
  options.sync = Sync::kNever;
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(std::move(options));
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  return absl::OkStatus();
}

absl::Status StoreFixture::PutTypesAndContexts() {
  return store_->Write([this](Transaction& transaction) {
    absl::StatusOr<KfpRun> run = PutKfpRun(transaction);
    if (run.ok()) run_ = *std::move(run);
    return run.status();
  });
}

absl::Status StoreFixture::PutArtifacts(int64_t count) {
  while (artifacts_ < count) {
    absl::Status status = store_->Write([this](Transaction& transaction) {
      for (int64_t i = 0; i < kArtifactsPerWrite; ++i) {
        ml_metadata::Artifact artifact =
            KfpArtifact(run_.artifact_type_id,
                        absl::StrCat("minio://mlpipeline/v2/artifacts/iris/", artifacts_ + i));
        const auto id = transaction.Insert(&artifact, {run_.run_context.id()});
        if (!id.ok()) return id.status();
      }
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    artifacts_ += kArtifactsPerWrite;
  }
  return absl::OkStatus();
}

}  // namespace pedigree::bench
