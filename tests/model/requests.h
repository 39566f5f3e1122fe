// Makes random requests about the state of a model: most of them sound, some with a fault, all of
// them from small pools of names, so that they meet each other.
//
// The same seed and the same model make the same request. Threads: one.
//
//   Requests requests(&random, &model);
//   Call call = requests.Write();
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/invoke.h"
#include "tests/model/model.h"
#include "tests/store/random.h"

namespace pedigree::model {

class Requests {
 public:
  // Neither is owned; both outlive this.
  Requests(Random* random, const Model* model) : random_(*random), model_(*model) {}

  // Any Put.
  Call Write();
  // Types of all three kinds: without them nearly everything else fails.
  Call FirstTypes();
  // A Put that the model accepts: tries until one does. It is not applied.
  Call SoundWrite(int64_t clock_ms);

  // Any Get without list options.
  Call Read();
  // A list with options; its page token is unset.
  Call List();

 private:
  bool Rarely() { return random_.OneIn(40); }
  template <class T>
  const T& Pick(const std::vector<T>& values) {
    return random_.Pick(values);
  }
  std::string Text();
  std::string PropertyName();
  ml_metadata::Value Value(ml_metadata::PropertyType kind);
  ml_metadata::PropertyType Kind();
  template <class Message>
  void AddNoise(Message* message, int enum_field);

  // An id of a node of this kind; rarely one that does not exist.
  template <class Node>
  int64_t Id();
  template <class Node>
  int64_t TypeId();
  template <class Node>
  std::vector<int64_t> Ids();
  std::vector<std::string> ExternalIds();
  std::string ExternalId();

  template <class Node>
  typename Things<Node>::Type Type();
  template <class Node>
  Node NewNode();
  template <class Node>
  Node ChangedNode();
  template <class Node>
  Node AnyNode() {
    return random_.OneIn(3) ? ChangedNode<Node>() : NewNode<Node>();
  }
  template <class Node>
  void FillContent(int64_t type_id, Node* node);
  void FillState(ml_metadata::Artifact* node);
  void FillState(ml_metadata::Execution* node);
  void FillState(ml_metadata::Context*) {}
  google::protobuf::FieldMask Mask();
  ml_metadata::Event Event();
  void KeepContextNames(google::protobuf::RepeatedPtrField<ml_metadata::Context>* contexts);
  void AddContexts(google::protobuf::RepeatedPtrField<ml_metadata::Context>* contexts);

  template <class Request>
  Request PutType();
  Call PutOneType();
  ml_metadata::PutTypesRequest PutTypes();
  ml_metadata::PutArtifactsRequest PutArtifacts();
  ml_metadata::PutArtifactsRequest PutManyArtifacts();
  ml_metadata::PutExecutionsRequest PutExecutions();
  ml_metadata::PutContextsRequest PutContexts();
  ml_metadata::PutExecutionRequest PutExecution();
  ml_metadata::PutLineageSubgraphRequest PutLineageSubgraph();
  ml_metadata::PutEventsRequest PutEvents();
  ml_metadata::PutAttributionsAndAssociationsRequest PutLinks();
  ml_metadata::PutParentContextsRequest PutParents();

  ml_metadata::ListOperationOptions ListOptions();
  std::string TypeName();
  std::string TypeVersion();
  Call ReadNodes();
  Call ReadNeighbours();
  Call ReadTypes();

  Random& random_;
  const Model& model_;
};

}  // namespace pedigree::model
