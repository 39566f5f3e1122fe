// The replayer against servers that are played by the test: right ones, and wrong ones of every
// sort, so that it is proved able to fail.
#include "tests/conformance/replay.h"

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/conformance/ids.h"
#include "tests/conformance/reflection.h"

namespace pedigree::conformance {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr ReplayOptions kNoPause = {.pause_after_put = absl::ZeroDuration()};

Transcript Lines(const std::vector<std::string>& lines) {
  Transcript transcript;
  transcript.file_name = "test.jsonl";
  for (const std::string& line : lines) {
    absl::StatusOr<Step> step = ParseStep(line);
    EXPECT_TRUE(step.ok()) << step.status();
    step->line = static_cast<int>(transcript.steps.size()) + 1;
    transcript.steps.push_back(*std::move(step));
  }
  return transcript;
}

// A server whose n-th answer is the n-th of a list, and that keeps the requests.
struct Answer {
  std::string json;
  grpc::Status status = grpc::Status::OK;
};
class Script {
 public:
  explicit Script(std::vector<Answer> answers) : answers_(std::move(answers)) {}

  CallFunction Function() {
    return [this](const Step&, const Message& request, Message* response) {
      requests.push_back(request.ShortDebugString());
      if (requests.size() > answers_.size()) return grpc::Status(grpc::StatusCode::INTERNAL, "end");
      const Answer& answer = answers_[requests.size() - 1];
      EXPECT_TRUE(FromJson(answer.json, response).ok()) << answer.json;
      return answer.status;
    };
  }

  std::vector<std::string> requests;

 private:
  std::vector<Answer> answers_;
};

grpc::Status Error(grpc::StatusCode code, std::string text = "why") {
  return grpc::Status(code, std::move(text));
}

ReplayResult ReplayLines(const std::vector<std::string>& lines, Script& script,
                         const ReplayOptions& options = kNoPause) {
  return Replay(Lines(lines), script.Function(), options);
}

bool Contains(absl::string_view text, absl::string_view part) {
  return absl::StrContains(text, part);
}

constexpr char kPut[] = R"({"rpc": "PutArtifacts", "request": {"artifacts": [{"type_id": "-1"}]},
                           "code": "OK", "response": {"artifact_ids": ["1"]}})";
constexpr char kGet[] = R"({"rpc": "GetArtifactsByID", "request": {"artifact_ids": ["1"]},
                           "code": "OK", "response": {"artifacts": [{"id": "1"}]}})";

TEST(Replay, PassesRightAnswersAndRenamesIds) {
  Script script({{R"({"artifact_ids": ["501"]})"}, {R"({"artifacts": [{"id": "501"}]})"}});
  const ReplayResult result = ReplayLines({kPut, kGet}, script);
  EXPECT_TRUE(result.failures.empty()) << result.failures[0];
  EXPECT_EQ(result.steps, 2);
  EXPECT_EQ(script.requests[1], "artifact_ids: 501");
}

TEST(Replay, ReportsAnotherIdThanTheOnePut) {
  Script script({{R"({"artifact_ids": ["501"]})"}, {R"({"artifacts": [{"id": "1"}]})"}});
  const ReplayResult result = ReplayLines({kPut, kGet}, script);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_TRUE(Contains(result.failures[0], "test.jsonl:2 GetArtifactsByID: response differs"));
  EXPECT_TRUE(Contains(result.failures[0], "want {"));
  EXPECT_TRUE(Contains(result.failures[0], "got  {"));
}

TEST(Replay, ReportsAnotherCodeWithTheServersText) {
  Script script({{"{}", Error(grpc::StatusCode::NOT_FOUND, "no artifact 1")}});
  const ReplayResult result = ReplayLines({kGet}, script);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0],
            "test.jsonl:1 GetArtifactsByID: code NOT_FOUND, want OK (no artifact 1)");
}

