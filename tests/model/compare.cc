#include "tests/model/compare.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/text_format.h"

namespace pedigree::model {
namespace {

using google::protobuf::Message;
using namespace ml_metadata;  // NOLINT: half of its messages.

// The text around the first byte that differs from `other`.
std::string Around(const std::string& text, const std::string& other) {
  constexpr size_t kBefore = 300;
  constexpr size_t kAfter = 700;
  const auto [end, other_end] = std::mismatch(text.begin(), text.end(), other.begin(), other.end());
  const auto at = static_cast<size_t>(end - text.begin());
  const size_t begin = at > kBefore ? at - kBefore : 0;
  return absl::StrCat(begin > 0 ? "... " : "", text.substr(begin, kBefore + kAfter),
                      text.size() > begin + kBefore + kAfter ? " ..." : "");
}

std::string Report(const Call& call, absl::string_view expected_status, const Message& expected) {
  const std::string request = Text(*call.request);
  const std::string store = Text(*call.response);
  const std::string model = Text(expected);
  return absl::StrCat("\n", call.rpc, " {", request.substr(0, 2000),
                      "}\n  store: ", call.status.ToString(), " {", Around(store, model),
                      "}\n  model: ", expected_status, " {", Around(model, store), "}\n");
}

// Sets the token of a list call, or reads that of its answer.
Message* OptionsOf(Message* request) {
  const auto* field = request->GetDescriptor()->FindFieldByName("options");
  return request->GetReflection()->MutableMessage(request, field);
}
void SetToken(const std::string& token, Message* request) {
  static_cast<ListOperationOptions*>(OptionsOf(request))->set_next_page_token(token);
}
std::string TokenOf(const Message& response) {
  const auto* field = response.GetDescriptor()->FindFieldByName("next_page_token");
  return response.GetReflection()->GetString(response, field);
}

// Adds the node with this id to the answer's list, which is field 1.
template <class Node>
bool AddIf(const Model& model, int64_t id, Message* response) {
  const auto* field = response->GetDescriptor()->FindFieldByNumber(1);
  if (field->message_type() != Node::descriptor()) return false;
  const Node& node = *model.state().Of<Node>().nodes.at(id);
  Message* added = response->GetReflection()->AddMessage(response, field);
  added->CopyFrom(AnswerOf(model.state(), node));
  return true;
}

void AddNode(const Model& model, int64_t id, Message* response) {
  AddIf<Artifact>(model, id, response) || AddIf<Execution>(model, id, response) ||
      AddIf<Context>(model, id, response);
}

// The questions about one kind of node, and about its neighbours.
struct Questions {
  std::vector<Call> calls;

