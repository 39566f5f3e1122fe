// What the store says of itself.
#include "store/statistics.h"

#include <gtest/gtest.h>

#include <numeric>

#include "store/histogram.h"
#include "store/record_cache.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;

constexpr int64_t kBounds[] = {1, 10, 100};

TEST(Histogram, CountsAValueInTheFirstBucketThatHoldsIt) {
  Histogram histogram(kBounds);
  for (const int64_t value : {-5, 0, 1, 2, 10, 11, 100, 101, 1'000'000}) histogram.Observe(value);
  const HistogramValues values = histogram.Values();
  EXPECT_EQ(values.counts, (std::vector<uint64_t>{3, 2, 2, 2}));
  EXPECT_EQ(values.sum, 1'000'220);
}

TEST(RecordCacheStatistics, CountHitsAndMisses) {
  RecordCache cache(size_t{1} << 20);
  const auto key = RecordCache::NodeOf(NodeKind::kArtifact, 1);
  cache.Find(key, 1);
  cache.Insert(key, 1, "bytes");
  cache.Find(key, 1);
  SharedBytesList found(2);
  const RecordCache::Key keys[] = {key, RecordCache::NodeOf(NodeKind::kArtifact, 2)};
  cache.FindMany(keys, 1, &found);
  EXPECT_EQ(cache.Statistics().hits, 2U);
  EXPECT_EQ(cache.Statistics().misses, 2U);
}

TEST(StoreStatistics, AreThoseOfWhatWasWritten) {
  TestStore store(Sync::kAlways);
  const StoreStatistics before = store->Statistics();
  const int64_t type = PutType<Artifact>(store, "t");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(IsOk(Insert(store, NewNode<Artifact>(type))));
  const StoreStatistics after = store->Statistics();
  EXPECT_EQ(after.last_node_id[IndexOf(NodeKind::kArtifact)], 3);
  EXPECT_EQ(after.last_node_id[IndexOf(NodeKind::kContext)], 0);
  EXPECT_EQ(after.types[IndexOf(NodeKind::kArtifact)],
            before.types[IndexOf(NodeKind::kArtifact)] + 1);
  EXPECT_EQ(after.types[IndexOf(NodeKind::kContext)], before.types[IndexOf(NodeKind::kContext)]);
  EXPECT_EQ(after.committer.queued_writes, 0U);
  EXPECT_EQ(after.committer.queued_bytes, 0U);
  // Four groups of one write each, which each had a sync of their own.
  EXPECT_EQ(after.committer.group_requests.sum - before.committer.group_requests.sum, 4);
  EXPECT_GE(after.engine.log_syncs - before.engine.log_syncs, 4U);
  const std::vector<uint64_t>& times = after.committer.apply_ns.counts;
  EXPECT_GE(std::accumulate(times.begin(), times.end(), uint64_t{0}), 4U);
  EXPECT_GT(after.engine.memtable_bytes, 0U);
  EXPECT_TRUE(IsOk(store->WriteStatus()));
}

}  // namespace
}  // namespace pedigree
