#include "server/admin_handlers.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pedigree {
namespace {

// For how long a message's check keeps a worker.
constexpr std::chrono::milliseconds kCheckSlice{50};
// Between two looks at a backup: soon at first, since a small one is done at once.
constexpr std::chrono::milliseconds kFirstPause{10};
constexpr std::chrono::milliseconds kLongestPause{500};
// Between two looks at the clock, and at whether the client still waits.
constexpr int64_t kKeysPerStep = 4096;

using Counts = absl::flat_hash_map<int64_t, int64_t>;

template <class Node>
void AddTypes(const Catalog& catalog, const Counts& counts,
              google::protobuf::RepeatedPtrField<v1::TypeStatistics>* types) {
  for (const auto& [id, type] : catalog.Of<Node>().all()) {
    v1::TypeStatistics* row = types->Add();
    row->set_type_id(id);
    row->set_name(type->name());
    row->set_version(type->version());
    const auto count = counts.find(id);
    row->set_nodes(count == counts.end() ? 0 : count->second);
  }
}

int64_t Signed(uint64_t number) { return static_cast<int64_t>(number); }

StreamPart ToPart(const google::protobuf::Message& message, bool is_last) {
  return {message.SerializeAsString(),
          is_last ? StreamPart::Place::kLast : StreamPart::Place::kWithin};
}

}  // namespace

absl::Status GetStatistics(Admin& admin, const Reader& reader, const v1::GetStatisticsRequest&,
                           Answer* answer) {
  // The first count reads much, and numbers of the engine may wait: not on a transport's thread.
  if (absl::Status status = reader.Spend(kCacheOnlyVisits + 1); !status.ok()) return status;
  auto counts = admin.CountByType(reader);
  if (!counts.ok()) return counts.status();
  v1::GetStatisticsResponse response;
  AddTypes<ml_metadata::Artifact>(reader.catalog(), *counts, response.mutable_artifact_types());
  AddTypes<ml_metadata::Execution>(reader.catalog(), *counts, response.mutable_execution_types());
  AddTypes<ml_metadata::Context>(reader.catalog(), *counts, response.mutable_context_types());
  response.set_events(reader.version().counters.last_event_number);
  const StoreStatistics store = admin.StoreNumbers();
  response.set_disk_bytes(Signed(store.engine.table_file_bytes + store.engine.log_file_bytes));
  response.set_graph_bytes(Signed(store.graph_bytes));
  response.set_block_cache_bytes(Signed(store.engine.block_cache_bytes));
  response.set_record_cache_bytes(Signed(store.records.bytes));
  response.set_version(admin.options().version);
  response.set_uptime_ms(admin.uptime_ms());
  response.set_last_write_ms(reader.version().counters.last_time_ms);
  answer->AddFields(response);
  return absl::OkStatus();
}

absl::StatusOr<StreamPart> VerifyStoreAnswer::Next(const Reader& reader,
                                                   const v1::VerifyStoreRequest&) {
  if (!pass_.has_value()) {
    auto check = admin_->BeginCheck(CheckOf::kStore);
    if (!check.ok()) return check.status();
    check_ = *std::move(check);
    pass_.emplace(reader);
    keys_in_all_ = Signed(admin_->StoreNumbers().engine.estimated_keys);
  }
  const auto end = std::chrono::steady_clock::now() + kCheckSlice;
  bool is_done = false;
  while (!is_done && std::chrono::steady_clock::now() < end) {
    if (absl::Status status = reader.Spend(kKeysPerStep); !status.ok()) return status;
    auto step = pass_->Step(kKeysPerStep);
    if (!step.ok()) return step.status();
    is_done = *step;
  }
  const VerifyReport& report = pass_->report();
  v1::VerifyStoreResponse response;
  response.set_keys(pass_->keys());
  response.set_keys_in_all(keys_in_all_);
  response.set_done(is_done);
  response.set_artifacts(report.nodes[IndexOf(NodeKind::kArtifact)]);
  response.set_executions(report.nodes[IndexOf(NodeKind::kExecution)]);
  response.set_contexts(report.nodes[IndexOf(NodeKind::kContext)]);
  response.set_events(report.events);
  if (is_done) {
    for (const std::string& problem : report.problems) response.add_problems(problem);
    response.set_more_problems(report.problem_count - Signed(report.problems.size()));
  }
  return ToPart(response, is_done);
}

BackupAnswer::~BackupAnswer() {
  if (run_ != nullptr) run_->Cancel();
}

absl::StatusOr<StreamPart> BackupAnswer::Next(const Reader&, const v1::BackupRequest& request) {
  if (run_ == nullptr) {
    auto run = admin_->StartBackup(request);
    if (!run.ok()) return run.status();
    run_ = *std::move(run);
    pause_ = kFirstPause;
    next_look_ = std::chrono::steady_clock::now() + pause_;
  }
  const BackupRun::State state = run_->Now();
  v1::BackupResponse response;
  if (!state.result.has_value()) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_look_) {
      StreamPart part;
      part.place = StreamPart::Place::kNothingYet;
      part.wait_until = next_look_;
      return part;
    }
    pause_ = std::min(pause_ * 2, kLongestPause);
    next_look_ = now + pause_;
    const CopyProgress& progress = state.progress;
    if (progress.phase == CopyProgress::Phase::kCopying) {
      response.set_bytes_copied(Signed(progress.bytes));
      response.set_bytes_to_copy(Signed(progress.bytes_in_all));
    } else {
      response.set_bytes_read_back(Signed(progress.bytes));
      response.set_bytes(Signed(progress.bytes_in_all));
    }
    return ToPart(response, /*is_last=*/false);
  }
  if (!state.result->ok()) return state.result->status();
  const Backup& backup = **state.result;
  response.set_done(true);
  response.set_backup_id(backup.id);
  response.set_bytes(Signed(backup.bytes));
  response.set_bytes_copied(Signed(backup.new_bytes));
  response.set_bytes_read_back(Signed(backup.bytes));
  return ToPart(response, /*is_last=*/true);
}

}  // namespace pedigree
