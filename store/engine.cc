#include "store/engine.h"

#include "absl/strings/cord.h"

namespace pedigree {
namespace {
constexpr char kWouldBlockUrl[] = "pedigree/would-block";
}

absl::Status WouldBlock() {
  absl::Status status = absl::UnavailableError("the read would wait for the disk");
  status.SetPayload(kWouldBlockUrl, absl::Cord());
  return status;
}

bool IsWouldBlock(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable &&
         status.GetPayload(kWouldBlockUrl).has_value();
}

KeyRange PrefixRange(absl::string_view prefix) {
  KeyRange range = {std::string(prefix), std::string(prefix)};
  while (!range.end.empty() && range.end.back() == '\xff') range.end.pop_back();
  if (!range.end.empty()) range.end.back() = static_cast<char>(range.end.back() + 1);
  return range;
}

}  // namespace pedigree
