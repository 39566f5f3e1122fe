#include "store/high_water.h"

#include <errno.h>
#include <openssl/sha.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree {
namespace {

constexpr absl::string_view kName = "HIGH_WATER";

std::string TextOf(uint64_t sequence) {
  const std::string text = absl::StrCat("pedigree high water\nsequence ", sequence, "\n");
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  const absl::string_view bytes(reinterpret_cast<const char*>(digest), sizeof(digest));
  return absl::StrCat(text, "sha256 ", absl::BytesToHexString(bytes), "\n");
}

}  // namespace

absl::StatusOr<uint64_t> ReadHighWater(const std::string& data_dir) {
  const std::string path = absl::StrCat(data_dir, "/", kName);
  std::error_code error;
  const bool exists = std::filesystem::exists(path, error);
  if (error) return FileError(error.value(), "look at", path);
  if (!exists) return 0;
  std::ifstream file(path, std::ios::binary);
  std::stringstream buffer;
  buffer << file.rdbuf();
  if (!file) return FileError(errno, "read", path);
  const std::string text = buffer.str();
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  uint64_t sequence = 0;
  if (lines.size() < 2 || !absl::SimpleAtoi(absl::StripPrefix(lines[1], "sequence "), &sequence) ||
      text != TextOf(sequence)) {
    return absl::DataLossError(absl::StrCat(
        Quoted(path), " is damaged, so whether writes are missing cannot be told: ",
        "restore a backup of data_dir, or remove that file to start with what is there"));
  }
  return sequence;
}

absl::Status WriteHighWater(const std::string& data_dir, uint64_t sequence) {
  return ReplaceFile(data_dir, kName, TextOf(sequence));
}

absl::Status CheckHighWater(const Engine& engine, const std::string& data_dir) {
  const auto mark = ReadHighWater(data_dir);
  if (!mark.ok()) return mark.status();
  if (engine.LastSequence() >= *mark) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "acknowledged writes are missing from ", Quoted(data_dir), ": they went up to number ", *mark,
      ", the database ends at ", engine.LastSequence(),
      "; its log or manifest is damaged: restore a backup of data_dir"));
}

HighWaterKeeper::HighWaterKeeper(const Engine* engine, std::string data_dir)
    : engine_(engine),
      data_dir_(std::move(data_dir)),
      written_(ReadHighWater(data_dir_).value_or(0)),
      thread_([this] { Loop(); }) {}

HighWaterKeeper::~HighWaterKeeper() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  WriteIfGrown();
}

void HighWaterKeeper::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!wake_.wait_for(lock, kHighWaterInterval, [this] { return stopping_; })) {
    lock.unlock();
    WriteIfGrown();
    lock.lock();
  }
}

void HighWaterKeeper::WriteIfGrown() {
  const uint64_t durable = engine_->DurableSequence();
  if (durable > written_ && WriteHighWater(data_dir_, durable).ok()) written_ = durable;
}

}  // namespace pedigree
