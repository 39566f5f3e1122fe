// Runs one fuzzed input against a store: the first byte picks the method, the rest is the request.
//
// The store is kept between inputs, so that later ones find what earlier ones stored; after some
// thousand inputs it is verified and replaced by an empty one.
//
// Threading: one thread at a time.
//
// Example:
//   RequestDriver driver;
//   std::string fault = driver.Run(input);   // "" if the answer is one that a server may give
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "store/store.h"

namespace pedigree::testing {

class RequestDriver {
 public:
  RequestDriver();
  ~RequestDriver();
  RequestDriver(const RequestDriver&) = delete;
  RequestDriver& operator=(const RequestDriver&) = delete;

  // Returns what is wrong with the answer, or "".
  std::string Run(absl::string_view input);

  // Returns what Store::Verify finds, or "".
  std::string Verify() const;

  // An input that calls `rpc` with these bytes. REQUIRES: there is such a method.
  static std::string InputFor(absl::string_view rpc, absl::string_view request);
  // The method that an input picks.
  static absl::string_view MethodOf(absl::string_view input);

 private:
  void Open();

  std::string directory_;
  std::unique_ptr<Store> store_;
  int inputs_ = 0;
};

}  // namespace pedigree::testing
