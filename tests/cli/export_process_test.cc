// The program: `pedigree export`, killed on the way, `export verify` and `import jsonl:`.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/cli/export_support.h"
#include "tests/cli/formats/http_backend.h"
#include "tests/cli/key_file.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

namespace pedigree::cli {
namespace {

pid_t Start(const std::vector<std::string>& arguments, const std::string& output) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  std::vector<char*> argv;
  std::string program = "pedigree";
  argv.push_back(program.data());
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  if (std::freopen(output.c_str(), "w", stdout) != nullptr) dup2(STDOUT_FILENO, STDERR_FILENO);
  execv(PEDIGREE, argv.data());
  _exit(127);
}

// 0 if it ended well, -1 if it was killed.
int WaitFor(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void PutModels(testing::RawClient& client) {
  ml_metadata::PutArtifactTypeRequest type;
  type.mutable_artifact_type()->set_name("Model");
  ml_metadata::PutArtifactTypeResponse type_answer;
  ASSERT_TRUE(client.Call("PutArtifactType", type, &type_answer).ok());
  ml_metadata::PutArtifactsRequest artifacts;
  for (int i = 0; i < 20; ++i) {
    auto* artifact = artifacts.add_artifacts();
    artifact->set_type_id(type_answer.type_id());
    artifact->set_name(absl::StrCat("model-", i));
  }
  ml_metadata::PutArtifactsResponse answer;
  ASSERT_TRUE(client.Call("PutArtifacts", artifacts, &answer).ok());
}

class ExportProgram : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return scratch_.path() + "/" + name; }
  int Run(const std::vector<std::string>& arguments) {
    const int code = WaitFor(Start(arguments, at("output")));
    output_ = ReadFile(at("output"));
    return code;
  }

  ScratchDirectory scratch_;
  std::string output_;
};

// To a directory, and to a file in one.
class KilledExportProgram : public ExportProgram,
                            public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Places, KilledExportProgram, ::testing::Values("", "/history.jsonl"),
                         [](const auto& place) { return place.index == 0 ? "Directory" : "File"; });

TEST_P(KilledExportProgram, EndsWithTheSameBytesHoweverOftenItIsKilled) {
  Random random;
  TestStore store;
  FillForParts(store, 9000);
  store.Close();
  const auto arguments = [&](const std::string& to) -> std::vector<std::string> {
    std::filesystem::create_directory(at(to));
    return {"export",         "--format",           "jsonl",
            "--to",           at(to) + GetParam(),  "--data_dir",
            store.data_dir(), "--checkpoint_bytes", "1"};
  };
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(Run(arguments("whole")), 0) << output_;
  const auto whole_time = std::chrono::steady_clock::now() - begin;
  const auto whole = FilesOf(at("whole"));
  int kills = 0;
  for (int i = 0; i < 200 && kills < 20; ++i) {
    const pid_t pid = Start(arguments("killed"), at("output"));
    std::this_thread::sleep_for(whole_time * random.Between(0, 999) / 1000);
    kill(pid, SIGKILL);
    const int code = WaitFor(pid);
    ASSERT_TRUE(code == 0 || code == -1) << code << ": " << ReadFile(at("output"));
    if (code != 0) {
      ++kills;
      // It may have ended before it was killed; otherwise it goes on.
      if (FilesOf(at("killed")) == whole) std::filesystem::remove_all(at("killed"));
      continue;
    }
    ASSERT_EQ(FilesOf(at("killed")), whole);
    std::filesystem::remove_all(at("killed"));
  }
  ASSERT_EQ(Run(arguments("killed")), 0) << output_;
  EXPECT_EQ(FilesOf(at("killed")), whole);
}

TEST_F(ExportProgram, IsVerifiedAndImported) {
  auto server = testing::ServerProcess::Start({.program = PEDIGREED});
  ASSERT_TRUE(server.ok()) << server.status();
  testing::RawClient client((*server)->address());
  PutModels(client);
  NewKey(at("key.pem"));
  ASSERT_EQ(Run({"export", "--format", "jsonl", "--to", at("dir"), "--server", (*server)->address(),
                 "--key", at("key.pem")}),
            0)
      << output_;
  EXPECT_TRUE(absl::StrContains(output_, "artifacts       20")) << output_;
  EXPECT_EQ(Run({"export", "verify", at("dir"), "--public_key", at("key.pem")}), 0) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "the signature is by the key")) << output_;
  ASSERT_EQ(Run({"import", absl::StrCat("jsonl:", at("dir")), "--data_dir", at("copy")}), 0)
      << output_;
  ASSERT_EQ(Run({"export", "--format", "jsonl", "--to", at("again"), "--data_dir", at("copy")}), 0)
      << output_;
  const auto body = [&](const std::string& directory) {
    const std::string content = ReadFile(at(directory) + "/export.jsonl");
    return content.substr(content.find('\n'));
  };
  EXPECT_EQ(body("again"), body("dir"));
  // One bit.
  std::string content = ReadFile(at("dir") + "/export.jsonl");
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 4);
  WriteFile(at("dir") + "/export.jsonl", content);
  EXPECT_NE(Run({"export", "verify", at("dir")}), 0);
  EXPECT_TRUE(absl::StrContains(output_, "another digest")) << output_;
}

// Events that wait are those of one store, one selection and one backend.
TEST_F(ExportProgram, PostsNoOtherStoresEvents) {
  TestStore first;
  FillForParts(first, 3);
  first.Close();
  TestStore second;
  FillForParts(second, 5);
  second.Close();
  std::vector<HttpBackend::Answer> refusals(1, {.status = 401});
  HttpBackend backend(refusals);
  const auto arguments = [&](const std::string& data_dir) -> std::vector<std::string> {
    return {"export",    "--format",   "openlineage", "--to",     backend.url(), "--spool",
            at("spool"), "--data_dir", data_dir,      "--output", "json"};
  };
  ASSERT_EQ(Run(arguments(first.data_dir())), 1) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "401")) << output_;
  ASSERT_EQ(Run(arguments(second.data_dir())), 0) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "\"steps\": 5")) << output_;
  // The first still waits.
  ASSERT_EQ(Run(arguments(first.data_dir())), 0) << output_;
  EXPECT_FALSE(absl::StrContains(output_, "snapshot")) << output_;
  EXPECT_TRUE(std::filesystem::is_empty(at("spool")));
}

TEST_F(ExportProgram, SaysWhatIsWrongWithItsOptions) {
  EXPECT_NE(Run({"export", "--to", at("x"), "--data_dir", at("none")}), 0);
  EXPECT_TRUE(absl::StrContains(output_, "say --format: one of jsonl")) << output_;
  EXPECT_NE(Run({"export", "--format", "jsonl", "--data_dir", at("none")}), 0);
  EXPECT_TRUE(absl::StrContains(output_, "say --to")) << output_;
  EXPECT_NE(Run({"export", "--format", "jsonl", "--to", at("x"), "--until", "noon"}), 0);
  EXPECT_TRUE(absl::StrContains(output_, "--until")) << output_;
}

}  // namespace
}  // namespace pedigree::cli
