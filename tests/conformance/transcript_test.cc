#include "tests/conformance/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/conformance/json_slices.h"

namespace pedigree::conformance {
namespace {

TEST(SliceObject, KeepsTheTextOfEveryValue) {
  const auto members =
      SliceObject(R"( {"a" : {"x": ["}", 1.50]}, "b":[1, {"c": "\"]"}] ,"d": -0.0e+3, "e": ""} )");
  ASSERT_TRUE(members.ok()) << members.status();
  const std::vector<JsonMember> expected = {{"a", R"({"x": ["}", 1.50]})"},
                                            {"b", R"([1, {"c": "\"]"}])"},
                                            {"d", "-0.0e+3"},
                                            {"e", "\"\""}};
  EXPECT_EQ(*members, expected);
  EXPECT_TRUE(SliceObject("{}")->empty());
}

TEST(SliceObject, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "{", "{\"a\"}", "{\"a\": }", "{\"a\": 1", "{\"a\": 1,}",
                           "{\"a\": 1} x", "{a: 1}", "{\"a\": \"x}", "{\"a\\u0062\": 1}"}) {
    EXPECT_FALSE(SliceObject(text).ok()) << text;
  }
}

TEST(SliceArray, KeepsTheTextOfEveryElement) {
  EXPECT_EQ(*SliceArray(R"(["OK", [1, 2] , 3])"),
            (std::vector<absl::string_view>{"\"OK\"", "[1, 2]", "3"}));
  EXPECT_TRUE(SliceArray("[ ]")->empty());
  for (const char* text : {"", "{}", "[1", "[1,]", "[] 1"}) EXPECT_FALSE(SliceArray(text).ok());
}

TEST(ParseStep, ReadsAllMembers) {
  const auto step = ParseStep(
      R"({"rpc": "PutArtifacts", "request": {"artifacts": []}, "code": ["OK", "NOT_FOUND"],
          "response": {"artifact_ids": ["1"]}, "ordered": true, "reference_code": "INTERNAL"})");
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_EQ(step->rpc->name(), "PutArtifacts");
  EXPECT_EQ(step->request_json, R"({"artifacts": []})");
  EXPECT_EQ(step->response_json, R"({"artifact_ids": ["1"]})");
  EXPECT_TRUE(step->ordered);
  EXPECT_TRUE(step->IsPut());
  EXPECT_TRUE(step->Allows(grpc::StatusCode::OK));
  EXPECT_TRUE(step->Allows(grpc::StatusCode::NOT_FOUND));
  EXPECT_FALSE(step->Allows(grpc::StatusCode::INTERNAL));
}

TEST(ParseStep, RequestResponseAndOrderMayBeMissing) {
  const auto step = ParseStep(R"({"rpc": "GetArtifacts", "code": "OK"})");
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_EQ(step->request_json, "{}");
  EXPECT_EQ(step->response_json, "{}");
  EXPECT_FALSE(step->ordered);
  EXPECT_FALSE(step->IsPut());
}

TEST(ParseStep, RefusesWhatIsNoStep) {
  for (const char* text : {
           "{}",
           R"({"rpc": "GetArtifacts"})",
           R"({"code": "OK"})",
           R"({"rpc": "GetArtifacts", "code": []})",
           R"({"rpc": "GetNothing", "code": "OK"})",
           R"({"rpc": "GetArtifacts", "code": "FINE"})",
           R"({"rpc": "GetArtifacts", "code": "OK", "orderd": true})",
           R"({"rpc": "GetArtifacts", "code": "OK", "ordered": "yes"})",
           R"({"rpc": "GetArtifacts", "code": "OK", "request": []})",
       }) {
    EXPECT_EQ(ParseStep(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

CapabilitySet NeedsOf(absl::string_view text) {
  const auto step = ParseStep(text);
  EXPECT_TRUE(step.ok()) << step.status();
  return step->needs;
}

TEST(ParseStep, TellsWhatTheCallNeeds) {
  EXPECT_TRUE(NeedsOf(R"({"rpc": "GetArtifacts", "code": "OK"})").empty());
  EXPECT_TRUE(NeedsOf(R"({"rpc": "GetArtifacts", "code": "OK",
                          "request": {"options": {"filter_query": ""}}})")
                  .empty());
  EXPECT_EQ(NeedsOf(R"({"rpc": "GetArtifacts", "code": "OK",
                        "request": {"options": {"filter_query": "id = ${artifact:1}"}}})"),
            CapabilitySet{Capability::kFilter});
  EXPECT_EQ(NeedsOf(R"({"rpc": "GetLineageSubgraph", "code": "NOT_FOUND"})"),
            CapabilitySet{Capability::kLineage});
  EXPECT_EQ(NeedsOf(R"({"rpc": "GetLineageGraph", "code": "OK"})"),
            CapabilitySet{Capability::kLineage});
  EXPECT_TRUE(NeedsOf(R"({"rpc": "PutLineageSubgraph", "code": "OK"})").empty());
}

TEST(CodeName, NamesEveryCode) {
  EXPECT_EQ(CodeName(grpc::StatusCode::OK), "OK");
  EXPECT_EQ(CodeName(grpc::StatusCode::NOT_FOUND), "NOT_FOUND");
  EXPECT_EQ(CodeName(grpc::StatusCode::OUT_OF_RANGE), "OUT_OF_RANGE");
  EXPECT_EQ(CodeName(grpc::StatusCode::UNAUTHENTICATED), "UNAUTHENTICATED");
}

TEST(ReadTranscript, ReportsAFileThatIsNotThere) {
  EXPECT_EQ(ReadTranscript("/nonexistent.jsonl").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadTranscripts("/nonexistent").status().code(), absl::StatusCode::kNotFound);
}

// The numbers of the folder, so that no file is lost and none is silently read as simpler.
TEST(Transcripts, AreAllThere) {
  const auto transcripts = ReadTranscripts(TRANSCRIPTS);
  ASSERT_TRUE(transcripts.ok()) << transcripts.status();
  size_t steps = 0, filter_steps = 0, lineage_steps = 0;
  for (const Transcript& transcript : *transcripts) {
    steps += transcript.steps.size();
    for (const Step& step : transcript.steps) {
      filter_steps += step.needs == CapabilitySet{Capability::kFilter};
      lineage_steps += step.needs == CapabilitySet{Capability::kLineage};
    }
  }
  EXPECT_EQ(transcripts->size(), 99U);
  EXPECT_EQ(steps, 7312U);
  EXPECT_EQ(filter_steps, 725U);
  EXPECT_EQ(lineage_steps, 164U);
}

TEST(Transcripts, Exactly39NeedNeitherFilterNorLineage) {
  const auto transcripts = ReadTranscripts(TRANSCRIPTS);
  ASSERT_TRUE(transcripts.ok()) << transcripts.status();
  const auto plain = std::count_if(transcripts->begin(), transcripts->end(),
                                   [](const Transcript& t) { return t.needs.empty(); });
  EXPECT_EQ(plain, 39);
}

}  // namespace
}  // namespace pedigree::conformance
