// What tests expect of absl::Status and absl::StatusOr, with the whole status in the failure text.
//
//   ASSERT_TRUE(IsOk(store.Write(...)));
//   EXPECT_TRUE(Fails(Store::Open(options), absl::StatusCode::kDataLoss, "restore a backup"));
#pragma once

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace pedigree {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

template <typename T>
testing::AssertionResult IsOk(const T& result) {
  const absl::Status& status = StatusOf(result);
  if (status.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << status;
}

// Fails with this code, and with `part` somewhere in its message.
template <typename T>
testing::AssertionResult Fails(const T& result, absl::StatusCode code,
                               absl::string_view part = "") {
  const absl::Status& status = StatusOf(result);
  if (status.code() == code && absl::StrContains(status.message(), part)) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "got " << status << "\nexpected "
                                     << absl::StatusCodeToString(code) << " with '" << part << "'";
}

}  // namespace pedigree
