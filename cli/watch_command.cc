// pedigree watch
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/choice.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/journal_text.h"
#include "cli/output.h"
#include "pedigree/v1/audit.pb.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

class WatchCommand final : public Command {
 public:
  const char* name() const override { return "watch"; }
  const char* summary() const override {
    return "follow what changes, as it happens: a line for each request that wrote something";
  }
  const char* examples() const override {
    return "pedigree watch\n"
           "pedigree watch --after 1200 --kind artifact --kind execution\n"
           "pedigree watch --until_end --method PutExecution --output json";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("--after", after_, "only what came after this entry of the journal; 0: all")
        ->type_name("SEQUENCE")
        ->check(NotNegative())
        ->capture_default_str();
    app->add_option("--kind", kinds_,
                    "only changes of artifact, execution, context, event, artifact-type, ...; may "
                    "be repeated")
        ->type_name("KIND")
        ->check([](const std::string& name) {
          return ChangedKindOf(name) == v1::CHANGED_KIND_UNSPECIFIED
                     ? absl::StrCat(Quoted(name), " is no kind of change; kinds are ", AllKinds())
                     : std::string();
        });
    app->add_option("--method", methods_,
                    "only what this call did: PutExecution, or /SERVICE/METHOD; may be repeated")
        ->type_name("NAME");
    app->add_flag("--before", before_, "with what nodes were before (only in JSON)");
    app->add_flag("--until_end", until_end_, "ends after the newest entry instead of waiting");
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    const Screen screen = Screen::OfStandardOutput();
    absl::Status shown;
    absl::Status status =
        (*connection)
            ->Stream<v1::WatchResponse>("/pedigree.v1.AuditService/Watch", Request(),
                                        [&](v1::WatchResponse& part) {
                                          for (const auto& entry : part.entries()) {
                                            if (shown.ok()) shown = Show(entry, screen);
                                          }
                                          if (std::fflush(stdout) != 0 && shown.ok()) {
                                            shown = absl::UnknownError("cannot write the answer");
                                          }
                                          return shown.ok();
                                        });
    return shown.ok() ? status : shown;
  }

 private:
  static std::string AllKinds() {
    std::string names;
    for (int number = v1::ChangedKind_MIN + 1; number <= v1::ChangedKind_MAX; ++number) {
      if (!v1::ChangedKind_IsValid(number)) continue;
      absl::StrAppend(&names, names.empty() ? "" : ", ",
                      NameOfKind(static_cast<v1::ChangedKind>(number)));
    }
    return names;
  }

  v1::WatchRequest Request() const {
    v1::WatchRequest request;
    request.set_after_sequence(after_);
    for (const std::string& name : kinds_) request.add_kinds(ChangedKindOf(name));
    for (const std::string& name : methods_) {
      request.add_methods(absl::StartsWith(name, "/")
                              ? name
                              : absl::StrCat("/ml_metadata.MetadataStoreService/", name));
    }
    request.set_before_images(before_);
    request.set_stop_at_end(until_end_);
    return request;
  }

  // In JSON an object on a line: the whole has no end.
  absl::Status Show(const v1::JournalEntry& entry, const Screen& screen) const {
    if (format_ != OutputFormat::kJson) {
      Print(EntryLine(entry, screen));
      return absl::OkStatus();
    }
    return PrintJsonLine(entry);
  }

  int64_t after_ = 0;
  std::vector<std::string> kinds_;
  std::vector<std::string> methods_;
  bool before_ = false;
  bool until_end_ = false;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeWatchCommand() { return std::make_unique<WatchCommand>(); }

}  // namespace pedigree::cli
