// Lists with a filter_query: plan the candidates, match them, stop when the page is full.
//
// Pure functions over a Reader; threads as the Reader.
//
//   auto token = ListFiltered(reader, query, *page, visit, nullptr);
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "query/list.h"
#include "query/list_page.h"
#include "store/reader.h"

namespace pedigree {

// What a filtered list did.
struct ListExplanation {
  std::string filter;  // In normal form.
  std::string order;   // "by id, ascending"
  std::string source;  // Where the candidates came from; FilterPlan::what.
  int64_t estimated_rows = 0;
  bool is_estimate_exact = false;
  int64_t candidates = 0;  // Nodes that were matched against the filter.
  int64_t rows = 0;        // Nodes that did match; at most one more than the page holds.
  std::string missing_index;
};

// As ListNodes, of a query with a filter_query. `explanation` may be null; it is filled also when
// the list fails, as far as it came.
absl::StatusOr<std::string> ListFiltered(
    const Reader& reader, const ListQuery& query, const ListPage& page,
    absl::FunctionRef<void(int64_t id, const RecordView& record)> visit,
    ListExplanation* explanation);

}  // namespace pedigree
