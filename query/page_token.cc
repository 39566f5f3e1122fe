#include "query/page_token.h"

#include <openssl/sha.h>

#include "absl/strings/escaping.h"
#include "store/codec.h"

namespace pedigree {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

uint64_t DigestOf(absl::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  uint64_t value = 0;
  ByteReader({reinterpret_cast<const char*>(digest), sizeof(digest)}).ReadBe64(&value);
  return value;
}

std::string EncodePageToken(absl::string_view list, TimeAndId last) {
  std::string bytes;
  AppendU8(&bytes, kVersion);
  AppendBe64(&bytes, DigestOf(list));
  AppendTime(&bytes, last.time_ms);
  AppendId(&bytes, last.id);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<TimeAndId> DecodePageToken(absl::string_view list, absl::string_view token) {
  std::string bytes;
  uint8_t version = 0;
  uint64_t digest = 0;
  TimeAndId last = {};
  if (!absl::WebSafeBase64Unescape(token, &bytes)) bytes.clear();
  ByteReader reader(bytes);
  if (!reader.ReadU8(&version) || !reader.ReadBe64(&digest) || !reader.ReadTime(&last.time_ms) ||
      !reader.ReadId(&last.id) || !reader.AtEnd() || version != kVersion || last.id < 0) {
    return absl::InvalidArgumentError(
        "next_page_token is not one that this server made: start again without it");
  }
  if (digest != DigestOf(list)) {
    return absl::InvalidArgumentError(
        "next_page_token belongs to another list: call, parent, filter_query and order_by_field "
        "must be those of the page before");
  }
  return last;
}

}  // namespace pedigree
