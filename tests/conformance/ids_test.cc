#include "tests/conformance/ids.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/conformance/transcript.h"

namespace pedigree::conformance {
namespace {

template <typename MessageType>
MessageType Read(absl::string_view json) {
  MessageType message;
  const absl::Status read = FromJson(json, &message);
  EXPECT_TRUE(read.ok()) << read << " in " << json;
  return message;
}

TEST(IdBinding, GoesBothWaysAndKeepsTheFirstBinding) {
  IdBinding ids;
  ids.Bind(IdKind::kArtifact, 1, 501);
  ids.Bind(IdKind::kArtifact, 1, 502);  // The recorded id is taken.
  ids.Bind(IdKind::kArtifact, 2, 501);  // The actual id is taken.
  EXPECT_EQ(ids.ToActual(IdKind::kArtifact, 1), 501);
  EXPECT_EQ(ids.ToRecorded(IdKind::kArtifact, 501), 1);
  EXPECT_NE(ids.ToActual(IdKind::kArtifact, 2), 501);
  EXPECT_NE(ids.ToRecorded(IdKind::kArtifact, 502), 1);
}

TEST(IdBinding, KeepsTheKindsApart) {
  IdBinding ids;
  ids.Bind(IdKind::kArtifact, 1, 501);
  ids.Bind(IdKind::kExecution, 1, 701);
  EXPECT_EQ(ids.ToActual(IdKind::kArtifact, 1), 501);
  EXPECT_EQ(ids.ToActual(IdKind::kExecution, 1), 701);
  EXPECT_EQ(ids.ToRecorded(IdKind::kExecution, 701), 1);
  EXPECT_LT(ids.ToRecorded(IdKind::kContext, 701), 0);
}

TEST(IdBinding, IdsUpToZeroStandForThemselves) {
  IdBinding ids;
  ids.Bind(IdKind::kArtifact, -1, 5);
  ids.Bind(IdKind::kArtifact, 5, 0);
  for (const int64_t id : {0, -1, -7}) {
    EXPECT_EQ(ids.ToActual(IdKind::kArtifact, id), id);
    EXPECT_EQ(ids.ToRecorded(IdKind::kArtifact, id), id);
  }
  EXPECT_NE(ids.ToRecorded(IdKind::kArtifact, 5), -1);
}

TEST(IdBinding, UnboundIdsNeverPassForOthers) {
  IdBinding ids;
  EXPECT_EQ(ids.ToActual(IdKind::kArtifact, 7), 1'000'000'000'007);
  EXPECT_EQ(ids.ToActual(IdKind::kArtifact, 999'999'999), 999'999'999);
  EXPECT_EQ(ids.ToRecorded(IdKind::kArtifact, 7), -1'000'000'000'000'007);
  EXPECT_LT(ids.ToRecorded(IdKind::kArtifact, std::numeric_limits<int64_t>::max()), 0);
}

// Collects kind and id of everything that RenameIds touches.
std::set<std::pair<IdKind, int64_t>> IdsIn(google::protobuf::Message& message) {
  std::set<std::pair<IdKind, int64_t>> found;
  RenameIds(message, [&found](IdKind kind, int64_t id) {
    found.insert({kind, id});
    return id + 100;
  });
  return found;
}

TEST(RenameIds, FindsTheIdsOfEveryKindAtAnyDepth) {
  auto request = Read<ml_metadata::PutExecutionRequest>(R"({
      "execution": {"id": "1", "type_id": "2"},
      "artifact_event_pairs": [{"artifact": {"id": "3", "type_id": "4"},
                                "event": {"artifact_id": "5", "execution_id": "6"}}],
      "contexts": [{"id": "7"}, {"id": "8"}]})");
  const std::set<std::pair<IdKind, int64_t>> expected = {
      {IdKind::kExecution, 1}, {IdKind::kType, 2},     {IdKind::kArtifact, 3},
      {IdKind::kType, 4},      {IdKind::kArtifact, 5}, {IdKind::kExecution, 6},
      {IdKind::kContext, 7},   {IdKind::kContext, 8},
  };
  EXPECT_EQ(IdsIn(request), expected);
  EXPECT_EQ(request.artifact_event_pairs(0).event().artifact_id(), 105);
  EXPECT_EQ(request.contexts(1).id(), 108);
}

TEST(RenameIds, FindsRepeatedIdsAndLinks) {
  auto types = Read<ml_metadata::PutTypesResponse>(R"({"context_type_ids": ["1", "2"]})");
  EXPECT_EQ(IdsIn(types),
            (std::set<std::pair<IdKind, int64_t>>{{IdKind::kType, 1}, {IdKind::kType, 2}}));
  auto parents = Read<ml_metadata::PutParentContextsRequest>(
      R"({"parent_contexts": [{"child_id": "1", "parent_id": "2"}]})");
  EXPECT_EQ(IdsIn(parents),
            (std::set<std::pair<IdKind, int64_t>>{{IdKind::kContext, 1}, {IdKind::kContext, 2}}));
}

TEST(RenameIds, RenamesTheKeysOfMapsFromContextIds) {
  auto response = Read<ml_metadata::GetParentContextsByContextsResponse>(
      R"({"contexts": {"7": {"parent_contexts": [{"id": "8", "type_id": "9"}]}}})");
  EXPECT_EQ(IdsIn(response),
            (std::set<std::pair<IdKind, int64_t>>{
                {IdKind::kContext, 7}, {IdKind::kContext, 8}, {IdKind::kType, 9}}));
  ASSERT_EQ(response.contexts().count(107), 1U);
  EXPECT_EQ(response.contexts().at(107).parent_contexts(0).id(), 108);
}

TEST(RenameIds, LeavesPropertiesAlone) {
  auto artifact = Read<ml_metadata::Artifact>(
      R"({"custom_properties": {"parent_dag_id": {"int_value": "7"},
                                "id": {"struct_value": {"id": 7}}}})");
  EXPECT_TRUE(IdsIn(artifact).empty());
}

