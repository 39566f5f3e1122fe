// What it costs to read, write and answer one node: protobuf against splicing bytes.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "bench/splice_cost.h"
#include "bench/workload.h"

namespace pedigree::bench {
namespace {

template <class Node>
Node KfpNode();
template <>
ml_metadata::Artifact KfpNode() {
  return KfpArtifact(10, "minio://mlpipeline/v2/artifacts/iris-training/5e0bd5ea1795/model");
}
template <>
ml_metadata::Execution KfpNode() {
  return KfpExecution(11);
}

template <class Node>
void BM_Parse(benchmark::State& state) {
  const std::string bytes = KfpNode<Node>().SerializeAsString();
  for (auto _ : state) {
    Node node;
    benchmark::DoNotOptimize(node.ParseFromString(bytes));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_Parse<ml_metadata::Artifact>);
BENCHMARK(BM_Parse<ml_metadata::Execution>);

template <class Node>
void BM_Serialize(benchmark::State& state) {
  const Node node = KfpNode<Node>();
  std::string bytes;
  for (auto _ : state) {
    node.SerializeToString(&bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_Serialize<ml_metadata::Artifact>);
BENCHMARK(BM_Serialize<ml_metadata::Execution>);

// The answer to GetArtifactsByID of range(0) ids from stored bytes; items are nodes.
template <AnswerWay kWay>
void BM_Answer(benchmark::State& state) {
  const AnswerMaker maker(static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(maker.Make(kWay).size());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Answer<AnswerWay::kSplice>)->Arg(1)->Arg(100);
BENCHMARK(BM_Answer<AnswerWay::kParseAndSerialize>)->Arg(1)->Arg(100);

}  // namespace
}  // namespace pedigree::bench
