// pedigree_export_bench: an export in jsonl, beside protobuf's own JSON printer.
//
//   pedigree_export_bench --executions=1000000
//
// Makes a store of so many executions, twice as many artifacts and five times as many events,
// exports it in this process and on one thread, and prints records per second of processor time: of
// the format with its digests, of what the server does for it, and of protobuf's printer for a part
// of the same records. Memory is the most of this process while it exports, and what it had with
// the store open before.
#include <gflags/gflags.h>
#include <google/protobuf/util/json_util.h>
#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/export/export_run.h"
#include "server/methods.h"
#include "store/bulk_loader.h"
#include "store/store.h"

DEFINE_int64(executions, 100'000, "executions of the store");
DEFINE_string(directory, "", "where to work; a new directory under /tmp if empty");

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

constexpr int64_t kArtifactType = 10;
constexpr int64_t kExecutionType = 11;
constexpr int64_t kContextType = 12;
constexpr int64_t kExecutionsPerRun = 10;
constexpr size_t kComparedRecords = 200'000;

// Ends the program: nobody waits for a benchmark that fails.
void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  std::exit(1);
}

double ThreadSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// What came before no longer counts for MostMegabytes(): the kernel's mark begins anew where this
// process is now.
void ForgetMostMegabytes() {
  malloc_trim(0);
  std::ofstream file("/proc/self/clear_refs");
  file << 5;
  file.close();
  if (!file) Check(absl::UnknownError("cannot write /proc/self/clear_refs"));
}

// Of memory at once, since ForgetMostMegabytes().
double MostMegabytes() {
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line)) {
    absl::string_view rest = line;
    int64_t kilobytes = 0;
    if (absl::ConsumePrefix(&rest, "VmHWM:") && absl::ConsumeSuffix(&rest, "kB") &&
        absl::SimpleAtoi(rest, &kilobytes)) {
      return static_cast<double>(kilobytes) / 1024;
    }
  }
  Check(absl::UnknownError("/proc/self/status has no VmHWM"));
  return 0;
}

template <class Node>
void SetTimes(int64_t ms, Node* node) {
  node->set_create_time_since_epoch(ms);
  node->set_last_update_time_since_epoch(ms);
}

template <class Type>
std::shared_ptr<const Type> NewType(int64_t id, const char* name) {
  auto type = std::make_shared<Type>();
  type->set_id(id);
  type->set_name(name);
  return type;
}

void FillStore(const std::string& data_dir, int64_t executions) {
  BulkLoaderOptions options;
  options.data_dir = data_dir;
  options.source = "bench";
  auto loader = BulkLoader::Open(std::move(options));
  Check(loader.status());
  Catalog catalog;
  AddPredefinedTypes(&catalog);
  catalog.Of<Artifact>().Put(NewType<ml_metadata::ArtifactType>(kArtifactType, "Model"));
  catalog.Of<Execution>().Put(NewType<ml_metadata::ExecutionType>(kExecutionType, "Train"));
  catalog.Of<Context>().Put(NewType<ml_metadata::ContextType>(kContextType, "Run"));
  Check((*loader)->PutTypes(std::move(catalog), kContextType));
  constexpr int64_t kStartMs = 1'700'000'000'000;
  const int64_t runs = executions / kExecutionsPerRun + 1;
  for (int64_t id = 1; id <= runs; ++id) {
    Context context;
    context.set_id(id);
    context.set_type_id(kContextType);
    context.set_name(absl::StrCat("run-", id));
    SetTimes(kStartMs + id, &context);
    Check((*loader)->PutNode(context, {}));
  }
  for (int64_t id = 1; id <= 2 * executions; ++id) {
    Artifact artifact;
    artifact.set_id(id);
    artifact.set_type_id(kArtifactType);
    artifact.set_name(absl::StrCat("model-", id));
    artifact.set_uri(absl::StrCat("s3://bucket/pipeline/run/", id, "/model"));
    artifact.set_state(Artifact::LIVE);
    (*artifact.mutable_custom_properties())["accuracy"].set_double_value(
        0.5 + 1.0 / static_cast<double>(id));
    (*artifact.mutable_custom_properties())["display_name"].set_string_value("the model");
    (*artifact.mutable_custom_properties())["epochs"].set_int_value(id % 100);
    SetTimes(kStartMs + id, &artifact);
    Check((*loader)->PutNode(artifact, {(id - 1) / (2 * kExecutionsPerRun) + 1}));
  }
  for (int64_t id = 1; id <= executions; ++id) {
    Execution execution;
    execution.set_id(id);
    execution.set_type_id(kExecutionType);
    execution.set_last_known_state(Execution::COMPLETE);
    (*execution.mutable_custom_properties())["pod"].set_string_value(absl::StrCat("pod-", id));
    (*execution.mutable_custom_properties())["learning_rate"].set_double_value(0.001);
    SetTimes(kStartMs + id, &execution);
    Check((*loader)->PutNode(execution, {(id - 1) / kExecutionsPerRun + 1}));
  }
  int64_t number = 0;
  for (int64_t id = 1; id <= executions; ++id) {
    for (int64_t i = 0; i < 5; ++i) {
      Event event;
      event.set_execution_id(id);
      event.set_artifact_id(std::max<int64_t>(2 * id - i, 1));
      event.set_type(i < 2 ? Event::OUTPUT : Event::INPUT);
      event.set_milliseconds_since_epoch(kStartMs + id);
      event.mutable_path()->add_steps()->set_key(i < 2 ? "model" : "base");
      event.mutable_path()->add_steps()->set_index(i);
      Check((*loader)->AddEvent(event, ++number));
    }
  }
  Check((*loader)->Finish({2 * executions, executions, runs}));
}

