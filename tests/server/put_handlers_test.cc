// Put{Artifacts,Executions,Contexts}: ids, times, updates, masks, refusals.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/server/node_calls.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ::pedigree::testing::Difference;
using ::pedigree::testing::ExpectEqual;
using ::pedigree::testing::ExpectRefused;
using ::pedigree::testing::FromText;
using ::pedigree::testing::KindName;
using ::pedigree::testing::kTypeT;
using ::pedigree::testing::NodeKinds;
using ::pedigree::testing::NodeTest;
using ::pedigree::testing::ReadText;
using Ids = std::vector<int64_t>;

template <class Node>
class PutNodes : public NodeTest<Node> {
 protected:
  // The request for one node under an update mask.
  static typename NodeTest<Node>::PutRequest Masked(const std::string& text,
                                                    const std::vector<std::string>& paths) {
    auto request = NodeTest<Node>::Request({text});
    for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
    return request;
  }
};
TYPED_TEST_SUITE(PutNodes, NodeKinds, KindName);

TYPED_TEST(PutNodes, IdsAscendFromOneWithoutGaps) {
  EXPECT_EQ(this->PutTexts({"type_id: 10 name: 'a'", "type_id: 11 name: 'a'"}), (Ids{1, 2}));
  EXPECT_EQ(this->PutTexts({"type_id: 10 name: 'b'"}), Ids{3});
  // A refused request takes no id with it, however much of it was done.
  this->Refused({"type_id: 10 name: 'c'", "type_id: 10 name: 'a'"}, StatusCode::kAlreadyExists);
  this->Refused({"type_id: 10 name: 'c'", "type_id: 999 name: 'd'"}, StatusCode::kNotFound);
  EXPECT_EQ(this->PutTexts({"type_id: 10 name: 'c'", "id: 1 name: 'a'", "type_id: 10 name: 'd'"}),
            (Ids{4, 1, 5}));
  this->store_.Reopen();
  EXPECT_EQ(this->PutTexts({"type_id: 10 name: 'e'"}), Ids{6});
  EXPECT_EQ(this->PutTexts({}), Ids{});
}

TYPED_TEST(PutNodes, StoresWhatItWasGivenAndFillsInTheRest) {
  const int64_t id = this->PutText(
      "type_id: 10 name: 'a' external_id: 'x' type: 'nonsense' "
      "create_time_since_epoch: 5 last_update_time_since_epoch: 6 "
      "properties { key: 'i' value { int_value: 7 } } "
      "custom_properties { key: 'i' value { string_value: '' } }");
  auto expected = this->NodeOf(absl::StrCat(
      "id: 1 type_id: 10 type: 't' name: 'a' external_id: 'x' create_time_since_epoch: ",
      this->store_.clock_ms(), " last_update_time_since_epoch: ", this->store_.clock_ms(),
      " properties { key: 'i' value { int_value: 7 } } "
      "custom_properties { key: 'i' value { string_value: '' } }"));
  if constexpr (TestFixture::kIsArtifact) expected.set_uri("");
  ExpectEqual(this->Read(id), expected);
  this->store_.Reopen();
  ExpectEqual(this->Read(id), expected);
}

