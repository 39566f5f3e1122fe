#include "tests/conformance/json_slices.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace pedigree::conformance {
namespace {

// Reads `text` from left to right; every function answers false or an empty view at a mistake.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  // Skips blanks, and then `wanted` if it stands there.
  bool Skip(char wanted) {
    SkipBlanks();
    if (position_ == text_.size() || text_[position_] != wanted) return false;
    ++position_;
    return true;
  }

  bool AtEnd() {
    SkipBlanks();
    return position_ == text_.size();
  }

  // Skips one value and returns its text; empty if there is none.
  absl::string_view Value() {
    SkipBlanks();
    const size_t begin = position_;
    if (position_ == text_.size()) return {};
    const char first = text_[position_];
    const bool whole = first == '"'                   ? SkipString()
                       : first == '{' || first == '[' ? SkipNested()
                                                      : SkipLiteral();
    return whole ? text_.substr(begin, position_ - begin) : absl::string_view();
  }

 private:
  void SkipBlanks() {
    while (position_ < text_.size() && absl::ascii_isspace(Byte(text_[position_]))) ++position_;
  }

  static unsigned char Byte(char c) { return static_cast<unsigned char>(c); }

  bool SkipString() {
    for (++position_; position_ < text_.size(); ++position_) {
      if (text_[position_] == '\\') {
        ++position_;
      } else if (text_[position_] == '"') {
        ++position_;
        return true;
      }
    }
    return false;
  }

  bool SkipNested() {
    int depth = 0;
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == '"') {
        if (!SkipString()) return false;
        continue;
      }
      ++position_;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (depth == 0) return true;
    }
    return false;
  }

  bool SkipLiteral() {
    const size_t begin = position_;
    const absl::string_view more = "+-.";
    while (position_ < text_.size() && (absl::ascii_isalnum(Byte(text_[position_])) ||
                                        more.find(text_[position_]) != more.npos)) {
      ++position_;
    }
    return position_ > begin;
  }

  const absl::string_view text_;
  size_t position_ = 0;
};

bool IsPlainString(absl::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' &&
         text.find('\\') == text.npos;
}

absl::Status NotA(absl::string_view what, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("not a JSON ", what, ": ", text.substr(0, 80)));
}

}  // namespace

absl::StatusOr<std::vector<JsonMember>> SliceObject(absl::string_view text) {
  Scanner scanner(text);
  std::vector<JsonMember> members;
  if (!scanner.Skip('{')) return NotA("object", text);
  if (!scanner.Skip('}')) {
    do {
      const absl::string_view name = scanner.Value();
      if (!IsPlainString(name) || !scanner.Skip(':')) return NotA("object", text);
      const absl::string_view value = scanner.Value();
      if (value.empty()) return NotA("object", text);
      members.emplace_back(name.substr(1, name.size() - 2), value);
    } while (scanner.Skip(','));
    if (!scanner.Skip('}')) return NotA("object", text);
  }
  if (!scanner.AtEnd()) return NotA("object", text);
  return members;
}

absl::StatusOr<std::vector<absl::string_view>> SliceArray(absl::string_view text) {
  Scanner scanner(text);
  std::vector<absl::string_view> elements;
  if (!scanner.Skip('[')) return NotA("array", text);
  if (!scanner.Skip(']')) {
    do {
      const absl::string_view value = scanner.Value();
      if (value.empty()) return NotA("array", text);
      elements.push_back(value);
    } while (scanner.Skip(','));
    if (!scanner.Skip(']')) return NotA("array", text);
  }
  if (!scanner.AtEnd()) return NotA("array", text);
  return elements;
}

absl::StatusOr<std::string> PlainString(absl::string_view text) {
  if (!IsPlainString(text)) return NotA("string without escapes", text);
  return std::string(text.substr(1, text.size() - 2));
}

}  // namespace pedigree::conformance
