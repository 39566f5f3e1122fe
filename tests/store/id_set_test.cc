#include "store/id_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "tests/store/hex.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using Model = std::set<int>;

IdSet SetOf(const Model& model) {
  IdSet set;
  for (int offset : model) set.Add(static_cast<uint8_t>(offset));
  return set;
}

Model RandomMembers(Random& random, size_t size) {
  std::vector<int> offsets(256);
  std::iota(offsets.begin(), offsets.end(), 0);
  for (size_t i = 0; i < size; ++i) std::swap(offsets[i], offsets[i + random.Index(256 - i)]);
  return Model(offsets.begin(), offsets.begin() + static_cast<std::ptrdiff_t>(size));
}

void ExpectEqual(const IdSet& set, const Model& model) {
  EXPECT_EQ(set.Size(), static_cast<int>(model.size()));
  EXPECT_EQ(set.Empty(), model.empty());
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(set.Contains(static_cast<uint8_t>(i)), model.count(i) == 1) << i;
  }
  for (int from = 0; from <= 256; ++from) {
    const auto it = model.lower_bound(from);
    EXPECT_EQ(set.Next(from), it == model.end() ? 256 : *it) << from;
  }
  for (int from = -1; from < 256; ++from) {
    const auto it = model.upper_bound(from);
    EXPECT_EQ(set.Previous(from), it == model.begin() ? -1 : *std::prev(it)) << from;
  }
}

TEST(IdSet, DoesWhatASetDoes) {
  Random random;
  IdSet set;
  Model model;
  for (int round = 0; round < 2000; ++round) {
    const auto offset = static_cast<uint8_t>(random.Bits());
    // Grows, then shrinks, so that it is seen at all sizes.
    if (random.OneIn(round < 1000 ? 4 : 2)) {
      set.Remove(offset);
      model.erase(offset);
    } else {
      set.Add(offset);
      model.insert(offset);
    }
    if (round % 50 == 0) ExpectEqual(set, model);
    EXPECT_EQ(set, SetOf(model));
  }
}

TEST(IdSet, EveryMemberAloneIsFound) {
  for (int i = 0; i < 256; ++i) ExpectEqual(SetOf({i}), {i});
  ExpectEqual(IdSet(), {});
}

TEST(IdSet, ComesBackAtEverySize) {
  Random random;
  for (size_t size = 1; size <= 256; ++size) {
    const Model model = RandomMembers(random, size);
    const std::string bytes = SetOf(model).Encode();
    EXPECT_EQ(bytes.size(), std::min(size, size_t{32}));
    IdSet decoded;
    ASSERT_TRUE(IdSet::Decode(bytes, &decoded)) << size;
    EXPECT_EQ(decoded, SetOf(model)) << size;
    EXPECT_EQ(decoded.Encode(), bytes) << size;
  }
}

TEST(IdSet, Vectors) {
  EXPECT_EQ(Hex(SetOf({7}).Encode()), "07");
  EXPECT_EQ(Hex(SetOf({0, 7, 255}).Encode()), "0007ff");
  Model first_32;
  for (int i = 0; i < 32; ++i) first_32.insert(i);
  EXPECT_EQ(Hex(SetOf(first_32).Encode()), "ffffffff" + std::string(56, '0'));
  first_32.erase(0);
  first_32.insert(250);
  EXPECT_EQ(Hex(SetOf(first_32).Encode()), "feffffff" + std::string(54, '0') + "04");
}

TEST(IdSet, DecodeRefusesWhatEncodeNeverWrites) {
  std::string bitmap_of_31(32, '\0');
  for (size_t i = 0; i < 31; ++i) bitmap_of_31[i] = '\x01';
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"nothing", ""},
      {"a repeated offset", FromHex("0707")},
      {"descending offsets", FromHex("0907")},
      {"a bitmap of 31 members", bitmap_of_31},
      {"an empty bitmap", std::string(32, '\0')},
      {"33 bytes", std::string(33, '\xff')},
  };
  for (const auto& [what, bytes] : cases) {
    IdSet set;
    EXPECT_FALSE(IdSet::Decode(bytes, &set)) << what;
  }
}

TEST(IdSet, DecodedBytesAreAlwaysThoseOfTheSet) {
  Random random;
  for (int i = 0; i < 20'000; ++i) {
    const std::string bytes = random.Bytes(34);
    IdSet set;
    if (IdSet::Decode(bytes, &set)) {
      EXPECT_EQ(Hex(set.Encode()), Hex(bytes));
    }
  }
}

TEST(IdSet, BlockAndOffsetMakeTheId) {
  Random random;
  EXPECT_EQ(BlockOf(255), 0);
  EXPECT_EQ(BlockOf(256), 1);
  EXPECT_EQ(OffsetOf(511), 255);
  for (int i = 0; i < 1000; ++i) {
    const auto id = static_cast<int64_t>(random.Skewed() >> 1);
    EXPECT_EQ(IdOf(BlockOf(id), OffsetOf(id)), id);
  }
}

}  // namespace
}  // namespace pedigree
