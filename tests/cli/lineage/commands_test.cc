// What the program prints for each lineage command, from a small history, against files.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/cli/lineage/golden.h"
#include "tests/cli/lineage/history.h"

namespace pedigree::cli {
namespace {

using testing::ExpectGolden;

struct Ran {
  int code = 0;
  std::string out;  // Standard output and error.
};

class LineageCommands : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = ::testing::TempDir() + "pedigree-lineage-XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    const absl::Status written = testing::WriteHistory(directory_ + "/store");
    ASSERT_TRUE(written.ok()) << written;
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(directory_); }

  // `arguments` as a shell reads them.
  static Ran Run(const std::string& arguments) {
    const std::string command = absl::StrCat("TZ=UTC ", PEDIGREE_PROGRAM, " ", arguments,
                                             " --data_dir=", directory_, "/store 2>&1 </dev/null");
    Ran ran;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return {.code = -1, .out = "popen failed"};
    char buffer[4096];
    for (size_t n = 0; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) ran.out.append(buffer, n);
    const int status = pclose(pipe);
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ran;
  }

  // What the file has: the command, and what it printed, times taken out.
  static void ExpectSession(const std::string& file, const std::string& arguments) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.code, 0) << ran.out;
    ExpectGolden(file, absl::StrCat("$ pedigree ", arguments, "\n", WithoutTimes(ran.out)));
  }

  // Times since the epoch become "TIME".
  static std::string WithoutTimes(const std::string& text) {
    std::string clean;
    size_t digits = 0;
    for (size_t i = 0; i <= text.size(); ++i) {
      if (i < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) {
        ++digits;
        continue;
      }
      absl::StrAppend(&clean, digits == 13 ? "TIME" : text.substr(i - digits, digits));
      digits = 0;
      if (i < text.size()) clean.push_back(text[i]);
    }
    return clean;
  }

  static std::string directory_;
};

std::string LineageCommands::directory_;

TEST_F(LineageCommands, Lineage) {
  ExpectSession("lineage_up.txt", "lineage fraud-v2");
  ExpectSession("lineage_down.txt", "lineage transactions-2026-01 --down");
  ExpectSession("lineage_both.txt", "lineage s3://models/fraud/v1 --up --down");
  ExpectSession("lineage_depth.txt", "lineage fraud-v1 --depth 1");
  ExpectSession("lineage_where.txt", "lineage fraud-v1 --where \"name != 'chargebacks'\"");
  ExpectSession("lineage_stop.txt", "lineage auc-v1 --stop-at \"type = 'Model'\"");
}

TEST_F(LineageCommands, LineageInOtherFormats) {
  ExpectSession("lineage_json.txt", "lineage fraud-v1 --depth 1 --format json");
  ExpectSession("lineage_dot.txt", "lineage fraud-v1 --format dot");
  ExpectSession("lineage_mermaid.txt", "lineage fraud-v1 --format mermaid");
  ExpectSession("lineage_graphml.txt", "lineage fraud-v1 --depth 1 --format graphml");
}

TEST_F(LineageCommands, LineageToAFile) {
  for (const char* format : {"svg", "html"}) {
    const std::string file = absl::StrCat(directory_, "/out.", format);
    const Ran ran = Run(absl::StrCat("lineage fraud-v2 --format ", format, " -o ", file));
    EXPECT_EQ(ran.code, 0) << ran.out;
    EXPECT_EQ(ran.out, "");
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    EXPECT_NE(text.str().find("chargebacks"), std::string::npos) << format;
  }
  const Ran ran = Run("lineage fraud-v2 --format html -o " + directory_ + "/none/out.html");
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.out.find("cannot write"), std::string::npos) << ran.out;
}

TEST_F(LineageCommands, LineageAsOfATime) {
  // Before anything was there.
  const Ran before = Run("lineage fraud-v1 --as-of 2020-01-01");
  EXPECT_EQ(before.code, 3) << before.out;
  const Ran now = Run("lineage fraud-v1 --as-of 2999-01-01T00:00:00Z");
  EXPECT_EQ(now.code, 0) << now.out;
  EXPECT_NE(now.out.find("as of 2999-01-01T00:00:00.000Z"), std::string::npos) << now.out;
}

TEST_F(LineageCommands, Paths) {
  ExpectSession("paths.txt", "paths chargebacks auc-v2");
  ExpectSession("paths_csv.txt", "paths chargebacks auc-v2 --output csv");
  ExpectSession("paths_none.txt", "paths transactions-2026-01 auc-v2");
}

TEST_F(LineageCommands, Impact) {
  ExpectSession("impact.txt", "impact chargebacks");
  ExpectSession("impact_up.txt", "impact auc-v2 --up");
  ExpectSession("impact_csv.txt", "impact chargebacks --output csv");
  ExpectSession("impact_json.txt", "impact chargebacks --output json");
}

TEST_F(LineageCommands, Compare) {
  ExpectSession("compare.txt", "compare fraud-v1 fraud-v2");
  ExpectSession("compare_csv.txt", "compare fraud-v1 fraud-v2 --output csv");
  ExpectSession("compare_same.txt", "compare fraud-v1 fraud-v1");
}

TEST_F(LineageCommands, Origins) {
  ExpectSession("origins.txt", "origins auc-v2");
  ExpectSession("origins_csv.txt", "origins auc-v2 --output csv");
}

TEST_F(LineageCommands, WrongRequestsAreToldInALine) {
  const struct {
    const char* arguments;
    int code;
    const char* says;
  } kCases[] = {
      {"lineage no-such-model", 3, "no-such-model"},
      {"lineage artifact:999", 3, "999"},
      {"lineage fraud-v1 --where \"name ==\"", 2, "name =="},
      {"lineage fraud-v1 --as-of yesterday", 2, "yesterday"},
      {"lineage fraud-v1 --depth -1", 2, "--depth"},
      {"lineage fraud-v1 --format pdf", 2, "--format"},
      {"lineage", 2, "REF"},
      {"compare fraud-v1 execution:1", 2, "execution"},
      {"compare fraud-v1", 2, "B"},
      {"paths chargebacks fraud-v2 --max 0", 2, "--max"},
      {"impact context:1", 2, "context"},
  };
  for (const auto& wrong : kCases) {
    const Ran ran = Run(wrong.arguments);
    EXPECT_EQ(ran.code, wrong.code) << wrong.arguments << ": " << ran.out;
    EXPECT_NE(ran.out.find(wrong.says), std::string::npos) << wrong.arguments << ": " << ran.out;
    EXPECT_EQ(ran.out.find('\n'), ran.out.size() - 1) << wrong.arguments << ": " << ran.out;
  }
}

TEST_F(LineageCommands, HelpHasExamples) {
  for (const char* command : {"lineage", "paths", "impact", "compare", "origins"}) {
    const Ran ran = Run(absl::StrCat(command, " --help"));
    EXPECT_EQ(ran.code, 0);
    EXPECT_NE(ran.out.find("Examples:\n  pedigree "), std::string::npos) << ran.out;
  }
}

}  // namespace
}  // namespace pedigree::cli