// Times what is done for each side, on the thread of both.
class TimedSource final : public cli::ExportSource {
 public:
  explicit TimedSource(const Store& store) : store_(store) {}

  absl::Status Export(const v1::ExportRequest& request,
                      absl::FunctionRef<bool(v1::ExportResponseBytes& part)> visit) override {
    const auto call = FindStreamMethod(kAuditServiceName, "Export")->make();
    if (absl::Status status = call->Parse(request.SerializeAsString()); !status.ok()) return status;
    auto version = call->ChooseVersion(store_);
    if (!version.ok()) return version.status();
    while (true) {
      const double begin = ThreadSeconds();
      absl::StatusOr<StreamPart> part;
      absl::Status status = store_.Read(*version, Blocking::kAllowed, [&](const Reader& reader) {
        part = call->Next(reader);
        return part.status();
      });
      if (!status.ok()) return status;
      const double made = ThreadSeconds();
      server_seconds += made - begin;
      v1::ExportResponseBytes message;
      if (!message.ParseFromString(part->message)) return absl::InternalError("no message");
      const bool goes_on = visit(message);
      client_seconds += ThreadSeconds() - made;
      if (!goes_on || part->place == StreamPart::Place::kLast) return absl::OkStatus();
    }
  }

  double server_seconds = 0;
  double client_seconds = 0;

 private:
  const Store& store_;
};

// Records of all kinds alike, from a stream of their own: they are no part of an export's memory.
std::vector<std::string> SomeRecords(const Store& store) {
  std::vector<std::string> kept;
  TimedSource source(store);
  Check(source.Export({}, [&kept](v1::ExportResponseBytes& message) {
    for (int i = 0; i < message.records_size() && kept.size() < kComparedRecords; i += 16) {
      kept.push_back(message.records(i));
    }
    return kept.size() < kComparedRecords;
  }));
  return kept;
}

double ProtobufSeconds(const std::vector<std::string>& records) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  const double begin = ThreadSeconds();
  for (const std::string& bytes : records) {
    v1::ExportRecord record;
    std::string json;
    if (!record.ParseFromString(bytes) ||
        !google::protobuf::util::MessageToJsonString(record, &json, options).ok()) {
      Check(absl::InternalError("a record does not print"));
    }
  }
  return ThreadSeconds() - begin;
}

int Main() {
  const std::string directory = FLAGS_directory.empty()
                                    ? absl::StrCat("/tmp/pedigree_export_bench.", getpid())
                                    : FLAGS_directory;
  const std::string data_dir = directory + "/store";
  if (!fs::exists(data_dir + "/PEDIGREE")) FillStore(data_dir, FLAGS_executions);
  StoreOptions options;
  options.data_dir = data_dir;
  auto store = Store::Open(std::move(options));
  Check(store.status());
  ForgetMostMegabytes();
  const double open_megabytes = MostMegabytes();
  cli::ExportRunOptions run;
  run.format = cli::FindExportFormat("jsonl");
  run.to = directory + "/export";
  fs::remove_all(run.to);
  TimedSource source(**store);
  const auto facts = cli::ExportRun(&source, run).Run();
  Check(facts.status());
  const double export_megabytes = MostMegabytes();
  int64_t records = 0;
  for (const auto& [name, count] : facts->counts) records += count;
  const auto rate = [](int64_t count, double seconds) {
    return static_cast<double>(count) / seconds;
  };
  std::printf("%lld records, %lld events, %lld bytes\n", static_cast<long long>(records),
              static_cast<long long>(facts->counts.at("events")),
              static_cast<long long>(facts->files[0].size));
  std::printf("jsonl with digests    %9.0f records/s and core\n",
              rate(records, source.client_seconds));
  std::printf("the server's part     %9.0f records/s and core\n",
              rate(records, source.server_seconds));
  std::printf("both                  %9.0f records/s and core\n",
              rate(records, source.client_seconds + source.server_seconds));
  const std::vector<std::string> some = SomeRecords(**store);
  std::printf("protobuf's printer    %9.0f records/s and core\n",
              rate(static_cast<int64_t>(some.size()), ProtobufSeconds(some)));
  std::printf("memory: %.0f MiB with the store open, %.0f MiB at most while exporting\n",
              open_megabytes, export_megabytes);
  if (FLAGS_directory.empty()) fs::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace pedigree

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  return pedigree::Main();
}
