#include "tests/cli/formats/history.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/export/json_values.h"
#include "tests/store/scratch_directory.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Event;

template <typename Message>
Message FromJson(const Json& json) {
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(Print(json), &message);
  if (!status.ok()) std::abort();
  return message;
}

template <typename Message, typename Visit>
void ForEach(const Json& answers, const char* call, const char* field, Visit visit) {
  if (!answers.contains(call) || !answers[call].contains(field)) return;
  for (const Json& json : answers[call][field]) visit(FromJson<Message>(json));
}

template <typename Visit>
void ForEachMember(const Json& members, Visit visit) {
  for (const auto& [key, ids] : members.items()) {
    for (const Json& id : ids) {
      int64_t context = 0;
      int64_t member = 0;
      if (!absl::SimpleAtoi(key, &context)) std::abort();
      if (!absl::SimpleAtoi(id.get<std::string>(), &member)) std::abort();
      visit(context, member);
    }
  }
}

const char* const kUris[] = {"",
                             "/data/a b.csv",
                             "s3://bucket/train/data.csv",
                             "gs://bucket",
                             "hdfs://name:8020/tmp/\xC3\xA9<x>",
                             "relative/path",
                             "https://host/a?b=c#d",
                             "urn:x:y",
                             "://",
                             "oci://r/m@sha256:"
                             "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                             "minio://m\xFFl/50%/[a]"};
const char* const kTexts[] = {"",
                              "=cmd|' /C calc'!A0",
                              "+1",
                              "-2",
                              "@x",
                              "'quoted'",
                              "a,b",
                              "say \"hi\"\r\nok",
                              " pad",
                              "\xC3",
                              "\xED\xA0\x80",
                              "\t=1",
                              "\xEF\xBC\x9D"
                              "1",
                              "plain",
                              "a\nb"};

std::string AnyText(Random& random) { return kTexts[random.Index(std::size(kTexts))]; }

ml_metadata::Value AnyValue(Random& random) {
  ml_metadata::Value value;
  switch (random.Index(7)) {
    case 0:
      value.set_int_value(random.Index(2) == 0 ? std::numeric_limits<int64_t>::min() : -5);
      break;
    case 1:
      value.set_double_value(random.Index(2) == 0 ? std::nan("") : -0.1);
      break;
    case 2:
      value.set_double_value(-std::numeric_limits<double>::infinity());
      break;
    case 3:
      // Protobuf takes no other text in a struct.
      (*value.mutable_struct_value()->mutable_fields())[ToUtf8(AnyText(random))].set_string_value(
          ToUtf8(AnyText(random)));
      break;
    case 4:
      value.mutable_proto_value()->set_type_url("type.googleapis.com/x");
      value.mutable_proto_value()->set_value("\xFF\x01");
      break;
    case 5:
      value.set_bool_value(true);
      break;
    default:
      value.set_string_value(AnyText(random));
  }
  return value;
}

int64_t AnyTime(Random& random) {
  const int64_t times[] = {0, 1, 1'795'416'128'547, -1, std::numeric_limits<int64_t>::max()};
  const auto choice = random.Index(20);
  return choice < std::size(times) ? times[choice]
                                   : 1'795'416'000'000 + static_cast<int64_t>(random.Index(5000));
}

template <typename Node>
void FillNode(Random& random, int64_t id, int64_t type_id, Node* node) {
  node->set_id(id);
  node->set_type_id(type_id);
  node->set_name(absl::StrCat(AnyText(random), id));
  if (random.Index(3) == 0) node->set_external_id(absl::StrCat("e", id));
  for (size_t i = random.Index(4); i > 0; --i) {
    (*node->mutable_custom_properties())[AnyText(random)] = AnyValue(random);
    (*node->mutable_properties())[absl::StrCat("p", i)] = AnyValue(random);
  }
  node->set_create_time_since_epoch(AnyTime(random));
  node->set_last_update_time_since_epoch(AnyTime(random));
}

void AddTypes(History& history) {
  auto* artifact = history.types.emplace_back().mutable_artifact_type();
  artifact->set_id(10);
  artifact->set_name("system.Model");
  (*artifact->mutable_properties())["=p"] = ml_metadata::INT;
  artifact = history.types.emplace_back().mutable_artifact_type();
  artifact->set_id(11);
  artifact->set_name("Examples");
  auto* execution = history.types.emplace_back().mutable_execution_type();
  execution->set_id(12);
  execution->set_name("Trainer");
  execution = history.types.emplace_back().mutable_execution_type();
  execution->set_id(13);
  execution->set_name("system.DAGExecution");
  auto* context = history.types.emplace_back().mutable_context_type();
  context->set_id(14);
  context->set_name("pipeline_run");
}

// A large step comes in several records: here one of more than so many uses.
void AddStep(const v1::ExportedStep& step, int most_uses, std::vector<v1::ExportRecord>& records) {
  int at = 0;
  do {
    v1::ExportedStep& part = *records.emplace_back().mutable_step();
    part = step;
    part.clear_uses();
    part.set_continues(at > 0);
    for (int i = 0; i < most_uses && at < step.uses_size(); ++i) *part.add_uses() = step.uses(at++);
    part.set_is_continued(at < step.uses_size());
  } while (at < step.uses_size());
}

v1::ExportedStep StepOf(const History& history, const v1::ExportedExecution& execution) {
  v1::ExportedStep step;
  *step.mutable_execution() = execution.execution();
  for (const auto& event : history.events) {
    if (event.event().execution_id() != execution.execution().id()) continue;
    auto* use = step.add_uses();
    *use->mutable_event() = event.event();
    const auto artifact = history.artifacts.find(event.event().artifact_id());
    if (artifact != history.artifacts.end()) *use->mutable_artifact() = artifact->second.artifact();
  }
  for (const int64_t id : execution.context_ids()) {
    *step.add_contexts() = history.contexts.at(id).context();
  }
  return step;
}

}  // namespace

