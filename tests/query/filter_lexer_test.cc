// Tokens: every kind, where they end, what is none.
#include "query/filter_lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

using Kinds = std::vector<TokenKind>;
using K = TokenKind;

std::vector<Token> TokensOf(absl::string_view text) {
  FilterLexer lexer(text);
  std::vector<Token> tokens;
  for (Token token = lexer.Next(); token.kind != K::kEnd; token = lexer.Next()) {
    tokens.push_back(token);
  }
  return tokens;
}

Kinds KindsOf(absl::string_view text) {
  Kinds kinds;
  for (const Token& token : TokensOf(text)) kinds.push_back(token.kind);
  return kinds;
}

// What one quoted token says.
std::string Decoded(absl::string_view text) {
  const std::vector<Token> tokens = TokensOf(text);
  EXPECT_EQ(tokens.size(), 1U) << text;
  EXPECT_NE(tokens[0].kind, K::kError) << text << ": expected " << tokens[0].expected;
  return tokens[0].kind == K::kError ? "" : DecodeQuoted(tokens[0]);
}

void ExpectError(absl::string_view text, size_t position, absl::string_view found) {
  const std::vector<Token> tokens = TokensOf(text);
  ASSERT_FALSE(tokens.empty()) << text;
  EXPECT_EQ(tokens.back().kind, K::kError) << text;
  EXPECT_EQ(tokens.back().position, position) << text;
  EXPECT_EQ(tokens.back().text, found) << text;
  EXPECT_FALSE(tokens.back().expected.empty()) << text;
}

TEST(FilterLexer, EndsWhereNothingIsLeft) {
  for (const char* text : {"", " ", "\t\n\v\f\r "}) EXPECT_EQ(KindsOf(text), Kinds{}) << text;
  FilterLexer lexer("a");
  lexer.Next();
  for (int i = 0; i < 3; ++i) {
    const Token end = lexer.Next();
    EXPECT_EQ(end.kind, K::kEnd);
    EXPECT_EQ(end.position, 1U);
  }
}

TEST(FilterLexer, KnowsSignsWithAndWithoutSpace) {
  const Kinds all = {K::kEqual,   K::kNotEqual,     K::kNotEqual, K::kLess,  K::kLessEqual,
                     K::kGreater, K::kGreaterEqual, K::kPlus,     K::kMinus, K::kStar,
                     K::kOpen,    K::kClose,        K::kComma};
  EXPECT_EQ(KindsOf("= != <> < <= > >= + - * ( ) ,"), all);
  EXPECT_EQ(KindsOf("=!=<>< <=> >=+-*(),"), all);
  EXPECT_EQ(KindsOf("a<-1"), (Kinds{K::kWord, K::kLess, K::kMinus, K::kInt}));
}

TEST(FilterLexer, KnowsKeywordsInAnyCase) {
  const Kinds all = {K::kAnd,     K::kOr, K::kNot,  K::kIn,   K::kLike,
                     K::kBetween, K::kIs, K::kNull, K::kTrue, K::kFalse};
  EXPECT_EQ(KindsOf("AND OR NOT IN LIKE BETWEEN IS NULL TRUE FALSE"), all);
  EXPECT_EQ(KindsOf("and or not in like between is null true false"), all);
  EXPECT_EQ(KindsOf("aNd Or noT iN LikE Between iS nuLL tRUE falsE"), all);
  for (const char* word : {"android", "ors", "no", "innn", "AND_", "nulls", "_or", "betweens"}) {
    EXPECT_EQ(KindsOf(word), Kinds{K::kWord}) << word;
  }
}

TEST(FilterLexer, ReadsPathsWhoseNamesAreKeywordsOrNumbers) {
  const Kinds path = {K::kWord, K::kDot, K::kWord, K::kDot, K::kWord};
  for (const char* text :
       {"properties.in.int_value", "properties.0.int_value", "properties.1e5.int_value",
        "properties . 12 . int_value", "properties.NOT.int_value"}) {
    EXPECT_EQ(KindsOf(text), path) << text;
  }
  EXPECT_EQ(KindsOf("properties.`my prop`.int_value"),
            (Kinds{K::kWord, K::kDot, K::kQuotedWord, K::kDot, K::kWord}));
}

TEST(FilterLexer, TellsIntsFromDoubles) {
  for (const char* text : {"0", "7", "007", "9223372036854775808"}) {
    EXPECT_EQ(KindsOf(text), Kinds{K::kInt}) << text;
  }
  for (const char* text : {"1.5", ".5", "1.", "1e3", "1E+3", "1.5e-3", ".5e0", "1.e1"}) {
    EXPECT_EQ(KindsOf(text), Kinds{K::kDouble}) << text;
  }
}

