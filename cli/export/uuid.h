// Identifiers that formats want, made from names: the same name has the same one everywhere.
//
// Pure functions: any thread.
//
//   UuidV5(kUuidOfDns, "execution:7")   // "6f3e...": what Kubeflow's own migration calls it, too
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::cli {

using UuidBytes = std::array<uint8_t, 16>;

// The namespaces of RFC 9562 for names of hosts and for URLs.
inline constexpr UuidBytes kUuidOfDns = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                                         0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
inline constexpr UuidBytes kUuidOfUrl = {0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1,
                                         0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};

// RFC 9562, version 5: from the SHA-1 of namespace and name.
std::string UuidV5(const UuidBytes& name_space, absl::string_view name);

}  // namespace pedigree::cli
