// A small history of machine learning in a store: what the examples of the documents are about.
//
//   transactions-2026-01 ─┐
//   chargebacks ──────────┴─ train-january  ─ fraud-v1 ─ evaluate-v1 ─ auc-v1
//   transactions-2026-02 ─┬─ train-february ─ fraud-v2 ─ evaluate-v2 ─ auc-v2
//   chargebacks ──────────┘
// Each data set is written by an ingestion, and both evaluations read the data set "holdout". The
// trainings belong to the contexts (of type Run) fraud-january and fraud-february.
// Threads: one.
//
//   absl::Status status = WriteHistory("/tmp/store");
#pragma once

#include <string>

#include "absl/status/status.h"

namespace pedigree::cli::testing {

// Makes a store in an empty directory, and closes it.
absl::Status WriteHistory(const std::string& data_dir);

}  // namespace pedigree::cli::testing