TEST(FilterLexer, RefusesWhatOnlyBeginsLikeANumber) {
  for (const char* text :
       {"1a", "0x1f", "1.5.5", ".", "..", "1e", "1e+", ".e1", "1_000", "1..2", "1.5e3.2", "1e5x"}) {
    const std::string padded = absl::StrCat("  ", text, " ");
    const std::vector<Token> tokens = TokensOf(padded);
    ASSERT_EQ(tokens.size(), 1U) << text;
    EXPECT_EQ(tokens[0].kind, K::kError) << text;
    EXPECT_EQ(tokens[0].position, 2U) << text;
  }
}

TEST(FilterLexer, StringsStandInEitherQuotesAndHoldTheOther) {
  EXPECT_EQ(Decoded("'a\"b`'"), "a\"b`");
  EXPECT_EQ(Decoded("\"a'b`\""), "a'b`");
  EXPECT_EQ(Decoded("`a'b\"`"), "a'b\"");
  EXPECT_EQ(Decoded("''"), "");
  EXPECT_EQ(Decoded("'a -- \n b'"), "a -- \n b");
  EXPECT_EQ(KindsOf("'a''b'"), (Kinds{K::kString, K::kString}));
  EXPECT_EQ(KindsOf("`a`"), Kinds{K::kQuotedWord});
}

TEST(FilterLexer, DecodesEveryEscape) {
  EXPECT_EQ(Decoded(R"('\a\b\f\n\r\t\v\\\'\"\`\?')"), "\a\b\f\n\r\t\v\\'\"`?");
  EXPECT_EQ(Decoded(R"('\x41\X42\103')"), "ABC");
  EXPECT_EQ(Decoded(R"('\u00e4\u20ac\U0001f600')"), "ä€😀");
  EXPECT_EQ(Decoded(R"('\xe4\344')"), "ää") << "characters, not bytes";
  EXPECT_EQ(Decoded(R"('\x00|')"), std::string("\0|", 2));
  EXPECT_EQ(Decoded(R"(`a\`b`)"), "a`b");
}

TEST(FilterLexer, LeavesLikesEscapesToLike) {
  const std::vector<Token> tokens = TokensOf(R"('100\% \_' '100\\%')");
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_TRUE(tokens[0].has_like_escapes);
  EXPECT_EQ(DecodeQuoted(tokens[0]), R"(100\% \_)");
  EXPECT_FALSE(tokens[1].has_like_escapes);
  EXPECT_EQ(DecodeQuoted(tokens[1]), R"(100\%)");
  ExpectError(R"(`\%`)", 1, R"(\%)");
}

TEST(FilterLexer, RefusesBadEscapesWhereTheyStand) {
  ExpectError(R"(a = 'x\q')", 6, R"(\q)");
  ExpectError(R"('\x4')", 1, R"(\x)");
  ExpectError(R"('\x4g')", 1, R"(\x)");
  ExpectError(R"('\u12')", 1, R"(\u)");
  ExpectError(R"('\ud800')", 1, R"(\u)");
  ExpectError(R"('\U00110000')", 1, R"(\U)");
  ExpectError(R"('\18')", 1, R"(\1)");
  ExpectError(R"('\9')", 1, R"(\9)");
}

TEST(FilterLexer, RefusesStringsThatDoNotEnd) {
  for (const char* text : {"'", "'abc", "\"abc'", "`abc", "'abc\\'", "'\\"}) {
    const std::vector<Token> tokens = TokensOf(text);
    ASSERT_EQ(tokens.size(), 1U) << text;
    EXPECT_EQ(tokens[0].kind, K::kError) << text;
  }
}

TEST(FilterLexer, RefusesTextThatIsNotUtf8) {
  ExpectError("'a\xff'", 0, "'a\xff'");
  ExpectError("`\xc3`", 0, "`\xc3`");
  EXPECT_EQ(Decoded("'\xc3\xa4'"), "ä");
}

TEST(FilterLexer, RefusesOtherCharacters) {
  for (const char* text : {"@", "%", "/", ";", "#", "&", "|", "$", "{", "[", "\\", "^", "~", "?"}) {
    ExpectError(absl::StrCat("a ", text, " b"), 2, text);
  }
  ExpectError("a € b", 2, "€");
  ExpectError("a ! b", 2, "!");
  ExpectError("a == b", 2, "==");
  ExpectError(absl::string_view("a\0b", 3), 1, absl::string_view("\0", 1));
}

TEST(FilterLexer, SaysNothingAfterAnError) {
  FilterLexer lexer("@ a");
  EXPECT_EQ(lexer.Next().kind, K::kError);
  EXPECT_EQ(lexer.Next().kind, K::kEnd);
}

}  // namespace
}  // namespace pedigree
