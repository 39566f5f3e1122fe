#include "store/record.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/store/hex.h"
#include "tests/store/random_message.h"
#include "tests/store/status_testing.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using Ids = std::vector<int64_t>;

Ids RandomLinks(Random& random, size_t most) {
  Ids links(random.Index(most + 1));
  int64_t last = 0;
  for (int64_t& link : links) link = last += 1 + static_cast<int64_t>(random.Skewed() >> 30);
  return links;
}

TEST(Record, VectorOfItsComment) {
  Execution execution;
  execution.set_id(1);
  execution.set_type_id(11);
  EXPECT_EQ(Hex(EncodeRecord(Ids{2, 5}, FarLinks::kNone, execution.SerializeAsString())),
            WithoutBlanks("04 02 03 | 08 01 10 0b"));
  EXPECT_EQ(Hex(EncodeRecord(Ids{2, 5}, FarLinks::kSome, "")), "050203");
  EXPECT_EQ(Hex(EncodeRecord({}, FarLinks::kNone, "")), "00");
}

TEST(Record, LinksAndMessageComeBack) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    const Ids links = RandomLinks(random, kMaxNearLinks);
    const FarLinks far = random.OneIn(2) ? FarLinks::kSome : FarLinks::kNone;
    const std::string message = random.Bytes(50);
    const std::string bytes = EncodeRecord(links, far, message);
    const auto record = RecordView::Parse(bytes);
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->NearLinks(), links);
    EXPECT_EQ(record->HasFarLinks(), far == FarLinks::kSome);
    EXPECT_EQ(record->message(), message);
  }
}

