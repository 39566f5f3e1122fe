#include "store/write_set.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

// What a WriteSet holds: the last word on each key; nullopt stands for deleted.
using Model = std::map<std::string, std::optional<std::string>>;

void ExpectEqual(const WriteSet& writes, const Model& model, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    const WriteSet::Found found = writes.Find(key);
    const auto it = model.find(key);
    if (it == model.end()) {
      EXPECT_EQ(found.state, WriteSet::State::kUnknown);
    } else if (!it->second.has_value()) {
      EXPECT_EQ(found.state, WriteSet::State::kDeleted);
    } else {
      EXPECT_EQ(found.state, WriteSet::State::kValue);
      EXPECT_EQ(found.value, *it->second);
    }
  }
  std::vector<Mutation> mutations;
  writes.AppendMutations(&mutations);
  Model written;
  for (const Mutation& mutation : mutations) {
    std::optional<std::string> value;
    if (!mutation.is_delete) value = std::string(mutation.value);
    const bool is_new = written.emplace(std::string(mutation.key), value).second;
    EXPECT_TRUE(is_new) << "two mutations of one key";
  }
  EXPECT_EQ(written, model);
}

std::vector<std::string> SomeKeys(Random& random) {
  std::vector<std::string> keys;
  for (int i = 0; i < 30; ++i) keys.push_back(random.Bytes(3));
  return keys;
}

TEST(WriteSet, IsAMapWithSavePoints) {
  Random random;
  for (int history = 0; history < 50; ++history) {
    const std::vector<std::string> keys = SomeKeys(random);
    WriteSet writes;
    Model model;
    std::vector<std::pair<size_t, Model>> marks = {{writes.Mark(), model}};
    for (int step = 0; step < 300; ++step) {
      const std::string& key = random.Pick(keys);
      switch (random.Between(0, 9)) {
        case 0:
          marks.emplace_back(writes.Mark(), model);
          break;
        case 1: {
          const size_t chosen = random.Index(marks.size());
          writes.RollBack(marks[chosen].first);
          model = marks[chosen].second;
          marks.resize(chosen + 1);
          break;
        }
        case 2:
        case 3:
          writes.Delete(key);
          model[key] = std::nullopt;
          break;
        default: {
          const std::string value = random.Bytes(20);
          writes.Put(key, value);
          model[key] = value;
        }
      }
      if (step % 20 == 0) ExpectEqual(writes, model, keys);
    }
    ExpectEqual(writes, model, keys);
    writes.Clear();
    EXPECT_TRUE(writes.empty());
    EXPECT_EQ(writes.bytes(), 0u);
    ExpectEqual(writes, {}, keys);
  }
}

TEST(WriteSet, CopiesWhatItIsGiven) {
  WriteSet writes;
  {
    std::string key = "key";
    std::string value = "value";
    writes.Put(key, value);
    key = "xxx";
    value = "yyyyy";
  }
  EXPECT_EQ(writes.Find("key").value, "value");
  EXPECT_EQ(writes.Find("xxx").state, WriteSet::State::kUnknown);
}

TEST(WriteSet, CountsBytesThatAreRolledBackToo) {
  WriteSet writes;
  writes.Put("key", "value");
  EXPECT_EQ(writes.bytes(), 8u);
  const size_t mark = writes.Mark();
  writes.Put("key", "other");
  EXPECT_EQ(writes.bytes(), 13u) << "a key that is there is not copied again";
  writes.RollBack(mark);
  EXPECT_EQ(writes.bytes(), 13u);
  EXPECT_EQ(writes.Find("key").value, "value");
  writes.RollBack(0);
  EXPECT_TRUE(writes.empty());
}

// Posting lists as the store has them, and as a group in progress has them.
class PostingModel {
 public:
  using Lists = std::map<std::string, std::set<uint8_t>>;

  void LoadIfNeeded(const std::string& key) {
    if (set_.IsLoaded(key)) return;
    IdSet stored;
    const auto it = stored_.find(key);
    if (it != stored_.end()) {
      for (uint8_t offset : it->second) stored.Add(offset);
    }
    set_.Load(key, stored);
  }

