// The cache of records: what it finds at which version, what it forgets, and that it never shows a
// reader bytes of another version, whatever readers and the committer do at once.
#include "store/record_cache.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/keys.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using Key = RecordCache::Key;

constexpr size_t kLarge = size_t{64} << 20;

Key ArtifactKey(int64_t id) { return RecordCache::NodeOf(NodeKind::kArtifact, id); }

constexpr char kNotThere[] = "not there";

std::string TextOf(const SharedBytes& bytes) {
  return bytes ? std::string(bytes.view()) : kNotThere;
}

std::vector<std::string> FindMany(RecordCache& cache, const std::vector<Key>& keys,
                                  uint64_t version) {
  SharedBytesList found(keys.size());
  cache.FindMany(keys, version, &found);
  std::vector<std::string> texts;
  for (const absl::string_view view : found.views) {
    texts.push_back(view.data() == nullptr ? kNotThere : std::string(view));
  }
  return texts;
}

TEST(RecordCache, FindsWhatWasInserted) {
  RecordCache cache(kLarge);
  EXPECT_FALSE(cache.Find(ArtifactKey(7), 1));
  cache.Insert(ArtifactKey(7), 1, "seven");
  cache.Insert(RecordCache::NodeOf(NodeKind::kExecution, 7), 1, "execution");
  cache.Insert(RecordCache::NodeOf(NodeKind::kContext, 7), 1, "");
  cache.Insert(RecordCache::EventsOf(7), 1, "events");
  EXPECT_EQ(TextOf(cache.Find(ArtifactKey(7), 1)), "seven");
  EXPECT_EQ(TextOf(cache.Find(RecordCache::NodeOf(NodeKind::kExecution, 7), 1)), "execution");
  EXPECT_EQ(TextOf(cache.Find(RecordCache::NodeOf(NodeKind::kContext, 7), 1)), "");
  EXPECT_EQ(TextOf(cache.Find(RecordCache::EventsOf(7), 1)), "events");
  EXPECT_FALSE(cache.Find(ArtifactKey(8), 1));
}

TEST(RecordCache, KnowsTheKeysOfTheStore) {
  Key key = {};
  ASSERT_TRUE(RecordCache::FromStoreKey(NodeKey{NodeKind::kArtifact, 7}.Encode(), &key));
  EXPECT_EQ(key, ArtifactKey(7));
  ASSERT_TRUE(RecordCache::FromStoreKey(ExecutionEventsKey{7, 1}.Encode(), &key));
  EXPECT_EQ(key, RecordCache::EventsOf(7));
  EXPECT_FALSE(RecordCache::FromStoreKey("", &key));
  EXPECT_FALSE(RecordCache::FromStoreKey(UriKey{"uri", 7}.Encode(), &key));
}

TEST(RecordCache, HasNoPlaceForIdsThatNoNodeHas) {
  RecordCache cache(kLarge);
  for (const int64_t id : {int64_t{0}, int64_t{-1}, int64_t{1} << 53, int64_t{1} << 62}) {
    cache.Insert(ArtifactKey(id), 1, "bytes");
    EXPECT_FALSE(cache.Find(ArtifactKey(id), 1)) << id;
    EXPECT_EQ(FindMany(cache, {ArtifactKey(id)}, 1)[0], kNotThere) << id;
  }
}

TEST(RecordCache, ShowsBytesFromTheirVersionUntilTheKeyChanges) {
  RecordCache cache(kLarge);
  cache.Insert(ArtifactKey(1), 5, "first");
  EXPECT_FALSE(cache.Find(ArtifactKey(1), 4)) << "they may be younger than that";
  EXPECT_EQ(TextOf(cache.Find(ArtifactKey(1), 5)), "first");
  EXPECT_EQ(TextOf(cache.Find(ArtifactKey(1), 9)), "first");

  cache.Change(ArtifactKey(1), 10);
  EXPECT_FALSE(cache.Find(ArtifactKey(1), 9));
  EXPECT_FALSE(cache.Find(ArtifactKey(1), 10));
  cache.Insert(ArtifactKey(1), 9, "first");
  EXPECT_FALSE(cache.Find(ArtifactKey(1), 10)) << "a reader that was slow has old bytes";
  cache.Insert(ArtifactKey(1), 10, "second");
  EXPECT_EQ(TextOf(cache.Find(ArtifactKey(1), 10)), "second");
  EXPECT_EQ(TextOf(cache.Find(ArtifactKey(1), 12)), "second");
  EXPECT_FALSE(cache.Find(ArtifactKey(1), 9));
}

