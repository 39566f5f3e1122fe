// A store with a scripted history, whose ids and times are the same every time.
//
// Threads: a free function.
//
//   ASSERT_TRUE(WriteHistory("tests/data/cli/history.txt", data_dir).ok());
#pragma once

#include <string>

#include "absl/status/status.h"

namespace pedigree::cli {

// Makes a store and plays the calls of a file to it, each at its time. An entry of the file is a
// line of "TIME METHOD REQUEST" and the indented lines after it: the method one of
// ml_metadata.MetadataStoreService, the request in protobuf's text format. Lines that begin with #
// are skipped. InvalidArgument, with the line: no such method, or no such request. Otherwise as
// Store::Open() and the calls.
absl::Status WriteHistory(const std::string& path, const std::string& data_dir);

}  // namespace pedigree::cli
