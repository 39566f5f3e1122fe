// A source's history as it can be taken over: checked, and repaired as far as was asked for.
//
// The survey reads everything once, finds every problem (problems.h), and keeps what later passes
// need: a bit for each id, three bytes for each link. The passes after it read the source again and
// give the same rows, mended. Both the import and its proof read the source through this. A history
// that goes on is then mended row by row (round.h), by what is known of the rows before.
// Threads: one.
//
//   auto history = History::Survey(source, repairs, report, &progress);
//   if ((*history)->findings().refused() > 0) return Refuse((*history)->findings());
//   (*history)->VisitNodes(NodeKind::kArtifact, 1, [](NodeRow& row, contexts) { ... });
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "migrate/link_list.h"
#include "migrate/problems.h"
#include "migrate/progress.h"
#include "migrate/source.h"
#include "store/id_bitmap.h"

namespace pedigree::migrate {

// Ids of nodes, types and events stay below 2^53, as everywhere in the store.
inline constexpr int64_t kLastImportedId = (int64_t{1} << 53) - 1;

class History {
 public:
  // What is borrowed outlives the history. `report` hears of every problem.
  // Errors: as Source. Problems are none.
  static absl::StatusOr<std::unique_ptr<History>> Survey(Source* source, const Repairs& repairs,
                                                         ReportFinding report, Progress* progress);

  // One that knows no rows yet; nothing is read by it, only mended.
  static std::unique_ptr<History> OfNothing(const Repairs& repairs, ReportFinding report);

  const SourceInfo& info() const { return source_->info(); }
  const Findings& findings() const { return findings_; }
  // Rows that the source has, and those that are left after repairs.
  const TableCounts& found() const { return found_; }
  const TableCounts& kept() const { return kept_; }
  const LastIds& last_ids() const { return last_ids_; }
  // Kinds of which some node has an earlier create time than one of a smaller id.
  const std::vector<NodeKind>& created_out_of_order() const { return created_out_of_order_; }
  // A number that changes when nodes are added or updated.
  uint64_t fingerprint() const { return fingerprint_; }

  // By ascending id.
  const std::vector<TypeRow>& types() const { return types_; }
  // The name of a type; "" if there is none.
  std::string TypeName(int64_t id) const;

  // Errors of both: those of `visit`; as Source.
  using VisitNode =
      absl::FunctionRef<absl::Status(NodeRow& node, absl::Span<const int64_t> contexts)>;
  absl::Status VisitNodes(NodeKind kind, int64_t from, VisitNode visit);
  using VisitEvent = absl::FunctionRef<absl::Status(EventRow& event)>;
  absl::Status VisitEvents(int64_t from, VisitEvent visit);

  // From here on the rows of later states are mended, and a problem that has been told is not told
  // again. The surveyed source is not needed any more.
  void GoOn();
  // Takes the types of a later state instead of those before.
  absl::Status ReadTypes(Source* source);
  // Each mends a row, remembers it, and answers whether it stays.
  bool Admit(NodeKind kind, NodeRow* node);
  bool AdmitLink(NodeKind kind, int64_t node, int64_t context);
  bool Admit(EventRow* event) { return MendEvent(event); }
  // Mends what only the store knows to be taken.
  void MendTakenName(NodeKind kind, NodeRow* node);
  void MendTakenExternalId(NodeKind kind, NodeRow* node);

 private:
  struct TypeFacts {
    NodeKind kind = NodeKind::kArtifact;
    absl::flat_hash_map<std::string, int64_t> properties;
  };

  History(Source* source, const Repairs& repairs, ReportFinding report)
      : source_(source), repairs_(repairs), report_(std::move(report)) {}

  absl::Status SurveyTypes();
  absl::Status SurveyNodes(NodeKind kind, Progress* progress);
  absl::Status SurveyLinks(NodeKind kind, Progress* progress);
  absl::Status SurveyEvents(Progress* progress);
  bool ClosesCycle(int64_t context, int64_t parent) const;

  // Says that there is a problem; answers what to do about it.
  Repair Find(Problem problem, absl::FunctionRef<std::string()> where);

  // Each mends the row, and answers whether it stays.
  bool MendType(TypeRow* type);
  void MendTypeProperties(TypeRow* type);
  void MendParents(TypeRow* type);
  bool MendNode(NodeKind kind, NodeRow* node);
  void MendIdentity(NodeKind kind, NodeRow* node);
  bool MendProperty(NodeKind kind, const NodeRow& node, const TypeFacts& type,
                    PropertyRow* property);
  bool MendEvent(EventRow* event);
  void MendText(std::string* text, absl::FunctionRef<std::string()> where);
  void MendText(std::optional<std::string>* text, absl::FunctionRef<std::string()> where) {
    if (text->has_value()) MendText(&**text, where);
  }

  Source* source_;
  const Repairs repairs_;
  const ReportFinding report_;
  bool is_surveying_ = true;  // Or goes on: problems are told.
  bool goes_on_ = false;
  absl::flat_hash_set<size_t> told_;  // Hashes of the problems that have been told.
  Findings findings_;
  TableCounts found_ = {};
  TableCounts kept_ = {};
  LastIds last_ids_;
  std::vector<NodeKind> created_out_of_order_;
  uint64_t fingerprint_ = 0;

  std::vector<TypeRow> types_;
  absl::flat_hash_map<int64_t, TypeFacts> type_facts_;
  std::map<int64_t, std::string> type_names_;  // Of all types, also of those left out.
  absl::flat_hash_set<std::string> type_keys_;
  std::array<IdBitmap, 3> ids_;  // By IndexOf(kind), as the next three.
  std::array<LinkList, 3> links_;
  std::array<absl::flat_hash_set<int64_t>, 3> duplicate_names_;
  std::array<absl::flat_hash_set<int64_t>, 3> duplicate_external_ids_;
  absl::flat_hash_set<int64_t> duplicate_events_;
  absl::flat_hash_map<int64_t, std::vector<int64_t>> parents_;  // Of contexts.
};

}  // namespace pedigree::migrate
