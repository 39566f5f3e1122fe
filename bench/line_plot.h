// A small plot of lines over two logarithmic axes, as an SVG file.
//
// Threading: pure functions.
//
//   LinePlot plot{.title = "...", .x = "nodes", .y = "microseconds", .lines = {{"ids", {{10,
//   2}}}}}; absl::Status status = WriteSvg(plot, "plot.svg");
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace pedigree::bench {

struct LinePlot {
  struct Point {
    double x;
    double y;
  };
  struct Line {
    std::string name;
    std::vector<Point> points = {};  // Above 0.
  };

  std::string title;
  std::string x;
  std::string y;
  std::vector<Line> lines;
};

// Unavailable if the file cannot be written.
absl::Status WriteSvg(const LinePlot& plot, const std::string& path);

}  // namespace pedigree::bench
