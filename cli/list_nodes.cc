#include "cli/list_nodes.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "cli/choice.h"
#include "cli/filter_text.h"
#include "cli/node_calls.h"
#include "cli/node_text.h"
#include "cli/reference.h"
#include "cli/table.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using ml_metadata::ListOperationOptions;

// The most that a server answers at once.
constexpr int64_t kPageSize = 100;

// What of nodes a list shows.
template <class Node>
struct Rows;

template <>
struct Rows<Artifact> {
  static constexpr char kKey[] = "artifacts";
  static Table New() {
    return Table({{"ID", Align::kRight},
                  {"NAME"},
                  {"TYPE"},
                  {"STATE"},
                  {"URI", Align::kLeft, Cut::kMiddleOfUri},
                  {"CREATED"}});
  }
  static std::vector<Cell> Of(const Artifact& node, const Screen& screen) {
    const std::string state = StateText(node);
    return {absl::StrCat(node.id()),
            NameOf(node),
            node.type(),
            Cell(state, ColourOfState(state)),
            node.uri(),
            screen.Time(node.create_time_since_epoch())};
  }
};

template <>
struct Rows<Execution> {
  static constexpr char kKey[] = "executions";
  static Table New() {
    return Table({{"ID", Align::kRight}, {"NAME"}, {"TYPE"}, {"STATE"}, {"CREATED"}, {"UPDATED"}});
  }
  static std::vector<Cell> Of(const Execution& node, const Screen& screen) {
    const std::string state = StateText(node);
    return {absl::StrCat(node.id()),
            NameOf(node),
            node.type(),
            Cell(state, ColourOfState(state)),
            screen.Time(node.create_time_since_epoch()),
            screen.Time(node.last_update_time_since_epoch())};
  }
};

template <>
struct Rows<Context> {
  static constexpr char kKey[] = "contexts";
  static Table New() {
    return Table({{"ID", Align::kRight}, {"NAME"}, {"TYPE"}, {"CREATED"}, {"UPDATED"}});
  }
  static std::vector<Cell> Of(const Context& node, const Screen& screen) {
    return {absl::StrCat(node.id()), node.name(), node.type(),
            screen.Time(node.create_time_since_epoch()),
            screen.Time(node.last_update_time_since_epoch())};
  }
};

struct Listed {
  int64_t nodes = 0;
  bool has_more = false;  // Beyond the limit.
};

// Calls visit with the nodes of one page after the other; an error of it ends the list.
template <class Node, class VisitNodes>
absl::StatusOr<Listed> List(Connection* connection, const ListOptions& options, VisitNodes visit) {
  Listed listed;
  typename ReadsOf<Node>::List request;
  while (true) {
    const int64_t left = options.limit - listed.nodes;
    const int64_t page = options.limit == 0 ? kPageSize : std::min(left, kPageSize);
    if (!request.has_options()) {
      auto first = ToOperationOptions(connection, options, static_cast<int32_t>(page));
      if (!first.ok()) return first.status();
      *request.mutable_options() = *std::move(first);
    }
    request.mutable_options()->set_max_result_size(static_cast<int32_t>(page));
    typename ReadsOf<Node>::ListAnswer answer;
    absl::Status status = connection->Call(ReadsOf<Node>::kList, request, &answer);
    if (!status.ok()) return status;
    const auto& nodes = ReadsOf<Node>::Nodes(answer);
    listed.nodes += nodes.size();
    if (status = visit(nodes); !status.ok()) return status;
    if (answer.next_page_token().empty()) return listed;
    request.mutable_options()->set_next_page_token(answer.next_page_token());
    if (options.limit != 0 && listed.nodes >= options.limit) {
      listed.has_more = true;
      return listed;
    }
  }
}

// One document, printed as its parts come.
template <class Node>
absl::Status PrintAsJson(Connection* connection, const ListOptions& options) {
  JsonDocument json;
  json.BeginList(Rows<Node>::kKey);
  const auto listed = List<Node>(connection, options, [&json](const auto& nodes) -> absl::Status {
    for (const Node& node : nodes) json.AddToList(node);
    const auto text = json.TakeText();
    if (text.ok()) Print(*text);
    return text.status();
  });
  if (!listed.ok()) return listed.status();
  json.EndList();
  return PrintJson(json);
}

template <class Node>
Table TableOf(const google::protobuf::RepeatedPtrField<Node>& nodes, const Screen& screen) {
  Table table = Rows<Node>::New();
  for (const Node& node : nodes) table.AddRow(Rows<Node>::Of(node, screen));
  return table;
}

