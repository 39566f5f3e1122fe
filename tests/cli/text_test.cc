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
  EXPECT_EQ(ShortDuration(int64_t{76} * 3600 * 1000), "3 d 4 h");
}

TEST(Text, ShortensUrisToSchemeAndLastParts) {
  EXPECT_EQ(ShortUri("gs://b/data.csv", 20), "gs://b/data.csv");
  EXPECT_EQ(ShortUri("minio://bucket/pipeline/run/step/piece", 23), "minio://…/step/piece");
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

TEST(Text, KnowsWidthsOfOtherScripts) {
  EXPECT_EQ(WidthOf("日本"), 4U);
  EXPECT_EQ(WidthOf("e\u0301"), 1U);  // An accent of its own.
  EXPECT_EQ(WidthOf("🙂"), 2U);
  EXPECT_EQ(WidthOf("\xff\xfe"), 2U);  // No UTF-8.
  EXPECT_EQ(WidthOf("\xe6\x97"), 2U);  // Nor this.
}

TEST(Text, CutsBetweenCharacters) {
  EXPECT_EQ(CutTo("abc", 3), "abc");
  EXPECT_EQ(CutTo("abcd", 3), "ab…");
  EXPECT_EQ(CutTo("日本語", 4), "日…");
  EXPECT_EQ(CutTo("é\u0301é\u0301é\u0301", 2), "é\u0301…");
  EXPECT_EQ(CutTo("abc", 1), "…");
  EXPECT_EQ(CutTo("abc", 0), "");
}

TEST(Text, LeavesATerminalNothingToObey) {
  EXPECT_EQ(Printable("zoë 日本\t"), "zoë 日本\\t");
  EXPECT_EQ(Printable("\033[31m"), "\\033[31m");
  EXPECT_EQ(Printable("a\r\nb"), "a\\r\\nb");
  EXPECT_EQ(Printable("\u009b31m"), "\\u009b31m");  // A control character of two bytes.
  EXPECT_EQ(Printable("\xff"), "\\377");
  EXPECT_EQ(Printable("\xe6\x97"), "\\346\\227");
}

TEST(Text, ShowsBytesAndTimes) {
  EXPECT_EQ(ShortBytes(0), "0 B");
  EXPECT_EQ(ShortBytes(1023), "1023 B");
  EXPECT_EQ(ShortBytes(1536), "1.5 KiB");
  EXPECT_EQ(ShortBytes(int64_t{5} << 40), "5.0 TiB");
  EXPECT_EQ(Screen::Plain().Time(0), "-");
  EXPECT_EQ(Screen::Plain().Time(1772442100250), "2026-03-02T09:01:40.250Z");
}

}  // namespace
}  // namespace pedigree::cli
