#include "migrate/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"

namespace pedigree::migrate {
namespace {

constexpr int kBarColumns = 30;

}  // namespace

Progress::Progress(Style style) : style_(style) {
  if (style_ == Style::kAuto) style_ = isatty(STDERR_FILENO) == 1 ? Style::kBar : Style::kLines;
}

Progress::Style Progress::OnlyOnTerminal() {
  return isatty(STDERR_FILENO) == 1 ? Style::kBar : Style::kSilent;
}

void Progress::Begin(absl::string_view what, int64_t rows) {
  what_ = std::string(what);
  rows_ = rows;
  done_ = 0;
  next_look_ = kRowsPerLook;
  begin_ = said_ = Clock::now();
}

void Progress::Look() {
  next_look_ = done_ + kRowsPerLook;
  const auto interval =
      style_ == Style::kBar ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
  const Clock::time_point now = Clock::now();
  if (now - said_ < interval) return;
  said_ = now;
  Say();
}

std::string Progress::LineOf(absl::string_view what, int64_t done, int64_t rows,
                             std::chrono::duration<double> elapsed) {
  const double seconds = std::max(elapsed.count(), 1e-6);
  const auto rate = static_cast<int64_t>(static_cast<double>(done) / seconds);
  if (rows == kUnknown) return absl::StrCat(what, ": ", done, " rows, ", rate, " rows/s");
  // Rows may come that were not counted.
  const int64_t all = std::max(rows, done);
  const int64_t percent = all == 0 ? 100 : done * 100 / all;
  std::string line =
      absl::StrCat(what, ": ", done, " of ", all, " rows (", percent, " %), ", rate, " rows/s");
  if (rate > 0 && all > done) absl::StrAppend(&line, ", ", (all - done) / rate, " s left");
  return line;
}

void Progress::Say() {
  const std::string line = LineOf(what_, done_, rows_, Clock::now() - begin_);
  if (style_ == Style::kLines) {
    std::fprintf(stderr, "%s\n", line.c_str());
    return;
  }
  if (rows_ == kUnknown) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
    return;
  }
  const int64_t all = std::max<int64_t>({rows_, done_, 1});
  const auto full = static_cast<size_t>(done_ * kBarColumns / all);
  std::string bar(full, '#');
  bar.append(kBarColumns - full, '.');
  std::fprintf(stderr, "\r\033[K[%s] %s", bar.c_str(), line.c_str());
  std::fflush(stderr);
}

void Progress::End() {
  if (style_ == Style::kSilent) return;
  Say();
  if (style_ == Style::kBar) std::fputc('\n', stderr);
}

}  // namespace pedigree::migrate