template <class Node>
absl::Status PrintAsCsv(Connection* connection, const ListOptions& options) {
  Titles titles = Titles::kYes;
  return List<Node>(connection, options,
                    [&titles](const auto& nodes) {
                      Print(TableOf<Node>(nodes, Screen::Plain()).ToCsv(titles));
                      titles = Titles::kNo;
                      return absl::OkStatus();
                    })
      .status();
}

// Columns are as wide as the widest of all rows, so that a table is printed at the end: its cells
// are held, not the nodes.
template <class Node>
absl::Status PrintAsTable(Connection* connection, const ListOptions& options) {
  const Screen screen = Screen::OfStandardOutput();
  Table table = Rows<Node>::New();
  const auto listed = List<Node>(connection, options, [&](const auto& nodes) {
    for (const Node& node : nodes) table.AddRow(Rows<Node>::Of(node, screen));
    return absl::OkStatus();
  });
  if (!listed.ok()) return listed.status();
  Print(table.ToText(screen));
  if (listed->has_more) {
    std::fflush(stdout);
    std::fprintf(stderr, "more than these %lld: --limit N shows N, --limit 0 all\n",
                 static_cast<long long>(listed->nodes));
  }
  return absl::OkStatus();
}

template <class Node>
absl::Status PrintNodesOf(Connection* connection, const ListOptions& options, OutputFormat format) {
  switch (format) {
    case OutputFormat::kJson:
      return PrintAsJson<Node>(connection, options);
    case OutputFormat::kCsv:
      return PrintAsCsv<Node>(connection, options);
    case OutputFormat::kTable:
      break;
  }
  return PrintAsTable<Node>(connection, options);
}

ListOperationOptions::OrderByField::Field FieldOf(Order order) {
  using Field = ListOperationOptions::OrderByField;
  switch (order) {
    case Order::kCreated:
      return Field::CREATE_TIME;
    case Order::kUpdated:
      return Field::LAST_UPDATE_TIME;
    case Order::kId:
      break;
  }
  return Field::ID;
}

}  // namespace

CLI::Option* AddKindOption(CLI::App* app, const std::string& name, NodeKind* kind,
                           const std::string& description) {
  return AddChoice<NodeKind>(app, name, kind,
                             {{"artifacts", NodeKind::kArtifact},
                              {"artifact", NodeKind::kArtifact},
                              {"executions", NodeKind::kExecution},
                              {"execution", NodeKind::kExecution},
                              {"contexts", NodeKind::kContext},
                              {"context", NodeKind::kContext}},
                             "artifacts|executions|contexts", description);
}

void AddListOptions(CLI::App* app, ListOptions* options) {
  app->add_option("--type", options->type, "only of this type")->type_name("NAME");
  app->add_option("--context", options->context, "only in this context: context:3 or its name")
      ->type_name("REF");
  app->add_option("--limit", options->limit,
                  "at most so many; 0: all, for which csv and json need little memory")
      ->type_name("N")
      ->check(NotNegative())
      ->capture_default_str();
  AddChoice<Order>(app, "--order", &options->order,
                   {{"id", Order::kId}, {"create", Order::kCreated}, {"update", Order::kUpdated}},
                   "create|update|id", "by what they are sorted")
      ->default_str("id");
  app->add_flag("--desc", options->descending, "the last first");
}

absl::StatusOr<ListOperationOptions> ToOperationOptions(Connection* connection,
                                                        const ListOptions& options,
                                                        int32_t page_size) {
  ListOperationOptions to;
  to.set_max_result_size(page_size);
  to.mutable_order_by_field()->set_field(FieldOf(options.order));
  to.mutable_order_by_field()->set_is_asc(!options.descending);
  std::string filter = options.where;
  const auto also = [&filter](const std::string& condition) {
    filter = filter.empty() ? condition : absl::StrCat("(", filter, ") AND ", condition);
  };
  if (!options.type.empty()) also(absl::StrCat("type = ", FilterText(options.type)));
  if (!options.context.empty()) {
    constexpr NodeKind kContexts[] = {NodeKind::kContext};
    const auto context = Resolve(connection, options.context, kContexts);
    if (!context.ok()) return context.status();
    // Contexts are in others as their children.
    also(absl::StrCat(options.kind == NodeKind::kContext ? "parent_contexts_in" : "contexts_in",
                      ".id = ", context->id));
  }
  if (!filter.empty()) to.set_filter_query(filter);
  return to;
}

absl::Status PrintNodes(Connection* connection, const ListOptions& options, OutputFormat format) {
  switch (options.kind) {
    case NodeKind::kArtifact:
      return PrintNodesOf<Artifact>(connection, options, format);
    case NodeKind::kExecution:
      return PrintNodesOf<Execution>(connection, options, format);
    case NodeKind::kContext:
      break;
  }
  return PrintNodesOf<Context>(connection, options, format);
}

}  // namespace pedigree::cli
