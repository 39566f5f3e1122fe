#include "cli/export/jsonl_check.h"

#include "absl/strings/str_cat.h"
#include "api/task.pb.h"
#include "store/event_graph.h"
#include "store/task.h"

namespace pedigree::cli {
namespace {

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

}  // namespace

absl::StatusOr<int64_t> NumberOfTask(const std::string& task) {
  api::Task message;
  if (!message.ParseFromString(task)) return Wrong("the task does not decode");
  const auto number = NumberOfTaskId(message.id());
  if (!number.has_value()) return Wrong("the id of the task is none of this program's");
  return *number;
}

absl::Status JsonlCheck::CheckHeader(const v1::ExportSelection& selection) const {
  if (selection.ByteSizeLong() != 0) {
    return Wrong(
        "the export is of a selection: only one of everything, without --where, --context, "
        "--since, "
        "--until and --upstream_of, can be a store");
  }
  for (const int kind : header_.created_out_of_order()) {
    if (kind < v1::ARTIFACT || kind > v1::CONTEXT) return Wrong("created_out_of_order is no kind");
  }
  for (const v1::PropertyIndex& index : header_.property_indexes()) {
    if (index.kind() < v1::ARTIFACT || index.kind() > v1::CONTEXT || index.name().empty()) {
      return Wrong("a property index has no kind or no name");
    }
  }
  return absl::OkStatus();
}

absl::Status JsonlCheck::TakePlace(int stage, const char* name, int64_t id, int64_t last) {
  if (stage < stage_) return Wrong("this kind of record must come before the one that came before");
  if (stage > stage_) last_id_ = 0;
  stage_ = stage;
  if (id <= last_id_) return Wrong("ids must ascend from record to record, and begin with 1");
  if (id > last) return Wrong("the id is beyond the last one that the first line names");
  last_id_ = id;
  ++counts_[name];
  return absl::OkStatus();
}

template <class Node>
absl::Status JsonlCheck::AddType(int stage, const char* name,
                                 const typename TraitsOf<Node>::Type& type) {
  if (!type.has_name()) return Wrong("the type has no name");
  types_[IndexOf(TraitsOf<Node>::kKind)].insert(type.id());
  return TakePlace(stage, name, type.id(), header_.last_type_id());
}

template <class Node>
absl::Status JsonlCheck::AddNode(int stage, const char* name, const Node& node, int64_t last,
                                 const google::protobuf::RepeatedField<int64_t>& contexts) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  if (node.has_type()) return Wrong("the node has a `type` beside its type_id");
  if (!types_[IndexOf(kKind)].contains(node.type_id())) {
    return Wrong(absl::StrCat("there is no type ", node.type_id(), " of this kind"));
  }
  const IdBitmap& known = nodes_[IndexOf(NodeKind::kContext)];
  for (const int64_t context : contexts) {
    if (context <= 0) return Wrong("ids of contexts begin with 1");
    if (kKind == NodeKind::kContext) {
      parents_.Insert(context);
    } else if (!known.Contains(context)) {
      return Wrong(absl::StrCat("there is no context ", context));
    }
  }
  absl::Status status = TakePlace(stage, name, node.id(), last);
  if (status.ok()) nodes_[IndexOf(kKind)].Insert(node.id());
  return status;
}

absl::Status JsonlCheck::AddEvent(const v1::ExportedEvent& exported) {
  const ml_metadata::Event& event = exported.event();
  if (event.artifact_id() < 1 || event.execution_id() < 1 ||
      !nodes_[IndexOf(NodeKind::kArtifact)].Contains(event.artifact_id()) ||
      !nodes_[IndexOf(NodeKind::kExecution)].Contains(event.execution_id())) {
    return Wrong("the artifact or the execution of the event is not there");
  }
  if (!event.has_type() || !event.has_milliseconds_since_epoch()) {
    return Wrong("the event has no type or no time");
  }
  absl::Status status = TakePlace(6, "events", exported.number(), header_.last_event_number());
  if (status.ok() && exported.number() != counts_["events"]) {
    return Wrong("events are numbered from 1 without gaps");
  }
  return status;
}

absl::Status JsonlCheck::Add(const v1::ExportRecord& record) {
  switch (record.record_case()) {
    case v1::ExportRecord::kArtifactType:
      return AddType<ml_metadata::Artifact>(0, "artifactTypes", record.artifact_type());
    case v1::ExportRecord::kExecutionType:
      return AddType<ml_metadata::Execution>(1, "executionTypes", record.execution_type());
    case v1::ExportRecord::kContextType:
      return AddType<ml_metadata::Context>(2, "contextTypes", record.context_type());
    case v1::ExportRecord::kContext:
      return AddNode(3, "contexts", record.context().context(), header_.last_context_id(),
                     record.context().parent_ids());
    case v1::ExportRecord::kArtifact:
      return AddNode(4, "artifacts", record.artifact().artifact(), header_.last_artifact_id(),
                     record.artifact().context_ids());
    case v1::ExportRecord::kExecution:
      return AddNode(5, "executions", record.execution().execution(), header_.last_execution_id(),
                     record.execution().context_ids());
    case v1::ExportRecord::kEvent:
      return AddEvent(record.event());
    case v1::ExportRecord::kTask: {
      const auto number = NumberOfTask(record.task());
      return number.ok() ? TakePlace(7, "tasks", *number, header_.last_task_number())
                         : number.status();
    }
    case v1::ExportRecord::kCacheEntry: {
      const int64_t execution = record.cache_entry().execution_id();
      if (execution < 1 || !nodes_[IndexOf(NodeKind::kExecution)].Contains(execution)) {
        return Wrong("the execution of the cache entry is not there");
      }
      return TakePlace(8, "cacheEntries", execution, header_.last_execution_id());
    }
    default:
      return Wrong("an export of records has no such record");
  }
}

absl::Status JsonlCheck::End() const {
  for (auto id = parents_.FirstFrom(1); id.has_value(); id = parents_.FirstFrom(*id + 1)) {
    if (!nodes_[IndexOf(NodeKind::kContext)].Contains(*id)) {
      return Wrong(absl::StrCat("there is no context ", *id, ", which is another's parent"));
    }
  }
  const auto events = counts_.find("events");
  if ((events == counts_.end() ? 0 : events->second) != header_.last_event_number()) {
    return Wrong("there are fewer events than the first line says");
  }
  return absl::OkStatus();
}

}  // namespace pedigree::cli
