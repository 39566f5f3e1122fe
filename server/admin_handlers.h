// The calls of pedigree.v1.AdminService. VerifyStore and Backup are streams, and their state is
// here; as trace_answer.h.
//
//   BackupAnswer answer;
//   answer.SetAdmin(&admin);
//   auto part = answer.Next(reader, request);
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pedigree/v1/admin.pb.h"
#include "server/admin.h"
#include "server/answer.h"
#include "server/methods.h"
#include "store/reader.h"
#include "store/verify.h"

namespace pedigree {

// On a thread that may wait. Errors as Reader.
absl::Status GetStatistics(Admin& admin, const Reader& reader,
                           const v1::GetStatisticsRequest& request, Answer* answer);

class VerifyStoreAnswer {
 public:
  void SetAdmin(Admin* admin) { admin_ = admin; }
  // Checks for a moment: others wait for the thread too. Errors: AlreadyExists while another check
  // is under way; else only where the store cannot be read.
  absl::StatusOr<StreamPart> Next(const Reader& reader, const v1::VerifyStoreRequest& request);

 private:
  Admin* admin_ = nullptr;
  std::shared_ptr<void> check_;
  std::optional<VerifyPass> pass_;
  int64_t keys_in_all_ = 0;
};

class BackupAnswer {
 public:
  // A stream that ends early ends its backup.
  ~BackupAnswer();

  void SetAdmin(Admin* admin) { admin_ = admin; }
  // Begins the backup when it is called first; afterwards tells how far it is, now and then, and
  // that it is done soon after it is. Errors as admin.proto says.
  absl::StatusOr<StreamPart> Next(const Reader& reader, const v1::BackupRequest& request);

 private:
  Admin* admin_ = nullptr;
  std::shared_ptr<BackupRun> run_;
  std::chrono::milliseconds pause_{0};  // Between two looks; grows.
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace pedigree
