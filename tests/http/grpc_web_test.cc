// The wire format of grpc-web, byte by byte.
#include "server/http/grpc_web.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using std::chrono::nanoseconds;

constexpr size_t kLimit = 1000;

std::string Bytes(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

std::string FrameOfZeros(size_t size) { return GrpcWebFrameHead(size) + std::string(size, '\0'); }

StatusCode CodeOf(GrpcWebKind kind, const std::string& body) {
  return GrpcWebRequest(kind, body, kLimit).status().code();
}

TEST(GrpcWeb, KnowsItsContentTypes) {
  for (const char* type : {"application/grpc-web", "application/grpc-web+proto",
                           "Application/GRPC-Web", " application/grpc-web ; charset=utf-8"}) {
    EXPECT_EQ(GrpcWebKindOf(type), GrpcWebKind::kBinary) << type;
  }
  for (const char* type : {"application/grpc-web-text", "application/grpc-web-text+proto"}) {
    EXPECT_EQ(GrpcWebKindOf(type), GrpcWebKind::kText) << type;
  }
  for (const char* type : {"", "application/grpc", "application/grpc-web+json", "text/plain",
                           "application/grpc-webb", "application/json"}) {
    EXPECT_EQ(GrpcWebKindOf(type), std::nullopt) << type;
  }
}

TEST(GrpcWeb, TakesOneFrameOfData) {
  const auto message =
      GrpcWebRequest(GrpcWebKind::kBinary, Bytes({0, 0, 0, 0, 3, 'a', 'b', 'c'}), kLimit);
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(*message, "abc");
  EXPECT_EQ(*GrpcWebRequest(GrpcWebKind::kBinary, Bytes({0, 0, 0, 0, 0}), kLimit), "");
}

TEST(GrpcWeb, RefusesEverythingElse) {
  const auto code = [](const std::string& body) { return CodeOf(GrpcWebKind::kBinary, body); };
  EXPECT_EQ(code(""), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Bytes({0, 0, 0, 0})), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Bytes({0, 0, 0, 0, 3, 'a', 'b'})), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Bytes({0, 0, 0, 0, 1, 'a', 'b'})), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Bytes({0, 0, 0, 0, 0, 0, 0, 0, 0, 0})), StatusCode::kInvalidArgument) << "two";
  EXPECT_EQ(code(Bytes({0x80, 0, 0, 0, 0})), StatusCode::kInvalidArgument) << "a trailer";
  EXPECT_EQ(code(Bytes({2, 0, 0, 0, 0})), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Bytes({1, 0, 0, 0, 1, 'a'})), StatusCode::kUnimplemented) << "compressed";
  EXPECT_EQ(code(Bytes({0, 0xff, 0xff, 0xff, 0xff})), StatusCode::kResourceExhausted);
  EXPECT_EQ(code(FrameOfZeros(kLimit + 1)), StatusCode::kResourceExhausted);
  EXPECT_EQ(code(FrameOfZeros(kLimit)), StatusCode::kOk);
}

TEST(GrpcWeb, TakesTextInAnyNumberOfPieces) {
  const auto message = [](const std::string& text) {
    const auto result = GrpcWebRequest(GrpcWebKind::kText, text, kLimit);
    return result.ok() ? *result : absl::StrCat("refused: ", result.status().message());
  };
  EXPECT_EQ(message("AAAAAANhYmM="), "abc");
  EXPECT_EQ(message("AAAAAAM=YWJj"), "abc");
  EXPECT_EQ(message("AA==AA==AA==AA==Aw==YQ==Yg==Yw=="), "abc") << "a byte each";
  EXPECT_EQ(message("AAAAAAA="), "");
  for (const char* bad : {"", "A", "AAAAAANhYmM", "AAAAAANhYm!=", "AAAAAANhYmM==", "=AAAAAANhYmM",
                          "AAAAAAM=YWJ", "====", "AAAAAANhYm=M"}) {
    EXPECT_EQ(CodeOf(GrpcWebKind::kText, bad), StatusCode::kInvalidArgument) << bad;
  }
}

// A body of the largest message is within the limit, however it is cut.
TEST(GrpcWeb, LimitsOfBodiesFitTheLargestMessage) {
  EXPECT_EQ(GrpcWebBodyLimit(GrpcWebKind::kBinary, 100), 105U);
  const std::string frame(105, 'x');
  EXPECT_LE(GrpcWebText(frame).size(), GrpcWebBodyLimit(GrpcWebKind::kText, 100));
  size_t pairs = 0;
  for (size_t i = 0; i < frame.size(); i += 2) pairs += GrpcWebText(frame.substr(i, 2)).size();
  EXPECT_LE(pairs, GrpcWebBodyLimit(GrpcWebKind::kText, 100));
}

TEST(GrpcWeb, TrailersAreWhatClientsParse) {
  EXPECT_EQ(GrpcWebTrailer(absl::OkStatus()), Bytes({0x80, 0, 0, 0, 15}) + "grpc-status:0\r\n");
  EXPECT_EQ(
      GrpcWebTrailer(absl::NotFoundError("50 % f\xc3\xbcr \"x\"\r\n")),
      Bytes({0x80, 0, 0, 0, 55}) + "grpc-status:5\r\ngrpc-message:50 %25 f%C3%BCr \"x\"%0D%0A\r\n");
  EXPECT_EQ(GrpcWebFrameHead(0x01020304), Bytes({0, 1, 2, 3, 4}));
}

TEST(GrpcWeb, ReadsTimeouts) {
  const auto parsed = [](const char* text) {
    return ParseGrpcTimeout(text).value_or(nanoseconds(-1));
  };
  EXPECT_EQ(parsed("1n"), nanoseconds(1));
  EXPECT_EQ(parsed("20u"), nanoseconds(20'000));
  EXPECT_EQ(parsed("300m"), std::chrono::milliseconds(300));
  EXPECT_EQ(parsed("99999999S"), std::chrono::seconds(99'999'999));
  EXPECT_EQ(parsed("2M"), std::chrono::minutes(2));
  EXPECT_EQ(parsed("3H"), std::chrono::hours(3));
  EXPECT_GT(parsed("99999999H"), std::chrono::hours(800'000));
  EXPECT_GT(parsed("99999999M"), std::chrono::hours(800'000));
  for (const char* bad : {"", "1", "n", "1x", "-1S", "+1S", " 1S", "1 S", "123456789S", "1.5S"}) {
    EXPECT_FALSE(ParseGrpcTimeout(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace pedigree
