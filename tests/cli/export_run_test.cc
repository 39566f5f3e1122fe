// Exports that are interrupted, or run while the store is written, and what a check of them finds.
#include "cli/export/export_run.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/export/verify_export.h"
#include "tests/cli/export_support.h"
#include "tests/cli/key_file.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Execution;

// Parts of one export, played again without a store: a process with threads cannot be forked well.
class Recording final : public ExportSource {
 public:
  explicit Recording(const Store& store) {
    StoreSource source(&store);
    EXPECT_TRUE(IsOk(source.Export({}, [&](v1::ExportResponseBytes& part) {
      parts_.push_back(part);
      return true;
    })));
  }

  absl::Status Export(const v1::ExportRequest& request,
                      absl::FunctionRef<bool(v1::ExportResponseBytes& part)> visit) override {
    size_t next = 0;
    if (!request.position().empty()) {
      while (parts_[next].position() != request.position()) ++next;
      ++next;
    }
    bool is_first = true;
    for (; next < parts_.size(); ++next, is_first = false) {
      v1::ExportResponseBytes part = parts_[next];
      if (is_first) *part.mutable_header() = parts_[0].header();
      if (!visit(part)) return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  size_t parts() const { return parts_.size(); }
  int64_t records() const {
    int64_t records = 0;
    for (const auto& part : parts_) records += part.records_size();
    return records;
  }

 private:
  std::vector<v1::ExportResponseBytes> parts_;
};

// jsonl, but for what it does before a record.
class DisturbedWriter final : public ExportWriter {
 public:
  enum class Before : uint8_t { kDie, kFail };

  DisturbedWriter(std::unique_ptr<ExportWriter> writer, int64_t records, Before before)
      : writer_(std::move(writer)), records_(records), before_(before) {}

  v1::ExportShape shape() const override { return writer_->shape(); }
  absl::Status Begin(const v1::ExportHeader& header, ExportTarget* target) override {
    target_ = target;
    auto scratch = target->CreateScratch("extra");
    if (!scratch.ok()) return scratch.status();
    return writer_->Begin(header, target);
  }
  absl::Status Restore(const v1::ExportHeader& header, ExportTarget* target,
                       absl::string_view checkpoint) override {
    target_ = target;
    return writer_->Restore(header, target, checkpoint);
  }
  std::string Checkpoint() const override { return writer_->Checkpoint(); }
  absl::Status Add(const v1::ExportRecord& record) override { return writer_->Add(record); }
  absl::Status AddBytes(absl::string_view record) override {
    if (records_-- == 0) {
      if (before_ == Before::kFail) return absl::UnavailableError("the disk failed");
      // What has been written so far may be on the disk or not.
      auto output = target_->Create("export.jsonl");
      if (output.ok()) (*output)->Flush().IgnoreError();
      raise(SIGKILL);
    }
    return writer_->AddBytes(record);
  }
  absl::Status End() override {
    if (records_-- == 0 && before_ == Before::kDie) raise(SIGKILL);
    return writer_->End();
  }

 private:
  std::unique_ptr<ExportWriter> writer_;
  ExportTarget* target_ = nullptr;
  int64_t records_;
  const Before before_;
};

int64_t records_before_death = -1;

constexpr ExportFormat kDyingFormat = {
    "jsonl", "export.jsonl", "", 1,
    [](const ExportWriterOptions& options) -> absl::StatusOr<std::unique_ptr<ExportWriter>> {
      auto writer = FindExportFormat("jsonl")->make(options);
      if (!writer.ok()) return writer.status();
      return std::make_unique<DisturbedWriter>(*std::move(writer), records_before_death,
                                               DisturbedWriter::Before::kDie);
    }};

constexpr ExportFormat kFailingFormat = {
    "jsonl", "export.jsonl", "", 1,
    [](const ExportWriterOptions& options) -> absl::StatusOr<std::unique_ptr<ExportWriter>> {
      auto writer = FindExportFormat("jsonl")->make(options);
      if (!writer.ok()) return writer.status();
      return std::make_unique<DisturbedWriter>(*std::move(writer), 12'000,
                                               DisturbedWriter::Before::kFail);
    }};

// Runs the export in a process that dies after so many records, or not at all if negative. Whether
// it ended.
bool RunInChild(Recording* source, const std::string& to, int64_t records) {
  records_before_death = records;
  const pid_t child = fork();
  if (child == 0) {
    ExportRunOptions options = JsonlOptions(to);
    options.format = &kDyingFormat;
    options.checkpoint_bytes = 1;
    _exit(ExportTo(source, options).ok() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the export failed";
  return !WIFSIGNALED(status);
}

class ExportRunTest : public ::testing::Test {
 protected:
  std::string to(const std::string& name) const { return scratch_.path() + "/" + name; }

  ScratchDirectory scratch_;
};

// In a directory, or, with a name in it, to a file.
class KilledExportTest : public ExportRunTest, public ::testing::WithParamInterface<const char*> {
 protected:
  bool Run(Recording* source, const std::string& directory, int64_t records) {
    std::filesystem::create_directory(directory);
    return RunInChild(source, directory + GetParam(), records);
  }
};

INSTANTIATE_TEST_SUITE_P(Places, KilledExportTest, ::testing::Values("", "/x.jsonl"),
                         [](const auto& place) { return place.index == 0 ? "Directory" : "File"; });

TEST_P(KilledExportTest, EndsWithTheSameBytesAfterEveryKill) {
  Random random;
  TestStore store;
  FillForParts(store, 9000);
  Recording source(*store);
  store.Close();
  ASSERT_GE(source.parts(), 4u);
  ASSERT_TRUE(Run(&source, to("whole"), -1));
  const auto whole = FilesOf(to("whole"));
  ASSERT_EQ(whole.size(), 2u);

  std::vector<int64_t> deaths = {0, 1, source.records() - 1, source.records()};
  for (int i = 0; i < 30; ++i) deaths.push_back(random.Between(0, source.records()));
  for (size_t i = 0; i < deaths.size(); ++i) {
    const std::string directory = to(absl::StrCat("killed", i));
    ASSERT_FALSE(Run(&source, directory, deaths[i]));
    // Killed again, and again, on the way.
    bool has_ended = false;
    for (int kills = 0; kills < 20 && !has_ended; ++kills) {
      has_ended = Run(&source, directory, random.Between(0, 9000));
    }
    ASSERT_TRUE(has_ended || Run(&source, directory, -1));
    EXPECT_EQ(FilesOf(directory), whole) << "killed before record " << deaths[i];
    std::filesystem::remove_all(directory);
  }
}

TEST_F(ExportRunTest, HasTheSameBytesWhileTheStoreIsWritten) {
  TestStore store;
  FillForParts(store, 9000);
  StoreSource source(&*store);
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("before")))));
  int parts = 0;
  source.after_part = [&] {
    ++parts;
    // Changes what has not been exported yet, and adds more.
    auto execution = Find<Execution>(store, 8900);
    (*execution->mutable_custom_properties())["step"].set_int_value(-parts);
    ASSERT_TRUE(IsOk(Update(store, *execution)));
    ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(10, absl::StrCat("late-", parts)))));
  };
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("during")))));
  EXPECT_GE(parts, 2);
  EXPECT_EQ(FilesOf(to("before")), FilesOf(to("during")));
  source.after_part = nullptr;
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("after")))));
  EXPECT_NE(FilesOf(to("before")), FilesOf(to("after")));
}

