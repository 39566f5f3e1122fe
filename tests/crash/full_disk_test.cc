// A disk that is really full: pedigreed on a small file system of its own.
//
// The server must go on answering reads, refuse writes with RESOURCE_EXHAUSTED, and take them again
// after a restart once there is room. Needs root, to mount that file system; skipped otherwise.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "store/store.h"
#include "tests/store/random.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

namespace pedigree::crash {
namespace {

namespace fs = std::filesystem;
using grpc::StatusCode;

// A file system in memory of a fixed size. Unmounted and removed in the end.
class SmallDisk {
 public:
  explicit SmallDisk(int mebibytes) {
    path_ = (fs::temp_directory_path() / "pedigree-disk-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) {
      problem_ = absl::StrCat("cannot create ", path_, ": ", strerror(errno));
      return;
    }
    const std::string options = absl::StrCat("size=", mebibytes, "m");
    if (mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) != 0) {
      problem_ = absl::StrCat("cannot mount a tmpfs: ", strerror(errno));
      return;
    }
    is_mounted_ = true;
  }
  ~SmallDisk() {
    if (is_mounted_) umount2(path_.c_str(), MNT_DETACH);
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::string& path() const { return path_; }
  const std::string& problem() const { return problem_; }  // "" if it can be used.

  // Fills all but about `bytes` of it with one file; what it returns is removed to make room.
  fs::path Fill(uintmax_t bytes) const {
    const fs::path filler = fs::path(path_) / "filler";
    std::ofstream file(filler, std::ios::binary);
    const std::string block(size_t{1} << 16, 'x');
    while (fs::space(path_).available > bytes + block.size() && file.good()) {
      file.write(block.data(), static_cast<std::streamsize>(block.size()));
      file.flush();
    }
    return filler;
  }

 private:
  std::string path_;
  std::string problem_;
  bool is_mounted_ = false;
};

class Writer {
 public:
  explicit Writer(const std::string& address) : client_(address) {}

  // A new artifact of this size.
  grpc::Status Write(size_t bytes) {
    ml_metadata::PutArtifactsRequest request;
    request.add_artifacts()->set_type_id(1);
    auto& properties = *request.mutable_artifacts(0)->mutable_custom_properties();
    std::string text(bytes, '\0');  // That does not compress.
    for (char& character : text) character = static_cast<char>(random_.Between(' ', '~'));
    properties["large"].set_string_value(text);
    ml_metadata::PutArtifactsResponse response;
    const grpc::Status status = client_.Call("PutArtifacts", request, &response);
    if (status.ok()) acknowledged_.push_back(response.artifact_ids(0));
    return status;
  }

  // How many of the acknowledged artifacts are there; -1 if the server does not say.
  int64_t CountAcknowledged() {
    ml_metadata::GetArtifactsByIDRequest request;
    for (int64_t id : acknowledged_) request.add_artifact_ids(id);
    ml_metadata::GetArtifactsByIDResponse response;
    const grpc::Status status = client_.Call("GetArtifactsByID", request, &response);
    return status.ok() ? response.artifacts_size() : -1;
  }

  int64_t acknowledged() const { return static_cast<int64_t>(acknowledged_.size()); }

 private:
  testing::RawClient client_;
  Random random_{1};
  std::vector<int64_t> acknowledged_;
};

TEST(FullDisk, WritesAreRefusedUntilARestartWithRoom) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a small file system";
  const SmallDisk disk(64);
  if (!disk.problem().empty()) GTEST_SKIP() << disk.problem();
  setenv("TMPDIR", disk.path().c_str(), 1);  // Where ServerProcess puts its data directory.
  auto started = testing::ServerProcess::Start(
      {.program = PEDIGREED, .extra_args = {"--write_buffer_bytes=1MiB"}});
  unsetenv("TMPDIR");
  ASSERT_TRUE(started.ok()) << started.status();
  testing::ServerProcess& server = **started;
  Writer writer(server.address());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(writer.Write(1000).ok());

  const fs::path filler = disk.Fill(6 << 20);
  grpc::Status status;
  constexpr size_t kBytes = 50'000;
  constexpr int kMostWrites = 2000;  // Far more than there is room for.
  for (int i = 0; i < kMostWrites && status.ok(); ++i) status = writer.Write(kBytes);
  EXPECT_EQ(StatusCode::RESOURCE_EXHAUSTED, status.error_code()) << status.error_message();
  for (int i = 0; i < 20; ++i) {
    status = writer.Write(kBytes);
    EXPECT_EQ(StatusCode::RESOURCE_EXHAUSTED, status.error_code()) << status.error_message();
    absl::SleepFor(absl::Milliseconds(100));
  }
  ASSERT_TRUE(server.IsRunning()) << server.LogTail();
  EXPECT_EQ(writer.acknowledged(), writer.CountAcknowledged());

  // What of the failed write is on the disk only a restart can tell: room alone is not enough.
  fs::remove(filler);
  status = writer.Write(kBytes);
  EXPECT_EQ(StatusCode::RESOURCE_EXHAUSTED, status.error_code()) << status.error_message();
  EXPECT_EQ(writer.acknowledged(), writer.CountAcknowledged());
  ASSERT_TRUE(server.Kill9().ok());
  ASSERT_TRUE(server.Restart().ok()) << server.LogTail();
  EXPECT_EQ(writer.acknowledged(), writer.CountAcknowledged());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(writer.Write(kBytes).ok());
  EXPECT_EQ(writer.acknowledged(), writer.CountAcknowledged());
  const absl::Status stopped = server.Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;

  StoreOptions options;
  options.data_dir = server.data_dir();
  auto store = Store::Open(std::move(options));
  ASSERT_TRUE(store.ok()) << store.status();
  const auto report = (*store)->Verify();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->ok()) << report->problems[0];
  EXPECT_GE(report->nodes[IndexOf(NodeKind::kArtifact)], writer.acknowledged());
}

}  // namespace
}  // namespace pedigree::crash
