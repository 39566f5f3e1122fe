// Rows as bytes that are equal exactly if the rows mean the same.
//
// A column is `name=SIZE:BYTES;`, or `name;` where it is NULL; numbers are decimal, doubles their
// 16 hexadecimal digits, so that nothing is rounded. What may be written in several ways (the
// base64 of a struct, JSON) is written in one. Properties stand in the order of their names. Pure
// functions; any thread.
//
//   digest.Add(row.id, CanonicalNode(row, {2, 5}));
#pragma once

#include <cstdint>
#include <string>

#include "migrate/rows.h"

namespace pedigree::migrate {

std::string CanonicalType(const TypeRow& type);
std::string CanonicalNode(const NodeRow& node);
// `place`: of the event among those of its execution, from 1.
std::string CanonicalEvent(const EventRow& event, int64_t place);
std::string CanonicalLink(int64_t node, int64_t context);

}  // namespace pedigree::migrate
