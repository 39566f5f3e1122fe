// Tells people how far a copy is, on a terminal; says nothing elsewhere. Threads: one.
//
//   ByteProgress progress;
//   progress.Show("copying", done, all);   // as often as one likes
//   progress.End();
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::cli {

class ByteProgress {
 public:
  ByteProgress();

  void Show(absl::string_view what, int64_t done, int64_t all);
  // Leaves the line to others.
  void End();

  // "copying: 1.5 MiB of 6.0 MiB (25 %)"
  static std::string LineOf(absl::string_view what, int64_t done, int64_t all);

 private:
  const bool is_terminal_;
  std::chrono::steady_clock::time_point shown_ = {};
  bool has_shown_ = false;
};

}  // namespace pedigree::cli
