#include "query/page_token.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "tests/store/random.h"
#include "tests/store/status_testing.h"

namespace pedigree {
namespace {

using absl::StatusCode;

constexpr char kList[] = "GetArtifacts\n0 0\n3 up\n";

TEST(PageToken, ComesBack) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    const std::string list = random.Bytes(30);
    const TimeAndId last = {static_cast<int64_t>(random.Bits()),
                            static_cast<int64_t>(random.Skewed() >> 1)};
    const auto decoded = DecodePageToken(list, EncodePageToken(list, last));
    ASSERT_TRUE(IsOk(decoded));
    EXPECT_EQ(decoded->time_ms, last.time_ms);
    EXPECT_EQ(decoded->id, last.id);
  }
}

TEST(PageToken, IsText) {
  Random random;
  for (int i = 0; i < 500; ++i) {
    const std::string token = EncodePageToken(
        kList, {static_cast<int64_t>(random.Bits()), static_cast<int64_t>(random.Skewed() >> 1)});
    EXPECT_FALSE(token.empty());
    EXPECT_LE(token.size(), 64u);
    for (char c : token) {
      EXPECT_TRUE(absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_')
          << token;
    }
  }
}

// Tokens outlive the program that made them: this one is from the first version.
TEST(PageToken, OfTheFirstVersionIsStillGood) {
  const auto decoded = DecodePageToken(kList, "AWhKFjHgoFoxgAAAAAAAAAUAAAAAAAAABw");
  ASSERT_TRUE(IsOk(decoded));
  EXPECT_EQ(decoded->time_ms, 5);
  EXPECT_EQ(decoded->id, 7);
  EXPECT_EQ(EncodePageToken(kList, {5, 7}), "AWhKFjHgoFoxgAAAAAAAAAUAAAAAAAAABw");
}

TEST(PageToken, OfAnotherListIsRefused) {
  const std::string token = EncodePageToken(kList, {5, 7});
  for (const char* other : {"", "GetArtifacts", "GetArtifacts\n0 0\n3 down\n",
                            "GetExecutions\n0 0\n3 up\n", "GetArtifacts\n0 0\n3 up\n "}) {
    EXPECT_TRUE(Fails(DecodePageToken(other, token), StatusCode::kInvalidArgument,
                      "belongs to another list"))
        << other;
  }
}

std::string Encoded(const std::string& bytes) { return absl::WebSafeBase64Escape(bytes); }

TEST(PageToken, GarbageIsRefused) {
  std::string bytes;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(EncodePageToken(kList, {5, 7}), &bytes));
  std::string other_version = bytes;
  other_version[0] = '\x02';
  std::string negative_id = bytes;
  negative_id[17] = '\xff';
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"nothing", ""},
      {"no base64", "!!!"},
      {"base64 of noise", Encoded("noise")},
      {"one byte less", Encoded(bytes.substr(0, bytes.size() - 1))},
      {"one byte more", Encoded(bytes + "x")},
      {"another version", Encoded(other_version)},
      {"a negative id", Encoded(negative_id)},
      {"blanks", "    "},
  };
  for (const auto& [what, token] : cases) {
    EXPECT_TRUE(Fails(DecodePageToken(kList, token), StatusCode::kInvalidArgument,
                      "start again without it"))
        << what;
  }
}

TEST(PageToken, NoiseIsRefused) {
  Random random;
  for (int i = 0; i < 5000; ++i) {
    const std::string token = random.OneIn(2) ? random.Bytes(60) : Encoded(random.Bytes(40));
    EXPECT_TRUE(Fails(DecodePageToken(kList, token), StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace pedigree
