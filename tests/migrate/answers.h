// What a server answers over a whole history, compared with what a recorded server of MLMD's
// answered over the same (tests/data/mlmd-databases/*.expected.json).
//
// Nodes, types and members of contexts compare by id: a list without options has no order of its
// own. Events of an execution compare in the order answered. Threads: one.
//
//   ExpectAnswers(server->address(), DataFile("kfp_two_runs.expected.json"));
#pragma once

#include <string>

namespace pedigree::migrate {

// Fails the test for every difference.
void ExpectAnswers(const std::string& address, const std::string& expected_json);

// Imports the source, serves what came out with pedigreed, and compares.
void ExpectServes(const std::string& url, const std::string& expected_json);

}  // namespace pedigree::migrate
