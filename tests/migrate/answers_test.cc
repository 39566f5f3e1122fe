// pedigreed over an imported store answers as a recorded server of MLMD's did over its source.
#include "tests/migrate/answers.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/migrate/mlmd_files.h"

namespace pedigree::migrate {
namespace {

TEST(Answers, OverEveryValueKind) {
  ExpectServes("sqlite:" + DataFile("every_value_kind.sqlite"),
               DataFile("every_value_kind.expected.json"));
}

TEST(Answers, OverKubeflowsHistoryInEverySchema) {
  for (const char* file :
       {"kfp_two_runs.sqlite", "kfp_two_runs.schema8.sqlite", "kfp_two_runs.schema6.sqlite"}) {
    ExpectServes("sqlite:" + DataFile(file), DataFile("kfp_two_runs.expected.json"));
  }
}

TEST(Answers, OverARandomHistory) {
  ExpectServes("sqlite:" + DataFile("random_history.sqlite"),
               DataFile("random_history.expected.json"));
}

}  // namespace
}  // namespace pedigree::migrate
