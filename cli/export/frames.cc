#include "cli/export/frames.h"

#include <cstdint>
#include <utility>

#include "absl/types/optional.h"

namespace pedigree::cli {
namespace {

constexpr size_t kLengthBytes = 8;

// Takes the first frame off, if it is whole.
absl::optional<absl::string_view> TakeFrame(absl::string_view& frames) {
  if (frames.size() < kLengthBytes) return absl::nullopt;
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    length = length << 8 | static_cast<unsigned char>(frames[i]);
  }
  if (frames.size() - kLengthBytes < length) return absl::nullopt;
  const absl::string_view frame = frames.substr(kLengthBytes, length);
  frames.remove_prefix(kLengthBytes + length);
  return frame;
}

absl::Status Broken() { return absl::DataLossError("a scratch output or checkpoint is cut off"); }

// Takes bytes, and visits the frames in them.
class FrameReader final : public ExportOutput {
 public:
  explicit FrameReader(std::function<absl::Status(absl::string_view)> visit)
      : visit_(std::move(visit)) {}

  absl::Status Finish() {
    absl::Status status = Flush();
    if (!status.ok()) return status;
    return rest_.empty() ? absl::OkStatus() : Broken();
  }

 protected:
  absl::Status Take(absl::string_view bytes) override {
    rest_.append(bytes.data(), bytes.size());
    absl::string_view frames = rest_;
    while (const auto frame = TakeFrame(frames)) {
      absl::Status status = visit_(*frame);
      if (!status.ok()) return status;
    }
    rest_.erase(0, rest_.size() - frames.size());
    return absl::OkStatus();
  }

 private:
  const std::function<absl::Status(absl::string_view)> visit_;
  std::string rest_;
};

}  // namespace

void AppendFrame(absl::string_view bytes, std::string& to) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    to.push_back(static_cast<char>(uint64_t{bytes.size()} >> shift & 0xFF));
  }
  to.append(bytes.data(), bytes.size());
}

absl::StatusOr<std::vector<std::string>> SplitFrames(absl::string_view frames) {
  std::vector<std::string> split;
  while (const auto frame = TakeFrame(frames)) split.emplace_back(*frame);
  if (!frames.empty()) return Broken();
  return split;
}

absl::Status ReadFrames(ExportTarget* target, ExportOutput* scratch,
                        std::function<absl::Status(absl::string_view frame)> visit) {
  FrameReader reader(std::move(visit));
  absl::Status status = target->AppendScratch(scratch, &reader);
  return status.ok() ? reader.Finish() : status;
}

}  // namespace pedigree::cli
