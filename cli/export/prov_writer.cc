// The format prov-json: one document, whose sections are put together at the end.
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/export/external_sorter.h"
#include "cli/export/formats.h"
#include "cli/export/frames.h"
#include "cli/export/prov.h"
#include "cli/export/step_facts.h"

namespace pedigree::cli {
namespace {

class ProvJsonWriter final : public ExportWriter {
 public:
  ProvJsonWriter(std::string store, Choice derived) : store_(std::move(store)), derived_(derived) {}

  v1::ExportShape shape() const override { return v1::RECORDS; }

  absl::Status Begin(const v1::ExportHeader&, ExportTarget* target) override {
    absl::Status status = CreateOutputs(target);
    if (!status.ok()) return status;
    return output_->Append(
        absl::StrCat("{\"prefix\":", Print(ProvPrefixes(store_)), ",\n\"entity\":{"));
  }

  std::string Checkpoint() const override {
    std::string saved;
    AppendFrame(types_.Save(), saved);
    for (const int64_t count : counts_) AppendFrame(absl::StrCat(count), saved);
    AppendFrame(absl::StrCat(skipped_events_), saved);
    return saved;
  }

  absl::Status Restore(const v1::ExportHeader&, ExportTarget* target,
                       absl::string_view checkpoint) override {
    absl::Status status = CreateOutputs(target);
    if (!status.ok()) return status;
    const auto frames = SplitFrames(checkpoint);
    if (!frames.ok()) return frames.status();
    bool parsed = frames->size() == counts_.size() + 2;
    for (size_t i = 0; i < counts_.size() && parsed; ++i) {
      parsed = absl::SimpleAtoi((*frames)[i + 1], &counts_[i]);
    }
    if (!parsed || !absl::SimpleAtoi(frames->back(), &skipped_events_)) {
      return absl::DataLossError("the checkpoint does not parse");
    }
    return types_.Load(frames->front());
  }

  absl::Status Add(const v1::ExportRecord& record) override {
    if (types_.AddRecord(record)) return absl::OkStatus();
    const std::vector<ProvStatement> statements = StatementsOf(record, types_);
    if (record.has_event() && statements.empty()) ++skipped_events_;
    for (const ProvStatement& statement : statements) {
      absl::Status status = AddStatement(statement);
      if (!status.ok()) return status;
    }
    if (derived_ == Choice::kNo || statements.empty() || !record.has_event()) {
      return absl::OkStatus();
    }
    AppendFrame(record.event().SerializeAsString(), events_->buffer());
    return events_->Drain();
  }

  absl::Status End() override {
    absl::Status status = derived_ == Choice::kYes ? AddDerivations() : absl::OkStatus();
    for (size_t i = 1; i < kProvSections.size() && status.ok(); ++i) {
      status = output_->Append(absl::StrCat("},\n\"", kProvSections[i], "\":{"));
      if (status.ok()) status = target_->AppendScratch(sections_[i], output_);
    }
    return status.ok() ? output_->Append("}}\n") : status;
  }

  ExportCounts Counts() const override {
    ExportCounts counts;
    for (size_t i = 0; i < kProvSections.size(); ++i) {
      counts.emplace_back(kProvSections[i], counts_[i]);
    }
    counts.emplace_back("skipped: events that are neither input nor output", skipped_events_);
    return counts;
  }

 private:
  absl::Status CreateOutputs(ExportTarget* target) {
    target_ = target;
    auto output = target->Create("prov.json");
    if (!output.ok()) return output.status();
    output_ = sections_[0] = *output;
    for (size_t i = 1; i < kProvSections.size(); ++i) {
      auto section = target->CreateScratch(absl::StrCat("prov.", kProvSections[i]));
      if (!section.ok()) return section.status();
      sections_[i] = *section;
    }
    if (derived_ == Choice::kNo) return absl::OkStatus();
    auto events = target->CreateScratch("prov.events");
    if (!events.ok()) return events.status();
    events_ = *events;
    return absl::OkStatus();
  }

  absl::Status AddStatement(const ProvStatement& statement) {
    const auto section = static_cast<size_t>(statement.section);
    const char* separator = counts_[section]++ == 0 ? "\n" : ",\n";
    return sections_[section]->Append(
        absl::StrCat(separator, Print(Json(statement.id)), ":", Print(statement.body)));
  }

  // Events come in the order in which they were added; their executions must be together.
  absl::Status AddDerivations() {
    ExternalSorter sorter({});
    absl::Status status = ReadFrames(target_, events_, [&sorter](absl::string_view frame) {
      v1::ExportedEvent event;
      if (!event.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
        return absl::DataLossError("an event in a scratch output does not parse");
      }
      return sorter.Add(SortKey({event.event().execution_id(), event.number()}), frame);
    });
    if (!status.ok()) return status;
    std::vector<v1::ExportedEvent> step;
    status = sorter.Drain([this, &step](absl::string_view, absl::string_view frame) {
      v1::ExportedEvent event;
      event.ParseFromArray(frame.data(), static_cast<int>(frame.size()));
      absl::Status added;
      if (!step.empty() && step.back().event().execution_id() != event.event().execution_id()) {
        added = AddDerivationsOf(step);
        step.clear();
      }
      step.push_back(std::move(event));
      return added;
    });
    return status.ok() ? AddDerivationsOf(step) : status;
  }

  absl::Status AddDerivationsOf(const std::vector<v1::ExportedEvent>& step) {
    for (const auto& output : step) {
      if (!WritesArtifact(output.event())) continue;
      for (const auto& input : step) {
        if (!ReadsArtifact(input.event())) continue;
        absl::Status status = AddStatement(Derivation(input, output));
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  const std::string store_;
  const Choice derived_;
  TypeNames types_;
  ExportTarget* target_ = nullptr;  // Not owned, as the outputs.
  ExportOutput* output_ = nullptr;
  ExportOutput* events_ = nullptr;
  std::array<ExportOutput*, kProvSections.size()> sections_ = {};
  std::array<int64_t, kProvSections.size()> counts_ = {};
  int64_t skipped_events_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExportWriter>> MakeProvJsonWriter(
    const ExportWriterOptions& options) {
  const auto by_name = OptionsByName(options, {"store", "derived"});
  if (!by_name.ok()) return by_name.status();
  const auto store = StoreOf(*by_name);
  if (!store.ok()) return store.status();
  const auto derived = ChoiceOf(*by_name, "derived", Choice::kNo);
  if (!derived.ok()) return derived.status();
  return std::make_unique<ProvJsonWriter>(*store, *derived);
}

}  // namespace pedigree::cli
