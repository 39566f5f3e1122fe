#include "migrate/sqlite_writer.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree::migrate {
namespace {

void Bind(sqlite3_stmt* statement, int place, const SqlValue& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) {
    sqlite3_bind_int64(statement, place, *number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    sqlite3_bind_double(statement, place, *real);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    sqlite3_bind_text64(statement, place, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  } else {
    sqlite3_bind_null(statement, place);
  }
}

}  // namespace

SqliteWriter::SqliteWriter(std::string path)
    : path_(std::move(path)), next_(absl::StrCat(path_, ".next")) {}

SqliteWriter::~SqliteWriter() {
  if (db_ == nullptr) return;
  Close();
  std::remove(next_.c_str());
}

void SqliteWriter::Close() {
  for (const auto& [table, statement] : inserts_) sqlite3_finalize(statement);
  inserts_.clear();
  sqlite3_close(db_);
  db_ = nullptr;
}

absl::StatusOr<std::unique_ptr<SqliteWriter>> SqliteWriter::Create(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is a file ", Quoted(path), " already: remove it, or use another name"));
  }
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(path));
  if (absl::Status status = writer->Open(); !status.ok()) return status;
  return writer;
}

absl::Status SqliteWriter::Open() {
  std::remove(next_.c_str());  // What an export that was interrupted has left.
  const int code =
      sqlite3_open_v2(next_.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  if (code != SQLITE_OK) return Error();
  // Nobody reads the file before it is whole, so there is nothing to roll back.
  absl::Status status = Run("PRAGMA journal_mode = OFF");
  return status.ok() ? Run("BEGIN") : status;
}

absl::Status SqliteWriter::Error() const {
  const std::string text = absl::StrCat("cannot write ", Quoted(next_), ": ", sqlite3_errmsg(db_));
  switch (sqlite3_errcode(db_) & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(absl::StrCat(text, "; the disk is full"));
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::PermissionDeniedError(text);
    default:
      return absl::UnavailableError(text);
  }
}

absl::Status SqliteWriter::Run(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return Error();
}

absl::Status SqliteWriter::Insert(absl::string_view table, const std::vector<SqlValue>& values) {
  sqlite3_stmt*& statement = inserts_[table];
  if (statement == nullptr) {
    std::string sql = absl::StrCat("INSERT INTO `", table, "` VALUES (?");
    for (size_t i = 1; i < values.size(); ++i) sql.append(", ?");
    sql.push_back(')');
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return Error();
  }
  for (size_t i = 0; i < values.size(); ++i) Bind(statement, static_cast<int>(i) + 1, values[i]);
  const int code = sqlite3_step(statement);
  sqlite3_reset(statement);
  return code == SQLITE_DONE ? absl::OkStatus() : Error();
}

absl::Status SqliteWriter::Commit() {
  if (absl::Status status = Run("COMMIT"); !status.ok()) return status;
  Close();
  const int fd = open(next_.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return FileError(errno, "open", next_);
  const bool is_synced = fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (!is_synced) return FileError(error, "sync", next_);
  if (std::rename(next_.c_str(), path_.c_str()) != 0) return FileError(errno, "rename", next_);
  return absl::OkStatus();
}

}  // namespace pedigree::migrate
