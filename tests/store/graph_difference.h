// Whether a version's graph of events says what its keys say.
//
// Pure functions; threads as Reader.
//
//   EXPECT_EQ(GraphDifference(reader), "");
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/reader.h"

namespace pedigree {

// An event as both know it.
struct EventRow {
  int64_t artifact = 0;
  int64_t execution = 0;
  int type = 0;
  int64_t time_ms = 0;

  friend bool operator==(const EventRow&, const EventRow&) = default;
};

std::string ToString(const std::vector<EventRow>& rows);

// All events of the version in the order of their numbers, as the graph has them.
std::vector<EventRow> EventsInGraph(const Reader& reader);

// Asks the keys and the graph for the events of every artifact and execution, in insertion order.
// "" if they agree, or the first difference.
std::string GraphDifference(const Reader& reader);

}  // namespace pedigree
