#include "server/audit_verify.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/keys.h"

namespace pedigree {
namespace {

// What is looked through for one message.
constexpr size_t kChainBytes = size_t{8} << 20;
constexpr int64_t kStates = 4000;
// Problems that are told; beyond that they are counted.
constexpr int64_t kMostProblems = 1000;

absl::string_view NameOfKind(ChangedKind kind) {
  switch (kind) {
    case ChangedKind::kArtifactType:
      return "artifact type";
    case ChangedKind::kExecutionType:
      return "execution type";
    case ChangedKind::kContextType:
      return "context type";
    case ChangedKind::kArtifact:
      return "artifact";
    case ChangedKind::kExecution:
      return "execution";
    default:
      return "context";
  }
}

// The place of a kind whose newest state is compared; nullopt for the others.
std::optional<size_t> PlaceOf(ChangedKind kind) {
  if (kind < ChangedKind::kArtifactType || kind > ChangedKind::kContext) return std::nullopt;
  return static_cast<size_t>(kind) - static_cast<size_t>(ChangedKind::kArtifactType);
}

// The message of a type or a node, as it is stored now.
absl::StatusOr<std::optional<std::string>> FindMessage(const Reader& reader, ChangedKind kind,
                                                       int64_t id) {
  for (const NodeKind node : kNodeKinds) {
    if (kind == ChangedType(node)) {
      return reader.view().Get(TypeKey{node, id}.Encode(), Blocking::kAllowed);
    }
    if (kind != ChangedNode(node)) continue;
    auto record = reader.FindRecord(node, id);
    if (!record.ok()) return record.status();
    if (!record->has_value()) return std::nullopt;
    return std::optional<std::string>(std::string((*record)->message()));
  }
  return std::nullopt;
}

}  // namespace

void VerifyJournalAnswer::AddProblem(std::string text) {
  if (++problem_count_ <= kMostProblems) problems_.push_back(std::move(text));
}

absl::Status VerifyJournalAnswer::Begin(const Reader& reader,
                                        const v1::VerifyJournalRequest& request) {
  const JournalHead& head = reader.version().journal;
  first_ = std::max<int64_t>(request.first_sequence(), 1);
  if (request.first_sequence() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("first_sequence is ", request.first_sequence(), "; entries begin at 1"));
  }
  if (request.first_sequence() > head.sequence) {
    return absl::NotFoundError(absl::StrCat("there is no entry ", request.first_sequence(),
                                            ": the journal ends with entry ", head.sequence));
  }
  auto check = admin_->BeginCheck(CheckOf::kJournal);
  if (!check.ok()) return check.status();
  check_ = *std::move(check);
  // With the one before, which tells whether the first one fits.
  next_ = std::max<int64_t>(first_ - 1, 1);
  chain_ = JournalChain::From(next_);
  for (const NodeKind kind : kNodeKinds) {
    const auto types = static_cast<size_t>(reader.version().counters.last_type_id) + 1;
    const auto nodes = static_cast<size_t>(reader.version().last_id(kind)) + 1;
    met_[*PlaceOf(ChangedType(kind))].resize(types);
    met_[*PlaceOf(ChangedNode(kind))].resize(nodes);
  }
  phase_ = Phase::kChain;
  return absl::OkStatus();
}

absl::Status VerifyJournalAnswer::CheckChain(const Reader& reader) {
  const auto problem = [this](std::string text) { AddProblem(std::move(text)); };
  size_t bytes = 0;
  bool is_at_end = true;
  absl::Status status = reader.VisitJournalChunks(next_, Direction::kAscending,
                                                  [&](int64_t first, absl::string_view chunk) {
                                                    if (bytes >= kChainBytes) {
                                                      next_ = first;
                                                      is_at_end = false;
                                                      return false;
                                                    }
                                                    bytes += chunk.size();
                                                    chain_.AddChunk(first, chunk, problem);
                                                    return true;
                                                  });
  if (!status.ok() || !is_at_end) return status;
  chain_.End(reader.version().journal, problem);
  next_ = reader.version().journal.sequence;
  phase_ = Phase::kStates;
  return absl::OkStatus();
}