TEST(Replay, AcceptsAnyCodeOfAList) {
  const std::string line =
      R"({"rpc": "GetArtifactType", "code": ["NOT_FOUND", "INVALID_ARGUMENT"]})";
  for (const auto& [code, right] :
       {std::pair(grpc::StatusCode::NOT_FOUND, true),
        std::pair(grpc::StatusCode::INVALID_ARGUMENT, true),
        std::pair(grpc::StatusCode::INTERNAL, false), std::pair(grpc::StatusCode::OK, false)}) {
    Script script({{"{}", grpc::Status(code, "")}});
    EXPECT_EQ(ReplayLines({line}, script).failures.empty(), right) << CodeName(code);
  }
}

TEST(Replay, ReportsAnErrorTextOfMoreThanAKibibyte) {
  const std::string line = R"({"rpc": "GetArtifactType", "code": "NOT_FOUND"})";
  for (const size_t bytes : {1024U, 1025U}) {
    Script script({{"{}", Error(grpc::StatusCode::NOT_FOUND, std::string(bytes, 'x'))}});
    EXPECT_EQ(ReplayLines({line}, script).failures.size(), bytes > 1024 ? 1U : 0U);
  }
}

TEST(Replay, SkipsTheRestAfterAPutThatShouldHaveStored) {
  Script script({{"{}", Error(grpc::StatusCode::INTERNAL)}, {"{}"}});
  const ReplayResult result = ReplayLines({kPut, kGet}, script);
  ASSERT_EQ(result.failures.size(), 2U);
  EXPECT_TRUE(Contains(result.failures[1], "test.jsonl:1 PutArtifacts: the rest of this file"));
  EXPECT_EQ(script.requests.size(), 1U);
}

TEST(Replay, SkipsTheRestAfterAPutThatShouldHaveFailed) {
  const std::string line = R"({"rpc": "PutArtifacts", "code": "INVALID_ARGUMENT"})";
  Script script({{R"({"artifact_ids": ["1"]})"}, {"{}"}});
  EXPECT_EQ(ReplayLines({line, kGet}, script).failures.size(), 2U);
  EXPECT_EQ(script.requests.size(), 1U);
}

TEST(Replay, GoesOnAfterAPutThatFailedInAnotherWayAndAfterAWrongGet) {
  const std::string line = R"({"rpc": "PutArtifacts", "code": "INVALID_ARGUMENT"})";
  Script script({{"{}", Error(grpc::StatusCode::NOT_FOUND)},
                 {"{}", Error(grpc::StatusCode::INTERNAL)},
                 {R"({"artifact_ids": ["1"]})"}});
  EXPECT_EQ(ReplayLines({line, kGet, kPut}, script).failures.size(), 2U);
  EXPECT_EQ(script.requests.size(), 3U);
}

TEST(Replay, PausesAfterEachPut) {
  Script script({{R"({"artifact_ids": ["1"]})"}, {R"({"artifacts": [{"id": "1"}]})"}});
  const absl::Time start = absl::Now();
  const ReplayResult result =
      ReplayLines({kPut, kGet}, script, {.pause_after_put = absl::Milliseconds(30)});
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(30));
  EXPECT_LT(result.time_in_calls, absl::Milliseconds(30));
}

TEST(Replay, CarriesPageTokensIntoLaterRequests) {
  const std::vector<std::string> lines = {
      R"({"rpc": "GetArtifacts", "request": {"options": {"max_result_size": 1}}, "code": "OK",
          "response": {"next_page_token": "recorded"}})",
      R"({"rpc": "GetArtifacts", "request": {"options": {"next_page_token": "recorded"}},
          "code": "OK"})",
      R"({"rpc": "GetArtifacts", "request": {"options": {"next_page_token": "garbage"}},
          "code": "INVALID_ARGUMENT"})"};
  Script script({{R"({"next_page_token": "answered"})"},
                 {"{}"},
                 {"{}", Error(grpc::StatusCode::INVALID_ARGUMENT)}});
  EXPECT_TRUE(ReplayLines(lines, script).failures.empty());
  EXPECT_TRUE(Contains(script.requests[1], "\"answered\"")) << script.requests[1];
  EXPECT_TRUE(Contains(script.requests[2], "\"garbage\"")) << script.requests[2];
}

