// export_samples KEY.pem DIRECTORY: writes what others' validators then judge, every format of
// every history, as DIRECTORY/HISTORY/FILE.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/export/dsse.h"
#include "cli/export/formats.h"
#include "tests/cli/formats/writing.h"
#include "tests/store/random.h"
#include "tests/store/scratch_directory.h"

namespace pedigree::cli {
namespace {

// The first artifact that a step has written, a model if there is one.
int64_t AnyModel(const History& history) {
  int64_t written = 0;
  for (const auto& event : history.events) {
    if (event.event().type() != ml_metadata::Event::OUTPUT) continue;
    const int64_t id = event.event().artifact_id();
    if (written == 0) written = id;
    for (const auto& record : history.types) {
      if (record.artifact_type().name() == "system.Model" &&
          record.artifact_type().id() == history.artifacts.at(id).artifact().type_id()) {
        return id;
      }
    }
  }
  return written;
}

History WithDigests(History history) {
  for (auto& [id, exported] : history.artifacts) {
    (*exported.mutable_artifact()->mutable_custom_properties())["sha256"].set_string_value(
        std::string(64, static_cast<char>('a' + id % 6)));
  }
  return history;
}

void WriteSamples(const History& history, const SigningKey& key, const std::string& directory) {
  std::filesystem::create_directories(directory);
  struct Sample {
    MakeWriter make;
    std::vector<std::pair<std::string, std::string>> options;
  };
  const std::string model = absl::StrCat("artifact:", AnyModel(history));
  const std::vector<Sample> samples = {{&MakeOpenLineageWriter, {{"store", "prod"}}},
                                       {&MakeProvJsonWriter, {{"derived", "true"}}},
                                       {&MakeCycloneDxWriter, {{"model", model}}},
                                       {&MakeSlsaWriter, {}},
                                       {&MakeCsvWriter, {}}};
  for (const Sample& sample : samples) {
    const ExportWriterOptions options = {.selection = {}, .key = &key, .options = sample.options};
    for (const auto& [name, text] : WriteAll(sample.make, options, history).files) {
      WriteFile(directory + "/" + name, text);
    }
  }
}

int Main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("export_samples KEY.pem DIRECTORY\n", stderr);
    return 2;
  }
  const auto key = SigningKey::Load(argv[1]);
  if (!key.ok()) {
    std::fprintf(stderr, "%s\n", std::string(key.status().message()).c_str());
    return 1;
  }
  const std::string directory = argv[2];
  for (const char* name : {"kfp_two_runs", "every_value_kind", "random_history"}) {
    WriteSamples(RecordedHistory(name), *key, directory + "/" + name);
  }
  WriteSamples(WithDigests(RecordedHistory("kfp_two_runs")), *key, directory + "/kfp_digests");
  Random random;
  for (int i = 0; i < 12; ++i) {
    auto history = RandomHistory(random, 30);
    history.AddEvent(1, 1, ml_metadata::Event::OUTPUT);
    WriteSamples(history, *key, absl::StrCat(directory, "/random_", i));
  }
  return ::testing::UnitTest::GetInstance()->Failed() ? 1 : 0;
}

}  // namespace
}  // namespace pedigree::cli

int main(int argc, char** argv) { return pedigree::cli::Main(argc, argv); }
