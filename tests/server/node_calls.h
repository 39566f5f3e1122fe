// The calls of one kind of node over a TestStore, so that a test over artifacts, executions and
// contexts is one typed test.
//
// The store begins with two types of the kind: 10, named "t", which declares a property of each
// value kind, and 11, named "u", which declares none.
//
// Threading: as TestStore.
//
// Example:
//   template <class Node> class Ids : public NodeTest<Node> {};
//   TYPED_TEST_SUITE(Ids, NodeKinds, KindName);
//   TYPED_TEST(Ids, Ascend) { EXPECT_EQ(this->PutText("type_id: 10 name: 'a'"), 1); }
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/rpc_traits.h"
#include "tests/server/test_store.h"

namespace pedigree::testing {

using NodeKinds =
    ::testing::Types<ml_metadata::Artifact, ml_metadata::Execution, ml_metadata::Context>;

struct KindName {
  template <class Node>
  static std::string GetName(int) {
    return std::string(TraitsOf<Node>::kName);
  }
};

inline constexpr int64_t kTypeT = 10;
inline constexpr int64_t kTypeU = 11;
inline constexpr char kTypeTText[] =
    "name: 't' properties { key: 'i' value: INT } properties { key: 'd' value: DOUBLE } "
    "properties { key: 's' value: STRING } properties { key: 'st' value: STRUCT } "
    "properties { key: 'p' value: PROTO } properties { key: 'b' value: BOOLEAN }";

template <class Node>
class NodeTest : public ::testing::Test {
 protected:
  using Rpc = RpcOf<Node>;
  using PutRequest = typename Rpc::PutRequest;

  NodeTest() {
    EXPECT_EQ(PutType(kTypeTText), kTypeT);
    EXPECT_EQ(PutType("name: 'u'"), kTypeU);
  }
  ~NodeTest() override { store_.ExpectSound(); }

  int64_t PutType(const std::string& text) {
    typename Rpc::PutTypeRequest request;
    ReadText(text, Rpc::Type(&request));
    return store_.template Must<typename Rpc::PutTypeResponse>(request).type_id();
  }

  static Node NodeOf(const std::string& text) { return FromText<Node>(text); }

  // One node per text.
  static PutRequest Request(const std::vector<std::string>& texts) {
    PutRequest request;
    for (const std::string& text : texts) ReadText(text, Rpc::Nodes(&request)->Add());
    return request;
  }

  std::vector<int64_t> Put(const PutRequest& request) {
    const auto response = store_.template Must<typename Rpc::PutResponse>(request);
    const auto* field = response.GetDescriptor()->FindFieldByNumber(1);
    std::vector<int64_t> ids;
    for (int i = 0; i < response.GetReflection()->FieldSize(response, field); ++i) {
      ids.push_back(response.GetReflection()->GetRepeatedInt64(response, field, i));
    }
    return ids;
  }
  std::vector<int64_t> PutTexts(const std::vector<std::string>& texts) {
    return Put(Request(texts));
  }
  int64_t PutText(const std::string& text) { return PutTexts({text}).at(0); }
  int64_t PutNode(const Node& node) {
    PutRequest request;
    *Rpc::Nodes(&request)->Add() = node;
    return Put(request).at(0);
  }

  absl::Status TryTexts(const std::vector<std::string>& texts) {
    return store_.Try(Request(texts));
  }
  // Expects a refusal that leaves the store as it was; returns its text.
  std::string Refused(const std::vector<std::string>& texts, absl::StatusCode code) {
    return ExpectRefused(store_, Request(texts), code);
  }

  std::vector<Node> ReadAll(const std::vector<int64_t>& ids) {
    typename Rpc::ByIdRequest request;
    const auto* field = request.GetDescriptor()->FindFieldByNumber(1);
    for (const int64_t id : ids) request.GetReflection()->AddInt64(&request, field, id);
    return store_.template Nodes<Node>(request);
  }
  Node Read(int64_t id) {
    const std::vector<Node> nodes = ReadAll({id});
    EXPECT_EQ(nodes.size(), 1U) << "id " << id;
    return nodes.empty() ? Node() : nodes[0];
  }

  static constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  static constexpr bool kIsContext = kKind == NodeKind::kContext;
  static constexpr bool kIsArtifact = kKind == NodeKind::kArtifact;

  TestStore store_;
};

template <class Node>
std::vector<int64_t> IdsOf(const std::vector<Node>& nodes) {
  std::vector<int64_t> ids;
  for (const Node& node : nodes) ids.push_back(node.id());
  return ids;
}

}  // namespace pedigree::testing
