// What exports are made of: signatures, manifests, files and selections.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "cli/export/dsse.h"
#include "cli/export/export_files.h"
#include "cli/export/export_manifest.h"
#include "cli/export/export_query.h"
#include "cli/export/sha256.h"
#include "cli/parse_time.h"
#include "tests/cli/key_file.h"
#include "tests/store/scratch_directory.h"
#include "tests/store/status_testing.h"

namespace pedigree::cli {
namespace {

constexpr char kType[] = "application/vnd.in-toto+json";

TEST(Dsse, EncodesAsItsProtocolSays) {
  EXPECT_EQ(DssePae("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

// RFC 8032, 7.1, test 1.
TEST(Dsse, SignsAsEd25519Does) {
  ScratchDirectory scratch;
  const std::string path = scratch.path() + "/key.pem";
  WriteKey("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", path);
  const auto key = SigningKey::Load(path);
  ASSERT_TRUE(IsOk(key));
  EXPECT_EQ(
      absl::BytesToHexString(key->Sign("")),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
      "1cf9b46bd25bf5f0595bbe24655141438e7a100b");
  EXPECT_EQ(key->public_key().id(),
            Sha256Hex(absl::HexStringToBytes(
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")));
}

TEST(Dsse, OpensOnlyWhatTheKeyHasSigned) {
  ScratchDirectory scratch;
  const auto key = NewKey(scratch.path() + "/a.pem");
  const auto other = NewKey(scratch.path() + "/b.pem");
  const std::string envelope = SignedEnvelope(kType, "{\"a\":1}", key);
  EXPECT_EQ(envelope, SignedEnvelope(kType, "{\"a\":1}", key));
  const auto opened = OpenEnvelope(envelope, kType, key.public_key());
  ASSERT_TRUE(IsOk(opened));
  EXPECT_EQ(*opened, "{\"a\":1}");
  EXPECT_TRUE(Fails(OpenEnvelope(envelope, kType, other.public_key()),
                    absl::StatusCode::kPermissionDenied));
  EXPECT_TRUE(Fails(OpenEnvelope(envelope, "text/plain", key.public_key()),
                    absl::StatusCode::kInvalidArgument));
  for (const char* bad : {"", "{}", "[]", "{\"payloadType\":1,\"signatures\":[]}"}) {
    EXPECT_TRUE(
        Fails(OpenEnvelope(bad, kType, key.public_key()), absl::StatusCode::kInvalidArgument));
  }
}

TEST(Dsse, RefusesFilesWithoutSuchAKey) {
  ScratchDirectory scratch;
  const std::string missing = scratch.path() + "/missing";
  EXPECT_TRUE(Fails(SigningKey::Load(missing), absl::StatusCode::kNotFound, missing));
  EXPECT_TRUE(Fails(PublicKey::Load(missing), absl::StatusCode::kNotFound, missing));
  WriteFile(scratch.path() + "/text", "no key");
  EXPECT_TRUE(
      Fails(SigningKey::Load(scratch.path() + "/text"), absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(Fails(PublicKey::Load(scratch.path() + "/text"), absl::StatusCode::kInvalidArgument));
}

ExportFacts SomeFacts() {
  ExportFacts facts;
  facts.format = "jsonl";
  facts.format_version = 1;
  facts.program_version = "0";
  facts.header.set_snapshot("7-ab");
  facts.counts = {{"artifacts", 3}};
  facts.files = {{"a \"b\"", 5, std::string(64, 'a')}};
  return facts;
}

TEST(Manifest, IsReadBack) {
  const auto read = ReadManifest(MakeManifest(SomeFacts()));
  ASSERT_TRUE(IsOk(read));
  EXPECT_EQ(read->format, "jsonl");
  EXPECT_EQ(read->counts, SomeFacts().counts);
  ASSERT_EQ(read->files.size(), 1u);
  EXPECT_EQ(read->files[0].name, "a \"b\"");
  EXPECT_EQ(read->files[0].size, 5);
}

TEST(Manifest, ShowsEveryFlippedBit) {
  const std::string manifest = MakeManifest(SomeFacts());
  for (size_t i = 0; i < manifest.size() * 8; ++i) {
    std::string flipped = manifest;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    EXPECT_TRUE(Fails(ReadManifest(flipped), absl::StatusCode::kDataLoss)) << i;
  }
  for (size_t size = 0; size < manifest.size(); ++size) {
    EXPECT_FALSE(ReadManifest(manifest.substr(0, size)).ok());
  }
}

TEST(ExportFiles, GoBackToACheckpoint) {
  ScratchDirectory scratch;
  const ExportPlace place = ExportPlace::Of(scratch.path() + "/dir");
  std::vector<ExportFileState> states;
  {
    auto files = ExportFiles::Open(place);
    ASSERT_TRUE(IsOk(files));
    auto a = (*files)->Create("a");
    auto s = (*files)->CreateScratch("s");
    ASSERT_TRUE(IsOk(a));
    ASSERT_TRUE(IsOk(s));
    ASSERT_TRUE(IsOk((*a)->Append("first")));
    ASSERT_TRUE(IsOk((*s)->Append("scratch")));
    auto checkpoint = (*files)->Checkpoint();
    ASSERT_TRUE(IsOk(checkpoint));
    states = *checkpoint;
    ASSERT_TRUE(IsOk((*a)->Append("lost")));
    ASSERT_TRUE(IsOk((*a)->Flush()));
    ASSERT_TRUE(IsOk((*files)->Create("later")));
  }
  auto files = ExportFiles::Open(place);
  ASSERT_TRUE(IsOk((*files)->Restore(states)));
  auto a = (*files)->Create("a");
  ASSERT_TRUE(IsOk((*a)->Append(" second ")));
  ASSERT_TRUE(IsOk((*files)->Create("later")));
  auto s = (*files)->CreateScratch("s");
  ASSERT_TRUE(IsOk((*files)->AppendScratch(*s, *a)));
  const auto finished = (*files)->Finish();
  ASSERT_TRUE(IsOk(finished));
  ASSERT_EQ(finished->size(), 2u);
  EXPECT_EQ((*finished)[0].sha256, Sha256Hex("first second scratch"));
  EXPECT_EQ(ReadFile(place.Path("a")), "first second scratch");
  ASSERT_TRUE(IsOk((*files)->RemoveScratch()));

  WriteFile(place.Path("a"), "other");
  EXPECT_TRUE(
      Fails(ExportFiles::Open(place).value()->Restore({{{"a", 5, Sha256Hex("first")}, false}}),
            absl::StatusCode::kDataLoss));
}

TEST(ExportFiles, AreOneFileIfTheNameHasAnExtension) {
  ScratchDirectory scratch;
  const ExportPlace place = ExportPlace::Of(scratch.path() + "/x.jsonl");
  EXPECT_EQ(place.single_file, "x.jsonl");
  EXPECT_EQ(place.Beside("manifest.json"), "x.jsonl.manifest.json");
  auto files = ExportFiles::Open(place);
  ASSERT_TRUE(IsOk((*files)->Create("export.jsonl")));
  EXPECT_TRUE(Fails((*files)->Create("second"), absl::StatusCode::kInvalidArgument, "--to"));
  EXPECT_EQ(ExportPlace::Of(scratch.path()).directory, scratch.path());
  // And stay so for an export that goes on.
  const auto states = (*files)->Checkpoint();
  ASSERT_TRUE(IsOk(states));
  auto again = ExportFiles::Open(place);
  ASSERT_TRUE(IsOk((*again)->Restore(*states)));
  ASSERT_TRUE(IsOk((*again)->Create("export.jsonl")));
  EXPECT_TRUE(Fails((*again)->Create("second"), absl::StatusCode::kInvalidArgument, "--to"));
  EXPECT_TRUE(ExportPlace::Of("new_directory").single_file.empty());
  EXPECT_TRUE(ExportPlace::Of("a.b/").single_file.empty());
  EXPECT_EQ(ExportPlace::Of("x.json").directory, ".");
}

TEST(ExportQuery, IsASelection) {
  const auto selection = SelectionOf({.where = "id > 3 OR id = 1",
                                      .context = "it's \\",
                                      .upstream_of = "artifact:42",
                                      .since = 7,
                                      .until = "1970-01-01T00:00:01.5Z"});
  ASSERT_TRUE(IsOk(selection));
  EXPECT_EQ(selection->execution_filter(),
            "(id > 3 OR id = 1) AND contexts_exported.name = 'it\\'s \\\\'");
  EXPECT_EQ(selection->upstream_of_artifact(), 42);
  EXPECT_EQ(selection->since_sequence(), 7);
  EXPECT_EQ(selection->until_ms(), 1500);
  EXPECT_EQ(SelectionOf({.context = "context:9"})->execution_filter(), "contexts_exported.id = 9");
  EXPECT_EQ(SelectionOf({.until = "250"})->until_ms(), 250);
  EXPECT_EQ(*ParseTime("2026-03-01", absl::LocalTimeZone()),
            SelectionOf({.until = "2026-03-01"})->until_ms());
  EXPECT_TRUE(Fails(SelectionOf({.until = "noon"}), absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(Fails(SelectionOf({.context = "context:x"}), absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(
      Fails(SelectionOf({.upstream_of = "execution:1"}), absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace pedigree::cli
