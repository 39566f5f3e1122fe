// Each comparison rule, once where two answers count as equal and once where they do not.
#include "tests/conformance/compare.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/conformance/transcript.h"

namespace pedigree::conformance {
namespace {

using ml_metadata::GetArtifactsResponse;
using ml_metadata::GetEventsByExecutionIDsResponse;
using ml_metadata::GetExecutionTypeResponse;
using ml_metadata::GetLineageSubgraphResponse;
using ml_metadata::GetParentContextsByContextsResponse;
using ml_metadata::PutArtifactsResponse;

template <typename MessageType>
MessageType Read(absl::string_view json) {
  MessageType message;
  const absl::Status read = FromJson(json, &message);
  EXPECT_TRUE(read.ok()) << read << " in " << json;
  return message;
}

template <typename MessageType>
bool AreEqual(MessageType a, MessageType b, Order order = Order::kAny) {
  Normalise(a, order);
  Normalise(b, order);
  return DeterministicBytes(a) == DeterministicBytes(b);
}

template <typename MessageType>
bool AreEqual(absl::string_view a, absl::string_view b, Order order = Order::kAny) {
  return AreEqual(Read<MessageType>(a), Read<MessageType>(b), order);
}

// An answer with one artifact.
bool ArtifactsAreEqual(absl::string_view a, absl::string_view b) {
  return AreEqual<GetArtifactsResponse>(absl::StrCat(R"({"artifacts": [)", a, "]}"),
                                        absl::StrCat(R"({"artifacts": [)", b, "]}"));
}

TEST(Compare, ScalarsMustBeTheSame) {
  EXPECT_TRUE(ArtifactsAreEqual(R"({"name": "a", "state": "LIVE"})",  //
                                R"({"name": "a", "state": "LIVE"})"));
  EXPECT_FALSE(ArtifactsAreEqual(R"({"name": "a"})", R"({"name": "b"})"));
  EXPECT_FALSE(ArtifactsAreEqual(R"({"state": "LIVE"})", R"({"state": "DELETED"})"));
  EXPECT_FALSE(ArtifactsAreEqual(R"({"name": "a"})", R"({"name": "a", "type": "T"})"));
}

TEST(Compare, UnsetAndEmptyDiffer) {
  EXPECT_TRUE(ArtifactsAreEqual(R"({"uri": ""})", R"({"uri": ""})"));
  EXPECT_FALSE(ArtifactsAreEqual(R"({"uri": ""})", "{}"));
  EXPECT_FALSE(ArtifactsAreEqual("{}", R"({"state": "UNKNOWN"})"));
}

TEST(Compare, ServerMadeTimesAreEqualToEachOther) {
  for (const char* field : {"create_time_since_epoch", "last_update_time_since_epoch"}) {
    const auto artifact = [field](absl::string_view time) {
      return absl::StrCat("{\"", field, "\": \"", time, "\"}");
    };
    EXPECT_TRUE(ArtifactsAreEqual(artifact("1795411317747"), artifact("1600000000001")));
    EXPECT_FALSE(ArtifactsAreEqual(artifact("1795411317747"), "{}"));
    EXPECT_FALSE(ArtifactsAreEqual(artifact("1795411317747"), artifact("0")));
    EXPECT_FALSE(ArtifactsAreEqual(artifact("1795411317747"), artifact("1600000000000")));
  }
}

TEST(Compare, TimesThatAClientChoseMustBeTheSame) {
  const auto event = [](absl::string_view time) {
    return absl::StrCat(R"({"events": [{"milliseconds_since_epoch": ")", time, "\"}]}");
  };
  using Response = GetEventsByExecutionIDsResponse;
  EXPECT_TRUE(AreEqual<Response>(event("1795411317747"), event("1895411317747")));
  EXPECT_TRUE(AreEqual<Response>(event("12345"), event("12345")));
  EXPECT_FALSE(AreEqual<Response>(event("12345"), event("12346")));
  EXPECT_FALSE(AreEqual<Response>(event("12345"), event("1795411317747")));
}

TEST(Compare, PageTokensAreEqualWhenBothOrNoneAreThere) {
  const auto page = [](absl::string_view token) {
    return absl::StrCat(R"({"next_page_token": ")", token, "\"}");
  };
  EXPECT_TRUE(AreEqual<GetArtifactsResponse>(page("abc"), page("xyz")));
  EXPECT_TRUE(AreEqual<GetArtifactsResponse>(page(""), "{}"));
  EXPECT_FALSE(AreEqual<GetArtifactsResponse>(page("abc"), page("")));
  EXPECT_FALSE(AreEqual<GetArtifactsResponse>(page("abc"), "{}"));
  EXPECT_FALSE(AreEqual<GetArtifactsResponse>("{}", page("abc")));
}

