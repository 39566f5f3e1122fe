// What is said of values, statistics, the journal and the cache.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "cli/cache_text.h"
#include "cli/journal_text.h"
#include "cli/node_text.h"
#include "cli/statistics_text.h"

namespace pedigree::cli {
namespace {

template <class Message>
Message Read(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

std::string TextOf(const std::string& value) { return ValueText(Read<ml_metadata::Value>(value)); }

TEST(ValueText, ReadsBackTheSame) {
  EXPECT_EQ(TextOf("int_value: -7"), "-7");
  EXPECT_EQ(TextOf("double_value: 0.97"), "0.97");
  EXPECT_EQ(TextOf("double_value: 0.1234567890123456"), "0.1234567890123456");
  EXPECT_EQ(TextOf("double_value: 0.30000000000000004"), "0.30000000000000004");
  EXPECT_EQ(TextOf("double_value: nan"), "nan");
  EXPECT_EQ(TextOf("double_value: inf"), "inf");
  EXPECT_EQ(TextOf("string_value: 'x'"), "x");
  EXPECT_EQ(TextOf("bool_value: true"), "true");
  EXPECT_EQ(TextOf("struct_value { fields { key: 'a' value { number_value: 1 } } }"), "{\"a\":1}");
  EXPECT_EQ(TextOf("proto_value { type_url: 't/x' value: 'ab' }"), "t/x, 2 bytes");
  EXPECT_EQ(TextOf(""), "");
}

TEST(StatisticsText, ShowsTotalsAndTypes) {
  const auto statistics = Read<v1::GetStatisticsResponse>(R"(
    artifact_types { type_id: 14 name: "system.Dataset" nodes: 3 }
    artifact_types { type_id: 15 name: "system.Model" version: "2" nodes: 1200 }
    execution_types { type_id: 13 name: "system.ContainerExecution" nodes: 8 }
    events: 15000 disk_bytes: 1572864 graph_bytes: 512 version: "0.1.0" uptime_ms: 90000
    last_write_ms: 1772442100000)");
  EXPECT_EQ(StatisticsText(statistics, Screen::Plain()),
            "  artifacts        1,203\n"
            "  executions       8\n"
            "  contexts         0\n"
            "  events           15,000\n"
            "  last write       2026-03-02T09:01:40.000Z\n"
            "  on the disk      1.5 MiB\n"
            "  graph in memory  512 B\n"
            "  block cache      0 B\n"
            "  record cache     0 B\n"
            "  version          0.1.0\n"
            "  up for           1 min 30 s\n"
            "\n"
            "KIND       TYPE                       VERSION  NODES\n"
            "artifact   system.Model               2         1200\n"
            "artifact   system.Dataset                          3\n"
            "execution  system.ContainerExecution               8\n");
}

TEST(EntryLine, SaysWhoDidWhat) {
  const auto entry = Read<v1::JournalEntry>(R"(
    sequence: 17 time_ms: 1772442100250 declared_principal: "alice" peer: "ipv4:127.0.0.1:5"
    method: "/ml_metadata.MetadataStoreService/PutExecution"
    changes { kind: CHANGED_EXECUTION action: CREATED id: 7 }
    changes { kind: CHANGED_ARTIFACT action: UPDATED id: 9 }
    changes { kind: CHANGED_EVENT action: CREATED id: 9 other_id: 7 event_type: 3 }
    changes { kind: CHANGED_ASSOCIATION action: CREATED id: 7 other_id: 2 })");
  EXPECT_EQ(EntryLine(entry, Screen::Plain()),
            "17  2026-03-02T09:01:40.250Z  PutExecution  alice, ipv4:127.0.0.1:5  created "
            "execution:7, updated artifact:9, created event artifact:9 execution:7 INPUT, created "
            "execution:7 in context:2\n");
}

TEST(EntryLine, PrefersWhatIsProvedAndCountsWhatIsMuch) {
  auto entry = Read<v1::JournalEntry>(
      "sequence: 1 tls_identity: 'ci\\n' declared_principal: 'root' method: 'M'");
  for (int i = 0; i < 10; ++i) *entry.add_changes() = Read<v1::Change>("kind: CHANGED_TASK");
  const std::string line = EntryLine(entry, Screen::Plain());
  EXPECT_NE(line.find("  ci\\n  "), std::string::npos) << line;
  EXPECT_EQ(line.find("root"), std::string::npos) << line;
  EXPECT_NE(line.find(" and 2 more\n"), std::string::npos) << line;
}

TEST(ChangedKind, HasANameForEachKind) {
  for (int number = 1; number <= v1::ChangedKind_MAX; ++number) {
    const auto kind = static_cast<v1::ChangedKind>(number);
    EXPECT_EQ(ChangedKindOf(NameOfKind(kind)), kind);
  }
  EXPECT_EQ(NameOfKind(v1::CHANGED_ARTIFACT_TYPE), "artifact-type");
  EXPECT_EQ(ChangedKindOf("unspecified"), v1::CHANGED_KIND_UNSPECIFIED);
  EXPECT_EQ(ChangedKindOf("model"), v1::CHANGED_KIND_UNSPECIFIED);
}

TEST(CacheText, SaysHitsAndMisses) {
  EXPECT_EQ(LookupText(Read<v1::LookupResponse>(R"(
              hit { execution { id: 4 name: "train" } completed_at_ms: 1772442100250 age_ms: 60000
                    outputs { artifact { id: 9 type: "system.Model" uri: "s3://m" }
                              event { path { steps { key: "model" } } } } })"),
                       Screen::Plain()),
            "  hit: execution:4 train, completed 2026-03-02T09:01:40.250Z\n"
            "  artifact:9  model  system.Model  s3://m\n");
  EXPECT_EQ(MissText(Read<v1::CacheMiss>("reason: STALE detail: 'execution 4 is old'")),
            "no hit, STALE: execution 4 is old");
  EXPECT_EQ(CacheStatsText(Read<v1::CacheStatsResponse>(R"(
              hits: 3 misses { reason: NEVER_SEEN count: 1 } saved_ms: 120000
              since_ms: 1772442100000 leases_granted: 2)"),
                           Screen::Plain()),
            "  since                    2026-03-02T09:01:40.000Z\n"
            "  look-ups                 4\n"
            "  hits                     3 (75 %)\n"
            "  no hit, NEVER_SEEN       1\n"
            "  time saved               2 min 0 s\n"
            "  leases granted           2\n"
            "  leases taken over        0\n"
            "  stale publishes refused  0\n");
}

}  // namespace
}  // namespace pedigree::cli
