// Draws one run of a Kubeflow pipeline as a tree: run -> steps -> inputs and outputs.
//
// Steps stand under the step that their custom property parent_dag_id names, so that loops and
// sub-pipelines nest.
//
// Threading: a free function without state.
//
// Example:
//   std::cout << DrawRun(*picture, Paint::ForStandardOutput());
#pragma once

#include <string>

#include "tests/conformance/demo_store.h"
#include "tests/conformance/demo_text.h"

namespace pedigree::conformance {

// Every execution of the run is drawn exactly once, whatever its properties say.
std::string DrawRun(const RunPicture& picture, const Paint& paint);

}  // namespace pedigree::conformance
