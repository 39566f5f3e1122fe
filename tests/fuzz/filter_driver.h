// What the fuzzer of the filter language checks, for the fuzzer and for the test of its corpus.
//
// An input's first byte picks the kind of node ('a', 'e', 'c' for the three, others by number), the
// rest is the text. Pure functions: any thread.
//
//   EXPECT_EQ(FaultOfFilter("aname = 'raw'"), "");
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::testing {

// What is wrong with how this input is parsed, printed or refused; "" if nothing is.
std::string FaultOfFilter(absl::string_view input);

}  // namespace pedigree::testing
