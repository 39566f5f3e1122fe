// pedigree cache lookup|explain|invalidate|stats
#include <google/protobuf/struct.pb.h>

#include <CLI/CLI.hpp>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "cli/cache_explanation.h"
#include "cli/cache_text.h"
#include "cli/choice.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/node_calls.h"
#include "cli/output.h"
#include "cli/reference.h"
#include "pedigree/v1/cache.pb.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

// --namespace, --pipeline, --scope of a fingerprint.
struct KeyOptions {
  v1::CacheScope scope = v1::PIPELINE;
  std::string name_space;
  std::string pipeline;

  void AddOptions(CLI::App* app) {
    app->add_option("--namespace", name_space, "of the step")->type_name("NAME");
    app->add_option("--pipeline", pipeline, "of the step")->type_name("NAME");
    AddChoice<v1::CacheScope>(
        app, "--scope", &scope,
        {{"pipeline", v1::PIPELINE}, {"namespace", v1::NAMESPACE}, {"any", v1::ANY}},
        "pipeline|namespace|any", "where a result may come from")
        ->default_str("pipeline");
  }

  void Fill(const std::string& fingerprint, v1::CacheKey* key) const {
    key->set_fingerprint(fingerprint);
    key->set_namespace_(name_space);
    if (scope == v1::PIPELINE) key->set_pipeline(pipeline);
    key->set_scope(scope);
  }
};

