#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/lineage/render.h"
#include "cli/node_text.h"

namespace pedigree::cli {
namespace {

// Levels that are indented; what is deeper is drawn as a tree of its own below.
constexpr int kMaxLevels = 24;
constexpr size_t kNameWidth = 56;
constexpr size_t kUriWidth = 48;
constexpr absl::string_view kBetween = "  ";

struct Mark {
  absl::string_view sign;
  Colour colour;
};

Mark MarkOf(absl::string_view state) {
  if (state == "COMPLETE") return {"✓", Colour::kGreen};
  if (state == "CACHED") return {"↺", Colour::kGreen};
  if (state == "LIVE") return {"●", Colour::kGreen};
  if (state == "FAILED" || state == "ABANDONED" || state == "DELETED") return {"✗", Colour::kRed};
  if (state == "CANCELED" || state == "MARKED_FOR_DELETION") return {"✗", Colour::kYellow};
  if (state == "RUNNING") return {"▸", Colour::kYellow};
  return {"○", Colour::kPlain};
}

struct Line {
  std::string indent;
  std::string name;
  std::string way;  // " [model]"
  std::string type;
  std::string ref;
  std::string state;
  std::string rest;  // A uri, or why nothing follows.
  bool is_start = false;
};

// A node that is to be drawn, and what stands before it.
struct Pending {
  Pending(size_t of, LineageWay along) : node(of), way(along) {}

  size_t node;
  LineageWay way;
  std::string indent;    // Of its own line.
  std::string children;  // Of those below it.
  std::string label;     // " [model]"
  int level = 0;
};

class Drawing {
 public:
  explicit Drawing(const LineageGraph& graph)
      : graph_(graph), seen_up_(graph.nodes().size()), seen_down_(graph.nodes().size()) {}

  std::vector<Line> Draw() {
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      if (graph_.nodes()[i].is_start) DrawFrom(Pending(i, graph_.way()));
    }
    for (size_t i = 0; i < below_.size(); ++i) DrawFrom(Pending(below_[i]));
    return std::move(lines_);
  }
  // Whether it did not go on somewhere.
  bool has_boundary() const { return has_boundary_; }

 private:
  struct Child {
    size_t node;
    LineageWay way;
    std::vector<std::string> labels;
  };

  void AddChildren(size_t node, LineageWay way, std::vector<Child>* children) const {
    const bool is_up = way == LineageWay::kUp;
    const size_t before = children->size();
    for (const size_t place : is_up ? graph_.in(node) : graph_.out(node)) {
      const GraphEdge& edge = graph_.edges()[place];
      const size_t other = is_up ? edge.from : edge.to;
      auto same = std::find_if(children->begin() + static_cast<ptrdiff_t>(before), children->end(),
                               [&](const Child& child) { return child.node == other; });
      if (same == children->end()) same = children->insert(children->end(), {other, way, {}});
      const std::string path = PathText(edge.event.path());
      if (!path.empty()) same->labels.push_back(path);
      const auto type = edge.event.type();
      if (type != ml_metadata::Event::INPUT && type != ml_metadata::Event::OUTPUT) {
        same->labels.push_back(ml_metadata::Event::Type_Name(type));
      }
    }
  }

  std::vector<Child> ChildrenOf(const Pending& place) const {
    std::vector<Child> children;
    if (place.way != LineageWay::kDown) AddChildren(place.node, LineageWay::kUp, &children);
    if (place.way != LineageWay::kUp) AddChildren(place.node, LineageWay::kDown, &children);
    return children;
  }

  // Whether it was drawn that way before; it is from now on.
  bool Visit(const Pending& place) {
    bool was_seen = false;
    if (place.way != LineageWay::kDown) {
      was_seen = seen_up_[place.node];
      seen_up_[place.node] = true;
    }
    if (place.way != LineageWay::kUp) {
      was_seen = was_seen || seen_down_[place.node];
      seen_down_[place.node] = true;
    }
    return was_seen;
  }

  // Without recursion: a chain may be as long as the store is old.
  void DrawFrom(Pending root) {
    std::vector<Pending> stack;
    stack.push_back(std::move(root));
    while (!stack.empty()) {
      const Pending place = std::move(stack.back());
      stack.pop_back();
      const std::vector<Child> children = ChildrenOf(place);
      Line& line = AddLine(place);
      if (children.empty()) continue;
      if (place.level == kMaxLevels) {
        line.rest = "↓ below";
        below_.emplace_back(place.node, place.way);
        continue;
      }
      if (Visit(place)) {
        line.rest = "↑ above";
        continue;
      }
      for (size_t i = children.size(); i-- > 0;) stack.push_back(Below(place, children, i));
    }
  }

  static Pending Below(const Pending& place, const std::vector<Child>& children, size_t i) {
    const Child& child = children[i];
    const bool is_last = i + 1 == children.size();
    Pending below(child.node, child.way);
    below.indent = absl::StrCat(place.children, is_last ? "└─ " : "├─ ",
                                child.way == LineageWay::kUp ? "← " : "→ ");
    below.children = absl::StrCat(place.children, is_last ? "   " : "│  ");
    if (!child.labels.empty()) {
      below.label = absl::StrCat(" [", absl::StrJoin(child.labels, ", "), "]");
    }
    below.level = place.level + 1;
    return below;
  }

