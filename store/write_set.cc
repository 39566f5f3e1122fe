#include "store/write_set.h"

#include <cassert>
#include <cstring>

#include "store/keys.h"

namespace pedigree {
namespace {

bool IsOrdered(absl::string_view key) {
  if (key.size() <= kKeyHeadBytes) return false;
  const auto tag = static_cast<Tag>(key[kKeyHeadBytes - 1]);
  return tag == Tag::kCacheLookup || tag == Tag::kFarLink;
}

}  // namespace

WriteSet::Found WriteSet::Find(absl::string_view key) const {
  auto it = newest_.find(key);
  if (it == newest_.end()) return {};
  const Entry& entry = entries_[it->second];
  if (entry.is_delete) return {State::kDeleted, {}};
  return {State::kValue, entry.value};
}

absl::string_view WriteSet::Copy(absl::string_view bytes) {
  if (bytes.empty()) return {};
  auto* copy = static_cast<char*>(arena_.allocate(bytes.size(), 1));
  std::memcpy(copy, bytes.data(), bytes.size());
  bytes_ += bytes.size();
  return {copy, bytes.size()};
}

void WriteSet::Add(absl::string_view key, absl::string_view value, bool is_delete) {
  const size_t index = entries_.size();
  auto it = newest_.find(key);
  int64_t previous = -1;
  if (it == newest_.end()) {
    key = Copy(key);
    newest_.emplace(key, index);
    if (IsOrdered(key)) ordered_.insert(key);
  } else {
    key = it->first;
    previous = static_cast<int64_t>(it->second);
    it->second = index;
  }
  entries_.push_back({key, Copy(value), is_delete, previous});
}

void WriteSet::Put(absl::string_view key, absl::string_view value) { Add(key, value, false); }

void WriteSet::Delete(absl::string_view key) { Add(key, {}, true); }

void WriteSet::RollBack(size_t mark) {
  while (entries_.size() > mark) {
    const Entry& entry = entries_.back();
    if (entry.previous < 0) {
      newest_.erase(entry.key);
      if (IsOrdered(entry.key)) ordered_.erase(entry.key);
    } else {
      newest_[entry.key] = static_cast<size_t>(entry.previous);
    }
    entries_.pop_back();
  }
}

void WriteSet::AppendMutations(std::vector<Mutation>* mutations) const {
  mutations->reserve(mutations->size() + newest_.size());
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (newest_.find(entry.key)->second != i) continue;
    mutations->push_back({entry.is_delete, entry.key, entry.value});
  }
}

void WriteSet::Clear() {
  entries_.clear();
  newest_.clear();
  ordered_.clear();
  arena_.release();
  bytes_ = 0;
}

void PostingSet::Apply(const std::string& block_key, uint8_t offset, Change change) {
  auto it = blocks_.find(block_key);
  assert(it != blocks_.end());
  Block& block = it->second;
  undo_.push_back({&block, offset, block.set.Contains(offset)});
  if (!block.dirty) dirty_.push_back(&*it);
  block.dirty = true;
  if (change == Change::kAdd) {
    block.set.Add(offset);
  } else {
    block.set.Remove(offset);
  }
}

void PostingSet::RollBack(size_t mark) {
  while (undo_.size() > mark) {
    const Undo& undo = undo_.back();
    if (undo.was_member) {
      undo.block->set.Add(undo.offset);
    } else {
      undo.block->set.Remove(undo.offset);
    }
    undo_.pop_back();
  }
}

void PostingSet::AppendMutations(std::vector<Mutation>* mutations) {
  if (undo_.empty()) return;  // All that was changed has been rolled back.
  encoded_.clear();
  encoded_.reserve(dirty_.size());  // Views into it are lent out: it must not grow below.
  for (const auto* entry : dirty_) {
    const auto& [key, block] = *entry;
    if (block.set.Empty()) {
      mutations->push_back({true, key, {}});
    } else {
      mutations->push_back({false, key, encoded_.emplace_back(block.set.Encode())});
    }
  }
}

void PostingSet::Commit() {
  for (auto* entry : dirty_) entry->second.dirty = false;
  dirty_.clear();
  undo_.clear();
  encoded_.clear();
  if (blocks_.size() > kMaxCachedBlocks) blocks_.clear();
}

void PostingSet::Forget() {
  dirty_.clear();
  undo_.clear();
  encoded_.clear();
  blocks_.clear();
}

}  // namespace pedigree