TEST(Compare, RepeatedMessagesAreSetsUnlessOrdered) {
  constexpr char kOneTwo[] = R"({"artifacts": [{"id": "1"}, {"id": "2"}]})";
  constexpr char kTwoOne[] = R"({"artifacts": [{"id": "2"}, {"id": "1"}]})";
  EXPECT_TRUE(AreEqual<GetArtifactsResponse>(kOneTwo, kTwoOne));
  EXPECT_TRUE(AreEqual<GetArtifactsResponse>(kOneTwo, kOneTwo, Order::kAsAnswered));
  EXPECT_FALSE(AreEqual<GetArtifactsResponse>(kOneTwo, kTwoOne, Order::kAsAnswered));
}

TEST(Compare, RepeatedMessagesKeepTheirNumber) {
  constexpr char kOnce[] = R"({"artifacts": [{"id": "1"}, {"id": "2"}]})";
  constexpr char kTwice[] = R"({"artifacts": [{"id": "1"}, {"id": "1"}, {"id": "2"}]})";
  EXPECT_TRUE(AreEqual<GetArtifactsResponse>(kTwice, kTwice));
  EXPECT_FALSE(AreEqual<GetArtifactsResponse>(kOnce, kTwice));
  EXPECT_FALSE(AreEqual<GetArtifactsResponse>(kOnce, R"({"artifacts": [{"id": "1"}]})"));
}

TEST(Compare, NestedRepeatedMessagesAreSetsToo) {
  constexpr char kOneTwo[] = R"({"lineage_subgraph": {"events": [
      {"artifact_id": "1", "milliseconds_since_epoch": "1795411317747"}, {"artifact_id": "2"}]}})";
  constexpr char kTwoOne[] = R"({"lineage_subgraph": {"events": [
      {"artifact_id": "2"}, {"artifact_id": "1", "milliseconds_since_epoch": "1695411317747"}]}})";
  EXPECT_TRUE(AreEqual<GetLineageSubgraphResponse>(kOneTwo, kTwoOne));
  EXPECT_FALSE(AreEqual<GetLineageSubgraphResponse>(kOneTwo, kTwoOne, Order::kAsAnswered));
}

TEST(Compare, RepeatedIdsKeepTheirOrder) {
  constexpr char kOneTwo[] = R"({"artifact_ids": ["1", "2"]})";
  EXPECT_TRUE(AreEqual<PutArtifactsResponse>(kOneTwo, kOneTwo));
  EXPECT_FALSE(AreEqual<PutArtifactsResponse>(kOneTwo, R"({"artifact_ids": ["2", "1"]})"));
}

TEST(Compare, StepsOfAPathKeepTheirOrder) {
  const auto events = [](absl::string_view steps) {
    return absl::StrCat(R"({"events": [{"path": {"steps": [)", steps, "]}}]}");
  };
  constexpr char kKeyIndex[] = R"({"key": "model"}, {"index": "0"})";
  constexpr char kIndexKey[] = R"({"index": "0"}, {"key": "model"})";
  using Response = GetEventsByExecutionIDsResponse;
  EXPECT_TRUE(AreEqual<Response>(events(kKeyIndex), events(kKeyIndex)));
  EXPECT_FALSE(AreEqual<Response>(events(kKeyIndex), events(kIndexKey)));
}

TEST(Compare, ElementsOfATupleKeepTheirOrderAndCandidatesOfAUnionDoNot) {
  const auto type = [](absl::string_view kind, absl::string_view list, absl::string_view members) {
    return absl::StrCat(R"({"execution_type": {"input_type": {")", kind, R"(": {")", list,
                        R"(": [)", members, "]}}}}");
  };
  constexpr char kAnyNone[] = R"({"any": {}}, {"none": {}})";
  constexpr char kNoneAny[] = R"({"none": {}}, {"any": {}})";
  using Response = GetExecutionTypeResponse;
  EXPECT_TRUE(
      AreEqual<Response>(type("tuple", "elements", kAnyNone), type("tuple", "elements", kAnyNone)));
  EXPECT_FALSE(
      AreEqual<Response>(type("tuple", "elements", kAnyNone), type("tuple", "elements", kNoneAny)));
  EXPECT_TRUE(AreEqual<Response>(type("union_type", "candidates", kAnyNone),
                                 type("union_type", "candidates", kNoneAny)));
}

TEST(Compare, MapsCompareByKey) {
  constexpr char kAB[] = R"({"properties": {"a": {"int_value": "1"}, "b": {"int_value": "2"}}})";
  constexpr char kBA[] = R"({"properties": {"b": {"int_value": "2"}, "a": {"int_value": "1"}}})";
  constexpr char kSwapped[] =
      R"({"properties": {"a": {"int_value": "2"}, "b": {"int_value": "1"}}})";
  EXPECT_TRUE(ArtifactsAreEqual(kAB, kBA));
  EXPECT_FALSE(ArtifactsAreEqual(kAB, kSwapped));
  EXPECT_FALSE(ArtifactsAreEqual(kAB, R"({"properties": {"a": {"int_value": "1"}}})"));
}

