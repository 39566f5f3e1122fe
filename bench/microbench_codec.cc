// What it costs to make and read the store's keys and records.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "bench/workload.h"
#include "store/keys.h"
#include "store/record.h"

namespace pedigree::bench {
namespace {

constexpr char kUri[] = "minio://mlpipeline/v2/artifacts/iris-training/5e0bd5ea1795/model";

void BM_EncodeNodeKey(benchmark::State& state) {
  int64_t id = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(NodeKey{NodeKind::kArtifact, ++id}.Encode());
  }
}
BENCHMARK(BM_EncodeNodeKey);

void BM_DecodeNodeKey(benchmark::State& state) {
  const std::string bytes = NodeKey{NodeKind::kArtifact, 7}.Encode();
  NodeKey key;
  for (auto _ : state) benchmark::DoNotOptimize(NodeKey::Decode(bytes, &key));
}
BENCHMARK(BM_DecodeNodeKey);

void BM_EncodeArtifactEventKey(benchmark::State& state) {
  int64_t id = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ArtifactEventKey{++id, 3, ml_metadata::Event::OUTPUT}.Encode());
  }
}
BENCHMARK(BM_EncodeArtifactEventKey);

void BM_EncodeNameKey(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(NameKey{NodeKind::kContext, 12, "iris-training"}.Encode());
  }
}
BENCHMARK(BM_EncodeNameKey);

void BM_EncodeUriKey(benchmark::State& state) {
  int64_t id = 0;
  for (auto _ : state) benchmark::DoNotOptimize(UriKey{kUri, ++id}.Encode());
}
BENCHMARK(BM_EncodeUriKey);

std::string ArtifactRecord() {
  ml_metadata::Artifact artifact = KfpArtifact(10, kUri);
  artifact.set_id(7);
  return EncodeRecord({2, 5}, FarLinks::kNone, artifact.SerializeAsString());
}

void BM_EncodeRecord(benchmark::State& state) {
  const std::string message = KfpArtifact(10, kUri).SerializeAsString();
  for (auto _ : state) {
    benchmark::DoNotOptimize(EncodeRecord({2, 5}, FarLinks::kNone, message));
  }
}
BENCHMARK(BM_EncodeRecord);

void BM_ParseRecord(benchmark::State& state) {
  const std::string record = ArtifactRecord();
  for (auto _ : state) benchmark::DoNotOptimize(RecordView::Parse(record));
}
BENCHMARK(BM_ParseRecord);

// Reads the indexed fields of a node from its bytes.
void BM_PeekNode(benchmark::State& state) {
  const std::string record = ArtifactRecord();
  const RecordView view = *RecordView::Parse(record);
  for (auto _ : state) {
    benchmark::DoNotOptimize(PeekNode(NodeKind::kArtifact, view.message()));
  }
}
BENCHMARK(BM_PeekNode);

}  // namespace
}  // namespace pedigree::bench
