// The options that lineage commands share.
#include "cli/lineage/question.h"

#include <gtest/gtest.h>

namespace pedigree::cli {
namespace {

TEST(ScopeOf, SaysWhatIsAsked) {
  const auto scope = ScopeOf({.depth = 3,
                              .where = "a",
                              .where_executions = "b",
                              .stop_at = "c",
                              .stop_at_executions = "d",
                              .as_of = "5"});
  ASSERT_TRUE(scope.ok());
  EXPECT_EQ(scope->max_hops(), 3);
  EXPECT_EQ(scope->artifact_filter(), "a");
  EXPECT_EQ(scope->execution_filter(), "b");
  EXPECT_EQ(scope->stop_artifacts(), "c");
  EXPECT_EQ(scope->stop_executions(), "d");
  EXPECT_EQ(scope->as_of_ms(), 5);
  EXPECT_EQ(RemarkOf(*scope), "as of 1970-01-01T00:00:00.005Z");
  const auto all = ScopeOf({});
  ASSERT_TRUE(all.ok());
  EXPECT_FALSE(all->has_max_hops());
  EXPECT_FALSE(all->has_as_of_ms());
  EXPECT_EQ(RemarkOf(*all), "");
}

}  // namespace
}  // namespace pedigree::cli
