// What it costs to make an answer of stored nodes: splice their bytes, as the server does
// (server/answer.h), or parse and serialise them, as a server has to that keeps anything else than
// the wire format.
//
// Both begin with the same node records in memory, so the storage is excluded, and end with the
// bytes of a GetArtifactsByIDResponse with the `type` field filled in; what gRPC does with those is
// the same for both.
//
// Threading: one thread; the CPU time is this thread's.
//
//   AnswerMaker maker(100);
//   double us_per_node = *MeasureCpuPerNode(maker, AnswerWay::kSplice, std::chrono::seconds(1));
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "store/catalog.h"

namespace pedigree::bench {

enum class AnswerWay : uint8_t { kSplice, kParseAndSerialize };

class AnswerMaker {
 public:
  // Prepares the records of `nodes` artifacts, each different.
  explicit AnswerMaker(size_t nodes);

  size_t nodes() const { return records_.size(); }
  // Bytes of all records: less than any right answer has.
  size_t record_bytes() const;

  std::string Make(AnswerWay way) const;

 private:
  std::string Splice() const;
  std::string ParseAndSerialize() const;

  Catalog catalog_;
  std::vector<std::string> records_;
};

// CPU microseconds per node of making the answer again and again for `duration`. Internal if the
// two ways do not give answers that parse to the same; Cancelled on Ctrl-C.
absl::StatusOr<double> MeasureCpuPerNode(const AnswerMaker& maker, AnswerWay way,
                                         std::chrono::milliseconds duration);

}  // namespace pedigree::bench
