// Lists that are longer than a server's pages.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/cli/fixture.h"
#include "tests/cli/session.h"
#include "tests/support/raw_client.h"

namespace pedigree::cli {
namespace {

class ListTest : public ::testing::Test {
 protected:
  static constexpr int kAdded = 250;  // To the seven artifacts of the history.

  void SetUp() override {
    server_ = history_.Serve();
    ASSERT_NE(server_, nullptr);
    testing::RawClient client(server_->address());
    ml_metadata::PutArtifactsRequest request;
    for (int i = 0; i < kAdded; ++i) {
      auto* artifact = request.add_artifacts();
      artifact->set_type_id(15);
      artifact->set_name(absl::StrCat("more, ", i));
    }
    ml_metadata::PutArtifactsResponse answer;
    ASSERT_TRUE(client.Call("PutArtifacts", request, &answer).ok());
  }

  std::string Run(const std::string& command) const {
    return Shell{
        .program_dir = kProgramDir, .server = server_->address(), .data_dir = "", .work_dir = ""}
        .Run(command);
  }

  const HistoryStore history_;
  std::unique_ptr<testing::ServerProcess> server_;
};

TEST_F(ListTest, IsOneDocumentHoweverManyPagesItHas) {
  EXPECT_EQ(Run("pedigree ls artifacts --limit 0 --output csv | grep -c more,"), "250\n");
  EXPECT_EQ(Run("pedigree ls artifacts --limit 0 --output csv | grep -c '^id,name'"), "1\n");
  EXPECT_EQ(Run("pedigree ls artifacts --limit 0 --output csv | tail -1 | cut -d, -f1-3"),
            "257,\"more, 249\"\n");
  EXPECT_EQ(
      Run("pedigree ls artifacts --limit 0 --output json | python3 -c '"
          "import json, sys; ids = [int(a[\"id\"]) for a in json.load(sys.stdin)[\"artifacts\"]]; "
          "print(ids == list(range(1, 258)))'"),
      "True\n");
  EXPECT_EQ(Run("pedigree ls artifacts --where 'name = \"nobody\"' --output json"),
            "{\n \"artifacts\": []\n}\n");
}

TEST_F(ListTest, EndsAtItsLimitAndSaysSo) {
  EXPECT_EQ(Run("pedigree ls artifacts --limit 150 --output csv | grep -c more,"), "143\n");
  const std::string table = Run("pedigree ls artifacts --limit 150 | tail -2");
  EXPECT_TRUE(absl::StrContains(table, "150  ")) << table;
  EXPECT_TRUE(absl::StrContains(table, "more than these 150: --limit N shows N, --limit 0 all"))
      << table;
}

}  // namespace
}  // namespace pedigree::cli