  Line& AddLine(const Pending& place) {
    const GraphNode& node = graph_.nodes()[place.node];
    Line& line = lines_.emplace_back();
    line.indent = place.indent;
    line.name = CutTo(Printable(node.label()), kNameWidth);
    line.way = Printable(place.label);
    line.type = Printable(node.type());
    line.ref = node.ref();
    line.state = node.state();
    line.is_start = node.is_start;
    line.rest = Printable(node.uri());
    if (node.told.is_boundary() && !node.is_start) {
      absl::StrAppend(&line.way, " …");
      has_boundary_ = true;
    }
    return line;
  }

  const LineageGraph& graph_;
  std::vector<bool> seen_up_;
  std::vector<bool> seen_down_;
  std::vector<Pending> below_;
  std::vector<Line> lines_;
  bool has_boundary_ = false;
};

struct Widths {
  size_t name = 0;
  size_t type = 0;
  size_t ref = 0;
  size_t state = 0;
  size_t rest = kUriWidth;
};

size_t NameWidth(const Line& line) {
  return WidthOf(line.indent) + WidthOf(line.name) + WidthOf(line.way);
}

// The state and its mark, "✓ COMPLETE".
std::string Marked(const Line& line) {
  return line.state.empty() ? "" : absl::StrCat(MarkOf(line.state).sign, " ", line.state);
}

Widths Measure(const std::vector<Line>& lines, size_t columns) {
  Widths widths;
  for (const Line& line : lines) {
    widths.name = std::max(widths.name, NameWidth(line));
    widths.type = std::max(widths.type, WidthOf(line.type));
    widths.ref = std::max(widths.ref, WidthOf(line.ref));
    widths.state = std::max(widths.state, WidthOf(Marked(line)));
  }
  if (columns == 0) return widths;
  // A narrow screen: names give way first, then uris.
  const auto others = [&] { return widths.type + widths.ref + widths.state + 4 * kBetween.size(); };
  constexpr size_t kLeastName = 24;
  constexpr size_t kLeastRest = 20;
  if (widths.name + others() + kLeastRest > columns) {
    const size_t room = columns > others() + kLeastRest ? columns - others() - kLeastRest : 0;
    widths.name = std::max(kLeastName, std::min(widths.name, room));
  }
  const size_t used = widths.name + others();
  widths.rest = std::max(kLeastRest, columns > used ? columns - used : 0);
  return widths;
}

std::string TextOf(const Line& line, const Widths& widths, const Paint& paint) {
  const size_t used = WidthOf(line.indent);
  const size_t room = widths.name > used ? widths.name - used : 1;
  const std::string name = CutTo(line.name, room);
  const std::string way = CutTo(line.way, room - std::min(room, WidthOf(name)));
  std::string text = absl::StrCat(paint(Colour::kDim, line.indent),
                                  paint(line.is_start ? Colour::kBold : Colour::kPlain, name),
                                  paint(Colour::kDim, way));
  size_t width = used + WidthOf(name) + WidthOf(way);
  size_t end = widths.name;
  const auto add = [&](absl::string_view cell, Colour colour, size_t cell_width) {
    if (!cell.empty()) {
      const size_t begin = end + kBetween.size();
      absl::StrAppend(&text, std::string(begin > width ? begin - width : 1, ' '),
                      paint(colour, cell));
      width = std::max(begin, width + 1) + WidthOf(cell);
    }
    end += kBetween.size() + cell_width;
  };
  add(line.type, Colour::kCyan, widths.type);
  add(line.ref, Colour::kPlain, widths.ref);
  if (widths.state > 0) add(Marked(line), MarkOf(line.state).colour, widths.state);
  add(ShortUri(line.rest, widths.rest), Colour::kDim, widths.rest);
  text.push_back('\n');
  return text;
}

}  // namespace

std::string RenderTree(const LineageGraph& graph, const RenderOptions& options) {
  Drawing drawing(graph);
  const std::vector<Line> lines = drawing.Draw();
  const Widths widths = Measure(lines, options.screen.columns);
  const Paint& paint = options.screen.paint;
  std::string text;
  for (const Line& line : lines) absl::StrAppend(&text, TextOf(line, widths, paint));
  std::string end = absl::StrCat("\n", Count(graph.artifacts(), "artifact"), ", ",
                                 Count(graph.executions(), "execution"));
  if (!options.remark.empty()) absl::StrAppend(&end, ", ", options.remark);
  if (graph.completeness().has_cycle()) absl::StrAppend(&end, ", with a cycle");
  absl::StrAppend(&text, paint(Colour::kDim, end), "\n");
  if (drawing.has_boundary()) {
    absl::StrAppend(&text, paint(Colour::kDim, "… is not followed further"), "\n");
  }
  if (!graph.completeness().complete()) {
    absl::StrAppend(&text,
                    paint(Colour::kYellow,
                          absl::StrCat("Not complete: ", Printable(graph.completeness().reason()))),
                    "\n");
  }
  return text;
}

}  // namespace pedigree::cli
