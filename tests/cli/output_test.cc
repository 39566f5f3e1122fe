#include "cli/output.h"

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <vector>

#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;

Artifact Model(int64_t id) {
  Artifact artifact;
  artifact.set_id(id);
  artifact.set_name("a \"model\"\n");
  artifact.set_type_id(12);
  return artifact;
}

TEST(JsonDocument, IsOneObjectOfMessages) {
  JsonDocument json;
  json.Add("artifact", Model(1));
  json.AddText("verdict", "tab\t");
  json.AddList("more", std::vector<Artifact>{Model(2), Model(3)});
  json.AddList("none", std::vector<Artifact>{});
  const auto text = json.ToString();
  ASSERT_TRUE(text.ok());
  google::protobuf::Struct parsed;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(*text, &parsed).ok()) << *text;
  const auto& fields = parsed.fields();
  EXPECT_EQ(fields.at("artifact").struct_value().fields().at("name").string_value(),
            "a \"model\"\n");
  // The names of the .proto.
  EXPECT_EQ(fields.at("artifact").struct_value().fields().at("type_id").string_value(), "12");
  EXPECT_EQ(fields.at("verdict").string_value(), "tab\t");
  EXPECT_EQ(fields.at("more").list_value().values_size(), 2);
  EXPECT_EQ(fields.at("none").list_value().values_size(), 0);
}

TEST(JsonDocument, IsEmptyOrAnError) {
  EXPECT_EQ(*JsonDocument().ToString(), "{}\n");
  Artifact artifact;
  auto& value = (*artifact.mutable_properties())["p"];
  value.mutable_proto_value()->set_type_url("type.googleapis.com/no.such.Type");
  value.mutable_proto_value()->set_value("x");
  JsonDocument json;
  json.Add("artifact", artifact);
  EXPECT_EQ(json.ToString().status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace pedigree::cli
