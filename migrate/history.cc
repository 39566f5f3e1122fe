#include "migrate/history.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pedigree::migrate {
namespace {

// Before every id, and a number that every database reads as one of 64 bits.
constexpr int64_t kBeforeIds = std::numeric_limits<int64_t>::min() + 1;

// splitmix64: the same in every process, which absl::Hash is not.
uint64_t Mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::string WhereOfLink(NodeKind kind, int64_t node, int64_t context) {
  return absl::StrCat(kind == NodeKind::kContext ? "parent " : "context ", context, " of ",
                      pedigree::NameOf(kind), " ", node);
}

absl::flat_hash_set<int64_t> SetOf(const std::vector<int64_t>& ids) {
  return {ids.begin(), ids.end()};
}

}  // namespace

absl::StatusOr<std::unique_ptr<History>> History::Survey(Source* source, const Repairs& repairs,
                                                         ReportFinding report, Progress* progress) {
  std::unique_ptr<History> history(new History(source, repairs, std::move(report)));
  auto found = source->CountRows();
  if (!found.ok()) return found.status();
  history->found_ = *found;
  int64_t rows = 0;
  for (int64_t count : *found) rows += count;
  progress->Begin("checking", rows);
  auto last_ids = source->FindLastIds();
  if (!last_ids.ok()) return last_ids.status();
  history->last_ids_ = *last_ids;
  absl::Status status = history->SurveyTypes();
  progress->Add((*found)[0] + (*found)[1] + (*found)[2]);
  for (NodeKind kind : kNodeKinds) {
    if (status.ok()) status = history->SurveyNodes(kind, progress);
  }
  for (NodeKind kind : kNodeKinds) {
    if (status.ok()) status = history->SurveyLinks(kind, progress);
  }
  if (status.ok()) status = history->SurveyEvents(progress);
  if (!status.ok()) return status;
  if (!source->info().is_snapshot) {
    // A server's rows are counted by reading them.
    found = source->CountRows();
    if (!found.ok()) return found.status();
    history->found_ = *found;
  }
  progress->End();
  history->is_surveying_ = false;
  return history;
}

Repair History::Find(Problem problem, absl::FunctionRef<std::string()> where) {
  const Repair repair = repairs_.Of(problem);
  if (is_surveying_) {
    const Finding finding = {problem, repair, where()};
    const size_t hash = absl::HashOf(finding.where) + static_cast<size_t>(problem);
    if (!told_.insert(hash).second && goes_on_) return repair;
    findings_.Add(finding);
    if (report_) report_(finding);
  }
  return repair;
}

std::string History::TypeName(int64_t id) const {
  const auto it = type_names_.find(id);
  return it == type_names_.end() ? "" : it->second;
}

std::unique_ptr<History> History::OfNothing(const Repairs& repairs, ReportFinding report) {
  std::unique_ptr<History> history(new History(nullptr, repairs, std::move(report)));
  history->GoOn();
  return history;
}

void History::GoOn() {
  source_ = nullptr;
  is_surveying_ = true;
  goes_on_ = true;
  for (LinkList& links : links_) links = LinkList();
}

absl::Status History::ReadTypes(Source* source) {
  types_.clear();
  type_facts_.clear();
  type_names_.clear();
  type_keys_.clear();
  source_ = source;
  absl::Status status = SurveyTypes();
  source_ = nullptr;
  return status;
}

bool History::Admit(NodeKind kind, NodeRow* node) {
  if (!MendNode(kind, node)) return false;
  ids_[IndexOf(kind)].Insert(node->id);
  return true;
}

bool History::AdmitLink(NodeKind kind, int64_t node, int64_t context) {
  const auto where = [&] { return WhereOfLink(kind, node, context); };
  if (!ids_[IndexOf(kind)].Contains(node) || !ids_[IndexOf(NodeKind::kContext)].Contains(context)) {
    Find(Problem::kDanglingLink, where);
    return false;
  }
  if (kind != NodeKind::kContext) return true;
  std::vector<int64_t>& parents = parents_[node];
  if (std::find(parents.begin(), parents.end(), context) != parents.end()) return true;
  if (ClosesCycle(node, context)) {
    Find(Problem::kParentCycle, where);
    return false;
  }
  parents_[node].push_back(context);
  return true;
}

absl::Status History::SurveyTypes() {
  std::vector<TypeRow> types;
  absl::Status status = source_->VisitTypes(
      [&](TypeRow& type) {
        type_names_[type.id] = type.name.value_or("");
        types.push_back(std::move(type));
        return absl::OkStatus();
      },
      [&](Table table, int64_t owner) {
        const Problem problem =
            table == Table::kParentType ? Problem::kBadParentType : Problem::kBadTypeProperty;
        Find(problem,
             [&] { return absl::StrCat("a row of type ", owner, ", which there is not"); });
      });
  if (!status.ok()) return status;
  for (TypeRow& type : types) {
    if (!MendType(&type)) continue;
    ++CountOf(kept_, Table::kType);
    CountOf(kept_, Table::kTypeProperty) += static_cast<int64_t>(type.properties.size());
    CountOf(kept_, Table::kParentType) += static_cast<int64_t>(type.parents.size());
    TypeFacts facts;
    facts.kind = *KindOfType(type.kind);
    for (const auto& property : type.properties) {
      facts.properties[property.name] = *property.data_type;
    }
    type_facts_[type.id] = std::move(facts);
    types_.push_back(std::move(type));
  }
  return absl::OkStatus();
}

