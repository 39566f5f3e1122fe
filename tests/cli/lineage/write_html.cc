// Writes the page of a made-up platform's lineage, for the browser's tests and to measure: prints
// how long it took.
//
//   write_lineage_html NODES SEED FILE
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "cli/lineage/render.h"
#include "tests/cli/lineage/sample.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "write_lineage_html NODES SEED FILE\n");
    return 2;
  }
  const auto graph = pedigree::cli::testing::PlatformLineage(std::atoll(argv[1]),
                                                             std::strtoull(argv[2], nullptr, 10));
  const auto begin = std::chrono::steady_clock::now();
  const std::string page = pedigree::cli::RenderHtml(
      graph, {.screen = {}, .title = "What came of transactions-raw", .remark = ""});
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::ofstream file(argv[3], std::ios::binary);
  file << page;
  file.close();
  std::printf("%zu nodes, %zu edges, %zu bytes, %.1f ms\n", graph.nodes().size(),
              graph.edges().size(), page.size(), took.count());
  return file ? 0 : 1;
}
