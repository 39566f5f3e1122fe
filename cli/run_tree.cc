#include "cli/run_tree.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/node_text.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;

constexpr size_t kUriWidth = 48;
// Levels that are indented; steps under these are drawn as trees of their own below.
constexpr int kMaxLevels = 24;

// One line of the tree, before its columns are aligned.
struct Row {
  std::string branches;  // "│  ├─ "
  std::string name;
  std::string ref;  // "artifact:7"
  std::string type;
  std::string state;   // Of steps; empty for artifacts.
  std::string detail;  // Duration and origin of steps; uri of artifacts.
};

std::string ShortType(const std::string& type) {
  return std::string(absl::StripPrefix(type, "system."));
}

std::string StepName(const Execution& execution) {
  std::string name = NameOf(execution);
  if (name.empty()) name = absl::StrCat("execution ", execution.id());
  const std::string index = CustomProperty(execution, "iteration_index");
  return index.empty() ? name : absl::StrCat(name, " [", index, "]");
}

std::string StepDetail(const Execution& execution, const RunPicture& picture) {
  std::vector<std::string> parts;
  if (HasEnded(execution)) {
    parts.push_back(ShortDuration(execution.last_update_time_since_epoch() -
                                  execution.create_time_since_epoch()));
  }
  int64_t iterations = 0;
  if (absl::SimpleAtoi(CustomProperty(execution, "iteration_count"), &iterations)) {
    parts.push_back(Count(iterations, "iteration"));
  }
  const auto from = picture.cached_from.find(execution.id());
  if (from != picture.cached_from.end()) parts.push_back("from " + from->second);
  std::string detail;
  for (const std::string& part : parts) absl::StrAppend(&detail, detail.empty() ? "" : ", ", part);
  return detail;
}

// Turns a run into rows, depth first.
class TreeBuilder {
 public:
  explicit TreeBuilder(const RunPicture& picture) : picture_(picture) {
    for (const Execution& execution : picture.executions) ids_.insert(execution.id());
    for (const Execution& execution : picture.executions) {
      children_[ParentOf(execution)].push_back(&execution);
    }
    for (const Event& event : picture.events) events_[event.execution_id()].push_back(&event);
  }

  std::vector<Row> Build() {
    for (const Execution* root : children_[kNoParent]) Draw(*root);
    DrawBelow();
    // What is left hangs on itself in a circle, which only a broken client writes.
    for (const Execution& execution : picture_.executions) {
      if (!drawn_.contains(execution.id())) Draw(execution);
      DrawBelow();
    }
    return std::move(rows_);
  }

 private:
  static constexpr int64_t kNoParent = 0;  // No id is 0.

  // A parent outside this run counts as none.
  int64_t ParentOf(const Execution& execution) const {
    int64_t parent = kNoParent;
    const bool has_parent = absl::SimpleAtoi(CustomProperty(execution, "parent_dag_id"), &parent);
    return has_parent && ids_.contains(parent) && parent != execution.id() ? parent : kNoParent;
  }

  // A step that is to be drawn.
  struct Pending {
    const Execution* step = nullptr;
    std::string branch;  // Leads to its row.
    std::string below;   // Leads to what stands under it.
    int level = 0;
  };

  // Without recursion: clients may nest steps as deep as they like.
  void Draw(const Execution& root) {
    std::vector<Pending> stack;
    stack.push_back({.step = &root, .branch = "", .below = "", .level = 0});
    while (!stack.empty()) {
      const Pending place = std::move(stack.back());
      stack.pop_back();
      std::vector<Pending> steps = AddStep(place);
      std::move(steps.rbegin(), steps.rend(), std::back_inserter(stack));
    }
  }

  void DrawBelow() {
    for (; !below_.empty(); below_.pop_front()) Draw(*below_.front());
  }

  // Adds the rows of a step and its artifacts; answers the steps that come under it.
  std::vector<Pending> AddStep(const Pending& place) {
    const Execution& execution = *place.step;
    drawn_.insert(execution.id());
    const std::vector<const Event*> events = SortedEvents(execution.id());
    std::vector<const Execution*> steps = UndrawnChildren(execution.id());
    std::string detail = Printable(StepDetail(execution, picture_));
    if (place.level == kMaxLevels && !steps.empty()) {
      absl::StrAppend(&detail, detail.empty() ? "" : ", ", "steps below");
      below_.insert(below_.end(), steps.begin(), steps.end());
      steps.clear();
    }
    rows_.push_back({place.branch, Printable(StepName(execution)),
                     absl::StrCat("execution:", execution.id()),
                     Printable(ShortType(execution.type())),
                     Execution::State_Name(execution.last_known_state()), std::move(detail)});
    size_t left = events.size() + steps.size();
    for (const Event* event : events) {
      AddArtifact(*event, place.below + (--left > 0 ? "├─ " : "└─ "));
    }
    std::vector<Pending> under;
    for (const Execution* step : steps) {
      const bool is_last = --left == 0;
      under.push_back({.step = step,
                       .branch = place.below + (is_last ? "└─ " : "├─ "),
                       .below = place.below + (is_last ? "   " : "│  "),
                       .level = place.level + 1});
    }
    return under;
  }

