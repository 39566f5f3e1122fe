// The statistics of a server as text. Threads: a free function, any.
//
//   Print(StatisticsText(answer, Screen::OfStandardOutput()));
#pragma once

#include <string>

#include "cli/table.h"
#include "cli/text.h"
#include "pedigree/v1/admin.pb.h"

namespace pedigree::cli {

// The nodes of each type, the most first.
Table TypeTable(const v1::GetStatisticsResponse& statistics);

// Types that no node has, such as the predefined ones, are left out.
std::string StatisticsText(const v1::GetStatisticsResponse& statistics, const Screen& screen);

}  // namespace pedigree::cli
