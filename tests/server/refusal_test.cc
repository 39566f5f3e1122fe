// Bad input against a store: what is refused leaves nothing behind, what is dropped is not stored,
// and what is accepted can be read again.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/methods.h"
#include "store/keys.h"
#include "store/wire.h"
#include "tests/server/graph_test.h"
#include "tests/server/request_sites.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

namespace mlmd = ml_metadata;
using absl::StatusCode;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ::pedigree::testing::ExpectRefused;
using ::pedigree::testing::GraphTest;
using ::pedigree::testing::Site;
using ::pedigree::testing::SitesOf;
using ::pedigree::testing::StoreDump;
using ::pedigree::testing::TestStore;

using BadInput = GraphTest;

// A request for each call that writes, with every kind of message that it can hold. They are good
// on the store of Fill(2, 2, 2).
struct FullRequest {
  const char* rpc;
  std::string text;
};

std::vector<FullRequest> FullRequests() {
  const std::string values =
      "custom_properties { key: 'st' value { struct_value { fields { key: 'k' value { list_value { "
      "values { struct_value { } } } } } } } } "
      "custom_properties { key: 'p' value { proto_value { type_url: 'a/b' } } } "
      "properties { key: 'i' value { int_value: 1 } } system_metadata { type_url: 'a/b' } ";
  const std::string event =
      "event { artifact_id: 1 execution_id: 1 type: INPUT path { steps { index: 1 } steps { key: "
      "'k' } } system_metadata { type_url: 'a/b' } } ";
  const std::string artifact = "type_id: 10 " + values;
  const std::string execution = "type_id: 11 " + values;
  const std::string context = "type_id: 12 " + values;
  const std::string artifact_type = "{ name: 'at' properties { key: 'p' value: INT } } ";
  const std::string struct_type =
      "{ dict { properties { key: 'k' value { list { element { simple { name: 's' } } } } } "
      "extra_properties_type { any { } } } } ";
  const std::string execution_type =
      absl::StrCat("{ name: 'et' input_type ", struct_type, "output_type ", struct_type, "} ");
  return {
      {"PutArtifactType", "artifact_type " + artifact_type},
      {"PutExecutionType", "execution_type " + execution_type},
      {"PutContextType", "context_type { name: 'ct' properties { key: 'p' value: INT } }"},
      {"PutTypes", absl::StrCat("artifact_types ", artifact_type, "execution_types ",
                                execution_type, "context_types { name: 'ct' }")},
      {"PutArtifacts",
       absl::StrCat("artifacts { ", artifact, "} artifacts { id: 1 ", values, " } options { } ",
                    "transaction_options { } update_mask { paths: 'custom_properties' }")},
      {"PutExecutions", absl::StrCat("executions { ", execution, "} update_mask { }")},
      {"PutContexts", absl::StrCat("contexts { ", context, "name: 'n' } update_mask { }")},
      {"PutEvents", absl::StrReplaceAll(event, {{"event {", "events {"}})},
      {"PutAttributionsAndAssociations",
       "attributions { artifact_id: 1 context_id: 1 system_metadata { type_url: 'a/b' } } "
       "associations { execution_id: 1 context_id: 1 system_metadata { type_url: 'a/b' } }"},
      {"PutParentContexts",
       "parent_contexts { child_id: 2 parent_id: 1 system_metadata { type_url: 'a/b' } }"},
      {"PutExecution",
       absl::StrCat("execution { id: 1 ", values, "} options { } contexts { name: 'n' ", context,
                    "} artifact_event_pairs { artifact { id: 1 ", values, "} ", event,
                    "} artifact_event_pairs { artifact { ", artifact, "} }")},
      {"PutLineageSubgraph", absl::StrCat("executions { ", execution, "} artifacts { ", artifact,
                                          "} contexts { name: ", "'n' ", context,
                                          "} event_edges { ", event, "} options { }")},
  };
}

// Calls visit for the message and every message within it, map entries left out: they cannot carry
// unknown fields into C++ messages, so their values are visited instead.
void ForEachMessage(Message* message, const std::function<void(Message*)>& visit) {
  const auto* reflection = message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection->FieldSize(*message, field) : 1;
    for (int i = 0; i < count; ++i) {
      ForEachMessage(field->is_repeated() ? reflection->MutableRepeatedMessage(message, field, i)
                                          : reflection->MutableMessage(message, field),
                     visit);
    }
  }
  if (!message->GetDescriptor()->options().map_entry()) visit(message);
}

