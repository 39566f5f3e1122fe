// TCP ports of the loopback interface for servers under test.
//
// Threading: may be called from any thread.
//
// Example:
//   absl::StatusOr<int> port = FreeLoopbackPort();   // e.g. 23817
#pragma once

#include "absl/status/statusor.h"

namespace pedigree::testing {

// Returns a port on which nothing listens now. It lies below the kernel's range for outgoing
// connections (32768 and up): a port of that range could be taken by any client before the server
// binds it, or while the server is being restarted. Two callers choose at random among 12,000, so
// that tests can run in parallel. Unavailable: no free port was found.
absl::StatusOr<int> FreeLoopbackPort();

// Returns whether something accepts TCP connections on the port.
bool IsListening(int port);

}  // namespace pedigree::testing
