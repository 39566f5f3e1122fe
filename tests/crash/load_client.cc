#include "tests/crash/load_client.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pedigree::crash {

using namespace ml_metadata;  // NOLINT: half of its messages.

namespace {

constexpr char kArtifactType[] = "artifact";
constexpr char kExecutionType[] = "execution";
constexpr char kContextType[] = "context";
constexpr absl::Duration kConnectTimeout = absl::Seconds(30);

// A server that is not there any more; whether it has done the call, nobody knows.
bool IsGone(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::CANCELLED;
}

std::string Show(const grpc::Status& status) {
  return absl::StrCat("code ", static_cast<int>(status.error_code()), ": ", status.error_message());
}

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

std::string Difference(const std::string& what, const google::protobuf::Message& got,
                       const google::protobuf::Message& expected) {
  return absl::StrCat(what, "\n  there: ", got.ShortDebugString(),
                      "\n  acknowledged: ", expected.ShortDebugString());
}

}  // namespace

absl::StatusOr<SharedNodes> PutSharedNodes(testing::RawClient* client) {
  PutTypesRequest types;
  types.add_artifact_types()->set_name(kArtifactType);
  types.add_execution_types()->set_name(kExecutionType);
  types.add_context_types()->set_name(kContextType);
  PutTypesResponse type_ids;
  grpc::Status status = client->Call("PutTypes", types, &type_ids);
  if (!status.ok()) return ToAbsl(status);
  PutContextsRequest contexts;
  contexts.add_contexts()->set_type_id(type_ids.context_type_ids(0));
  contexts.mutable_contexts(0)->set_name("pipeline");
  PutContextsResponse context_ids;
  status = client->Call("PutContexts", contexts, &context_ids);
  if (!status.ok()) return ToAbsl(status);
  return SharedNodes{type_ids.artifact_type_ids(0), type_ids.execution_type_ids(0),
                     type_ids.context_type_ids(0), context_ids.context_ids(0)};
}

LoadClient::LoadClient(int number, uint64_t seed, const std::string& address,
                       const SharedNodes& shared)
    : name_(absl::StrCat("client", number)), shared_(shared), random_(seed), client_(address) {}

bool LoadClient::Expect(const grpc::Status& status, grpc::StatusCode code,
                        const std::string& what) {
  if (status.error_code() == code) return true;
  if (!IsGone(status)) complaint_ = absl::StrCat(what, " answered ", Show(status));
  return false;
}

void LoadClient::Run() {
  bool goes_on = true;
  while (goes_on) {
    const int64_t percent = random_.Between(1, 100);
    if (percent <= 60 || writes_.empty()) {
      goes_on = WriteExecution();
    } else if (percent <= 85) {
      goes_on = WriteCounter();
    } else {
      goes_on = WriteWhatMustFail();
    }
  }
}

// An execution with artifacts, events, a context of its own, one of this client and one of all.
bool LoadClient::WriteExecution() {
  PutExecutionRequest request;
  const std::string name = absl::StrCat(name_, "/", next_number_++);
  request.mutable_execution()->set_type_id(shared_.execution_type);
  request.mutable_execution()->set_name(name);
  request.mutable_options()->set_reuse_context_if_already_exist(true);
  for (int64_t i = random_.Between(0, 3); i > 0; --i) {
    auto* pair = request.add_artifact_event_pairs();
    pair->mutable_artifact()->set_type_id(shared_.artifact_type);
    pair->mutable_artifact()->set_name(absl::StrCat(name, "/", i));
    pair->mutable_artifact()->set_uri(absl::StrCat("uri/", name));
    (*pair->mutable_artifact()->mutable_custom_properties())["of"].set_string_value(name);
    pair->mutable_event()->set_type(Event::OUTPUT);
  }
  if (!artifact_names_.empty() && random_.OneIn(2)) {
    auto* event = request.add_artifact_event_pairs()->mutable_event();
    event->set_artifact_id(artifact_names_.rbegin()->first);
    event->set_type(Event::INPUT);
  }
  for (const std::string& context : {absl::StrCat(name, "/own"), name_}) {
    request.add_contexts()->set_type_id(shared_.context_type);
    request.mutable_contexts()->rbegin()->set_name(context);
  }
  request.add_contexts()->set_type_id(shared_.context_type);
  request.mutable_contexts()->rbegin()->set_name("pipeline");

  execution_under_way_ = request;
  PutExecutionResponse response;
  const grpc::Status status = client_.Call("PutExecution", request, &response);
  if (!Expect(status, grpc::StatusCode::OK, "PutExecution")) return false;
  execution_under_way_.reset();
  ++acknowledged_;
  complaint_ = Record({std::move(request), std::move(response)});
  return complaint_.empty();
}