TEST(Replay, FillsTemplatesInFilters) {
  const std::string filtered =
      R"({"rpc": "GetArtifacts", "request": {"options": {"filter_query": "id = ${artifact:1}"}},
          "code": "OK"})";
  Script script({{R"({"artifact_ids": ["501"]})"}, {"{}"}});
  EXPECT_TRUE(ReplayLines({kPut, filtered}, script).failures.empty());
  EXPECT_TRUE(Contains(script.requests[1], "\"id = 501\"")) << script.requests[1];
}

TEST(Replay, ComparesTheOrderWhereTheStepAsksForIt) {
  const std::string two_puts =
      R"({"rpc": "PutArtifacts", "code": "OK", "response": {"artifact_ids": ["1", "2"]}})";
  const std::string list = R"({"rpc": "GetArtifacts", "code": "OK", )"
                           R"("response": {"artifacts": [{"id": "1"}, {"id": "2"}]}})";
  const std::string ordered =
      R"({"rpc": "GetArtifacts", "code": "OK", "ordered": true,
          "response": {"artifacts": [{"id": "1"}, {"id": "2"}]}})";
  const Answer put = {R"({"artifact_ids": ["1", "2"]})"};
  const Answer turned = {R"({"artifacts": [{"id": "2"}, {"id": "1"}]})"};
  Script any({put, turned}), as_answered({put, turned});
  EXPECT_TRUE(ReplayLines({two_puts, list}, any).failures.empty());
  EXPECT_EQ(ReplayLines({two_puts, ordered}, as_answered).failures.size(), 1U);
}

TEST(Replay, ComparesTheOrderOfTheEventsOfOneExecution) {
  const auto events = [](absl::string_view ids) {
    return absl::StrCat(R"({"rpc": "GetEventsByExecutionIDs", "request": {"execution_ids": [)", ids,
                        R"(]}, "code": "OK",
                           "response": {"events": [{"type": "INPUT"}, {"type": "OUTPUT"}]}})");
  };
  const Answer turned = {R"({"events": [{"type": "OUTPUT"}, {"type": "INPUT"}]})"};
  Script one({turned}), same_twice({turned}), two({turned});
  EXPECT_EQ(ReplayLines({events("\"1\"")}, one).failures.size(), 1U);
  EXPECT_EQ(ReplayLines({events("\"1\", \"1\"")}, same_twice).failures.size(), 1U);
  EXPECT_TRUE(ReplayLines({events("\"1\", \"2\"")}, two).failures.empty());
}

constexpr char kFiltered[] =
    R"({"rpc": "GetArtifacts", "request": {"options": {"filter_query": "id = 1"}}, "code": "OK"})";
constexpr char kBadFilter[] = R"({"rpc": "GetArtifacts", "code": "INVALID_ARGUMENT",
                                 "request": {"options": {"filter_query": "id = "}}})";
constexpr char kLineage[] = R"({"rpc": "GetLineageSubgraph", "code": "OK"})";

TEST(ReplayOfWhatIsNotBuilt, MustBeUnimplemented) {
  const Answer unimplemented = {"{}", Error(grpc::StatusCode::UNIMPLEMENTED)};
  Script script({unimplemented, unimplemented, unimplemented});
  ReplayOptions options = kNoPause;
  options.not_built_yet = {Capability::kFilter, Capability::kLineage};
  const ReplayResult result = ReplayLines({kFiltered, kBadFilter, kLineage}, script, options);
  EXPECT_TRUE(result.failures.empty()) << result.failures[0];
  EXPECT_EQ(result.unimplemented, 3);
}

TEST(ReplayOfWhatIsNotBuilt, TurnsRedWhenTheFeatureLands) {
  Script script({{"{}"}, {"{}", Error(grpc::StatusCode::INVALID_ARGUMENT)}});
  ReplayOptions options = kNoPause;
  options.not_built_yet = {Capability::kFilter};
  const ReplayResult result = ReplayLines({kFiltered, kBadFilter}, script, options);
  ASSERT_EQ(result.failures.size(), 2U);
  EXPECT_TRUE(Contains(result.failures[0], "code OK, want UNIMPLEMENTED"));
  EXPECT_TRUE(Contains(result.failures[0], "capabilities.h"));
}