TEST(Record, AContextHoldsAnyNumberOfParents) {
  Ids parents(10'000);
  std::iota(parents.begin(), parents.end(), 1);
  const std::string bytes = EncodeRecord(parents, FarLinks::kNone, "m");
  EXPECT_EQ(RecordView::Parse(bytes)->NearLinks(), parents);
  EXPECT_EQ(MaxNearLinks(NodeKind::kContext), SIZE_MAX);
  EXPECT_EQ(MaxNearLinks(NodeKind::kArtifact), kMaxNearLinks);
  EXPECT_EQ(MaxNearLinks(NodeKind::kExecution), kMaxNearLinks);
}

TEST(Record, ParseRefusesBytesThatEndTooEarly) {
  const std::string bytes = EncodeRecord(Ids{200, 500, 100'000}, FarLinks::kNone, "");
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(RecordView::Parse(bytes.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(RecordView::Parse(FromHex("ffffffffffffffffff01")).has_value());
}

// The grammar says ascending, each as the difference to the one before: ids begin at 1 and fit 63
// bits, so a difference of 0 or a sum beyond is damage.
TEST(Record, ParseRefusesLinksThatDoNotAscend) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"link 0", "02 00"},
      {"a repeated link", "04 05 00"},
      {"a link beyond 63 bits", "02 80808080808080808001"},
      {"a sum beyond 63 bits", "04 ffffffffffffffff7f ffffffffffffffff7f"},
  };
  for (const auto& [what, hex] : cases) {
    const std::string bytes = FromHex(hex);
    EXPECT_FALSE(RecordView::Parse(bytes).has_value()) << what;
  }
}

TEST(Record, DamagedBytesNeverLeadItAstray) {
  Random random;
  for (int i = 0; i < 20'000; ++i) {
    const std::string bytes = Damaged(
        random, EncodeRecord(RandomLinks(random, kMaxNearLinks), FarLinks::kNone, "message"));
    const auto record = RecordView::Parse(bytes);
    if (!record.has_value()) continue;
    EXPECT_LE(record->NearLinks().size(), bytes.size());
    EXPECT_LT(record->message().size(), bytes.size());
  }
}

template <class Node>
class Peek : public testing::Test {
 protected:
  static constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  static std::string UriOf(const Artifact& artifact) { return artifact.uri(); }
  static std::string UriOf(const Execution&) { return ""; }
  static std::string UriOf(const Context&) { return ""; }
};
using Nodes = testing::Types<Artifact, Execution, Context>;
TYPED_TEST_SUITE(Peek, Nodes);

TYPED_TEST(Peek, SaysWhatTheParsedMessageSays) {
  Random random;
  for (int i = 0; i < 500; ++i) {
    const auto node = RandomMessage<TypeParam>(random);
    const std::string bytes = node.SerializeAsString();
    EXPECT_EQ(PeekTypeId(this->kKind, bytes), node.type_id());
    const auto peek = PeekNode(this->kKind, bytes);
    ASSERT_TRUE(peek.has_value());
    EXPECT_EQ(peek->id, node.id());
    EXPECT_EQ(peek->type_id, node.type_id());
    EXPECT_EQ(peek->create_time_ms, node.create_time_since_epoch());
    EXPECT_EQ(peek->last_update_time_ms, node.last_update_time_since_epoch());
    EXPECT_EQ(peek->name.has_value(), node.has_name());
    EXPECT_EQ(peek->name.value_or(""), node.name());
    EXPECT_EQ(peek->external_id.has_value(), node.has_external_id());
    EXPECT_EQ(peek->external_id.value_or(""), node.external_id());
    EXPECT_EQ(peek->uri, this->UriOf(node));
  }
}

TYPED_TEST(Peek, TellsAnEmptyNameFromNone) {
  TypeParam node;
  node.set_name("");
  node.set_external_id("");
  const std::string bytes = node.SerializeAsString();
  EXPECT_EQ(PeekNode(this->kKind, bytes)->name, absl::string_view());
  EXPECT_EQ(PeekNode(this->kKind, bytes)->external_id, absl::string_view());
  EXPECT_EQ(PeekNode(this->kKind, "")->name, std::nullopt);
}

TYPED_TEST(Peek, RefusesWhatIsNoMessage) {
  EXPECT_EQ(PeekNode(this->kKind, FromHex("08 80")), std::nullopt);
  EXPECT_EQ(PeekTypeId(this->kKind, FromHex("08 80")), 0);
  Random random;
  for (int i = 0; i < 5000; ++i) {
    const std::string bytes = Damaged(random, RandomMessage<TypeParam>(random).SerializeAsString());
    const auto peek = PeekNode(this->kKind, bytes);
    (void)PeekTypeId(this->kKind, bytes);
    if (peek.has_value() && peek->name.has_value()) {
      EXPECT_LE(peek->name->size(), bytes.size());
    }
  }
}

// The field numbers of TraitsOf are those of the message.
TYPED_TEST(Peek, FieldNumbersAreTheMessages) {
  const NodeFields& fields = TraitsOf<TypeParam>::kFields;
  const auto number = [](const char* name) {
    const auto* field = TypeParam::descriptor()->FindFieldByName(name);
    return field == nullptr ? 0 : field->number();
  };
  EXPECT_EQ(fields.id, number("id"));
  EXPECT_EQ(fields.type_id, number("type_id"));
  EXPECT_EQ(fields.name, number("name"));
  EXPECT_EQ(fields.type, number("type"));
  EXPECT_EQ(fields.uri, number("uri"));
  EXPECT_EQ(fields.state, number("state") + number("last_known_state"));
  EXPECT_EQ(fields.create_time, number("create_time_since_epoch"));
  EXPECT_EQ(fields.last_update_time, number("last_update_time_since_epoch"));
  EXPECT_EQ(fields.external_id, number("external_id"));
  EXPECT_EQ(fields.properties, number("properties"));
  EXPECT_EQ(fields.custom_properties, number("custom_properties"));
  EXPECT_EQ(&FieldsOf(this->kKind), &fields);
  EXPECT_EQ(NameOf(this->kKind), TraitsOf<TypeParam>::kName);
}

std::vector<std::string> EventsIn(absl::string_view chunk, bool* whole) {
  std::vector<std::string> events;
  *whole = VisitChunk(chunk, [&](absl::string_view event) {
    events.emplace_back(event);
    return true;
  });
  return events;
}

TEST(Chunk, EventsComeBackInOrder) {
  Random random;
  for (int i = 0; i < 500; ++i) {
    std::vector<std::string> events(random.Index(20));
    std::string chunk;
    for (std::string& event : events) {
      event = random.Bytes(300);
      AppendEventToChunk(event, &chunk);
    }
    bool whole = false;
    EXPECT_EQ(EventsIn(chunk, &whole), events);
    EXPECT_TRUE(whole);
  }
}

TEST(Chunk, Vector) {
  std::string chunk;
  AppendEventToChunk("ab", &chunk);
  AppendEventToChunk("", &chunk);
  AppendEventToChunk(std::string(200, 'x'), &chunk);
  EXPECT_EQ(Hex(chunk),
            "02"
            "6162"
            "00"
            "c801" +
                Hex(std::string(200, 'x')));
}

TEST(Chunk, AVisitorThatHasEnoughEndsTheVisit) {
  std::string chunk;
  for (const char* event : {"a", "b", "c"}) AppendEventToChunk(event, &chunk);
  int visited = 0;
  EXPECT_TRUE(VisitChunk(chunk, [&](absl::string_view) { return ++visited < 2; }));
  EXPECT_EQ(visited, 2);
}

TEST(Chunk, DamagedBytesAreRefusedOrRead) {
  Random random;
  for (int i = 0; i < 20'000; ++i) {
    std::string chunk;
    for (int64_t n = random.Between(1, 5); n > 0; --n) {
      AppendEventToChunk(random.Bytes(10), &chunk);
    }
    const std::string bytes = Damaged(random, chunk);
    bool whole = false;
    size_t read = 0;
    for (const std::string& event : EventsIn(bytes, &whole)) read += event.size() + 1;
    EXPECT_LE(read, bytes.size());
  }
  bool whole = true;
  EventsIn(FromHex("05 6162"), &whole);
  EXPECT_FALSE(whole);
  EventsIn(FromHex("80"), &whole);
  EXPECT_FALSE(whole);
}

TEST(Counters, ComeBackAndRefuseOtherSizes) {
  Counters counters;
  counters.last_node_id[0] = 7;
  counters.last_node_id[1] = 3;
  counters.last_node_id[2] = 2;
  counters.last_type_id = 12;
  counters.last_event_number = 9;
  counters.last_time_ms = 5;
  const std::string bytes = counters.Encode();
  EXPECT_EQ(Hex(bytes), WithoutBlanks("0000000000000007 0000000000000003 0000000000000002 "
                                      "000000000000000c 0000000000000009 0000000000000005"));
  Counters decoded;
  ASSERT_TRUE(Counters::Decode(bytes, &decoded));
  EXPECT_EQ(decoded.Encode(), bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Counters::Decode(bytes.substr(0, size), &decoded)) << size;
  }
  EXPECT_FALSE(Counters::Decode(bytes + "x", &decoded));
}

TEST(Record, DamagedRecordSaysWhichNode) {
  EXPECT_TRUE(Fails(DamagedRecord("artifact", 7), absl::StatusCode::kDataLoss, "artifact 7"));
}

}  // namespace
}  // namespace pedigree
