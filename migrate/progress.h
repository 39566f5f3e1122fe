// Tells people how far a long work is: a bar on a terminal, plain lines elsewhere.
//
// Rows, rate and the time left, on the standard error. Threads: one.
//
//   Progress progress(Progress::Style::kAuto);
//   progress.Begin("checking", 1'000'000);
//   progress.Add(1);
//   progress.End();
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::migrate {

class Progress {
 public:
  enum class Style : uint8_t { kAuto, kBar, kLines, kSilent };

  // Of how many rows nobody knows before the end.
  static constexpr int64_t kUnknown = -1;

  explicit Progress(Style style);

  // A bar on a terminal and nothing elsewhere: for work that seldom takes long.
  static Style OnlyOnTerminal();

  void Begin(absl::string_view what, int64_t rows);
  void Add(int64_t rows) {
    done_ += rows;
    if (style_ != Style::kSilent && done_ >= next_look_) Look();
  }
  void End();

  // "checking: 500000 of 1000000 rows (50 %), 250000 rows/s, 2 s left"; "checking: 500000 rows,
  // 250000 rows/s" of kUnknown.
  static std::string LineOf(absl::string_view what, int64_t done, int64_t rows,
                            std::chrono::duration<double> elapsed);

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int64_t kRowsPerLook = 2048;

  void Look();
  void Say();

  Style style_;
  std::string what_;
  int64_t rows_ = 0;
  int64_t done_ = 0;
  int64_t next_look_ = 0;
  Clock::time_point begin_;
  Clock::time_point said_;
};

}  // namespace pedigree::migrate