  void Apply(const std::string& key, uint8_t offset, PostingSet::Change change) {
    LoadIfNeeded(key);
    set_.Apply(key, offset, change);
    if (change == PostingSet::Change::kAdd) {
      group_[key].insert(offset);
    } else {
      group_[key].erase(offset);
    }
  }

  void Mark() { marks_.emplace_back(set_.Mark(), group_); }
  void RollBack() {
    set_.RollBack(marks_.back().first);
    group_ = marks_.back().second;
    marks_.pop_back();
  }
  bool has_mark() const { return !marks_.empty(); }

  // Stores the group, as the committer does; or fails to.
  void EndGroup(bool stored) {
    std::vector<Mutation> mutations;
    set_.AppendMutations(&mutations);
    Lists after = stored_;
    for (const Mutation& mutation : mutations) {
      const std::string key(mutation.key);
      after.erase(key);
      if (mutation.is_delete) continue;
      IdSet set;
      ASSERT_TRUE(IdSet::Decode(mutation.value, &set));
      for (int i = set.Next(0); i < 256; i = set.Next(i + 1)) {
        after[key].insert(static_cast<uint8_t>(i));
      }
    }
    std::erase_if(group_, [](const auto& entry) { return entry.second.empty(); });
    EXPECT_EQ(after, group_);
    if (stored) {
      set_.Commit();
      stored_ = group_;
    } else {
      set_.Forget();
      group_ = stored_;
    }
    marks_.clear();
  }

  const PostingSet& set() const { return set_; }

 private:
  PostingSet set_;
  Lists stored_;
  Lists group_;
  std::vector<std::pair<size_t, Lists>> marks_;
};

TEST(PostingSet, IsAMapOfSetsWithSavePoints) {
  Random random;
  for (int history = 0; history < 30; ++history) {
    PostingModel model;
    for (int step = 0; step < 1000; ++step) {
      const std::string key = absl::StrCat("block", random.Between(0, 9));
      // Few offsets, so that adding what is there and removing what is not happen too.
      const auto offset = static_cast<uint8_t>(random.Between(250, 255));
      switch (random.Between(0, 19)) {
        case 0:
          model.EndGroup(!random.OneIn(4));
          break;
        case 1:
          model.Mark();
          break;
        case 2:
          if (model.has_mark()) model.RollBack();
          break;
        default:
          model.Apply(key, offset,
                      random.OneIn(2) ? PostingSet::Change::kAdd : PostingSet::Change::kRemove);
      }
    }
    model.EndGroup(true);
  }
}

TEST(PostingSet, AnEmptiedBlockIsDeleted) {
  PostingSet set;
  IdSet stored;
  stored.Add(7);
  set.Load("block", stored);
  set.Apply("block", 7, PostingSet::Change::kRemove);
  std::vector<Mutation> mutations;
  set.AppendMutations(&mutations);
  ASSERT_EQ(mutations.size(), 1u);
  EXPECT_TRUE(mutations[0].is_delete);
  EXPECT_EQ(mutations[0].key, "block");
}

TEST(PostingSet, KeepsHotBlocksAndDropsThemOnceThereAreTooMany) {
  PostingModel model;
  model.Apply("hot", 1, PostingSet::Change::kAdd);
  model.EndGroup(true);
  EXPECT_TRUE(model.set().IsLoaded("hot"));
  for (int i = 0; i < 4200; ++i) {
    model.Apply(absl::StrCat("block", i), 1, PostingSet::Change::kAdd);
  }
  model.EndGroup(true);
  EXPECT_FALSE(model.set().IsLoaded("hot"));
  model.Apply("hot", 2, PostingSet::Change::kAdd);
  model.EndGroup(true);
}

TEST(PostingSet, ForgetsWhatCouldNotBeStored) {
  PostingModel model;
  model.Apply("block", 1, PostingSet::Change::kAdd);
  model.EndGroup(false);
  EXPECT_FALSE(model.set().IsLoaded("block"));
  model.Apply("block", 2, PostingSet::Change::kAdd);
  model.EndGroup(true);
}

}  // namespace
}  // namespace pedigree
