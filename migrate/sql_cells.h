// Reads the columns of one row, and remembers the first that does not hold what it should.
//
// Threads: one.
//
//   Cells cells(row, "Artifact", columns);
//   node.id = cells.Int(0);
//   if (!cells.status().ok()) ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "migrate/sql.h"

namespace pedigree::migrate {

class Cells {
 public:
  Cells(const SqlRow& row, absl::string_view table, const std::vector<std::string>& columns)
      : row_(row), table_(table), columns_(columns) {}

  int64_t Int(int column) {
    const auto value = row_.IsNull(column) ? std::nullopt : row_.Int(column);
    if (!value.has_value()) Refuse(column, "an integer");
    return value.value_or(0);
  }
  std::optional<int64_t> MaybeInt(int column) {
    return row_.IsNull(column) ? std::nullopt : std::optional<int64_t>(Int(column));
  }
  std::optional<double> MaybeDouble(int column) {
    if (row_.IsNull(column)) return std::nullopt;
    const auto value = row_.Double(column);
    if (!value.has_value()) Refuse(column, "a number");
    return value;
  }
  std::string Text(int column) { return std::string(row_.Bytes(column)); }
  std::optional<std::string> MaybeText(int column) {
    return row_.IsNull(column) ? std::nullopt : std::optional<std::string>(Text(column));
  }

  absl::Status status() const {
    if (wrong_ < 0) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat("the source is damaged: a row of ", table_, " (",
                                            columns_[0], " = ", row_.Bytes(0), ") has no ", what_,
                                            " in column ", columns_[static_cast<size_t>(wrong_)]));
  }

 private:
  void Refuse(int column, absl::string_view what) {
    if (wrong_ >= 0) return;
    wrong_ = column;
    what_ = what.substr(what.find(' ') + 1);
  }

  const SqlRow& row_;
  const absl::string_view table_;
  const std::vector<std::string>& columns_;
  int wrong_ = -1;
  absl::string_view what_;
};

}  // namespace pedigree::migrate