TEST(RecordCache, LeavesBytesToThoseWhoHoldThem) {
  RecordCache cache(kLarge);
  cache.Insert(ArtifactKey(1), 1, "bytes");
  const SharedBytes held = cache.Find(ArtifactKey(1), 1);
  EXPECT_EQ(held.view().data(), cache.Find(ArtifactKey(1), 1).view().data())
      << "shared, not copied";
  cache.Change(ArtifactKey(1), 2);
  EXPECT_EQ(TextOf(held), "bytes");
}

TEST(RecordCache, OfNoBytesHoldsNothing) {
  RecordCache cache(0);
  cache.Insert(ArtifactKey(1), 1, "");
  cache.Change(ArtifactKey(1), 2);
  cache.Insert(ArtifactKey(1), 2, "bytes");
  EXPECT_EQ(FindMany(cache, {ArtifactKey(1)}, 2)[0], kNotThere);
  EXPECT_FALSE(cache.Find(ArtifactKey(1), 2));
}

// What the program has asked the allocator for; always 0 where that is a sanitizer's.
size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Whatever the sizes of what is inserted.
TEST(RecordCache, HoldsNoMoreThanItsCapacity) {
  constexpr size_t kCapacity = size_t{64} << 20;
  for (const size_t size : {size_t{0}, size_t{10}, size_t{1000}, size_t{3000}, kCapacity / 2}) {
    const size_t before = AllocatedBytes();
    RecordCache cache(kCapacity);
    const auto key_of = [](int64_t i) { return ArtifactKey(i << 12); };  // Of all shards in turn.
    const auto keys = static_cast<int64_t>(4 * kCapacity / (size + 50));
    for (int64_t i = 1; i <= keys; ++i) cache.Insert(key_of(i), 1, std::string(size, 'x'));
    // Blocks of memory are taken before they are filled.
    EXPECT_LE(AllocatedBytes(), before + 2 * kCapacity + kCapacity / 8) << size;
    size_t bytes = 0;
    for (int64_t i = 1; i <= keys; ++i) {
      // Looking moves what is found, and may push out others, but adds nothing.
      if (cache.Find(key_of(i), 1)) bytes += size + sizeof(Key) + 2 * sizeof(size_t);
    }
    EXPECT_LE(bytes, kCapacity) << size;
    // Half of it is forgotten at a time. What would push out most of a shard has no place.
    if (size <= 3000) {
      EXPECT_GE(bytes, kCapacity / 8) << size;
    } else {
      EXPECT_EQ(bytes, 0u);
    }
  }
}

TEST(RecordCache, KeepsWhatIsAskedForAndForgetsTheRest) {
  RecordCache cache(size_t{4} << 20);
  const std::string bytes(200, 'x');
  // Of one shard, and as many as push out a generation some ten times.
  cache.Insert(ArtifactKey(1), 1, bytes);
  cache.Insert(ArtifactKey(2), 1, bytes);
  for (int64_t id = 3; id < 1500; ++id) {
    cache.Insert(ArtifactKey(id), 1, bytes);
    ASSERT_EQ(TextOf(cache.Find(ArtifactKey(1), 1)), bytes) << id;
  }
  EXPECT_FALSE(cache.Find(ArtifactKey(2), 1));
  EXPECT_TRUE(cache.Find(ArtifactKey(1499), 1));
}

TEST(RecordCache, ForgetsAChangedKeyOfEitherGeneration) {
  RecordCache cache(size_t{4} << 20);
  const std::string bytes(200, 'x');
  const auto fill = [&](int64_t begin, uint64_t version) {
    // Until the first of them is of the old generation.
    for (int64_t id = begin; id < begin + 150; ++id) {
      cache.Insert(ArtifactKey(id), version, bytes);
    }
  };
  fill(1, 1);
  for (int64_t id = 1; id <= 150; ++id) cache.Change(ArtifactKey(id), 2);
  for (int64_t id = 1; id <= 150; ++id) EXPECT_FALSE(cache.Find(ArtifactKey(id), 2)) << id;
  fill(1, 2);
  EXPECT_TRUE(cache.Find(ArtifactKey(150), 2));
}

