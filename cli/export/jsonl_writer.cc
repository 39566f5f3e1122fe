#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/task.pb.h"
#include "cli/export/json_print.h"
#include "cli/export/jsonl_format.h"
#include "cli/export/message_table.h"
#include "store/record.h"
#include "store/wire.h"

namespace pedigree::cli {
namespace {

class JsonlWriter final : public ExportWriter {
 public:
  explicit JsonlWriter(const v1::ExportSelection& selection) : selection_(selection) {}

  v1::ExportShape shape() const override { return v1::RECORDS; }

  absl::Status Begin(const v1::ExportHeader& header, ExportTarget* target) override {
    if (absl::Status status = Open(target); !status.ok()) return status;
    std::string& line = output_->buffer();
    absl::StrAppend(&line, "{\"pedigree_jsonl\":", kJsonlVersion, ",\"header\":");
    absl::Status status = Print(header, &line);
    if (!status.ok()) return status;
    line.append(",\"selection\":");
    status = Print(selection_, &line);
    if (!status.ok()) return status;
    line.append("}\n");
    return output_->Drain();
  }

  absl::Status Restore(const v1::ExportHeader&, ExportTarget* target,
                       absl::string_view checkpoint) override {
    if (!absl::SimpleAtoi(checkpoint, &records_)) {
      return absl::DataLossError("the checkpoint of the format does not decode");
    }
    return Open(target);
  }
  std::string Checkpoint() const override { return absl::StrCat(records_); }

  absl::Status Add(const v1::ExportRecord& record) override {
    return AddBytes(SerializeSame(record));
  }

  absl::Status AddBytes(absl::string_view record) override {
    std::string& line = output_->buffer();
    WireCursor cursor(record);
    const auto field = cursor.Next();
    absl::Status status;
    if (field.has_value() && field->number == v1::ExportRecord::kTaskFieldNumber) {
      line.append("{\"task\":");
      status = PrintJson(tasks_, field->bytes, &line);
      line.push_back('}');
    } else {
      status = PrintJson(records_table_, record, &line);
    }
    if (!status.ok()) return status;
    line.push_back('\n');
    ++records_;
    return output_->Drain();
  }

  absl::Status End() override {
    return output_->Append(absl::StrCat("{\"end\":{\"records\":\"", records_, "\"}}\n"));
  }

 private:
  absl::Status Open(ExportTarget* target) {
    auto output = target->Create("export.jsonl");
    if (output.ok()) output_ = *output;
    return output.status();
  }
  static absl::Status Print(const google::protobuf::Message& message, std::string* out) {
    return PrintJson(MessageTable::Of(*message.GetDescriptor()), SerializeSame(message), out);
  }

  const v1::ExportSelection selection_;
  const MessageTable& records_table_ = MessageTable::Of(*v1::ExportRecord::descriptor());
  const MessageTable& tasks_ = MessageTable::Of(*api::Task::descriptor());
  ExportOutput* output_ = nullptr;  // Of the target.
  int64_t records_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExportWriter>> MakeJsonlWriter(const ExportWriterOptions& options) {
  if (!options.options.empty()) {
    return absl::InvalidArgumentError("the format jsonl has no options");
  }
  return std::make_unique<JsonlWriter>(options.selection);
}

}  // namespace pedigree::cli
