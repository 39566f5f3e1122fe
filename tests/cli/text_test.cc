#include "cli/text.h"

#include <gtest/gtest.h>

namespace pedigree::cli {
namespace {

TEST(Text, PadsByCharacters) {
  EXPECT_EQ(WidthOf("├─ é"), 4U);
  EXPECT_EQ(PadTo("é", 3), "é  ");
  EXPECT_EQ(PadTo("abc", 2), "abc");
}

TEST(Text, GroupsAndCounts) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(-123456), "-123,456");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
  EXPECT_EQ(Count(1, "call"), "1 call");
  EXPECT_EQ(Count(0, "call"), "0 calls");
}

TEST(Text, ShowsDurationsShortly) {
  EXPECT_EQ(ShortDuration(0), "0 ms");
  EXPECT_EQ(ShortDuration(999), "999 ms");
  EXPECT_EQ(ShortDuration(1299), "1.2 s");
  EXPECT_EQ(ShortDuration(123'000), "2 min 3 s");
  EXPECT_EQ(ShortDuration(3'720'000), "1 h 2 min");
}

TEST(Text, ShortensUrisToSchemeAndLastParts) {
  EXPECT_EQ(ShortUri("gs://b/data.csv", 20), "gs://b/data.csv");
  EXPECT_EQ(ShortUri("minio://bucket/pipeline/run/work/piece", 23), "minio://…/work/piece");
  EXPECT_EQ(ShortUri("minio://bucket/aaaaaaaaaaaaaaaaaaaaaaaaa", 20), "minio://…aaaaaaaaaaa");
  EXPECT_EQ(ShortUri("/long/path/without/scheme", 12), "…/scheme");
  EXPECT_EQ(WidthOf(ShortUri("gs://" + std::string(50, 'x') + "ééééééééééééééé", 16)), 16U);
}

TEST(Text, ColoursOnlyWhenAsked) {
  EXPECT_EQ(Paint::Plain()(Colour::kRed, "x"), "x");
  EXPECT_EQ(Paint::Coloured()(Colour::kRed, "x"), "\033[31mx\033[0m");
  EXPECT_EQ(Paint::Coloured()(Colour::kPlain, "x"), "x");
}

TEST(Text, PutsErrorsOnOneLine) {
  EXPECT_EQ(OnOneLine("a\nb\n\nc\n"), "a | b | c");
  EXPECT_LT(OnOneLine(std::string(5000, 'x')).size(), 700U);
}

}  // namespace
}  // namespace pedigree::cli
