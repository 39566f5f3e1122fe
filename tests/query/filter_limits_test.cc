// Filters at and beyond the limits: wide ones parse, deep and large ones are refused, all in
// linear time (what is not would be noticed by the runner's timeout) and on little stack.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "query/filter_parser.h"
#include "tests/store/status_testing.h"

namespace pedigree {
namespace {

absl::StatusOr<Filter> Parse(absl::string_view text) {
  return ParseFilter(NodeKind::kArtifact, text);
}

std::string Repeat(absl::string_view text, size_t times) {
  std::string repeated;
  repeated.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) repeated.append(text.data(), text.size());
  return repeated;
}

// Refused, in few words, one of which is `about`.
void ExpectRefused(absl::string_view text, absl::string_view about) {
  const auto filter = Parse(text);
  ASSERT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(filter.status().message(), about)) << filter.status();
  EXPECT_LE(filter.status().message().size(), 700U);
}

constexpr absl::string_view kTooDeep = "more than 200 nested expressions";

TEST(FilterLimits, TenThousandTermsAreOneFlatPredicate) {
  for (const char* word : {" AND ", " OR "}) {
    const auto filter = Parse(absl::StrCat("id = 0", Repeat(absl::StrCat(word, "id = 1"), 9'999)));
    ASSERT_TRUE(IsOk(filter));
    EXPECT_EQ(filter->RootPredicate().operand_count, 10'000U);
    EXPECT_EQ(filter->predicates.size(), 10'001U);
    const auto again = Parse(ToString(*filter));
    ASSERT_TRUE(IsOk(again));
    EXPECT_EQ(ToString(*again), ToString(*filter));
  }
}

TEST(FilterLimits, TenThousandItemsOfAListParse) {
  const auto ints = Parse(absl::StrCat("id IN (0", Repeat(", 123456", 9'999), ")"));
  ASSERT_TRUE(IsOk(ints));
  EXPECT_EQ(ints->RootPredicate().operand_count, 10'001U);
  const auto strings =
      Parse(absl::StrCat("name IN ('a'", Repeat(", 'a\\n quoted name'", 9'999), ")"));
  ASSERT_TRUE(IsOk(strings));
  EXPECT_EQ(strings->TextOf(strings->ScalarOf(strings->RootPredicate(), 10'000)),
            "a\n quoted name");
}

TEST(FilterLimits, NestingIsBounded) {
  const auto nested = [](absl::string_view open, size_t depth, absl::string_view inner,
                         absl::string_view close) {
    return absl::StrCat(Repeat(open, depth), inner, Repeat(close, depth));
  };
  EXPECT_TRUE(IsOk(Parse(nested("(", 200, "id = 1", ")"))));
  EXPECT_TRUE(IsOk(Parse(nested("NOT ", 200, "id = 1", ""))));
  EXPECT_TRUE(IsOk(Parse(absl::StrCat("id = ", nested("-", 200, "1", "")))));
  EXPECT_TRUE(IsOk(Parse(nested("(id = 2 OR id = 3 AND ", 90, "id = 1", ")"))));
  EXPECT_TRUE(IsOk(Parse(absl::StrCat("id = 1", Repeat(" + 1", 197)))));
  for (const size_t depth : {201, 300, 100'000}) {
    ExpectRefused(nested("(", depth, "id = 1", ")"), kTooDeep);
    ExpectRefused(nested("(", depth, "", ""), kTooDeep);
    ExpectRefused(nested("NOT ", depth, "id = 1", ""), kTooDeep);
    ExpectRefused(absl::StrCat("id = ", nested("-", depth, "id", "")), kTooDeep);
    ExpectRefused(absl::StrCat("id = ", nested("+", depth, "1", "")), kTooDeep);
    ExpectRefused(absl::StrCat("id = ", nested("(", depth, "1", ")")), kTooDeep);
    ExpectRefused(absl::StrCat("id = 1", Repeat(" + 1", depth)), kTooDeep);
    ExpectRefused(absl::StrCat("id = 1", Repeat("*1", depth)), kTooDeep);
  }
  for (const size_t depth : {201, 300, 5'000}) {
    ExpectRefused(nested("(id = 2 OR id = 3 AND ", depth, "id = 1", ")"), kTooDeep);
    ExpectRefused(nested("NOT (id = 1 AND ", depth, "id = 1", ")"), kTooDeep);
    ExpectRefused(absl::StrCat(nested("(1 + ", depth, "1", ")"), " = 1"), kTooDeep);
    ExpectRefused(nested("id IN (", depth, "1", ")"), "");
  }
}

// A chain of tests on one side: ((((x) IS NOT TRUE) IS NOT TRUE) ...
TEST(FilterLimits, TestsOfTestsAreBounded) {
  const auto tests = [](size_t depth) {
    return absl::StrCat(Repeat("(", depth), "id = 1", Repeat(") IS NOT TRUE", depth));
  };
  EXPECT_TRUE(IsOk(Parse(tests(200))));
  ExpectRefused(tests(201), kTooDeep);
  ExpectRefused(tests(50'000), kTooDeep);
}

// What parses prints as something that parses, at the limit too.
TEST(FilterLimits, PrintingNeedsNoMoreLevelsThanThereAre) {
  std::string condition = "(id != -1) IS NOT FALSE";
  std::string enums = "NOT (state = LIVE)";
  std::string value = "id";
  std::string sum = "-1";
  size_t accepted = 0;
  for (int depth = 0; depth < 250; ++depth) {
    const char* word = depth % 2 == 0 ? " AND " : " OR ";
    condition = absl::StrCat("id = 2", word, "(", condition, ")");
    enums = absl::StrCat("id = 2", word, "(", enums, ")");
    value = absl::StrCat("-(", value, ")");
    sum = absl::StrCat("-1 * (", sum, ")");
    for (const std::string& text :
         {condition, enums, absl::StrCat("id = ", value), absl::StrCat("id = ", sum),
          absl::StrCat("(id = ", sum, ") IS NOT FALSE"), absl::StrCat("NOT id IN (", value, ")")}) {
      const auto filter = Parse(text);
      if (!filter.ok()) continue;
      ++accepted;
      const auto again = Parse(ToString(*filter));
      ASSERT_TRUE(IsOk(again)) << depth;
      EXPECT_EQ(ToString(*again), ToString(*filter));
    }
  }
  EXPECT_GT(accepted, 800U);
}

TEST(FilterLimits, VariablesAreBounded) {
  const auto aliases = [](size_t count) {
    std::string text = "id > 0";
    for (size_t i = 0; i < count; ++i) absl::StrAppend(&text, " AND contexts_", i, ".id > 0");
    return text;
  };
  const auto filter = Parse(aliases(63));
  ASSERT_TRUE(IsOk(filter));
  EXPECT_EQ(filter->variables.size(), kMaxFilterVariables);
  EXPECT_EQ(filter->RootPredicate().variables, ~VariableSet{0});
  EXPECT_TRUE(IsOk(Parse(absl::StrCat(aliases(63), " AND contexts_62.id = 1"))));
  ExpectRefused(aliases(64), "found 'contexts_63', expected at most 63");
  ExpectRefused(aliases(1'000), "expected at most 63");
}

TEST(FilterLimits, TheTextIsBounded) {
  std::string text = absl::StrCat("name = '", std::string(kMaxFilterBytes, 'x'), "'");
  ExpectRefused(text, "expected at most 1048576");
  text = absl::StrCat("name = '", std::string(kMaxFilterBytes - 9, 'x'), "'");
  ASSERT_EQ(text.size(), kMaxFilterBytes);
  const auto filter = Parse(text);
  ASSERT_TRUE(IsOk(filter));
  EXPECT_EQ(filter->text.size(), kMaxFilterBytes - 9);
}

// A mebibyte of anything takes milliseconds; were any of it quadratic, hours.
TEST(FilterLimits, AMebibyteOfAnythingIsReadInOnePass) {
  for (const absl::string_view part : {" ",
                                       "(",
                                       ")",
                                       "'",
                                       "''",
                                       "\"",
                                       "`",
                                       "\\",
                                       "'\\",
                                       "a",
                                       "a.",
                                       ".",
                                       "1",
                                       "1.",
                                       "1e",
                                       "-",
                                       "+",
                                       "--1",
                                       "id",
                                       "id ",
                                       "id = 1 AND ",
                                       "id = 1 OR id = 1 AND ",
                                       "NOT ",
                                       "id,",
                                       "1,",
                                       "*",
                                       "=",
                                       "id IN (",
                                       "id IN (1) AND ",
                                       "id BETWEEN ",
                                       "name LIKE '%' AND ",
                                       "'\\x41",
                                       "\xff",
                                       "\xc3\xa4",
                                       "@",
                                       "TRUE AND ",
                                       "TRUE OR FALSE AND ",
                                       "contexts_a.",
                                       "contexts_a.id = 1 AND ",
                                       "properties.`a b`.int_value = 1 OR ",
                                       "state = LIVE AND ",
                                       "state = X AND ",
                                       "\n",
                                       "(id = 1) AND ",
                                       "(id) = 1 OR ",
                                       "id IS NULL AND ",
                                       "(id = 1) IS TRUE AND "}) {
    for (const absl::string_view prefix : {"", "id IN (", "name = '", "id = 1 AND "}) {
      std::string text(prefix);
      text.append(Repeat(part, (kMaxFilterBytes - prefix.size()) / part.size()));
      const auto filter = Parse(text);
      if (!filter.ok()) {
        EXPECT_LE(filter.status().message().size(), 700U) << filter.status();
      }
    }
    const std::string whole =
        absl::StrCat(Repeat(part, (kMaxFilterBytes - 10) / part.size()), "id = 1");
    const auto filter = Parse(whole);
    if (filter.ok()) {
      EXPECT_FALSE(ToString(*filter).empty());
    }
  }
  const auto list = Parse(absl::StrCat("id IN (", Repeat("1,", 500'000), "1)"));
  ASSERT_TRUE(IsOk(list));
  EXPECT_EQ(list->RootPredicate().operand_count, 500'002U);
}

}  // namespace
}  // namespace pedigree
