#include "store/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "store/codec.h"
#include "tests/store/hex.h"
#include "tests/store/random.h"
#include "tests/store/scratch_directory.h"

namespace pedigree {
namespace {

constexpr int kRounds = 1000;

std::string Block(std::string prefix, int64_t block) {
  AppendId(&prefix, block);
  return prefix;
}

// The example on each key of keys.h, in its order, as the code encodes it.
std::vector<std::string> EncodedExamples() {
  return {
      FormatKey().Encode(),
      CountersKey().Encode(),
      TypeKey{NodeKind::kArtifact, 10}.Encode(),
      PropertyIndexKey{1}.Encode(),
      NodeKey{NodeKind::kArtifact, 7}.Encode(),
      ExecutionEventsKey{3, 9}.Encode(),
      ArtifactEventKey{7, 3, ml_metadata::Event::OUTPUT}.Encode(),
      LineageSnapshotKey().Encode(),
      CreateOrderKey().Encode(),
      ImportKey().Encode(),
      JournalHeadKey().Encode(),
      JournalKey{9}.Encode(),
      EventLogKey{9}.Encode(),
      CacheTokenKey().Encode(),
      CacheEntryKey{4}.Encode(),
      CacheLeaseKey{FingerprintText("f"), CacheScope::kNamespace, "n", "p"}.Encode(),
      CacheLookupKey{FingerprintText("f"), "n", "", 1, 5, 4}.Encode(),
      TaskKey{7}.Encode(),
      LastTaskKey().Encode(),
      NameKey{NodeKind::kContext, 12, "r"}.Encode(),
      ExternalIdKey{NodeKind::kExecution, "x"}.Encode(),
      UriKey{"s3", 7}.Encode(),
      FarLinkKey{NodeKind::kArtifact, 7, 2}.Encode(),
      PropertyKey{2, PropertyValue::Int(5), 7}.Encode(),
      TaskFingerprintKey{"f", "p", "n", {5, 7}}.Encode(),
      Block(TypeMembersPrefix(NodeKind::kExecution, 11), 1),
      Block(ContextMembersPrefix(2, NodeKind::kArtifact), 0),
      Block(UpdateTimePrefix(NodeKind::kArtifact, 5), 0),
      Block(CreateTimePrefix(NodeKind::kArtifact, 5), 0),
  };
}

// The hexadecimal digits that end the comment lines with "e.g.".
std::vector<std::string> ExamplesInTheHeader() {
  std::vector<std::string> found;
  const std::string header = ReadFile(PEDIGREE_STORE_DIR "/keys.h");
  for (absl::string_view line : absl::StrSplit(header, '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, "e.g. ");
    if (parts.size() != 2) continue;
    const std::vector<absl::string_view> words = absl::StrSplit(parts[1], ": ");
    const std::string digits = WithoutBlanks(words.back());
    if (std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit)) found.push_back(digits);
  }
  return found;
}

TEST(Keys, AreWhatTheirCommentsSay) {
  const std::vector<std::string> in_header = ExamplesInTheHeader();
  const std::vector<std::string> encoded = EncodedExamples();
  ASSERT_EQ(in_header.size(), encoded.size()) << "one example per key of keys.h";
  for (size_t i = 0; i < encoded.size(); ++i) EXPECT_EQ(Hex(encoded[i]), in_header[i]) << i;
}

TEST(Keys, PrefixesBeginTheirKeys) {
  const auto begins = [](const std::string& key, const std::string& prefix) {
    return key.size() > prefix.size() && key.substr(0, prefix.size()) == prefix;
  };
  EXPECT_TRUE(begins(ExecutionEventsKey{3, 9}.Encode(), ExecutionEventsKey::Prefix(3)));
  EXPECT_TRUE(begins(ArtifactEventKey{7, 3, 4}.Encode(), ArtifactEventKey::Prefix(7)));
  EXPECT_TRUE(begins(UriKey{"s3", 7}.Encode(), UriKey::Prefix("s3")));
  EXPECT_FALSE(begins(UriKey{"s3x", 7}.Encode(), UriKey::Prefix("s3")));
  const std::string task = TaskFingerprintKey{"f", "p", "n", {5, 7}}.Encode();
  EXPECT_TRUE(begins(task, TaskFingerprintKey::Prefix("f")));
  EXPECT_TRUE(begins(task, TaskFingerprintKey::Prefix("f", "p")));
  EXPECT_TRUE(begins(task, TaskFingerprintKey::Prefix("f", "p", "n")));
  EXPECT_FALSE(begins(task, TaskFingerprintKey::Prefix("f", "p", "")));
  EXPECT_FALSE(begins(task, TaskFingerprintKey::Prefix("fp", "n")));
  EXPECT_TRUE(begins(FarLinkKey{NodeKind::kArtifact, 7, 2}.Encode(),
                     FarLinkKey::Prefix(NodeKind::kArtifact, 7)));
  EXPECT_TRUE(
      begins(UpdateTimePrefix(NodeKind::kArtifact, 5), UpdateTimesPrefix(NodeKind::kArtifact)));
  EXPECT_TRUE(begins(NodeKey{NodeKind::kArtifact, 7}.Encode(), KeyHead(Tag::kNode)));
  EXPECT_EQ(KeyHead(Tag::kNode).size(), kKeyHeadBytes);
}

NodeKind RandomKind(Random& random) { return kNodeKinds[random.Index(3)]; }
int64_t RandomId(Random& random) { return static_cast<int64_t>(random.Skewed() >> 1); }

TEST(Keys, DecodeGivesBackWhatWasEncoded) {
  Random random;
  for (int i = 0; i < kRounds; ++i) {
    const NodeKind kind = RandomKind(random);
    const int64_t a = RandomId(random);
    const int64_t b = RandomId(random);
    const auto byte = static_cast<uint8_t>(random.Bits());

    TypeKey type = {};
    ASSERT_TRUE(TypeKey::Decode(TypeKey{kind, a}.Encode(), &type));
    EXPECT_TRUE(type.kind == kind && type.id == a);
    NodeKey node = {};
    ASSERT_TRUE(NodeKey::Decode(NodeKey{kind, a}.Encode(), &node));
    EXPECT_TRUE(node.kind == kind && node.id == a);
    ExecutionEventsKey events = {};
    ASSERT_TRUE(ExecutionEventsKey::Decode(ExecutionEventsKey{a, b}.Encode(), &events));
    EXPECT_TRUE(events.execution == a && events.number == b);
    ArtifactEventKey event = {};
    ASSERT_TRUE(ArtifactEventKey::Decode(ArtifactEventKey{a, b, byte}.Encode(), &event));
    EXPECT_TRUE(event.artifact == a && event.execution == b && event.type == byte);
    FarLinkKey link = {};
    ASSERT_TRUE(FarLinkKey::Decode(FarLinkKey{kind, a, b}.Encode(), &link));
    EXPECT_TRUE(link.kind == kind && link.id == a && link.context == b);
    TaskKey task = {};
    ASSERT_TRUE(TaskKey::Decode(TaskKey{a}.Encode(), &task));
    EXPECT_EQ(task.number, a);
    TaskPlace place = {};
    const int64_t second = static_cast<int64_t>(random.Bits());
    const std::string text = random.Bytes(200);
    ASSERT_TRUE(TaskFingerprintKey::DecodePlace(
        TaskFingerprintKey{text, random.Bytes(9), random.Bytes(9), {second, a}}.Encode(), &place));
    EXPECT_EQ(place, (TaskPlace{second, a}));
    CacheEntryKey entry = {};
    ASSERT_TRUE(CacheEntryKey::Decode(CacheEntryKey{a}.Encode(), &entry));
    EXPECT_EQ(entry.execution, a);
    const std::string fingerprint = FingerprintText(random.Bytes(200));
    const std::string name_space = random.Bytes(20);
    const std::string pipeline = random.Bytes(200);
    const std::string lookup =
        CacheLookupKey{fingerprint, name_space, pipeline, byte, a, b}.Encode();
    CacheLookupKey numbers = {};
    size_t pair_size = 0;
    ASSERT_TRUE(CacheLookupKey::DecodeNumbers(lookup, &numbers, &pair_size));
    EXPECT_TRUE(numbers.cache_class == byte && numbers.completed_ms == a && numbers.execution == b);
    EXPECT_EQ(lookup.substr(0, pair_size),
              CacheLookupKey::Prefix(fingerprint, name_space, pipeline));
    EXPECT_EQ(FingerprintTextIn(lookup), fingerprint);
    const std::string lease =
        CacheLeaseKey{fingerprint, CacheScope::kPipeline, name_space, pipeline}.Encode();
    EXPECT_TRUE(CacheLeaseKey::IsOne(lease));
    EXPECT_EQ(FingerprintTextIn(lease), fingerprint);
    int64_t artifact = 0;
    const std::string uri = random.Bytes(200);
    ASSERT_TRUE(UriKey::DecodeArtifact(UriKey{uri, a}.Encode(), &artifact));
    EXPECT_EQ(artifact, a);
  }
}

struct Decodable {
  const char* what;
  std::string key;
  std::function<bool(absl::string_view)> decodes;
  bool has_kind;
};

std::vector<Decodable> EveryDecodableKey() {
  return {
      {"type", TypeKey{NodeKind::kArtifact, 10}.Encode(),
       [](absl::string_view key) {
         TypeKey out;
         return TypeKey::Decode(key, &out);
       },
       true},
      {"cache_entry", CacheEntryKey{4}.Encode(),
       [](absl::string_view key) {
         CacheEntryKey out;
         return CacheEntryKey::Decode(key, &out);
       },
       false},
      {"cache_lookup", CacheLookupKey{FingerprintText("f"), "n", "p", 1, 5, 4}.Encode(),
       [](absl::string_view key) {
         CacheLookupKey out;
         size_t pair_size = 0;
         return CacheLookupKey::DecodeNumbers(key, &out, &pair_size);
       },
       false},
      {"cache_lease", CacheLeaseKey{FingerprintText("f"), CacheScope::kAny, "", ""}.Encode(),
       [](absl::string_view key) { return CacheLeaseKey::IsOne(key); }, false},
      {"node", NodeKey{NodeKind::kArtifact, 7}.Encode(),
       [](absl::string_view key) {
         NodeKey out;
         return NodeKey::Decode(key, &out);
       },
       true},
      {"execution_events", ExecutionEventsKey{3, 9}.Encode(),
       [](absl::string_view key) {
         ExecutionEventsKey out;
         return ExecutionEventsKey::Decode(key, &out);
       },
       false},
      {"artifact_event", ArtifactEventKey{7, 3, 4}.Encode(),
       [](absl::string_view key) {
         ArtifactEventKey out;
         return ArtifactEventKey::Decode(key, &out);
       },
       false},
      {"uri", UriKey{"s3", 7}.Encode(),
       [](absl::string_view key) {
         int64_t out;
         return UriKey::DecodeArtifact(key, &out);
       },
       false},
      {"far_link", FarLinkKey{NodeKind::kArtifact, 7, 2}.Encode(),
       [](absl::string_view key) {
         FarLinkKey out;
         return FarLinkKey::Decode(key, &out);
       },
       true},
      {"task", TaskKey{7}.Encode(),
       [](absl::string_view key) {
         TaskKey out;
         return TaskKey::Decode(key, &out);
       },
       false},
      {"task_fingerprint", TaskFingerprintKey{"f", "p", "n", {5, 7}}.Encode(),
       [](absl::string_view key) {
         TaskPlace out;
         return TaskFingerprintKey::DecodePlace(key, &out);
       },
       false},
  };
}

TEST(Keys, DecodeRefusesTruncatedAndOverlongKeys) {
  for (const Decodable& one : EveryDecodableKey()) {
    EXPECT_TRUE(one.decodes(one.key)) << one.what;
    for (size_t size = 0; size < one.key.size(); ++size) {
      EXPECT_FALSE(one.decodes(absl::string_view(one.key).substr(0, size)))
          << one.what << ", " << size << " bytes";
    }
    EXPECT_FALSE(one.decodes(one.key + std::string(1, '\0'))) << one.what;
  }
}

TEST(Keys, DecodeRefusesForeignKeys) {
  const std::vector<Decodable> all = EveryDecodableKey();
  for (const Decodable& one : all) {
    for (const Decodable& other : all) {
      EXPECT_EQ(one.decodes(other.key), &one == &other) << one.what << " of a " << other.what;
    }
    std::string other_space = one.key;
    other_space[3] = '\x01';
    EXPECT_FALSE(one.decodes(other_space)) << one.what;
    if (!one.has_kind) continue;
    for (char kind : {'\x00', '\x04', '\xff'}) {
      std::string other_kind = one.key;
      other_kind[kKeyHeadBytes] = kind;
      EXPECT_FALSE(one.decodes(other_kind)) << one.what << " of kind " << int{kind};
    }
  }
}

TEST(Keys, OfOnePrefixStandInIdOrder) {
  Random random;
  for (int i = 0; i < kRounds; ++i) {
    const int64_t a = RandomId(random);
    const int64_t b = RandomId(random);
    const auto encoded = [](int64_t id) { return NodeKey{NodeKind::kContext, id}.Encode(); };
    EXPECT_EQ(a < b, encoded(a) < encoded(b));
    const auto numbered = [](int64_t number) { return ExecutionEventsKey{3, number}.Encode(); };
    EXPECT_EQ(a < b, numbered(a) < numbered(b));
    const auto newest_first = [](int64_t second, int64_t number) {
      return TaskFingerprintKey{"f", "p", "n", {second, number}}.Encode();
    };
    EXPECT_EQ(a > b, newest_first(5, a) < newest_first(5, b));
    EXPECT_EQ(a - b > 0, newest_first(a - b, 1) < newest_first(0, 2));
    const auto timed = [](int64_t time) { return UpdateTimePrefix(NodeKind::kArtifact, time); };
    EXPECT_EQ(a - b < 0, timed(a - b) < timed(0));
  }
}

}  // namespace
}  // namespace pedigree