absl::Status History::SurveyNodes(NodeKind kind, Progress* progress) {
  auto names = source_->FindDuplicateNames(kind);
  if (!names.ok()) return names.status();
  duplicate_names_[IndexOf(kind)] = SetOf(*names);
  auto external_ids = source_->FindDuplicateExternalIds(kind);
  if (!external_ids.ok()) return external_ids.status();
  duplicate_external_ids_[IndexOf(kind)] = SetOf(*external_ids);
  int64_t last_created_ms = std::numeric_limits<int64_t>::min();
  bool is_in_order = true;
  absl::Status status = source_->VisitNodes(
      kind, kBeforeIds,
      [&](NodeRow& node) {
        progress->Add(1 + static_cast<int64_t>(node.properties.size()));
        if (!MendNode(kind, &node)) return absl::OkStatus();
        ids_[IndexOf(kind)].Insert(node.id);
        ++CountOf(kept_, NodeTable(kind));
        CountOf(kept_, PropertyTable(kind)) += static_cast<int64_t>(node.properties.size());
        is_in_order = is_in_order && node.create_time_ms >= last_created_ms;
        last_created_ms = node.create_time_ms;
        fingerprint_ += Mix(static_cast<uint64_t>(node.id) * 3 + IndexOf(kind)) ^
                        Mix(static_cast<uint64_t>(node.last_update_time_ms));
        return absl::OkStatus();
      },
      [&](Table, int64_t owner) {
        Find(Problem::kOrphanProperty, [&] {
          return absl::StrCat("a property of ", pedigree::NameOf(kind), " ", owner,
                              ", which there is not");
        });
      });
  if (!is_in_order) created_out_of_order_.push_back(kind);
  return status;
}

bool History::ClosesCycle(int64_t context, int64_t parent) const {
  std::vector<int64_t> todo = {parent};
  absl::flat_hash_set<int64_t> seen;
  while (!todo.empty()) {
    const int64_t ancestor = todo.back();
    todo.pop_back();
    if (ancestor == context) return true;
    if (!seen.insert(ancestor).second) continue;
    const auto it = parents_.find(ancestor);
    if (it != parents_.end()) todo.insert(todo.end(), it->second.begin(), it->second.end());
  }
  return false;
}

absl::Status History::SurveyLinks(NodeKind kind, Progress* progress) {
  std::pair<int64_t, int64_t> last = {0, 0};
  return source_->VisitLinks(kind, [&](int64_t node, int64_t context) {
    progress->Add(1);
    const auto where = [&] { return WhereOfLink(kind, node, context); };
    if (!ids_[IndexOf(kind)].Contains(node) ||
        !ids_[IndexOf(NodeKind::kContext)].Contains(context)) {
      Find(Problem::kDanglingLink, where);
    } else if (last == std::make_pair(node, context)) {
      Find(Problem::kDuplicateLink, where);
    } else if (kind == NodeKind::kContext && ClosesCycle(node, context)) {
      Find(Problem::kParentCycle, where);
    } else {
      last = {node, context};
      if (kind == NodeKind::kContext) parents_[node].push_back(context);
      links_[IndexOf(kind)].Add(node, context);
      ++CountOf(kept_, LinkTable(kind));
    }
    return absl::OkStatus();
  });
}

absl::Status History::SurveyEvents(Progress* progress) {
  auto duplicates = source_->FindDuplicateEvents();
  if (!duplicates.ok()) return duplicates.status();
  duplicate_events_ = SetOf(*duplicates);
  return source_->VisitEvents(
      kBeforeIds,
      [&](EventRow& event) {
        progress->Add(1 + static_cast<int64_t>(event.path.size()));
        if (!MendEvent(&event)) return absl::OkStatus();
        ++CountOf(kept_, Table::kEvent);
        CountOf(kept_, Table::kEventPath) += static_cast<int64_t>(event.path.size());
        return absl::OkStatus();
      },
      [&](Table, int64_t owner) {
        Find(Problem::kOrphanPath,
             [&] { return absl::StrCat("a step of event ", owner, ", which there is not"); });
      });
}

absl::Status History::VisitNodes(NodeKind kind, int64_t from, VisitNode visit) {
  LinkList::Cursor links(links_[IndexOf(kind)]);
  return source_->VisitNodes(
      kind, from,
      [&](NodeRow& node) {
        return MendNode(kind, &node) ? visit(node, links.Of(node.id)) : absl::OkStatus();
      },
      [](Table, int64_t) {});
}

absl::Status History::VisitEvents(int64_t from, VisitEvent visit) {
  return source_->VisitEvents(
      from, [&](EventRow& event) { return MendEvent(&event) ? visit(event) : absl::OkStatus(); },
      [](Table, int64_t) {});
}

}  // namespace pedigree::migrate