absl::Status VerifyJournalAnswer::CheckState(const Reader& reader, const JournalEntry& entry,
                                             const JournalChange& change) {
  const std::optional<size_t> place = PlaceOf(change.kind);
  if (!place.has_value()) return absl::OkStatus();
  std::vector<bool>& met = met_[*place];
  const auto id = static_cast<size_t>(change.id);
  if (change.id < 1 || id >= met.size()) {
    AddProblem(absl::StrCat("entry ", entry.sequence, ": ", NameOfKind(change.kind), " ", change.id,
                            " has never been"));
    return absl::OkStatus();
  }
  if (met[id]) return absl::OkStatus();
  met[id] = true;
  auto message = FindMessage(reader, change.kind, change.id);
  if (absl::IsDataLoss(message.status())) {
    AddProblem(absl::StrCat(NameOfKind(change.kind), " ", change.id, ": it does not decode"));
    return absl::OkStatus();
  }
  if (!message.ok()) return message.status();
  const bool fits = message->has_value() ? ToView(Sha256(**message)) == change.digest_after
                                         : change.action == ChangeAction::kDeleted;
  if (fits) return absl::OkStatus();
  AddProblem(absl::StrCat(NameOfKind(change.kind), " ", change.id, ": ",
                          message->has_value() ? "it is not what" : "it is missing, and not as",
                          " entry ", entry.sequence, " has left it"));
  return absl::OkStatus();
}

absl::Status VerifyJournalAnswer::CheckStates(const Reader& reader) {
  int64_t looked_at = 0;
  bool is_done = true;
  absl::Status inner;
  const auto check = [&](const JournalEntry& entry) {
    entry.VisitChanges([&](const JournalChange& change) {
      ++looked_at;
      inner = CheckState(reader, entry, change);
      return inner.ok();
    });
  };
  absl::Status status = reader.VisitJournalChunks(
      next_, Direction::kDescending, [&](int64_t first, absl::string_view chunk) {
        if (looked_at >= kStates) {
          next_ = first;
          is_done = false;
          return false;
        }
        std::vector<JournalEntry> entries;
        // What does not decode, the chain has told of.
        VisitJournalChunk(first, chunk, [&](int64_t sequence, absl::string_view bytes) {
          JournalEntry entry;
          if (JournalEntry::Decode(sequence, bytes, &entry)) entries.push_back(entry);
          return true;
        });
        for (auto entry = entries.rbegin(); entry != entries.rend() && inner.ok(); ++entry) {
          if (entry->sequence < first_ || IsJournalGap(entry->method)) return false;
          check(*entry);
        }
        return inner.ok();
      });
  if (status.ok()) status = inner;
  if (status.ok() && is_done) phase_ = Phase::kDone;
  return status;
}

absl::StatusOr<StreamPart> VerifyJournalAnswer::Next(const Reader& reader,
                                                     const v1::VerifyJournalRequest& request) {
  absl::Status status;
  if (phase_ == Phase::kStart) status = Begin(reader, request);
  if (status.ok()) status = phase_ == Phase::kChain ? CheckChain(reader) : CheckStates(reader);
  if (!status.ok()) return status;
  v1::VerifyJournalResponse response;
  response.set_last_sequence(chain_.sequence());
  response.set_last_hash(std::string(ToView(chain_.hash())));
  StreamPart part;
  if (phase_ == Phase::kDone) {
    if (problem_count_ > kMostProblems) {
      problems_.push_back(absl::StrCat("and ", problem_count_ - kMostProblems, " more"));
    }
    response.set_done(true);
    part.place = StreamPart::Place::kLast;
  }
  for (std::string& problem : problems_) response.add_problems(std::move(problem));
  problems_.clear();
  part.message = response.SerializeAsString();
  return part;
}

}  // namespace pedigree
