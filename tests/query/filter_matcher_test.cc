// The matcher's parts; whole filters are compared with an oracle in filter_random_test.cc.
#include "query/filter_matcher.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "tests/store/random.h"

namespace pedigree {
namespace {

bool Like(absl::string_view text, absl::string_view pattern) {
  int64_t steps = 0;
  return IsLike(text, pattern, &steps);
}

TEST(Like, MatchesWholeTexts) {
  EXPECT_TRUE(Like("abc", "abc"));
  EXPECT_FALSE(Like("abc", "ab"));
  EXPECT_FALSE(Like("ab", "abc"));
  EXPECT_TRUE(Like("", ""));
  EXPECT_FALSE(Like("a", ""));
  EXPECT_FALSE(Like("a", "A")) << "to the byte";
}

TEST(Like, PercentIsAnyText) {
  EXPECT_TRUE(Like("", "%"));
  EXPECT_TRUE(Like("abc", "%"));
  EXPECT_TRUE(Like("abc", "a%"));
  EXPECT_TRUE(Like("abc", "%c"));
  EXPECT_TRUE(Like("abc", "%b%"));
  EXPECT_TRUE(Like("aabab", "%ab"));
  EXPECT_TRUE(Like("abc", "%%%"));
  EXPECT_FALSE(Like("abc", "%d%"));
  EXPECT_TRUE(Like("mississippi", "%iss%ip%"));
  EXPECT_FALSE(Like("mississippi", "%iss%is%iss%"));
}

TEST(Like, UnderscoreIsOneCharacter) {
  EXPECT_TRUE(Like("abc", "a_c"));
  EXPECT_FALSE(Like("ac", "a_c"));
  EXPECT_TRUE(Like("ü", "_"));
  EXPECT_FALSE(Like("ü", "__"));
  EXPECT_TRUE(Like("木b", "_b"));
  EXPECT_TRUE(Like("x木", "%_"));
  EXPECT_FALSE(Like("", "%_"));
}

TEST(Like, BackslashTakesTheMeaning) {
  EXPECT_TRUE(Like("100%", "100\\%"));
  EXPECT_FALSE(Like("100x", "100\\%"));
  EXPECT_TRUE(Like("a_b", "a\\_b"));
  EXPECT_FALSE(Like("axb", "a\\_b"));
  EXPECT_TRUE(Like("\\", "\\\\"));
}

// The definition, in exponential time.
bool SlowLike(absl::string_view text, absl::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    return SlowLike(text, pattern.substr(1)) ||
           (!text.empty() && SlowLike(text.substr(1), pattern));
  }
  return !text.empty() && (pattern[0] == '_' || pattern[0] == text[0]) &&
         SlowLike(text.substr(1), pattern.substr(1));
}

TEST(Like, IsTheDefinition) {
  Random random;
  const auto text = [&](const std::vector<char>& letters, int64_t most) {
    std::string made;
    for (int64_t i = random.Between(0, most); i > 0; --i) made += random.Pick(letters);
    return made;
  };
  int matches = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string subject = text({'a', 'b'}, 8);
    const std::string pattern = text({'a', 'b', '%', '_'}, 6);
    const bool expected = SlowLike(subject, pattern);
    ASSERT_EQ(Like(subject, pattern), expected) << subject << " LIKE " << pattern;
    matches += expected;
  }
  EXPECT_GT(matches, 1000);
}

TEST(Like, TakesTheProductOfTheSizesAtMost) {
  const std::string text(2000, 'a');
  const std::string pattern = "%" + std::string(500, 'a') + "b%";
  int64_t steps = 0;
  EXPECT_FALSE(IsLike(text, pattern, &steps));
  EXPECT_LT(steps, 2'000'000);
  EXPECT_GT(steps, 100'000) << "and says so";
}

std::partial_ordering IntAndDouble(int64_t i, double d) {
  const auto order = CompareValues(PropertyValue::Int(i), PropertyValue::Double(d));
  EXPECT_EQ(CompareValues(PropertyValue::Double(d), PropertyValue::Int(i)), 0 <=> order);
  return order;
}

TEST(CompareValues, IntsAndDoublesAreTheNumbersTheyAre) {
  constexpr auto kLess = std::partial_ordering::less;
  constexpr auto kGreater = std::partial_ordering::greater;
  constexpr auto kEqual = std::partial_ordering::equivalent;
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(IntAndDouble(1, 1.0), kEqual);
  EXPECT_EQ(IntAndDouble(0, -0.0), kEqual);
  EXPECT_EQ(IntAndDouble(1, 1.5), kLess);
  EXPECT_EQ(IntAndDouble(-1, -1.5), kGreater);
  EXPECT_EQ(IntAndDouble(9007199254740993, 9007199254740992.0), kGreater);
  EXPECT_EQ(IntAndDouble(kMax, 9223372036854775808.0), kLess);
  EXPECT_EQ(IntAndDouble(kMin, -9223372036854775808.0), kEqual);
  EXPECT_EQ(IntAndDouble(kMin, -9223372036854777856.0), kGreater);
  EXPECT_EQ(IntAndDouble(kMax, HUGE_VAL), kLess);
  EXPECT_EQ(IntAndDouble(kMin, -HUGE_VAL), kGreater);
  EXPECT_EQ(IntAndDouble(0, 5e-324), kLess);
  EXPECT_EQ(IntAndDouble(0, NAN), std::partial_ordering::unordered);
}

TEST(CompareValues, KindsThatDoNotCompareAreUnordered) {
  const PropertyValue values[] = {PropertyValue::Int(1), PropertyValue::String("1"),
                                  PropertyValue::Bool(true), PropertyValue()};
  for (const PropertyValue& a : values) {
    for (const PropertyValue& b : values) {
      if (a.kind != b.kind || a.kind == PropertyValue::Kind::kOther) {
        EXPECT_EQ(CompareValues(a, b), std::partial_ordering::unordered);
      }
    }
  }
}

}  // namespace
}  // namespace pedigree
