// The options that lineage commands share.
#include "cli/lineage/question.h"

#include <gtest/gtest.h>

namespace pedigree::cli {
namespace {

int64_t Time(absl::string_view text) {
  const auto time = ParseTime(text, absl::UTCTimeZone());
  EXPECT_TRUE(time.ok()) << time.status();
  return time.value_or(-1);
}

TEST(ParseTime, ReadsWhatPeopleWrite) {
  EXPECT_EQ(Time("1767225600123"), 1767225600123);
  EXPECT_EQ(Time("0"), 0);
  EXPECT_EQ(Time("2026-01-01"), 1767225600000);
  EXPECT_EQ(Time("2026-01-01T00:00:00Z"), 1767225600000);
  EXPECT_EQ(Time("2026-01-01T00:00:00.25Z"), 1767225600250);
  EXPECT_EQ(Time("2026-01-01T01:00:00+01:00"), 1767225600000);
}

TEST(ParseTime, ADateBeginsWhereOneIs) {
  EXPECT_EQ(*ParseTime("2026-01-01", absl::FixedTimeZone(3600)), 1767225600000 - 3'600'000);
}

TEST(ParseTime, RefusesTheRest) {
  for (const char* text : {"", "-1", "yesterday", "2026-13-01", "2026-01-01T00:00:00", "1.5",
                           "99999999999999999999"}) {
    const auto time = ParseTime(text, absl::UTCTimeZone());
    EXPECT_EQ(time.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_NE(time.status().message().find("2026-03-01"), absl::string_view::npos) << "a hint";
  }
}

TEST(ScopeOf, SaysWhatIsAsked) {
  const auto scope = ScopeOf({.depth = 3,
                              .where = "a",
                              .where_executions = "b",
                              .stop_at = "c",
                              .stop_at_executions = "d",
                              .as_of = "5"});
  ASSERT_TRUE(scope.ok());
  EXPECT_EQ(scope->max_hops(), 3);
  EXPECT_EQ(scope->artifact_filter(), "a");
  EXPECT_EQ(scope->execution_filter(), "b");
  EXPECT_EQ(scope->stop_artifacts(), "c");
  EXPECT_EQ(scope->stop_executions(), "d");
  EXPECT_EQ(scope->as_of_ms(), 5);
  EXPECT_EQ(RemarkOf(*scope), "as of 1970-01-01T00:00:00.005Z");
  const auto all = ScopeOf({});
  ASSERT_TRUE(all.ok());
  EXPECT_FALSE(all->has_max_hops());
  EXPECT_FALSE(all->has_as_of_ms());
  EXPECT_EQ(RemarkOf(*all), "");
}

}  // namespace
}  // namespace pedigree::cli
