#include "server/export_message.h"

#include <utility>

#include "store/codec.h"
#include "store/wire.h"

namespace pedigree {

void ExportMessage::AddHeader(const v1::ExportHeader& header) {
  AppendBytesField(&bytes_, v1::ExportResponse::kHeaderFieldNumber, header.SerializeAsString());
  header_bytes_ = bytes_.size();
}

void ExportMessage::AddRecord(int field, absl::string_view content) {
  AppendFieldHead(&bytes_, v1::ExportResponse::kRecordsFieldNumber,
                  BytesFieldSize(field, content.size()));
  AppendBytesField(&bytes_, field, content);
}

std::string ExportMessage::Finish(absl::string_view position) {
  if (position.empty()) {
    AppendVarintField(&bytes_, v1::ExportResponse::kDoneFieldNumber, 1);
  } else {
    AppendBytesField(&bytes_, v1::ExportResponse::kPositionFieldNumber, position);
  }
  return std::move(bytes_);
}

void AppendIdsField(std::string* out, int number, absl::Span<const int64_t> ids) {
  if (ids.empty()) return;
  std::string packed;
  for (int64_t id : ids) AppendVarint(&packed, static_cast<uint64_t>(id));
  AppendBytesField(out, number, packed);
}

}  // namespace pedigree
