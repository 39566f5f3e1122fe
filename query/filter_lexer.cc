#include "query/filter_lexer.h"

#include <cassert>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "google/protobuf/stubs/common.h"
#include "query/filter_attributes.h"

namespace pedigree {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsUtf8(absl::string_view text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(text.data(),
                                                             static_cast<int>(text.size()));
}

// From `at` on, the first byte that is not of `is`.
template <typename Is>
size_t SkipWhile(absl::string_view text, size_t at, Is is) {
  while (at < text.size() && is(text[at])) ++at;
  return at;
}

struct Keyword {
  absl::string_view name;
  TokenKind kind;
};

constexpr Keyword kKeywords[] = {
    {"AND", TokenKind::kAnd},     {"OR", TokenKind::kOr},           {"NOT", TokenKind::kNot},
    {"IN", TokenKind::kIn},       {"LIKE", TokenKind::kLike},       {"IS", TokenKind::kIs},
    {"NULL", TokenKind::kNull},   {"BETWEEN", TokenKind::kBetween}, {"TRUE", TokenKind::kTrue},
    {"FALSE", TokenKind::kFalse},
};

TokenKind KindOfWord(absl::string_view word) {
  constexpr size_t kLongestKeyword = 7;
  if (word.size() > kLongestKeyword) return TokenKind::kWord;
  for (const Keyword& keyword : kKeywords) {
    if (absl::EqualsIgnoreCase(word, keyword.name)) return keyword.kind;
  }
  return TokenKind::kWord;
}

// An escape sequence: how many bytes it takes and which character it stands for.
struct Escape {
  size_t size = 0;
  uint32_t character = 0;
  bool like = false;  // \% or \_: stands for itself, backslash and all.
};

// The value of text[begin, begin + count) as digits of a power-of-two base.
std::optional<uint32_t> DigitsAt(absl::string_view text, size_t begin, size_t count,
                                 uint32_t base) {
  if (text.size() < begin + count) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text.substr(begin, count)) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return std::nullopt;
    const auto digit = static_cast<uint32_t>(IsDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

bool IsCharacter(uint32_t code) {
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  return code <= 0x10ffff && !is_surrogate;
}

// The escapes that give a character's number: \x41 \101 \u0041 \U00000041.
std::optional<Escape> NumericEscape(absl::string_view text) {
  constexpr size_t kBackslashAndLetter = 2;
  size_t begin = kBackslashAndLetter;
  size_t count = 0;
  uint32_t base = 16;
  switch (text[1]) {
    case 'x':
    case 'X':
      count = 2;
      break;
    case 'u':
      count = 4;
      break;
    case 'U':
      count = 8;
      break;
    default:
      begin = 1;
      count = 3;
      base = 8;
      break;
  }
  const std::optional<uint32_t> code = DigitsAt(text, begin, count, base);
  if (!code || !IsCharacter(*code)) return std::nullopt;
  return Escape{begin + count, *code, false};
}

// The escape sequence that `text` begins with. REQUIRES: it begins with a backslash.
std::optional<Escape> ReadEscape(absl::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto simple = [](char c) { return Escape{2, static_cast<unsigned char>(c), false}; };
  switch (text[1]) {
    case 'a':
      return simple('\a');
    case 'b':
      return simple('\b');
    case 'f':
      return simple('\f');
    case 'n':
      return simple('\n');
    case 'r':
      return simple('\r');
    case 't':
      return simple('\t');
    case 'v':
      return simple('\v');
    case '\\':
    case '\'':
    case '"':
    case '`':
    case '?':
      return simple(text[1]);
    case '%':
    case '_':
      return Escape{2, static_cast<unsigned char>(text[1]), true};
    default:
      return NumericEscape(text);
  }
}

// REQUIRES: IsCharacter(code).
void AppendUtf8(uint32_t code, std::string& text) {
  const auto append = [&text](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto append_rest = [&](int bits) { append(0x80 | ((code >> bits) & 0x3f)); };
  if (code < 0x80) {
    append(code);
  } else if (code < 0x800) {
    append(0xc0 | (code >> 6));
    append_rest(0);
  } else if (code < 0x10000) {
    append(0xe0 | (code >> 12));
    append_rest(6);
    append_rest(0);
  } else {
    append(0xf0 | (code >> 18));
    append_rest(12);
    append_rest(6);
    append_rest(0);
  }
}

}  // namespace

Token FilterLexer::Make(TokenKind kind, size_t begin, size_t end) {
  at_ = end;
  previous_ = kind;
  Token token;
  token.kind = kind;
  token.position = static_cast<uint32_t>(begin);
  token.text = text_.substr(begin, end - begin);
  return token;
}

Token FilterLexer::Error(size_t begin, size_t end, absl::string_view expected) {
  Token token = Make(TokenKind::kError, begin, end);
  token.expected = expected;
  at_ = text_.size();
  return token;
}

Token FilterLexer::Next() {
  const size_t begin =
      SkipWhile(text_, at_, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); });
  if (begin == text_.size()) return Make(TokenKind::kEnd, begin, begin);
  const char first = text_[begin];
  if (previous_ == TokenKind::kDot && IsWordCharacter(first)) return NextWord(begin);
  const bool in_path = previous_ == TokenKind::kWord || previous_ == TokenKind::kQuotedWord;
  if (first == '.' && in_path) return Make(TokenKind::kDot, begin, begin + 1);
  if (IsDigit(first) || first == '.') return NextNumber(begin);
  if (IsWordCharacter(first)) return NextWord(begin);
  if (first == '\'' || first == '"' || first == '`') return NextQuoted(begin);
  return NextSign(begin);
}

