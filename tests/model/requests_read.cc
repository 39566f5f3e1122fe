// Random Gets.
#include "absl/strings/str_cat.h"
#include "tests/model/requests.h"

namespace pedigree::model {

using namespace ml_metadata;  // NOLINT: half of its messages.

template <class Node>
std::vector<int64_t> Requests::Ids() {
  std::vector<int64_t> ids;
  for (int64_t i = random_.Between(0, 4); i > 0; --i) ids.push_back(Id<Node>());
  return ids;
}

std::vector<std::string> Requests::ExternalIds() {
  std::vector<std::string> ids;
  for (int64_t i = random_.Between(0, 3); i > 0; --i) ids.push_back(ExternalId());
  return ids;
}

namespace {

template <class Values, class Repeated>
void Fill(const Values& values, Repeated* out) {
  for (const auto& value : values) *out->Add() = value;
}

}  // namespace

Call Requests::ReadTypes() {
  const auto type_ids = [&](auto* out) {
    for (int64_t i = random_.Between(0, 4); i > 0; --i) out->Add(random_.Between(-1, 30));
  };
  const auto external_ids = [&](auto* out) {
    for (int64_t i = random_.Between(0, 3); i > 0; --i) {
      *out->Add() = Rarely() ? "" : absl::StrCat("t", random_.Between(0, 7));
    }
  };
  const auto name = [&](auto* request) {
    if (!Rarely()) request->set_type_name(TypeName());
    if (random_.OneIn(2)) request->set_type_version(TypeVersion());
  };
  switch (random_.Between(0, 8)) {
    case 0: {
      GetArtifactTypeRequest request;
      name(&request);
      return MakeCall(std::move(request));
    }
    case 1: {
      GetExecutionTypeRequest request;
      name(&request);
      return MakeCall(std::move(request));
    }
    case 2: {
      GetContextTypeRequest request;
      name(&request);
      return MakeCall(std::move(request));
    }
    case 3: {
      GetArtifactTypesByIDRequest request;
      type_ids(request.mutable_type_ids());
      return MakeCall(std::move(request));
    }
    case 4: {
      GetExecutionTypesByIDRequest request;
      type_ids(request.mutable_type_ids());
      return MakeCall(std::move(request));
    }
    case 5: {
      GetContextTypesByIDRequest request;
      type_ids(request.mutable_type_ids());
      return MakeCall(std::move(request));
    }
    case 6: {
      GetArtifactTypesByExternalIdsRequest request;
      external_ids(request.mutable_external_ids());
      return MakeCall(std::move(request));
    }
    case 7: {
      GetExecutionTypesByExternalIdsRequest request;
      external_ids(request.mutable_external_ids());
      return MakeCall(std::move(request));
    }
    default: {
      GetContextTypesByExternalIdsRequest request;
      external_ids(request.mutable_external_ids());
      return MakeCall(std::move(request));
    }
  }
}

Call Requests::ReadNodes() {
  const auto type = [&](auto* request) {
    if (!Rarely()) request->set_type_name(TypeName());
    if (random_.OneIn(2)) request->set_type_version(TypeVersion());
  };
  switch (random_.Between(0, 12)) {
    case 0: {
      GetArtifactsByIDRequest request;
      Fill(Ids<Artifact>(), request.mutable_artifact_ids());
      if (random_.OneIn(2)) request.set_populate_artifact_types(random_.OneIn(2));
      return MakeCall(std::move(request));
    }
    case 1: {
      GetExecutionsByIDRequest request;
      Fill(Ids<Execution>(), request.mutable_execution_ids());
      return MakeCall(std::move(request));
    }
    case 2: {
      GetContextsByIDRequest request;
      Fill(Ids<Context>(), request.mutable_context_ids());
      return MakeCall(std::move(request));
    }
    case 3: {
      GetArtifactsByExternalIdsRequest request;
      Fill(ExternalIds(), request.mutable_external_ids());
      return MakeCall(std::move(request));
    }
    case 4: {
      GetExecutionsByExternalIdsRequest request;
      Fill(ExternalIds(), request.mutable_external_ids());
      return MakeCall(std::move(request));
    }
    case 5: {
      GetContextsByExternalIdsRequest request;
      Fill(ExternalIds(), request.mutable_external_ids());
      return MakeCall(std::move(request));
    }
    case 6: {
      GetArtifactByTypeAndNameRequest request;
      type(&request);
      if (!Rarely()) request.set_artifact_name(Text());
      return MakeCall(std::move(request));
    }
    case 7: {
      GetExecutionByTypeAndNameRequest request;
      type(&request);
      if (!Rarely()) request.set_execution_name(Text());
      return MakeCall(std::move(request));
    }
    case 8: {
      GetContextByTypeAndNameRequest request;
      type(&request);
      if (!Rarely()) request.set_context_name(Text());
      return MakeCall(std::move(request));
    }
    case 9: {
      GetArtifactsByTypeRequest request;
      type(&request);
      return MakeCall(std::move(request));
    }
    case 10: {
      GetExecutionsByTypeRequest request;
      type(&request);
      return MakeCall(std::move(request));
    }
    case 11: {
      GetContextsByTypeRequest request;
      type(&request);
      return MakeCall(std::move(request));
    }
    default: {
      GetArtifactsByURIRequest request;
      for (int64_t i = random_.Between(0, 2); i > 0; --i) {
        Artifact artifact;
        FillState(&artifact);
        request.add_uris(artifact.uri());
      }
      return MakeCall(std::move(request));
    }
  }
}

Call Requests::ReadNeighbours() {
  switch (random_.Between(0, 9)) {
    case 0: {
      GetEventsByExecutionIDsRequest request;
      Fill(Ids<Execution>(), request.mutable_execution_ids());
      return MakeCall(std::move(request));
    }
    case 1: {
      GetEventsByArtifactIDsRequest request;
      Fill(Ids<Artifact>(), request.mutable_artifact_ids());
      return MakeCall(std::move(request));
    }
    case 2: {
      GetArtifactsByContextRequest request;
      if (!Rarely()) request.set_context_id(Id<Context>());
      return MakeCall(std::move(request));
    }
    case 3: {
      GetExecutionsByContextRequest request;
      if (!Rarely()) request.set_context_id(Id<Context>());
      return MakeCall(std::move(request));
    }
    case 4: {
      GetContextsByArtifactRequest request;
      if (!Rarely()) request.set_artifact_id(Id<Artifact>());
      return MakeCall(std::move(request));
    }
    case 5: {
      GetContextsByExecutionRequest request;
      if (!Rarely()) request.set_execution_id(Id<Execution>());
      return MakeCall(std::move(request));
    }
    case 6: {
      GetParentContextsByContextRequest request;
      if (!Rarely()) request.set_context_id(Id<Context>());
      return MakeCall(std::move(request));
    }
    case 7: {
      GetChildrenContextsByContextRequest request;
      if (!Rarely()) request.set_context_id(Id<Context>());
      return MakeCall(std::move(request));
    }
    case 8: {
      GetParentContextsByContextsRequest request;
      Fill(Ids<Context>(), request.mutable_context_ids());
      return MakeCall(std::move(request));
    }
    default: {
      GetChildrenContextsByContextsRequest request;
      Fill(Ids<Context>(), request.mutable_context_ids());
      return MakeCall(std::move(request));
    }
  }
}

Call Requests::Read() {
  const int64_t percent = random_.Between(1, 100);
  if (percent <= 10) return ReadTypes();
  return percent <= 55 ? ReadNodes() : ReadNeighbours();
}

ListOperationOptions Requests::ListOptions() {
  using OrderBy = ListOperationOptions::OrderByField;
  ListOperationOptions options;
  if (random_.OneIn(12)) {
    options.set_max_result_size(static_cast<int>(random_.Between(-1, 200)));
  } else if (!random_.OneIn(4)) {
    options.set_max_result_size(static_cast<int>(random_.Between(1, 9)));
  }
  if (!random_.OneIn(4)) {
    auto* order = options.mutable_order_by_field();
    if (random_.OneIn(2)) {
      order->set_field(static_cast<OrderBy::Field>(random_.Between(Rarely() ? 0 : 1, 3)));
    }
    if (random_.OneIn(2)) order->set_is_asc(random_.OneIn(2));
  }
  return options;
}

Call Requests::List() {
  const auto fill = [&](auto request) {
    *request.mutable_options() = ListOptions();
    return MakeCall(std::move(request));
  };
  const auto of_type = [&](auto request) {
    request.set_type_name(random_.OneIn(4) ? "mlmd.Dataset" : TypeName());
    return fill(std::move(request));
  };
  const auto of_context = [&](auto request) {
    request.set_context_id(Id<Context>());
    return fill(std::move(request));
  };
  switch (random_.Between(0, 7)) {
    case 0:
      return fill(GetArtifactsRequest());
    case 1:
      return fill(GetExecutionsRequest());
    case 2:
      return fill(GetContextsRequest());
    case 3:
      return of_type(GetArtifactsByTypeRequest());
    case 4:
      return of_type(GetExecutionsByTypeRequest());
    case 5:
      return of_type(GetContextsByTypeRequest());
    case 6:
      return of_context(GetArtifactsByContextRequest());
    default:
      return of_context(GetExecutionsByContextRequest());
  }
}

}  // namespace pedigree::model
