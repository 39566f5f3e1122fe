#include "store/format_steps.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/directory.h"
#include "store/durable_file.h"
#include "store/keys.h"
#include "store/rocksdb_engine.h"
#include "store/store.h"
#include "store/text.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;

// Copies a closed store. Table files never change: a link is as good as a copy.
absl::Status Copy(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::create_directory(to, error);
  if (error) return FileError(error.value(), "create directory", to);
  for (const auto& entry : fs::recursive_directory_iterator(from, error)) {
    const fs::path target = fs::path(to) / fs::relative(entry.path(), from, error);
    if (entry.is_directory()) {
      fs::create_directory(target, error);
    } else if (entry.path().extension() == ".sst") {
      fs::create_hard_link(entry.path(), target, error);
      if (error) fs::copy_file(entry.path(), target, error);
    } else {
      fs::copy_file(entry.path(), target, error);
    }
    if (error) return FileError(error.value(), "copy", entry.path().string());
  }
  return error ? FileError(error.value(), "list", from) : absl::OkStatus();
}

// A backup has this name only once it is whole.
absl::StatusOr<std::string> BackUp(const std::string& data_dir, uint32_t format) {
  const std::string backup =
      absl::StrCat(fs::path(data_dir + "/").parent_path().string(), ".format", format);
  std::error_code error;
  if (fs::exists(backup, error)) {
    return absl::AlreadyExistsError(absl::StrCat("there is a backup ", Quoted(backup),
                                                 " of this version already: move it away"));
  }
  const std::string unfinished = backup + ".next";
  fs::remove_all(unfinished, error);
  if (absl::Status status = Copy(data_dir, unfinished); !status.ok()) {
    fs::remove_all(unfinished, error);
    return status;
  }
  fs::rename(unfinished, backup, error);
  if (error) return FileError(error.value(), "rename", unfinished);
  return backup;
}

absl::Status CanExpress(const Store& store, uint32_t format) {
  if (format >= kCreateOrderFormatVersion ||
      store.CurrentVersion()->catalog->AllAreCreatedInOrder()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("format ", format,
                   " cannot express this store: it holds imported nodes that "
                   "were not created in the order of their ids"));
}

absl::Status WriteFormat(const std::string& data_dir, uint32_t format) {
  {
    RocksDbOptions options;
    options.directory = DatabaseDirectory(data_dir);
    options.block_cache_bytes = size_t{8} << 20;
    options.write_buffer_bytes = size_t{8} << 20;
    auto engine = OpenRocksDb(options);
    if (!engine.ok()) return engine.status();
    const std::string key = FormatKey().Encode();
    std::string value;
    AppendBe32(&value, format);
    const Mutation mutation = {false, key, value};
    absl::Status status = (*engine)->Apply({&mutation, 1}, Durability::kSynced);
    if (status.ok()) status = (*engine)->Flush();
    if (!status.ok()) return status;
  }
  return MarkReady(data_dir, format);
}

absl::StatusOr<FormatSteps> StepTo(const std::string& data_dir, uint32_t to) {
  auto from = ReadMarkerFormat(data_dir);
  if (!from.ok()) return from.status();
  FormatSteps steps = {*from, to, ""};
  StoreOptions options;
  options.data_dir = data_dir;
  {
    // Also looks whether it is whole, and writes its log to table files.
    auto store = Store::Open(options);
    if (!store.ok()) return store.status();
    if (absl::Status status = CanExpress(**store, to); !status.ok()) return status;
  }
  if (*from == to) return steps;
  auto backup = BackUp(data_dir, *from);
  if (!backup.ok()) return backup.status();
  steps.backup = *backup;
  if (absl::Status status = WriteFormat(data_dir, to); !status.ok()) return status;
  return steps;
}

}  // namespace

absl::StatusOr<FormatSteps> UpgradeStore(const std::string& data_dir) {
  return StepTo(data_dir, kFormatVersion);
}

absl::StatusOr<FormatSteps> DowngradeStore(const std::string& data_dir, uint32_t to) {
  auto from = ReadMarkerFormat(data_dir);
  if (!from.ok()) return from.status();
  if (to < kFirstFormatVersion || to > *from) {
    return absl::InvalidArgumentError(absl::StrCat("the store has format ", *from,
                                                   "; it can be brought to formats ",
                                                   kFirstFormatVersion, " to ", *from));
  }
  return StepTo(data_dir, to);
}

}  // namespace pedigree
