#include "store/codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "tests/store/hex.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

constexpr int kRounds = 5000;
constexpr size_t kDigestBytes = 32;

std::string Encoded(void (*append)(std::string*, int64_t), int64_t value) {
  std::string bytes;
  append(&bytes, value);
  return bytes;
}

std::string EncodedText(absl::string_view text) {
  std::string bytes;
  AppendText(&bytes, text);
  return bytes;
}

// The texts that `text` and its neighbours differ by one step from.
std::string Changed(Random& random, std::string text) {
  if (text.empty() || random.OneIn(3)) return text + random.Bytes(2);
  if (random.OneIn(3)) return text.substr(0, random.Index(text.size()));
  text[random.Index(text.size())] = static_cast<char>(random.Bits());
  return text;
}

TEST(Codec, IntegersAreBigEndian) {
  std::string bytes;
  AppendU8(&bytes, 0xab);
  AppendBe32(&bytes, 0x01020304);
  AppendBe64(&bytes, 0x05060708090a0b0c);
  AppendId(&bytes, 7);
  AppendTime(&bytes, 5);
  AppendTime(&bytes, -1);
  EXPECT_EQ(Hex(bytes), WithoutBlanks("ab 01020304 05060708090a0b0c 0000000000000007 "
                                      "8000000000000005 7fffffffffffffff"));
}

TEST(Codec, OrderOfTimesIsOrderOfBytes) {
  Random random;
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kGreatest = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> times = {kLeast, kLeast + 1, -1, 0, 1, kGreatest - 1, kGreatest};
  for (int i = 0; i < 100; ++i) {
    const auto magnitude = static_cast<int64_t>(random.Skewed() >> 1);
    times.push_back(random.OneIn(2) ? magnitude : -magnitude);
  }
  for (int64_t a : times) {
    for (int64_t b : times) {
      EXPECT_EQ(a < b, Encoded(AppendTime, a) < Encoded(AppendTime, b)) << a << " " << b;
    }
  }
}

TEST(Codec, OrderOfIdsIsOrderOfBytes) {
  Random random;
  for (int i = 0; i < kRounds; ++i) {
    const auto a = static_cast<int64_t>(random.Skewed() >> 1);
    const auto b = random.OneIn(3) ? a + (a < std::numeric_limits<int64_t>::max() ? 1 : 0)
                                   : static_cast<int64_t>(random.Skewed() >> 1);
    EXPECT_EQ(a < b, Encoded(AppendId, a) < Encoded(AppendId, b)) << a << " " << b;
  }
}

TEST(Codec, IntegersComeBack) {
  Random random;
  for (int i = 0; i < kRounds; ++i) {
    const uint64_t value = random.Skewed();
    std::string bytes;
    AppendU8(&bytes, static_cast<uint8_t>(value));
    AppendBe32(&bytes, static_cast<uint32_t>(value));
    AppendBe64(&bytes, value);
    AppendId(&bytes, static_cast<int64_t>(value));
    AppendTime(&bytes, static_cast<int64_t>(value));
    AppendVarint(&bytes, value);
    bytes += "rest";

    ByteReader reader(bytes);
    uint8_t u8 = 0;
    uint32_t be32 = 0;
    uint64_t be64 = 0;
    int64_t id = 0;
    int64_t time = 0;
    uint64_t varint = 0;
    ASSERT_TRUE(reader.ReadU8(&u8) && reader.ReadBe32(&be32) && reader.ReadBe64(&be64) &&
                reader.ReadId(&id) && reader.ReadTime(&time) && reader.ReadVarint(&varint));
    EXPECT_EQ(u8, static_cast<uint8_t>(value));
    EXPECT_EQ(be32, static_cast<uint32_t>(value));
    EXPECT_EQ(be64, value);
    EXPECT_EQ(id, static_cast<int64_t>(value));
    EXPECT_EQ(time, static_cast<int64_t>(value));
    EXPECT_EQ(varint, value);
    EXPECT_EQ(reader.rest(), "rest");
  }
}

