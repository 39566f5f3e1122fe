#include "cli/cache_text.h"

#include "absl/strings/str_cat.h"
#include "cli/facts.h"
#include "cli/node_text.h"
#include "cli/table.h"

namespace pedigree::cli {

std::string MissText(const v1::CacheMiss& miss) {
  return absl::StrCat("no hit, ", v1::MissReason_Name(miss.reason()), ": ",
                      Printable(miss.detail()));
}

std::string LookupText(const v1::LookupResponse& answer, const Screen& screen) {
  if (answer.has_miss()) return absl::StrCat("  ", MissText(answer.miss()), "\n");
  const v1::CacheHit& hit = answer.hit();
  std::string text = absl::StrCat(
      "  ", screen.paint(Colour::kGreen, "hit"), ": execution:", hit.execution().id(), " ",
      Printable(NameOf(hit.execution())), ", completed ", screen.Time(hit.completed_at_ms()));
  // Where times are for programs, what changes by the second would only be in the way.
  if (screen.times == Screen::Times::kLocal) {
    absl::StrAppend(&text, ", ", ShortDuration(hit.age_ms()), " ago");
  }
  text.push_back('\n');
  Facts outputs;
  for (const v1::CachedOutput& output : hit.outputs()) {
    const ml_metadata::Artifact& artifact = output.artifact();
    outputs.Add(absl::StrCat("artifact:", artifact.id()),
                absl::StrCat(ArtifactName(artifact, output.event()), "  ", artifact.type(), "  ",
                             artifact.uri()));
  }
  return absl::StrCat(text, outputs.ToText(screen));
}

std::string CacheStatsText(const v1::CacheStatsResponse& answer, const Screen& screen) {
  int64_t misses = 0;
  for (const auto& miss : answer.misses()) misses += miss.count();
  const int64_t all = answer.hits() + misses;
  Facts facts;
  facts.Add("since", screen.Time(answer.since_ms()));
  facts.Add("look-ups", Grouped(all));
  facts.Add("hits", all == 0 ? "0"
                             : absl::StrCat(Grouped(answer.hits()), " (", answer.hits() * 100 / all,
                                            " %)"));
  for (const auto& miss : answer.misses()) {
    facts.Add(absl::StrCat("no hit, ", v1::MissReason_Name(miss.reason())), Grouped(miss.count()));
  }
  facts.Add("time saved", ShortDuration(answer.saved_ms()));
  facts.Add("leases granted", Grouped(answer.leases_granted()));
  facts.Add("leases taken over", Grouped(answer.leases_taken_over()));
  facts.Add("stale publishes refused", Grouped(answer.stale_publishes_refused()));
  return facts.ToText(screen);
}

}  // namespace pedigree::cli
