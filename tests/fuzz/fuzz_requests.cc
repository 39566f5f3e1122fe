// libFuzzer over all 52 methods: see README.md for how to build and run it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "server/methods.h"
#include "tests/fuzz/request_driver.h"
#include "tests/server/random_request.h"

namespace pedigree::testing {
namespace {

RequestDriver& Driver() {
  static auto* driver = new RequestDriver();  // Lives until libFuzzer ends the process.
  return *driver;
}

// One known bug must not hide the others: faults that hold the text of $FUZZ_IGNORE pass.
bool IsKnown(const std::string& fault) {
  static const char* const known = std::getenv("FUZZ_IGNORE");
  return known != nullptr && fault.find(known) != std::string::npos;
}

}  // namespace
}  // namespace pedigree::testing

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string fault =
      pedigree::testing::Driver().Run(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (fault.empty() || pedigree::testing::IsKnown(fault)) return 0;
  std::fprintf(stderr, "fuzz_requests: %s\n", fault.c_str());
  std::abort();
}

// One mutation in eight is a new request of mostly sense: bytes alone rarely become a graph.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  std::mt19937 random(seed);
  if (random() % 8 != 0) return LLVMFuzzerMutate(data, size, max_size);
  const auto methods = pedigree::AllMethods();
  const pedigree::Method& method = methods[random() % methods.size()];
  pedigree::testing::RandomRequests requests(&random);
  const std::string input =
      pedigree::testing::RequestDriver::InputFor(method.name, requests.Make(method.name));
  const size_t kept = input.size() < max_size ? input.size() : max_size;
  std::memcpy(data, input.data(), kept);
  return kept;
}