TEST(Codec, VarintsAreProtobufs) {
  const std::vector<std::pair<uint64_t, std::string>> vectors = {
      {0, "00"},         {1, "01"},
      {127, "7f"},       {128, "8001"},
      {300, "ac02"},     {16383, "ff7f"},
      {16384, "808001"}, {std::numeric_limits<uint64_t>::max(), "ffffffffffffffffff01"}};
  for (const auto& [value, hex] : vectors) {
    std::string bytes;
    AppendVarint(&bytes, value);
    EXPECT_EQ(Hex(bytes), hex);
  }
}

TEST(Text, VectorsOfShortTexts) {
  EXPECT_EQ(Hex(EncodedText("")), "0001");
  EXPECT_EQ(Hex(EncodedText("run-1")), WithoutBlanks("72756e2d31 0001"));
  EXPECT_EQ(Hex(EncodedText(absl::string_view("a\0b", 3))), WithoutBlanks("61 00ff 62 0001"));
  EXPECT_EQ(Hex(EncodedText(absl::string_view("\0", 1))), WithoutBlanks("00ff 0001"));
  EXPECT_EQ(Hex(EncodedText("\xff")), WithoutBlanks("ff 0001"));
}

TEST(Text, OrderOfTextsIsOrderOfBytes) {
  Random random;
  for (int i = 0; i < kRounds; ++i) {
    const std::string a = random.Bytes(random.OneIn(10) ? kMaxKeyTextBytes : 6);
    const std::string b = Changed(random, a).substr(0, kMaxKeyTextBytes);
    EXPECT_EQ(a < b, EncodedText(a) < EncodedText(b)) << Hex(a) << " " << Hex(b);
    EXPECT_EQ(a == b, EncodedText(a) == EncodedText(b)) << Hex(a) << " " << Hex(b);
  }
}

TEST(Text, NoEncodedTextIsAPrefixOfAnother) {
  Random random;
  std::set<std::string> encoded;
  for (int i = 0; i < kRounds; ++i) {
    const std::string text = random.Bytes(random.OneIn(10) ? 2 * kMaxKeyTextBytes : 5);
    encoded.insert(EncodedText(text));
  }
  // In byte order a prefix stands directly before the texts that it begins.
  std::string before = "none";
  for (const std::string& bytes : encoded) {
    EXPECT_NE(bytes.substr(0, before.size()), before) << Hex(before) << " " << Hex(bytes);
    before = bytes;
  }
}

TEST(Text, OneByteMoreThanFitsIsCutToPrefixAndDigest) {
  const std::string fits(kMaxKeyTextBytes, 'a');
  EXPECT_EQ(EncodedText(fits), fits + FromHex("0001"));
  // sha256 of 129 times 'a'.
  EXPECT_EQ(Hex(EncodedText(fits + "a")),
            Hex(fits) +
                "0002"
                "c12cb024a2e5551cca0e08fce8f1c5e314555cc3fef6329ee994a3db752166ae");
}

TEST(Text, LongTextsKeepEqualityAndOrderOfTheirPrefixes) {
  Random random;
  for (int i = 0; i < kRounds; ++i) {
    std::string a = random.Bytes(2 * kMaxKeyTextBytes);
    a.resize(a.size() + kMaxKeyTextBytes, 'x');
    const std::string b = Changed(random, a);
    const std::string encoded_a = EncodedText(a);
    const std::string encoded_b = EncodedText(b);
    EXPECT_EQ(a == b, encoded_a == encoded_b);
    EXPECT_LE(encoded_a.size(), 2 * kMaxKeyTextBytes + 2 + kDigestBytes);
    const std::string prefix_a = a.substr(0, kMaxKeyTextBytes);
    const std::string prefix_b = b.substr(0, kMaxKeyTextBytes);
    if (prefix_a != prefix_b) {
      EXPECT_EQ(prefix_a < prefix_b, encoded_a < encoded_b) << Hex(a) << " " << Hex(b);
    }
  }
}

