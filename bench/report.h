// The report of a run: loads with their absolute figures, figures with their targets, facts and
// durations; as aligned text and as JSON.
//
// Threading: one thread.
//
//   Report report;
//   report.AddLoad("PutExecution", "echo", rounds_of_echo);
//   report.AddFigure({.name = "PutExecution / echo", .unit = Unit::kPercent,
//                     .values = RatiosOf(rates, echo_rates), .target = AtLeast(0.40)});
//   std::cout << report.ToText();
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/load_generator.h"

namespace pedigree::bench {

// How a figure's values are written. Percent values are stored as shares (0.4 is 40 %).
enum class Unit {
  kPercent,
  kTimes,
  kMebibytes,
  kMicroseconds,
  kPerSecond,
  kBytes,
  kSeconds,
  kCount
};

// What the median of a figure has to reach.
struct Target {
  enum class Bound { kAtLeast, kAtMost } bound;
  double value;
};
inline Target AtLeast(double value) { return {Target::Bound::kAtLeast, value}; }
inline Target AtMost(double value) { return {Target::Bound::kAtMost, value}; }

// One figure, one value per round.
struct Figure {
  std::string name;
  Unit unit = Unit::kPercent;
  std::vector<double> values = {};  // not empty
  std::optional<Target> target = std::nullopt;
  std::string note = {};  // what it was measured against, or how; may be empty
};

class Report {
 public:
  // The rounds of one subject (a server, a yardstick) under one load.
  void AddLoad(std::string scenario, std::string subject, std::vector<LoadResult> rounds);

  void AddFigure(Figure figure);

  // A line of context: hardware, flags in force, sizes.
  void AddFact(std::string name, std::string value);

  void AddPhase(std::string name, double seconds);

  // Tables: facts, loads, figures with targets, durations.
  std::string ToText() const;

  // The same with every round's values.
  std::string ToJson() const;

 private:
  struct SubjectLoad {
    std::string scenario;
    std::string subject;
    std::vector<LoadResult> rounds;
  };

  std::vector<std::pair<std::string, std::string>> facts_;
  std::vector<SubjectLoad> loads_;
  std::vector<Figure> figures_;
  std::vector<std::pair<std::string, double>> phases_;
};

// One column of the rounds: ValuesOf(rounds, &LoadResult::rate).
std::vector<double> ValuesOf(const std::vector<LoadResult>& rounds, double LoadResult::*member);

}  // namespace pedigree::bench
