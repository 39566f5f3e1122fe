#include "store/wire.h"

#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <vector>

#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/codec.h"
#include "store/traits.h"
#include "tests/store/hex.h"
#include "tests/store/random_message.h"

namespace pedigree {
namespace {

using google::protobuf::UnknownField;

struct Field {
  int number;
  uint64_t scalar;
  std::string bytes;

  bool operator==(const Field&) const = default;
};
using Fields = std::vector<Field>;

// What the cursor reads; nullopt where it says that the bytes are damaged.
std::optional<Fields> ByCursor(absl::string_view bytes) {
  Fields fields;
  WireCursor cursor(bytes);
  while (auto field = cursor.Next()) {
    if (!field->bytes.empty()) {
      EXPECT_TRUE(field->bytes.data() >= bytes.data() &&
                  field->bytes.data() + field->bytes.size() <= bytes.data() + bytes.size());
    }
    fields.push_back({field->number, field->scalar, std::string(field->bytes)});
    EXPECT_LE(fields.size(), bytes.size());
  }
  EXPECT_FALSE(cursor.Next().has_value());
  if (!cursor.ok()) return std::nullopt;
  return fields;
}

// What protobuf reads, which keeps every field of a message that knows none. Nullopt where protobuf
// does not parse the bytes, or parses them and would write them otherwise (numbers with too many
// bytes), or where they have a group, which our messages have not.
std::optional<Fields> ByProtobuf(const std::string& bytes) {
  google::protobuf::Empty empty;
  if (!empty.ParseFromString(bytes) || empty.SerializeAsString() != bytes) return std::nullopt;
  const auto& unknown = empty.GetReflection()->GetUnknownFields(empty);
  Fields fields;
  for (int i = 0; i < unknown.field_count(); ++i) {
    const UnknownField& field = unknown.field(i);
    switch (field.type()) {
      case UnknownField::TYPE_VARINT:
        fields.push_back({field.number(), field.varint(), ""});
        break;
      case UnknownField::TYPE_FIXED32:
        fields.push_back({field.number(), field.fixed32(), ""});
        break;
      case UnknownField::TYPE_FIXED64:
        fields.push_back({field.number(), field.fixed64(), ""});
        break;
      case UnknownField::TYPE_LENGTH_DELIMITED:
        fields.push_back({field.number(), 0, field.length_delimited()});
        break;
      case UnknownField::TYPE_GROUP:
        return std::nullopt;
    }
  }
  return fields;
}

std::string RandomNode(Random& random) {
  switch (random.Between(0, 3)) {
    case 0:
      return RandomMessage<ml_metadata::Artifact>(random).SerializeAsString();
    case 1:
      return RandomMessage<ml_metadata::Execution>(random).SerializeAsString();
    case 2:
      return RandomMessage<ml_metadata::ExecutionType>(random).SerializeAsString();
    default:
      return RandomMessage<ml_metadata::Value>(random).SerializeAsString();
  }
}

TEST(WireCursor, ReadsWhatProtobufReads) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = RandomNode(random);
    const std::optional<Fields> expected = ByProtobuf(bytes);
    ASSERT_TRUE(expected.has_value()) << Hex(bytes);
    EXPECT_EQ(ByCursor(bytes), expected) << Hex(bytes);
  }
}

TEST(WireCursor, ReadsDamagedBytesAsProtobufDoesOrRefusesThem) {
  Random random;
  int whole = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::string bytes = Damaged(random, RandomNode(random));
    const std::optional<Fields> actual = ByCursor(bytes);
    const std::optional<Fields> expected = ByProtobuf(bytes);
    if (!expected.has_value()) continue;
    ++whole;
    EXPECT_EQ(actual, expected) << Hex(bytes);
  }
  EXPECT_GT(whole, 0) << "no damage left the message readable: the test compared nothing";
}