TEST_F(ExportRunTest, GoesOnWhenTheServerComesBack) {
  TestStore store;
  FillForParts(store, 9000);
  StoreSource source(&*store);
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("whole")))));
  source.most_parts = 1;
  ExportRunOptions options = JsonlOptions(to("broken"));
  int waits = 0;
  options.wait = [&](int) { ++waits; };
  ASSERT_TRUE(IsOk(ExportTo(&source, options)));
  EXPECT_GE(waits, 2);
  EXPECT_EQ(FilesOf(to("broken")), FilesOf(to("whole")));
}

TEST_F(ExportRunTest, IsGivenUpByAServerThatStaysAway) {
  TestStore store;
  StoreSource source(&*store);
  source.most_parts = 0;
  ExportRunOptions options = JsonlOptions(to("never"));
  int waits = 0;
  options.wait = [&](int) { ++waits; };
  EXPECT_TRUE(Fails(ExportTo(&source, options), absl::StatusCode::kUnavailable));
  EXPECT_EQ(waits, 4);
}

TEST_F(ExportRunTest, GoesOnAfterARestartWithoutWrites) {
  TestStore store;
  FillForParts(store, 9000);
  ExportRunOptions options = JsonlOptions(to("dir"));
  options.checkpoint_bytes = 1;
  {
    StoreSource source(&*store);
    ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("whole")))));
    source.most_parts = 2;
    ASSERT_FALSE(ExportTo(&source, options).ok());
  }
  store.Reopen();
  StoreSource source(&*store);
  std::string notes;
  options.note = [&](absl::string_view note) { absl::StrAppend(&notes, note, "\n"); };
  ASSERT_TRUE(IsOk(ExportTo(&source, options)));
  EXPECT_TRUE(absl::StrContains(notes, "going on")) << notes;
  EXPECT_FALSE(absl::StrContains(notes, "anew")) << notes;
  EXPECT_EQ(FilesOf(to("dir")), FilesOf(to("whole")));
}

