#include "server/admin.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/backup_directory.h"
#include "store/keys.h"
#include "store/text.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;

template <class Node>
absl::Status Count(const Reader& reader, int64_t from,
                   absl::flat_hash_map<int64_t, int64_t>* by_type) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  for (const auto& [id, type] : reader.catalog().Of<Node>().all()) {
    int64_t& count = (*by_type)[id];
    absl::Status status =
        reader.VisitBlocks(TypeMembersPrefix(kKind, id), from, Direction::kAscending,
                           [&](int64_t block, const IdSet& set) {
                             if (IdOf(block, 0) >= from) {
                               count += set.Size();
                             } else {
                               VisitIds(set, block, from, Direction::kAscending, [&](int64_t) {
                                 ++count;
                                 return true;
                               });
                             }
                             return true;
                           });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

int64_t NowInSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

BackupRun::State BackupRun::Now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

bool BackupRun::Report(const CopyProgress& progress) {
  std::lock_guard<std::mutex> lock(mutex_);
  state_.progress = progress;
  return !is_cancelled_;
}

void BackupRun::Finish(absl::StatusOr<Backup> result) {
  std::lock_guard<std::mutex> lock(mutex_);
  state_.result = std::move(result);
}

Admin::Admin(Store* store, AdminOptions options)
    : store_(store), options_(std::move(options)), start_(std::chrono::steady_clock::now()) {}

Admin::~Admin() {
  if (run_ != nullptr) run_->Cancel();
  if (thread_.joinable()) thread_.join();
}

int64_t Admin::uptime_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start_)
      .count();
}

BackupNumbers Admin::Backups() const {
  std::lock_guard<std::mutex> lock(backup_mutex_);
  return numbers_;
}

absl::StatusOr<absl::flat_hash_map<int64_t, int64_t>> Admin::CountByType(const Reader& reader) {
  std::lock_guard<std::mutex> lock(counts_mutex_);
  auto by_type = by_type_;
  // A reader that is older than what has been counted finds nothing more.
  absl::Status status =
      Count<ml_metadata::Artifact>(reader, counted_to_[IndexOf(NodeKind::kArtifact)] + 1, &by_type);
  status.Update(Count<ml_metadata::Execution>(
      reader, counted_to_[IndexOf(NodeKind::kExecution)] + 1, &by_type));
  status.Update(
      Count<ml_metadata::Context>(reader, counted_to_[IndexOf(NodeKind::kContext)] + 1, &by_type));
  if (!status.ok()) return status;
  if (reader.catalog().IsBeingImported()) return by_type;
  by_type_ = by_type;
  for (NodeKind kind : kNodeKinds) {
    counted_to_[IndexOf(kind)] =
        std::max(counted_to_[IndexOf(kind)], reader.version().last_id(kind));
  }
  return by_type;
}

absl::StatusOr<std::shared_ptr<void>> Admin::BeginCheck(CheckOf what) {
  std::lock_guard<std::mutex> lock(checks_mutex_);
  std::weak_ptr<void>& running = checks_[static_cast<size_t>(what)];
  if (!running.expired()) {
    return absl::AlreadyExistsError(absl::StrCat("another check of the ",
                                                 what == CheckOf::kStore ? "store" : "journal",
                                                 " is under way: try again when it is done"));
  }
  const auto check = std::make_shared<char>();
  running = check;
  return check;
}

absl::StatusOr<std::string> Admin::AllowedDirectory(const std::string& directory) const {
  if (options_.backup_root.empty()) {
    return absl::PermissionDeniedError(
        "this server makes no backups: start pedigreed with --backup_root=DIR to allow them in "
        "that directory");
  }
  const fs::path path = directory;
  const bool climbs = std::find(path.begin(), path.end(), fs::path("..")) != path.end();
  if (!path.is_absolute() || climbs) {
    return absl::InvalidArgumentError(
        absl::StrCat("directory ", Quoted(directory),
                     " must be an absolute path on the server's machine, without '..'"));
  }
  // Once resolved, a link that is put in its place later leads nowhere else.
  const std::string resolved = Resolved(directory);
  if (IsInside(resolved, options_.backup_root)) return resolved;
  return absl::PermissionDeniedError(absl::StrCat("directory ", Quoted(directory), " is not in ",
                                                  Quoted(options_.backup_root),
                                                  ", the --backup_root of this server"));
}

absl::StatusOr<std::shared_ptr<BackupRun>> Admin::StartBackup(const v1::BackupRequest& request) {
  if (request.keep() < 0 || request.max_bytes_per_second() < 0) {
    return absl::InvalidArgumentError("keep and max_bytes_per_second must not be negative");
  }
  auto directory = AllowedDirectory(request.directory());
  if (!directory.ok()) return directory.status();
  BackupOptions options;
  options.directory = *std::move(directory);
  options.keep = static_cast<uint32_t>(request.keep());
  if (request.max_bytes_per_second() > 0) {
    options.max_bytes_per_second = static_cast<uint64_t>(request.max_bytes_per_second());
  }
  std::lock_guard<std::mutex> lock(backup_mutex_);
  if (numbers_.is_under_way) {
    return absl::AlreadyExistsError("another backup is being made: try again when it is done");
  }
  if (thread_.joinable()) thread_.join();  // It has nothing left to do.
  numbers_.is_under_way = true;
  run_ = std::make_shared<BackupRun>();
  options.report = [run = run_.get()](const CopyProgress& progress) {
    return run->Report(progress);
  };
  thread_ = std::thread([this, options, run = run_] { Run(options, run.get()); });
  return run_;
}

void Admin::Run(const BackupOptions& options, BackupRun* run) {
  const auto begin = std::chrono::steady_clock::now();
  auto backup = store_->BackUp(options);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  {
    std::lock_guard<std::mutex> lock(backup_mutex_);
    numbers_.is_under_way = false;
    if (backup.ok()) {
      ++numbers_.succeeded;
      numbers_.last_end_s = NowInSeconds();
      numbers_.last_seconds = took.count();
      numbers_.last_bytes = backup->bytes;
      numbers_.last_new_bytes = backup->new_bytes;
    } else {
      ++numbers_.failed;
    }
  }
  run->Finish(std::move(backup));
}

}  // namespace pedigree
