#include "store/cache_lease.h"

#include "store/codec.h"

namespace pedigree {

std::string CacheLease::Encode() const {
  std::string bytes;
  AppendVarint(&bytes, token);
  AppendVarint(&bytes, static_cast<uint64_t>(lease_ms));
  AppendBe64(&bytes, boot_id);
  AppendId(&bytes, end_ms);
  AppendTime(&bytes, granted_ms);
  bytes += owner;
  return bytes;
}

bool CacheLease::Decode(absl::string_view bytes, CacheLease* out) {
  ByteReader reader(bytes);
  uint64_t length = 0;
  if (!reader.ReadVarint(&out->token) || !reader.ReadVarint(&length) ||
      !reader.ReadBe64(&out->boot_id) || !reader.ReadId(&out->end_ms) ||
      !reader.ReadTime(&out->granted_ms) || length >> 63 != 0) {
    return false;
  }
  out->lease_ms = static_cast<int64_t>(length);
  out->owner = std::string(reader.rest());
  return true;
}

}  // namespace pedigree
