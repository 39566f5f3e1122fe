// Where an export is written to: named outputs, of which the bytes are digested as they pass.
//
// A target is a directory, one file (export_directory.h), or whatever else takes bytes, such as a
// lineage backend over HTTP. Writers only append: what stands in an output up to a checkpoint never
// changes, so that an export that was interrupted goes on there. Threads: one.
//
//   auto output = target->Create("artifacts.csv");
//   status = (*output)->Append("id,uri\n");
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::cli {

// One output, with a buffer before it.
class ExportOutput {
 public:
  virtual ~ExportOutput() = default;

  absl::Status Append(absl::string_view bytes) {
    buffer_.append(bytes.data(), bytes.size());
    return Drain();
  }
  // For printers: append to the buffer, then call Drain(). What stands in it before must stay.
  std::string& buffer() { return buffer_; }
  // Passes the buffer on once it is large. Errors: of the target.
  absl::Status Drain() { return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush(); }
  // Passes it on now.
  absl::Status Flush() {
    if (buffer_.empty()) return absl::OkStatus();
    absl::Status status = Take(buffer_);
    buffer_.clear();
    return status;
  }

 protected:
  virtual absl::Status Take(absl::string_view bytes) = 0;

 private:
  static constexpr size_t kBufferBytes = size_t{256} << 10;
  std::string buffer_;
};

// What an output holds when it is whole; a line of the manifest.
struct ExportedFile {
  std::string name;
  int64_t size = 0;
  std::string sha256;  // Hexadecimal.
};

class ExportTarget {
 public:
  virtual ~ExportTarget() = default;

  // An output of this name, a file name without folders; the same again after a resumption, where
  // it has what it had at the checkpoint. Owned by the target.
  // Errors: InvalidArgument if the target is one file and this is the second output.
  virtual absl::StatusOr<ExportOutput*> Create(absl::string_view name) = 0;

  // An output that is not part of the export: for what must be written after what comes later, and
  // does not fit into memory. Resumes like any other, and is gone at the end.
  virtual absl::StatusOr<ExportOutput*> CreateScratch(absl::string_view name) = 0;
  // Appends what has been written to a scratch output.
  virtual absl::Status AppendScratch(ExportOutput* scratch, ExportOutput* to) = 0;
};

}  // namespace pedigree::cli
