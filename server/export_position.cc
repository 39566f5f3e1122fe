#include "server/export_position.h"

#include <array>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "store/record.h"
#include "store/sha256.h"

namespace pedigree {
namespace {

constexpr size_t kCheckBytes = 8;

// Of everything that decides which records there are and what comes before what.
std::string CheckOf(const v1::ExportRequest& request) {
  v1::ExportRequest asked;
  *asked.mutable_selection() = request.selection();
  asked.set_shape(request.shape());
  const std::string bytes = SerializeSame(asked);
  const Sha256Digest digest = Sha256(bytes);
  return absl::BytesToHexString(ToView(digest).substr(0, kCheckBytes));
}

}  // namespace

std::string ExportPosition::Encode(const v1::ExportRequest& request) const {
  return absl::StrCat(stage, ".", id, ".", chunk, ".", place, "-", CheckOf(request));
}

absl::StatusOr<ExportPosition> ExportPosition::Decode(absl::string_view text,
                                                      const v1::ExportRequest& request) {
  const std::vector<absl::string_view> halves = absl::StrSplit(text, '-');
  const std::vector<absl::string_view> parts = absl::StrSplit(halves[0], '.');
  ExportPosition position;
  const std::array<int64_t*, 4> numbers = {&position.stage, &position.id, &position.chunk,
                                           &position.place};
  bool is_one = halves.size() == 2 && parts.size() == numbers.size();
  for (size_t i = 0; is_one && i < numbers.size(); ++i) {
    is_one = absl::SimpleAtoi(parts[i], numbers[i]) && *numbers[i] >= 0;
  }
  if (!is_one || halves[1] != CheckOf(request)) {
    return absl::InvalidArgumentError(
        "position is not one of an export with this selection and shape");
  }
  return position;
}

}  // namespace pedigree
