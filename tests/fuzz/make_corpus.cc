// Makes the seed corpus of fuzz_requests from the recorded transcripts:
//
//   make_corpus tests/data/transcripts tests/fuzz/corpus
//
// Of each method it keeps a few requests that differ in which fields they set, smallest first, so
// that the corpus stays small; methods that no transcript calls get an empty and a random request.
// Files that are there are kept: findings of the fuzzer stand beside the seeds.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/methods.h"
#include "tests/fuzz/request_driver.h"
#include "tests/server/random_request.h"

namespace pedigree::testing {
namespace {

namespace fs = std::filesystem;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kSeedsPerMethod = 6;
constexpr size_t kMaxSeedBytes = 1500;

std::unique_ptr<Message> NewRequest(const std::string& rpc) {
  const auto* type = ml_metadata::PutArtifactsRequest::descriptor()->file()->FindMessageTypeByName(
      rpc + "Request");
  if (type == nullptr) return nullptr;
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

// The fields that a message sets, as text: requests of one shape differ in their values only.
std::string ShapeOf(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::set<std::string> parts;
  for (const FieldDescriptor* field : fields) {
    std::string part = absl::StrCat(field->number());
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < count && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE; ++i) {
      absl::StrAppend(&part, "(",
                      ShapeOf(field->is_repeated()
                                  ? message.GetReflection()->GetRepeatedMessage(message, field, i)
                                  : message.GetReflection()->GetMessage(message, field)),
                      ")");
    }
    parts.insert(part);
  }
  std::string shape;
  for (const std::string& part : parts) absl::StrAppend(&shape, part, ",");
  return shape;
}

struct Seed {
  std::string shape;
  std::string bytes;
};
using Seeds = std::map<std::string, std::vector<Seed>>;  // By method.

// Reads one line of a transcript. Lines that are no call are left out.
void AddSeed(std::string line, Seeds* seeds) {
  // ${artifact:1} and the like stand for ids of the recording.
  static const std::regex kTemplate(R"(\$\{[a-z_]+:([0-9]+)\})");
  line = std::regex_replace(line, kTemplate, "$1");
  google::protobuf::Struct step;
  if (!google::protobuf::util::JsonStringToMessage(line, &step).ok()) return;
  const std::string rpc =
      step.fields().contains("rpc") ? step.fields().at("rpc").string_value() : "";
  const auto request = NewRequest(rpc);
  if (request == nullptr || !step.fields().contains("request")) return;
  std::string json;
  const auto& body = step.fields().at("request");
  if (!google::protobuf::util::MessageToJsonString(body, &json).ok()) return;
  if (!google::protobuf::util::JsonStringToMessage(json, request.get()).ok()) return;
  const std::string bytes = request->SerializeAsString();
  if (bytes.size() <= kMaxSeedBytes) (*seeds)[rpc].push_back({ShapeOf(*request), bytes});
}

// Few of many: of each shape the smallest, and of these the most complex and the simplest ones.
std::vector<Seed> Choose(std::vector<Seed> seeds) {
  std::stable_sort(seeds.begin(), seeds.end(),
                   [](const Seed& a, const Seed& b) { return a.bytes.size() < b.bytes.size(); });
  std::vector<Seed> distinct;
  std::set<std::string> shapes;
  for (const Seed& seed : seeds) {
    if (shapes.insert(seed.shape).second) distinct.push_back(seed);
  }
  std::stable_sort(distinct.begin(), distinct.end(),
                   [](const Seed& a, const Seed& b) { return a.shape.size() > b.shape.size(); });
  if (distinct.size() <= kSeedsPerMethod) return distinct;
  std::vector<Seed> chosen;
  for (size_t i = 0; i < kSeedsPerMethod; ++i) {
    chosen.push_back(distinct[i * (distinct.size() - 1) / (kSeedsPerMethod - 1)]);
  }
  return chosen;
}

int Main(const fs::path& transcripts, const fs::path& corpus) {
  Seeds seeds;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(transcripts)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) AddSeed(line, &seeds);
  }
  fs::create_directories(corpus);
  std::mt19937 random(1);
  RandomRequests requests(&random);
  size_t count = 0;
  size_t total_bytes = 0;
  for (const Method& method : AllMethods()) {
    const std::string name(method.name);
    if (seeds[name].empty()) seeds[name] = {{"", ""}, {"random", requests.Make(name)}};
    int number = 0;
    for (const Seed& seed : Choose(seeds[name])) {
      const std::string input = RequestDriver::InputFor(name, seed.bytes);
      std::ofstream(corpus / absl::StrCat(name, "-", ++number), std::ios::binary) << input;
      ++count;
      total_bytes += input.size();
    }
  }
  std::printf("%zu inputs, %zu bytes\n", count, total_bytes);
  return 0;
}

}  // namespace
}  // namespace pedigree::testing

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: make_corpus TRANSCRIPTS CORPUS\n");
    return 2;
  }
  return pedigree::testing::Main(argv[1], argv[2]);
}
