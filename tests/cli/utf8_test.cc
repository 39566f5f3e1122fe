#include "cli/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace pedigree::cli {
namespace {

TEST(Utf8, KnowsTheFirstAndLastCharacterOfEachLength) {
  struct Character {
    const char* text;
    uint32_t code;
  };
  for (const Character& one :
       {Character{"\x7f", 0x7F}, Character{"\xC2\x80", 0x80}, Character{"\xDF\xBF", 0x7FF},
        Character{"\xE0\xA0\x80", 0x800}, Character{"\xED\x9F\xBF", 0xD7FF},
        Character{"\xEE\x80\x80", 0xE000}, Character{"\xEF\xBF\xBF", 0xFFFF},
        Character{"\xF0\x90\x80\x80", 0x10000}, Character{"\xF4\x8F\xBF\xBF", 0x10FFFF}}) {
    const std::string text = std::string(one.text) + "x";
    const size_t bytes = Utf8Bytes(text);
    EXPECT_EQ(bytes, text.size() - 1) << one.code;
    EXPECT_EQ(Utf8Code(text, bytes), one.code);
    EXPECT_TRUE(IsUtf8(text));
    if (bytes > 1) {
      EXPECT_FALSE(IsUtf8(text.substr(0, bytes - 1))) << "cut off: " << one.code;
    }
  }
  EXPECT_TRUE(IsUtf8(""));
}

TEST(Utf8, RefusesWhatIsNone) {
  for (const char* text : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2(", "\xE0\x9F\xBF",
                           "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82", "\xF0\x8F\xBF\xBF",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_EQ(Utf8Bytes(text), 0u) << testing::PrintToString(text);
    EXPECT_FALSE(IsUtf8(std::string("a") + text));
  }
}

}  // namespace
}  // namespace pedigree::cli
