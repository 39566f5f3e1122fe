// What a difference between two lineages is about.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/lineage/answers.h"

namespace pedigree::cli {
namespace {

// As the first column of CSV names it, for a property of a step.
std::string AboutOf(const std::string& property) {
  v1::CompareResponse answer;
  auto* pair = answer.add_differing();
  pair->set_hops(1);
  pair->mutable_a()->set_kind(v1::EXECUTION);
  pair->mutable_b()->set_kind(v1::EXECUTION);
  auto* value = pair->add_differences();
  value->set_field(absl::StrCat("custom_properties.", property));
  value->set_a("1");
  value->set_b("2");
  const std::string csv = CompareTable(answer, {.a = "a", .b = "b"}, {}).ToCsv();
  const size_t row = csv.find('\n', csv.find('\n') + 1) + 1;  // After titles and names.
  return csv.substr(row, csv.find(',', row) - row);
}

TEST(CompareTable, JudgesPropertiesByWholeWords) {
  for (const char* name : {"git", "git_commit", "image-digest", "Container.Image", "code"}) {
    EXPECT_EQ(AboutOf(name), "code") << name;
  }
  for (const char* name : {"cache_fingerprint", "parent_dag_id", "pod_name", "pod_uid"}) {
    EXPECT_EQ(AboutOf(name), "bookkeeping") << name;
  }
  EXPECT_EQ(AboutOf("schema_version"), "version");
  for (const char* name : {"logits", "encoder", "digits", "podium", "images", "conversion"}) {
    EXPECT_EQ(AboutOf(name), "parameter") << name;
  }
}

TEST(CompletenessText, LeavesATerminalNothingToObey) {
  v1::Completeness completeness;
  completeness.set_reason("a \033[31mlimit");
  EXPECT_TRUE(absl::StrContains(CompletenessText(completeness, Screen::Plain()),
                                "Not complete: a \\033[31mlimit\n"));
}

}  // namespace
}  // namespace pedigree::cli
