#include "tests/tidy/checker.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pedigree::tidy {
namespace {

constexpr ptrdiff_t kMostColumns = 100;

// The folders that hold code. Whatever else an include begins with is a library or generated.
constexpr absl::string_view kFolders[] = {"store",   "query", "server", "cli",
                                          "migrate", "bench", "tests"};

// What the folders of the product may include beside themselves; the others may include all.
struct Direction {
  absl::string_view folder;
  std::vector<absl::string_view> below;
};

const std::vector<Direction>& Directions() {
  static const auto* const directions = new std::vector<Direction>{
      {"store", {}},
      {"query", {"store"}},
      {"server", {"store", "query"}},
  };
  return *directions;
}

template <typename Range>
bool Contains(const Range& range, absl::string_view value) {
  return std::find(std::begin(range), std::end(range), value) != std::end(range);
}

absl::string_view FolderOf(absl::string_view path) { return path.substr(0, path.find('/')); }

// The name between the quotes or brackets of an include line; "" for any other line.
absl::string_view IncludedIn(absl::string_view line) {
  line = absl::StripLeadingAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "#")) return "";
  line = absl::StripLeadingAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "include")) return "";
  line = absl::StripLeadingAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "<") && !absl::ConsumePrefix(&line, "\"")) return "";
  return line.substr(0, line.find_first_of(">\""));
}

bool IsIn(absl::string_view path, absl::string_view folder) {
  return absl::StartsWith(path, folder);
}

// Why a file may not include `header`; "" if it may.
std::string WhyNot(absl::string_view path, absl::string_view header) {
  const absl::string_view folder = FolderOf(path);
  const absl::string_view from = FolderOf(header);
  if (from == "rocksdb" &&
      !Contains(std::vector<absl::string_view>{"store", "bench", "tests"}, folder)) {
    return "only store/, bench/ and tests/ may know RocksDB";
  }
  if ((from == "grpc" || from == "grpcpp") && (folder == "store" || folder == "query")) {
    return "nothing below server/ may know gRPC";
  }
  if (from == "prometheus" && path != "server/metrics.cc") {
    return "only server/metrics.cc may know the library for Prometheus";
  }
  if (IsIn(path, "server/") && !IsIn(path, "server/http/") &&
      (IsIn(header, "boost/asio") || IsIn(header, "boost/beast"))) {
    return "of server/ only http/ may know Boost.Asio and Boost.Beast";
  }
  if (IsIn(path, "server/http/") && (from == "grpc" || from == "grpcpp")) {
    return "server/http/ may not know gRPC";
  }
  if (from == folder || !Contains(kFolders, from)) return "";
  for (const Direction& direction : Directions()) {
    if (direction.folder == folder && !Contains(direction.below, from)) {
      return absl::StrCat(folder, "/ may not include ", from, "/");
    }
  }
  return "";
}

// Bytes of UTF-8 that do not begin a character take no column.
ptrdiff_t ColumnsOf(absl::string_view line) {
  return std::count_if(line.begin(), line.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

bool IsPublicHeader(absl::string_view path) {
  const absl::string_view folder = FolderOf(path);
  return absl::EndsWith(path, ".h") &&
         (folder == "store" || folder == "query" || folder == "server" || folder == "migrate" ||
          folder == "cli");
}

}  // namespace

bool IsChecked(absl::string_view path) {
  return absl::EndsWith(path, ".h") || absl::EndsWith(path, ".cc");
}

std::vector<std::string> CheckFile(absl::string_view path, absl::string_view text) {
  std::vector<std::string> problems;
  int number = 0;
  bool has_pragma_once = false;
  const auto add = [&](absl::string_view what) {
    problems.push_back(absl::StrCat(path, ":", number, ": ", what));
  };
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (number == 1 && IsPublicHeader(path) && !absl::StartsWith(line, "// ")) {
      add("a header begins with a comment that says what it is");
    }
    has_pragma_once = has_pragma_once || line == "#pragma once";
    const ptrdiff_t columns = ColumnsOf(line);
    if (columns > kMostColumns) add(absl::StrCat(columns, " columns; at most ", kMostColumns));
    const absl::string_view header = IncludedIn(line);
    const std::string why_not = WhyNot(path, header);
    if (!why_not.empty()) add(absl::StrCat("includes ", header, ": ", why_not));
  }
  number = 1;
  if (IsPublicHeader(path) && !has_pragma_once) add("a header says #pragma once");
  return problems;
}

}  // namespace pedigree::tidy
