// What parses and into what, what does not and where, and that what is printed parses again.
#include "query/filter_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "query/filter_attributes.h"
#include "tests/query/random_filter.h"
#include "tests/store/random.h"
#include "tests/store/status_testing.h"

namespace pedigree {
namespace {

constexpr NodeKind kArtifact = NodeKind::kArtifact;
constexpr NodeKind kExecution = NodeKind::kExecution;
constexpr NodeKind kContext = NodeKind::kContext;

// The normal form of an accepted text, checked to be stable; the error of a refused one.
std::string Print(absl::string_view text, NodeKind kind = kArtifact) {
  const auto filter = ParseFilter(kind, text);
  if (!filter.ok()) return std::string(filter.status().message());
  const std::string printed = ToString(*filter);
  const auto again = ParseFilter(kind, printed);
  EXPECT_TRUE(IsOk(again)) << text << " printed as " << printed;
  if (again.ok()) {
    EXPECT_EQ(ToString(*again), printed) << text;
  }
  return printed;
}

bool Parses(absl::string_view text, NodeKind kind = kArtifact) {
  const auto filter = ParseFilter(kind, text);
  if (!filter.ok()) {
    EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  return filter.ok();
}

Filter Parse(absl::string_view text, NodeKind kind = kArtifact) {
  auto filter = ParseFilter(kind, text);
  EXPECT_TRUE(IsOk(filter)) << text;
  return filter.ok() ? *std::move(filter) : Filter();
}

// A literal that compares with the type.
std::string SomeLiteral(ScalarType type) {
  switch (type) {
    case ScalarType::kInt:
      return "1";
    case ScalarType::kDouble:
      return "0.5";
    case ScalarType::kString:
      return "'s'";
    case ScalarType::kBool:
      return "TRUE";
    default:
      return EnumNameOf(type, 2);
  }
}

// Names.

TEST(FilterParser, KnowsEveryAttributeOfEveryKind) {
  for (const NodeKind kind : kNodeKinds) {
    std::vector<VariableKind> variables = {VariableKind::kNode};
    for (const VariableKind variable : VariableKindsOf(kind)) variables.push_back(variable);
    for (const VariableKind variable : variables) {
      for (const Attribute& attribute : AttributesOf(kind, variable)) {
        const bool is_node = variable == VariableKind::kNode;
        const std::string path =
            absl::StrCat(PrefixOf(variable), is_node ? "" : "x.", attribute.name);
        const std::string text = absl::StrCat(path, " = ", SomeLiteral(attribute.type));
        const Filter filter = Parse(text, kind);
        ASSERT_EQ(filter.variables.size(), is_node ? 1U : 2U) << text;
        EXPECT_EQ(filter.variables.back().kind, variable) << text;
        EXPECT_EQ(filter.variables.back().name, is_node ? "" : "x") << text;
        const Scalar& scalar = filter.ScalarOf(filter.RootPredicate(), 0);
        EXPECT_EQ(scalar.op, ScalarOp::kAttribute) << text;
        EXPECT_EQ(scalar.field, attribute.field) << text;
        EXPECT_EQ(scalar.type, attribute.type) << text;
        EXPECT_EQ(scalar.variables, SetOf(is_node ? 0 : 1)) << text;
        EXPECT_EQ(ToString(filter), absl::StrCat("(", text, ")"));
      }
    }
  }
}

// The table of the language, once more and by hand: a name that got lost above would not be missed.
TEST(FilterParser, HasTheTableOfTheLanguage) {
  const auto names = [](NodeKind kind, VariableKind variable) {
    std::vector<std::string> all;
    for (const Attribute& a : AttributesOf(kind, variable)) all.emplace_back(a.name);
    std::sort(all.begin(), all.end());
    return absl::StrJoin(all, " ");
  };
  const std::string common =
      "create_time_since_epoch external_id id last_update_time_since_epoch name";
  EXPECT_EQ(names(kContext, VariableKind::kNode),
            "create_time_since_epoch external_id id last_update_time_since_epoch name type "
            "type_id");
  EXPECT_EQ(names(kArtifact, VariableKind::kNode), common + " state type type_id uri");
  EXPECT_EQ(names(kExecution, VariableKind::kNode),
            "create_time_since_epoch external_id id last_known_state "
            "last_update_time_since_epoch name type type_id");
  for (const NodeKind kind : kNodeKinds) {
    for (const auto variable : {VariableKind::kProperty, VariableKind::kCustomProperty}) {
      EXPECT_EQ(names(kind, variable), "bool_value double_value int_value string_value");
    }
  }
  EXPECT_EQ(names(kArtifact, VariableKind::kContexts),
            "create_time_since_epoch id last_update_time_since_epoch name type");
  EXPECT_EQ(names(kArtifact, VariableKind::kEvents), "execution_id milliseconds_since_epoch type");
  EXPECT_EQ(names(kExecution, VariableKind::kEvents), "artifact_id milliseconds_since_epoch type");
  EXPECT_EQ(names(kContext, VariableKind::kArtifacts), common + " state type uri");
  EXPECT_EQ(names(kContext, VariableKind::kExecutions),
            "create_time_since_epoch external_id id last_known_state "
            "last_update_time_since_epoch name type");
}

TEST(FilterParser, RefusesTheNamesOfOtherKinds) {
  for (const char* text :
       {"last_known_state = COMPLETE", "events_0.artifact_id = 1", "artifacts_a.id = 1",
        "executions_a.id = 1", "parent_contexts_a.id = 1", "child_contexts_a.id = 1"}) {
    EXPECT_FALSE(Parses(text, kArtifact)) << text;
  }
  for (const char* text : {"state = LIVE", "uri = 'x'", "events_0.execution_id = 1",
                           "artifacts_a.id = 1", "parent_contexts_a.id = 1"}) {
    EXPECT_FALSE(Parses(text, kExecution)) << text;
  }
  for (const char* text : {"state = LIVE", "last_known_state = NEW", "uri = 'x'",
                           "contexts_a.id = 1", "events_0.type = INPUT"}) {
    EXPECT_FALSE(Parses(text, kContext)) << text;
  }
}

TEST(FilterParser, NamesAreExactToTheByte) {
  for (const char* text : {"Name = 'a'", "ID = 1", "Contexts_a.id = 1", "contexts_a.ID = 1",
                           "properties.a.Int_Value = 1", "Properties.a.int_value = 1",
                           "state = live", "contexts.id = 1", "contexts_.id = 1", "propertiesx = 1",
                           "`contexts_a.id` = 1", "`properties.a.int_value` = 1"}) {
    EXPECT_FALSE(Parses(text)) << text;
  }
}

TEST(FilterParser, EachPropertyAndAliasIsOneVariable) {
  const Filter filter = Parse(
      "contexts_a.id = 1 AND contexts_b.id = 2 AND contexts_a.name = 'x' AND "
      "properties.a.int_value = 1 AND custom_properties.a.int_value = 1 AND "
      "properties.a.string_value = 'x' AND properties.`a`.bool_value AND events_a.type = INPUT");
  std::vector<std::string> variables;
  for (const Variable& variable : filter.variables) {
    variables.push_back(ToString(filter, variable));
  }
  EXPECT_EQ(variables,
            (std::vector<std::string>{"artifact", "contexts_a", "contexts_b", "properties.a",
                                      "custom_properties.a", "events_a"}));
  EXPECT_EQ(filter.variables[2].position, 22U);
  EXPECT_EQ(filter.variables[3].name, "a");
}

TEST(FilterParser, BackquotesHoldAnyName) {
  EXPECT_EQ(Print("properties.`my prop`.int_value = 1"), "(properties.`my prop`.int_value = 1)");
  EXPECT_EQ(Print("properties.`a.b`.int_value = 1"), "(properties.`a.b`.int_value = 1)");
  EXPECT_EQ(Print("properties.`plain_1`.int_value = 1"), "(properties.plain_1.int_value = 1)");
  EXPECT_EQ(Print("properties.`a\\`b\\\\`.int_value = 1"),
            "(properties.`a\\`b\\\\`.int_value = 1)");
  EXPECT_EQ(Print("properties.``.int_value = 1"), "(properties.``.int_value = 1)");
  EXPECT_EQ(Print("properties.`ü\n`.int_value = 1"), "(properties.`ü\\n`.int_value = 1)");
  EXPECT_EQ(Print("properties.0.int_value = 1"), "(properties.0.int_value = 1)");
  EXPECT_EQ(Print("properties.in.int_value in (1)"), "(properties.in.int_value IN (1))");
  EXPECT_EQ(Print("`name` = 'x'"), "(name = 'x')");
}

// Literals.

TEST(FilterParser, ReadsIntsToTheirLimits) {
  EXPECT_EQ(Print("id = 9223372036854775807"), "(id = 9223372036854775807)");
  EXPECT_EQ(Print("id = -9223372036854775808"), "(id = -9223372036854775808)");
  EXPECT_EQ(Print("id = - 5"), "(id = -5)");
  EXPECT_EQ(Print("id = --5"), "(id = 5)");
  EXPECT_EQ(Print("id = -(5)"), "(id = -5)");
  EXPECT_EQ(Print("id = +5"), "(id = 5)");
  EXPECT_EQ(Print("id = 007"), "(id = 7)");
  EXPECT_EQ(Print("id = 9223372036854775808"),
            "filter_query, position 6: found '9223372036854775808', expected a number that an "
            "int64 can hold");
  EXPECT_FALSE(Parses("id = -9223372036854775809"));
  EXPECT_FALSE(Parses("id = --9223372036854775808"));
  EXPECT_FALSE(Parses("id = -(9223372036854775808)"));
  EXPECT_FALSE(Parses(absl::StrCat("id = ", std::string(1000, '9'))));
}

TEST(FilterParser, ReadsDoublesExactly) {
  EXPECT_EQ(Print("id = 0.1"), "(id = 0.1)");
  EXPECT_EQ(Print("id = 1."), "(id = 1.0)");
  EXPECT_EQ(Print("id = .5"), "(id = 0.5)");
  EXPECT_EQ(Print("id = -1E+2"), "(id = -100.0)");
  EXPECT_EQ(Print("id = -0.0"), "(id = -0.0)");
  EXPECT_EQ(Print("id = 1.7976931348623157e308"), "(id = 1.7976931348623157e+308)");
  EXPECT_EQ(Print("id = 5e-324"), "(id = 5e-324)");
  EXPECT_EQ(Print("id = 1e-400"), "(id = 0.0)");
  EXPECT_EQ(Print("id = 0.1000000000000000055511151231257827"), "(id = 0.1)");
  EXPECT_FALSE(Parses("id = 1e309"));
  EXPECT_FALSE(Parses("id = -1e99999"));
  const Filter filter = Parse("id = 1e3");
  const Scalar& literal = filter.ScalarOf(filter.RootPredicate(), 1);
  EXPECT_EQ(literal.type, ScalarType::kDouble);
  EXPECT_EQ(literal.double_value, 1000.0);
}

TEST(FilterParser, ReadsStringsBoolsAndEnums) {
  EXPECT_EQ(Print("name = \"it's\""), "(name = 'it\\'s')");
  EXPECT_EQ(Print("name = '\\x01\\t\\\\\\n'"), "(name = '\\x01\\x09\\\\\\n')");
  EXPECT_EQ(Print("name = 'ä😀'"), "(name = 'ä😀')");
  EXPECT_EQ(Print("name = '\\u00e4'"), "(name = 'ä')");
  EXPECT_EQ(Print("name = ''"), "(name = '')");
  EXPECT_EQ(Print("properties.a.bool_value = true"), "(properties.a.bool_value = TRUE)");
  EXPECT_EQ(Print("state = MARKED_FOR_DELETION"), "(state = MARKED_FOR_DELETION)");
  const Filter filter = Parse("events_0.type = PENDING_OUTPUT");
  const Scalar& literal = filter.ScalarOf(filter.RootPredicate(), 1);
  EXPECT_EQ(literal.type, ScalarType::kEventType);
  EXPECT_EQ(literal.int_value, ml_metadata::Event::PENDING_OUTPUT);
}

TEST(FilterParser, AStringsTextIsWhereTheFilterSays) {
  const Filter filter = Parse("name IN ('a', '', \"b\\n\", 'ccc')");
  const Predicate& in = filter.RootPredicate();
  std::vector<absl::string_view> texts;
  for (size_t i = 1; i < in.operand_count; ++i) {
    texts.push_back(filter.TextOf(filter.ScalarOf(in, i)));
  }
  EXPECT_EQ(texts, (std::vector<absl::string_view>{"a", "", "b\n", "ccc"}));
}

// Precedence.

TEST(FilterParser, NotBindsTighterThanAndThanOr) {
  EXPECT_EQ(Print("id = 1 OR id = 2 AND id = 3"), "((id = 1) OR ((id = 2) AND (id = 3)))");
  EXPECT_EQ(Print("id = 1 AND id = 2 OR id = 3"), "(((id = 1) AND (id = 2)) OR (id = 3))");
  EXPECT_EQ(Print("(id = 1 OR id = 2) AND id = 3"), "(((id = 1) OR (id = 2)) AND (id = 3))");
  EXPECT_EQ(Print("not name = 'raw' and type = 'Data'"), "((name != 'raw') AND (type = 'Data'))");
  EXPECT_EQ(Print("NOT name IS NULL OR NOT id IN (1)"), "((name IS NOT NULL) OR (id NOT IN (1)))");
}

TEST(FilterParser, BetweensAndIsItsOwn) {
  EXPECT_EQ(Print("id BETWEEN 1 AND 2 AND id = 3"), "((id BETWEEN 1 AND 2) AND (id = 3))");
  EXPECT_EQ(Print("NOT id between 1 and 2 or id not between 3 and 4"),
            "((id NOT BETWEEN 1 AND 2) OR (id NOT BETWEEN 3 AND 4))");
  EXPECT_EQ(Print("id BETWEEN 1 + 1 AND 2 * 3 AND NOT id BETWEEN 1 AND 2"),
            "((id BETWEEN (1 + 1) AND (2 * 3)) AND (id NOT BETWEEN 1 AND 2))");
}

TEST(FilterParser, ArithmeticHasItsPrecedence) {
  EXPECT_EQ(Print("id + 1 * 2 - 3 = 4"), "(((id + (1 * 2)) - 3) = 4)");
  EXPECT_EQ(Print("(id + 1) * -id = 4"), "(((id + 1) * (-id)) = 4)");
  EXPECT_EQ(Print("-id*2 < 4--1"), "(((-id) * 2) < (4 - -1))");
  EXPECT_EQ(Print("((id)) = (((1)))"), "(id = 1)");
  EXPECT_EQ(Print("1 < id + 0.5"), "(1 < (id + 0.5))");
  const Filter filter = Parse("id + 1 = id * 0.5");
  EXPECT_EQ(filter.ScalarOf(filter.RootPredicate(), 0).type, ScalarType::kInt);
  EXPECT_EQ(filter.ScalarOf(filter.RootPredicate(), 1).type, ScalarType::kDouble);
}

TEST(FilterParser, KeywordsTakeAnyCaseAndLittleSpace) {
  EXPECT_EQ(Print("name='raw'AND state=LIVE"), "((name = 'raw') AND (state = LIVE))");
  EXPECT_EQ(Print("\tname\nIs\r\nNoT nUlL "), "(name IS NOT NULL)");
  EXPECT_EQ(Print("name not like'm%'aNd(id)in(1,2)"), "((name NOT LIKE 'm%') AND (id IN (1, 2)))");
}

// Types.

TEST(FilterParser, IntsAndDoublesCompareOtherMixedTypesDoNot) {
  for (const char* text :
       {"id = 0.5", "properties.a.double_value > 1", "id IN (1, 2.5)", "id BETWEEN 0.5 AND 3",
        "id + 0.5 > 1", "name < 'x'", "name = uri", "properties.a.bool_value < TRUE",
        "contexts_a.name = name", "contexts_a.id = contexts_b.id", "1 = 1", "'a' = 'b'", "TRUE",
        "not false", "events_a.type = events_b.type", "'x' IN (name, uri)"}) {
    EXPECT_TRUE(Parses(text)) << text;
  }
  for (const char* text : {"name = 3",
                           "id = 'x'",
                           "id = TRUE",
                           "properties.a.bool_value = 1",
                           "state = 2",
                           "state = 'LIVE'",
                           "state = type",
                           "state = events_a.type",
                           "state < LIVE",
                           "state BETWEEN LIVE AND LIVE",
                           "state LIKE 'L%'",
                           "name + 1 = 2",
                           "-name = 'x'",
                           "+name = 'x'",
                           "id IN (1, 'x')",
                           "id BETWEEN 1 AND 'x'",
                           "id LIKE '1'",
                           "name LIKE 3",
                           "name LIKE uri",
                           "name IS TRUE",
                           "id IS FALSE",
                           "name",
                           "id",
                           "1",
                           "'a'",
                           "state",
                           "NOT id",
                           "id AND id = 1",
                           "id = 1 OR name",
                           "LIVE = state",
                           "properties.a.int_value",
                           "(id = 1) = (id = 2)",
                           "(id = 1) + 1 = 2",
                           "(id = 1) IN (TRUE)",
                           "(id = 1) IS NULL",
                           "id = (id = 1)",
                           "-(id = 1) = 1",
                           "(id = 1) LIKE 'x'",
                           "id = LIVE",
                           "properties.a.bool_value + 1 = 2",
                           "state = INPUT",
                           "state = 1 + 1",
                           "state IN (2)"}) {
    EXPECT_FALSE(Parses(text)) << text;
  }
}

TEST(FilterParser, RefusesWhatIsNoCondition) {
  for (const char* text : {"",
                           " ",
                           "\n",
                           "()",
                           "(",
                           ")",
                           "AND",
                           "NOT",
                           "id = 1 AND",
                           "AND id = 1",
                           "id = 1 id = 2",
                           "id = 1 AND OR id = 2",
                           "id = 1)",
                           "(id = 1",
                           "((id = 1)",
                           "id =",
                           "= 1",
                           "id 1",
                           "id = 1,",
                           "id IN",
                           "id IN ()",
                           "id IN (1",
                           "id IN (1,",
                           "id IN (1,)",
                           "id IN (1 2)",
                           "id IN 1",
                           "id BETWEEN 1",
                           "id BETWEEN 1 AND",
                           "id BETWEEN 1 OR 2",
                           "name LIKE",
                           "id IS",
                           "id IS NOT",
                           "id IS 1",
                           "id NOT = 1",
                           "id NOT",
                           "id NOT NOT IN (1)",
                           "id = 1 = 1",
                           "id < 2 < 3",
                           "id == 1",
                           "id = NULL",
                           "id IN (NULL)",
                           "NULL",
                           "id % 2 = 0",
                           "id / 2 = 0",
                           "id ! 1",
                           "name = 'a' 'b'",
                           "name = 'a",
                           "id * = 1",
                           "id = 1 IS TRUE",
                           "TRUE IS TRUE IS TRUE",
                           "contexts_a = 1",
                           "contexts_a. = 1",
                           "contexts_a.id. = 1",
                           "contexts_a.id.id = 1",
                           "name.x = 'a'",
                           "properties = 1",
                           "properties.a = 1",
                           "properties.a.b = 1",
                           "properties..int_value = 1",
                           "properties.a.int_value.x = 1",
                           "properties.'a'.int_value = 1",
                           "properties.0:b.int_value = 1",
                           "id = 1;",
                           "id = 1 -- x",
                           "id = @x",
                           "f(id) = 1",
                           "name = 'a\\%'",
                           "name LIKE 'a\\\\'",
                           "name = r'a'",
                           "id = 1 && id = 2"}) {
    EXPECT_FALSE(Parses(text)) << text;
  }
}

TEST(FilterParser, PatternsMayEscapeAndOnlyEndWell) {
  EXPECT_EQ(Print("name LIKE '50\\%\\_'"), "(name LIKE '50\\\\%\\\\_')");
  EXPECT_EQ(Print("name LIKE '50\\\\%'"), "(name LIKE '50\\\\%')");
  EXPECT_EQ(Print("name LIKE '\\\\\\\\'"), "(name LIKE '\\\\\\\\')");
  EXPECT_EQ(
      Print("name LIKE 'a\\\\'"),
      "filter_query, position 11: found '\\'a\\\\\\\\\\'', expected a pattern with a character "
      "behind its last backslash");
  const Filter filter = Parse("name LIKE 'a\\%'");
  EXPECT_EQ(filter.TextOf(filter.ScalarOf(filter.RootPredicate(), 1)), "a\\%");
}

// Errors.

TEST(FilterParser, AnErrorSaysWhereWhatAndWhatInstead) {
  struct Case {
    const char* text;
    const char* error;  // Behind "filter_query, position ".
  };
  const std::vector<Case> cases = {
      {"",
       "1: found the end of the text, expected a value: a name, a number, a string, TRUE or "
       "FALSE"},
      {"   ",
       "4: found the end of the text, expected a value: a name, a number, a string, TRUE or "
       "FALSE"},
      {"name = 'a' AND  foo = 1",
       "17: found 'foo', expected an attribute of an artifact: id, type_id, type, name, "
       "external_id, create_time_since_epoch, last_update_time_since_epoch, uri, state, "
       "properties.NAME.*, custom_properties.NAME.*, contexts_ALIAS.*, or events_ALIAS.*"},
      {"name foo", "6: found 'foo', expected a comparison operator"},
      {"name", "5: found the end of the text, expected a comparison operator"},
      {"(name) AND id = 1", "8: found 'AND', expected a comparison operator"},
      {"name = 3", "8: found '3', an int, expected a string"},
      {"name = (3 + id)", "8: found '(3 + id)', an int, expected a string"},
      {"id IN (1, 'x')", "11: found '\\'x\\'', a string, expected a number"},
      {"name + 1 = 2", "1: found 'name', a string, expected a number"},
      {"state = 'LIVE'",
       "9: found '\\'LIVE\\'', a string, expected an artifact's state without quotes: UNKNOWN, "
       "PENDING, LIVE, MARKED_FOR_DELETION, DELETED, ABANDONED, REFERENCE"},
      {"state = NOSUCH",
       "9: found 'NOSUCH', expected an artifact's state: UNKNOWN, PENDING, LIVE, "
       "MARKED_FOR_DELETION, DELETED, ABANDONED, REFERENCE"},
      {"state < LIVE",
       "1: found 'state', an artifact's state, expected something with an order: enums have only "
       "=, != and IN"},
      {"contexts_a.bogus = 1",
       "12: found 'bogus', expected id, name, type, create_time_since_epoch or "
       "last_update_time_since_epoch"},
      {"properties.span = 1",
       "17: found '=', expected . and int_value, double_value, string_value or bool_value"},
      {"name == 'a'", "6: found '==', expected a single ="},
      {"id % 2 = 0", "4: found '%', expected a name, a value or an operator"},
      {"(name = 'a'", "12: found the end of the text, expected AND, OR or )"},
      {"name = 'a' id", "12: found 'id', expected AND, OR or the end of the text"},
      {"name = 'x", "8: found '\\'x', expected a closing '"},
      {"name = NULL", "8: found 'NULL', expected a value; whether there is one asks IS NULL"},
      {"id = 1x", "6: found '1x', expected a number like 12 or 1.5e-3"},
      {"name = 'a\\qb'",
       "10: found '\\\\q', expected an escape like \\n, \\', \\\\, \\x41 or "
       "\\u00e4"},
      {"(id = 1) = 2",
       "1: found '(id = 1)', a condition, expected a value to compare; of conditions there is IS "
       "TRUE"},
      {"name NOT = 'a'", "10: found '=', expected IN, LIKE or BETWEEN behind NOT"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Print(c.text), absl::StrCat("filter_query, position ", c.error)) << c.text;
  }
}

TEST(FilterParser, AnErrorIsOneShortLineWhateverTheText) {
  const std::string long_word(5000, 'x');
  const std::string binary(5000, '\xff');
  const std::string control(5000, '\x01');
  const std::vector<std::string> parts = {long_word, binary, control, std::string("a\nb\0c", 5)};
  for (const std::string& part : parts) {
    for (const std::string& text :
         {part, absl::StrCat("`", part, "`"), absl::StrCat("name = ", part),
          absl::StrCat("name = '", part), absl::StrCat("name = '", part, "'"),
          absl::StrCat("id = '", part, "'"), absl::StrCat("state = ", part),
          absl::StrCat("artifacts_a.state = '", part, "'"), absl::StrCat("`", part, "`.id = 1"),
          absl::StrCat("properties.`", part, "`.int = 1"), absl::StrCat("contexts_", part, ".id"),
          absl::StrCat("name LIKE '", part, "\\\\'")}) {
      for (const NodeKind kind : kNodeKinds) {
        const auto filter = ParseFilter(kind, text);
        if (filter.ok()) continue;
        EXPECT_LE(filter.status().message().size(), 700U) << filter.status();
        EXPECT_FALSE(absl::StrContains(filter.status().message(), '\n')) << filter.status();
      }
    }
  }
}

TEST(FilterParser, PositionsAreKeptOnNodes) {
  const Filter filter = Parse("  name = 'a' AND NOT (id + 1 IN (2) OR contexts_a.id < 3)");
  ASSERT_EQ(ToString(filter), "((name = 'a') AND ((id + 1) NOT IN (2)) AND (contexts_a.id >= 3))");
  const auto leaves = filter.OperandsOf(filter.RootPredicate());
  EXPECT_EQ(filter.RootPredicate().position, 13U);
  EXPECT_EQ(filter.predicates[leaves[0]].position, 7U);
  EXPECT_EQ(filter.predicates[leaves[1]].position, 29U);
  EXPECT_EQ(filter.ScalarOf(filter.predicates[leaves[1]], 0).position, 25U);
  EXPECT_EQ(filter.ScalarOf(filter.predicates[leaves[2]], 0).position, 39U);
  EXPECT_EQ(filter.variables[1].position, 39U);
}

// Random filters and recorded ones.

TEST(FilterParser, WhatItPrintsParsesToTheSame) {
  Random random;
  for (const NodeKind kind : kNodeKinds) {
    RandomFilters filters(kind, FilterVocabulary{}, &random);
    for (int i = 0; i < 4000; ++i) {
      const std::string text = filters.Make(static_cast<int>(random.Between(0, 5)));
      const auto filter = ParseFilter(kind, text);
      ASSERT_TRUE(IsOk(filter)) << text;
      const std::string printed = ToString(*filter);
      EXPECT_FALSE(absl::StrContains(printed, '\n')) << printed;
      const auto again = ParseFilter(kind, printed);
      ASSERT_TRUE(IsOk(again)) << text << "\nprinted as\n" << printed;
      ASSERT_EQ(ToString(*again), printed) << text;
      ASSERT_EQ(again->predicates.size(), filter->predicates.size()) << text;
      ASSERT_EQ(again->variables.size(), filter->variables.size()) << text;
    }
  }
}

// A filter with a byte or a token too many or too few is refused or is another one: no crash.
TEST(FilterParser, SurvivesWhatIsNearlyAFilter) {
  Random random;
  RandomFilters filters(kArtifact, FilterVocabulary{}, &random);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = filters.Make(3);
    const size_t at = random.Index(text.size());
    switch (random.Between(0, 2)) {
      case 0:
        text.erase(at, static_cast<size_t>(random.Between(1, 8)));
        break;
      case 1:
        text.insert(at, random.Bytes(4));
        break;
      default:
        text.resize(at);
    }
    const auto filter = ParseFilter(kArtifact, text);
    if (filter.ok()) {
      Print(text);
      continue;
    }
    ++refused;
    EXPECT_LE(filter.status().message().size(), 700U) << filter.status();
  }
  EXPECT_GT(refused, 1000);
}

// transcript_filters.tsv holds every filter that was put to a recorded MLMD server, ids filled in,
// with what became of it: OK, or INVALID_ARGUMENT on account of the filter.
TEST(FilterParser, AgreesWithTheRecordedServer) {
  std::ifstream file(TRANSCRIPT_FILTERS);
  ASSERT_TRUE(file.is_open());
  int accepted = 0;
  int refused = 0;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits('\t', 2));
    ASSERT_EQ(parts.size(), 3U) << line;
    const auto kind = std::find_if(std::begin(kNodeKinds), std::end(kNodeKinds),
                                   [&](NodeKind k) { return NameOf(k) == parts[1]; });
    ASSERT_NE(kind, std::end(kNodeKinds)) << line;
    EXPECT_EQ(Parses(parts[2], *kind), parts[0] == "OK") << line << "\n" << Print(parts[2], *kind);
    ++(parts[0] == "OK" ? accepted : refused);
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace pedigree