  template <class Request>
  void Add(Request request) {
    calls.push_back(MakeCall(std::move(request)));
  }
};

template <class Node, class ByName, class ByExternalIds, class SetName>
void AskForNames(const State& state, SetName set_name, Questions* questions) {
  for (const auto& [id, node] : state.Of<Node>().nodes) {
    const auto& type = *state.Of<Node>().types.at(node->type_id());
    if (node->has_name()) {
      ByName by_name;
      by_name.set_type_name(type.name());
      by_name.set_type_version(type.version());
      set_name(&by_name, node->name());
      questions->Add(by_name);
    }
    if (node->has_external_id() && !node->external_id().empty()) {
      ByExternalIds by_external_id;
      by_external_id.add_external_ids(node->external_id());
      questions->Add(by_external_id);
    }
  }
}

template <class Node, class ByName, class ByExternalId, class ByType>
void AskForTypes(const State& state, Questions* questions) {
  for (const auto& [id, type] : state.Of<Node>().types) {
    ByName by_name;
    by_name.set_type_name(type->name());
    by_name.set_type_version(type->version());
    questions->Add(by_name);
    ByType by_type;
    by_type.set_type_name(type->name());
    by_type.set_type_version(type->version());
    questions->Add(by_type);
    if (!type->has_external_id() || type->external_id().empty()) continue;
    ByExternalId by_external_id;
    by_external_id.add_external_ids(type->external_id());
    questions->Add(by_external_id);
  }
}

// A few ids beyond the last one handed out: nothing may be there.
constexpr int64_t kBeyond = 4;

void AskForArtifacts(const State& state, Questions* questions) {
  questions->Add(GetArtifactsRequest());
  AskForNames<Artifact, GetArtifactByTypeAndNameRequest, GetArtifactsByExternalIdsRequest>(
      state, [](auto* request, const std::string& name) { request->set_artifact_name(name); },
      questions);
  AskForTypes<Artifact, GetArtifactTypeRequest, GetArtifactTypesByExternalIdsRequest,
              GetArtifactsByTypeRequest>(state, questions);
  questions->Add(GetArtifactTypesRequest());
  std::set<std::string> uris;
  for (const auto& [id, node] : state.Of<Artifact>().nodes) uris.insert(node->uri());
  for (const std::string& uri : uris) {
    GetArtifactsByURIRequest by_uri;
    by_uri.add_uris(uri);
    questions->Add(by_uri);
  }
  GetArtifactsByIDRequest by_id;
  GetEventsByArtifactIDsRequest events;
  for (int64_t id = 0; id <= state.Of<Artifact>().last_id + kBeyond; ++id) {
    by_id.add_artifact_ids(id);
    events.add_artifact_ids(id);
    GetContextsByArtifactRequest contexts;
    contexts.set_artifact_id(id);
    questions->Add(contexts);
  }
  questions->Add(by_id);
  questions->Add(events);
}

void AskForExecutions(const State& state, Questions* questions) {
  questions->Add(GetExecutionsRequest());
  AskForNames<Execution, GetExecutionByTypeAndNameRequest, GetExecutionsByExternalIdsRequest>(
      state, [](auto* request, const std::string& name) { request->set_execution_name(name); },
      questions);
  AskForTypes<Execution, GetExecutionTypeRequest, GetExecutionTypesByExternalIdsRequest,
              GetExecutionsByTypeRequest>(state, questions);
  questions->Add(GetExecutionTypesRequest());
  GetExecutionsByIDRequest by_id;
  GetEventsByExecutionIDsRequest events;
  for (int64_t id = 0; id <= state.Of<Execution>().last_id + kBeyond; ++id) {
    by_id.add_execution_ids(id);
    events.add_execution_ids(id);
    GetContextsByExecutionRequest contexts;
    contexts.set_execution_id(id);
    questions->Add(contexts);
  }
  questions->Add(by_id);
  questions->Add(events);
}

void AskForContexts(const State& state, Questions* questions) {
  questions->Add(GetContextsRequest());
  AskForNames<Context, GetContextByTypeAndNameRequest, GetContextsByExternalIdsRequest>(
      state, [](auto* request, const std::string& name) { request->set_context_name(name); },
      questions);
  AskForTypes<Context, GetContextTypeRequest, GetContextTypesByExternalIdsRequest,
              GetContextsByTypeRequest>(state, questions);
  questions->Add(GetContextTypesRequest());
  GetContextsByIDRequest by_id;
  GetParentContextsByContextsRequest parents;
  GetChildrenContextsByContextsRequest children;
  for (int64_t id = 0; id <= state.Of<Context>().last_id + kBeyond; ++id) {
    by_id.add_context_ids(id);
    parents.add_context_ids(id);
    children.add_context_ids(id);
    GetArtifactsByContextRequest artifacts;
    artifacts.set_context_id(id);
    questions->Add(artifacts);
    GetExecutionsByContextRequest executions;
    executions.set_context_id(id);
    questions->Add(executions);
  }
  questions->Add(by_id);
  questions->Add(parents);
  questions->Add(children);
}

// Whole lists in the one order that no other question shows.
void AskForTimes(Questions* questions) {
  const auto add = [&](auto request) {
    request.mutable_options()->set_max_result_size(7);
    request.mutable_options()->mutable_order_by_field()->set_field(
        ListOperationOptions::OrderByField::LAST_UPDATE_TIME);
    questions->Add(request);
  };
  add(GetArtifactsRequest());
  add(GetExecutionsRequest());
  add(GetContextsRequest());
}

}  // namespace

std::string Text(const Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetExpandAny(false);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

std::string CompareWrite(const Call& call, const Verdict& verdict, const Message& expected) {
  if (!verdict.Allows(call.status.code())) return Report(call, verdict.ToString(), expected);
  if (!verdict.ok() || CanonicalBytes(*call.response) == CanonicalBytes(expected)) return "";
  return Report(call, verdict.ToString(), expected);
}

std::string CompareRead(Store& store, const Model& model, Call call) {
  std::unique_ptr<Message> expected(call.response->New());
  const Verdict verdict = model.Read(*call.request, expected.get());
  call.status = Invoke(store, call.rpc, *call.request, call.response.get());
  return CompareWrite(call, verdict, *expected);
}

std::string PagedList::NextPage(Store& store, const Model& model) {
  const Page page = model.List(*call_.request, has_last_ ? &last_ : nullptr);
  std::unique_ptr<Message> expected(call_.response->New());
  for (int64_t id : page.ids) AddNode(model, id, expected.get());
  call_.response->Clear();
  call_.status = Invoke(store, call_.rpc, *call_.request, call_.response.get());
  const std::string token = TokenOf(*call_.response);
  const auto* token_field = expected->GetDescriptor()->FindFieldByName("next_page_token");
  if (page.has_more) expected->GetReflection()->SetString(expected.get(), token_field, token);
  done_ = !page.has_more || !page.verdict.ok();
  std::string difference = CompareWrite(call_, page.verdict, *expected);
  if (difference.empty() && page.has_more && token.empty()) {
    difference = Report(call_, "a next_page_token", *expected);
  }
  if (!difference.empty()) done_ = true;
  has_last_ = true;
  last_ = page.last;
  if (!done_) SetToken(token, call_.request.get());
  return difference;
}

std::string Difference(Store& store, const Model& model) {
  Questions questions;
  AskForArtifacts(model.state(), &questions);
  AskForExecutions(model.state(), &questions);
  AskForContexts(model.state(), &questions);
  for (Call& call : questions.calls) {
    std::string difference = CompareRead(store, model, std::move(call));
    if (!difference.empty()) return difference;
  }
  Questions lists;
  AskForTimes(&lists);
  for (Call& call : lists.calls) {
    PagedList list(std::move(call));
    while (!list.done()) {
      std::string difference = list.NextPage(store, model);
      if (!difference.empty()) return difference;
    }
  }
  return "";
}

std::string VerifyProblems(Store& store) {
  const auto report = store.Verify();
  if (!report.ok()) return absl::StrCat("Verify: ", report.status().ToString());
  if (report->ok()) return "";
  return absl::StrCat("Verify: ", report->problem_count, " problems:\n",
                      absl::StrJoin(report->problems, "\n"));
}

}  // namespace pedigree::model
