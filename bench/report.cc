#include "bench/report.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/statistics.h"
#include "bench/text_table.h"

namespace pedigree::bench {
namespace {

std::string Write(double value, Unit unit) {
  switch (unit) {
    case Unit::kPercent:
      return absl::StrFormat("%.1f %%", value * 100);
    case Unit::kTimes:
      return absl::StrFormat("%.2f x", value);
    case Unit::kMebibytes:
      return absl::StrFormat("%.1f MiB", value);
    case Unit::kMicroseconds:
      return absl::StrFormat("%.*f us", value < 10 ? 3 : 0, value);
    case Unit::kBytes:
      return absl::StrFormat("%.1f B", value);
    case Unit::kPerSecond:
      return absl::StrFormat("%.*f /s", value < 100 ? 1 : 0, value);
    case Unit::kSeconds:
      return absl::StrFormat("%.2f s", value);
    case Unit::kCount:
      return absl::StrFormat("%.*f", value == std::floor(value) ? 0 : 1, value);
  }
  return "";
}

bool IsMet(const Target& target, double median) {
  return target.bound == Target::Bound::kAtLeast ? median >= target.value : median <= target.value;
}

std::string WriteTarget(const Figure& figure) {
  if (!figure.target) return "-";
  const bool at_least = figure.target->bound == Target::Bound::kAtLeast;
  return absl::StrCat(at_least ? ">= " : "<= ", Write(figure.target->value, figure.unit));
}

std::string WriteVerdict(const Figure& figure) {
  if (!figure.target) return "-";
  return IsMet(*figure.target, SpreadOf(figure.values).median) ? "yes" : "NO";
}

// A JSON string. Our texts are UTF-8 already; only JSON's own characters need escaping.
std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", std::string(1, c));
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&quoted, "\\u%04x", static_cast<int>(c));
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

std::string JsonNumber(double value) {
  return std::isfinite(value) ? absl::StrFormat("%.10g", value) : "null";
}

std::string JsonNumbers(const std::vector<double>& values) {
  return absl::StrCat("[",
                      absl::StrJoin(values, ", ",
                                    [](std::string* out, double value) {
                                      absl::StrAppend(out, JsonNumber(value));
                                    }),
                      "]");
}

std::string JsonFigure(const Figure& figure) {
  const Spread spread = SpreadOf(figure.values);
  constexpr const char* kUnits[] = {"share", "times", "MiB", "us", "1/s", "B", "s", "count"};
  std::string json = absl::StrCat(
      "{\"name\": ", Quote(figure.name), ", \"unit\": \"", kUnits[static_cast<int>(figure.unit)],
      "\", \"median\": ", JsonNumber(spread.median), ", \"min\": ", JsonNumber(spread.min),
      ", \"max\": ", JsonNumber(spread.max), ", \"values\": ", JsonNumbers(figure.values));
  if (figure.target) {
    const bool at_least = figure.target->bound == Target::Bound::kAtLeast;
    absl::StrAppend(&json, ", \"", at_least ? "at_least" : "at_most",
                    "\": ", JsonNumber(figure.target->value),
                    ", \"met\": ", IsMet(*figure.target, spread.median) ? "true" : "false");
  }
  return absl::StrCat(json, ", \"note\": ", Quote(figure.note), "}");
}

// A JSON array of what `write` makes of each item.
template <class Items, class WriteItem>
std::string JsonArray(const Items& items, WriteItem write) {
  return absl::StrCat("[\n    ",
                      absl::StrJoin(items, ",\n    ",
                                    [&write](std::string* out, const auto& item) {
                                      absl::StrAppend(out, write(item));
                                    }),
                      "\n  ]");
}

std::string JsonLoad(const std::string& scenario, const std::string& subject,
                     const std::vector<LoadResult>& rounds) {
  return absl::StrCat(
      "{\"scenario\": ", Quote(scenario), ", \"subject\": ", Quote(subject),
      ", \"rate\": ", JsonNumbers(ValuesOf(rounds, &LoadResult::rate)),
      ", \"p50_us\": ", JsonNumbers(ValuesOf(rounds, &LoadResult::p50_us)),
      ", \"p99_us\": ", JsonNumbers(ValuesOf(rounds, &LoadResult::p99_us)),
      ", \"server_cpu_us\": ", JsonNumbers(ValuesOf(rounds, &LoadResult::server_cpu_us)),
      ", \"client_cpu_us\": ", JsonNumbers(ValuesOf(rounds, &LoadResult::client_cpu_us)),
      ", \"reply_bytes\": ", JsonNumbers(ValuesOf(rounds, &LoadResult::reply_bytes)), "}");
}

std::vector<std::string> LoadRow(const std::string& subject,
                                 const std::vector<LoadResult>& rounds) {
  const auto median = [&rounds](double LoadResult::*member, int decimals) {
    const double value = SpreadOf(ValuesOf(rounds, member)).median;
    return value == 0 ? std::string("-") : absl::StrFormat("%.*f", decimals, value);
  };
  const Spread rate = SpreadOf(ValuesOf(rounds, &LoadResult::rate));
  return {absl::StrCat("  ", subject),           absl::StrFormat("%.0f", rate.median),
          absl::StrFormat("%.0f", rate.min),     absl::StrFormat("%.0f", rate.max),
          median(&LoadResult::p50_us, 0),        median(&LoadResult::p99_us, 0),
          median(&LoadResult::server_cpu_us, 1), median(&LoadResult::client_cpu_us, 1),
          median(&LoadResult::reply_bytes, 0),   absl::StrCat(rounds.size())};
}

}  // namespace

