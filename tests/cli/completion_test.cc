// Completion in a real bash, of names that a server gives.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/cli/fixture.h"
#include "tests/cli/session.h"
#include "tests/support/raw_client.h"

namespace pedigree::cli {
namespace {

TEST(Completion, RunsNothingThatAServerSays) {
  const HistoryStore history;
  const auto server = history.Serve();
  ASSERT_NE(server, nullptr);
  testing::RawClient client(server->address());
  for (const char* name :
       {"x$(touch run)", "x`touch run`", "x;touch run", "x y", "x\ntouch run", "x\x1b[2J", "x*"}) {
    ml_metadata::PutArtifactTypeRequest request;
    request.mutable_artifact_type()->set_name(name);
    ml_metadata::PutArtifactTypeResponse answer;
    ASSERT_TRUE(client.Call("PutArtifactType", request, &answer).ok()) << name;
  }
  const Shell shell = {.program_dir = kProgramDir,
                       .server = server->address(),
                       .data_dir = "",
                       .work_dir = history.WorkDirectory("bash")};
  // Each word as it would stand on the command line, which is then run as one. How long the server
  // may take is not what is tested.
  const std::string output = shell.Run(
      "bash -c 'source <(pedigree completion bash); timeout() { shift; \"$@\"; }; "
      "COMP_WORDS=(pedigree ls artifacts --type x); COMP_CWORD=4; _pedigree pedigree; "
      "printf \"%s\\n\" \"${COMPREPLY[@]}\"; for word in \"${COMPREPLY[@]}\"; do eval \"echo "
      "$word\" "
      "> /dev/null; done; ls'");
  EXPECT_EQ(output,
            "x\\ y\n"
            "x\\$\\(touch\\ run\\)\n"
            "x\\*\n"
            "x\\;touch\\ run\n"
            "x\\`touch\\ run\\`\n");
}

}  // namespace
}  // namespace pedigree::cli
