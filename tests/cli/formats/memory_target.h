// An export's outputs in memory, which can be taken back to how they were, as after a kill.
//
// Threads: one.
//
//   MemoryTarget target;
//   writer->Begin(header, &target); ...
//   target.Text("prov.json")
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/export/export_target.h"

namespace pedigree::cli {

class MemoryTarget final : public ExportTarget {
 public:
  using Contents = std::map<std::string, std::string>;  // Scratch outputs with "scratch:" before.

  MemoryTarget() = default;
  // With what outputs had at a checkpoint; everything else is gone.
  explicit MemoryTarget(Contents contents) : restored_(std::move(contents)) {}

  absl::StatusOr<ExportOutput*> Create(absl::string_view name) override { return Make(name); }
  absl::StatusOr<ExportOutput*> CreateScratch(absl::string_view name) override {
    return Make(absl::StrCat("scratch:", name));
  }
  // In pieces that break everything that could be broken.
  absl::Status AppendScratch(ExportOutput* scratch, ExportOutput* to) override {
    auto* from = static_cast<Output*>(scratch);
    absl::Status status = from->Flush();
    for (size_t at = 0; at < from->text.size() && status.ok(); at += 13) {
      status = to->Append(absl::string_view(from->text).substr(at, 13));
    }
    return status;
  }

  // What a checkpoint would make durable.
  Contents Save() {
    Contents contents;
    for (auto& [name, output] : outputs_) {
      (void)output->Flush();
      contents[name] = output->text;
    }
    return contents;
  }
  std::string Text(const std::string& name) { return Save()[name]; }

 private:
  struct Output final : ExportOutput {
    absl::Status Take(absl::string_view bytes) override {
      text.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    }
    std::string text;
  };

  absl::StatusOr<ExportOutput*> Make(absl::string_view name) {
    auto& output = outputs_[std::string(name)];
    output = std::make_unique<Output>();
    output->text = restored_[std::string(name)];
    return output.get();
  }

  Contents restored_;
  std::map<std::string, std::unique_ptr<Output>> outputs_;
};

}  // namespace pedigree::cli