// All shards, both generations, present and absent, more keys of a shard than are found at once.
TEST(RecordCache, FindsManyAsOneByOne) {
  Random random;
  int64_t found_in_all = 0;
  for (int round = 0; round < 200; ++round) {
    // Where nothing is pushed out, all that is asked for is found.
    const bool is_small = random.OneIn(2);
    RecordCache cache(is_small ? size_t{1} << random.Between(14, 20) : kLarge);
    const auto last = int64_t{1} << random.Between(3, 17);
    std::map<int64_t, uint64_t> inserted;  // With their versions.
    for (int i = 0; i < 500; ++i) {
      const int64_t id = random.Between(1, last);
      const auto version = static_cast<uint64_t>(random.Between(1, 3));
      cache.Insert(ArtifactKey(id), version, std::to_string(id));
      inserted.insert({id, version});
    }
    std::vector<int64_t> ids;
    for (int64_t id = 0; id <= last + 2; id += random.Between(1, 1 + last / 300)) ids.push_back(id);
    if (random.OneIn(4)) std::reverse(ids.begin(), ids.end());
    std::vector<Key> keys;
    for (const int64_t id : ids) keys.push_back(ArtifactKey(id));
    const std::vector<std::string> found = FindMany(cache, keys, 2);
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto it = inserted.find(ids[i]);
      const bool is_there = it != inserted.end() && it->second <= 2;
      if (!is_small) {
        ASSERT_EQ(found[i] != kNotThere, is_there) << ids[i];
      }
      if (found[i] == kNotThere) continue;
      ++found_in_all;
      // A small one may have forgotten the first version of a key and taken another.
      ASSERT_TRUE(it != inserted.end());
      ASSERT_EQ(found[i], std::to_string(ids[i]));
    }
  }
  EXPECT_GT(found_in_all, 2000) << "the test shows little";
}

// What a store would do, with the versions of all keys written down beforehand: at version v, the
// bytes of a key are those of the last version up to v at which it changed.
class History {
 public:
  static constexpr uint64_t kVersions = 3000;
  static constexpr int64_t kIds = 200;

  explicit History(Random* random) {
    for (uint64_t version = 1; version <= kVersions; ++version) {
      changed_at_[version] = changed_at_[version - 1];
      for (int64_t count = random->Between(0, 4); count > 0; --count) {
        changed_at_[version][IndexOf(random->Between(1, kIds))] = version;
      }
    }
  }

  bool ChangesAt(int64_t id, uint64_t version) const {
    return changed_at_[version][IndexOf(id)] == version;
  }
  std::string BytesAt(int64_t id, uint64_t version) const {
    // Of a length that pushes others out now and then.
    return absl::StrCat(id, "@", changed_at_[version][IndexOf(id)],
                        std::string(static_cast<size_t>(id) % 50, 'x'));
  }

 private:
  // Ids that are in several shards.
  static size_t IndexOf(int64_t id) { return static_cast<size_t>(id); }

  std::vector<std::array<uint64_t, kIds + 1>> changed_at_{kVersions + 1};
};
// Ids of the history are spread over the shards.
Key KeyOf(int64_t id) { return ArtifactKey(id * 700); }

// Finds or inserts some of the history's keys as of a version, as a reader does.
testing::AssertionResult ReadSome(RecordCache* cache, const History& history, uint64_t version,
                                  Random* random) {
  std::vector<int64_t> ids;
  for (int64_t id = random->Between(1, History::kIds); id <= History::kIds && ids.size() < 40;
       id += random->Between(1, 5)) {
    ids.push_back(id);
  }
  std::vector<Key> keys;
  for (const int64_t id : ids) keys.push_back(KeyOf(id));
  std::vector<std::string> found;
  if (random->OneIn(2)) {
    found = FindMany(*cache, keys, version);
  } else {
    for (const Key key : keys) found.push_back(TextOf(cache->Find(key, version)));
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string expected = history.BytesAt(ids[i], version);
    if (found[i] == kNotThere) {
      cache->Insert(keys[i], version, expected);
    } else if (found[i] != expected) {
      return testing::AssertionFailure()
             << found[i] << " instead of " << expected << " at " << version;
    }
  }
  return testing::AssertionSuccess();
}

