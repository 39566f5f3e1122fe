#include "cli/export/csv.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/export/json_values.h"
#include "tests/cli/formats/writing.h"

namespace pedigree::cli {
namespace {

// RFC 4180, read by somebody else than who wrote it.
std::vector<std::vector<std::string>> Parse(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string cell;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        cell.push_back(c);
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell.push_back('"');
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      EXPECT_TRUE(cell.empty());
      quoted = true;
    } else if (c == ',' || c == '\r') {
      row.push_back(cell);
      cell.clear();
      if (c == ',') continue;
      EXPECT_EQ(text[++i], '\n');
      rows.push_back(row);
      row.clear();
    } else {
      EXPECT_NE(c, '\n');
      cell.push_back(c);
    }
  }
  EXPECT_FALSE(quoted);
  EXPECT_TRUE(row.empty() && cell.empty());
  return rows;
}

std::string OneText(const std::string& text, Guard guard) {
  return CsvRow(guard).Text(text).Finish();
}

TEST(CsvRow, QuotesWhatNeedsIt) {
  EXPECT_EQ(OneText("plain", Guard::kFormulas), "plain\r\n");
  EXPECT_EQ(OneText("a,b", Guard::kFormulas), "\"a,b\"\r\n");
  EXPECT_EQ(OneText("say \"hi\"", Guard::kFormulas), "\"say \"\"hi\"\"\"\r\n");
  EXPECT_EQ(OneText("a\nb", Guard::kFormulas), "\"a\nb\"\r\n");
  EXPECT_EQ(OneText(" pad", Guard::kFormulas), "\" pad\"\r\n");
  EXPECT_EQ(OneText(std::string("a\0b", 3), Guard::kFormulas),
            "a\xEF\xBF\xBD"
            "b\r\n");
}

TEST(CsvRow, DefusesFormulasInTextOnly) {
  for (const char* text : {"=1", "+1", "-1", "@x", "'x",
                           "\xEF\xBC\x9D"
                           "1"}) {
    EXPECT_EQ(OneText(text, Guard::kFormulas), absl::StrCat("'", text, "\r\n"));
    EXPECT_EQ(OneText(text, Guard::kNone), absl::StrCat(text, "\r\n"));
  }
  EXPECT_EQ(OneText("\t=1", Guard::kFormulas), "'\t=1\r\n");
  EXPECT_EQ(CsvRow(Guard::kFormulas).Number(-1).Double(-0.5).Time(0).Finish(), "-1,-0.5,\r\n");
}

TEST(CsvRow, GivesAnyTextBackWithoutItsApostrophe) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random.Bytes(12);
    std::string cell = Parse(OneText(text, Guard::kFormulas))[0][0];
    if (absl::StartsWith(cell, "'")) cell.erase(0, 1);
    std::string want = ToUtf8(text);
    for (size_t at; (at = want.find('\0')) != std::string::npos;) {
      want.replace(at, 1, "\xEF\xBF\xBD");
    }
    ASSERT_EQ(cell, want);
  }
}

TEST(CsvWriter, HasARowForEverythingWithAsManyCellsAsTheHeader) {
  Random random;
  const History history = RandomHistory(random, 20);
  const Written written = WriteAll(&MakeCsvWriter, {}, history);
  std::map<std::string, size_t> rows;
  ASSERT_EQ(written.files.size(), kCsvTables.size());
  for (const auto& [name, text] : written.files) {
    const auto table = Parse(text);
    for (const auto& row : table) ASSERT_EQ(row.size(), table[0].size()) << name;
    rows[name] = table.size() - 1;
  }
  EXPECT_EQ(rows["artifacts.csv"], history.artifacts.size());
  EXPECT_EQ(rows["executions.csv"], history.executions.size());
  EXPECT_EQ(rows["contexts.csv"], history.contexts.size());
  EXPECT_EQ(rows["events.csv"], history.events.size());
  EXPECT_EQ(rows["types.csv"], history.types.size());
  size_t properties = 0;
  const auto count = [&properties](const auto& node) {
    properties += node.properties().size() + node.custom_properties().size();
  };
  for (const auto& [id, exported] : history.artifacts) count(exported.artifact());
  for (const auto& [id, exported] : history.executions) count(exported.execution());
  for (const auto& [id, exported] : history.contexts) count(exported.context());
  EXPECT_EQ(rows["properties.csv"], properties);
}

TEST(CsvWriter, WritesTasksAndCacheEntries) {
  const TypeNames types;
  std::vector<std::string> lines;
  const CsvSink sink = [&lines](CsvTable, CsvRow& row) { lines.push_back(row.Finish()); };
  v1::ExportRecord record;
  record.mutable_cache_entry()->set_execution_id(3);
  record.mutable_cache_entry()->set_pipeline("=p");
  EXPECT_TRUE(IsOk(AddCsvRows(record, types, Guard::kFormulas, sink)));
  record.set_task(
      "\x0a\x01"
      "t");  // Field 1, "t".
  EXPECT_TRUE(IsOk(AddCsvRows(record, types, Guard::kFormulas, sink)));
  EXPECT_EQ(lines, (std::vector<std::string>{"3,false,false,,'=p,,0\r\n", "t,,,,,,,\r\n"}));
  record.set_task("\x0a\x05t");  // Cut off.
  EXPECT_TRUE(
      Fails(AddCsvRows(record, types, Guard::kFormulas, sink), absl::StatusCode::kDataLoss));
  EXPECT_EQ(lines.size(), 2u);
}

}  // namespace
}  // namespace pedigree::cli
