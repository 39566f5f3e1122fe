// What the server cannot do yet, and which recorded calls need it.
//
// Threading: constants and values.
//
// Example:
//   CapabilitySet needed = step.needs & kNotBuiltYet;
//   if (!needed.empty()) ... the server must answer UNIMPLEMENTED ...
#pragma once

#include <initializer_list>

namespace pedigree::conformance {

enum class Capability : unsigned {
  kFilter = 1,   // A list call with a non-empty options.filter_query.
  kLineage = 2,  // GetLineageSubgraph and GetLineageGraph.
};

class CapabilitySet {
 public:
  constexpr CapabilitySet() = default;
  constexpr CapabilitySet(std::initializer_list<Capability> members) {
    for (const Capability member : members) bits_ |= static_cast<unsigned>(member);
  }

  constexpr bool empty() const { return bits_ == 0; }
  constexpr void Add(CapabilitySet other) { bits_ |= other.bits_; }
  friend constexpr CapabilitySet operator&(CapabilitySet a, CapabilitySet b) {
    CapabilitySet both;
    both.bits_ = a.bits_ & b.bits_;
    return both;
  }
  friend constexpr bool operator==(CapabilitySet a, CapabilitySet b) = default;

 private:
  unsigned bits_ = 0;
};

// THE SWITCH. The server must answer UNIMPLEMENTED to every recorded call that needs one of these,
// and its tests turn red as soon as it does not: whoever builds a capability removes it here. When
// this is empty, all 99 transcripts are plain `Conformance` tests.
inline constexpr CapabilitySet kNotBuiltYet = {};

}  // namespace pedigree::conformance
