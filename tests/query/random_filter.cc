#include "tests/query/random_filter.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pedigree {

namespace {

// One of the four ways to write a character by its number.
void AppendEscape(unsigned char byte, int64_t way, std::string& text) {
  if (way == 0) absl::StrAppendFormat(&text, "\\x%02x", byte);
  if (way == 1) absl::StrAppendFormat(&text, "\\u%04X", byte);
  if (way == 2) absl::StrAppendFormat(&text, "\\U%08x", byte);
  if (way == 3) absl::StrAppendFormat(&text, "\\%03o", byte);
}

}  // namespace

std::string RandomFilters::Make(int depth) {
  return absl::StrCat(MaybeSpace(), Condition(depth), MaybeSpace());
}

std::string RandomFilters::Space() {
  static const auto* const spaces =
      new std::vector<std::string>{" ", " ", " ", " ", "  ", "\t", "\n", " \r\n "};
  return random_.Pick(*spaces);
}

std::string RandomFilters::MaybeSpace() { return random_.OneIn(3) ? Space() : ""; }

std::string RandomFilters::Word(const char* keyword) {
  std::string word = keyword;
  const bool lower = random_.OneIn(3);
  const bool mixed = random_.OneIn(10);
  for (char& c : word) {
    if (lower || (mixed && random_.OneIn(2))) c = static_cast<char>(std::tolower(c));
  }
  return word;
}

std::string RandomFilters::Chain(const char* word, int depth) {
  std::string chain = absl::StrCat("(", Condition(depth - 1), ")");
  for (int64_t more = random_.Between(1, 3); more > 0; --more) {
    absl::StrAppend(&chain, MaybeSpace(), Word(word), MaybeSpace(), "(", Condition(depth - 1), ")");
  }
  return chain;
}

std::string RandomFilters::Condition(int depth) {
  if (depth <= 0 || random_.OneIn(5)) return Leaf();
  switch (random_.Between(0, 8)) {
    case 0:
    case 1:
      return Chain("AND", depth);
    case 2:
    case 3:
      return Chain("OR", depth);
    case 4:  // Without parentheses: by precedence.
      return absl::StrCat(Leaf(), " ", Word("OR"), " ", Leaf(), " ", Word("AND"), " ", Word("NOT"),
                          " ", Leaf());
    case 5:
      return absl::StrCat(Word("NOT"), Space(), Condition(depth - 1));
    case 6:
      return absl::StrCat(Word("NOT"), "(", Condition(depth - 1), ")");
    case 7:
      return absl::StrCat("(", Condition(depth - 1), ")", MaybeSpace(), Word("IS"), Space(),
                          random_.OneIn(2) ? absl::StrCat(Word("NOT"), Space()) : "",
                          Word(random_.OneIn(2) ? "TRUE" : "FALSE"));
    default:
      return absl::StrCat("(", MaybeSpace(), Condition(depth - 1), MaybeSpace(), ")");
  }
}

std::string RandomFilters::Leaf() {
  ScalarType type = ScalarType::kInt;
  std::string left = AnyPath(&type);
  if (!IsEnum(type) && random_.OneIn(3)) left = Scalar(type, 2);
  if (random_.OneIn(8)) {
    return absl::StrCat(left, Space(), Word("IS"), Space(),
                        random_.OneIn(2) ? absl::StrCat(Word("NOT"), Space()) : "", Word("NULL"));
  }
  if (type == ScalarType::kBool && random_.OneIn(2)) {
    if (random_.OneIn(2)) return left;
    return absl::StrCat(left, Space(), Word("IS"), Space(),
                        random_.OneIn(2) ? absl::StrCat(Word("NOT"), Space()) : "",
                        Word(random_.OneIn(2) ? "TRUE" : "FALSE"));
  }
  return Comparison(left, type);
}

std::string RandomFilters::Comparison(const std::string& left, ScalarType type) {
  const std::string maybe_not =
      random_.OneIn(3) ? absl::StrCat(Space(), Word("NOT"), Space()) : Space();
  if (random_.OneIn(4)) return absl::StrCat(left, maybe_not, Word("IN"), MaybeSpace(), List(type));
  if (type == ScalarType::kString && random_.OneIn(3)) {
    return absl::StrCat(left, maybe_not, Word("LIKE"), MaybeSpace(),
                        Quoted(random_.Pick(vocabulary_.patterns), random_.OneIn(2) ? '\'' : '"'));
  }
  if (!IsEnum(type) && random_.OneIn(5)) {
    return absl::StrCat(left, maybe_not, Word("BETWEEN"), Space(), Scalar(type, 1), Space(),
                        Word("AND"), Space(), Scalar(type, 1));
  }
  static const auto* const operators =
      new std::vector<std::string>{"=", "!=", "<>", "<", "<=", ">", ">="};
  constexpr size_t kOfEnums = 3;
  const std::string& op = (*operators)[random_.Index(IsEnum(type) ? kOfEnums : operators->size())];
  return absl::StrCat(left, MaybeSpace(), op, MaybeSpace(), Scalar(type, 2));
}

