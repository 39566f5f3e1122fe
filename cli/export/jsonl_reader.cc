#include "cli/export/jsonl_reader.h"

#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/task.pb.h"
#include "cli/export/json_read.h"
#include "cli/export/jsonl_format.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

template <class Message>
absl::Status ReadMessage(const Json& json, Message* message) {
  static const MessageTable& table = MessageTable::Of(*Message::descriptor());
  const auto bytes = ReadJson(table, json);
  if (!bytes.ok()) return bytes.status();
  return message->ParseFromString(*bytes)
             ? absl::OkStatus()
             : absl::InvalidArgumentError(absl::StrCat("is no ", table.name()));
}

// The value under a name of an object; null if there is none.
const Json* Find(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

absl::Status NotJsonl() {
  return absl::InvalidArgumentError(
      "is not the first line of an export in jsonl: {\"pedigree_jsonl\":1,\"header\":...");
}

}  // namespace

absl::StatusOr<std::unique_ptr<JsonlReader>> JsonlReader::Open(const std::string& path) {
  std::unique_ptr<JsonlReader> reader(new JsonlReader(path));
  if (!reader->file_) return FileError(errno, "read", path);
  absl::Status status = reader->ReadHeader();
  if (!status.ok()) return reader->AtLine(status);
  return reader;
}

absl::StatusOr<bool> JsonlReader::ReadLine() {
  ++line_number_;
  if (!std::getline(file_, line_)) {
    if (file_.bad()) return FileError(EIO, "read", path_);
    return false;
  }
  if (file_.eof()) return absl::InvalidArgumentError("is cut off");
  digest_.Add(line_);
  digest_.Add("\n");
  return true;
}

absl::Status JsonlReader::ReadHeader() {
  const auto is_line = ReadLine();
  if (!is_line.ok()) return is_line.status();
  if (!*is_line) return NotJsonl();
  const auto json = ParseJson(line_);
  if (!json.ok()) return json.status();
  const Json* const version = Find(*json, "pedigree_jsonl");
  const Json* const header = Find(*json, "header");
  const Json* const selection = Find(*json, "selection");
  if (version == nullptr || !version->is_number_integer() || header == nullptr ||
      selection == nullptr) {
    return NotJsonl();
  }
  if (version->get<int64_t>() != kJsonlVersion) {
    return absl::InvalidArgumentError(absl::StrCat("has version ", version->get<int64_t>(),
                                                   " of the format; this program knows ",
                                                   kJsonlVersion));
  }
  absl::Status status = ReadMessage(*header, &header_);
  return status.ok() ? ReadMessage(*selection, &selection_) : status;
}

absl::StatusOr<const v1::ExportRecord*> JsonlReader::Next() {
  if (has_ended_) return nullptr;
  const auto is_line = ReadLine();
  absl::Status status = is_line.status();
  if (status.ok() && !*is_line) {
    status =
        absl::InvalidArgumentError("is missing: the export has not ended, or the file is cut off");
  }
  if (status.ok()) status = ReadRecord();
  if (!status.ok()) return AtLine(status);
  return has_ended_ ? nullptr : &record_;
}

absl::Status JsonlReader::ReadRecord() {
  const auto json = ParseJson(line_);
  if (!json.ok()) return json.status();
  if (const Json* const end = Find(*json, "end"); end != nullptr) {
    const Json* const records = Find(*end, "records");
    if (records == nullptr || !records->is_string()) {
      return absl::InvalidArgumentError("\"end\" must say how many records there are");
    }
    return CheckEnd(records->get_ref<const std::string&>());
  }
  ++records_;
  if (const Json* const task = Find(*json, "task"); task != nullptr) {
    api::Task message;
    absl::Status status = ReadMessage(*task, &message);
    record_.set_task(message.SerializeAsString());
    return status;
  }
  absl::Status status = ReadMessage(*json, &record_);
  if (status.ok() && record_.record_case() == v1::ExportRecord::RECORD_NOT_SET) {
    return absl::InvalidArgumentError("holds no record");
  }
  return status;
}

absl::Status JsonlReader::CheckEnd(const std::string& records) {
  int64_t count = 0;
  if (!absl::SimpleAtoi(records, &count) || count != records_) {
    return absl::InvalidArgumentError(absl::StrCat("says that there are ", records.substr(0, 32),
                                                   " records, but ", records_, " came before it"));
  }
  has_ended_ = true;
  const auto more = ReadLine();
  if (!more.ok() || *more) return absl::InvalidArgumentError("comes after the end");
  --line_number_;
  return absl::OkStatus();
}

std::string JsonlReader::Place() const {
  return absl::StrCat(Quoted(path_), ", line ", line_number_);
}

absl::Status JsonlReader::AtLine(const absl::Status& status) const {
  return absl::Status(status.code(), absl::StrCat(Place(), ": ", status.message()));
}

}  // namespace pedigree::cli
