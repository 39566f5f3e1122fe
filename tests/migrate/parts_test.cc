// The small parts of an import.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "migrate/database_url.h"
#include "migrate/digest.h"
#include "migrate/link_list.h"
#include "migrate/progress.h"
#include "store/id_bitmap.h"
#include "tests/store/status_testing.h"

namespace pedigree::migrate {
namespace {

using absl::StatusCode;

std::vector<int64_t> Of(LinkList::Cursor* cursor, int64_t node) {
  const auto contexts = cursor->Of(node);
  return {contexts.begin(), contexts.end()};
}

TEST(LinkList, GivesTheContextsOfNodesInOrder) {
  LinkList links;
  for (const auto& [node, context] : std::vector<std::pair<int64_t, int64_t>>{
           {3, 2}, {3, 900}, {4, 1}, {100000, 7}, {int64_t{1} << 40, 5}}) {
    links.Add(node, context);
  }
  EXPECT_EQ(links.size(), 5);
  LinkList::Cursor all(links);
  EXPECT_EQ(Of(&all, 1), (std::vector<int64_t>{}));
  EXPECT_EQ(Of(&all, 3), (std::vector<int64_t>{2, 900}));
  EXPECT_EQ(Of(&all, 4), (std::vector<int64_t>{1}));
  EXPECT_EQ(Of(&all, 5), (std::vector<int64_t>{}));
  EXPECT_EQ(Of(&all, int64_t{1} << 40), (std::vector<int64_t>{5}));
  LinkList::Cursor late(links);
  EXPECT_EQ(Of(&late, 100000), (std::vector<int64_t>{7}));
}

TEST(IdBitmap, HasWhatWasInserted) {
  IdBitmap ids;
  for (int64_t id : {int64_t{1}, int64_t{4095}, int64_t{4096}, int64_t{1} << 50}) ids.Insert(id);
  for (int64_t id : {int64_t{1}, int64_t{4095}, int64_t{4096}, int64_t{1} << 50}) {
    EXPECT_TRUE(ids.Contains(id)) << id;
  }
  for (int64_t id : {int64_t{0}, int64_t{2}, int64_t{4097}, int64_t{-1}, int64_t{1} << 51}) {
    EXPECT_FALSE(ids.Contains(id)) << id;
  }
}

TEST(Digest, IsTheSameInAnyOrderAndOfTheSameRowsOnly) {
  Digest a;
  a.Add(1, "one");
  a.Add(2, "two");
  a.Add(5000, "three");
  Digest b;
  b.Add(5000, "three");
  b.Add(2, "two");
  b.Add(1, "one");
  EXPECT_EQ(a.ToHex(), b.ToHex());
  EXPECT_TRUE(a.Differences(b).empty());
  // Twice the same row is not none, nor is it another one.
  Digest twice = a;
  twice.Add(1, "one");
  EXPECT_NE(a.ToHex(), twice.ToHex());
  EXPECT_EQ(a.Differences(twice), (std::vector<int64_t>{0}));
  Digest other = a;
  other.Add(7000, "four");
  EXPECT_EQ(a.Differences(other), (std::vector<int64_t>{6}));
  EXPECT_EQ(other.Differences(a), (std::vector<int64_t>{6}));
  EXPECT_EQ(other.rows(), 4);
}

TEST(DatabaseUrl, HasItsParts) {
  const auto url =
      ParseDatabaseUrl("mysql://us%40er:p@ss:w%2Ford@db.example:3307/meta?charset=latin1");
  ASSERT_TRUE(IsOk(url));
  EXPECT_EQ(url->user, "us@er");
  EXPECT_EQ(url->password, "p@ss:w/ord");
  EXPECT_EQ(url->host, "db.example");
  EXPECT_EQ(url->port, 3307);
  EXPECT_EQ(url->database, "meta");
  EXPECT_EQ(url->options.at("charset"), "latin1");
  EXPECT_EQ(url->ToString(), "mysql://us@er@db.example:3307/meta");
  const auto bare = ParseDatabaseUrl("postgresql://[::1]/meta");
  ASSERT_TRUE(IsOk(bare));
  EXPECT_EQ(bare->host, "::1");
  EXPECT_EQ(bare->port, 0);
  EXPECT_TRUE(Fails(ParseDatabaseUrl("mysql://u:secret@h:99999/d"), StatusCode::kInvalidArgument));
  const auto none = ParseDatabaseUrl("mysql://u:secret@h");
  EXPECT_TRUE(Fails(none, StatusCode::kInvalidArgument, "no database"));
  EXPECT_EQ(none.status().message().find("secret"), std::string::npos);
}

TEST(Progress, SaysRowsRateAndTheTimeLeft) {
  EXPECT_EQ(Progress::LineOf("importing", 500, 2000, std::chrono::seconds(5)),
            "importing: 500 of 2000 rows (25 %), 100 rows/s, 15 s left");
  EXPECT_EQ(Progress::LineOf("importing", 2500, 2000, std::chrono::seconds(5)),
            "importing: 2500 of 2500 rows (100 %), 500 rows/s");
  EXPECT_EQ(Progress::LineOf("importing", 0, 0, std::chrono::seconds(0)),
            "importing: 0 of 0 rows (100 %), 0 rows/s");
}

}  // namespace
}  // namespace pedigree::migrate
