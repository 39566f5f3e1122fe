// A new directory that is removed, with all that is in it, when the object dies.
//
// Threading: none; one owner.
//
//   auto scratch = ScratchDirectory::Create("/tmp");
//   std::string data_dir = (*scratch)->path() + "/always";
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace pedigree::bench {

class ScratchDirectory {
 public:
  // Makes a directory with an unused name below `parent`. The code of the system error if it
  // cannot.
  static absl::StatusOr<std::unique_ptr<ScratchDirectory>> Create(const std::string& parent);

  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace pedigree::bench
