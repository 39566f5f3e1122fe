// Whether an answer is one that a server may give, whatever it was asked: what random and fuzzed
// requests are judged by.
//
// Threading: a free function without state.
//
// Example:
//   EXPECT_EQ(FaultOf("GetArtifacts", store.CallBytes("GetArtifacts", bytes)), "");
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::testing {

// Returns "" for a reply that parses as the answer of the call, without unknown fields and with
// valid text only, and for an error of a code that says what is wrong with a request, whose text is
// valid UTF-8 and at most 1 KiB long. Otherwise returns what is wrong.
std::string FaultOf(absl::string_view rpc, const absl::StatusOr<std::string>& reply);

}  // namespace pedigree::testing