TEST(BindAllIds, BindsByPlace) {
  const auto recorded = Read<ml_metadata::PutExecutionResponse>(
      R"({"execution_id": "1", "artifact_ids": ["2", "-1", "3"], "context_ids": ["4"]})");
  const auto actual = Read<ml_metadata::PutExecutionResponse>(
      R"({"execution_id": "11", "artifact_ids": ["12", "-1", "13"], "context_ids": ["14"]})");
  IdBinding ids;
  BindAllIds(recorded, actual, ids);
  EXPECT_EQ(ids.ToActual(IdKind::kExecution, 1), 11);
  EXPECT_EQ(ids.ToActual(IdKind::kArtifact, 2), 12);
  EXPECT_EQ(ids.ToActual(IdKind::kArtifact, 3), 13);
  EXPECT_EQ(ids.ToActual(IdKind::kContext, 4), 14);
}

TEST(BindAllIds, BindsNothingInListsOfDifferentLength) {
  const auto recorded =
      Read<ml_metadata::GetArtifactsResponse>(R"({"artifacts": [{"id": "1"}, {"id": "2"}]})");
  const auto actual = Read<ml_metadata::GetArtifactsResponse>(R"({"artifacts": [{"id": "12"}]})");
  IdBinding ids;
  BindAllIds(recorded, actual, ids);
  EXPECT_LT(ids.ToRecorded(IdKind::kArtifact, 12), 0);
}

TEST(BindAllIds, PairsTypesByNameAndVersion) {
  const auto recorded = Read<ml_metadata::GetArtifactTypesResponse>(
      R"({"artifact_types": [{"id": "1", )"
      R"("name": "A"}, {"id": "2", "name": "A", "version": "v"}]})");
  const auto actual = Read<ml_metadata::GetArtifactTypesResponse>(
      R"({"artifact_types": [{"id": "12", "name": "A", "version": "v"}, {"id": "13", "name": "B"},
                             {"id": "11", "name": "A"}]})");
  IdBinding all, types;
  BindAllIds(recorded, actual, all);
  BindTypeIds(recorded, actual, types);
  for (const IdBinding* ids : {&all, &types}) {
    EXPECT_EQ(ids->ToActual(IdKind::kType, 1), 11);
    EXPECT_EQ(ids->ToActual(IdKind::kType, 2), 12);
    EXPECT_LT(ids->ToRecorded(IdKind::kType, 13), 0);
  }
}

TEST(BindTypeIds, BindsNoNodes) {
  const auto recorded =
      Read<ml_metadata::GetArtifactsResponse>(R"({"artifacts": [{"id": "1", "type_id": "2"}]})");
  const auto actual =
      Read<ml_metadata::GetArtifactsResponse>(R"({"artifacts": [{"id": "11", "type_id": "12"}]})");
  IdBinding ids;
  BindTypeIds(recorded, actual, ids);
  EXPECT_LT(ids.ToRecorded(IdKind::kArtifact, 11), 0);
  EXPECT_LT(ids.ToRecorded(IdKind::kType, 12), 0);
}

TEST(FillTemplates, ReplacesIdsOfEveryKindInText) {
  IdBinding ids;
  ids.Bind(IdKind::kArtifact, 1, 501);
  ids.Bind(IdKind::kType, 2, 502);
  const auto filled =
      FillTemplates("id = ${artifact:1} AND type_id IN (${type:2}, ${context:3})", ids);
  ASSERT_TRUE(filled.ok()) << filled.status();
  EXPECT_EQ(*filled, "id = 501 AND type_id IN (502, 1000000000003)");
}

TEST(FillTemplates, LeavesOtherTextAlone) {
  for (const char* text : {"", "$ {}", "${artifact:1", "${}", "${x}", "${event:1}", "a $ b } c"}) {
    const auto filled = FillTemplates(text, IdBinding());
    ASSERT_TRUE(filled.ok()) << filled.status();
    EXPECT_EQ(*filled, text);
  }
}

TEST(FillTemplates, RefusesAnIdThatIsNoNumber) {
  EXPECT_EQ(FillTemplates("${artifact:x}", IdBinding()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace pedigree::conformance
