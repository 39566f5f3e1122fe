#include "cli/export/temporary_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "store/durable_file.h"

namespace pedigree::cli {
namespace {

std::string DefaultDirectory() {
  const char* directory = std::getenv("TMPDIR");
  return directory == nullptr || *directory == '\0' ? "/tmp" : directory;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TemporaryFile>> TemporaryFile::Create(const std::string& directory) {
  const std::string where = directory.empty() ? DefaultDirectory() : directory;
  std::string path = absl::StrCat(where, "/pedigree-export-XXXXXX");
  const int fd = mkstemp(path.data());
  if (fd < 0) return FileError(errno, "create a temporary file in", where);
  unlink(path.c_str());
  std::FILE* file = fdopen(fd, "w+b");
  if (file == nullptr) {
    const int error = errno;
    close(fd);
    return FileError(error, "create a temporary file in", where);
  }
  return std::unique_ptr<TemporaryFile>(new TemporaryFile(file, where));
}

absl::Status TemporaryFile::Append(absl::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
    return FileError(errno, "write a temporary file in", directory_);
  }
  size_ += bytes.size();
  return absl::OkStatus();
}

absl::Status TemporaryFile::Rewind() {
  if (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0) {
    return FileError(errno, "write a temporary file in", directory_);
  }
  return absl::OkStatus();
}

absl::Status TemporaryFile::ReadInto(size_t size, std::string& bytes) {
  bytes.resize(size);
  if (std::fread(bytes.data(), 1, size, file_.get()) == size) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("a temporary file in ", directory_, " is shorter than what was written"));
}

absl::StatusOr<std::string> TemporaryFile::ReadSome(size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(std::fread(bytes.data(), 1, size, file_.get()));
  if (std::ferror(file_.get()) != 0) {
    return FileError(errno, "read a temporary file in", directory_);
  }
  return bytes;
}

}  // namespace pedigree::cli