  void AddArtifact(const Event& event, const std::string& branch) {
    const char* arrow = IsInput(event.type()) ? "← " : "→ ";
    const std::string ref = absl::StrCat("artifact:", event.artifact_id());
    const auto found = picture_.artifacts.find(event.artifact_id());
    if (found == picture_.artifacts.end()) {
      rows_.push_back({branch, absl::StrCat(arrow, "?"), ref, "?", "", "not found"});
      return;
    }
    const Artifact& artifact = found->second;
    rows_.push_back({branch, arrow + Printable(ArtifactName(artifact, event)), ref,
                     Printable(ShortType(artifact.type())), "",
                     ShortUri(Printable(artifact.uri()), kUriWidth)});
  }

  // Inputs before outputs, each in the order of their recording.
  std::vector<const Event*> SortedEvents(int64_t execution_id) {
    std::vector<const Event*> events = events_[execution_id];
    std::stable_partition(events.begin(), events.end(),
                          [](const Event* event) { return IsInput(event->type()); });
    return events;
  }

  std::vector<const Execution*> UndrawnChildren(int64_t execution_id) {
    std::vector<const Execution*> children = children_[execution_id];
    std::erase_if(children,
                  [this](const Execution* child) { return drawn_.contains(child->id()); });
    return children;
  }

  const RunPicture& picture_;
  std::set<int64_t> ids_;
  std::map<int64_t, std::vector<const Execution*>> children_;
  std::map<int64_t, std::vector<const Event*>> events_;
  std::set<int64_t> drawn_;
  std::deque<const Execution*> below_;  // Too deep to be drawn under what they belong to.
  std::vector<Row> rows_;
};

struct Widths {
  size_t name = 0;
  size_t ref = 0;
  size_t type = 0;
  size_t state = 0;
};

Widths WidthsOf(const std::vector<Row>& rows) {
  Widths widths;
  for (const Row& row : rows) {
    widths.name = std::max(widths.name, WidthOf(row.branches) + WidthOf(row.name));
    widths.ref = std::max(widths.ref, WidthOf(row.ref));
    widths.type = std::max(widths.type, WidthOf(row.type));
    widths.state = std::max(widths.state, WidthOf(row.state));
  }
  return widths;
}

std::string DrawRow(const Row& row, const Widths& widths, const Paint& paint) {
  const size_t room = widths.name - WidthOf(row.branches);
  const bool is_step = !row.state.empty();
  std::string line = absl::StrCat("  ", paint(Colour::kDim, row.branches));
  absl::StrAppend(&line, paint(is_step ? Colour::kBold : Colour::kPlain, PadTo(row.name, room)));
  absl::StrAppend(&line, "  ", paint(Colour::kDim, PadTo(row.ref, widths.ref)), "  ",
                  PadTo(row.type, widths.type), "  ");
  if (is_step) {
    absl::StrAppend(&line, paint(ColourOfState(row.state), PadTo(row.state, widths.state)), "  ",
                    row.detail);
  } else {
    absl::StrAppend(&line, paint(Colour::kDim, row.detail));
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

// The client writes no end of a run: its root stays RUNNING while all its steps have ended.
bool OnlyTheRootRuns(const RunPicture& picture) {
  int running = 0;
  bool root_runs = false;
  for (const Execution& execution : picture.executions) {
    if (HasEnded(execution)) continue;
    ++running;
    root_runs = root_runs || CustomProperty(execution, "parent_dag_id").empty();
  }
  return running == 1 && root_runs && picture.executions.size() > 1;
}

}  // namespace

std::string DrawRun(const RunPicture& picture, const Screen& screen) {
  const Paint& paint = screen.paint;
  const std::vector<Row> rows = TreeBuilder(picture).Build();
  const Widths widths = WidthsOf(rows);
  std::string drawing = absl::StrCat(paint(Colour::kBold, Printable(picture.run.name())), "\n  ");
  if (!picture.pipeline.empty()) {
    absl::StrAppend(&drawing, "pipeline ", Printable(picture.pipeline), ", ");
  }
  absl::StrAppend(&drawing, "begun ", screen.Time(picture.run.create_time_since_epoch()), "\n  ",
                  Count(static_cast<int64_t>(picture.executions.size()), "execution"), ", ",
                  picture.cached_from.size(), " of them from the cache\n\n");
  for (const Row& row : rows) absl::StrAppend(&drawing, DrawRow(row, widths, paint));
  absl::StrAppend(&drawing, "\n  ← input   → output\n");
  if (OnlyTheRootRuns(picture)) {
    absl::StrAppend(&drawing, "  The run itself stays RUNNING: the client records no end of it.\n");
  }
  return drawing;
}

}  // namespace pedigree::cli