TEST(ReplayOfWhatIsNotBuilt, ChecksTheLengthOfTheErrorText) {
  Script script({{"{}", Error(grpc::StatusCode::UNIMPLEMENTED, std::string(1025, 'x'))}});
  ReplayOptions options = kNoPause;
  options.not_built_yet = {Capability::kFilter};
  EXPECT_EQ(ReplayLines({kFiltered}, script, options).failures.size(), 1U);
}

TEST(ReplayOfWhatIsNotBuilt, ExpectsAnswersOfEverythingElse) {
  Script script({{"{}", Error(grpc::StatusCode::UNIMPLEMENTED)},
                 {"{}", Error(grpc::StatusCode::UNIMPLEMENTED)}});
  ReplayOptions options = kNoPause;
  options.not_built_yet = {Capability::kFilter};
  EXPECT_EQ(ReplayLines({kLineage, kGet}, script, options).failures.size(), 2U);
}

TEST(ReplayOfWhatIsNotBuilt, MayBeAnsweredAndIsThenCompared) {
  Script script({{"{}", Error(grpc::StatusCode::UNIMPLEMENTED)},
                 {"{}"},
                 {R"({"artifacts": [{"id": "1"}]})"}});
  ReplayOptions options = kNoPause;
  options.not_built_yet = {Capability::kFilter};
  options.not_built = NotBuilt::kMayBeUnimplemented;
  const ReplayResult result = ReplayLines({kFiltered, kFiltered, kFiltered}, script, options);
  EXPECT_EQ(result.unimplemented, 1);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_TRUE(Contains(result.failures[0], "test.jsonl:3 "));
}

// --- All transcripts against a server that answers as recorded, in other words. ---

// Numbers nodes otherwise, words page tokens otherwise and answers lists without order in another
// order: nothing of that may make a difference.
void SayOtherwise(const Step& step, Message& response, std::mt19937_64& random) {
  RenameIds(response, [](IdKind kind, int64_t id) {
    return id <= 0 ? id : 5000 + 3 * id + static_cast<int64_t>(kind);
  });
  const Reflection* reflection = response.GetReflection();
  for (const FieldDescriptor* field : PresentFields(response)) {
    if (field->name() == "next_page_token") {
      const std::string token = reflection->GetString(response, field);
      if (!token.empty()) reflection->SetString(&response, field, "other " + token);
    }
    if (step.ordered || !field->is_repeated() || !IsNested(field) || field->is_map()) continue;
    if (step.rpc->name() == "GetEventsByExecutionIDs") continue;
    for (int i = reflection->FieldSize(response, field) - 1; i > 0; --i) {
      const auto bound = static_cast<uint64_t>(i) + 1;
      reflection->SwapElements(&response, field, i, static_cast<int>(random() % bound));
    }
  }
}

CallFunction AnswersAsRecorded(std::mt19937_64& random) {
  return [&random](const Step& step, const Message&, Message* response) {
    const grpc::StatusCode code = step.codes.front();
    if (code != grpc::StatusCode::OK) return Error(code);
    EXPECT_TRUE(FromJson(step.response_json, response).ok());
    SayOtherwise(step, *response, random);
    return grpc::Status::OK;
  };
}

std::vector<Transcript> AllTranscripts() {
  auto transcripts = ReadTranscripts(TRANSCRIPTS);
  EXPECT_TRUE(transcripts.ok()) << transcripts.status();
  return *std::move(transcripts);
}

TEST(AllTranscripts, PassWhenAnsweredAsRecordedInOtherWords) {
  std::mt19937_64 random(20240917);
  for (const Transcript& transcript : AllTranscripts()) {
    const ReplayResult result = Replay(transcript, AnswersAsRecorded(random), kNoPause);
    EXPECT_EQ(static_cast<size_t>(result.steps), transcript.steps.size());
    EXPECT_TRUE(result.failures.empty()) << result.failures[0];
  }
}

