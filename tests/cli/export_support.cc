#include "tests/cli/export_support.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "api/task.pb.h"
#include "server/methods.h"
#include "tests/store/random_message.h"

namespace pedigree::cli {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

absl::Status StoreSource::Export(const v1::ExportRequest& request,
                                 absl::FunctionRef<bool(v1::ExportResponseBytes& part)> visit) {
  const auto call = FindStreamMethod(kAuditServiceName, "Export")->make();
  absl::Status status = call->Parse(request.SerializeAsString());
  if (!status.ok()) return status;
  auto version = call->ChooseVersion(store_);
  if (!version.ok()) return version.status();
  for (int i = 0;; ++i) {
    if (i == most_parts) return absl::UnavailableError("broken off");
    absl::StatusOr<StreamPart> part;
    status = store_.Read(*version, Blocking::kAllowed, [&](const Reader& reader) {
      part = call->Next(reader);
      return part.status();
    });
    if (!status.ok()) return status;
    v1::ExportResponseBytes message;
    if (!message.ParseFromString(part->message)) return absl::InternalError("no message");
    if (!visit(message) || part->place == StreamPart::Place::kLast) return absl::OkStatus();
    if (after_part) after_part();
  }
}

v1::ExportResponse ExportAll(const Store& store, const v1::ExportRequest& request) {
  v1::ExportResponse all;
  StoreSource source(&store);
  const absl::Status status = source.Export(request, [&](v1::ExportResponseBytes& part) {
    v1::ExportResponse message;
    EXPECT_TRUE(message.ParseFromString(part.SerializeAsString()));
    all.MergeFrom(message);
    return true;
  });
  EXPECT_TRUE(IsOk(status));
  return all;
}

ExportRunOptions JsonlOptions(const std::string& to) {
  ExportRunOptions options;
  options.format = FindExportFormat("jsonl");
  options.to = to;
  options.program_version = "test";
  return options;
}

absl::Status ExportTo(ExportSource* source, const ExportRunOptions& options) {
  return ExportRun(source, options).Run().status();
}

std::map<std::string, std::string> FilesOf(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    files[entry.path().filename().string()] = ReadFile(entry.path().string());
  }
  return files;
}

void FillForParts(TestStore& store, int executions) {
  const int64_t artifact_type = PutType<Artifact>(store, "Model");
  const int64_t execution_type = PutType<Execution>(store, "Train");
  const int64_t context_type = PutType<Context>(store, "Run");
  ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) -> absl::Status {
    auto context = NewNode<Context>(context_type, "run");
    auto context_id = transaction.Insert(&context, {});
    if (!context_id.ok()) return context_id.status();
    for (int i = 0; i < executions; ++i) {
      auto artifact = NewNode<Artifact>(artifact_type, absl::StrCat("model-", i));
      artifact.set_uri(absl::StrCat("s3://bucket/models/", i));
      (*artifact.mutable_custom_properties())["notes"].set_string_value(std::string(200, 'n'));
      auto artifact_id = transaction.Insert(&artifact, {*context_id});
      if (!artifact_id.ok()) return artifact_id.status();
      auto execution = NewNode<Execution>(execution_type);
      (*execution.mutable_custom_properties())["step"].set_int_value(i);
      auto execution_id = transaction.Insert(&execution, {*context_id});
      if (!execution_id.ok()) return execution_id.status();
      Event event;
      event.set_artifact_id(*artifact_id);
      event.set_execution_id(*execution_id);
      event.set_type(Event::OUTPUT);
      event.mutable_path()->add_steps()->set_key("model");
      absl::Status status = AddEvents(transaction, {&event});
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  })));
}

void FillWithTasksAndCache(Random& random, TestStore& store) {
  const int64_t type = PutType<Execution>(store, "Cached");
  const int64_t artifact_type = PutType<Artifact>(store, "Odd");
  for (int i = 0; i < 20; ++i) {
    auto execution = NewNode<Execution>(type);
    (*execution.mutable_custom_properties())["cache_fingerprint"].set_string_value(
        absl::StrCat("f", random.Between(0, 5)));
    (*execution.mutable_custom_properties())["namespace"].set_string_value("team");
    execution.set_last_known_state(random.OneIn(3) ? Execution::RUNNING : Execution::COMPLETE);
    ASSERT_TRUE(IsOk(Insert(store, execution)));
    // A value of every kind.
    auto artifact = NewNode<Artifact>(artifact_type);
    for (const char* name : {"a", "b", "c"}) {
      (*artifact.mutable_custom_properties())[name] = RandomMessage<ml_metadata::Value>(random);
    }
    ASSERT_TRUE(IsOk(Insert(store, artifact)));
    ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
      api::Task task;
      task.set_fingerprint(absl::StrCat("f", i));
      task.set_pipelinename("p \"q\"");
      task.set_mlmdexecutionid(absl::StrCat(i + 1));
      task.mutable_created_at()->set_seconds(i);
      return transaction.InsertTask(&task).status();
    })));
  }
}

}  // namespace pedigree::cli
