// What the tests of the KFP player share: a server, and a player that must reach it.
//
// Threading: free functions without state.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/kfp_player.h"
#include "tests/support/server_process.h"

namespace pedigree::bench {

// A running pedigreed that is quick because it does not wait for the disk; null if there is none.
inline std::unique_ptr<testing::ServerProcess> StartServer() {
  auto server =
      testing::ServerProcess::Start({.program = PEDIGREED, .extra_args = {"--sync=never"}});
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

inline std::unique_ptr<KfpPlayer> ConnectTo(const std::string& address,
                                            KfpTaskService task_service) {
  auto player = KfpPlayer::Connect(address, {.task_service = task_service, .nonce = 7});
  EXPECT_TRUE(player.ok()) << player.status();
  return player.ok() ? *std::move(player) : nullptr;
}

// Plays and expects that no run fails.
inline KfpPlay MustPlay(KfpPlayer& player, const std::string& shape,
                        const KfpPlayOptions& options) {
  const auto pipeline = BuiltInPipeline(shape);
  EXPECT_TRUE(pipeline.ok()) << pipeline.status();
  auto play = player.Play(*pipeline, options);
  EXPECT_TRUE(play.ok()) << play.status();
  if (!play.ok()) return KfpPlay();
  EXPECT_EQ(play->failed_runs, 0u) << play->first_failure;
  return *std::move(play);
}

}  // namespace pedigree::bench
