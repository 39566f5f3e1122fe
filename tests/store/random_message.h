// Random content for any message of ours. Threads: as the Random.
//
//   Artifact artifact = RandomMessage<Artifact>(random);
#pragma once

#include <google/protobuf/message.h>

#include "tests/store/random.h"

namespace pedigree {

// Sets about half of the fields, messages within messages down to `depth`.
void FillRandomly(Random& random, int depth, google::protobuf::Message* message);

// As it is after a trip over the wire: of map entries with equal keys one is left.
template <typename Message>
Message RandomMessage(Random& random) {
  Message filled;
  FillRandomly(random, 3, &filled);
  Message message;
  (void)message.ParseFromString(filled.SerializeAsString());
  return message;
}

// `bytes` with one to three changes: bits flipped, bytes inserted, removed or cut off.
std::string Damaged(Random& random, std::string bytes);

}  // namespace pedigree
