// From a Put to the part of the Writer that does it.
#include <algorithm>

#include "tests/model/model.h"
#include "tests/model/writer.h"

namespace pedigree::model {
namespace {

using google::protobuf::Message;

template <class Request, class Response>
bool PutIf(Writer* writer, const Message& request, Message* response) {
  if (request.GetDescriptor() != Request::descriptor()) return false;
  writer->Put(static_cast<const Request&>(request), static_cast<Response*>(response));
  return true;
}

bool Put(Writer* writer, const Message& request, Message* response) {
  using namespace ml_metadata;  // NOLINT: a table of its messages.
  return PutIf<PutArtifactTypeRequest, PutArtifactTypeResponse>(writer, request, response) ||
         PutIf<PutExecutionTypeRequest, PutExecutionTypeResponse>(writer, request, response) ||
         PutIf<PutContextTypeRequest, PutContextTypeResponse>(writer, request, response) ||
         PutIf<PutTypesRequest, PutTypesResponse>(writer, request, response) ||
         PutIf<PutArtifactsRequest, PutArtifactsResponse>(writer, request, response) ||
         PutIf<PutExecutionsRequest, PutExecutionsResponse>(writer, request, response) ||
         PutIf<PutContextsRequest, PutContextsResponse>(writer, request, response) ||
         PutIf<PutExecutionRequest, PutExecutionResponse>(writer, request, response) ||
         PutIf<PutLineageSubgraphRequest, PutLineageSubgraphResponse>(writer, request, response) ||
         PutIf<PutEventsRequest, PutEventsResponse>(writer, request, response) ||
         PutIf<PutAttributionsAndAssociationsRequest, PutAttributionsAndAssociationsResponse>(
             writer, request, response) ||
         PutIf<PutParentContextsRequest, PutParentContextsResponse>(writer, request, response);
}

}  // namespace

void Model::SeeClock(int64_t clock_ms) {
  state_.last_time_ms = std::max(state_.last_time_ms, clock_ms);
}

Verdict Model::Write(const Message& request, int64_t clock_ms, Message* response) {
  Verdict verdict = CheckAlone(request);
  if (!verdict.ok()) return verdict;
  SeeClock(clock_ms);
  State next = state_;
  Writer writer(&next);
  if (!Put(&writer, request, response)) verdict.Fault(absl::StatusCode::kInternal);
  verdict.Add(writer.verdict());
  if (verdict.ok()) {
    state_ = std::move(next);
  } else {
    response->Clear();
  }
  return verdict;
}

}  // namespace pedigree::model