TEST(Text, AWholeTextStandsBeforeTheLongerOnesThatItBegins) {
  const std::string whole(kMaxKeyTextBytes, 'm');
  EXPECT_LT(EncodedText(whole), EncodedText(whole + std::string(1, '\0')));
  EXPECT_LT(EncodedText(whole + "zzz"), EncodedText(std::string(kMaxKeyTextBytes, 'n')));
}

TEST(ByteReader, SkipsWhatAppendTextWrote) {
  Random random;
  for (int i = 0; i < kRounds; ++i) {
    const std::string rest = random.Bytes(4);
    const std::string text = random.Bytes(random.OneIn(5) ? 2 * kMaxKeyTextBytes : 8);
    const std::string bytes = EncodedText(text) + rest;
    ByteReader reader(bytes);
    ASSERT_TRUE(reader.SkipText()) << Hex(bytes);
    EXPECT_EQ(reader.rest(), rest) << Hex(bytes);
  }
}

// Every method on every beginning of what it could read: false, and nothing is read.
TEST(ByteReader, ReadsNothingFromBytesThatEndTooEarly) {
  using Read = bool (*)(ByteReader*);
  struct Case {
    const char* what;
    std::string bytes;
    Read read;
  };
  const std::vector<Case> cases = {
      {"u8", "\x01",
       [](ByteReader* r) {
         uint8_t v;
         return r->ReadU8(&v);
       }},
      {"be32", "\x01\x02\x03\x04",
       [](ByteReader* r) {
         uint32_t v;
         return r->ReadBe32(&v);
       }},
      {"be64", "\x01\x02\x03\x04\x05\x06\x07\x08",
       [](ByteReader* r) {
         uint64_t v;
         return r->ReadBe64(&v);
       }},
      {"id", "\x01\x02\x03\x04\x05\x06\x07\x08",
       [](ByteReader* r) {
         int64_t v;
         return r->ReadId(&v);
       }},
      {"time", "\x01\x02\x03\x04\x05\x06\x07\x08",
       [](ByteReader* r) {
         int64_t v;
         return r->ReadTime(&v);
       }},
      {"varint", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
       [](ByteReader* r) {
         uint64_t v;
         return r->ReadVarint(&v);
       }},
      {"bytes", "12345",
       [](ByteReader* r) {
         absl::string_view v;
         return r->ReadBytes(5, &v);
       }},
      {"text", EncodedText(absl::string_view("a\0b", 3)),
       [](ByteReader* r) { return r->SkipText(); }},
      {"long text", EncodedText(std::string(200, 'a')),
       [](ByteReader* r) { return r->SkipText(); }},
  };
  for (const Case& one : cases) {
    for (size_t size = 0; size < one.bytes.size(); ++size) {
      const std::string cut = one.bytes.substr(0, size);
      ByteReader reader(cut);
      EXPECT_FALSE(one.read(&reader)) << one.what << ", " << size << " bytes";
      EXPECT_EQ(reader.rest(), cut) << one.what << ", " << size << " bytes";
    }
    ByteReader reader(one.bytes);
    EXPECT_TRUE(one.read(&reader)) << one.what;
    EXPECT_TRUE(reader.AtEnd()) << one.what;
  }
}

TEST(ByteReader, RefusesVarintsOfMoreThanTenBytes) {
  const std::string bytes = FromHex("80808080808080808080 01");
  ByteReader reader(bytes);
  uint64_t value = 0;
  EXPECT_FALSE(reader.ReadVarint(&value));
}

TEST(ByteReader, RefusesTextWithAnUnknownMark) {
  for (const char* hex : {"61 00 03", "00 00", "61 00 fe 0001"}) {
    const std::string bytes = FromHex(hex);
    EXPECT_FALSE(ByteReader(bytes).SkipText()) << hex;
  }
}

TEST(ByteReader, RefusesASizeBeyondAllMemory) {
  absl::string_view bytes;
  EXPECT_FALSE(ByteReader("abc").ReadBytes(std::numeric_limits<size_t>::max(), &bytes));
}

}  // namespace
}  // namespace pedigree