TYPED_TEST(PutNodes, EveryKindOfValueRoundTripsToTheBit) {
  auto node = this->NodeOf(
      "type_id: 10 name: 'a' "
      "properties { key: 'st' value { struct_value { fields { key: '' value { list_value { "
      "values { null_value: NULL_VALUE } values { number_value: -0.0 } values { bool_value: false }"
      "} } } } } } "
      "properties { key: 'p' value { proto_value { type_url: 'a/b.C' value: '\\377\\000' } } } "
      "properties { key: 'b' value { bool_value: false } } "
      "properties { key: 's' value { string_value: '\\000 \xf0\x9f\x8c\xb3' } }");
  auto& custom = *node.mutable_custom_properties();
  using Limits = std::numeric_limits<double>;
  const double doubles[] = {0.1 + 0.2,          -0.0,
                            Limits::max(),      Limits::lowest(),
                            Limits::min(),      Limits::denorm_min(),
                            Limits::infinity(), -Limits::infinity(),
                            Limits::quiet_NaN()};
  for (const double value : doubles) {
    custom[absl::StrCat("d", custom.size())].set_double_value(value);
  }
  for (const int64_t value : {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0},
                              int64_t{1} << 53, std::numeric_limits<int64_t>::max()}) {
    custom[absl::StrCat("i", custom.size())].set_int_value(value);
  }
  custom["long"].set_string_value(std::string(1 << 20, 'x'));
  custom[std::string(100'000, 'k')].set_bool_value(true);
  const auto read = this->Read(this->PutNode(node));
  auto expected = read;
  *expected.mutable_properties() = node.properties();
  *expected.mutable_custom_properties() = node.custom_properties();
  ExpectEqual(read, expected);
}

TYPED_TEST(PutNodes, ACreateNeedsATypeOfItsKind) {
  this->Refused({"name: 'a'"}, StatusCode::kInvalidArgument);
  for (const char* type_id : {"0", "-1", "12", "9223372036854775807"}) {
    this->Refused({absl::StrCat("name: 'a' type_id: ", type_id)}, StatusCode::kNotFound);
  }
  // 2 is mlmd.Model, 9 mlmd.Deploy: no kind has both.
  const bool has_2 = this->TryTexts({"name: 'a' type_id: 2"}).ok();
  const bool has_9 = this->TryTexts({"name: 'a' type_id: 9"}).ok();
  EXPECT_EQ(has_2, TestFixture::kIsArtifact);
  EXPECT_EQ(has_9, TestFixture::kKind == NodeKind::kExecution);
}

TYPED_TEST(PutNodes, ANameIsUniqueWithinItsType) {
  this->PutTexts({"type_id: 10 name: 'a'", "type_id: 11 name: 'a'", "type_id: 10 name: 'A'"});
  const std::string text = this->Refused({"type_id: 10 name: 'a'"}, StatusCode::kAlreadyExists);
  EXPECT_NE(text.find("'a'"), std::string::npos) << text;
  this->Refused({"type_id: 10 name: 'b'", "type_id: 10 name: 'b'"}, StatusCode::kAlreadyExists);
  // Names that are equal up to where keys are cut are two names.
  const std::string stem(128, 'n');
  this->PutTexts({absl::StrCat("type_id: 10 name: '", stem, "1'"),
                  absl::StrCat("type_id: 10 name: '", stem, "2'"),
                  absl::StrCat("type_id: 10 name: '", stem, "'")});
  this->Refused({absl::StrCat("type_id: 10 name: '", stem, "2'")}, StatusCode::kAlreadyExists);
}

TYPED_TEST(PutNodes, AnEmptyNameIsANameUnlessOfAContext) {
  if constexpr (TestFixture::kIsContext) {
    this->Refused({"type_id: 10"}, StatusCode::kInvalidArgument);
    this->Refused({"type_id: 10 name: ''"}, StatusCode::kInvalidArgument);
    const int64_t id = this->PutText("type_id: 10 name: 'a'");
    this->Refused({absl::StrCat("id: ", id)}, StatusCode::kInvalidArgument);
    this->Refused({absl::StrCat("id: ", id, " name: ''")}, StatusCode::kInvalidArgument);
  } else {
    EXPECT_EQ(this->PutTexts({"type_id: 10 name: ''", "type_id: 10", "type_id: 10"}),
              (Ids{1, 2, 3}));
    this->Refused({"type_id: 10 name: ''"}, StatusCode::kAlreadyExists);
    EXPECT_TRUE(this->Read(1).has_name());
    EXPECT_FALSE(this->Read(2).has_name());
  }
}

TYPED_TEST(PutNodes, AnExternalIdIsUniqueWithinItsKind) {
  this->PutTexts({"type_id: 10 name: 'a' external_id: 'x'", "type_id: 10 name: 'b'",
                  "type_id: 10 name: 'c' external_id: ''"});
  this->Refused({"type_id: 11 name: 'd' external_id: 'x'"}, StatusCode::kAlreadyExists);
  this->Refused({"type_id: 11 name: 'd' external_id: ''"}, StatusCode::kAlreadyExists);
  this->Refused({"id: 2 name: 'b' external_id: 'x'"}, StatusCode::kAlreadyExists);
  // Given up, it is free.
  this->PutTexts({"id: 1 name: 'a'", "id: 2 name: 'b' external_id: 'x'"});
  EXPECT_FALSE(this->Read(1).has_external_id());
  EXPECT_EQ(this->Read(2).external_id(), "x");
}

TYPED_TEST(PutNodes, AnUpdateReplacesTheWholeNode) {
  this->PutText(
      "type_id: 10 name: 'a' external_id: 'x' "
      "properties { key: 'i' value { int_value: 7 } } "
      "properties { key: 's' value { string_value: 's' } } "
      "custom_properties { key: 'c' value { int_value: 1 } } "
      "system_metadata { type_url: 'a/b' }");
  this->store_.MoveClock(10);
  this->PutText("id: 1 name: 'a' properties { key: 'i' value { int_value: 8 } }");
  const auto read = this->Read(1);
  EXPECT_EQ(read.properties_size(), 1);
  EXPECT_EQ(read.properties().at("i").int_value(), 8);
  EXPECT_EQ(read.custom_properties_size(), 0);
  EXPECT_FALSE(read.has_external_id());
  EXPECT_EQ(read.type_id(), kTypeT);
}

TYPED_TEST(PutNodes, OnlyAContextCanBeRenamed) {
  this->PutTexts({"type_id: 10 name: 'a'", "type_id: 10 name: 'b'"});
  if constexpr (TestFixture::kIsContext) {
    this->PutText("id: 1 name: 'c'");
    EXPECT_EQ(this->Read(1).name(), "c");
    this->Refused({"id: 1 name: 'b'"}, StatusCode::kAlreadyExists);
    EXPECT_EQ(this->PutText("type_id: 10 name: 'a'"), 3);
  } else {
    const auto before = this->store_.Dump();
    this->PutText("id: 1 name: 'c'");
    this->PutText("id: 1 name: 'b'");
    this->PutText("id: 1");
    EXPECT_EQ(Difference(before, this->store_.Dump()), "");
  }
}

TYPED_TEST(PutNodes, AnUpdateOfWhatIsNotThereIsRefused) {
  this->PutText("type_id: 10 name: 'a'");
  for (const char* id : {"0", "-1", "2", "-9223372036854775808", "9223372036854775807"}) {
    this->Refused({absl::StrCat("type_id: 10 name: 'a' id: ", id)}, StatusCode::kInvalidArgument);
    this->Refused({"id: 1 name: 'a' custom_properties { key: 'k' value { int_value: 1 } }",
                   absl::StrCat("name: 'a' id: ", id)},
                  StatusCode::kInvalidArgument);
  }
  this->Refused({"id: 1 name: 'a' type_id: 11"}, StatusCode::kInvalidArgument);
  this->Refused({"id: 1 name: 'a' type_id: 0"}, StatusCode::kInvalidArgument);
  EXPECT_EQ(this->PutTexts({"id: 1 name: 'a' type_id: 10", "id: 1 name: 'a'"}), (Ids{1, 1}));
}

TYPED_TEST(PutNodes, OfTwoUpdatesInOneRequestTheLastWins) {
  this->PutText("type_id: 10 name: 'a'");
  this->PutTexts({"id: 1 name: 'a' custom_properties { key: 'k' value { int_value: 1 } }",
                  "id: 1 name: 'a' custom_properties { key: 'k' value { int_value: 2 } }"});
  EXPECT_EQ(this->Read(1).custom_properties().at("k").int_value(), 2);
}

TYPED_TEST(PutNodes, PropertiesMustFitTheirDeclaration) {
  const auto put = [](const std::string& property) {
    return absl::StrCat("type_id: 10 name: 'n' properties { ", property, " }");
  };
  this->Refused({put("key: 'x' value { int_value: 1 }")}, StatusCode::kInvalidArgument);
  this->Refused({put("key: 'I' value { int_value: 1 }")}, StatusCode::kInvalidArgument);
  const std::string values[] = {"int_value: 1",     "double_value: 1", "string_value: 's'",
                                "struct_value { }", "proto_value { }", "bool_value: true"};
  const std::string keys[] = {"i", "d", "s", "st", "p", "b"};
  for (size_t i = 0; i < std::size(keys); ++i) {
    for (size_t j = 0; j < std::size(values); ++j) {
      const std::string text = put(absl::StrCat("key: '", keys[i], "' value { ", values[j], " }"));
      if (i == j) continue;
      this->Refused({text}, StatusCode::kInvalidArgument);
    }
  }
  this->PutText("type_id: 10 name: 'n'");
  this->Refused({"id: 1 name: 'n' properties { key: 'x' value { int_value: 1 } }"},
                StatusCode::kInvalidArgument);
  this->Refused({"id: 1 name: 'n' properties { key: 'i' value { double_value: 1 } }"},
                StatusCode::kInvalidArgument);
}

TYPED_TEST(PutNodes, TimesMoveOnlyWithTheRecord) {
  const int64_t start = this->store_.clock_ms();
  const std::string same = "name: 'a' custom_properties { key: 'k' value { int_value: 1 } }";
  this->PutText("type_id: 10 " + same);
  this->store_.MoveClock(10);
  const auto before = this->store_.Dump();
  this->PutText("id: 1 " + same);
  EXPECT_EQ(Difference(before, this->store_.Dump()), "");
  EXPECT_EQ(this->Read(1).last_update_time_since_epoch(), start);
  this->PutText("id: 1 name: 'a' custom_properties { key: 'k' value { int_value: 2 } }");
  EXPECT_EQ(this->Read(1).last_update_time_since_epoch(), start + 10);
  EXPECT_EQ(this->Read(1).create_time_since_epoch(), start);
}

TYPED_TEST(PutNodes, TimesNeverRunBackwards) {
  this->PutText("type_id: 10 name: 'a'");
  const int64_t start = this->Read(1).create_time_since_epoch();
  this->store_.MoveClock(-100'000);
  this->PutText("id: 1 name: 'a' custom_properties { key: 'k' value { int_value: 2 } }");
  EXPECT_GE(this->Read(1).last_update_time_since_epoch(), start);
  this->store_.Reopen();
  this->store_.MoveClock(-100'000);
  this->PutText("type_id: 10 name: 'b'");
  EXPECT_GE(this->Read(2).create_time_since_epoch(), start);
}

TYPED_TEST(PutNodes, AMaskMovesWhatItNamesAndNothingElse) {
  const std::string stored =
      "external_id: 'x' properties { key: 'i' value { int_value: 1 } } "
      "properties { key: 's' value { string_value: '1' } } "
      "custom_properties { key: 'i' value { int_value: 1 } } "
      "custom_properties { key: 'j' value { int_value: 1 } } ";
  this->PutText("type_id: 10 name: 'a' " + stored);
  const std::string other =
      "id: 1 external_id: 'y' properties { key: 'i' value { int_value: 2 } } "
      "custom_properties { key: 'i' value { int_value: 2 } } "
      "custom_properties { key: 'k' value { int_value: 2 } } ";

  this->Put(this->Masked(other, {"properties.i", "custom_properties.j", "custom_properties.k",
                                 "nonsense", "properties.none", "", "id", "type_id"}));
  auto read = this->Read(1);
  EXPECT_EQ(read.external_id(), "x");
  EXPECT_EQ(read.properties().at("i").int_value(), 2);
  EXPECT_EQ(read.properties().at("s").string_value(), "1");
  EXPECT_EQ(read.custom_properties().at("i").int_value(), 1);
  EXPECT_FALSE(read.custom_properties().contains("j"));
  EXPECT_EQ(read.custom_properties().at("k").int_value(), 2);

  this->Put(this->Masked(other, {"properties", "properties.s", "external_id"}));
  read = this->Read(1);
  EXPECT_EQ(read.external_id(), "y");
  EXPECT_EQ(read.properties_size(), 1);
  EXPECT_EQ(read.name(), "a");

  this->Put(this->Masked("id: 1", {"external_id", "custom_properties"}));
  read = this->Read(1);
  EXPECT_FALSE(read.has_external_id());
  EXPECT_EQ(read.custom_properties_size(), 0);
  EXPECT_EQ(read.properties_size(), 1);
}

TYPED_TEST(PutNodes, AMaskDoesNotLetBadPropertiesIn) {
  this->PutText("type_id: 10 name: 'a'");
  const auto refused = [&](const std::string& property, const std::string& path) {
    ExpectRefused(this->store_, this->Masked("id: 1 properties { " + property + " }", {path}),
                  StatusCode::kInvalidArgument);
  };
  refused("key: 'x' value { int_value: 1 }", "properties.x");
  refused("key: 'i' value { double_value: 1 }", "properties.i");
  refused("key: 'i' value { }", "properties.i");
  refused("key: 'i' value { }", "external_id");  // Bad even where the mask leaves it out.
}

TYPED_TEST(PutNodes, OnACreateTheMaskIsIgnored) {
  const auto request =
      this->Masked("type_id: 10 name: 'a' external_id: 'x'", {"custom_properties"});
  EXPECT_EQ(this->Put(request), Ids{1});
  EXPECT_EQ(this->Read(1).external_id(), "x");
}

TYPED_TEST(PutNodes, StoresAllOrNothing) {
  this->PutText("type_id: 10 name: 'old' external_id: 'x'");
  const std::vector<std::string> good = {
      "type_id: 10 name: 'n1' external_id: 'y'", "type_id: 11 name: 'n2'",
      "id: 1 name: 'old' custom_properties { key: 'k' value { int_value: 1 } }"};
  const std::pair<const char*, StatusCode> bad[] = {
      {"type_id: 10 name: 'n1'", StatusCode::kAlreadyExists},
      {"type_id: 10 name: 'n3' external_id: 'y'", StatusCode::kAlreadyExists},
      {"type_id: 99 name: 'n3'", StatusCode::kNotFound},
      {"id: 77 name: 'n3'", StatusCode::kInvalidArgument},
      {"type_id: 10 name: 'n3' properties { key: 'i' value { } }", StatusCode::kInvalidArgument},
      {"type_id: 10 name: 'n3' properties { key: 'z' value { int_value: 1 } }",
       StatusCode::kInvalidArgument},
  };
  for (const auto& [text, code] : bad) {
    for (size_t place = 0; place <= good.size(); ++place) {
      if (code == StatusCode::kAlreadyExists && place == 0) continue;
      auto texts = good;
      texts.insert(texts.begin() + static_cast<ptrdiff_t>(place), text);
      this->Refused(texts, code);
    }
  }
  EXPECT_EQ(this->PutTexts(good), (Ids{2, 3, 1}));
}

using Artifacts = NodeTest<ml_metadata::Artifact>;

ml_metadata::PutArtifactsRequest Guarded(const std::string& text) {
  return FromText<ml_metadata::PutArtifactsRequest>(
      absl::StrCat("options { abort_if_latest_updated_time_changed: true } ", text));
}

TEST_F(Artifacts, AGuardedUpdateIsStrictlyLaterEvenWithinOneMillisecond) {
  PutText("type_id: 10");
  int64_t time = Read(1).last_update_time_since_epoch();
  for (int i = 0; i < 5; ++i) {  // The clock stands still.
    Put(Guarded(absl::StrCat("artifacts { id: 1 last_update_time_since_epoch: ", time,
                             " custom_properties { key: 'k' value { int_value: ", i, " } } }")));
    const int64_t now = Read(1).last_update_time_since_epoch();
    EXPECT_GT(now, time);
    time = now;
  }
  // Also if it changes nothing.
  Put(Guarded(absl::StrCat("artifacts { id: 1 last_update_time_since_epoch: ", time,
                           " custom_properties { key: 'k' value { int_value: 4 } } }")));
  EXPECT_GT(Read(1).last_update_time_since_epoch(), time);
  // What is stored next is not before it.
  PutText("type_id: 10");
  EXPECT_GE(Read(2).create_time_since_epoch(), Read(1).last_update_time_since_epoch());
}

TEST_F(Artifacts, AGuardedUpdateOfAnotherTimeIsRefused) {
  PutText("type_id: 10");
  const int64_t time = Read(1).last_update_time_since_epoch();
  for (const int64_t other : {time - 1, time + 1, int64_t{0}, int64_t{-1}}) {
    ExpectRefused(
        store_,
        Guarded(absl::StrCat("artifacts { id: 1 last_update_time_since_epoch: ", other, " }")),
        StatusCode::kFailedPrecondition);
  }
  ExpectRefused(store_, Guarded("artifacts { id: 1 }"), StatusCode::kFailedPrecondition);
  // One stale update spoils the request.
  ExpectRefused(
      store_,
      Guarded(absl::StrCat("artifacts { type_id: 10 } artifacts { id: 1 uri: 'u' ",
                           "last_update_time_since_epoch: ", time,
                           " } artifacts { id: 1 last_update_time_since_epoch: ", time, " }")),
      StatusCode::kFailedPrecondition);
  // A create has nothing to be compared with.
  EXPECT_EQ(Put(Guarded("artifacts { type_id: 10 }")), Ids{2});
}

TEST_F(Artifacts, AnUpdateWithoutUriLeavesAnEmptyOne) {
  PutText("type_id: 10 uri: 's3://x' state: LIVE");
  PutText("id: 1");
  EXPECT_TRUE(Read(1).has_uri());
  EXPECT_EQ(Read(1).uri(), "");
  EXPECT_FALSE(Read(1).has_state());
  const auto by_uri = FromText<ml_metadata::GetArtifactsByURIRequest>("uris: 's3://x'");
  EXPECT_TRUE(store_.Nodes<ml_metadata::Artifact>(by_uri).empty());
}

}  // namespace
}  // namespace pedigree
