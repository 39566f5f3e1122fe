#include "cli/reference.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/cli/fixture.h"

namespace pedigree::cli {
namespace {

class ReferenceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto connection = Connection::Open({.data_dir = history_.data_dir()});
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_ = *std::move(connection);
  }

  std::string Resolved(absl::string_view text, absl::Span<const NodeKind> kinds = kNodeKinds) {
    const auto ref = Resolve(connection_.get(), text, kinds);
    return ref.ok() ? ToString(*ref) : std::string(absl::StatusCodeToString(ref.status().code()));
  }

  const HistoryStore history_;
  std::unique_ptr<Connection> connection_;
};

constexpr NodeKind kContexts[] = {NodeKind::kContext};
constexpr NodeKind kArtifacts[] = {NodeKind::kArtifact};

TEST_F(ReferenceTest, FindsNodesByIdNameAndUri) {
  EXPECT_EQ(Resolved("artifact:3"), "artifact:3");
  EXPECT_EQ(Resolved("execution:4711"), "execution:4711");  // Whoever asks for it is told.
  EXPECT_EQ(Resolved("churn-v2"), "artifact:5");
  EXPECT_EQ(Resolved("artifact:churn-v2"), "artifact:5");
  EXPECT_EQ(Resolved("run/churn-2026-03-09"), "execution:5");
  EXPECT_EQ(Resolved("churn-2026-03-09"), "context:3");
  EXPECT_EQ(Resolved("s3://models/churn/v1"), "artifact:3");
}

TEST_F(ReferenceTest, TakesANumberWhereOneKindIsAskedFor) {
  EXPECT_EQ(Resolved("3", kContexts), "context:3");
  EXPECT_EQ(Resolved("3"), "NOT_FOUND");
}

TEST_F(ReferenceTest, RefusesOtherKinds) {
  EXPECT_EQ(Resolved("artifact:3", kContexts), "INVALID_ARGUMENT");
  EXPECT_EQ(Resolved("churn-v2", kContexts), "NOT_FOUND");
  EXPECT_EQ(Resolved("", kContexts), "INVALID_ARGUMENT");
  EXPECT_EQ(Resolved("artifact:"), "INVALID_ARGUMENT");
}

TEST_F(ReferenceTest, ListsAllThatANameMayMean) {
  const auto ref = Resolve(connection_.get(), "churn");  // An artifact and a pipeline.
  EXPECT_EQ(ref.status().code(), absl::StatusCode::kNotFound);
  for (const char* part : {"\n  artifact:7  system.Dataset", "\n  context:1  system.Pipeline"}) {
    EXPECT_TRUE(absl::StrContains(ref.status().message(), part)) << ref.status();
  }
  EXPECT_FALSE(absl::StrContains(ref.status().message(), "\033"));
  EXPECT_EQ(Resolved("churn", kContexts), "context:1");
  EXPECT_EQ(Resolved("artifact:churn"), "artifact:7");
}

TEST_F(ReferenceTest, QuotesWhatFiltersWouldRead) {
  EXPECT_EQ(Resolved("' OR id = 3 OR name = '", kArtifacts), "NOT_FOUND");
  EXPECT_EQ(Resolved("\\", kArtifacts), "NOT_FOUND");
  EXPECT_EQ(Resolved("churn-v%", kArtifacts), "NOT_FOUND");
}

}  // namespace
}  // namespace pedigree::cli
