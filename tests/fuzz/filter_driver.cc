#include "tests/fuzz/filter_driver.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "query/filter_parser.h"

namespace pedigree::testing {
namespace {

NodeKind KindOf(char first) {
  for (const NodeKind kind : kNodeKinds) {
    if (NameOf(kind)[0] == first) return kind;
  }
  return kNodeKinds[static_cast<unsigned char>(first) % std::size(kNodeKinds)];
}

std::string FaultOfError(const absl::Status& error) {
  constexpr size_t kMostBytes = 700;
  if (error.code() != absl::StatusCode::kInvalidArgument)
    return absl::StrCat("code ", error.code());
  if (error.message().size() > kMostBytes) return "the error is long";
  for (const char c : error.message()) {
    if (static_cast<unsigned char>(c) < ' ') return "the error is no single line of text";
  }
  if (!absl::StartsWith(error.message(), "filter_query, position ")) return "no position";
  return "";
}

// What filter_ast.h says of every filter.
std::string FaultOfShape(const Filter& filter) {
  if (filter.root + 1 != filter.predicates.size()) return "the root is not the last predicate";
  if (filter.variables.size() > kMaxFilterVariables) return "too many variables";
  for (size_t i = 0; i < filter.predicates.size(); ++i) {
    const Predicate& predicate = filter.predicates[i];
    VariableSet variables = 0;
    for (const uint32_t operand : filter.OperandsOf(predicate)) {
      if (IsLeaf(predicate.op)) {
        variables |= filter.scalars.at(operand).variables;
        continue;
      }
      if (operand >= i) return "an operand stands behind what it is an operand of";
      if (filter.predicates[operand].op == predicate.op) return "a chain is not flat";
      variables |= filter.predicates[operand].variables;
    }
    if (variables != predicate.variables) return "a predicate's variables are not its operands'";
  }
  return "";
}

}  // namespace

std::string FaultOfFilter(absl::string_view input) {
  if (input.empty()) return "";
  const NodeKind kind = KindOf(input[0]);
  const auto filter = ParseFilter(kind, input.substr(1));
  if (!filter.ok()) return FaultOfError(filter.status());
  std::string fault = FaultOfShape(*filter);
  if (!fault.empty()) return fault;
  const std::string printed = ToString(*filter);
  if (printed.size() > kMaxFilterBytes) return "";  // Twice what was written may be too much.
  const auto again = ParseFilter(kind, printed);
  if (!again.ok()) return absl::StrCat("printed, it is refused: ", again.status().message());
  if (ToString(*again) != printed) return "printed twice, it is not the same";
  return FaultOfShape(*again);
}

}  // namespace pedigree::testing
