// A history of writes, played to a store and to its model at once.
//
// A Player holds a real store in a directory of its own, and the model; Play() gives both the same
// requests and compares how they went. A history that fails is cut down to the steps that matter by
// Shrink(). Threads: one.
//
//   Player player;
//   std::string failure = player.Play(step);
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "store/store.h"
#include "tests/model/memory_directory.h"
#include "tests/model/model.h"

namespace pedigree::model {

// Requests that arrive together: one commit group.
struct Step {
  int64_t clock_ms = 0;
  bool reopen_after = false;
  std::vector<std::shared_ptr<const google::protobuf::Message>> requests;
};
using History = std::vector<Step>;

class Player {
 public:
  Player();

  Store& store() { return *store_; }
  const Model& model() const { return model_; }
  int64_t stored_writes() const { return stored_writes_; }

  // Plays one step. "" if store and model agree on it, else the difference.
  std::string Play(const Step& step);

  // Compares all that store and model hold, and asks Verify, before and after a restart.
  std::string Finish();

 private:
  std::string Open();
  std::string CompareAll();

  MemoryDirectory directory_;
  std::shared_ptr<std::atomic<int64_t>> clock_ms_;
  std::unique_ptr<Store> store_;
  Model model_;
  // What the clock said is forgotten by a restart if nothing was stored since; to compare times all
  // the same, it never runs behind what it said before the last one.
  int64_t least_clock_ms_ = 0;
  int64_t stored_writes_ = 0;
};

// Plays a whole history to a new store. "" or the first difference.
std::string PlayAll(const History& history);

// A history that fails and has no step or request that could be left out.
// REQUIRES: PlayAll(history) is not "".
History Shrink(History history);

// The requests as text, a line each.
std::string Describe(const History& history);

}  // namespace pedigree::model
