#include "bench/interrupt.h"

#include <signal.h>

#include <atomic>

namespace pedigree::bench {
namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // written from a signal handler

void OnSignal(int) { interrupted.store(true, std::memory_order_relaxed); }

}  // namespace

void InstallInterruptHandlers() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second signal kills
  sigemptyset(&action.sa_mask);
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
    sigaction(signal_number, &action, nullptr);
  }
}

bool Interrupted() { return interrupted.load(std::memory_order_relaxed); }

absl::Status InterruptedStatus() { return absl::CancelledError("interrupted by a signal"); }

}  // namespace pedigree::bench