TEST(Compare, PropertiesAndCustomPropertiesAreNotTheSame) {
  EXPECT_FALSE(ArtifactsAreEqual(R"({"properties": {"a": {"int_value": "1"}}})",
                                 R"({"custom_properties": {"a": {"int_value": "1"}}})"));
}

TEST(Compare, ListsInMapsAreSetsEvenWhereOrdered) {
  const auto parents = [](absl::string_view contexts) {
    return absl::StrCat(R"({"contexts": {"7": {"parent_contexts": [)", contexts, "]}}}");
  };
  constexpr char kOneTwo[] =
      R"({"id": "1", "create_time_since_epoch": "1795411317747"}, {"id": "2"})";
  constexpr char kTwoOne[] =
      R"({"id": "2"}, {"id": "1", "create_time_since_epoch": "1695411317747"})";
  using Response = GetParentContextsByContextsResponse;
  EXPECT_TRUE(AreEqual<Response>(parents(kOneTwo), parents(kTwoOne), Order::kAsAnswered));
  EXPECT_FALSE(AreEqual<Response>(parents(kOneTwo), parents(R"({"id": "2"}, {"id": "3"})")));
}

TEST(Compare, ValuesOfDifferentKindsDiffer) {
  const auto value = [](absl::string_view json) {
    return absl::StrCat(R"({"properties": {"p": )", json, "}}");
  };
  EXPECT_FALSE(ArtifactsAreEqual(value(R"({"int_value": "1"})"), value(R"({"double_value": 1})")));
  EXPECT_FALSE(ArtifactsAreEqual(value(R"({"int_value": "1"})"), value(R"({"bool_value": true})")));
  EXPECT_FALSE(ArtifactsAreEqual(value("{}"), value(R"({"string_value": ""})")));
}

TEST(Compare, StructuresCompareWithTheirOrder) {
  const auto value = [](absl::string_view list) {
    return absl::StrCat(R"({"properties": {"p": {"struct_value": {"l": )", list, "}}}}");
  };
  EXPECT_TRUE(ArtifactsAreEqual(value(R"([1, "a", null])"), value(R"([1.0, "a", null])")));
  EXPECT_FALSE(ArtifactsAreEqual(value("[1, 2]"), value("[2, 1]")));
  EXPECT_FALSE(ArtifactsAreEqual(value("[1]"), value("[\"1\"]")));
}

TEST(Compare, AnyValuesCompareByTypeAndBytes) {
  const auto value = [](absl::string_view text) {
    return absl::StrCat(R"({"properties": {"p": {"proto_value": {"@type": )",
                        R"("type.googleapis.com/google.protobuf.StringValue", "value": ")", text,
                        "\"}}}}");
  };
  EXPECT_TRUE(ArtifactsAreEqual(value("x"), value("x")));
  EXPECT_FALSE(ArtifactsAreEqual(value("x"), value("y")));
}

TEST(Compare, DoublesAreExact) {
  const auto artifact = [](double number) {
    GetArtifactsResponse response;
    (*response.add_artifacts()->mutable_properties())["p"].set_double_value(number);
    return response;
  };
  EXPECT_TRUE(AreEqual(artifact(0.1), artifact(0.1)));
  EXPECT_FALSE(AreEqual(artifact(0.1), artifact(0.1 + 1e-17 + 1.4e-17)));
  EXPECT_FALSE(AreEqual(artifact(0.0), artifact(-0.0)));
  EXPECT_FALSE(AreEqual(artifact(1.7976931348623157e308), artifact(1.7976931348623155e308)));
}

TEST(Compare, UnknownFieldsCount) {
  GetArtifactsResponse plain, extended;
  extended.mutable_unknown_fields()->AddVarint(1000, 1);
  EXPECT_TRUE(AreEqual(extended, extended));
  EXPECT_FALSE(AreEqual(plain, extended));
}

TEST(DescribeDifference, ShowsBothSidesAroundTheFirstDifference) {
  GetArtifactsResponse want, got;
  want.add_artifacts()->set_uri(std::string(100'000, 'x') + "WANTED");
  got.add_artifacts()->set_uri(std::string(100'000, 'x') + "GOTTEN");
  const std::string text = DescribeDifference(want, got);
  EXPECT_NE(text.find("WANTED"), text.npos);
  EXPECT_NE(text.find("GOTTEN"), text.npos);
  EXPECT_LT(text.size(), 2000U);
}

TEST(DescribeDifference, ShowsWhatJsonDoesNot) {
  GetArtifactsResponse want, got;
  got.mutable_unknown_fields()->AddVarint(1000, 17);
  EXPECT_NE(DescribeDifference(want, got).find("1000: 17"), std::string::npos);
}

TEST(DescribeDifference, CopesWithAnAnswerThatIsTooShort) {
  GetArtifactsResponse want, got;
  want.add_artifacts()->set_uri(std::string(5000, 'x'));
  EXPECT_NE(DescribeDifference(want, got).find("got  {}"), std::string::npos);
}

}  // namespace
}  // namespace pedigree::conformance
