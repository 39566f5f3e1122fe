// What `pedigree verify`, `backup` and `restore` print. Pure functions, any thread.
//
//   std::fputs(VerifyText(response).c_str(), stdout);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/output.h"
#include "cli/table.h"
#include "pedigree/v1/admin.pb.h"
#include "store/backup.h"
#include "store/verify.h"

namespace pedigree::cli {

// As the server would answer it.
v1::VerifyStoreResponse ToResponse(const VerifyReport& report, int64_t keys);

// Counts and problems, a line each; the last line says whether there are any.
std::string VerifyText(const v1::VerifyStoreResponse& response);
// OK if nothing is wrong, else DataLoss: exit code 1.
absl::Status VerifyStatus(const v1::VerifyStoreResponse& response);

// "backup 3 of 1.2 GiB, 40.0 MiB of them new"
std::string BackupText(const v1::BackupResponse& response);

// A row for each. Of a damaged one, files are missing or have the wrong size.
Table BackupTable(const std::vector<Backup>& backups);

// An object for each, with the numbers that the table has, in bytes and seconds since 1970.
JsonDocument BackupsJson(const std::vector<Backup>& backups);

// "2026-11-29 06:40:00", UTC.
std::string UtcText(int64_t seconds);

}  // namespace pedigree::cli
