// What `pedigree verify`, `backup` and `restore` print.
#include "cli/admin_text.h"

#include <gtest/gtest.h>

#include "cli/byte_progress.h"

namespace pedigree::cli {
namespace {

TEST(VerifyText, SaysThatNothingIsWrong) {
  VerifyReport report;
  report.nodes[IndexOf(NodeKind::kArtifact)] = 3;
  report.nodes[IndexOf(NodeKind::kExecution)] = 2;
  report.nodes[IndexOf(NodeKind::kContext)] = 1;
  report.events = 5;
  const auto response = ToResponse(report, 40);
  EXPECT_EQ(VerifyText(response),
            "3 artifacts\n2 executions\n1 context\n5 events\n40 keys\nno problems\n");
  EXPECT_TRUE(VerifyStatus(response).ok());
}

TEST(VerifyText, ListsProblemsAndCountsThoseBeyond) {
  VerifyReport report;
  report.problems = {"artifact 7: \033name: missing", "events: 1 by execution, 2 by artifact"};
  report.problem_count = 5;
  const auto response = ToResponse(report, 9);
  EXPECT_EQ(VerifyText(response),
            "0 artifacts\n0 executions\n0 contexts\n0 events\n9 keys\n"
            "artifact 7: \\033name: missing\nevents: 1 by execution, 2 by artifact\nand 3 more\n");
  EXPECT_TRUE(absl::IsDataLoss(VerifyStatus(response)));
  EXPECT_EQ(VerifyStatus(response).message().substr(0, 11), "5 problems:");
}

TEST(BackupText, SaysWhatIsNew) {
  v1::BackupResponse response;
  response.set_backup_id(3);
  response.set_bytes(3 << 20);
  response.set_bytes_copied(512);
  EXPECT_EQ(BackupText(response),
            "backup 3 of 3.0 MiB, 512 B of them new; read back and found whole");
}

TEST(ByteProgress, SaysHowFarItIsWhateverWasEstimated) {
  EXPECT_EQ(ByteProgress::LineOf("copying", 3 << 19, 6 << 20),
            "copying: 1.5 MiB of 6.0 MiB (25 %)");
  EXPECT_EQ(ByteProgress::LineOf("copying", 2048, 1024), "copying: 2.0 KiB of 2.0 KiB (100 %)");
  EXPECT_EQ(ByteProgress::LineOf("copying", 0, 0), "copying: 0 B of 1 B (0 %)");
}

TEST(BackupTable, HasARowForEachAndMarksDamage) {
  Backup good;
  good.id = 1;
  good.created_s = 1'764'398'400;
  good.bytes = 2048;
  good.files = 7;
  good.sequence = 184;
  Backup damaged;
  damaged.id = 2;
  damaged.is_damaged = true;
  EXPECT_EQ(BackupTable({good, damaged}).ToCsv(),
            "id,made (utc),size,files,writes up to\n"
            "1,2025-11-29 06:40:00,2.0 KiB,7,184\n"
            "2,damaged,,,\n");
  EXPECT_TRUE(BackupTable({}).empty());
}

}  // namespace
}  // namespace pedigree::cli
