// Every place of a request where a value of one kind can stand, found from its descriptor, and
// requests that hold nothing but a chosen value at one such place.
//
// The bytes are put together by hand: bad enum numbers and bad text cannot be set on a message.
//
// Threading: values and free functions without state.
//
// Example:
//   for (const Site& site : SitesOf(PutArtifactsRequest::descriptor(), FieldDescriptor::TYPE_ENUM))
//     Parse(site.WithNumber(99));       // site.path is "artifacts.state", then others
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pedigree::testing {

struct Site {
  std::string path;                                          // "artifacts.properties.key"
  std::vector<int> numbers;                                  // The field numbers on the way.
  const google::protobuf::FieldDescriptor* field = nullptr;  // The last one on the way.
  const google::protobuf::Descriptor* request = nullptr;     // Where the way begins.

  // A request with these bytes (of a text or message), or this number, there and nothing else but
  // what its method cannot do without.
  std::string WithBytes(absl::string_view bytes) const;
  std::string WithNumber(uint64_t number) const;

 private:
  std::string Wrapped(std::string innermost) const;
};

// All places of one field type, the keys and values of maps included. Messages that hold themselves
// are entered twice.
std::vector<Site> SitesOf(const google::protobuf::Descriptor* request,
                          google::protobuf::FieldDescriptor::Type type);

}  // namespace pedigree::testing
