// Reads an export in jsonl line by line, and refuses what is none.
//
// Threads: one.
//
//   auto reader = JsonlReader::Open("export.jsonl");
//   (*reader)->header();
//   for (auto record = (*reader)->Next(); record.ok() && *record != nullptr; ...)
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cli/export/message_table.h"
#include "cli/export/sha256.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

class JsonlReader {
 public:
  // Reads the first line. Errors: InvalidArgument if it is no export in jsonl, or of a newer
  // version; as FileError.
  static absl::StatusOr<std::unique_ptr<JsonlReader>> Open(const std::string& path);

  const v1::ExportHeader& header() const { return header_; }
  const v1::ExportSelection& selection() const { return selection_; }

  // The next record; null after the last. It lives until the next call.
  // Errors: InvalidArgument, with the line, if a line is no record, the last line is missing or
  // says another number of records, or something follows it.
  absl::StatusOr<const v1::ExportRecord*> Next();

  // "line 17" of the record at hand, for errors.
  std::string Place() const;
  // Of all that has been read, 64 digits; after the last record: of the file.
  std::string Sha256() const { return digest_.Hex(); }

 private:
  explicit JsonlReader(const std::string& path) : path_(path), file_(path, std::ios::binary) {}

  // False at the end of the file.
  absl::StatusOr<bool> ReadLine();
  absl::Status ReadHeader();
  absl::Status ReadRecord();
  absl::Status CheckEnd(const std::string& records);
  absl::Status AtLine(const absl::Status& status) const;

  const std::string path_;
  std::ifstream file_;
  Sha256Stream digest_;
  std::string line_;
  int64_t line_number_ = 0;
  int64_t records_ = 0;
  bool has_ended_ = false;
  v1::ExportHeader header_;
  v1::ExportSelection selection_;
  v1::ExportRecord record_;
};

}  // namespace pedigree::cli
