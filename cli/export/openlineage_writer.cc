// The format openlineage: events as they are made go to a scratch output, and from there, in the
// order of their times, to the file.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/export/external_sorter.h"
#include "cli/export/formats.h"
#include "cli/export/frames.h"
#include "cli/export/openlineage.h"

namespace pedigree::cli {
namespace {

constexpr size_t kKeyBytes = 24;  // Of SortKey({time, execution, order}).

class OpenLineageWriter final : public ExportWriter {
 public:
  explicit OpenLineageWriter(OpenLineageOptions options) : mapper_(&types_, std::move(options)) {}

  v1::ExportShape shape() const override { return v1::STEPS; }

  absl::Status Begin(const v1::ExportHeader&, ExportTarget* target) override {
    target_ = target;
    auto output = target->Create("openlineage.ndjson");
    if (!output.ok()) return output.status();
    auto unsorted = target->CreateScratch("openlineage.unsorted");
    if (!unsorted.ok()) return unsorted.status();
    output_ = *output;
    unsorted_ = *unsorted;
    return absl::OkStatus();
  }

  std::string Checkpoint() const override {
    std::string saved;
    AppendFrame(types_.Save(), saved);
    AppendFrame(mapper_.Save(), saved);
    AppendFrame(absl::StrCat(events_), saved);
    return saved;
  }

  absl::Status Restore(const v1::ExportHeader& header, ExportTarget* target,
                       absl::string_view checkpoint) override {
    absl::Status status = Begin(header, target);
    if (!status.ok()) return status;
    const auto frames = SplitFrames(checkpoint);
    if (!frames.ok()) return frames.status();
    if (frames->size() != 3) return absl::DataLossError("the checkpoint does not parse");
    if (!absl::SimpleAtoi((*frames)[2], &events_)) {
      return absl::DataLossError("the checkpoint does not parse");
    }
    status = types_.Load((*frames)[0]);
    return status.ok() ? mapper_.Load((*frames)[1]) : status;
  }

  absl::Status Add(const v1::ExportRecord& record) override {
    if (types_.AddRecord(record) || !record.has_step()) return absl::OkStatus();
    for (const LineageEvent& event : mapper_.EventsOf(record.step())) {
      std::string row = SortKey({event.time_ms, event.execution_id, event.order});
      row += event.json;
      AppendFrame(row, unsorted_->buffer());
      ++events_;
    }
    return unsorted_->Drain();
  }

  absl::Status End() override {
    ExternalSorter sorter({});
    absl::Status status = ReadFrames(target_, unsorted_, [&sorter](absl::string_view row) {
      return sorter.Add(row.substr(0, kKeyBytes), row.substr(kKeyBytes));
    });
    if (!status.ok()) return status;
    return sorter.Drain([this](absl::string_view, absl::string_view json) {
      output_->buffer().append(json.data(), json.size());
      output_->buffer().push_back('\n');
      return output_->Drain();
    });
  }

  ExportCounts Counts() const override { return {{"OpenLineage events", events_}}; }

 private:
  TypeNames types_;
  OpenLineageMapper mapper_;
  ExportTarget* target_ = nullptr;  // Not owned, as the outputs.
  ExportOutput* output_ = nullptr;
  ExportOutput* unsorted_ = nullptr;
  int64_t events_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExportWriter>> MakeOpenLineageWriter(
    const ExportWriterOptions& options) {
  const auto by_name = OptionsByName(options, {"store"});
  if (!by_name.ok()) return by_name.status();
  const auto store = StoreOf(*by_name);
  if (!store.ok()) return store.status();
  return std::make_unique<OpenLineageWriter>(OpenLineageOptions{.store = *store});
}

}  // namespace pedigree::cli
