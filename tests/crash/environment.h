// What the environment says to a random test. Threads: any.
//
//   const int64_t rounds = FromEnvironment("KILL9_ROUNDS", 24);
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace pedigree::crash {

// The number in an environment variable.
inline int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::strtoll(value, nullptr, 10) : otherwise;
}

// The seed of this run: from the environment variable, else a new one. Prints it.
inline uint64_t SeedOf(const char* name) {
  const int64_t seed =
      FromEnvironment(name, static_cast<int64_t>(std::random_device()() % 1000000));
  std::cout << name << "=" << seed << std::endl;
  return static_cast<uint64_t>(seed);
}

}  // namespace pedigree::crash
