#include "cli/export/jsonl_import.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "api/task.pb.h"
#include "cli/export/export_files.h"
#include "cli/export/export_manifest.h"
#include "cli/export/jsonl_check.h"
#include "cli/export/jsonl_reader.h"
#include "store/bulk_loader.h"
#include "store/durable_file.h"
#include "store/task.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

constexpr char kFileName[] = "export.jsonl";
// Records between two calls of `progress`.
constexpr int64_t kProgressRecords = 8192;

std::string FileOf(const std::string& from) {
  std::error_code error;
  return std::filesystem::is_directory(from, error) ? absl::StrCat(from, "/", kFileName) : from;
}

struct CheckedFile {
  std::string sha256;
  std::map<std::string, int64_t> counts;
};

// Reads all of the file.
absl::StatusOr<CheckedFile> CheckFile(const std::string& path) {
  auto reader = JsonlReader::Open(path);
  if (!reader.ok()) return reader.status();
  JsonlCheck check((*reader)->header());
  absl::Status status = check.CheckHeader((*reader)->selection());
  while (status.ok()) {
    const auto record = (*reader)->Next();
    if (!record.ok()) return record.status();
    if (*record == nullptr) break;
    status = check.Add(**record);
  }
  if (status.ok()) status = check.End();
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat((*reader)->Place(), ": ", status.message()));
  }
  return CheckedFile{(*reader)->Sha256(), check.counts()};
}

// Compares with what the manifest says of the file, if there is one.
absl::Status CheckManifest(const std::string& from, const std::string& sha256) {
  const ExportPlace place = ExportPlace::Of(from);
  const std::string path = place.Path(place.Beside(kManifestName));
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno == ENOENT ? absl::OkStatus() : FileError(errno, "read", path);
  const auto manifest = ReadManifest(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!manifest.ok()) return manifest.status();
  const bool is_listed =
      std::any_of(manifest->files.begin(), manifest->files.end(),
                  [&](const ExportedFile& listed) { return listed.sha256 == sha256; });
  if (is_listed) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(Quoted(FileOf(from)), " has another digest than ",
                                          Quoted(path), " says: it has been changed"));
}

class Loading {
 public:
  // `sha256`: of the file when it was checked.
  Loading(BulkLoader* loader, JsonlReader* reader, std::string sha256)
      : loader_(*loader), reader_(*reader), sha256_(std::move(sha256)) {}

  absl::Status Run(const std::function<absl::Status(int64_t)>& progress) {
    int64_t records = 0;
    while (true) {
      const auto record = reader_.Next();
      if (!record.ok()) return record.status();
      if (*record == nullptr) break;
      if (absl::Status status = Add(**record); !status.ok()) return status;
      if (++records % kProgressRecords != 0 || !progress) continue;
      if (absl::Status status = progress(records); !status.ok()) return status;
    }
    if (reader_.Sha256() != sha256_) {
      return absl::DataLossError(
          "the file has been changed while it was imported: import it again, into a new directory");
    }
    if (absl::Status status = PutTypes(); !status.ok()) return status;
    const v1::ExportHeader& header = reader_.header();
    return loader_.FinishCopy(
        {.last_node_id = {header.last_artifact_id(), header.last_execution_id(),
                          header.last_context_id()},
         .last_type_id = header.last_type_id(),
         .last_time_ms = header.last_time_ms(),
         .last_task = header.last_task_number(),
         .last_fencing_token = header.last_fencing_token()});
  }

 private:
  absl::Status Add(const v1::ExportRecord& record) {
    switch (record.record_case()) {
      case v1::ExportRecord::kArtifactType:
        return AddType<ml_metadata::Artifact>(record.artifact_type());
      case v1::ExportRecord::kExecutionType:
        return AddType<ml_metadata::Execution>(record.execution_type());
      case v1::ExportRecord::kContextType:
        return AddType<ml_metadata::Context>(record.context_type());
      case v1::ExportRecord::kContext:
        return AddNode(record.context().context(), record.context().parent_ids());
      case v1::ExportRecord::kArtifact:
        return AddNode(record.artifact().artifact(), record.artifact().context_ids());
      case v1::ExportRecord::kExecution:
        return AddNode(record.execution().execution(), record.execution().context_ids());
      case v1::ExportRecord::kEvent:
        return AddEvent(record.event());
      case v1::ExportRecord::kTask:
        return AddTask(record.task());
      case v1::ExportRecord::kCacheEntry:
        return AddCacheEntry(record.cache_entry());
      default:
        return absl::InvalidArgumentError("an export of records has no such record");
    }
  }

