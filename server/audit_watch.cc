#include "server/audit_watch.h"

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

// Bounds of a message, and of what is looked through for one.
constexpr size_t kMessageBytes = size_t{256} << 10;
constexpr size_t kScanBytes = size_t{8} << 20;

}  // namespace

absl::Status WatchAnswer::Begin(const Reader& reader, const v1::WatchRequest& request) {
  const int64_t last = reader.version().journal.sequence;
  if (request.after_sequence() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("after_sequence is ", request.after_sequence(), "; entries begin at 1"));
  }
  if (request.after_sequence() > last) {
    return absl::FailedPreconditionError(
        absl::StrCat("the journal ends with entry ", last, ", before after_sequence ",
                     request.after_sequence(), ": this is not the store that it was read from"));
  }
  for (const int kind : request.kinds()) {
    if (!v1::ChangedKind_IsValid(kind) || kind == v1::CHANGED_KIND_UNSPECIFIED) {
      return absl::InvalidArgumentError(absl::StrCat("kinds: there is no kind ", kind));
    }
    kinds_ |= uint32_t{1} << kind;
  }
  for (const std::string& method : request.methods()) {
    if (method.empty() || method[0] != '/') {
      return absl::InvalidArgumentError(
          "methods: give full names, as /ml_metadata.MetadataStoreService/PutExecution");
    }
    methods_.insert(method);
  }
  next_ = request.after_sequence() + 1;
  return absl::OkStatus();
}

bool WatchAnswer::Matches(const JournalEntry& entry) const {
  if (IsJournalGap(entry.method)) return true;
  if (!methods_.empty() && !methods_.contains(entry.method)) return false;
  if (kinds_ == 0) return true;
  bool matches = false;
  entry.VisitChanges([&](const JournalChange& change) {
    matches = (kinds_ >> static_cast<int>(change.kind) & 1) != 0;
    return !matches;
  });
  return matches;
}

absl::Status WatchAnswer::Scan(const Reader& reader, BeforeImages images,
                               v1::WatchResponse* response) {
  size_t scanned_bytes = 0;
  size_t message_bytes = 0;
  return reader.VisitJournal(next_, Direction::kAscending, [&](const JournalEntry& entry) {
    next_ = entry.sequence + 1;
    scanned_bytes += entry.bytes.size();
    if (Matches(entry)) {
      v1::JournalEntry& message = *response->add_entries();
      message = MessageOf(entry, images);
      message_bytes += message.ByteSizeLong();
    }
    return message_bytes < kMessageBytes && scanned_bytes < kScanBytes;
  });
}

absl::StatusOr<StreamPart> WatchAnswer::Next(const Reader& reader,
                                             const v1::WatchRequest& request) {
  if (next_ == 0) {
    if (absl::Status status = Begin(reader, request); !status.ok()) return status;
  }
  const int64_t last = reader.version().journal.sequence;
  v1::WatchResponse response;
  if (next_ <= last) {
    const auto images = request.before_images() ? BeforeImages::kAll : BeforeImages::kNone;
    if (absl::Status status = Scan(reader, images, &response); !status.ok()) return status;
  }
  const bool is_at_end = next_ > last;
  const auto now = std::chrono::steady_clock::now();
  const bool is_due = !has_sent_ || now >= last_sent_ + heartbeat_;
  StreamPart part;
  if (is_at_end && response.entries().empty() && !is_due && !request.stop_at_end()) {
    part.place = StreamPart::Place::kNothingYet;
    part.wait_until = last_sent_ + heartbeat_;
    return part;
  }
  response.set_sequence(next_ - 1);
  has_sent_ = true;
  last_sent_ = now;
  part.message = response.SerializeAsString();
  if (is_at_end && request.stop_at_end()) part.place = StreamPart::Place::kLast;
  return part;
}

}  // namespace pedigree