// A later request that uses an id or a token of a call that is not built must not fail the rest.
TEST(AllTranscripts, PassWhenWhatIsNotBuiltIsUnimplemented) {
  std::mt19937_64 random(20240917);
  const CallFunction recorded = AnswersAsRecorded(random);
  ReplayOptions options = kNoPause;
  options.not_built_yet = {Capability::kFilter, Capability::kLineage};
  int unimplemented = 0;
  for (const Transcript& transcript : AllTranscripts()) {
    const auto call = [&](const Step& step, const Message& request, Message* response) {
      if (!step.needs.empty()) return Error(grpc::StatusCode::UNIMPLEMENTED);
      return recorded(step, request, response);
    };
    const ReplayResult result = Replay(transcript, call, options);
    EXPECT_TRUE(result.failures.empty()) << result.failures[0];
    unimplemented += result.unimplemented;
  }
  EXPECT_GT(unimplemented, 164);
}

// Every place of a message where a value can be spoilt so that no rule may forgive it: fields that
// are no ids (those may be renamed), no times and no tokens; and the elements of lists.
struct Place {
  Message* message;
  const FieldDescriptor* field;
  int index;  // -1: the field as a whole.
};

void CollectPlaces(Message& message, std::vector<Place>& places) {
  const Reflection* reflection = message.GetReflection();
  for (const FieldDescriptor* field : PresentFields(message)) {
    const bool forgiven = KindOfId(field).has_value() ||
                          absl::EndsWith(field->name(), "_since_epoch") ||
                          field->name() == "next_page_token";
    if (forgiven) continue;
    if (!field->is_repeated()) places.push_back({&message, field, -1});
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      CollectPlaces(*reflection->MutableMessage(&message, field), places);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      places.push_back({&message, field, i});
      CollectPlaces(*reflection->MutableRepeatedMessage(&message, field, i), places);
    }
  }
}

// Removes what stands at a place, or replaces a text by another.
void Spoil(const Place& place, bool remove) {
  const Reflection* reflection = place.message->GetReflection();
  if (place.index >= 0) {
    const int last = reflection->FieldSize(*place.message, place.field) - 1;
    reflection->SwapElements(place.message, place.field, place.index, last);
    reflection->RemoveLast(place.message, place.field);
  } else if (!remove && place.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    const std::string text = reflection->GetString(*place.message, place.field);
    reflection->SetString(place.message, place.field, text + "x");
  } else {
    reflection->ClearField(place.message, place.field);
  }
}

// Answers as recorded but for one step, where one random place is spoilt.
CallFunction SpoilsOneAnswer(const Step* spoilt, std::mt19937_64& random, bool* done) {
  return [=, &random](const Step& step, const Message&, Message* response) {
    const grpc::StatusCode code = step.codes.front();
    if (code != grpc::StatusCode::OK) return Error(code);
    EXPECT_TRUE(FromJson(step.response_json, response).ok());
    if (&step != spoilt) return grpc::Status::OK;
    std::vector<Place> places;
    CollectPlaces(*response, places);
    *done = !places.empty();
    if (*done) Spoil(places[random() % places.size()], random() % 2 == 0);
    return grpc::Status::OK;
  };
}

TEST(AllTranscripts, FailAtTheStepWhoseAnswerIsSpoilt) {
  const google::protobuf::LogSilencer
      silencer;  // Spoilt values have no JSON, and protobuf says so.
  const uint64_t seed = 20240918;
  std::mt19937_64 random(seed);
  int spoilt_answers = 0;
  for (const Transcript& transcript : AllTranscripts()) {
    for (int round = 0; round < 10; ++round) {
      const Step& step = transcript.steps[random() % transcript.steps.size()];
      bool done = false;
      const ReplayResult result =
          Replay(transcript, SpoilsOneAnswer(&step, random, &done), kNoPause);
      if (!done) continue;
      ++spoilt_answers;
      const std::string where = absl::StrCat(transcript.file_name, ":", step.line, " ");
      ASSERT_FALSE(result.failures.empty()) << where << "seed " << seed << " round " << round;
      EXPECT_TRUE(absl::StartsWith(result.failures[0], where)) << result.failures[0];
    }
  }
  EXPECT_GT(spoilt_answers, 300);
}

}  // namespace
}  // namespace pedigree::conformance
