// The answers of LineageService's other calls, as tables and text for people.
//
// Pure functions; any thread.
//
//   Print(ImpactText(answer, Screen::OfStandardOutput()));
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "cli/lineage/graph.h"
#include "cli/table.h"
#include "pedigree/v1/lineage.pb.h"

namespace pedigree::cli {

// What Compare leaves to be looked up: the labels of nodes by RefText().
using Labels = absl::flat_hash_map<std::string, std::string>;

// Each path as a column of nodes with the events between them.
std::string PathsText(const v1::FindPathsResponse& answer, const Screen& screen);
// A row for each node of each path: which, how it was reached from the one before, what it is.
Table PathsTable(const v1::FindPathsResponse& answer);

std::string ImpactText(const v1::ImpactResponse& answer, const Screen& screen);
Table ImpactTable(const v1::ImpactResponse& answer);

std::string OriginsText(const v1::OriginsResponse& answer, const Screen& screen);
Table OriginsTable(const v1::OriginsResponse& answer);

// Side by side: what differs in the two themselves, inputs, parameters, code and images, versions,
// and what only one of them has. A and B are what the two are called.
struct CompareNames {
  std::string a;
  std::string b;
};
std::string CompareText(const v1::CompareResponse& answer, const CompareNames& names,
                        const Labels& labels, const Screen& screen);
Table CompareTable(const v1::CompareResponse& answer, const CompareNames& names,
                   const Labels& labels);

// A table under a title of its own.
std::string Headed(absl::string_view title, const Table& table, const Screen& screen);

// "Not complete: why" and the like, a line each; "" if there is nothing to say.
std::string CompletenessText(const v1::Completeness& completeness, const Screen& screen);

}  // namespace pedigree::cli
