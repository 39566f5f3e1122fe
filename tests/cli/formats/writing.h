// Runs a writer over records, in one go or killed on the way.
//
//   MemoryTarget::Contents files = WriteAll(&MakeCsvWriter, {}, history);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/export/formats.h"
#include "tests/cli/formats/history.h"
#include "tests/cli/formats/memory_target.h"
#include "tests/store/status_testing.h"

namespace pedigree::cli {

using MakeWriter = absl::StatusOr<std::unique_ptr<ExportWriter>> (*)(const ExportWriterOptions&);

struct Written {
  MemoryTarget::Contents files;  // Without scratch outputs.
  ExportCounts counts;
};

// Killed before the records with these indexes, where the last checkpoint is that before the record
// `behind` earlier: what was written in between is lost, and written again.
inline Written WriteKilled(MakeWriter make, const ExportWriterOptions& options,
                           const History& history, const std::vector<size_t>& kills,
                           size_t behind) {
  auto target = std::make_unique<MemoryTarget>();
  auto writer = make(options);
  EXPECT_TRUE(IsOk(writer));
  const std::vector<v1::ExportRecord> records = history.Records((*writer)->shape());
  EXPECT_TRUE(IsOk((*writer)->Begin(history.header, target.get())));
  size_t i = 0;
  for (const size_t kill : kills) {
    const size_t checkpoint_at = std::max(i, kill - std::min(kill, behind));
    for (; i < checkpoint_at; ++i) EXPECT_TRUE(IsOk((*writer)->Add(records[i])));
    const std::string checkpoint = (*writer)->Checkpoint();
    const MemoryTarget::Contents saved = target->Save();
    for (size_t lost = i; lost < std::max(i, kill); ++lost) {
      EXPECT_TRUE(IsOk((*writer)->Add(records[lost])));
    }
    target = std::make_unique<MemoryTarget>(saved);
    writer = make(options);
    EXPECT_TRUE(IsOk((*writer)->Restore(history.header, target.get(), checkpoint)));
  }
  for (; i < records.size(); ++i) EXPECT_TRUE(IsOk((*writer)->Add(records[i])));
  EXPECT_TRUE(IsOk((*writer)->End()));
  Written written = {.files = {}, .counts = (*writer)->Counts()};
  for (auto& [name, text] : target->Save()) {
    if (name.rfind("scratch:", 0) != 0) written.files[name] = std::move(text);
  }
  return written;
}

inline Written WriteAll(MakeWriter make, const ExportWriterOptions& options,
                        const History& history) {
  return WriteKilled(make, options, history, {}, 0);
}

}  // namespace pedigree::cli
