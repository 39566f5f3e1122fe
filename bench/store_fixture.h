// A store in a scratch directory with the types, contexts and artifacts of a Kubeflow run, used in
// process, without gRPC.
//
// Threading: as Store.
//
//   auto fixture = StoreFixture::Create(10'000);
//   (*fixture)->store().Read(Blocking::kAllowed, [](const Reader& reader) { ... });
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "bench/scratch_directory.h"
#include "bench/workload.h"
#include "store/store.h"

namespace pedigree::bench {

class StoreFixture {
 public:
  // A new store that does not sync, with artifacts of the ids 1 to `artifacts`, in table files if
  // there are any: it is closed and opened again after filling. The status of what failed.
  static absl::StatusOr<std::unique_ptr<StoreFixture>> Create(int64_t artifacts);

  Store& store() { return *store_; }
  const KfpRun& run() const { return run_; }
  int64_t artifacts() const { return artifacts_; }

 private:
  StoreFixture() = default;

  absl::Status Open();
  absl::Status PutTypesAndContexts();
  absl::Status PutArtifacts(int64_t count);

  std::unique_ptr<ScratchDirectory> directory_;
  std::unique_ptr<Store> store_;
  KfpRun run_;
  int64_t artifacts_ = 0;
};

}  // namespace pedigree::bench
