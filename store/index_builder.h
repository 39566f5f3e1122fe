// Builds and empties property indexes while the store serves.
//
// A thread looks now and then whether an index is unfinished, and then does its work in small
// writes, each a request among the others: the store stays as fast as it is, and after a restart
// the work goes on where the last write left it (property_index.h).
//
//   IndexBuilder builder(store);   // until it is destroyed
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

namespace pedigree {

class Store;

class IndexBuilder {
 public:
  // `store` is not owned and outlives this.
  explicit IndexBuilder(Store* store);
  // Finishes the write at hand.
  ~IndexBuilder();
  IndexBuilder(const IndexBuilder&) = delete;
  IndexBuilder& operator=(const IndexBuilder&) = delete;

 private:
  void Loop();
  std::optional<uint32_t> FindUnfinished() const;
  bool IsStopping();

  Store* const store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace pedigree
