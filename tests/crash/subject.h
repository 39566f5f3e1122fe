// What the crash tests torment: a store over a FaultFileSystem, and requests made for its model.
//
// The clock stands still between two openings, so that times are as predictable as all else, and
// the store can be compared with a model whatever groups the committer has formed.
// Threads: one.
//
//   Subject subject(seed);
//   ASSERT_TRUE(subject.Open().ok());
//   subject.files().CutPowerAt(subject.files().operations() + 7);
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "store/store.h"
#include "tests/crash/environment.h"
#include "tests/crash/fault_file_system.h"
#include "tests/model/invoke.h"
#include "tests/model/memory_directory.h"
#include "tests/model/model.h"
#include "tests/model/requests.h"
#include "tests/store/random.h"

namespace pedigree::crash {

class Subject {
 public:
  // Makes a store with a few types, on the real file system. Ends the program where it cannot.
  explicit Subject(uint64_t seed);
  // Closes what is open.
  ~Subject();

  Random& random() { return random_; }
  Store& store() { return *store_; }
  FaultFileSystem& files() { return *files_; }

  // What the store should hold. Tests change it as requests succeed.
  model::Model& model() { return model_; }
  int64_t clock_ms() const { return *clock_ms_; }

  // Makes a new files(), and opens the store over it: in two steps, faults can be set before.
  void PrepareFiles();
  absl::Status OpenPrepared();
  absl::Status Open() {
    PrepareFiles();
    return OpenPrepared();
  }
  // Opens it over the real file system.
  absl::Status OpenPlain();
  // Destroys the store. Ends the program if that hangs.
  void Close();
  bool is_open() const { return store_ != nullptr; }

  // A write that the model accepts, sometimes with enough bytes in it to fill a memtable soon.
  model::Call NextWrite();

  // Runs a write that must succeed in store and model alike. "" or what went wrong.
  std::string MustWrite();

  // Compares the store with a model, and asks Verify. "" or the first difference.
  std::string Compare(const model::Model& model);

  // Nodes in the store: beyond a few hundred the tests get slow.
  int64_t size() const;

 private:
  absl::Status OpenWith(std::shared_ptr<rocksdb::FileSystem> files);

  Random random_;
  model::MemoryDirectory directory_;
  std::shared_ptr<std::atomic<int64_t>> clock_ms_;
  std::shared_ptr<FaultFileSystem> files_;
  std::unique_ptr<Store> store_;
  model::Model model_;
  model::Requests requests_;
};

// RocksDB's flushes of all stores share one thread, which sleeps a second after an error: lets
// stores in several threads fail without waiting for each other.
void UseManyBackgroundThreads();

}  // namespace pedigree::crash
