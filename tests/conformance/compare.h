// When a recorded and an actual answer count as equal, once their ids have the same names.
//
//   - server-made times (the three *_since_epoch fields, where above 1.6e12) compare as "a time";
//     smaller values were chosen by a client and must be exact;
//   - next_page_token compares as empty (or unset) or not;
//   - repeated messages compare as multisets, unless the order is asked for; the steps of an event
//     path and the elements of a tuple type keep their order always, and repeated ids do;
//   - everything else must be the same to the byte: presence, doubles, unknown fields.
//
// Threading: free functions without state.
//
// Example:
//   Normalise(*want, Order::kAny);
//   Normalise(*got, Order::kAny);
//   bool equal = DeterministicBytes(*want) == DeterministicBytes(*got);
//   if (!equal) ADD_FAILURE() << DescribeDifference(*want, *got);
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace pedigree::conformance {

enum class Order { kAny, kAsAnswered };

// Replaces in place what may differ between two right answers, by the rules above. The messages
// of a map's values are sorted whatever `order` says.
void Normalise(google::protobuf::Message& message, Order order);

// Returns the message's bytes with map entries sorted by key.
std::string DeterministicBytes(const google::protobuf::Message& message);

// Returns both messages as JSON, at most some 700 characters of each around the first difference.
// REQUIRES: their bytes differ.
std::string DescribeDifference(const google::protobuf::Message& want,
                               const google::protobuf::Message& got);

}  // namespace pedigree::conformance