std::vector<v1::ExportRecord> History::Records(v1::ExportShape shape) const {
  std::vector<v1::ExportRecord> records = types;
  if (shape == v1::STEPS) {
    for (const auto& [id, execution] : executions) {
      AddStep(StepOf(*this, execution), most_uses, records);
    }
    return records;
  }
  for (const auto& [id, context] : contexts) *records.emplace_back().mutable_context() = context;
  for (const auto& [id, artifact] : artifacts) {
    *records.emplace_back().mutable_artifact() = artifact;
  }
  for (const auto& [id, execution] : executions) {
    *records.emplace_back().mutable_execution() = execution;
  }
  for (const auto& event : events) *records.emplace_back().mutable_event() = event;
  return records;
}

void History::AddEvent(int64_t execution_id, int64_t artifact_id, Event::Type type) {
  auto& event = events.emplace_back();
  event.set_number(static_cast<int64_t>(events.size()));
  event.mutable_event()->set_execution_id(execution_id);
  event.mutable_event()->set_artifact_id(artifact_id);
  event.mutable_event()->set_type(type);
  event.mutable_event()->set_milliseconds_since_epoch(1'795'416'128'547);
}

History RecordedHistory(const std::string& name) {
  const Json answers =
      Json::parse(ReadFile(absl::StrCat(PEDIGREE_MLMD_DATA, "/", name, ".expected.json")));
  History history;
  history.header.set_sequence(7);
  history.header.set_time_ms(1'795'416'200'000);
  ForEach<ml_metadata::ArtifactType>(
      answers, "GetArtifactTypes", "artifact_types",
      [&history](auto type) { *history.types.emplace_back().mutable_artifact_type() = type; });
  ForEach<ml_metadata::ExecutionType>(
      answers, "GetExecutionTypes", "execution_types",
      [&history](auto type) { *history.types.emplace_back().mutable_execution_type() = type; });
  ForEach<ml_metadata::ContextType>(
      answers, "GetContextTypes", "context_types",
      [&history](auto type) { *history.types.emplace_back().mutable_context_type() = type; });
  // Records name their type by id only.
  ForEach<ml_metadata::Context>(answers, "GetContexts", "contexts", [&history](auto node) {
    node.clear_type();
    *history.contexts[node.id()].mutable_context() = node;
  });
  ForEach<ml_metadata::Artifact>(answers, "GetArtifacts", "artifacts", [&history](auto node) {
    node.clear_type();
    *history.artifacts[node.id()].mutable_artifact() = node;
  });
  ForEach<ml_metadata::Execution>(answers, "GetExecutions", "executions", [&history](auto node) {
    node.clear_type();
    *history.executions[node.id()].mutable_execution() = node;
  });
  ForEach<Event>(answers, "GetEventsByExecutionIDs", "events", [&history](auto event) {
    auto& exported = history.events.emplace_back();
    *exported.mutable_event() = event;
    exported.set_number(static_cast<int64_t>(history.events.size()));
  });
  ForEachMember(answers["attributions"], [&history](int64_t context, int64_t artifact) {
    history.artifacts.at(artifact).add_context_ids(context);
  });
  ForEachMember(answers["associations"], [&history](int64_t context, int64_t execution) {
    history.executions.at(execution).add_context_ids(context);
  });
  ForEachMember(answers["parents"], [&history](int64_t child, int64_t parent) {
    history.contexts.at(child).add_parent_ids(parent);
  });
  return history;
}

