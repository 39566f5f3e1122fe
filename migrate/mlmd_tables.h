// The tables and indexes of an MLMD database of schema 10 in SQLite.
//
//   for (const std::string& sql : CreateMlmdTables()) writer->Run(sql);
#pragma once

#include <string>
#include <vector>

namespace pedigree::migrate {

// Columns stand in the order of ColumnsOf() (schema.h) but for those of MLMDEnv.
std::vector<std::string> CreateMlmdTables();

// To be made after the rows are in: then each is sorted once.
std::vector<std::string> CreateMlmdIndexes();

}  // namespace pedigree::migrate
