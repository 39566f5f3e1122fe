// The random source of tests: each prints its seed, and PEDIGREE_TEST_SEED=<seed> repeats the run.
//
// Threads: one each.
//
//   Random random;
//   for (int i = 0; i < 1000; ++i) Check(random.Bytes(20));
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace pedigree {

class Random {
 public:
  Random() : Random(SeedOfThisRun()) {
    std::cout << "seed " << seed_ << " (PEDIGREE_TEST_SEED=" << seed_ << " repeats this run)"
              << std::endl;
  }
  explicit Random(uint64_t seed) : seed_(seed), engine_(seed) {}

  uint64_t seed() const { return seed_; }

  uint64_t Bits() { return engine_(); }
  // From `low` to `high`, both included.
  int64_t Between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }
  size_t Index(size_t size) {
    return static_cast<size_t>(Between(0, static_cast<int64_t>(size) - 1));
  }
  bool OneIn(int64_t n) { return Between(1, n) == 1; }
  template <typename T>
  const T& Pick(const std::vector<T>& values) {
    return values[Index(values.size())];
  }

  // A number of any magnitude: small ones are as likely as huge ones.
  uint64_t Skewed() { return Bits() >> Between(0, 63); }
  // Up to `most` bytes. Half of them are from the few that encodings treat differently.
  std::string Bytes(size_t most) {
    std::string bytes(Index(most + 1), '\0');
    for (char& byte : bytes) {
      byte = OneIn(2) ? static_cast<char>(Bits())
                      : std::string(
                            "\0\x01\x02\xff"
                            "a",
                            5)[Index(5)];
    }
    return bytes;
  }

 private:
  static uint64_t SeedOfThisRun() {
    const char* given = std::getenv("PEDIGREE_TEST_SEED");
    if (given != nullptr) return std::strtoull(given, nullptr, 10);
    return std::random_device()();
  }

  uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace pedigree