History RandomHistory(Random& random, int executions) {
  History history;
  history.header.set_sequence(9);
  history.header.set_time_ms(1'795'416'200'000);
  AddTypes(history);
  for (int64_t id = 1; id <= 3; ++id) {
    FillNode(random, id, 14, history.contexts[id].mutable_context());
    if (id > 1) history.contexts[id].add_parent_ids(1);
  }
  const int64_t artifacts = 2 * executions;
  for (int64_t id = 1; id <= artifacts; ++id) {
    auto& exported = history.artifacts[id];
    auto* artifact = exported.mutable_artifact();
    FillNode(random, id, 10 + static_cast<int64_t>(random.Index(2)), artifact);
    artifact->set_uri(kUris[random.Index(std::size(kUris))]);
    artifact->set_state(static_cast<ml_metadata::Artifact::State>(random.Index(7)));
    if (random.Index(3) == 0) {
      (*artifact->mutable_custom_properties())["sha256"].set_string_value(std::string(64, 'a'));
    }
    if (random.Index(2) == 0) exported.add_context_ids(2);
  }
  for (int64_t id = 1; id <= executions; ++id) {
    auto& exported = history.executions[id];
    auto* execution = exported.mutable_execution();
    FillNode(random, id, 12 + static_cast<int64_t>(random.Index(2)), execution);
    execution->set_last_known_state(static_cast<ml_metadata::Execution::State>(random.Index(7)));
    if (id > 1 && random.Index(2) == 0) {
      (*execution->mutable_custom_properties())["parent_dag_id"].set_int_value(
          1 + static_cast<int64_t>(random.Index(static_cast<uint64_t>(id - 1))));
    }
    if (random.Index(2) == 0) {
      (*execution->mutable_custom_properties())["error_message"].set_string_value("no \xFF disk");
    }
    if (random.Index(2) == 0) exported.add_context_ids(1 + static_cast<int64_t>(random.Index(3)));
  }
  for (int i = 0; i < 4 * executions; ++i) {
    history.AddEvent(1 + static_cast<int64_t>(random.Index(static_cast<uint64_t>(executions))),
                     1 + static_cast<int64_t>(random.Index(static_cast<uint64_t>(artifacts))),
                     static_cast<Event::Type>(random.Index(8)));
  }
  return history;
}

}  // namespace pedigree::cli
