// The format csv: a file for each table.
#include <array>
#include <memory>
#include <string>

#include "cli/export/csv.h"
#include "cli/export/formats.h"

namespace pedigree::cli {
namespace {

class CsvWriter final : public ExportWriter {
 public:
  explicit CsvWriter(Guard guard) : guard_(guard) {}

  v1::ExportShape shape() const override { return v1::RECORDS; }

  absl::Status Begin(const v1::ExportHeader&, ExportTarget* target) override {
    absl::Status status = CreateOutputs(target);
    for (size_t i = 0; i < kCsvTables.size() && status.ok(); ++i) {
      status = outputs_[i]->Append(kCsvTables[i].header);
      if (status.ok()) status = outputs_[i]->Append("\r\n");
    }
    return status;
  }

  std::string Checkpoint() const override { return types_.Save(); }

  absl::Status Restore(const v1::ExportHeader&, ExportTarget* target,
                       absl::string_view checkpoint) override {
    absl::Status status = CreateOutputs(target);
    return status.ok() ? types_.Load(checkpoint) : status;
  }

  absl::Status Add(const v1::ExportRecord& record) override {
    types_.AddRecord(record);
    absl::Status written;
    absl::Status status =
        AddCsvRows(record, types_, guard_, [this, &written](CsvTable table, CsvRow& row) {
          const std::string line = row.Finish();
          if (written.ok()) written = outputs_[static_cast<size_t>(table)]->Append(line);
        });
    return status.ok() ? written : status;
  }

  absl::Status End() override { return absl::OkStatus(); }

 private:
  absl::Status CreateOutputs(ExportTarget* target) {
    for (size_t i = 0; i < kCsvTables.size(); ++i) {
      auto output = target->Create(kCsvTables[i].file);
      if (!output.ok()) return output.status();
      outputs_[i] = *output;
    }
    return absl::OkStatus();
  }

  const Guard guard_;
  TypeNames types_;
  std::array<ExportOutput*, kCsvTables.size()> outputs_ = {};  // Not owned; by CsvTable.
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExportWriter>> MakeCsvWriter(const ExportWriterOptions& options) {
  const auto by_name = OptionsByName(options, {"guard"});
  if (!by_name.ok()) return by_name.status();
  const auto guard = ChoiceOf(*by_name, "guard", Choice::kYes);
  if (!guard.ok()) return guard.status();
  return std::make_unique<CsvWriter>(*guard == Choice::kYes ? Guard::kFormulas : Guard::kNone);
}

}  // namespace pedigree::cli
