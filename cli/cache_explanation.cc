#include "cli/cache_explanation.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/cache_text.h"
#include "cli/facts.h"
#include "cli/filter_text.h"
#include "cli/node_calls.h"
#include "cli/node_text.h"
#include "cli/reference.h"
#include "cli/run_picture.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using ml_metadata::ListOperationOptions;

constexpr char kFingerprint[] = "cache_fingerprint";
// What says where and when a step ran, or what became of it; not what it was to do.
constexpr const char* kNoInputs[] = {
    kFingerprint, "cached_execution_id",    "display_name", "namespace",
    "outputs",    "parent_dag_id",          "pod_name",     "pod_uid",
    "task_name",  "parameter_producer_task"};

absl::StatusOr<Step> ReadStep(Connection* connection, Execution execution) {
  Step step;
  step.fingerprint = CustomProperty(execution, kFingerprint);
  step.name_space = CustomProperty(execution, "namespace");
  const int64_t id = execution.id();
  step.execution = std::move(execution);
  const auto contexts = ContextsOf(connection, NodeKind::kExecution, id);
  if (!contexts.ok()) return contexts.status();
  for (const Context& context : *contexts) {
    if (step.name_space.empty()) step.name_space = CustomProperty(context, "namespace");
    if (context.type() == kPipelineType) step.pipeline = context.name();
    if (context.type() == kRunType) step.run = context.name();
  }
  auto events = EventsOf(connection, NodeKind::kExecution, {id});
  if (!events.ok()) return events.status();
  std::erase_if(*events, [](const Event& event) { return !IsInput(event.type()); });
  step.inputs = *std::move(events);
  return step;
}

absl::StatusOr<Step> ReadStep(Connection* connection, int64_t id) {
  auto executions = NodesById<Execution>(connection, {id});
  if (!executions.ok()) return executions.status();
  if (executions->empty()) {
    return absl::NotFoundError(absl::StrCat("there is no execution:", id));
  }
  return ReadStep(connection, std::move(executions->front()));
}

// The executions that match, the newest first.
absl::StatusOr<std::vector<Execution>> Newest(Connection* connection, const std::string& filter,
                                              int count) {
  ml_metadata::GetExecutionsRequest request;
  ListOperationOptions* options = request.mutable_options();
  options->set_filter_query(filter);
  options->set_max_result_size(count);
  options->mutable_order_by_field()->set_is_asc(false);
  ml_metadata::GetExecutionsResponse answer;
  const absl::Status status = connection->Call(ReadsOf<Execution>::kList, request, &answer);
  if (!status.ok()) return status;
  return std::vector<Execution>(answer.executions().begin(), answer.executions().end());
}

absl::Status FindEarlier(Connection* connection, StepExplanation* explanation) {
  const Step& step = explanation->step;
  auto found = Newest(connection,
                      absl::StrCat("custom_properties.", kFingerprint, ".string_value = ",
                                   FilterText(step.fingerprint), " AND id < ", step.execution.id()),
                      kMostEarlier);
  if (!found.ok()) return found.status();
  for (Execution& execution : *found) {
    auto earlier = ReadStep(connection, std::move(execution));
    if (!earlier.ok()) return earlier.status();
    std::string reason = WhyNoHit(*earlier, step);
    explanation->earlier.push_back({*std::move(earlier), std::move(reason)});
  }
  return absl::OkStatus();
}

absl::Status FindPrevious(Connection* connection, StepExplanation* explanation) {
  const Step& step = explanation->step;
  const std::string task = CustomProperty(step.execution, "task_name");
  if (task.empty() || step.pipeline.empty()) return absl::OkStatus();
  auto found =
      Newest(connection,
             absl::StrCat("contexts_p.type = ", FilterText(kPipelineType),
                          " AND contexts_p.name = ", FilterText(step.pipeline),
                          " AND custom_properties.task_name.string_value = ", FilterText(task),
                          " AND type = ", FilterText(step.execution.type()), " AND id < ",
                          step.execution.id()),
             1);
  if (!found.ok()) return found.status();
  if (found->empty()) return absl::OkStatus();
  auto previous = ReadStep(connection, std::move(found->front()));
  if (!previous.ok()) return previous.status();
  if (previous->fingerprint == step.fingerprint) return absl::OkStatus();
  explanation->differences = DifferencesOf(*previous, step);
  explanation->previous = *std::move(previous);
  return absl::OkStatus();
}

