// Random requests that are mostly sense: small ids, few names, declared types, every field now and
// then, so that a run of them stores nodes and finds them again.
//
// Threading: one thread at a time.
//
// Example:
//   std::mt19937 random(RandomSeed());
//   RandomRequests requests(&random);
//   store.CallBytes("PutExecution", requests.Make("PutExecution"));
#pragma once

#include <google/protobuf/message.h>

#include <random>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::testing {

class RandomRequests {
 public:
  // `random` is not owned and outlives this.
  explicit RandomRequests(std::mt19937* random) : random_(random) {}

  // The bytes of a request of this call.
  std::string Make(absl::string_view rpc);

 private:
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>((*random_)() % bound); }
  bool Chance(uint32_t percent) { return Below(100) < percent; }

  void Fill(google::protobuf::Message* message, int depth);
  void FillField(google::protobuf::Message* message, const google::protobuf::FieldDescriptor* field,
                 int depth);
  void SetScalar(google::protobuf::Message* message,
                 const google::protobuf::FieldDescriptor* field);
  int64_t Number(const google::protobuf::FieldDescriptor* field);
  std::string Text(const google::protobuf::FieldDescriptor* field);

  std::mt19937* const random_;
};

}  // namespace pedigree::testing
