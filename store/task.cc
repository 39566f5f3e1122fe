#include "store/task.h"

#include <openssl/rand.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "store/codec.h"

namespace pedigree {
namespace {

constexpr uint64_t kVariant = uint64_t{1} << 63;  // The two highest bits are 10.
constexpr uint64_t kNumberMask = (kVariant >> 1) - 1;
constexpr size_t kIdBytes = 16;
constexpr size_t kDigits = 2 * kIdBytes;

}  // namespace

std::string NewTaskId(int64_t number) {
  std::string bytes(kIdBytes / 2, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x80);  // The version.
  AppendBe64(&bytes, kVariant | static_cast<uint64_t>(number));
  const std::string digits = absl::BytesToHexString(bytes);
  return absl::StrCat(digits.substr(0, 8), "-", digits.substr(8, 4), "-", digits.substr(12, 4), "-",
                      digits.substr(16, 4), "-", digits.substr(20));
}

std::optional<int64_t> NumberOfTaskId(absl::string_view id) {
  std::string digits;
  for (char c : id) {
    const bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (is_digit) digits.push_back(c);
    if (!is_digit && c != '-') return std::nullopt;
  }
  if (digits.size() != kDigits) return std::nullopt;
  const std::string bytes = absl::HexStringToBytes(digits);
  uint64_t low = 0;
  ByteReader(absl::string_view(bytes).substr(kIdBytes / 2)).ReadBe64(&low);
  if ((low & ~kNumberMask) != kVariant) return std::nullopt;
  return static_cast<int64_t>(low & kNumberMask);
}

}  // namespace pedigree