// Two properties of one artifact, which must always be equal.
bool LoadClient::WriteCounter() {
  PutArtifactsRequest request;
  Artifact* artifact = request.add_artifacts();
  if (counter_.artifact != 0) {
    artifact->set_id(counter_.artifact);
  } else {
    artifact->set_type_id(shared_.artifact_type);
    artifact->set_name(absl::StrCat(name_, "/counter"));
  }
  for (const char* property : {"one", "two"}) {
    (*artifact->mutable_custom_properties())[property].set_int_value(counter_.value + 1);
  }
  counter_under_way_ = counter_.value + 1;
  PutArtifactsResponse response;
  const grpc::Status status = client_.Call("PutArtifacts", request, &response);
  if (!Expect(status, grpc::StatusCode::OK, "PutArtifacts")) return false;
  counter_under_way_.reset();
  ++acknowledged_;
  counter_ = {response.artifact_ids(0), counter_.value + 1};
  artifact_names_[counter_.artifact] = absl::StrCat(name_, "/counter");
  return true;
}

// The name of an execution that is there, so nothing of the request may stay.
bool LoadClient::WriteWhatMustFail() {
  PutExecutionRequest request;
  never_.push_back(absl::StrCat(name_, "/never/", next_number_++));
  *request.mutable_execution() = random_.Pick(writes_).request.execution();
  auto* pair = request.add_artifact_event_pairs();
  pair->mutable_artifact()->set_type_id(shared_.artifact_type);
  pair->mutable_artifact()->set_name(never_.back());
  pair->mutable_event()->set_type(Event::OUTPUT);
  PutExecutionResponse response;
  const grpc::Status status = client_.Call("PutExecution", request, &response);
  return Expect(status, grpc::StatusCode::ALREADY_EXISTS, "PutExecution of a name that is taken");
}

// Ids must be new.
std::string LoadClient::Record(const ExecutionWrite& write) {
  const auto& [request, response] = write;
  const auto record = [](std::map<int64_t, std::string>* names, int64_t id,
                         const std::string& name) -> std::string {
    const auto [it, is_new] = names->emplace(id, name);
    if (is_new) return "";
    return absl::StrCat("id ", id, " of ", it->second, " was given again, to ", name);
  };
  std::string failure =
      record(&execution_names_, response.execution_id(), request.execution().name());
  for (int i = 0; failure.empty() && i < request.artifact_event_pairs_size(); ++i) {
    const auto& pair = request.artifact_event_pairs(i);
    if (!pair.has_artifact()) continue;
    failure = record(&artifact_names_, response.artifact_ids(i), pair.artifact().name());
  }
  writes_.push_back(write);
  lineage_.Add(request, response);
  return failure;
}

std::string LoadClient::Settle() {
  if (!complaint_.empty()) return complaint_;
  // A call would fail at once while the channel still waits out its last attempt to connect.
  if (!client_.WaitForConnection(kConnectTimeout)) return "cannot connect to the restarted server";
  std::string failure = SettleExecution();
  if (failure.empty()) failure = SettleCounter();
  if (failure.empty()) failure = CheckWrites(checked_, writes_.size());
  if (failure.empty() && checked_ > 0) {
    const size_t begin = random_.Index(checked_);
    failure = CheckWrites(begin, std::min(begin + 20, checked_));
  }
  checked_ = writes_.size();
  for (size_t i = 0; failure.empty() && i < never_.size(); ++i) {
    const auto exists = ArtifactExists(never_[i]);
    if (!exists.ok()) return exists.status().ToString();
    if (*exists) failure = absl::StrCat(never_[i], " is there, its request was refused");
  }
  never_.clear();
  return failure;
}

std::string LoadClient::CheckAll() {
  std::string failure = CheckWrites(0, writes_.size());
  return failure.empty() ? CheckCounter() : failure;
}

