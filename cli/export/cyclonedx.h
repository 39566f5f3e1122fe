// The lineage of one model as a CycloneDX 1.6 ML-BOM: the model, everything upstream of it as
// components and dependencies, and the steps that made it as a formulation.
//
// Pure functions: any thread.
//
//   std::string json = Print(BomOf(closure, types, {.store = "prod", .time_ms = 1754000000000}));
#pragma once

#include <cstdint>
#include <string>

#include "cli/export/json_values.h"
#include "cli/export/lineage_closure.h"
#include "cli/export/type_names.h"

namespace pedigree::cli {

struct BomOptions {
  std::string store = "default";
  int64_t time_ms = 0;   // Of the snapshot; 0: not said.
  int64_t sequence = 0;  // Of the journal's last entry in it.
};

Json BomOf(const LineageClosure& closure, const TypeNames& types, const BomOptions& options);

// A uri as a document can reference it: what is no character of a reference is %XX. Empty if it
// still is none, e.g. for want of a scheme.
std::string ReferenceOf(const std::string& uri);

}  // namespace pedigree::cli
