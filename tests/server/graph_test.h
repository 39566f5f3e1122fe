// A TestStore with one type of each kind, for tests of what connects nodes: events, attributions,
// associations, parent contexts, PutExecution and PutLineageSubgraph.
//
// Types: 10 artifact "a", 11 execution "e", 12 context "c". Threading: as TestStore.
//
// Example:
//   using Links = GraphTest;
//   TEST_F(Links, ...) { Fill(2, 1, 1); store_.Must<PutEventsResponse>("events { ... }"); }
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/server/test_store.h"

namespace pedigree::testing {

class GraphTest : public ::testing::Test {
 protected:
  GraphTest() {
    store_.Must<ml_metadata::PutTypesResponse>(
        "artifact_types { name: 'a' properties { key: 'i' value: INT } } "
        "execution_types { name: 'e' properties { key: 'i' value: INT } } "
        "context_types { name: 'c' properties { key: 'i' value: INT } }");
  }
  ~GraphTest() override { store_.ExpectSound(); }

  // Stores this many nodes, contexts named "c1" and so on.
  void Fill(int artifacts, int executions, int contexts) {
    ml_metadata::PutArtifactsRequest put_artifacts;
    for (int i = 0; i < artifacts; ++i) put_artifacts.add_artifacts()->set_type_id(10);
    store_.Must<ml_metadata::PutArtifactsResponse>(put_artifacts);
    ml_metadata::PutExecutionsRequest put_executions;
    for (int i = 0; i < executions; ++i) put_executions.add_executions()->set_type_id(11);
    store_.Must<ml_metadata::PutExecutionsResponse>(put_executions);
    ml_metadata::PutContextsRequest put_contexts;
    for (int i = 1; i <= contexts; ++i) {
      auto* context = put_contexts.add_contexts();
      context->set_type_id(12);
      context->set_name(absl::StrCat("c", i));
    }
    store_.Must<ml_metadata::PutContextsResponse>(put_contexts);
  }

  void Refused(absl::string_view rpc, const std::string& text, absl::StatusCode code) {
    ExpectTextRefused(store_, rpc, text, code);
  }

  // Ids of the nodes of an answer, in its order.
  template <class Nodes>
  static std::vector<int64_t> Ids(const Nodes& nodes) {
    std::vector<int64_t> ids;
    for (const auto& node : nodes) ids.push_back(node.id());
    return ids;
  }

  std::vector<int64_t> ContextsOfArtifact(int64_t id) {
    return Ids(
        store_.Must<ml_metadata::GetContextsByArtifactResponse>(absl::StrCat("artifact_id: ", id))
            .contexts());
  }
  std::vector<int64_t> ContextsOfExecution(int64_t id) {
    return Ids(
        store_.Must<ml_metadata::GetContextsByExecutionResponse>(absl::StrCat("execution_id: ", id))
            .contexts());
  }
  std::vector<int64_t> ArtifactsOfContext(int64_t id) {
    return Ids(
        store_.Must<ml_metadata::GetArtifactsByContextResponse>(absl::StrCat("context_id: ", id))
            .artifacts());
  }
  std::vector<int64_t> ExecutionsOfContext(int64_t id) {
    return Ids(
        store_.Must<ml_metadata::GetExecutionsByContextResponse>(absl::StrCat("context_id: ", id))
            .executions());
  }
  std::vector<ml_metadata::Event> EventsOfExecution(int64_t id) {
    const auto response = store_.Must<ml_metadata::GetEventsByExecutionIDsResponse>(
        absl::StrCat("execution_ids: ", id));
    return {response.events().begin(), response.events().end()};
  }

  TestStore store_;
};

}  // namespace pedigree::testing
