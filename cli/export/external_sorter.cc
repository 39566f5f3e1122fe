#include "cli/export/external_sorter.h"

#include <algorithm>
#include <cstring>
#include <queue>
#include <utility>

namespace pedigree::cli {
namespace {

constexpr size_t kRowOverhead = 96;  // Two strings and what the allocator adds.

absl::Status AppendRow(absl::string_view key, absl::string_view value, TemporaryFile& file) {
  const uint64_t sizes[2] = {key.size(), value.size()};
  absl::Status status =
      file.Append(absl::string_view(reinterpret_cast<const char*>(sizes), sizeof(sizes)));
  if (status.ok()) status = file.Append(key);
  return status.ok() ? file.Append(value) : status;
}

// The rows of one file, one at a time.
class RowReader {
 public:
  explicit RowReader(TemporaryFile* file) : file_(file) {}

  bool done() const { return done_; }
  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }

  absl::Status Next() {
    if (read_ == file_->size()) {
      done_ = true;
      return absl::OkStatus();
    }
    uint64_t sizes[2];
    std::string header;
    absl::Status status = file_->ReadInto(sizeof(sizes), header);
    if (!status.ok()) return status;
    std::memcpy(sizes, header.data(), sizeof(sizes));
    status = file_->ReadInto(sizes[0], key_);
    if (status.ok()) status = file_->ReadInto(sizes[1], value_);
    read_ += sizeof(sizes) + sizes[0] + sizes[1];
    return status;
  }

 private:
  TemporaryFile* const file_;  // Not owned; outlives the reader.
  uint64_t read_ = 0;
  bool done_ = false;
  std::string key_;
  std::string value_;
};

}  // namespace

std::string SortKey(std::initializer_list<int64_t> numbers) {
  std::string key;
  for (int64_t number : numbers) {
    const uint64_t ordered = static_cast<uint64_t>(number) ^ (uint64_t{1} << 63);
    for (int shift = 56; shift >= 0; shift -= 8) {
      key.push_back(static_cast<char>(ordered >> shift & 0xFF));
    }
  }
  return key;
}

absl::Status ExternalSorter::Add(absl::string_view key, absl::string_view value) {
  rows_.push_back({std::string(key), std::string(value)});
  bytes_ += key.size() + value.size() + kRowOverhead;
  return bytes_ >= options_.memory_bytes ? Spill() : absl::OkStatus();
}

void ExternalSorter::SortRows() {
  std::stable_sort(rows_.begin(), rows_.end(),
                   [](const Row& a, const Row& b) { return a.key < b.key; });
}

absl::Status ExternalSorter::Spill() {
  if (files_.size() >= std::max<size_t>(2, options_.max_files)) {
    absl::Status status = MergeToOneFile();
    if (!status.ok()) return status;
  }
  auto file = TemporaryFile::Create(options_.directory);
  if (!file.ok()) return file.status();
  SortRows();
  for (const Row& row : rows_) {
    absl::Status status = AppendRow(row.key, row.value, **file);
    if (!status.ok()) return status;
  }
  rows_.clear();
  bytes_ = 0;
  files_.push_back(*std::move(file));
  return absl::OkStatus();
}

absl::Status ExternalSorter::MergeToOneFile() {
  auto merged = TemporaryFile::Create(options_.directory);
  if (!merged.ok()) return merged.status();
  absl::Status status = Merge([&merged](absl::string_view key, absl::string_view value) {
    return AppendRow(key, value, **merged);
  });
  if (!status.ok()) return status;
  files_.clear();
  files_.push_back(*std::move(merged));
  return absl::OkStatus();
}

absl::Status ExternalSorter::Merge(Visit visit) {
  std::vector<RowReader> readers;
  const auto is_later = [&readers](size_t a, size_t b) {
    const int order = readers[a].key().compare(readers[b].key());
    return order != 0 ? order > 0 : a > b;
  };
  std::priority_queue<size_t, std::vector<size_t>, decltype(is_later)> queue(is_later);
  for (const auto& file : files_) {
    absl::Status status = file->Rewind();
    readers.emplace_back(file.get());
    if (status.ok()) status = readers.back().Next();
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < readers.size(); ++i) {
    if (!readers[i].done()) queue.push(i);
  }
  while (!queue.empty()) {
    const size_t i = queue.top();
    queue.pop();
    absl::Status status = visit(readers[i].key(), readers[i].value());
    if (status.ok()) status = readers[i].Next();
    if (!status.ok()) return status;
    if (!readers[i].done()) queue.push(i);
  }
  return absl::OkStatus();
}

absl::Status ExternalSorter::Drain(Visit visit) {
  absl::Status status;
  if (files_.empty()) {
    SortRows();
    for (size_t i = 0; i < rows_.size() && status.ok(); ++i) {
      status = visit(rows_[i].key, rows_[i].value);
    }
  } else {
    if (!rows_.empty()) status = Spill();
    if (status.ok()) status = Merge(visit);
  }
  rows_.clear();
  bytes_ = 0;
  files_.clear();
  return status;
}

}  // namespace pedigree::cli
