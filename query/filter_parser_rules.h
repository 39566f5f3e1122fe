// The parser behind ParseFilter: its state, and a function for each rule of the grammar. Nothing
// but filter_parser.cc (conditions) and filter_parser_values.cc (values, names) is to know it.
//
// Recursive descent: `token_` is the next token that no rule has taken. A rule that meets an error
// answers it, and nothing is read after that. Threads: one each.
//
//   absl::StatusOr<Filter> filter = FilterParser(NodeKind::kArtifact, "id = 1").Parse();
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "query/filter_ast.h"
#include "query/filter_builder.h"
#include "query/filter_lexer.h"
#include "store/traits.h"

namespace pedigree {

class FilterParser {
 public:
  // `text` outlives this.
  FilterParser(NodeKind kind, absl::string_view text) : text_(text), lexer_(text), builder_(kind) {
    Advance();
  }

  absl::StatusOr<Filter> Parse() &&;

 private:
  // What a rule has read: a value or a condition, only its contents tell which.
  struct Operand {
    enum class Is : uint8_t { kScalar, kCondition };
    Is is;
    uint32_t index;  // What FilterBuilder gave it.
    uint32_t begin;  // The text it was read from.
    uint32_t end;
  };
  using Parsed = absl::StatusOr<Operand>;

  // The rules.
  Parsed ParseCondition();
  Parsed ParseConjunction();
  Parsed ParseNegation();
  Parsed ParseTest();
  Parsed ParseSum();
  Parsed ParseProduct();
  Parsed ParseSign();
  Parsed ParseMinus();
  Parsed ParsePrimary();
  Parsed ParseParentheses();
  Parsed ParseNumber(bool negative, uint32_t begin);
  Parsed ParseString();
  Parsed ParseBool();
  Parsed ParsePath();

  // What follows the first operand of a test.
  Parsed ParseComparison(const Operand& left);
  Parsed ParseIn(const Operand& left, bool negated);
  Parsed ParseLike(const Operand& left, bool negated);
  Parsed ParseBetween(const Operand& left, bool negated);
  Parsed ParseIs(const Operand& left);
  Parsed ParseNegatableTest(const Operand& left);

  // An operand that is compared with `left`; if this is an enum, its names are values.
  Parsed ParseComparand(const Operand& left);
  Parsed ParseEnumName(ScalarType type);
  Parsed ParseProperty(VariableKind kind);
  // The rest of a path, behind what names its variable.
  Parsed ParseField(VariableKind kind, absl::string_view name, uint32_t begin);

  // Checks. Each answers what it has checked.
  Parsed AsCondition(const Operand& operand);  // A bool value becomes a condition.
  Parsed AsScalar(const Operand& operand, absl::string_view expected) const;
  Parsed AsNumber(const Operand& operand) const;
  absl::Status CheckOrdered(const Operand& operand) const;

  // Building. A scalar that was added, if it is not too deep.
  Parsed ScalarAt(std::optional<uint32_t> index, uint32_t position, uint32_t begin) const;
  Parsed AddLeaf(PredicateOp op, uint32_t position, absl::Span<const uint32_t> scalars,
                 const Operand& left);
  Parsed AddCompound(WrittenOp op, uint32_t position, absl::Span<const uint32_t> conditions,
                     uint32_t begin);
  // Of the operands that were pushed since `mark`, which are popped.
  Parsed AddChain(WrittenOp op, uint32_t position, size_t mark, uint32_t begin);

  void Advance() {
    last_end_ = token_.end();
    token_ = lexer_.Next();
  }
  bool Accept(TokenKind kind) {
    if (token_.kind != kind) return false;
    Advance();
    return true;
  }
  absl::Status Expect(TokenKind kind, absl::string_view expected) {
    return Accept(kind) ? absl::OkStatus() : Unexpected(expected);
  }

  // Errors: about a place, about the next token, about an operand.
  static absl::Status ErrorAt(size_t position, absl::string_view found, absl::string_view expected);
  absl::Status Unexpected(absl::string_view expected) const;
  absl::Status UnexpectedOperand(const Operand& operand, absl::string_view expected) const;
  absl::Status TooDeep(uint32_t position) const;

  const Scalar& ScalarOf(const Operand& operand) const {
    return builder_.filter().scalars[operand.index];
  }
  ScalarType TypeOf(const Operand& operand) const { return ScalarOf(operand).type; }

  // One level of recursion, for as long as it lives.
  class Level {
   public:
    explicit Level(FilterParser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    absl::Status Check() const {
      if (parser_.depth_ <= kMaxFilterDepth) return absl::OkStatus();
      return parser_.TooDeep(parser_.token_.position);
    }

   private:
    FilterParser& parser_;
  };

  absl::string_view text_;
  FilterLexer lexer_;
  Token token_;
  uint32_t last_end_ = 0;  // Of the token before.
  int depth_ = 0;
  FilterBuilder builder_;
  std::vector<uint32_t> pushed_;  // Operands of the chains and lists that are being read.
};

}  // namespace pedigree