void Report::AddLoad(std::string scenario, std::string subject, std::vector<LoadResult> rounds) {
  loads_.push_back({std::move(scenario), std::move(subject), std::move(rounds)});
}

void Report::AddFigure(Figure figure) { figures_.push_back(std::move(figure)); }

void Report::AddFact(std::string name, std::string value) {
  facts_.emplace_back(std::move(name), std::move(value));
}

void Report::AddPhase(std::string name, double seconds) {
  phases_.emplace_back(std::move(name), seconds);
}

std::string Report::ToText() const {
  std::string text = "Pedigree benchmark\n\n";
  for (const auto& [name, value] : facts_)
    absl::StrAppendFormat(&text, "  %-12s %s\n", name, value);

  TextTable loads({"loads (medians of the rounds)", "calls/s", "min", "max", "p50 us", "p99 us",
                   "server us", "client us", "reply B", "rounds"});
  std::string scenario;
  for (const SubjectLoad& load : loads_) {
    if (load.scenario != scenario) {
      loads.AddRow({load.scenario, "", "", "", "", "", "", "", "", ""});
      scenario = load.scenario;
    }
    loads.AddRow(LoadRow(load.subject, load.rounds));
  }
  if (!loads_.empty()) absl::StrAppend(&text, "\n", loads.ToText());

  TextTable figures({"figures", "target", "median", "min", "max", "met"});
  for (const Figure& figure : figures_) {
    const Spread spread = SpreadOf(figure.values);
    figures.AddRow({figure.name, WriteTarget(figure), Write(spread.median, figure.unit),
                    Write(spread.min, figure.unit), Write(spread.max, figure.unit),
                    WriteVerdict(figure)});
  }
  if (!figures_.empty()) absl::StrAppend(&text, "\n", figures.ToText(), "\n");
  for (const Figure& figure : figures_) {
    if (!figure.note.empty()) absl::StrAppend(&text, "  ", figure.name, ": ", figure.note, "\n");
  }

  absl::StrAppend(&text, "\n  durations:");
  for (const auto& [name, seconds] : phases_) {
    absl::StrAppendFormat(&text, "  %s %.1f s", name, seconds);
  }
  return text + "\n";
}

std::string Report::ToJson() const {
  const auto pair_of_texts = [](const auto& fact) {
    return absl::StrCat("[", Quote(fact.first), ", ", Quote(fact.second), "]");
  };
  const auto phase = [](const auto& item) {
    return absl::StrCat("{\"phase\": ", Quote(item.first),
                        ", \"seconds\": ", JsonNumber(item.second), "}");
  };
  const auto load = [](const SubjectLoad& item) {
    return JsonLoad(item.scenario, item.subject, item.rounds);
  };
  return absl::StrCat("{\n  \"facts\": ", JsonArray(facts_, pair_of_texts),
                      ",\n  \"loads\": ", JsonArray(loads_, load),
                      ",\n  \"figures\": ", JsonArray(figures_, JsonFigure),
                      ",\n  \"phases\": ", JsonArray(phases_, phase), "\n}\n");
}

std::vector<double> ValuesOf(const std::vector<LoadResult>& rounds, double LoadResult::*member) {
  std::vector<double> values;
  values.reserve(rounds.size());
  for (const LoadResult& round : rounds) values.push_back(round.*member);
  return values;
}

}  // namespace pedigree::bench