absl::Status LookUp(Connection* connection, StepExplanation* explanation) {
  v1::LookupRequest request;
  v1::CacheKey* key = request.mutable_key();
  key->set_fingerprint(explanation->step.fingerprint);
  key->set_namespace_(explanation->step.name_space);
  key->set_pipeline(explanation->step.pipeline);
  key->set_scope(v1::PIPELINE);
  v1::LookupResponse answer;
  absl::Status status = connection->Call("/pedigree.v1.CacheService/Lookup", request, &answer);
  if (status.ok()) explanation->lookup = std::move(answer);
  return status;
}

// Fields with their values as text, those of a struct each on its own.
std::map<std::string, std::string> FieldsOf(const Step& step) {
  std::map<std::string, std::string> fields;
  const auto add = [&fields](const std::string& name, const ml_metadata::Value& value) {
    if (!value.has_struct_value()) {
      fields[name] = ValueText(value);
      return;
    }
    for (const auto& [key, inner] : value.struct_value().fields()) {
      ml_metadata::Value wrapped;
      (*wrapped.mutable_struct_value()->mutable_fields())["v"] = inner;
      const std::string json = ValueText(wrapped);  // {"v":...}
      fields[absl::StrCat(name, ".", key)] = json.substr(5, json.size() - 6);
    }
  };
  for (const auto& [name, value] : step.execution.properties()) add(name, value);
  for (const auto& [name, value] : step.execution.custom_properties()) {
    if (std::find(std::begin(kNoInputs), std::end(kNoInputs), name) == std::end(kNoInputs)) {
      add(name, value);
    }
  }
  for (const Event& event : step.inputs) {
    std::string& input = fields[absl::StrCat("input ", PathText(event.path()))];
    absl::StrAppend(&input, input.empty() ? "" : ", ", "artifact:", event.artifact_id());
  }
  return fields;
}

std::string NamedStep(const Step& step) {
  std::string text = absl::StrCat("execution:", step.execution.id());
  if (!step.run.empty()) absl::StrAppend(&text, " of ", step.run);
  return text;
}

std::string WhyItRan(const StepExplanation& explanation, const Screen& screen) {
  std::string text = absl::StrCat("\n", screen.paint(Colour::kBold, "why it ran"), "\n");
  if (explanation.earlier.empty()) {
    absl::StrAppend(&text, "  no execution before it had this fingerprint\n");
  }
  for (const EarlierStep& earlier : explanation.earlier) {
    absl::StrAppend(&text, "  ", Printable(NamedStep(earlier.step)), " has it too, but ",
                    Printable(earlier.reason), "\n");
  }
  if (!explanation.previous.has_value()) return text;
  absl::StrAppend(&text, "  the run of this step before, ",
                  Printable(NamedStep(*explanation.previous)), ", had another fingerprint\n");
  Facts facts("what differs from that");
  for (const Difference& difference : explanation.differences) {
    facts.Add(difference.field, absl::StrCat(difference.before.empty() ? "-" : difference.before,
                                             " → ", difference.now.empty() ? "-" : difference.now));
  }
  const std::string differs = facts.ToText(screen);
  absl::StrAppend(&text, differs.empty()
                             ? "  nothing that is recorded differs: perhaps the command, or how "
                               "caching was asked for\n"
                             : differs);
  return text;
}

}  // namespace