// If the execution is there, everything of its request must be: it counts like the others from then
// on. Otherwise nothing may be there.
std::string LoadClient::SettleExecution() {
  if (!execution_under_way_) return "";
  const PutExecutionRequest request = *std::exchange(execution_under_way_, std::nullopt);
  GetExecutionByTypeAndNameRequest by_name;
  by_name.set_type_name(kExecutionType);
  by_name.set_execution_name(request.execution().name());
  GetExecutionByTypeAndNameResponse execution;
  grpc::Status status = client_.Call("GetExecutionByTypeAndName", by_name, &execution);
  if (!status.ok()) return Show(status);
  if (!execution.has_execution()) {
    ++lost_unacknowledged_;
    return CheckAbsent(request);
  }
  ++kept_unacknowledged_;
  ExecutionWrite write = {request, {}};
  write.response.set_execution_id(execution.execution().id());
  for (const auto& pair : request.artifact_event_pairs()) {
    GetArtifactByTypeAndNameRequest artifact_by_name;
    artifact_by_name.set_type_name(kArtifactType);
    artifact_by_name.set_artifact_name(pair.artifact().name());
    GetArtifactByTypeAndNameResponse artifact;
    artifact.mutable_artifact()->set_id(pair.event().artifact_id());
    if (pair.has_artifact()) {
      status = client_.Call("GetArtifactByTypeAndName", artifact_by_name, &artifact);
    }
    if (!status.ok()) return Show(status);
    write.response.add_artifact_ids(artifact.artifact().id());
  }
  for (const Context& context : request.contexts()) {
    GetContextByTypeAndNameRequest context_by_name;
    context_by_name.set_type_name(kContextType);
    context_by_name.set_context_name(context.name());
    GetContextByTypeAndNameResponse found;
    status = client_.Call("GetContextByTypeAndName", context_by_name, &found);
    if (!status.ok()) return Show(status);
    write.response.add_context_ids(found.context().id());
  }
  return Record(write);  // CheckWrites() sees whether it is whole.
}

std::string LoadClient::CheckAbsent(const PutExecutionRequest& request) {
  for (const auto& pair : request.artifact_event_pairs()) {
    if (!pair.has_artifact()) continue;
    const auto exists = ArtifactExists(pair.artifact().name());
    if (!exists.ok()) return exists.status().ToString();
    if (*exists) return absl::StrCat(pair.artifact().name(), " is there, its execution is not");
  }
  const auto exists = ContextExists(request.contexts(0).name());
  if (!exists.ok()) return exists.status().ToString();
  return *exists ? absl::StrCat(request.contexts(0).name(), " is there, its execution is not") : "";
}

absl::StatusOr<bool> LoadClient::ArtifactExists(const std::string& name) {
  GetArtifactByTypeAndNameRequest request;
  request.set_type_name(kArtifactType);
  request.set_artifact_name(name);
  GetArtifactByTypeAndNameResponse response;
  const grpc::Status status = client_.Call("GetArtifactByTypeAndName", request, &response);
  if (!status.ok()) return ToAbsl(status);
  return response.has_artifact();
}

absl::StatusOr<bool> LoadClient::ContextExists(const std::string& name) {
  GetContextByTypeAndNameRequest request;
  request.set_type_name(kContextType);
  request.set_context_name(name);
  GetContextByTypeAndNameResponse response;
  const grpc::Status status = client_.Call("GetContextByTypeAndName", request, &response);
  if (!status.ok()) return ToAbsl(status);
  return response.has_context();
}

std::string LoadClient::SettleCounter() {
  const std::optional<int64_t> under_way = std::exchange(counter_under_way_, std::nullopt);
  if (under_way && counter_.artifact == 0) {  // The first one: is it there?
    GetArtifactByTypeAndNameRequest request;
    request.set_type_name(kArtifactType);
    request.set_artifact_name(absl::StrCat(name_, "/counter"));
    GetArtifactByTypeAndNameResponse response;
    const grpc::Status status = client_.Call("GetArtifactByTypeAndName", request, &response);
    if (!status.ok()) return Show(status);
    counter_ = {response.artifact().id(), response.has_artifact() ? *under_way : 0};
    if (response.has_artifact()) artifact_names_[counter_.artifact] = request.artifact_name();
  } else if (under_way) {
    ++counter_.value;
    if (CheckCounter().empty()) {
      ++kept_unacknowledged_;
      return "";
    }
    --counter_.value;
    ++lost_unacknowledged_;
  }
  return CheckCounter();
}

std::string LoadClient::CheckCounter() {
  if (counter_.artifact == 0) return "";
  GetArtifactsByIDRequest request;
  request.add_artifact_ids(counter_.artifact);
  GetArtifactsByIDResponse response;
  const grpc::Status status = client_.Call("GetArtifactsByID", request, &response);
  if (!status.ok()) return Show(status);
  if (response.artifacts_size() != 1) return absl::StrCat(name_, "/counter is gone");
  const auto& properties = response.artifacts(0).custom_properties();
  for (const char* property : {"one", "two"}) {
    const auto it = properties.find(property);
    if (it == properties.end() || it->second.int_value() != counter_.value) {
      return absl::StrCat(name_, "/counter is not ", counter_.value, ": ",
                          response.artifacts(0).ShortDebugString());
    }
  }
  return "";
}

std::string LoadClient::CheckWrites(size_t begin, size_t end) {
  constexpr size_t kBatch = 200;
  for (size_t i = begin; i < end; i += kBatch) {
    const size_t batch_end = std::min(i + kBatch, end);
    std::string failure = CheckNodes(writes_.data() + i, writes_.data() + batch_end);
    if (!failure.empty()) return failure;
  }
  for (size_t i = begin; i < end; ++i) {
    std::string failure = CheckNeighbours(writes_[i]);
    if (failure.empty()) failure = lineage_.Check(&client_, writes_[i].response.execution_id());
    if (!failure.empty()) return failure;
  }
  return "";
}

