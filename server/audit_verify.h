// The messages of pedigree.v1.AuditService.VerifyJournal.
//
// First the chain, forwards; then the newest change of every node and type, backwards, against what
// the store has: a bit for each id that has been handed out says which have been met, so memory is
// bounded by 1/8 byte for each. Where the journal was off, nothing older can be held against the
// store, so the comparison ends there. Threads: one at a time.
//
//   VerifyJournalAnswer answer;
//   auto part = answer.Next(reader, request);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pedigree/v1/audit.pb.h"
#include "server/admin.h"
#include "server/methods.h"
#include "store/journal.h"
#include "store/reader.h"

namespace pedigree {

class VerifyJournalAnswer {
 public:
  void SetAdmin(Admin* admin) { admin_ = admin; }
  // Errors: InvalidArgument, NotFound if there is no first entry; AlreadyExists while another check
  // of the journal is under way; as Reader.
  absl::StatusOr<StreamPart> Next(const Reader& reader, const v1::VerifyJournalRequest& request);

 private:
  enum class Phase : uint8_t { kStart, kChain, kStates, kDone };

  absl::Status Begin(const Reader& reader, const v1::VerifyJournalRequest& request);
  absl::Status CheckChain(const Reader& reader);
  absl::Status CheckStates(const Reader& reader);
  absl::Status CheckState(const Reader& reader, const JournalEntry& entry,
                          const JournalChange& change);
  void AddProblem(std::string text);

  Admin* admin_ = nullptr;
  std::shared_ptr<void> check_;
  Phase phase_ = Phase::kStart;
  int64_t first_ = 1;
  JournalChain chain_;
  int64_t next_ = 0;                   // The entry to go on with, either way.
  std::vector<bool> met_[6];           // By kind, from types of artifacts to contexts; by id.
  std::vector<std::string> problems_;  // Since the last message.
  int64_t problem_count_ = 0;
};

}  // namespace pedigree
