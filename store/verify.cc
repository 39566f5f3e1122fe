#include "store/verify.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "store/bulk_loader.h"
#include "store/codec.h"
#include "store/directory.h"
#include "store/id_set.h"
#include "store/verifier.h"

namespace pedigree {

absl::StatusOr<bool> Verifier::Step(int64_t keys) {
  if (keys_ == 0) {
    if (absl::Status status = CheckCounters(); !status.ok()) return status;
  }
  const int64_t end = keys_ + keys;
  bool is_stopped = false;
  absl::Status inner;
  absl::Status status =
      view_.ScanThrough({next_, ""}, [&](absl::string_view key, absl::string_view value) {
        if (keys_ == end) {
          next_ = std::string(key);
          is_stopped = true;
          return false;
        }
        ++keys_;
        inner = CheckKey(key, value);
        return inner.ok();
      });
  if (status.ok()) status = inner;
  if (!status.ok()) return status;
  if (is_stopped) return false;
  Finish();
  return true;
}

void Verifier::Finish() {
  EndJournal();
  if (events_by_artifact_ != report_.events) {
    Problem("events: ", report_.events, " by execution, ", events_by_artifact_, " by artifact");
  }
}

void Verifier::ForeignKey(absl::string_view key) {
  constexpr size_t kMostBytes = 64;
  Problem("key ", absl::BytesToHexString(key.substr(0, kMostBytes)),
          key.size() > kMostBytes ? "..." : "", ": no key of the format");
}

absl::Status Verifier::FindNode(NodeKind kind, int64_t id, Found* found) const {
  auto bytes = Get(NodeKey{kind, id}.Encode());
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return absl::OkStatus();
  found->bytes = *std::move(*bytes);
  found->view = RecordView::Parse(found->bytes);
  const auto peek = found->view.has_value() ? PeekNode(kind, found->view->message()) : std::nullopt;
  found->state = peek.has_value() ? Found::State::kWhole : Found::State::kDamaged;
  if (peek.has_value()) found->peek = *peek;
  return absl::OkStatus();
}

absl::Status Verifier::Expect(const std::string& key, std::optional<absl::string_view> value,
                              What what) {
  auto found = Get(key);
  if (!found.ok()) return found.status();
  if (!found->has_value()) {
    Problem(what(), ": missing");
  } else if (value.has_value() && **found != *value) {
    Problem(what(), ": wrong value");
  }
  return absl::OkStatus();
}

absl::Status Verifier::ExpectMember(const std::string& prefix, int64_t id, What what) {
  std::string key = prefix;
  AppendId(&key, BlockOf(id));
  auto found = Get(key);
  if (!found.ok()) return found.status();
  IdSet set;
  if (!found->has_value() || !IdSet::Decode(**found, &set) || !set.Contains(OffsetOf(id))) {
    Problem(what(), ": missing");
  }
  return absl::OkStatus();
}

absl::Status Verifier::CheckCounters() {
  auto bytes = Get(CountersKey().Encode());
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value() || !Counters::Decode(**bytes, &counters_)) {
    Problem("counters: do not decode");
  }
  auto format_bytes = Get(FormatKey().Encode());
  if (!format_bytes.ok()) return format_bytes.status();
  const uint32_t least =
      catalog_.AllAreCreatedInOrder() ? kFirstFormatVersion : kCreateOrderFormatVersion;
  uint32_t format = 0;
  ByteReader reader(format_bytes->has_value() ? absl::string_view(**format_bytes) : "");
  if (!reader.ReadBe32(&format) || !reader.AtEnd() || format < least || format > kFormatVersion) {
    Problem("format: wrong value");
  }
  return absl::OkStatus();
}

absl::Status Verifier::CheckKey(absl::string_view key, absl::string_view value) {
  uint32_t space = 0;
  uint8_t tag = 0;
  ByteReader head(key);
  if (!head.ReadBe32(&space) || !head.ReadU8(&tag) || space != kSpace) {
    ForeignKey(key);
    return absl::OkStatus();
  }
  switch (static_cast<Tag>(tag)) {
    case Tag::kFormat:
    case Tag::kCounters:
      if (!head.AtEnd()) ForeignKey(key);
      return absl::OkStatus();
    case Tag::kType:
      CheckType(key, value);
      return absl::OkStatus();
    case Tag::kPropertyIndex:
      CheckPropertyIndex(key, value);
      return absl::OkStatus();
    case Tag::kLineageSnapshot:
      if (head.AtEnd()) {
        CheckLineageSnapshot(value);
      } else {
        ForeignKey(key);
      }
      return absl::OkStatus();
    case Tag::kCacheToken:
      if (!head.AtEnd()) ForeignKey(key);
      return CheckCacheToken(value);
    case Tag::kCacheEntry:
      return CheckCacheEntry(key, value);
    case Tag::kCacheLease:
      return CheckCacheLease(key, value);
    case Tag::kCacheLookup:
      return CheckCacheLookup(key, value);
    case Tag::kCreateOrder:
      if (!head.AtEnd() || value != catalog_.EncodeCreateOrder()) ForeignKey(key);
      return absl::OkStatus();
    case Tag::kImport:
      if (ImportState state; !head.AtEnd() || !ImportState::Decode(value, &state)) ForeignKey(key);
      return absl::OkStatus();
    case Tag::kJournalHead:
      if (head.AtEnd()) {
        CheckJournalHead(value);
      } else {
        ForeignKey(key);
      }
      return absl::OkStatus();
    case Tag::kJournal:
      CheckJournal(key, value);
      return absl::OkStatus();
    case Tag::kNode:
      return CheckNodeRecord(key, value);
    case Tag::kExecutionEvents:
      return CheckChunk(key, value);
    case Tag::kArtifactEvent:
      return CheckArtifactEvent(key, value);
    case Tag::kEventLog:
      return CheckEventLog(key, value);
    case Tag::kTask:
      return CheckTask(key, value);
    case Tag::kLastTask:
      if (head.AtEnd()) {
        CheckLastTask(value);
      } else {
        ForeignKey(key);
      }
      return absl::OkStatus();
    case Tag::kTaskFingerprint:
      return CheckTaskFingerprint(key, value);
    case Tag::kName:
    case Tag::kExternalId:
      return CheckUnique(static_cast<Tag>(tag), key, value);
    case Tag::kUri:
      return CheckUri(key, value);
    case Tag::kFarLink:
      return CheckFarLink(key, value);
    case Tag::kProperty:
      return CheckProperty(key, value);
    case Tag::kTypeMembers:
    case Tag::kContextMembers:
    case Tag::kUpdateTimes:
    case Tag::kCreateTimes:
      return CheckPosting(static_cast<Tag>(tag), key, value);
  }
  ForeignKey(key);
  return absl::OkStatus();
}

VerifyPass::VerifyPass(const Reader& reader) : verifier_(std::make_unique<Verifier>(reader)) {}

VerifyPass::~VerifyPass() = default;

absl::StatusOr<bool> VerifyPass::Step(int64_t keys) { return verifier_->Step(keys); }

int64_t VerifyPass::keys() const { return verifier_->keys(); }

const VerifyReport& VerifyPass::report() const { return verifier_->report(); }

absl::StatusOr<VerifyReport> VerifyVersion(const Reader& reader) {
  VerifyPass pass(reader);
  const auto is_done = pass.Step(kLastId);
  if (!is_done.ok()) return is_done.status();
  return pass.report();
}

}  // namespace pedigree
