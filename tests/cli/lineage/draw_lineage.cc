// Draws the lineage of a made-up platform, for the browser's tests and to measure: writes a page,
// or an SVG if the file's name ends in .svg, and prints how long that took.
//
//   draw_lineage NODES SEED FILE
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "cli/lineage/render.h"
#include "tests/cli/lineage/sample.h"

namespace pedigree::cli {
namespace {

int Main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "draw_lineage NODES SEED FILE\n");
    return 2;
  }
  const LineageGraph graph =
      testing::PlatformLineage(std::atoll(argv[1]), std::strtoull(argv[2], nullptr, 10));
  const RenderOptions options = {
      .screen = {}, .title = "What came of transactions-raw", .remark = ""};
  const auto begin = std::chrono::steady_clock::now();
  const absl::StatusOr<std::string> text =
      absl::EndsWith(argv[3], ".svg") ? RenderSvg(graph, options) : RenderHtml(graph, options);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  if (!text.ok()) {
    std::fprintf(stderr, "%s\n", std::string(text.status().message()).c_str());
    return 1;
  }
  std::ofstream file(argv[3], std::ios::binary);
  file << *text;
  file.close();
  std::printf("%zu nodes, %zu edges, %zu bytes, %.1f ms\n", graph.nodes().size(),
              graph.edges().size(), text->size(), took.count());
  return file ? 0 : 1;
}

}  // namespace
}  // namespace pedigree::cli

int main(int argc, char** argv) { return pedigree::cli::Main(argc, argv); }
