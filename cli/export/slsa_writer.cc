// The format slsa: one signed statement a line.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/export/dsse.h"
#include "cli/export/formats.h"
#include "cli/export/frames.h"
#include "cli/export/slsa.h"

namespace pedigree::cli {
namespace {

class SlsaWriter final : public ExportWriter {
 public:
  SlsaWriter(std::string store, const SigningKey* key) : store_(std::move(store)), key_(key) {}

  v1::ExportShape shape() const override { return v1::STEPS; }

  absl::Status Begin(const v1::ExportHeader&, ExportTarget* target) override {
    auto output = target->Create("provenance.intoto.jsonl");
    if (!output.ok()) return output.status();
    output_ = *output;
    return absl::OkStatus();
  }

  std::string Checkpoint() const override {
    std::string saved;
    AppendFrame(types_.Save(), saved);
    AppendFrame(step_.is_continued() ? step_.SerializeAsString() : "", saved);
    for (const auto& [what, count] : Counts()) AppendFrame(absl::StrCat(count), saved);
    return saved;
  }

  absl::Status Restore(const v1::ExportHeader& header, ExportTarget* target,
                       absl::string_view checkpoint) override {
    absl::Status status = Begin(header, target);
    if (!status.ok()) return status;
    const auto frames = SplitFrames(checkpoint);
    if (!frames.ok()) return frames.status();
    const std::vector<int64_t*> counts = {&statements_, &subjects_, &without_digest_, &conflicting_,
                                          &not_made_};
    if (frames->size() != counts.size() + 2 || !step_.ParseFromString((*frames)[1])) {
      return absl::DataLossError("the checkpoint does not parse");
    }
    for (size_t i = 0; i < counts.size(); ++i) {
      if (!absl::SimpleAtoi((*frames)[i + 2], counts[i])) {
        return absl::DataLossError("the checkpoint does not parse");
      }
    }
    return types_.Load((*frames)[0]);
  }

  absl::Status Add(const v1::ExportRecord& record) override {
    if (types_.AddRecord(record) || !record.has_step()) return absl::OkStatus();
    if (!record.step().continues()) step_.clear_uses();
    // A large step comes in several records, and makes one statement.
    auto uses = std::move(*step_.mutable_uses());
    uses.MergeFrom(record.step().uses());
    step_ = record.step();
    *step_.mutable_uses() = std::move(uses);
    return step_.is_continued() ? absl::OkStatus() : AddStep();
  }

  absl::Status End() override { return absl::OkStatus(); }

  ExportCounts Counts() const override {
    return {{"statements", statements_},
            {"subjects", subjects_},
            {"skipped: outputs without a digest of SHA-2", without_digest_},
            {"skipped: outputs with contradicting digests", conflicting_},
            {"skipped: steps that did not make their outputs", not_made_}};
  }

 private:
  absl::Status AddStep() {
    if (!MadeItsOutputs(step_.execution())) {
      ++not_made_;
      return absl::OkStatus();
    }
    const Provenance provenance = ProvenanceOf(step_, types_, store_);
    subjects_ += provenance.subjects;
    without_digest_ += provenance.without_digest;
    conflicting_ += provenance.conflicting_digest;
    if (!provenance.statement.has_value()) return absl::OkStatus();
    ++statements_;
    return output_->Append(SignedEnvelope(kInTotoPayloadType, Print(*provenance.statement), *key_));
  }

  const std::string store_;
  const SigningKey* const key_;     // Not owned.
  ExportOutput* output_ = nullptr;  // Not owned.
  TypeNames types_;
  v1::ExportedStep step_;  // Of the record before, to which the next may belong.
  int64_t statements_ = 0;
  int64_t subjects_ = 0;
  int64_t without_digest_ = 0;
  int64_t conflicting_ = 0;
  int64_t not_made_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExportWriter>> MakeSlsaWriter(const ExportWriterOptions& options) {
  const auto by_name = OptionsByName(options, {"store"});
  if (!by_name.ok()) return by_name.status();
  const auto store = StoreOf(*by_name);
  if (!store.ok()) return store.status();
  if (options.key == nullptr) {
    return absl::InvalidArgumentError(
        "the format slsa consists of signatures: give it an Ed25519 key");
  }
  return std::make_unique<SlsaWriter>(*store, options.key);
}

}  // namespace pedigree::cli