// "30d", "12h", "90m" in ms. InvalidArgument if it is none.
absl::StatusOr<int64_t> ParseAge(absl::string_view text) {
  absl::string_view days = text;
  int64_t count = 0;
  if (absl::ConsumeSuffix(&days, "d") && absl::SimpleAtoi(days, &count) && count >= 0) {
    return absl::ToInt64Milliseconds(absl::Hours(24) * count);
  }
  absl::Duration age;
  if (absl::ParseDuration(std::string(text), &age) && age >= absl::ZeroDuration()) {
    return absl::ToInt64Milliseconds(age);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--max_staleness ", Quoted(text), " must be like 30d, 12h or 90m"));
}

class CacheLookupCommand final : public Command {
 public:
  const char* name() const override { return "lookup"; }
  const char* summary() const override {
    return "what the cache has for a fingerprint, or why it has nothing (exit code 3)";
  }
  const char* examples() const override {
    return "pedigree cache lookup 9f86d081884c7d65 --namespace team --pipeline train\n"
           "pedigree cache lookup 9f86d081884c7d65 --scope any --max_staleness 30d --live";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("FINGERPRINT", fingerprint_, "of the step")->type_name("")->required();
    key_.AddOptions(app);
    app->add_option("--max_staleness", max_staleness_, "the oldest result that will do, like 30d")
        ->type_name("AGE");
    app->add_flag("--live", live_, "only if all outputs are LIVE");
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    v1::LookupRequest request;
    key_.Fill(fingerprint_, request.mutable_key());
    request.mutable_condition()->set_require_live_outputs(live_);
    if (!max_staleness_.empty()) {
      const auto age = ParseAge(max_staleness_);
      if (!age.ok()) return age.status();
      request.mutable_condition()->set_max_staleness_ms(*age);
    }
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    v1::LookupResponse answer;
    absl::Status status = (*connection)->Call("/pedigree.v1.CacheService/Lookup", request, &answer);
    if (!status.ok()) return status;
    if (format_ == OutputFormat::kJson) {
      status = PrintJson(answer);
    } else if (answer.has_hit()) {
      Print(LookupText(answer, Screen::OfStandardOutput()));
    }
    if (!status.ok() || answer.has_hit()) return status;
    return absl::NotFoundError(MissText(answer.miss()));
  }

 private:
  std::string fingerprint_;
  KeyOptions key_;
  std::string max_staleness_;
  bool live_ = false;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

class CacheExplainCommand final : public Command {
 public:
  const char* name() const override { return "explain"; }
  const char* summary() const override {
    return "whether a step was taken from the cache, and why not";
  }
  const char* examples() const override { return "pedigree cache explain execution:7"; }

  void AddOptions(CLI::App* app) override {
    app->add_option("EXECUTION", text_, "execution:7, or its name; pedigree run shows them")
        ->type_name("")
        ->required();
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    constexpr NodeKind kExecutions[] = {NodeKind::kExecution};
    const auto ref = Resolve(connection->get(), text_, kExecutions);
    if (!ref.ok()) return ref.status();
    const auto explanation = ExplainStep(connection->get(), ref->id);
    if (!explanation.ok()) return explanation.status();
    if (format_ == OutputFormat::kJson) return PrintAsJson(*explanation);
    Print(ExplanationText(*explanation, Screen::OfStandardOutput()));
    return absl::OkStatus();
  }

 private:
  static absl::Status PrintAsJson(const StepExplanation& explanation) {
    JsonDocument json;
    json.Add("execution", explanation.step.execution);
    json.AddText("verdict", VerdictOf(explanation));
    if (explanation.cached_from.has_value()) {
      json.Add("cached_from", explanation.cached_from->execution);
    }
    json.BeginList("earlier");
    for (const EarlierStep& earlier : explanation.earlier) {
      google::protobuf::Struct item;
      (*item.mutable_fields())["execution_id"].set_string_value(
          absl::StrCat(earlier.step.execution.id()));
      (*item.mutable_fields())["reason"].set_string_value(earlier.reason);
      json.AddToList(item);
    }
    json.EndList();
    if (explanation.previous.has_value()) json.Add("previous", explanation.previous->execution);
    json.BeginList("differences");
    for (const Difference& difference : explanation.differences) {
      google::protobuf::Struct item;
      (*item.mutable_fields())["field"].set_string_value(difference.field);
      (*item.mutable_fields())["before"].set_string_value(difference.before);
      (*item.mutable_fields())["now"].set_string_value(difference.now);
      json.AddToList(item);
    }
    json.EndList();
    if (explanation.lookup.has_value()) json.Add("lookup_now", *explanation.lookup);
    return PrintJson(json);
  }

  std::string text_;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

class CacheInvalidateCommand final : public Command {
 public:
  const char* name() const override { return "invalidate"; }
  const char* summary() const override {
    return "take results out of the cache; what ran stays in the history";
  }
  const char* examples() const override {
    return "pedigree cache invalidate artifact:42 --dry_run\n"
           "pedigree cache invalidate execution:7\n"
           "pedigree cache invalidate --fingerprint 9f86d081884c7d65 --scope any";
  }

  void AddOptions(CLI::App* app) override {
    auto* what =
        app->add_option("REF", text_, "an execution, or an artifact: all that read or wrote it");
    what->type_name("");
    app->add_option("--fingerprint", fingerprint_, "the entries of a fingerprint instead")
        ->type_name("TEXT")
        ->excludes(what);
    key_.AddOptions(app);
    app->add_flag("--dry_run", dry_run_, "only say what it would do");
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    if (text_.empty() && fingerprint_.empty()) {
      return absl::InvalidArgumentError("say an execution, an artifact or --fingerprint");
    }
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    v1::InvalidateRequest request;
    absl::Status status = Fill(connection->get(), &request);
    if (!status.ok()) return status;
    v1::InvalidateResponse all;
    do {
      v1::InvalidateResponse answer;
      status = (*connection)->Call("/pedigree.v1.CacheService/Invalidate", request, &answer);
      if (!status.ok()) return status;
      all.mutable_execution_ids()->MergeFrom(answer.execution_ids());
      all.set_count(all.count() + answer.count());
      all.set_more_after_execution_id(answer.more_after_execution_id());
      if (request.has_artifact_id()) {
        request.set_after_execution_id(answer.more_after_execution_id());
      } else if (dry_run_) {
        break;  // It would say the same again.
      }
    } while (all.more_after_execution_id() != 0);
    if (format_ == OutputFormat::kJson) return PrintJson(all);
    for (const int64_t id : all.execution_ids()) Print(absl::StrCat("execution:", id, "\n"));
    Print(absl::StrCat(all.more_after_execution_id() == 0 ? "" : "at least ",
                       Count(all.count(), "result"), dry_run_ ? " would be" : "",
                       " taken out of the cache\n"));
    return absl::OkStatus();
  }

 private:
  absl::Status Fill(Connection* connection, v1::InvalidateRequest* request) const {
    request->set_dry_run(dry_run_);
    if (text_.empty()) {
      key_.Fill(fingerprint_, request->mutable_key());
      return absl::OkStatus();
    }
    constexpr NodeKind kKinds[] = {NodeKind::kArtifact, NodeKind::kExecution};
    const auto ref = Resolve(connection, text_, kKinds);
    if (!ref.ok()) return ref.status();
    if (ref->kind == NodeKind::kArtifact) {
      request->set_artifact_id(ref->id);
    } else {
      request->set_execution_id(ref->id);
    }
    return absl::OkStatus();
  }

  std::string text_;
  std::string fingerprint_;
  KeyOptions key_;
  bool dry_run_ = false;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

class CacheStatsCommand final : public Command {
 public:
  const char* name() const override { return "stats"; }
  const char* summary() const override { return "hits and misses since the server started"; }
  const char* examples() const override { return "pedigree cache stats --output json"; }

  void AddOptions(CLI::App* app) override {
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    v1::CacheStatsResponse answer;
    absl::Status status =
        (*connection)->Call("/pedigree.v1.CacheService/Stats", v1::CacheStatsRequest(), &answer);
    if (!status.ok()) return status;
    if (format_ == OutputFormat::kJson) return PrintJson(answer);
    Print(CacheStatsText(answer, Screen::OfStandardOutput()));
    return absl::OkStatus();
  }

 private:
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeCacheCommand() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<CacheLookupCommand>());
  commands.push_back(std::make_unique<CacheExplainCommand>());
  commands.push_back(std::make_unique<CacheInvalidateCommand>());
  commands.push_back(std::make_unique<CacheStatsCommand>());
  return std::make_unique<CommandGroup>("cache", "the results of steps that can be used again",
                                        std::move(commands));
}

}  // namespace pedigree::cli
