#include "cli/parse_time.h"

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

}  // namespace
}  // namespace pedigree::cli
