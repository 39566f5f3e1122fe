#include <gtest/gtest.h>

#include "tests/conformance/demo_store.h"

namespace pedigree::conformance {
namespace {

TEST(NewestRun, IsTheRunThatWasCreatedLast) {
  StoredThings stored;
  EXPECT_EQ(NewestRun(stored), nullptr);
  for (const int64_t id : {1, 2, 3}) {
    ml_metadata::Context& context = stored.contexts.emplace_back();
    context.set_id(id);
    context.set_type(id == 3 ? "system.Pipeline" : "system.PipelineRun");
    context.set_create_time_since_epoch(1000);
  }
  EXPECT_EQ(NewestRun(stored)->id(), 2);
}

}  // namespace
}  // namespace pedigree::conformance
