// Answers of the cache as text. Threads: free functions, any.
//
//   Print(LookupText(answer, Screen::OfStandardOutput()));
#pragma once

#include <string>

#include "cli/text.h"
#include "pedigree/v1/cache.pb.h"

namespace pedigree::cli {

// A hit with its outputs, or why there is none; indented.
std::string LookupText(const v1::LookupResponse& answer, const Screen& screen);

// "no hit, STALE: execution 7 ..."
std::string MissText(const v1::CacheMiss& miss);

std::string CacheStatsText(const v1::CacheStatsResponse& answer, const Screen& screen);

}  // namespace pedigree::cli