Token FilterLexer::NextWord(size_t begin) {
  const size_t end = SkipWhile(text_, begin, IsWordCharacter);
  const bool in_path = previous_ == TokenKind::kDot;
  return Make(in_path ? TokenKind::kWord : KindOfWord(text_.substr(begin, end - begin)), begin,
              end);
}

Token FilterLexer::NextNumber(size_t begin) {
  TokenKind kind = TokenKind::kInt;
  size_t end = SkipWhile(text_, begin, IsDigit);
  size_t digits = end - begin;
  if (end < text_.size() && text_[end] == '.') {
    kind = TokenKind::kDouble;
    const size_t fraction = end + 1;
    end = SkipWhile(text_, fraction, IsDigit);
    digits += end - fraction;
  }
  if (digits > 0 && end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
    kind = TokenKind::kDouble;
    size_t exponent = end + 1;
    if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
    end = SkipWhile(text_, exponent, IsDigit);
    if (end == exponent) digits = 0;  // Refused below.
  }
  const size_t all = SkipWhile(text_, end, [](char c) { return IsWordCharacter(c) || c == '.'; });
  if (digits == 0 || all != end) return Error(begin, all, "a number like 12 or 1.5e-3");
  return Make(kind, begin, end);
}

Token FilterLexer::NextQuoted(size_t begin) {
  const char quote = text_[begin];
  bool has_escapes = false;
  bool has_like_escapes = false;
  bool is_ascii = true;
  for (size_t at = begin + 1; at < text_.size();) {
    if (text_[at] == quote) {
      if (!is_ascii && !IsUtf8(text_.substr(begin, at - begin))) {
        return Error(begin, at + 1, "text in UTF-8");
      }
      Token token = Make(quote == '`' ? TokenKind::kQuotedWord : TokenKind::kString, begin, at + 1);
      token.has_escapes = has_escapes;
      token.has_like_escapes = has_like_escapes;
      return token;
    }
    if (text_[at] != '\\') {
      is_ascii = is_ascii && static_cast<unsigned char>(text_[at]) < 0x80;
      ++at;
      continue;
    }
    const std::optional<Escape> escape = ReadEscape(text_.substr(at));
    if (!escape || (escape->like && quote == '`')) {
      return Error(at, at + 2 < text_.size() ? at + 2 : text_.size(),
                   "an escape like \\n, \\', \\\\, \\x41 or \\u00e4");
    }
    has_escapes = true;
    has_like_escapes = has_like_escapes || escape->like;
    at += escape->size;
  }
  if (quote == '\'') return Error(begin, text_.size(), "a closing '");
  return Error(begin, text_.size(), quote == '"' ? "a closing \"" : "a closing `");
}

Token FilterLexer::NextSign(size_t begin) {
  const char second = begin + 1 < text_.size() ? text_[begin + 1] : '\0';
  const auto one = [&](TokenKind kind) { return Make(kind, begin, begin + 1); };
  const auto two = [&](TokenKind kind) { return Make(kind, begin, begin + 2); };
  switch (text_[begin]) {
    case '=':
      if (second == '=') return Error(begin, begin + 2, "a single =");
      return one(TokenKind::kEqual);
    case '!':
      if (second != '=') return Error(begin, begin + 1, "!= or NOT");
      return two(TokenKind::kNotEqual);
    case '<':
      if (second == '=') return two(TokenKind::kLessEqual);
      return second == '>' ? two(TokenKind::kNotEqual) : one(TokenKind::kLess);
    case '>':
      return second == '=' ? two(TokenKind::kGreaterEqual) : one(TokenKind::kGreater);
    case '+':
      return one(TokenKind::kPlus);
    case '-':
      return one(TokenKind::kMinus);
    case '*':
      return one(TokenKind::kStar);
    case '(':
      return one(TokenKind::kOpen);
    case ')':
      return one(TokenKind::kClose);
    case ',':
      return one(TokenKind::kComma);
    default:
      break;
  }
  // A whole character of UTF-8, if it is one.
  const size_t end = SkipWhile(
      text_, begin + 1, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; });
  return Error(begin, end, "a name, a value or an operator");
}

std::string DecodeQuoted(const Token& token) {
  assert(token.kind == TokenKind::kString || token.kind == TokenKind::kQuotedWord);
  absl::string_view body = token.text.substr(1, token.text.size() - 2);
  if (!token.has_escapes) return std::string(body);
  std::string decoded;
  decoded.reserve(body.size());
  while (!body.empty()) {
    const size_t plain = body.find('\\');
    decoded.append(body.data(), plain == body.npos ? body.size() : plain);
    if (plain == body.npos) break;
    body.remove_prefix(plain);
    const Escape escape = *ReadEscape(body);
    if (escape.like) decoded.push_back('\\');
    AppendUtf8(escape.character, decoded);
    body.remove_prefix(escape.size);
  }
  return decoded;
}

}  // namespace pedigree
