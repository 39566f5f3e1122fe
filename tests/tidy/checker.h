// The rules of the tree that a compiler does not know, as a function over one file's text.
//
//   include direction   proto <- store <- query <- server; bench, tests and whatever comes later
//   are
//                       clients that nothing includes
//   seams               RocksDB is known to store/ (and to bench/ and tests/, which measure and
//                       break it), gRPC to nothing below server/ and not to server/http/, Boost's
//                       HTTP in the server only to that, Prometheus only to server/metrics.cc
//   headers             of store, query and server begin with a comment and say #pragma once
//   width               no line is longer than 100 columns
//
// Pure functions: any thread.
//
//   for (const std::string& problem : CheckFile("store/keys.h", text)) ...
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pedigree::tidy {

// Whether there are rules for a file of this name: C++ source and headers.
bool IsChecked(absl::string_view path);

// What breaks a rule, each as "path:line: what". `path` is relative to the root of the tree.
std::vector<std::string> CheckFile(absl::string_view path, absl::string_view text);

}  // namespace pedigree::tidy