// Executions, artifacts and events, many at a time.
std::string LoadClient::CheckNodes(const ExecutionWrite* begin, const ExecutionWrite* end) {
  GetExecutionsByIDRequest execution_ids;
  GetArtifactsByIDRequest artifact_ids;
  GetEventsByExecutionIDsRequest event_ids;
  for (const ExecutionWrite* write = begin; write != end; ++write) {
    execution_ids.add_execution_ids(write->response.execution_id());
    event_ids.add_execution_ids(write->response.execution_id());
    for (int64_t id : write->response.artifact_ids()) artifact_ids.add_artifact_ids(id);
  }
  GetExecutionsByIDResponse executions;
  GetArtifactsByIDResponse artifacts;
  GetEventsByExecutionIDsResponse events;
  grpc::Status status = client_.Call("GetExecutionsByID", execution_ids, &executions);
  if (status.ok()) status = client_.Call("GetArtifactsByID", artifact_ids, &artifacts);
  if (status.ok()) status = client_.Call("GetEventsByExecutionIDs", event_ids, &events);
  if (!status.ok()) return Show(status);
  std::map<int64_t, const Execution*> execution_of;
  std::map<int64_t, const Artifact*> artifact_of;
  std::map<int64_t, std::vector<const Event*>> events_of;
  for (const Execution& execution : executions.executions())
    execution_of[execution.id()] = &execution;
  for (const Artifact& artifact : artifacts.artifacts()) artifact_of[artifact.id()] = &artifact;
  for (const Event& event : events.events()) events_of[event.execution_id()].push_back(&event);

  for (const ExecutionWrite* write = begin; write != end; ++write) {
    const auto& [request, response] = *write;
    const Execution* execution = execution_of[response.execution_id()];
    if (execution == nullptr || execution->name() != request.execution().name()) {
      return absl::StrCat(request.execution().name(), " is not there");
    }
    const auto& there = events_of[response.execution_id()];
    if (there.size() != static_cast<size_t>(request.artifact_event_pairs_size())) {
      return absl::StrCat(request.execution().name(), " has ", there.size(), " events, not ",
                          request.artifact_event_pairs_size());
    }
    for (int i = 0; i < request.artifact_event_pairs_size(); ++i) {
      const auto& pair = request.artifact_event_pairs(i);
      const Artifact* artifact = artifact_of[response.artifact_ids(i)];
      if (artifact == nullptr)
        return absl::StrCat("an artifact of ", execution->name(), " is gone");
      if (pair.has_artifact() && (artifact->name() != pair.artifact().name() ||
                                  artifact->uri() != pair.artifact().uri())) {
        return Difference("another artifact", *artifact, pair.artifact());
      }
      const Event& event = *there[static_cast<size_t>(i)];
      if (event.artifact_id() != response.artifact_ids(i) || event.type() != pair.event().type()) {
        return Difference("another event", event, pair.event());
      }
    }
  }
  return "";
}

// The contexts of the execution and of its artifacts, and the events as the artifacts have them.
std::string LoadClient::CheckNeighbours(const ExecutionWrite& write) {
  const auto& [request, response] = write;
  const std::set<int64_t> expected(response.context_ids().begin(), response.context_ids().end());
  const auto ids = [](const auto& contexts) {
    std::set<int64_t> found;
    for (const Context& context : contexts) found.insert(context.id());
    return found;
  };
  GetContextsByExecutionRequest of_execution;
  of_execution.set_execution_id(response.execution_id());
  GetContextsByExecutionResponse contexts;
  grpc::Status status = client_.Call("GetContextsByExecution", of_execution, &contexts);
  if (!status.ok()) return Show(status);
  if (ids(contexts.contexts()) != expected) {
    return Difference("other contexts of the execution", contexts, response);
  }
  for (int i = 0; i < request.artifact_event_pairs_size(); ++i) {
    if (!request.artifact_event_pairs(i).has_artifact()) continue;  // In others' contexts too.
    GetContextsByArtifactRequest of_artifact;
    of_artifact.set_artifact_id(response.artifact_ids(i));
    GetContextsByArtifactResponse found;
    status = client_.Call("GetContextsByArtifact", of_artifact, &found);
    if (!status.ok()) return Show(status);
    const std::set<int64_t> there = ids(found.contexts());
    // Later executions that read the artifact add their own.
    if (!std::includes(there.begin(), there.end(), expected.begin(), expected.end())) {
      return Difference("contexts of an artifact are missing", found, response);
    }
  }
  return "";
}

}  // namespace pedigree::crash
