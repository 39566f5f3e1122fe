#include "bench/line_plot.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pedigree::bench {
namespace {

constexpr double kWidth = 640, kHeight = 400;
constexpr double kLeft = 70, kRight = 20, kTop = 40, kBottom = 50;
constexpr const char* kColors[] = {"#888888", "#1f77b4", "#d62728", "#2ca02c"};

// The whole decades that hold all values.
struct Axis {
  double first = 1e300;
  double last = -1e300;

  void Include(double value) {
    first = std::min(first, std::floor(std::log10(value)));
    last = std::max(last, std::ceil(std::log10(value)));
  }
  double Share(double value) const { return (std::log10(value) - first) / (last - first); }
};

class Drawing {
 public:
  explicit Drawing(const LinePlot& plot) : plot_(plot) {
    for (const LinePlot::Line& line : plot.lines) {
      for (const LinePlot::Point& point : line.points) {
        x_.Include(point.x);
        y_.Include(point.y);
      }
    }
  }

  std::string Svg() {
    absl::StrAppendFormat(
        &svg_,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
        kWidth, kHeight);
    Text(kWidth / 2, 22, "middle", plot_.title);
    Text(kWidth / 2, kHeight - 10, "middle", plot_.x);
    Text(8, kTop - 12, "start", plot_.y);
    for (double d = x_.first; d <= x_.last; ++d) {
      const double x = X(std::pow(10, d));
      Segment(x, kTop, x, kHeight - kBottom);
      Text(x, kHeight - kBottom + 16, "middle", absl::StrFormat("%.0f", std::pow(10, d)));
    }
    for (double d = y_.first; d <= y_.last; ++d) {
      const double y = Y(std::pow(10, d));
      Segment(kLeft, y, kWidth - kRight, y);
      Text(kLeft - 6, y + 4, "end", absl::StrFormat("%g", std::pow(10, d)));
    }
    for (size_t i = 0; i < plot_.lines.size(); ++i) AddLine(i);
    return absl::StrCat(svg_, "</svg>\n");
  }

 private:
  double X(double value) const { return kLeft + x_.Share(value) * (kWidth - kLeft - kRight); }
  double Y(double value) const {
    return kHeight - kBottom - y_.Share(value) * (kHeight - kTop - kBottom);
  }
  void Text(double x, double y, const char* anchor, const std::string& text) {
    absl::StrAppendFormat(&svg_, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
                          anchor, text);
  }
  void Segment(double x1, double y1, double x2, double y2) {
    absl::StrAppendFormat(
        &svg_, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#dddddd\"/>\n", x1,
        y1, x2, y2);
  }
  void AddLine(size_t i) {
    const LinePlot::Line& line = plot_.lines[i];
    const char* color = kColors[i % std::size(kColors)];
    std::string points;
    for (const LinePlot::Point& point : line.points) {
      absl::StrAppendFormat(&points, "%.1f,%.1f ", X(point.x), Y(point.y));
      absl::StrAppendFormat(&svg_, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n",
                            X(point.x), Y(point.y), color);
    }
    absl::StrAppendFormat(
        &svg_, "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", points,
        color);
    const double y = kTop + 16 * static_cast<double>(i + 1);
    absl::StrAppendFormat(&svg_, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%s</text>\n", kLeft + 12,
                          y, color, line.name);
  }

  const LinePlot& plot_;
  Axis x_;
  Axis y_;
  std::string svg_;
};

}  // namespace

absl::Status WriteSvg(const LinePlot& plot, const std::string& path) {
  std::ofstream file(path);
  file << Drawing(plot).Svg();
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", path));
  return absl::OkStatus();
}

}  // namespace pedigree::bench