std::string RandomFilters::List(ScalarType type) {
  std::string list = absl::StrCat("(", MaybeSpace(), Scalar(type, 1));
  for (int64_t more = random_.Between(0, 3); more > 0; --more) {
    absl::StrAppend(&list, MaybeSpace(), ",", MaybeSpace(), Scalar(type, 1));
  }
  return absl::StrCat(list, ")");
}

// A value that compares with `type`: literals most often, so that something can match.
std::string RandomFilters::Scalar(ScalarType type, int depth) {
  if (IsNumber(type)) return Number(depth);
  if (random_.OneIn(6)) {
    std::string path = Path(type);
    if (!path.empty()) return random_.OneIn(4) ? absl::StrCat("(", path, ")") : path;
  }
  return Literal(type);
}

std::string RandomFilters::Number(int depth) {
  if (depth > 0 && random_.OneIn(4)) {
    static const auto* const operators = new std::vector<std::string>{"+", "-", "*"};
    const std::string sum = absl::StrCat(Number(depth - 1), MaybeSpace(), random_.Pick(*operators),
                                         MaybeSpace(), Number(depth - 1));
    return random_.OneIn(2) ? absl::StrCat("(", sum, ")") : sum;
  }
  if (depth > 0 && random_.OneIn(10)) {
    // With its minus, the smallest int64 has no negative.
    return absl::StrCat(random_.OneIn(3) ? "+" : "-", MaybeSpace(), Path(ScalarType::kInt));
  }
  const ScalarType type = random_.OneIn(3) ? ScalarType::kDouble : ScalarType::kInt;
  return random_.OneIn(4) ? Path(type) : Literal(type);
}

std::string RandomFilters::Literal(ScalarType type) {
  switch (type) {
    case ScalarType::kInt:
      return absl::StrCat(random_.Pick(vocabulary_.ints));
    case ScalarType::kDouble: {
      const double value = random_.Pick(vocabulary_.doubles);
      return random_.OneIn(2) ? absl::StrFormat("%.17e", value) : absl::StrFormat("%.17E", value);
    }
    case ScalarType::kString:
      return Quoted(random_.Pick(vocabulary_.strings), random_.OneIn(2) ? '\'' : '"');
    case ScalarType::kBool:
      return Word(random_.OneIn(2) ? "TRUE" : "FALSE");
    default:
      break;
  }
  int values = 0;
  while (!EnumNameOf(type, values).empty()) ++values;
  return EnumNameOf(type, random_.Between(0, values - 1));
}

std::string RandomFilters::Quoted(const std::string& text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_ascii = byte < 0x80;
    if (c == quote || c == '\\') {
      quoted += {'\\', c};
    } else if (is_ascii && random_.OneIn(10)) {
      AppendEscape(byte, random_.Between(0, 3), quoted);
    } else {
      quoted += c;
    }
  }
  return quoted + quote;
}

std::string RandomFilters::Name(VariableKind kind) {
  if (kind != VariableKind::kProperty && kind != VariableKind::kCustomProperty) {
    return random_.Pick(vocabulary_.aliases);
  }
  const std::string& name = random_.Pick(vocabulary_.properties);
  const bool is_plain =
      !name.empty() && std::all_of(name.begin(), name.end(), IsWordCharacter) && !random_.OneIn(4);
  return is_plain ? name : Quoted(name, '`');
}

std::string RandomFilters::AnyPath(ScalarType* type) {
  VariableKind variable = VariableKind::kNode;
  const auto kinds = VariableKindsOf(kind_);
  if (random_.OneIn(2)) variable = kinds[random_.Index(kinds.size())];
  const auto attributes = AttributesOf(kind_, variable);
  const Attribute& attribute = attributes[random_.Index(attributes.size())];
  *type = attribute.type;
  if (variable == VariableKind::kNode) return std::string(attribute.name);
  return absl::StrCat(PrefixOf(variable), Name(variable), ".", attribute.name);
}

std::string RandomFilters::Path(ScalarType type) {
  constexpr int kTries = 40;
  for (int i = 0; i < kTries; ++i) {
    ScalarType found = type;
    std::string path = AnyPath(&found);
    if (found == type) return path;
  }
  return type == ScalarType::kInt || type == ScalarType::kDouble ? "id" : "";
}

}  // namespace pedigree