TEST_F(ExportRunTest, BeginsAnewWhenTheSnapshotIsGone) {
  TestStore store;
  FillForParts(store, 9000);
  ExportRunOptions options = JsonlOptions(to("dir"));
  options.checkpoint_bytes = 1;
  {
    StoreSource source(&*store);
    source.most_parts = 2;
    ASSERT_FALSE(ExportTo(&source, options).ok());
  }
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(10, "new"))));
  store.AddSteady(std::chrono::milliseconds(kPinnedFor).count());
  StoreSource source(&*store);
  std::string notes;
  options.note = [&](absl::string_view note) { absl::StrAppend(&notes, note, "\n"); };
  ASSERT_TRUE(IsOk(ExportTo(&source, options)));
  EXPECT_TRUE(absl::StrContains(notes, "anew")) << notes;
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("whole")))));
  EXPECT_EQ(FilesOf(to("dir")), FilesOf(to("whole")));
}

TEST_F(ExportRunTest, TouchesNothingThatIsNotItsOwn) {
  TestStore store;
  FillForParts(store, 10);
  StoreSource source(&*store);
  std::filesystem::create_directory(to("full"));
  WriteFile(to("full") + "/mine", "text");
  EXPECT_TRUE(
      Fails(ExportTo(&source, JsonlOptions(to("full"))), absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(FilesOf(to("full")).size(), 1u);
  WriteFile(to("x.jsonl"), "text");
  EXPECT_TRUE(
      Fails(ExportTo(&source, JsonlOptions(to("x.jsonl"))), absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReadFile(to("x.jsonl")), "text");
}

TEST_F(ExportRunTest, LeavesAPartOfAnotherExportAndFilesThatCameBetween) {
  TestStore store;
  FillForParts(store, 9000);
  StoreSource source(&*store);
  source.most_parts = 1;
  ExportRunOptions options = JsonlOptions(to("part"));
  options.checkpoint_bytes = 1;
  ASSERT_FALSE(ExportTo(&source, options).ok());
  WriteFile(to("part/mine"), "text");
  WriteFile(to("part/extra.scratch"), "of a format that scratches");
  source.most_parts = 1'000'000;
  ExportRunOptions other = options;
  other.writer.selection.set_until_ms(1);
  EXPECT_TRUE(Fails(ExportTo(&source, other), absl::StatusCode::kFailedPrecondition));
  ASSERT_TRUE(IsOk(ExportTo(&source, options)));
  EXPECT_EQ(ReadFile(to("part/mine")), "text");
  EXPECT_FALSE(std::filesystem::exists(to("part/extra.scratch")));
}

TEST_F(ExportRunTest, WhatWasRefusedBeforeItBeganIsInNobodysWay) {
  TestStore store;
  FillForParts(store, 10);
  StoreSource source(&*store);
  ExportRunOptions options = JsonlOptions(to("dir"));
  options.writer.options = {{"no such", "option"}};
  EXPECT_TRUE(Fails(ExportTo(&source, options), absl::StatusCode::kInvalidArgument));
  EXPECT_FALSE(std::filesystem::exists(to("dir")));
  options = JsonlOptions(to("dir"));
  options.writer.selection.set_execution_filter("no filter at all");
  EXPECT_TRUE(Fails(ExportTo(&source, options), absl::StatusCode::kInvalidArgument));
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("dir")))));
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("whole")))));
  EXPECT_EQ(FilesOf(to("dir")), FilesOf(to("whole")));
  EXPECT_TRUE(Fails(ExportTo(&source, JsonlOptions(to("x\xff.jsonl"))),
                    absl::StatusCode::kInvalidArgument, "UTF-8"));
}

TEST_F(ExportRunTest, DoesNotTakeTheDiskForTheServer) {
  TestStore store;
  FillForParts(store, 9000);
  StoreSource source(&*store);
  ExportRunOptions options = JsonlOptions(to("x.jsonl"));
  options.checkpoint_bytes = 1;
  options.format = &kFailingFormat;
  int waits = 0;
  options.wait = [&](int) { ++waits; };
  EXPECT_TRUE(Fails(ExportTo(&source, options), absl::StatusCode::kUnavailable, "disk"));
  EXPECT_EQ(waits, 0);
  // It goes on where the last checkpoint is.
  options.format = FindExportFormat("jsonl");
  ASSERT_TRUE(IsOk(ExportTo(&source, options)));
  std::filesystem::create_directory(to("whole"));
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("whole/x.jsonl")))));
  EXPECT_EQ(ReadFile(to("x.jsonl")), ReadFile(to("whole/x.jsonl")));
}