// Some readers are of versions long gone.
uint64_t SomeVersion(uint64_t published, Random* random) {
  const auto behind = static_cast<uint64_t>(random->OneIn(4) ? random->Between(0, 50) : 0);
  return published - std::min(published, behind);
}

TEST(RecordCache, ShowsEachReaderItsVersion) {
  Random random;
  for (const size_t capacity : {kLarge, size_t{1} << 17}) {
    const History history(&random);
    RecordCache cache(capacity);
    for (uint64_t version = 1; version <= History::kVersions; ++version) {
      for (int64_t id = 1; id <= History::kIds; ++id) {
        if (history.ChangesAt(id, version)) cache.Change(KeyOf(id), version);
        // Readers go on between the changes of a group, with what is published.
        if (random.OneIn(500)) {
          ASSERT_TRUE(ReadSome(&cache, history, SomeVersion(version - 1, &random), &random));
        }
      }
      ASSERT_TRUE(ReadSome(&cache, history, SomeVersion(version, &random), &random));
    }
  }
}

TEST(RecordCache, ShowsEachReaderItsVersionWhileOthersReadAndWrite) {
  constexpr int kReaders = 4;
  Random random;
  for (const size_t capacity : {kLarge, size_t{1} << 17}) {
    const History history(&random);
    RecordCache cache(capacity);
    std::atomic<uint64_t> published = 0;
    std::atomic<int64_t> reads = 0;
    std::vector<std::thread> readers;
    for (uint64_t reader = 0; reader < kReaders; ++reader) {
      readers.emplace_back([&, seed = random.Bits()] {
        Random own(seed);
        for (uint64_t version = 0; version < History::kVersions; ++reads) {
          version = published.load(std::memory_order_acquire);
          const auto read = ReadSome(&cache, history, SomeVersion(version, &own), &own);
          EXPECT_TRUE(read);
          if (!read) return;
        }
      });
    }
    for (uint64_t version = 1; version <= History::kVersions; ++version) {
      for (int64_t id = 1; id <= History::kIds; ++id) {
        if (history.ChangesAt(id, version)) cache.Change(KeyOf(id), version);
      }
      published.store(version, std::memory_order_release);
      if (version % 16 == 0) {
        // Nobody shall be left behind for good.
        const int64_t before = reads;
        while (reads == before && !testing::Test::HasFailure()) std::this_thread::yield();
      }
    }
    for (std::thread& thread : readers) thread.join();
  }
}

TEST(RecordCache, OfAStoreShowsOldReadersOldRecords) {
  TestStore store;
  const int64_t type = PutType<Artifact>(store, "data");
  Artifact artifact = NewNode<Artifact>(type);
  artifact.set_uri("first");
  artifact.set_id(*Insert(store, artifact));
  const auto uri_at = [&](const std::shared_ptr<const Version>& version) {
    const Reader reader(version, Blocking::kAllowed);
    const auto found = reader.FindNode<Artifact>(artifact.id());
    EXPECT_TRUE(IsOk(found));
    return found.ok() && found->has_value() ? (*found)->uri() : "none";
  };
  const auto before = store->CurrentVersion();
  EXPECT_EQ(uri_at(before), "first");
  EXPECT_EQ(uri_at(before), "first") << "from the cache";
  artifact.set_uri("second");
  ASSERT_TRUE(IsOk(Update(store, artifact)));
  EXPECT_EQ(uri_at(before), "first");
  EXPECT_EQ(uri_at(store->CurrentVersion()), "second");
  EXPECT_EQ(uri_at(before), "first");
  EXPECT_EQ(uri_at(store->CurrentVersion()), "second");
}

}  // namespace
}  // namespace pedigree
