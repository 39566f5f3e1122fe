// The format cyclonedx: steps go to a scratch output, which is read twice at the end.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/export/cyclonedx.h"
#include "cli/export/formats.h"
#include "cli/export/frames.h"
#include "cli/export/lineage_closure.h"

namespace pedigree::cli {
namespace {

class CycloneDxWriter final : public ExportWriter {
 public:
  CycloneDxWriter(std::string model, std::string store)
      : model_(std::move(model)), store_(std::move(store)) {}

  v1::ExportShape shape() const override { return v1::STEPS; }

  absl::Status Begin(const v1::ExportHeader& header, ExportTarget* target) override {
    header_ = header;
    target_ = target;
    auto output = target->Create("bom.cdx.json");
    if (!output.ok()) return output.status();
    auto steps = target->CreateScratch("cyclonedx.steps");
    if (!steps.ok()) return steps.status();
    output_ = *output;
    steps_ = *steps;
    return absl::OkStatus();
  }

  std::string Checkpoint() const override { return types_.Save(); }

  absl::Status Restore(const v1::ExportHeader& header, ExportTarget* target,
                       absl::string_view checkpoint) override {
    absl::Status status = Begin(header, target);
    return status.ok() ? types_.Load(checkpoint) : status;
  }

  absl::Status Add(const v1::ExportRecord& record) override {
    if (types_.AddRecord(record) || !record.has_step()) return absl::OkStatus();
    AppendFrame(record.step().SerializeAsString(), steps_->buffer());
    return steps_->Drain();
  }

  absl::Status End() override {
    LineageClosure closure(model_);
    absl::Status status =
        ReadSteps([&closure](const v1::ExportedStep& step) { closure.AddEvents(step); });
    if (status.ok()) status = closure.Find();
    if (status.ok()) {
      status = ReadSteps([&closure](const v1::ExportedStep& step) { closure.AddBodies(step); });
    }
    if (!status.ok()) return status;
    components_ = static_cast<int64_t>(closure.artifacts().size());
    tasks_ = static_cast<int64_t>(closure.steps().size());
    const BomOptions options = {
        .store = store_, .time_ms = header_.time_ms(), .sequence = header_.sequence()};
    return output_->Append(absl::StrCat(Print(BomOf(closure, types_, options)), "\n"));
  }

  ExportCounts Counts() const override {
    return {{"components, the model included", components_}, {"tasks", tasks_}};
  }

 private:
  absl::Status ReadSteps(const std::function<void(const v1::ExportedStep&)>& visit) {
    return ReadFrames(target_, steps_, [&visit](absl::string_view frame) {
      v1::ExportedStep step;
      if (!step.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
        return absl::DataLossError("a step in a scratch output does not parse");
      }
      visit(step);
      return absl::OkStatus();
    });
  }

  const std::string model_;
  const std::string store_;
  v1::ExportHeader header_;
  ExportTarget* target_ = nullptr;  // Not owned, as the outputs.
  ExportOutput* output_ = nullptr;
  ExportOutput* steps_ = nullptr;
  TypeNames types_;
  int64_t components_ = 0;
  int64_t tasks_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExportWriter>> MakeCycloneDxWriter(
    const ExportWriterOptions& options) {
  const auto by_name = OptionsByName(options, {"model", "store"});
  if (!by_name.ok()) return by_name.status();
  const auto store = StoreOf(*by_name);
  if (!store.ok()) return store.status();
  const auto model = by_name->find("model");
  if (model == by_name->end() || model->second.empty()) {
    return absl::InvalidArgumentError(
        "the format cyclonedx is of one model: name it, e.g. by --option model=artifact:42");
  }
  return std::make_unique<CycloneDxWriter>(model->second, *store);
}

}  // namespace pedigree::cli
