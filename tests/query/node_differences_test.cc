// What counts as a difference between two nodes, and how values look as JSON.
#include "query/node_differences.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/store/status_testing.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::ArtifactType;
using ml_metadata::Execution;
using ml_metadata::Value;
using Fields = std::vector<FieldDifference>;

template <class Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

class NodeDifferences : public ::testing::Test {
 protected:
  NodeDifferences() {
    for (const char* text :
         {"id: 10 name: 'data'", "id: 11 name: 'data' version: 'v2'", "id: 12 name: 'model'"}) {
      catalog_.Of<Artifact>().Put(
          std::make_shared<const ArtifactType>(FromText<ArtifactType>(text)));
    }
  }

  template <class Node>
  Fields Between(const std::string& a, const std::string& b) {
    auto differences =
        DifferencesOf(catalog_, TraitsOf<Node>::kKind, FromText<Node>(a).SerializeAsString(),
                      FromText<Node>(b).SerializeAsString());
    EXPECT_TRUE(IsOk(differences));
    return differences.ok() ? *differences : Fields();
  }

  Catalog catalog_;
};

TEST_F(NodeDifferences, AreNotNamesIdsAndTimes) {
  EXPECT_EQ(Between<Artifact>("id: 1 type_id: 10 name: 'a' external_id: 'x' "
                              "create_time_since_epoch: 5 last_update_time_since_epoch: 6",
                              "id: 2 type_id: 10 create_time_since_epoch: 7"),
            Fields());
}

TEST_F(NodeDifferences, AreTypesUrisAndStates) {
  EXPECT_EQ(
      Between<Artifact>("type_id: 10 uri: 's3://a' state: LIVE", "type_id: 12 state: DELETED"),
      (Fields{{"type", "\"data\"", "\"model\""},
              {"uri", "\"s3://a\"", std::nullopt},
              {"state", "\"LIVE\"", "\"DELETED\""}}));
  EXPECT_EQ(Between<Artifact>("type_id: 10", "type_id: 11"),
            (Fields{{"type.version", std::nullopt, "\"v2\""}}));
  EXPECT_EQ(Between<Execution>("last_known_state: COMPLETE", "last_known_state: CACHED"),
            (Fields{{"last_known_state", "\"COMPLETE\"", "\"CACHED\""}}));
}

TEST_F(NodeDifferences, ArePropertiesByName) {
  EXPECT_EQ(Between<Execution>(
                "properties { key: 'lr' value { double_value: 0.1 } } "
                "custom_properties { key: 'same' value { int_value: 1 } } "
                "custom_properties { key: 'image' value { string_value: 'a:1' } }",
                "properties { key: 'lr' value { double_value: 0.01 } } "
                "custom_properties { key: 'same' value { int_value: 1 } } "
                "custom_properties { key: 'epochs' value { int_value: 9007199254740993 } }"),
            (Fields{{"properties.lr", "0.1", "0.01"},
                    {"custom_properties.epochs", std::nullopt, "9007199254740993"},
                    {"custom_properties.image", "\"a:1\"", std::nullopt}}));
}

TEST_F(NodeDifferences, OfStructsDoNotDependOnTheOrderOfTheirFields) {
  std::string a = "custom_properties { key: 'inputs' value { struct_value { ";
  std::string b = a;
  for (int i = 0; i < 20; ++i) {
    const auto field = [](int n) {
      return "fields { key: 'k" + std::to_string(n) + "' value { number_value: 1 } } ";
    };
    a += field(i);
    b += field(19 - i);
  }
  EXPECT_EQ(Between<Execution>(a + "} } }", b + "} } }"), Fields());
}

TEST_F(NodeDifferences, OfAnysAreSeenEvenWhereJsonIsBlind) {
  const auto node_with = [](const std::string& bytes) {
    return "properties { key: 'any' value { proto_value { "
           "type_url: 'type.googleapis.com/google.protobuf.StringValue' value: '" +
           bytes + "' } } }";
  };
  const std::string head =
      "{\"@type\":\"type.googleapis.com/google.protobuf.StringValue\",\"value\":";
  EXPECT_EQ(Between<Artifact>(node_with("\\n\\001x"), node_with("\\n\\001y")),
            (Fields{{"properties.any", head + "\"x\"}", head + "\"y\"}"}}));
  // An unknown field 2.
  EXPECT_EQ(Between<Artifact>(node_with("\\n\\001x"), node_with("\\n\\001x\\020\\001")),
            (Fields{{"properties.any", head + "\"CgF4\"}", head + "\"CgF4EAE=\"}"}}));
}

TEST_F(NodeDifferences, DoNotTellNumbersThatLookTheSame) {
  EXPECT_EQ(Between<Artifact>("properties { key: 'n' value { int_value: 5 } }",
                              "properties { key: 'n' value { double_value: 5 } }"),
            Fields());
  EXPECT_EQ(Between<Artifact>("properties { key: 'n' value { int_value: 5 } }",
                              "properties { key: 'n' value { string_value: '5' } }"),
            (Fields{{"properties.n", "5", "\"5\""}}));
}

TEST_F(NodeDifferences, OfBytesThatAreNoMessageAreAnError) {
  EXPECT_TRUE(
      Fails(DifferencesOf(catalog_, NodeKind::kArtifact, "\x08", ""), absl::StatusCode::kDataLoss));
}

std::string Json(const std::string& text) { return JsonOf(FromText<Value>(text)); }

TEST(JsonOf, IsJsonOfEveryKind) {
  EXPECT_EQ(Json("int_value: -9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(Json("double_value: 0.001"), "0.001");
  EXPECT_EQ(Json("double_value: nan"), "\"NaN\"");
  EXPECT_EQ(Json("string_value: 'a\\\"b\\n'"), "\"a\\\"b\\n\"");
  EXPECT_EQ(Json("string_value: ''"), "\"\"");
  EXPECT_EQ(Json("bool_value: false"), "false");
  EXPECT_EQ(Json(""), "null");
  EXPECT_EQ(Json("struct_value { fields { key: 'b' value { number_value: 1 } } "
                 "fields { key: 'a' value { list_value { values { string_value: 'x' } } } } }"),
            "{\"a\":[\"x\"],\"b\":1}");
  EXPECT_EQ(Json("proto_value { type_url: 'type.googleapis.com/google.protobuf.StringValue' "
                 "value: '\\n\\002hi' }"),
            "{\"@type\":\"type.googleapis.com/google.protobuf.StringValue\",\"value\":\"hi\"}");
}

TEST(JsonOf, OfWhatJsonCannotHoldIsBase64) {
  EXPECT_EQ(Json("proto_value { type_url: 'example.com/no.such.Type' value: '\\001\\377' }"),
            "{\"@type\":\"example.com/no.such.Type\",\"value\":\"Af8=\"}");
  const std::string json = Json("struct_value { fields { key: 'a' value { number_value: nan } } }");
  EXPECT_EQ(json.front(), '{');
}

}  // namespace
}  // namespace pedigree
