// Compares a text with a file of tests/data/cli/lineage; UPDATE_GOLDEN=1 writes the file instead.
//
// Threads: one.
//
//   ExpectGolden("up.tree.txt", RenderTree(graph, {}));
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::cli::testing {

void ExpectGolden(const std::string& file, absl::string_view text);

}  // namespace pedigree::cli::testing
