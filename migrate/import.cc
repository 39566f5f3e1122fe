#include "migrate/import.h"

#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "migrate/convert.h"
#include "store/bulk_loader.h"
#include "store/directory.h"

namespace pedigree::migrate {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

template <class Node>
absl::Status AddType(const History& history, const TypeRow& row, Catalog* catalog) {
  const std::string parent = row.parents.empty() ? "" : history.TypeName(row.parents.front());
  auto type = ToType<Node>(row, parent);
  if (!type.ok()) return type.status();
  catalog->Of<Node>().Put(std::make_shared<typename TraitsOf<Node>::Type>(*std::move(type)));
  return absl::OkStatus();
}

absl::StatusOr<Catalog> CatalogOf(const History& history) {
  Catalog catalog;
  for (const TypeRow& row : history.types()) {
    absl::Status status;
    switch (*KindOfType(row.kind)) {
      case NodeKind::kArtifact:
        status = AddType<Artifact>(history, row, &catalog);
        break;
      case NodeKind::kExecution:
        status = AddType<Execution>(history, row, &catalog);
        break;
      case NodeKind::kContext:
        status = AddType<Context>(history, row, &catalog);
        break;
    }
    if (!status.ok()) return status;
  }
  return catalog;
}

// Names the source and the state it is in, so that a part of one import is not continued with
// another.
std::string StateOf(const History& history, absl::string_view name) {
  const LastIds& last = history.last_ids();
  return absl::StrCat(name, ", rows ", absl::StrJoin(history.kept(), " "), ", last ids ", last.type,
                      " ", absl::StrJoin(last.node, " "), " ", last.event, ", state ",
                      absl::Hex(history.fingerprint(), absl::kZeroPad16));
}

class Importer {
 public:
  Importer(History* history, BulkLoader* loader, Progress* progress)
      : history_(*history), loader_(*loader), progress_(*progress) {}

  absl::Status Run() {
    auto catalog = CatalogOf(history_);
    if (!catalog.ok()) return catalog.status();
    int64_t rows = 0;
    for (int64_t count : history_.kept()) rows += count;
    progress_.Begin("importing", rows);
    absl::Status status = loader_.PutTypes(*std::move(catalog), history_.last_ids().type);
    if (status.ok()) status = PutNodes<Artifact>();
    if (status.ok()) status = PutNodes<Execution>();
    if (status.ok()) status = PutNodes<Context>();
    if (status.ok()) status = AddEvents();
    if (status.ok()) progress_.End();
    return status;
  }

 private:
  template <class Node>
  absl::Status PutNodes() {
    constexpr NodeKind kKind = TraitsOf<Node>::kKind;
    return history_.VisitNodes(
        kKind, loader_.last_id(kKind) + 1, [&](NodeRow& row, absl::Span<const int64_t> contexts) {
          progress_.Add(static_cast<int64_t>(1 + row.properties.size() + contexts.size()));
          auto node = ToNode<Node>(row);
          return node.ok() ? loader_.PutNode(*node, contexts) : node.status();
        });
  }

  absl::Status AddEvents() {
    return history_.VisitEvents(loader_.last_source_event() + 1, [&](EventRow& row) {
      progress_.Add(1 + static_cast<int64_t>(row.path.size()));
      return loader_.AddEvent(ToEvent(row), row.id);
    });
  }

  History& history_;
  BulkLoader& loader_;
  Progress& progress_;
};

}  // namespace

std::string FollowedName(const SourceInfo& info) { return absl::StrCat(info.name, ", followed"); }

absl::Status CheckSurvey(const History& history) {
  const Findings& findings = history.findings();
  if (findings.refused() == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "nothing is imported: ", findings.refused(),
      " rows of the source break its own rules; say with --repair what to do about them:\n",
      findings.ToString()));
}

absl::StatusOr<ImportResult> Import(Source* source, const ImportOptions& options,
                                    Progress* progress) {
  auto target = CheckImportTarget(options.data_dir);
  if (!target.ok()) return target.status();
  auto marks = options.after_load == AfterLoad::kFollow ? source->FindMarks() : Marks();
  if (!marks.ok()) return marks.status();
  auto history = History::Survey(source, options.repairs, options.report, progress);
  if (!history.ok()) return history.status();
  if (absl::Status status = CheckSurvey(**history); !status.ok()) return status;
  BulkLoaderOptions loader_options;
  loader_options.data_dir = options.data_dir;
  loader_options.after_load = options.after_load;
  loader_options.source = StateOf(**history, (*history)->info().name);
  loader_options.created_out_of_order = (*history)->created_out_of_order();
  if (options.after_load == AfterLoad::kFollow) {
    loader_options.name = FollowedName((*history)->info());
    loader_options.source = StateOf(**history, loader_options.name);
    // What is yet to come may be so, as clocks of servers differ.
    loader_options.created_out_of_order.assign(std::begin(kNodeKinds), std::end(kNodeKinds));
  }
  loader_options.write_buffer_bytes = options.write_buffer_bytes;
  loader_options.batch_bytes = options.write_buffer_bytes / 4;
  loader_options.file_system = options.file_system;
  auto loader = BulkLoader::Open(std::move(loader_options));
  if (!loader.ok()) return loader.status();
  ImportResult result;
  result.findings = (*history)->findings();
  result.found = (*history)->found();
  result.kept = (*history)->kept();
  absl::Status status;
  if (!(*loader)->is_complete()) status = Importer(history->get(), loader->get(), progress).Run();
  if (status.ok()) status = (*loader)->Finish((*history)->last_ids().node);
  if (!status.ok()) return status;
  result.marks = *marks;
  result.history = *std::move(history);
  return result;
}

}  // namespace pedigree::migrate
