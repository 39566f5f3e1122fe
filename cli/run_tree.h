// Draws one run of a Kubeflow pipeline as a tree: run -> steps -> inputs and outputs.
//
// Steps stand under the step that their custom property parent_dag_id names, so that loops and
// sub-pipelines nest.
//
// Threads: a free function without state.
//
//   Print(DrawRun(*picture, Screen::OfStandardOutput()));
#pragma once

#include <string>

#include "cli/run_picture.h"
#include "cli/text.h"

namespace pedigree::cli {

// Every execution of the run is drawn exactly once, whatever its properties say.
std::string DrawRun(const RunPicture& picture, const Screen& screen);

}  // namespace pedigree::cli