  template <class Node>
  absl::Status AddType(const typename TraitsOf<Node>::Type& type) {
    catalog_.Of<Node>().Put(std::make_shared<typename TraitsOf<Node>::Type>(type));
    return absl::OkStatus();
  }

  // Types come before everything else.
  absl::Status PutTypes() {
    if (has_types_) return absl::OkStatus();
    has_types_ = true;
    return loader_.is_complete()
               ? absl::OkStatus()
               : loader_.PutTypes(std::move(catalog_), reader_.header().last_type_id());
  }

  // What an import that was interrupted has brought is passed over.
  template <class Node>
  absl::Status AddNode(const Node& node, const google::protobuf::RepeatedField<int64_t>& contexts) {
    if (absl::Status status = PutTypes(); !status.ok()) return status;
    if (loader_.is_complete() || node.id() <= loader_.last_id(TraitsOf<Node>::kKind)) {
      return absl::OkStatus();
    }
    return loader_.PutNode(
        node, absl::MakeConstSpan(contexts.data(), static_cast<size_t>(contexts.size())));
  }

  absl::Status AddEvent(const v1::ExportedEvent& event) {
    if (loader_.is_complete() || event.number() <= loader_.last_source_event()) {
      return absl::OkStatus();
    }
    return loader_.AddEvent(event.event(), event.number());
  }

  absl::Status AddTask(const std::string& bytes) {
    if (absl::Status status = PutTypes(); !status.ok()) return status;
    if (loader_.is_complete()) return absl::OkStatus();
    const auto number = NumberOfTask(bytes);
    return number.ok() ? loader_.PutTask(*number, bytes) : number.status();
  }

  absl::Status AddCacheEntry(const v1::ExportedCacheEntry& entry) {
    if (loader_.is_complete()) return absl::OkStatus();
    return loader_.PutCacheEntry(entry.execution_id(), {.is_invalidated = entry.invalidated(),
                                                        .is_explicit = entry.is_explicit(),
                                                        .completed_ms = entry.completed_at_ms(),
                                                        .run_ms = entry.run_ms(),
                                                        .name_space = entry.namespace_(),
                                                        .pipeline = entry.pipeline()});
  }

  BulkLoader& loader_;
  JsonlReader& reader_;
  const std::string sha256_;
  Catalog catalog_;
  bool has_types_ = false;
};

BulkLoaderOptions LoaderOptions(const JsonlImportOptions& options, const v1::ExportHeader& header,
                                const std::string& sha256) {
  BulkLoaderOptions loader;
  loader.data_dir = options.data_dir;
  loader.source = absl::StrCat("jsonl ", sha256);
  loader.batch_bytes = options.batch_bytes;
  loader.write_buffer_bytes = options.write_buffer_bytes;
  for (const int kind : header.created_out_of_order()) {
    loader.created_out_of_order.push_back(static_cast<NodeKind>(kind));
  }
  for (const v1::PropertyIndex& index : header.property_indexes()) {
    PropertyIndex copied;
    copied.kind = static_cast<NodeKind>(index.kind());
    copied.is_custom = index.is_custom();
    copied.name = index.name();
    loader.property_indexes.push_back(std::move(copied));
  }
  return loader;
}

}  // namespace

absl::StatusOr<std::map<std::string, int64_t>> ImportJsonl(const JsonlImportOptions& options) {
  const std::string path = FileOf(options.from);
  auto checked = CheckFile(path);
  if (!checked.ok()) return checked.status();
  absl::Status status = CheckManifest(options.from, checked->sha256);
  if (!status.ok()) return status;
  auto reader = JsonlReader::Open(path);
  if (!reader.ok()) return reader.status();
  auto loader = BulkLoader::Open(LoaderOptions(options, (*reader)->header(), checked->sha256));
  if (!loader.ok()) return loader.status();
  status = Loading(loader->get(), reader->get(), checked->sha256).Run(options.progress);
  if (!status.ok()) return status;
  return checked->counts;
}

}  // namespace pedigree::cli
