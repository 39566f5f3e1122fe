// Opens a store in a process of its own, for tests of what two processes or another user may do.
//
//   store_process open DIR   prints "OK" or the status, and ends
//   store_process hold DIR   the same, then inserts an artifact and verifies at every line that it
//                            reads, answers "OK" or the status, and ends with its input
//   store_process crash DIR COUNT BYTES
//                            creates a store, opens it again, inserts COUNT artifacts of BYTES
//                            bytes, each in a commit of its own, prints the size of the log after
//                            each, and ends without closing once it has read a line
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "store/store.h"

namespace pedigree {
namespace {

absl::Status InsertAndVerify(Store& store) {
  absl::Status status = store.Write([](Transaction& transaction) {
    ml_metadata::Artifact artifact;
    artifact.set_type_id(1);
    return transaction.Insert(&artifact, {}).status();
  });
  if (!status.ok()) return status;
  auto report = store.Verify();
  if (!report.ok()) return report.status();
  return report->ok() ? absl::OkStatus() : absl::DataLossError(report->problems[0]);
}

absl::Status InsertOfSize(Store& store, size_t bytes) {
  return store.Write([&](Transaction& transaction) {
    ml_metadata::Artifact artifact;
    artifact.set_type_id(1);
    artifact.set_uri(std::string(bytes, 'u'));
    return transaction.Insert(&artifact, {}).status();
  });
}

uintmax_t SizeOfLog(const std::string& data_dir) {
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(data_dir + "/db")) {
    if (entry.path().extension() == ".log") newest = std::max(newest, entry.path());
  }
  return std::filesystem::file_size(newest);
}

void Print(const absl::Status& status) { std::cout << status.ToString() << std::endl; }

StoreOptions OptionsFor(const std::string& data_dir) {
  StoreOptions options;
  options.data_dir = data_dir;
  options.block_cache_bytes = size_t{1} << 20;
  options.write_buffer_bytes = size_t{8} << 20;
  return options;
}

int Open(const std::string& data_dir, bool hold) {
  auto store = Store::Open(OptionsFor(data_dir));
  Print(store.status());
  if (!store.ok() || !hold) return 0;
  for (std::string line; std::getline(std::cin, line);) Print(InsertAndVerify(**store));
  return 0;
}

int Crash(const std::string& data_dir, int count, size_t bytes) {
  if (!Store::Open(OptionsFor(data_dir)).ok()) return 1;
  auto store = Store::Open(OptionsFor(data_dir));
  if (!store.ok()) return 1;
  for (int i = 0; i < count; ++i) {
    if (!InsertOfSize(**store, bytes).ok()) return 1;
    std::cout << SizeOfLog(data_dir) << std::endl;
  }
  std::string line;
  std::getline(std::cin, line);
  _exit(0);
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() == 2) return Open(arguments[1], arguments[0] == "hold");
  if (arguments.size() != 4) return 2;
  return Crash(arguments[1], std::stoi(arguments[2]), std::stoul(arguments[3]));
}

}  // namespace
}  // namespace pedigree

int main(int argc, char** argv) {
  return pedigree::Main(std::vector<std::string>(argv + 1, argv + argc));
}
