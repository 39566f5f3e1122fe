#include "cli/export/openlineage.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/export/formats.h"
#include "cli/export/frames.h"
#include "cli/export/uuid.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Execution;

// DAGs whose names are kept for their children: a megabyte, which checkpoints hold, too.
constexpr size_t kMaxParents = 10'000;

// Orders the last event of a step after all others of the same time.
constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

// Stores of objects, whose keys do not begin with a slash.
bool IsObjectStore(absl::string_view scheme) {
  for (absl::string_view known :
       {"s3", "s3a", "s3n", "gs", "gcs", "minio", "oss", "abfs", "abfss", "wasb", "wasbs", "oci"}) {
    if (scheme == known) return true;
  }
  return false;
}

bool IsScheme(absl::string_view text) {
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  if (text.empty() || !is_letter(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [&is_letter](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

// The type of the event that tells of a state after START; empty if there is nothing to tell yet.
absl::string_view SecondEvent(const v1::ExportedStep& step) {
  switch (step.execution().last_known_state()) {
    case Execution::COMPLETE:
    case Execution::CACHED:
      return "COMPLETE";
    case Execution::FAILED:
      return "FAIL";
    case Execution::CANCELED:
      return "ABORT";
    case Execution::RUNNING:
      return "RUNNING";
    case Execution::NEW:
    case Execution::UNKNOWN:
      break;
  }
  // Many loggers never say a state; what such a step wrote must still be told.
  return step.uses().empty() ? "" : "OTHER";
}

// When the step began: imported histories may lack times.
int64_t StartOf(const Execution& execution) {
  return execution.create_time_since_epoch() != 0 ? execution.create_time_since_epoch()
                                                  : execution.last_update_time_since_epoch();
}

}  // namespace

DatasetName DatasetNameOf(const ml_metadata::Artifact& artifact, absl::string_view store) {
  const std::string own = absl::StrCat("mlmd://", store);
  const absl::string_view uri = artifact.uri();
  if (uri.empty()) return {own, absl::StrCat("artifact/", artifact.id())};
  if (uri[0] == '/') return {"file", std::string(uri)};
  const size_t colon = uri.find(':');
  if (colon == absl::string_view::npos || !IsScheme(uri.substr(0, colon))) {
    return {own, absl::StrCat("uri/", uri)};
  }
  const absl::string_view scheme = uri.substr(0, colon);
  absl::string_view rest = uri.substr(colon + 1);
  if (!absl::StartsWith(rest, "//")) return {std::string(scheme), std::string(rest)};
  rest.remove_prefix(2);
  const size_t slash = std::min(rest.find('/'), rest.size());
  absl::string_view path = rest.substr(slash);
  if (IsObjectStore(scheme) && path.size() > 1) path.remove_prefix(1);
  return {absl::StrCat(scheme, "://", rest.substr(0, slash)),
          path.empty() ? "/" : std::string(path)};
}

std::string RunIdOf(int64_t execution_id) {
  return UuidV5(kUuidOfDns, absl::StrCat("execution:", execution_id));
}

OpenLineageMapper::OpenLineageMapper(const TypeNames* types, OpenLineageOptions options)
    : types_(types), options_(std::move(options)) {}

void OpenLineageMapper::AddParent(int64_t id, Parent parent) {
  parents_[id] = std::move(parent);
  parent_ids_.push_back(id);
  if (parent_ids_.size() <= kMaxParents) return;
  parents_.erase(parent_ids_.front());
  parent_ids_.pop_front();
}

std::string OpenLineageMapper::Save() const {
  std::string saved;
  AppendFrame(absl::StrCat(part_), saved);
  for (const int64_t id : parent_ids_) {
    const Parent& parent = parents_.at(id);
    AppendFrame(absl::StrCat(id), saved);
    AppendFrame(absl::StrCat(parent.parent_id), saved);
    AppendFrame(parent.job, saved);
  }
  return saved;
}

absl::Status OpenLineageMapper::Load(absl::string_view saved) {
  const auto frames = SplitFrames(saved);
  if (!frames.ok()) return frames.status();
  const absl::Status broken = absl::DataLossError("the parents of a checkpoint do not parse");
  if (frames->size() % 3 != 1 || !absl::SimpleAtoi((*frames)[0], &part_)) return broken;
  for (size_t i = 1; i < frames->size(); i += 3) {
    int64_t id = 0;
    Parent parent = {.job = (*frames)[i + 2]};
    if (!absl::SimpleAtoi((*frames)[i], &id) ||
        !absl::SimpleAtoi((*frames)[i + 1], &parent.parent_id)) {
      return broken;
    }
    AddParent(id, std::move(parent));
  }
  return absl::OkStatus();
}

void OpenLineageMapper::Remember(const v1::ExportedStep& step, const StepFacts& facts) {
  if (types_->NameOf(step.execution()) != "system.DAGExecution") return;
  AddParent(step.execution().id(),
            {.job = facts.JobName(), .parent_id = facts.parent_execution_id});
}

OpenLineageMapper::Common OpenLineageMapper::CommonOf(const v1::ExportedStep& step) {
  Common common;
  common.facts = FactsOf(step, *types_);
  if (!step.continues()) Remember(step, common.facts);
  common.run = {{"runId", RunIdOf(step.execution().id())},
                {"facets", RunFacets(step, common.facts)}};
  common.job = {{"namespace", common.facts.JobNamespace()},
                {"name", common.facts.JobName()},
                {"facets", JobFacets(step)}};
  common.inputs = Datasets(step, &ReadsArtifact);
  common.outputs = Datasets(step, &WritesArtifact);
  return common;
}

LineageEvent OpenLineageMapper::EventOf(const Common& common, const Execution& execution,
                                        absl::string_view type, int64_t time_ms,
                                        int64_t order) const {
  const bool is_start = order == 0;
  Json json = {{"eventTime", TimeText(time_ms)},
               {"eventType", std::string(type)},
               {"producer", kProducer},
               {"schemaURL", kOpenLineageSchema},
               {"run", common.run},
               {"job", common.job},
               {"inputs", common.inputs},
               // What a step writes is not there when it begins.
               {"outputs", is_start ? Json::array() : common.outputs}};
  if (order != kEnd) json["run"]["facets"].erase("errorMessage");
  return {.time_ms = time_ms, .execution_id = execution.id(), .order = order, .json = Print(json)};
}

std::vector<LineageEvent> OpenLineageMapper::EventsOf(const v1::ExportedStep& step) {
  const Common common = CommonOf(step);
  const Execution& execution = step.execution();
  const int64_t start = StartOf(execution);
  part_ = step.continues() ? part_ + 1 : 0;
  std::vector<LineageEvent> events;
  if (!step.continues()) events.push_back(EventOf(common, execution, "START", start, 0));
  if (step.is_continued()) {
    events.push_back(EventOf(common, execution, "RUNNING", start, part_ + 1));
  } else if (const absl::string_view type = SecondEvent(step); !type.empty()) {
    // Never before START, whatever an imported history says.
    const int64_t time = std::max(start, execution.last_update_time_since_epoch());
    events.push_back(EventOf(common, execution, type, time, kEnd));
  }
  return events;
}

}  // namespace pedigree::cli