std::string WhyNoHit(const Step& earlier, const Step& step) {
  const Execution& execution = earlier.execution;
  const std::string state = StateText(execution);
  if (earlier.name_space != step.name_space) {
    return absl::StrCat("is of namespace ",
                        earlier.name_space.empty() ? "\"\"" : earlier.name_space);
  }
  if (earlier.pipeline != step.pipeline) {
    return absl::StrCat("is of pipeline ", earlier.pipeline.empty() ? "\"\"" : earlier.pipeline);
  }
  if (execution.last_known_state() != Execution::COMPLETE &&
      execution.last_known_state() != Execution::CACHED) {
    return absl::StrCat("is ", state, ", not COMPLETE");
  }
  if (execution.last_update_time_since_epoch() > step.execution.create_time_since_epoch()) {
    return "completed only after this one had begun";
  }
  return "was not taken: it was too old or invalidated, or caching was off for this step";
}

std::vector<Difference> DifferencesOf(const Step& before, const Step& now) {
  const auto old_fields = FieldsOf(before);
  const auto new_fields = FieldsOf(now);
  std::vector<Difference> differences;
  const auto value = [](const auto& fields, const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  auto names = old_fields;
  names.insert(new_fields.begin(), new_fields.end());
  for (const auto& [name, unused] : names) {
    Difference difference = {name, value(old_fields, name), value(new_fields, name)};
    if (difference.before != difference.now) differences.push_back(std::move(difference));
  }
  return differences;
}

absl::StatusOr<StepExplanation> ExplainStep(Connection* connection, int64_t execution_id) {
  StepExplanation explanation;
  auto step = ReadStep(connection, execution_id);
  if (!step.ok()) return step.status();
  explanation.step = *std::move(step);
  const Execution& execution = explanation.step.execution;
  int64_t from = 0;
  if (execution.last_known_state() == Execution::CACHED &&
      absl::SimpleAtoi(CustomProperty(execution, "cached_execution_id"), &from)) {
    auto origin = ReadStep(connection, from);
    if (!origin.ok() && !absl::IsNotFound(origin.status())) return origin.status();
    if (origin.ok()) explanation.cached_from = *std::move(origin);
  }
  if (execution.last_known_state() == Execution::CACHED || explanation.step.fingerprint.empty()) {
    return explanation;
  }
  absl::Status status = FindEarlier(connection, &explanation);
  if (status.ok()) status = FindPrevious(connection, &explanation);
  if (status.ok()) status = LookUp(connection, &explanation);
  if (!status.ok()) return status;
  return explanation;
}

std::string VerdictOf(const StepExplanation& explanation) {
  const Step& step = explanation.step;
  if (step.execution.last_known_state() == Execution::CACHED) return "was taken from the cache";
  if (step.fingerprint.empty()) {
    return "ran: it has no cache_fingerprint, so nobody asked the cache for it";
  }
  return "was not taken from the cache: it ran itself";
}

std::string ExplanationText(const StepExplanation& explanation, const Screen& screen) {
  const Step& step = explanation.step;
  const std::string ref = absl::StrCat("execution:", step.execution.id());
  const std::string state = StateText(step.execution);
  std::string text =
      absl::StrCat(screen.paint(Colour::kBold, ref), " ", Printable(NameOf(step.execution)), " ",
                   screen.paint(ColourOfState(state), state), ": ", VerdictOf(explanation), "\n");
  Facts facts;
  facts.Add("fingerprint", step.fingerprint);
  facts.Add("namespace", step.name_space);
  facts.Add("pipeline", step.pipeline);
  facts.Add("run", step.run);
  if (explanation.cached_from.has_value()) {
    const Step& from = *explanation.cached_from;
    facts.Add("taken from", NamedStep(from));
    facts.Add("which ended", screen.Time(from.execution.last_update_time_since_epoch()));
  }
  absl::StrAppend(&text, facts.ToText(screen));
  if (!explanation.lookup.has_value()) return text;
  absl::StrAppend(&text, WhyItRan(explanation, screen), "\n",
                  screen.paint(Colour::kBold, "a look-up now"), "\n",
                  LookupText(*explanation.lookup, screen));
  return text;
}

}  // namespace pedigree::cli
