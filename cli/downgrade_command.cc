// pedigree downgrade --data_dir DIR --to VERSION
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/command.h"
#include "store/format_steps.h"

namespace pedigree::cli {
namespace {

class DowngradeCommand final : public Command {
 public:
  const char* name() const override { return "downgrade"; }
  const char* summary() const override {
    return "bring a store to an older format, for an older pedigreed";
  }
  const char* examples() const override {
    return "pedigree downgrade --data_dir pedigree-data --to 2";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("--data_dir", data_dir_, "the store, which no server may have open")
        ->required();
    app->add_option("--to", to_, "the format to bring it to")->required();
  }

  absl::Status Run() override {
    const auto steps = DowngradeStore(data_dir_, to_);
    if (!steps.ok()) return steps.status();
    if (steps->backup.empty()) {
      std::printf("the store has format %u\n", steps->to);
    } else {
      std::printf("the store went from format %u to %u; as it was, it is in %s\n", steps->from,
                  steps->to, steps->backup.c_str());
    }
    return absl::OkStatus();
  }

 private:
  std::string data_dir_;
  uint32_t to_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeDowngradeCommand() { return std::make_unique<DowngradeCommand>(); }

}  // namespace pedigree::cli
