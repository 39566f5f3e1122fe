// Every format, on a small lineage against files, and on texts that would break out of it.
#include "cli/lineage/render.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <graphviz/cgraph.h>
#include <gtest/gtest.h>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/cli/lineage/golden.h"
#include "tests/cli/lineage/sample.h"

namespace pedigree::cli {
namespace {

using testing::Chain;
using testing::ExpectGolden;
using testing::PlatformLineage;
using testing::SmallLineage;

// Everything that has a meaning in one of the formats, or none in any.
const std::string& Nasty() {
  static const auto* const nasty = new std::string(
      "a \"b\" <c>&amp; \\N 'd'\n]]></script>{{data}}<!--#quot; `x` \u05d0\u05d1 \U0001F600 \u2028 "
      "\xff \x01");
  return *nasty;
}

const RenderOptions kOptions = {.screen = {}, .title = "What led to fraud-v1", .remark = ""};

boost::property_tree::ptree ParseXml(const std::string& text) {
  std::istringstream stream(text);
  boost::property_tree::ptree tree;
  EXPECT_NO_THROW(boost::property_tree::read_xml(stream, tree)) << text;
  return tree;
}

google::protobuf::Struct ParseJson(absl::string_view text) {
  google::protobuf::Struct parsed;
  const auto status = google::protobuf::util::JsonStringToMessage(std::string(text), &parsed);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return parsed;
}

size_t CountOf(absl::string_view text, absl::string_view part) {
  return std::vector<absl::string_view>(absl::StrSplit(text, part)).size() - 1;
}

std::string DataOf(const std::string& page) {
  const std::string begin = "id=\"data\">";
  const size_t at = page.find(begin) + begin.size();
  return page.substr(at, page.find("</script>", at) - at);
}

TEST(Render, ASmallLineageInEveryFormatOfText) {
  for (const auto& [name, way] : {std::pair("up", LineageWay::kUp),
                                  {"down", LineageWay::kDown},
                                  {"both", LineageWay::kBoth}}) {
    const LineageGraph graph = SmallLineage(way);
    ExpectGolden(absl::StrCat(name, ".tree.txt"), RenderTree(graph, kOptions));
    ExpectGolden(absl::StrCat(name, ".dot"), RenderDot(graph, kOptions));
    ExpectGolden(absl::StrCat(name, ".mmd"), RenderMermaid(graph));
    ExpectGolden(absl::StrCat(name, ".graphml"), RenderGraphml(graph));
    const auto json = RenderJson(graph);
    ASSERT_TRUE(json.ok()) << json.status();
    ExpectGolden(absl::StrCat(name, ".json"), *json);
  }
}

TEST(RenderTree, HasColoursAndFitsWhereItIsToldTo) {
  const LineageGraph graph = SmallLineage(LineageWay::kBoth);
  ExpectGolden("colours.tree.txt",
               RenderTree(graph, {.screen = {.paint = Paint::Coloured(), .columns = 100},
                                  .title = "",
                                  .remark = "as of then"}));
  const std::string narrow = RenderTree(
      graph, {.screen = {.paint = Paint::Plain(), .columns = 90}, .title = "", .remark = ""});
  for (absl::string_view line : absl::StrSplit(narrow, '\n')) EXPECT_LE(WidthOf(line), 90u) << line;
}

TEST(RenderTree, TellsTheSameSubtreeOnce) {
  const std::string tree = RenderTree(SmallLineage(LineageWay::kUp), kOptions);
  // The ingestion wrote both data sets; it has nothing above it, so both places say all of it.
  EXPECT_EQ(CountOf(tree, "execution:1 "), 2u);
  const std::string chain = RenderTree(PlatformLineage(200, 1), kOptions);
  EXPECT_GT(CountOf(chain, "↑ above"), 0u);
}

TEST(RenderTree, AVeryLongChainStaysReadable) {
  const std::string tree = RenderTree(Chain(5000), kOptions);
  EXPECT_GT(CountOf(tree, "↓ below"), 100u);
  EXPECT_LT(tree.size(), 10'001u * 200);
  for (const char* name : {"first", "step-1 ", "step-2500", "data-5000"}) {
    EXPECT_NE(tree.find(name), tree.npos) << name;
  }
}

TEST(RenderTree, LeavesATerminalNothingToObey) {
  const std::string tree =
      RenderTree(SmallLineage(LineageWay::kBoth, "a\033[31mred\nline"), kOptions);
  EXPECT_EQ(tree.find('\033'), tree.npos);
  EXPECT_NE(tree.find("\\033[31mred\\nline"), tree.npos) << tree;
}

TEST(RenderDot, LabelsReadBackAsTheyWere) {
  const std::string name = "a \"b\" <c> & \\N \\l &lt; \u05d0 \U0001F600";
  const std::string dot = RenderDot(SmallLineage(LineageWay::kBoth, name), kOptions);
  Agraph_t* graph = agmemread(dot.c_str());
  ASSERT_NE(graph, nullptr) << dot;
  EXPECT_EQ(agnnodes(graph), 7);
  EXPECT_EQ(agnedges(graph), 7);
  Agnode_t* node = agnode(graph, const_cast<char*>("a4"), 0);
  ASSERT_NE(node, nullptr);
  // What Graphviz makes "\", "<" and "&" of when it draws.
  EXPECT_EQ(std::string(agget(node, const_cast<char*>("label"))),
            "a \"b\" <c> &amp; \\\\N \\\\l &amp;lt; \u05d0 \U0001F600\\nModel · artifact:4");
  agclose(graph);
}

TEST(RenderDot, NastyTextsStayInTheirQuotes) {
  const std::string dot = RenderDot(SmallLineage(LineageWay::kBoth, Nasty()),
                                    {.screen = {}, .title = Nasty(), .remark = Nasty()});
  Agraph_t* graph = agmemread(dot.c_str());
  ASSERT_NE(graph, nullptr) << dot;
  EXPECT_EQ(agnnodes(graph), 7);
  agclose(graph);
}

TEST(RenderMermaid, NastyTextsStayInTheirQuotes) {
  const LineageGraph plain = SmallLineage(LineageWay::kBoth);
  const std::string text = RenderMermaid(SmallLineage(LineageWay::kBoth, Nasty()));
  EXPECT_EQ(CountOf(text, "\n"), CountOf(RenderMermaid(plain), "\n"));
  EXPECT_EQ(CountOf(text, "\""), CountOf(RenderMermaid(plain), "\""));
  EXPECT_NE(text.find("a #quot;b#quot; #lt;c#gt;#amp;amp; "), text.npos) << text;
  EXPECT_EQ(text.find('`'), text.npos);
}

TEST(RenderGraphml, ReadsBackAsItWas) {
  const std::string name = "a \"b\" <c> & 'd' ]]> \u05d0 \U0001F600";
  const auto tree = ParseXml(RenderGraphml(SmallLineage(LineageWay::kBoth, name)));
  int nodes = 0;
  int edges = 0;
  bool has_name = false;
  for (const auto& [tag, part] : tree.get_child("graphml.graph")) {
    nodes += tag == "node" ? 1 : 0;
    edges += tag == "edge" ? 1 : 0;
    for (const auto& [data, value] : part) has_name = has_name || value.data() == name;
  }
  EXPECT_EQ(nodes, 7);
  EXPECT_EQ(edges, 7);
  EXPECT_TRUE(has_name);
}

TEST(RenderGraphml, NastyTextsAreWellFormed) {
  const std::string text =
      RenderGraphml(SmallLineage(LineageWay::kBoth, absl::StrCat(Nasty(), "\uFFFE\uFFFF")));
  ParseXml(text);
  for (const char c : text) {
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << static_cast<int>(c);
  }
  EXPECT_EQ(text.find("\uFFFE"), text.npos);
}

TEST(RenderSvg, IsLaidOutByGraphviz) {
  const std::string name = "a \"b\" <c> & \\N &lt; \u05d0 \U0001F600";
  const auto svg = RenderSvg(SmallLineage(LineageWay::kBoth, name), kOptions);
  ASSERT_TRUE(svg.ok()) << svg.status();
  ParseXml(*svg);
  EXPECT_EQ(CountOf(*svg, "class=\"node\""), 7u);
  EXPECT_EQ(CountOf(*svg, "class=\"edge\""), 7u);
  // Once as the label, in one piece.
  EXPECT_NE(svg->find("\u05d0 \U0001F600</text>"), svg->npos) << *svg;
  EXPECT_EQ(*RenderSvg(SmallLineage(LineageWay::kBoth, name), kOptions), *svg);
}

TEST(RenderSvg, NastyTextsAreWellFormed) {
  const auto svg = RenderSvg(SmallLineage(LineageWay::kBoth, Nasty()),
                             {.screen = {}, .title = Nasty(), .remark = Nasty()});
  ASSERT_TRUE(svg.ok()) << svg.status();
  ParseXml(*svg);
}

TEST(RenderSvg, NamesHtmlForMoreThanItCanLayOut) {
  const auto svg = RenderSvg(Chain(kMaxSvgNodes / 2), kOptions);
  EXPECT_EQ(svg.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(svg.status().message().find("2,001"), absl::string_view::npos) << svg.status();
  EXPECT_NE(svg.status().message().find("--format html"), absl::string_view::npos);
}

TEST(RenderHtml, HoldsTheGraph) {
  const std::string page = RenderHtml(SmallLineage(LineageWay::kBoth), kOptions);
  const auto data = ParseJson(DataOf(page));
  EXPECT_EQ(data.fields().at("nodes").list_value().values_size(), 7);
  EXPECT_EQ(data.fields().at("edges").list_value().values_size(), 7);
  EXPECT_EQ(data.fields().at("title").string_value(), kOptions.title);
  EXPECT_EQ(data.fields().at("incomplete").string_value(), "max_nodes");
  const auto& model = data.fields().at("nodes").list_value().values(4).list_value();
  EXPECT_EQ(model.values(3).string_value(), "fraud-v1");
  EXPECT_EQ(model.values(14).list_value().values(0).list_value().values(1).string_value(),
            "xgboost");
}

TEST(RenderHtml, NastyTextsAreDataOnly) {
  const std::string page = RenderHtml(SmallLineage(LineageWay::kBoth, Nasty()),
                                      {.screen = {}, .title = Nasty(), .remark = Nasty()});
  const std::string plain = RenderHtml(SmallLineage(LineageWay::kBoth), kOptions);
  for (const char* part : {"<script", "</script", "<!--", "]]>"}) {
    EXPECT_EQ(CountOf(page, part), CountOf(plain, part)) << part;
  }
  EXPECT_EQ(DataOf(page).find("\u2028"), std::string::npos);
  const auto data = ParseJson(DataOf(page));
  const auto& model = data.fields().at("nodes").list_value().values(4).list_value();
  // The one byte that is no UTF-8 is replaced, everything else is there.
  std::string expected = Nasty();
  expected.replace(expected.find('\xff'), 1, "\uFFFD");
  EXPECT_EQ(model.values(3).string_value(), expected);
}

TEST(RenderHtml, AllowsItselfNothingElse) {
  const std::string page = RenderHtml(SmallLineage(LineageWay::kUp), kOptions);
  EXPECT_NE(page.find("default-src 'none'; style-src 'sha256-"), page.npos);
  EXPECT_NE(page.find("script-src 'sha256-"), page.npos);
  for (const char* part :
       {"http://", "https://", "{{", "unsafe", "eval(", "innerHTML", "@import", "url("}) {
    EXPECT_EQ(page.find(part), page.npos) << part;
  }
}

TEST(JsonForHtml, IsOneStringOfJson) {
  EXPECT_EQ(JsonForHtml(""), "\"\"");
  EXPECT_EQ(JsonForHtml("a\"\\\n\x7f"), R"("a\"\\\u000a\u007f")");
  EXPECT_EQ(JsonForHtml("</script>&"), R"("\u003c/script\u003e\u0026")");
  EXPECT_EQ(JsonForHtml("\u2028\u2029"), R"("\u2028\u2029")");
  EXPECT_EQ(JsonForHtml("\u00e9\U0001F600"), "\"\u00e9\U0001F600\"");
  // Cut off, too long for what they say, surrogates, beyond Unicode.
  for (const char* bytes : {"\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    const std::string json = JsonForHtml(bytes);
    EXPECT_EQ(CountOf(json, "\uFFFD"), std::string(bytes).size()) << json;
  }
}

}  // namespace
}  // namespace pedigree::cli
