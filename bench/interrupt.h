// Ctrl-C, SIGTERM and SIGHUP turned into a flag, so that every loop ends early and the destructors
// stop the child processes and remove the scratch directory. A second signal ends the process at
// once; the children then die with it (see child_process.h).
//
// Threading: any thread may ask.
//
//   InstallInterruptHandlers();
//   while (!Interrupted()) { ... }
#pragma once

#include "absl/status/status.h"

namespace pedigree::bench {

// Catches the three signals from now on. Call once, from main.
void InstallInterruptHandlers();

// True once one of the signals has come.
bool Interrupted();

// The status that ends a measurement which was interrupted: Cancelled.
absl::Status InterruptedStatus();

}  // namespace pedigree::bench
