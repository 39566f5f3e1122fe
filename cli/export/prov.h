// Records as statements of PROV-JSON (W3C Member Submission of 2013): artifacts and contexts are
// entities, executions are activities, events tell what used and generated what.
//
// Pure functions: any thread.
//
//   for (const ProvStatement& statement : StatementsOf(record, types)) ...
//   // {kUsed, "ev:12", {"prov:activity":"exec:3","prov:entity":"art:7",...}}
#pragma once

#include <array>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/export/json_values.h"
#include "cli/export/type_names.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

enum class ProvSection { kEntity, kActivity, kUsed, kGenerated, kMember, kInfluenced, kDerived };
// Their names in a document, in its order; by ProvSection.
inline constexpr std::array<const char*, 7> kProvSections = {
    "entity",    "activity",        "used",          "wasGeneratedBy",
    "hadMember", "wasInfluencedBy", "wasDerivedFrom"};

struct ProvStatement {
  ProvSection section;
  std::string id;
  Json body;
};

// The prefixes of names in a document.
Json ProvPrefixes(absl::string_view store);

// None of a type, a task, an entry of the cache, or an event that is neither input nor output.
std::vector<ProvStatement> StatementsOf(const v1::ExportRecord& record, const TypeNames& types);

// Of two events of one execution, by their numbers.
ProvStatement Derivation(const v1::ExportedEvent& input, const v1::ExportedEvent& output);

// A name after a prefix that may hold any text: what is not a letter, digit, '_' or '-' becomes
// %XX.
std::string ProvLocalName(absl::string_view text);

}  // namespace pedigree::cli
