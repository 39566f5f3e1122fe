// The JSON of jsonl: lossless for every message, and as its rules say.
#include "cli/export/json_print.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "api/task.pb.h"
#include "cli/export/json_read.h"
#include "cli/export/json_text.h"
#include "cli/utf8.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "pedigree/v1/audit.pb.h"
#include "store/record.h"
#include "tests/store/random_message.h"
#include "tests/store/status_testing.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;

template <class Message>
std::string Printed(const Message& message) {
  std::string json;
  const absl::Status status =
      PrintJson(MessageTable::Of(*message.GetDescriptor()), SerializeSame(message), &json);
  EXPECT_TRUE(IsOk(status));
  return json;
}

template <class Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

template <class Message>
void ExpectRoundTrips(Random& random) {
  const auto message = RandomMessage<Message>(random);
  const std::string bytes = SerializeSame(message);
  std::string json;
  const absl::Status printed = PrintJson(MessageTable::Of(*Message::descriptor()), bytes, &json);
  // A map with a key that is no text has no JSON.
  if (!printed.ok()) {
    EXPECT_TRUE(Fails(printed, absl::StatusCode::kDataLoss));
    return;
  }
  const auto parsed = ParseJson(json);
  ASSERT_TRUE(IsOk(parsed)) << json;
  const auto read = ReadJson(MessageTable::Of(*Message::descriptor()), *parsed);
  ASSERT_TRUE(IsOk(read)) << json;
  EXPECT_EQ(*read, bytes) << json;
}

TEST(JsonPrint, LosesNothingOfRandomMessages) {
  Random random;
  for (int i = 0; i < 500 && !HasFailure(); ++i) {
    ExpectRoundTrips<Artifact>(random);
    ExpectRoundTrips<ml_metadata::Execution>(random);
    ExpectRoundTrips<ml_metadata::Context>(random);
    ExpectRoundTrips<ml_metadata::Event>(random);
    ExpectRoundTrips<ml_metadata::ArtifactType>(random);
    ExpectRoundTrips<ml_metadata::ExecutionType>(random);
    ExpectRoundTrips<api::Task>(random);
    ExpectRoundTrips<v1::ExportRecord>(random);
    ExpectRoundTrips<v1::ExportHeader>(random);
  }
}

TEST(JsonPrint, RefusesDamagedBytesOrReadsThemBack) {
  Random random;
  const MessageTable& table = MessageTable::Of(*v1::ExportRecord::descriptor());
  for (int i = 0; i < 5000; ++i) {
    const auto record = RandomMessage<v1::ExportRecord>(random);
    std::string json;
    if (!PrintJson(table, Damaged(random, SerializeSame(record)), &json).ok()) continue;
    ASSERT_TRUE(IsOk(ParseJson(json))) << json;
  }
}

TEST(JsonPrint, IsAsItsRulesSay) {
  // Fields in the order of their numbers, entries of maps in that of their keys.
  EXPECT_EQ(Printed(FromText<Artifact>(R"(id: 7 type_id: 10 uri: "" state: LIVE
      custom_properties { key: "b" value { double_value: 0.1 } }
      custom_properties { key: "a" value { int_value: -9223372036854775808 } }
      custom_properties { key: "c" value { bool_value: false } }
      custom_properties { key: "" value { string_value: "\"\\\n\t\x01 \303\274/" } }
      create_time_since_epoch: 5)")),
            R"({"id":"7","type_id":"10","uri":"","custom_properties":{)"
            R"("":{"string_value":"\"\\\n\t\u0001 ü/"},"a":{"int_value":"-9223372036854775808"},)"
            R"("b":{"double_value":0.1},"c":{"bool_value":false}},"state":"LIVE",)"
            R"("create_time_since_epoch":"5"})");
  EXPECT_EQ(Printed(FromText<v1::ExportedArtifact>("artifact { id: 1 } context_ids: [2, 300]")),
            R"({"artifact":{"id":"1"},"context_ids":["2","300"]})");
  EXPECT_EQ(Printed(FromText<Artifact>(R"(properties { key: "x" value { proto_value {
      type_url: "t/u" value: "\001\002" } } })")),
            R"({"properties":{"x":{"proto_value":{"type_url":"t/u","value":"AQI="}}}})");
  EXPECT_EQ(
      Printed(FromText<Artifact>(R"(properties { key: "x" value { struct_value {
      fields { key: "n" value { null_value: NULL_VALUE } }
      fields { key: "l" value { list_value { values { number_value: 1 } } } } } } })")),
      R"({"properties":{"x":{"struct_value":{"fields":{)"
      R"("l":{"list_value":{"values":[{"number_value":1}]}},"n":{"null_value":"NULL_VALUE"}}}}}})");
}

TEST(JsonPrint, KeepsEveryDouble) {
  const auto text = [](double value) {
    std::string out;
    AppendJsonDouble(value, &out);
    return out;
  };
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(-0.0), "-0.0");
  EXPECT_EQ(text(5e-324), "5e-324");
  EXPECT_EQ(text(std::numeric_limits<double>::infinity()), "\"Infinity\"");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "\"-Infinity\"");
  EXPECT_EQ(text(std::numeric_limits<double>::quiet_NaN()), "\"NaN\"");
  EXPECT_EQ(text(std::bit_cast<double>(uint64_t{0x7ff8000000000001})), "\"NaN:7ff8000000000001\"");
  Random random;
  const MessageTable& table = MessageTable::Of(*ml_metadata::Value::descriptor());
  for (int i = 0; i < 20'000; ++i) {
    ml_metadata::Value value;
    // Whole numbers, which readers take for integers, as often as any.
    const double any = std::bit_cast<double>(random.Bits());
    value.set_double_value(i == 0 ? -0.0 : random.OneIn(2) ? any : std::trunc(any));
    const auto json = ParseJson(Printed(value));
    ASSERT_TRUE(IsOk(json));
    ASSERT_EQ(*ReadJson(table, *json), value.SerializeAsString());
  }
}

TEST(JsonPrint, KeepsBytesThatAreNoText) {
  std::string out;
  AppendJsonString("a\xff", &out);
  EXPECT_EQ(out, R"({"base64":"Yf8="})");
  for (const char* bad : {"\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe0\x80\x80", "\xc3"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
  for (const char* good : {"", "a", "ü", "日本", "😀", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good));
  }
}

TEST(JsonPrint, FindsEscapesAtEveryPlace) {
  for (const char special : std::string("\"\\\n\x1f", 4)) {
    for (size_t size = 1; size <= 20; ++size) {
      for (size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = special;
        std::string out;
        AppendJsonString(text, &out);
        const auto json = ParseJson(out);
        ASSERT_TRUE(IsOk(json)) << out;
        EXPECT_EQ(json->get<std::string>(), text);
      }
    }
  }
}

// Protobuf's own reader knows the same JSON where it has no messages that it treats specially.
TEST(JsonPrint, IsReadByProtobuf) {
  const auto artifact = FromText<Artifact>(R"(id: 7 type_id: 10 uri: "s3://x" name: "n" state: LIVE
      properties { key: "p" value { double_value: 1e300 } }
      custom_properties { key: "q" value { string_value: "\"\n" } })");
  Artifact read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(Printed(artifact), &read).ok());
  EXPECT_EQ(SerializeSame(read), SerializeSame(artifact));
}

}  // namespace
}  // namespace pedigree::cli
