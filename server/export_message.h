// One message of an export while it is made, as wire bytes of ExportResponse.
//
// Records hold stored messages as they are, without parsing them. Threads: one.
//
//   message.AddRecord(v1::ExportRecord::kArtifactFieldNumber, content);
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree {

class ExportMessage {
 public:
  // Enough that a message's own costs vanish, and small beside the 4 MiB that clients take by
  // default.
  static constexpr size_t kFullBytes = size_t{512} << 10;

  void AddHeader(const v1::ExportHeader& header);
  // A record of which `content` is the field.
  void AddRecord(int field, absl::string_view content);
  // It takes no more records.
  // So a message has the same records with a header and without.
  bool IsFull() const { return bytes_.size() - header_bytes_ >= kFullBytes; }
  // The end of the message. `position` is that of what comes after it; "" at the end of the export.
  std::string Finish(absl::string_view position);

 private:
  std::string bytes_;
  size_t header_bytes_ = 0;
};

// Appends a field of ascending ids, packed; none if there are none.
void AppendIdsField(std::string* out, int number, absl::Span<const int64_t> ids);

}  // namespace pedigree
