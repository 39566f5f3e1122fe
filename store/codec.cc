#include "store/codec.h"

#include <openssl/sha.h>

namespace pedigree {

void AppendText(std::string* out, absl::string_view text) {
  const absl::string_view kept = text.substr(0, kMaxKeyTextBytes);
  for (char c : kept) {
    out->push_back(c);
    if (c == '\0') out->push_back('\xff');
  }
  out->push_back('\0');
  if (kept.size() == text.size()) {
    out->push_back('\x01');
    return;
  }
  out->push_back('\x02');
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  out->append(reinterpret_cast<const char*>(digest), sizeof(digest));
}

bool ByteReader::ReadU8(uint8_t* value) {
  if (rest_.empty()) return false;
  *value = static_cast<uint8_t>(rest_[0]);
  rest_.remove_prefix(1);
  return true;
}

bool ByteReader::ReadBe32(uint32_t* value) {
  if (rest_.size() < 4) return false;
  *value = 0;
  for (int i = 0; i < 4; ++i) *value = (*value << 8) | static_cast<uint8_t>(rest_[i]);
  rest_.remove_prefix(4);
  return true;
}

bool ByteReader::ReadBe64(uint64_t* value) {
  if (rest_.size() < 8) return false;
  *value = 0;
  for (int i = 0; i < 8; ++i) *value = (*value << 8) | static_cast<uint8_t>(rest_[i]);
  rest_.remove_prefix(8);
  return true;
}

bool ByteReader::ReadId(int64_t* id) {
  uint64_t bits = 0;
  if (!ReadBe64(&bits)) return false;
  *id = static_cast<int64_t>(bits);
  return true;
}

bool ByteReader::ReadTime(int64_t* milliseconds) {
  uint64_t bits = 0;
  if (!ReadBe64(&bits)) return false;
  *milliseconds = static_cast<int64_t>(bits ^ (uint64_t{1} << 63));
  return true;
}

bool ByteReader::ReadVarintByBytes(uint64_t* value) {
  uint64_t result = 0;
  for (size_t i = 0; i < rest_.size() && i < kMaxVarintBytes; ++i) {
    const auto byte = static_cast<uint8_t>(rest_[i]);
    result |= uint64_t{byte & 0x7fu} << (7 * i);
    if ((byte & 0x80) == 0) {
      rest_.remove_prefix(i + 1);
      *value = result;
      return true;
    }
  }
  return false;
}

bool ByteReader::SkipText() {
  for (size_t i = 0; i + 1 < rest_.size(); ++i) {
    if (rest_[i] != '\0') continue;
    const char mark = rest_[i + 1];
    ++i;
    if (mark == '\xff') continue;
    size_t size = i + 1;
    if (mark == '\x02') size += SHA256_DIGEST_LENGTH;
    if ((mark != '\x01' && mark != '\x02') || rest_.size() < size) return false;
    rest_.remove_prefix(size);
    return true;
  }
  return false;
}

}  // namespace pedigree
