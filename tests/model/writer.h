// Applies one Put to a copy of the model's state, collecting every fault of it.
//
// A part of a request that has a fault is left out, and the next part is judged without it, so that
// the verdict holds what any order of checking could name. Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/field_mask.pb.h"
#include "tests/model/model.h"

namespace pedigree::model {

// What is wrong with a request by itself: a value without a kind, text that is not UTF-8, an enum
// number that the contract does not know.
Verdict CheckAlone(const google::protobuf::Message& request);

class Writer {
 public:
  // `state` is changed in place: a copy of the caller's, who drops it if there are faults.
  explicit Writer(State* state) : state_(*state) {}

  const Verdict& verdict() const { return verdict_; }

  void Put(const ml_metadata::PutArtifactTypeRequest&, ml_metadata::PutArtifactTypeResponse*);
  void Put(const ml_metadata::PutExecutionTypeRequest&, ml_metadata::PutExecutionTypeResponse*);
  void Put(const ml_metadata::PutContextTypeRequest&, ml_metadata::PutContextTypeResponse*);
  void Put(const ml_metadata::PutTypesRequest&, ml_metadata::PutTypesResponse*);
  void Put(const ml_metadata::PutArtifactsRequest&, ml_metadata::PutArtifactsResponse*);
  void Put(const ml_metadata::PutExecutionsRequest&, ml_metadata::PutExecutionsResponse*);
  void Put(const ml_metadata::PutContextsRequest&, ml_metadata::PutContextsResponse*);
  void Put(const ml_metadata::PutExecutionRequest&, ml_metadata::PutExecutionResponse*);
  void Put(const ml_metadata::PutLineageSubgraphRequest&, ml_metadata::PutLineageSubgraphResponse*);
  void Put(const ml_metadata::PutEventsRequest&, ml_metadata::PutEventsResponse*);
  void Put(const ml_metadata::PutAttributionsAndAssociationsRequest&,
           ml_metadata::PutAttributionsAndAssociationsResponse*);
  void Put(const ml_metadata::PutParentContextsRequest&, ml_metadata::PutParentContextsResponse*);

 private:
  using Id = std::optional<int64_t>;  // Unset: the part had a fault.
  struct UpdateRules {
    bool force_time = false;       // last_update_time moves even if nothing else does.
    bool must_match_time = false;  // The request names the stored last_update_time.
    google::protobuf::FieldMask mask;
  };

  Id Fault(absl::StatusCode code) {
    verdict_.Fault(code);
    return std::nullopt;
  }

  // writer_types.cc
  template <class Node, class Request>
  Id PutType(const typename Things<Node>::Type& type, const Request& rules);

  // writer_nodes.cc
  template <class Node>
  Id PutNode(const Node& node, const UpdateRules& rules);
  template <class Node>
  Id Create(const Node& node);
  template <class Node>
  Id Update(const Node& node, const UpdateRules& rules);
  template <class Node>
  bool CheckContent(const Node& node, const Node* stored);
  template <class Node>
  bool Exists(int64_t id) const {
    return state_.Of<Node>().nodes.contains(id);
  }

  // writer_links.cc
  bool PutEvent(ml_metadata::Event event);
  Id PutArtifactOrReuse(ml_metadata::Artifact artifact, bool reuse_by_external_id);
  Id PutContextOrReuse(const ml_metadata::Context& context, bool reuse_by_name, bool reuse_by_id);
  Id PutPair(const ml_metadata::PutExecutionRequest::ArtifactAndEvent& pair, Id stored,
             Id execution);
  Id EdgeEnd(bool has_index, int index, const std::vector<Id>& ids, bool has_id, int64_t id);
  void PutEdge(const ml_metadata::PutLineageSubgraphRequest::EventEdge& edge,
               const std::vector<Id>& executions, const std::vector<Id>& artifacts);
  void LinkAll(NodeKind kind, const std::vector<Id>& nodes, const std::vector<Id>& contexts);

  // The clock never runs behind the newest time that is stored.
  int64_t now_ms() const { return state_.last_time_ms; }

  State& state_;
  Verdict verdict_;
};

}  // namespace pedigree::model
