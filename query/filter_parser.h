// filter_query's text into a Filter (filter_ast.h).
//
// A pure function: any thread. Its time and memory are linear in the text, its stack is bounded.
//
//   condition := and { OR and }            and := not { AND not }        not := NOT not | test
//   test      := sum [ (= | != | <> | < | <= | > | >=) sum
//                    | [NOT] IN ( sum {, sum} ) | [NOT] LIKE string | [NOT] BETWEEN sum AND sum
//                    | IS [NOT] (NULL | TRUE | FALSE) ]
//   sum       := product { (+ | -) product }                     product := sign { * sign }
//   sign      := (- | +) sign | literal | attribute | ( condition )
//
// A parenthesis holds a condition or a value; which, its contents tell.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "query/filter_ast.h"
#include "store/traits.h"

namespace pedigree {

// Parses a filter over nodes of `kind`. That "" is no filter is for the caller to know: empty text
// and mere space are errors here.
// Errors: InvalidArgument, one line of at most 700 bytes whatever the text:
//   filter_query, position 17: found 'foo', expected a comparison operator
// The position counts bytes of the text from 1; behind its end, it is one more than its size.
absl::StatusOr<Filter> ParseFilter(NodeKind kind, absl::string_view text);

}  // namespace pedigree
