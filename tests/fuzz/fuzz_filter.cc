// libFuzzer over the filter language: see README.md for how to build and run it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/fuzz/filter_driver.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string fault = pedigree::testing::FaultOfFilter(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  if (fault.empty()) return 0;
  std::fprintf(stderr, "fuzz_filter: %s\n", fault.c_str());
  std::abort();
}