TEST(WireCursor, NoiseNeverLeadsItAstray) {
  Random random;
  for (int i = 0; i < 30'000; ++i) {
    const std::string bytes = random.Bytes(40);
    const std::optional<Fields> actual = ByCursor(bytes);
    const std::optional<Fields> expected = ByProtobuf(bytes);
    if (expected.has_value()) {
      EXPECT_EQ(actual, expected) << Hex(bytes);
    }
  }
}

TEST(WireCursor, EveryBeginningOfAMessageIsWholeOrDamaged) {
  Random random;
  const std::string bytes = RandomMessage<ml_metadata::Artifact>(random).SerializeAsString();
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    EXPECT_EQ(ByCursor(cut), ByProtobuf(cut)) << Hex(cut);
  }
}

TEST(WireCursor, RefusesWhatIsNoField) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"field number 0", "00 01"},
      {"a group", "0b 0c"},
      {"wire type 6", "0e 01"},
      {"wire type 7", "0f 01"},
      {"a length beyond the end", "0a 05 61"},
      {"a length of 2^64 - 1", "0a ffffffffffffffffff01 61"},
      {"a field number beyond 2^29 - 1", "8080808010 01"},
      {"fixed64 of 7 bytes", "09 01020304050607"},
      {"fixed32 of 3 bytes", "0d 010203"},
      {"a varint without its end", "08 80"},
  };
  for (const auto& [what, hex] : cases) EXPECT_FALSE(ByCursor(FromHex(hex)).has_value()) << what;
  EXPECT_EQ(ByCursor(""), Fields());
}

TEST(WireCursor, NextStaysAtTheFirstDamage) {
  const std::string bytes = FromHex("08 01 0b 08 02");
  WireCursor cursor(bytes);
  EXPECT_TRUE(cursor.Next().has_value());
  EXPECT_FALSE(cursor.Next().has_value());
  EXPECT_FALSE(cursor.Next().has_value());
  EXPECT_FALSE(cursor.ok());
}

TEST(WireWriter, WritesWhatTheCursorReads) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    Fields expected;
    for (int64_t n = random.Between(1, 5); n > 0; --n) {
      const int number = static_cast<int>(random.Skewed() % 536870911) + 1;
      if (random.OneIn(2)) {
        const uint64_t value = random.Skewed();
        AppendVarintField(&bytes, number, value);
        expected.push_back({number, value, ""});
      } else {
        const std::string content = random.Bytes(300);
        const size_t before = bytes.size();
        AppendBytesField(&bytes, number, content);
        EXPECT_EQ(bytes.size() - before, BytesFieldSize(number, content.size()));
        expected.push_back({number, 0, content});
      }
    }
    EXPECT_EQ(ByProtobuf(bytes), expected);
    EXPECT_EQ(ByCursor(bytes), expected);
  }
}

TEST(WireWriter, VarintSizeIsWhatAppendVarintAppends) {
  for (int bits = 0; bits < 64; ++bits) {
    for (uint64_t value : {uint64_t{1} << bits, (uint64_t{1} << bits) - 1}) {
      std::string bytes;
      AppendVarint(&bytes, value);
      EXPECT_EQ(VarintSize(value), bytes.size()) << value;
    }
  }
  EXPECT_EQ(VarintSize(std::numeric_limits<uint64_t>::max()), 10u);
}

TEST(WireWriter, AnAppendedTypeIsReadAsTheNodesType) {
  Random random;
  auto artifact = RandomMessage<ml_metadata::Artifact>(random);
  artifact.clear_type();
  std::string bytes = artifact.SerializeAsString();
  AppendBytesField(&bytes, TraitsOf<ml_metadata::Artifact>::kFields.type, "Model");
  ml_metadata::Artifact parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  artifact.set_type("Model");
  EXPECT_EQ(parsed.SerializePartialAsString().size(), artifact.SerializePartialAsString().size());
  EXPECT_EQ(parsed.type(), "Model");
}

}  // namespace
}  // namespace pedigree