constexpr char kMarker[] = "a field of tomorrow";

bool HasMarker(const StoreDump& dump) {
  for (const auto& [key, value] : dump) {
    if (absl::StrContains(value, kMarker)) return true;
  }
  return false;
}

TEST_F(BadInput, UnknownFieldsAnywhereAreAcceptedAndNotStored) {
  int places = 0;
  for (const FullRequest& full : FullRequests()) {
    SCOPED_TRACE(full.rpc);
    TestStore store;
    const auto prepare = [&store] {
      store.Must<mlmd::PutTypesResponse>(
          "artifact_types { name: 'a' properties { key: 'i' value: INT } } "
          "execution_types { name: 'e' properties { key: 'i' value: INT } } "
          "context_types { name: 'c' properties { key: 'i' value: INT } }");
      store.Must<mlmd::PutArtifactsResponse>("artifacts { type_id: 10 } artifacts { type_id: 10 }");
      store.Must<mlmd::PutExecutionsResponse>(
          "executions { type_id: 11 } executions { type_id: 11 }");
      store.Must<mlmd::PutContextsResponse>(
          "contexts { type_id: 12 name: 'c1' } contexts { type_id: 12 name: 'c2' }");
    };
    prepare();
    const auto* type = mlmd::PutArtifactsRequest::descriptor()->file()->FindMessageTypeByName(
        absl::StrCat(full.rpc, "Request"));
    const auto request = std::unique_ptr<Message>(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    testing::ReadText(full.text, request.get());
    ForEachMessage(request.get(), [&places](Message* message) {
      auto* unknown = message->GetReflection()->MutableUnknownFields(message);
      unknown->AddLengthDelimited(900, kMarker);
      unknown->AddVarint(901, 1);
      unknown->AddFixed32(902, 1);
      unknown->AddGroup(903)->AddLengthDelimited(1, kMarker);
      ++places;
    });
    ASSERT_TRUE(absl::StrContains(request->SerializeAsString(), kMarker));
    const auto status = store.Try(*request);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_FALSE(HasMarker(store.Dump()));
    store.ExpectSound();
  }
  EXPECT_GT(places, 100);
}

// Refusals are everyday traffic: they must not cost a write to the disk. The counters, which are
// written with every commit, show it.
TEST_F(BadInput, ARefusedWriteIsNoCommit) {
  Fill(1, 1, 1);
  const auto counters = [this] {
    std::string bytes;
    const auto status = store_.store().Read(Blocking::kAllowed, [&](const Reader& reader) {
      auto value = reader.view().Get(CountersKey().Encode(), Blocking::kAllowed);
      if (value.ok()) bytes = **value;
      return value.status();
    });
    EXPECT_TRUE(status.ok()) << status;
    return bytes;
  };
  const std::string before = counters();
  const std::pair<const char*, const char*> refused[] = {
      {"PutContexts", "contexts { type_id: 12 name: 'c1' }"},
      {"PutEvents", "events { artifact_id: 1 execution_id: 9 type: INPUT }"},
      {"PutContexts", "contexts { type_id: 12 name: 'c2' } contexts { type_id: 12 name: 'c1' }"},
      {"PutExecution", "execution { type_id: 11 } contexts { type_id: 12 name: 'c1' }"},
      {"PutTypes", "artifact_types { name: 'new' } artifact_types { }"}};
  for (const auto& [rpc, text] : refused) {
    store_.MoveClock(1);
    EXPECT_FALSE(store_.Try(rpc, text).ok());
    EXPECT_EQ(counters(), before) << rpc << ": " << text;
  }
}

TEST_F(BadInput, UnknownFieldsOfMapEntriesAreNotStored) {
  std::string value;
  AppendVarintField(&value, mlmd::Value::kIntValueFieldNumber, 1);
  std::string entry;
  AppendBytesField(&entry, 1, "k");
  AppendBytesField(&entry, 2, value);
  AppendBytesField(&entry, 900, kMarker);
  std::string artifact;
  AppendVarintField(&artifact, mlmd::Artifact::kTypeIdFieldNumber, 10);
  AppendBytesField(&artifact, mlmd::Artifact::kCustomPropertiesFieldNumber, entry);
  std::string request;
  AppendBytesField(&request, 1, artifact);
  EXPECT_TRUE(store_.CallBytes("PutArtifacts", request).ok());
  EXPECT_FALSE(HasMarker(store_.Dump()));
}

TEST_F(BadInput, UnknownFieldsInReadsAreIgnored) {
  Fill(1, 1, 1);
  for (const char* rpc : {"GetArtifacts", "GetArtifactsByID", "GetContextTypes", "GetContexts"}) {
    std::string bytes;
    AppendBytesField(&bytes, 900, kMarker);
    EXPECT_TRUE(store_.CallBytes(rpc, bytes).ok()) << rpc;
  }
}

// Every refusal of validate_test once more, through the store: nothing may be left behind.
TEST_F(BadInput, NothingIsStoredOfAWriteWithABadPlace) {
  Fill(1, 1, 1);
  const StoreDump before = store_.Dump();
  for (const Method& method : AllMethods()) {
    if (!method.writes) continue;
    const auto* type = mlmd::PutArtifactsRequest::descriptor()->file()->FindMessageTypeByName(
        absl::StrCat(method.name, "Request"));
    for (const Site& site : SitesOf(type, FieldDescriptor::TYPE_STRING)) {
      (void)store_.CallBytes(method.name, site.WithBytes("\xff"));
    }
    for (const Site& site : SitesOf(type, FieldDescriptor::TYPE_ENUM)) {
      (void)store_.CallBytes(method.name, site.WithNumber(99));
    }
  }
  EXPECT_EQ(testing::Difference(before, store_.Dump()), "");
}

TEST_F(BadInput, EnumNumbersInOtherwiseGoodRequestsAreRefused) {
  Fill(1, 1, 1);
  const auto refused = [this](Message* request, Message* at, int field) {
    at->GetReflection()->MutableUnknownFields(at)->AddVarint(field, 99);
    ExpectRefused(store_, *request, StatusCode::kInvalidArgument);
  };
  mlmd::PutArtifactsRequest artifacts;
  artifacts.add_artifacts()->set_type_id(10);
  artifacts.add_artifacts()->set_type_id(10);
  refused(&artifacts, artifacts.mutable_artifacts(1), mlmd::Artifact::kStateFieldNumber);
  mlmd::PutExecutionsRequest executions;
  executions.add_executions()->set_type_id(11);
  executions.mutable_executions(0)->set_last_known_state(mlmd::Execution::RUNNING);
  refused(&executions, executions.mutable_executions(0),
          mlmd::Execution::kLastKnownStateFieldNumber);
  mlmd::PutEventsRequest events;
  events.add_events()->set_artifact_id(1);
  events.mutable_events(0)->set_execution_id(1);
  events.mutable_events(0)->set_type(mlmd::Event::INPUT);
  refused(&events, events.mutable_events(0), mlmd::Event::kTypeFieldNumber);
  mlmd::PutContextTypeRequest type;
  type.mutable_context_type()->set_name("t");
  refused(&type, type.mutable_context_type(), mlmd::ContextType::kBaseTypeFieldNumber);
  mlmd::GetArtifactsRequest list;
  refused(&list, list.mutable_options()->mutable_order_by_field(),
          mlmd::ListOperationOptions::OrderByField::kFieldFieldNumber);
}

TEST_F(BadInput, ATypeMapEntryWithAnEnumNumberOutsideTheEnumIsRefused) {
  std::string entry;
  AppendBytesField(&entry, 1, "p");
  AppendVarintField(&entry, 2, 7);
  std::string type;
  AppendBytesField(&type, mlmd::ArtifactType::kNameFieldNumber, "t");
  AppendBytesField(&type, mlmd::ArtifactType::kPropertiesFieldNumber, entry);
  std::string request;
  AppendBytesField(&request, 1, type);
  for (const char* rpc : {"PutArtifactType", "PutExecutionType", "PutContextType"}) {
    ExpectRefused(store_, rpc, request, StatusCode::kInvalidArgument);
  }
  for (const int list : {1, 2, 3}) {
    request.clear();
    AppendBytesField(&request, list, type);
    ExpectRefused(store_, "PutTypes", request, StatusCode::kInvalidArgument);
  }
}

// Clients stop parsing at 100 levels: what a write accepts, every read must be able to show. A
// context stands deeper in the answers about relatives than it stood in its own request.
TEST_F(BadInput, WhatIsAcceptedHoweverDeepCanBeParsedInEveryAnswer) {
  Fill(0, 0, 1);
  int deepest = 0;
  for (int levels = 20; levels <= 60; ++levels) {
    mlmd::PutContextsRequest request;
    auto* context = request.add_contexts();
    context->set_type_id(12);
    context->set_name(absl::StrCat("deep", levels));
    auto* value = &(*context->mutable_custom_properties())["v"];
    auto* inner = value->mutable_struct_value();
    for (int i = 0; i < levels; ++i) {
      inner = (*inner->mutable_fields())["k"].mutable_struct_value();
    }
    const auto put = store_.CallBytes("PutContexts", request.SerializeAsString());
    if (!put.ok()) {
      EXPECT_EQ(put.status().code(), StatusCode::kInvalidArgument);
      continue;
    }
    deepest = levels;
    mlmd::PutContextsResponse ids;
    ASSERT_TRUE(ids.ParseFromString(*put));
    const int64_t id = ids.context_ids(0);
    store_.Must<mlmd::PutParentContextsResponse>(
        absl::StrCat("parent_contexts { child_id: 1 parent_id: ", id, " } "));
    EXPECT_EQ(store_.Must<mlmd::GetContextsByIDResponse>(absl::StrCat("context_ids: ", id))
                  .contexts_size(),
              1);
    mlmd::GetParentContextsByContextResponse parents;
    EXPECT_TRUE(parents.ParseFromString(
        *store_.CallBytes("GetParentContextsByContext",
                          TestStore::TextRequest("GetParentContextsByContext", "context_id: 1"))))
        << levels << " levels";
    mlmd::GetParentContextsByContextsResponse parents_of_many;
    EXPECT_TRUE(parents_of_many.ParseFromString(
        *store_.CallBytes("GetParentContextsByContexts",
                          TestStore::TextRequest("GetParentContextsByContexts", "context_ids: 1"))))
        << levels << " levels";
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_GE(deepest, 20);
}

TEST_F(BadInput, TextsOfRefusalsStayShortHoweverLongTheNames) {
  Fill(1, 1, 1);
  const std::string huge(2 << 20, 'n');
  const auto quoted = [&huge](const std::string& head, const std::string& tail) {
    return absl::StrCat(head, "'", huge, "'", tail);
  };
  store_.Must<mlmd::PutContextsResponse>(
      quoted("contexts { type_id: 12 external_id: 'x' name: ", " }"));
  Refused("PutContexts", quoted("contexts { type_id: 12 name: ", " }"), StatusCode::kAlreadyExists);
  Refused("PutContexts", quoted("contexts { type_id: 13 name: ", " }"), StatusCode::kNotFound);
  Refused("PutContexts",
          quoted("contexts { type_id: 12 name: 'p' properties { key: ",
                 " value { int_value: 1 } } "
                 "}"),
          StatusCode::kInvalidArgument);
  Refused("PutContexts", quoted("contexts { type_id: 12 name: ", " custom_properties { } }"),
          StatusCode::kInvalidArgument);
  Refused("PutContextType", quoted("context_type { base_type: UNSET name: ", " }"),
          StatusCode::kUnimplemented);
  Refused("GetContextType", quoted("type_name: ", ""), StatusCode::kNotFound);
  Refused("GetContextsByExternalIds", quoted("external_ids: ", ""), StatusCode::kNotFound);
  Refused("GetContexts", quoted("options { next_page_token: ", " }"), StatusCode::kInvalidArgument);
}

TEST_F(BadInput, TextsOfRefusalsStayShortInControlCharacters) {
  std::string control(500, '\x01');
  mlmd::PutArtifactTypeRequest type;
  type.mutable_artifact_type()->set_name(control);
  (*type.mutable_artifact_type()->mutable_properties())[control] = mlmd::INT;
  ASSERT_TRUE(store_.Try(type).ok());
  mlmd::PutArtifactsRequest request;
  request.add_artifacts()->set_type_id(13);
  request.mutable_artifacts(0)->set_name(control);
  (*request.mutable_artifacts(0)->mutable_properties())[control].set_bool_value(true);
  // The handler's own text; what a client sees is cut besides (dispatcher_test.cc).
  const auto status = store_.Try(request);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_LE(status.message().size(), 2048U);
}

}  // namespace
}  // namespace pedigree
