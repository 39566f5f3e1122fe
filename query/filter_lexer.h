// Cuts a filter_query into tokens, one at a time and in one pass.
//
// Threads: one each.
//
//   FilterLexer lexer("uri LIKE 'gs:%'");
//   for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) ...
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree {

enum class TokenKind : uint8_t {
  kEnd,
  kError,       // Token::expected says what should have stood there. Nothing comes after it.
  kWord,        // A name, of [0-9A-Za-z_]; in a path any, elsewhere no keyword and no number.
  kQuotedWord,  // `a name`
  kString,      // 'text' or "text"
  kInt,         // Digits only: a sign is a token of its own.
  kDouble,
  // Keywords, in any case.
  kAnd,
  kOr,
  kNot,
  kIn,
  kLike,
  kBetween,
  kIs,
  kNull,
  kTrue,
  kFalse,
  // Signs.
  kEqual,
  kNotEqual,  // != or <>
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kPlus,
  kMinus,
  kStar,
  kOpen,
  kClose,
  kComma,
  kDot,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  bool has_escapes = false;       // Of a kString or kQuotedWord.
  bool has_like_escapes = false;  // Of a kString: \% or \_, which only patterns may hold.
  uint32_t position = 0;          // Byte offset.
  absl::string_view text;         // Points into the lexer's text, quotes and all.
  absl::string_view expected;     // Of a kError.

  uint32_t end() const { return position + static_cast<uint32_t>(text.size()); }
};

class FilterLexer {
 public:
  // `text` outlives the lexer and its tokens. REQUIRES: it is smaller than 4 GiB.
  explicit FilterLexer(absl::string_view text) : text_(text) {}

  // The next token; after the last one, and after a kError, kEnd for ever.
  Token Next();

 private:
  Token NextWord(size_t begin);
  Token NextNumber(size_t begin);
  Token NextQuoted(size_t begin);
  Token NextSign(size_t begin);

  Token Make(TokenKind kind, size_t begin, size_t end);
  Token Error(size_t begin, size_t end, absl::string_view expected);

  absl::string_view text_;
  size_t at_ = 0;
  // A path's names are no numbers and no keywords: properties.0.int_value, properties.in.int_value.
  TokenKind previous_ = TokenKind::kEnd;
};

// What a kString or kQuotedWord says, its escapes decoded. \% and \_ stay as they are: LIKE reads
// them.
std::string DecodeQuoted(const Token& token);

}  // namespace pedigree
