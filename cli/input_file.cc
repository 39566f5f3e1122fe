#include "cli/input_file.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree::cli {

absl::Status InputFileError(int error, absl::string_view what, absl::string_view path) {
  if (error != ENOENT) return FileError(error, what, path);
  return absl::NotFoundError(
      absl::StrCat("cannot ", what, " ", Quoted(path), ": there is no such file"));
}

}  // namespace pedigree::cli
