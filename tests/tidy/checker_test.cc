// The checker finds what it is for, and nothing else.
#include "tests/tidy/checker.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pedigree::tidy {
namespace {

std::string Include(absl::string_view header) {
  return absl::StrCat("#include \"", header, "\"\n");
}

bool MayInclude(absl::string_view path, absl::string_view header) {
  return CheckFile(path, Include(header)).empty();
}

TEST(Checker, IncludesPointLeftOnly) {
  const std::vector<std::string> folders = {"store", "query", "server"};
  for (size_t from = 0; from < folders.size(); ++from) {
    for (size_t to = 0; to < folders.size(); ++to) {
      EXPECT_EQ(MayInclude(folders[from] + "/a.cc", folders[to] + "/b.h"), to <= from)
          << folders[from] << " -> " << folders[to];
    }
  }
}

TEST(Checker, TheProductIncludesNoClient) {
  for (const char* folder : {"store", "query", "server"}) {
    for (const char* client : {"cli", "migrate", "bench", "tests"}) {
      EXPECT_FALSE(MayInclude(absl::StrCat(folder, "/a.cc"), absl::StrCat(client, "/b.h")));
      EXPECT_TRUE(MayInclude(absl::StrCat(client, "/a.cc"), absl::StrCat(folder, "/b.h")));
    }
  }
  EXPECT_TRUE(MayInclude("tests/store/a.cc", "bench/b.h"));
}

TEST(Checker, EverybodyIncludesLibrariesAndGeneratedCode) {
  for (const char* header : {"absl/status/status.h", "ml_metadata/proto/metadata_store.pb.h",
                             "google/protobuf/message.h", "string", "unistd.h"}) {
    EXPECT_TRUE(MayInclude("store/a.cc", header)) << header;
  }
}

TEST(Checker, RocksDbIsKnownToTheStoreAndToThoseWhoMeasureAndBreakIt) {
  for (const char* path : {"store/a.cc", "store/a.h", "bench/a.cc", "tests/crash/a.cc"}) {
    EXPECT_EQ(CheckFile(path, "// A.\n#pragma once\n#include <rocksdb/db.h>\n").size(), 0u) << path;
  }
  for (const char* path : {"query/a.cc", "server/a.h", "cli/a.cc", "migrate/a.cc", "new/a.cc"}) {
    EXPECT_EQ(CheckFile(path, "// A.\n#pragma once\n#include <rocksdb/db.h>\n").size(), 1u) << path;
    EXPECT_FALSE(MayInclude(path, "rocksdb/options.h")) << path;
  }
}

TEST(Checker, GrpcIsKnownToNothingBelowTheServer) {
  for (const char* header : {"grpcpp/grpcpp.h", "grpc/grpc.h"}) {
    EXPECT_FALSE(MayInclude("store/a.cc", header));
    EXPECT_FALSE(MayInclude("query/a.cc", header));
    EXPECT_TRUE(MayInclude("server/a.cc", header));
    EXPECT_TRUE(MayInclude("bench/a.cc", header));
  }
}

TEST(Checker, TheSecondListenerAndMetricsAreKeptApart) {
  EXPECT_TRUE(MayInclude("server/http/a.cc", "boost/beast/http.hpp"));
  EXPECT_FALSE(MayInclude("server/a.cc", "boost/beast/http.hpp"));
  EXPECT_FALSE(MayInclude("server/a.cc", "boost/asio/io_context.hpp"));
  EXPECT_TRUE(MayInclude("query/a.cc", "boost/graph/graph_traits.hpp"));
  EXPECT_FALSE(MayInclude("server/http/a.cc", "grpcpp/grpcpp.h"));
  EXPECT_TRUE(MayInclude("server/metrics.cc", "prometheus/metric_family.h"));
  EXPECT_FALSE(MayInclude("server/http/a.cc", "prometheus/metric_family.h"));
}

TEST(Checker, AnIncludeIsFoundHoweverItIsWritten) {
  for (const char* line : {"#include \"server/a.h\"", "#include <server/a.h>",
                           "  #  include\t\"server/a.h\"  // why", "#include\"server/a.h\""}) {
    EXPECT_EQ(CheckFile("store/a.cc", line).size(), 1u) << line;
  }
  for (const char* line :
       {"// #include \"server/a.h\"", "#define INCLUDE \"server/a.h\"", "\"server/a.h\""}) {
    EXPECT_EQ(CheckFile("store/a.cc", line).size(), 0u) << line;
  }
}

TEST(Checker, AProblemNamesFileLineAndReason) {
  const auto problems = CheckFile("store/a.cc", "\n\n#include \"server/a.h\"\n");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0], "store/a.cc:3: includes server/a.h: store/ may not include server/");
}

TEST(Checker, PublicHeadersBeginWithACommentAndArePragmaOnce) {
  const std::string good = "// What it is.\n#pragma once\n";
  for (const char* folder : {"store", "query", "server"}) {
    const std::string header = absl::StrCat(folder, "/a.h");
    EXPECT_TRUE(CheckFile(header, good).empty());
    EXPECT_EQ(CheckFile(header, "\n// Late.\n#pragma once\n").size(), 1u);
    EXPECT_EQ(CheckFile(header, "#pragma once\n// Late.\n").size(), 1u);
    EXPECT_EQ(CheckFile(header, "// Never.\n").size(), 1u);
    EXPECT_EQ(CheckFile(header, "// In a comment: #pragma once\n").size(), 1u);
    EXPECT_EQ(CheckFile(header, "").size(), 2u);
    EXPECT_TRUE(CheckFile(absl::StrCat(folder, "/a.cc"), "").empty());
  }
  EXPECT_TRUE(CheckFile("tests/store/a.h", "").empty());
}

TEST(Checker, LinesHaveAtMostAHundredColumns) {
  const std::string hundred = "// " + std::string(97, 'x');
  EXPECT_TRUE(CheckFile("bench/a.cc", hundred + "\n" + hundred).empty());
  const auto problems = CheckFile("bench/a.cc", "\n" + hundred + "x\n");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_TRUE(absl::StartsWith(problems[0], "bench/a.cc:2: 101 columns"));
  std::string umlauts = "// ";
  for (int i = 0; i < 97; ++i) umlauts += "\u00fc";
  EXPECT_TRUE(CheckFile("bench/a.cc", umlauts).empty());
  EXPECT_EQ(CheckFile("bench/a.cc", umlauts + "\u00fc").size(), 1u);
}

TEST(Checker, KnowsItsFiles) {
  EXPECT_TRUE(IsChecked("store/keys.h"));
  EXPECT_TRUE(IsChecked("store/keys.cc"));
  EXPECT_FALSE(IsChecked("store/FORMAT.md"));
  EXPECT_FALSE(IsChecked("store/CMakeLists.txt"));
}

}  // namespace
}  // namespace pedigree::tidy