TEST_F(ExportRunTest, BeginsWhereACrashHasLeftNoMoreThanAnUnplacedState) {
  TestStore store;
  FillForParts(store, 3);
  StoreSource source(&*store);
  std::filesystem::create_directory(to("dir"));
  WriteFile(to("dir") + "/.export-state.next", "{");
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("dir")))));
  EXPECT_EQ(FilesOf(to("dir")).size(), 2u);
}

TEST_F(ExportRunTest, ToAFileIsTheSameAsToADirectory) {
  TestStore store;
  FillForParts(store, 100);
  StoreSource source(&*store);
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("dir")))));
  std::filesystem::create_directory(to("files"));
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("files/x.jsonl")))));
  const auto files = FilesOf(to("files"));
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files.at("x.jsonl"), ReadFile(to("dir") + "/export.jsonl"));
  const auto verified = VerifyExport(to("files/x.jsonl"), nullptr);
  ASSERT_TRUE(IsOk(verified));
  EXPECT_TRUE(verified->problems.empty());
}

TEST_F(ExportRunTest, ShowsEveryFlippedBit) {
  TestStore store;
  FillForParts(store, 3);
  StoreSource source(&*store);
  const SigningKey key = NewKey(to("key.pem"));
  const SigningKey other = NewKey(to("ley.pem"));
  ExportRunOptions options = JsonlOptions(to("dir"));
  options.writer.key = &key;
  ASSERT_TRUE(IsOk(ExportTo(&source, options)));
  const auto whole = VerifyExport(to("dir"), &key.public_key());
  ASSERT_TRUE(IsOk(whole));
  EXPECT_TRUE(whole->problems.empty()) << whole->problems[0];
  EXPECT_TRUE(whole->is_signed);
  EXPECT_EQ(whole->counts.at("artifacts"), 3);
  EXPECT_FALSE(VerifyExport(to("dir"), &other.public_key())->problems.empty());

  const auto files = FilesOf(to("dir"));
  ASSERT_EQ(files.size(), 3u);
  for (const auto& [name, content] : files) {
    for (size_t bit = 0; bit < content.size() * 8; bit += 5) {
      std::string flipped = content;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      WriteFile(to("dir") + "/" + name, flipped);
      const auto verified = VerifyExport(to("dir"), &key.public_key());
      ASSERT_TRUE(IsOk(verified));
      ASSERT_FALSE(verified->problems.empty()) << name << ", bit " << bit;
    }
    WriteFile(to("dir") + "/" + name, content);
  }
  WriteFile(to("dir") + "/more", "");
  EXPECT_FALSE(VerifyExport(to("dir"), nullptr)->problems.empty());
  std::filesystem::remove(to("dir") + "/more");
  EXPECT_TRUE(VerifyExport(to("dir"), nullptr)->problems.empty());
  std::filesystem::remove(to("dir") + "/manifest.dsse.json");
  EXPECT_TRUE(VerifyExport(to("dir"), nullptr)->problems.empty());
  EXPECT_FALSE(VerifyExport(to("dir"), &key.public_key())->problems.empty());
  EXPECT_TRUE(Fails(VerifyExport(to("none"), nullptr), absl::StatusCode::kNotFound));
}

// The bytes of the format, so that none changes unnoticed.
TEST_F(ExportRunTest, WritesTheGoldenFile) {
  TestStore store;
  FillForParts(store, 2);
  StoreSource source(&*store);
  ASSERT_TRUE(IsOk(ExportTo(&source, JsonlOptions(to("x.jsonl")))));
  std::string written = ReadFile(to("x.jsonl"));
  // The journal's chain, and with it the snapshot, are not of the format.
  const size_t begin = written.find("\"last_artifact_id\"");
  ASSERT_NE(begin, std::string::npos);
  written = written.substr(begin);
  const std::string golden = ReadFile(GOLDEN_FILE);
  if (getenv("PEDIGREE_WRITE_GOLDEN") != nullptr) WriteFile(GOLDEN_FILE, written);
  EXPECT_EQ(written, golden) << "set PEDIGREE_WRITE_GOLDEN=1 to write it anew";
}

}  // namespace
}  // namespace pedigree::cli
