#include "migrate/digest.h"

#include <openssl/evp.h>

#include <cstring>

#include "absl/strings/escaping.h"
#include "store/codec.h"

namespace pedigree::migrate {
namespace {

std::array<uint8_t, 32> Sha256(absl::string_view bytes) {
  std::array<uint8_t, 32> hash = {};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), hash.data(), &size, EVP_sha256(), nullptr);
  return hash;
}

}  // namespace

void Digest::Add(int64_t id, absl::string_view row) {
  const std::array<uint8_t, 32> hash = Sha256(row);
  Sum& sum = blocks_[id / kIdsPerBlock];
  uint64_t carry = 0;
  for (size_t i = 0; i < sum.size(); ++i) {
    uint64_t word = 0;
    std::memcpy(&word, hash.data() + 8 * i, sizeof(word));
    const uint64_t with_carry = word + carry;
    carry = with_carry < carry ? 1 : 0;
    sum[i] += with_carry;
    carry += sum[i] < with_carry ? 1 : 0;
  }
  ++rows_;
}

std::string Digest::ToHex() const {
  std::string bytes;
  for (const auto& [block, sum] : blocks_) {
    AppendId(&bytes, block);
    for (uint64_t word : sum) AppendBe64(&bytes, word);
  }
  const std::array<uint8_t, 32> hash = Sha256(bytes);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

std::vector<int64_t> Digest::Differences(const Digest& other) const {
  std::vector<int64_t> blocks;
  auto a = blocks_.begin();
  auto b = other.blocks_.begin();
  while (a != blocks_.end() || b != other.blocks_.end()) {
    if (b == other.blocks_.end() || (a != blocks_.end() && a->first < b->first)) {
      blocks.push_back((a++)->first);
    } else if (a == blocks_.end() || b->first < a->first) {
      blocks.push_back((b++)->first);
    } else {
      if (a->second != b->second) blocks.push_back(a->first);
      ++a;
      ++b;
    }
  }
  return blocks;
}

}  // namespace pedigree::migrate
