#include "cli/command.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace pedigree::cli {
namespace {

TEST(ExitCode, TellsScriptsWhatHappened) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("")), 1);
  EXPECT_EQ(ExitCodeOf(absl::DataLossError("")), 1);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), 2);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), 3);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), 4);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("")), 4);
}

class Noted final : public Command {
 public:
  Noted(const char* name, absl::StatusCode code) : name_(name), code_(code) {}
  const char* name() const override { return name_; }
  const char* summary() const override { return "does"; }
  const char* examples() const override { return "pedigree one\npedigree two"; }
  void AddOptions(CLI::App*) override {}
  absl::Status Run() override { return absl::Status(code_, name_); }

 private:
  const char* const name_;
  const absl::StatusCode code_;
};

TEST(CommandGroup, RunsTheOneThatWasCalled) {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<Noted>("a", absl::StatusCode::kAborted));
  commands.push_back(std::make_unique<Noted>("b", absl::StatusCode::kDataLoss));
  CommandGroup group("g", "some", std::move(commands));
  CLI::App app;
  CLI::App* part = AddCommand(&app, &group);
  EXPECT_THROW(app.parse("g"), CLI::RequiredError);
  app.parse("g b");
  EXPECT_EQ(group.Run().code(), absl::StatusCode::kDataLoss);
  const std::string help = part->get_subcommand("a")->help();
  EXPECT_NE(help.find("Examples:\n  pedigree one\n  pedigree two"), std::string::npos) << help;
}

}  // namespace
}  // namespace pedigree::cli
