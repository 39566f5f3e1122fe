#include "cli/table.h"

#include <gtest/gtest.h>

namespace pedigree::cli {
namespace {

Table Small() {
  Table table({{"ID", Align::kRight}, {"NAME"}, {"URI", Align::kLeft, Cut::kMiddleOfUri}});
  table.AddRow({"7", Cell("modèle", Colour::kGreen), "s3://models/v1"});
  table.AddRow({"42", "two\nlines", ""});
  return table;
}

TEST(Table, AlignsColumnsByWhatIsSeen) {
  EXPECT_EQ(Small().ToText(Screen::Plain()),
            "ID  NAME        URI\n"
            " 7  modèle      s3://models/v1\n"
            "42  two\\nlines\n");
  Table wide({{"A"}, {"B"}});
  wide.AddRow({"日本", "x"});
  wide.AddRow({"abcd", "y"});
  EXPECT_EQ(wide.ToText(Screen::Plain()), "A     B\n日本  x\nabcd  y\n");
}

TEST(Table, ColoursCellsOutsideTheirWidth) {
  const Screen screen = {.paint = Paint::Coloured()};
  Table table({{"A"}, {"B"}});
  table.AddRow({Cell("x", Colour::kRed), "y"});
  EXPECT_EQ(table.ToText(screen), "\033[1mA\033[0m  \033[1mB\033[0m\n\033[31mx\033[0m  y\n");
}

TEST(Table, CutsTheWidestColumnsWhereTheScreenIsNarrow) {
  Table table({{"ID", Align::kRight}, {"NAME"}, {"URI", Align::kLeft, Cut::kMiddleOfUri}});
  table.AddRow({"1", std::string(40, 'n'), "minio://bucket/pipelines/churn/train/model"});
  const Screen screen = {.columns = 50};
  const std::string text = table.ToText(screen);
  EXPECT_EQ(text,
            "ID  NAME                    URI\n"
            " 1  nnnnnnnnnnnnnnnnnnnnn…  minio://…/train/model\n");
  // Too narrow for anything: no column vanishes.
  EXPECT_NE(table.ToText({.columns = 5}).find("nnn"), std::string::npos);
}

TEST(Table, WritesCsvAsItIs) {
  Table table({{"ID"}, {"NAME"}});
  table.AddRow({"1", "a,b"});
  table.AddRow({"2", "say \"no\""});
  table.AddRow({"3", "two\nlines"});
  table.AddRow({"4", "\033[31m"});
  EXPECT_EQ(table.ToCsv(),
            "id,name\n1,\"a,b\"\n2,\"say \"\"no\"\"\"\n3,\"two\nlines\"\n4,\033[31m\n");
}

}  // namespace
}  // namespace pedigree::cli
