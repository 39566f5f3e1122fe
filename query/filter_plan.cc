#include "query/filter_plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "query/filter_attributes.h"
#include "query/filter_terms.h"
#include "store/codec.h"
#include "store/id_set.h"
#include "store/ids.h"
#include "store/keys.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using Ids = std::vector<int64_t>;
using Prefixes = std::vector<std::string>;  // Of posting lists.

// A name belongs to a type: one that is asked for without its type is looked up in each, up to so
// many types.
constexpr size_t kMaxTypesToTry = 64;
// Posting lists that are read as one.
constexpr size_t kMaxListsPerGroup = 16;
// Ids that are looked up one by one.
constexpr size_t kMaxPoints = 10'000;

// A few ids.
class IdList final : public IdSource {
 public:
  explicit IdList(Ids ids) : ids_(std::move(ids)) {}

  absl::Status Visit(const Reader&, int64_t from, Direction direction,
                     Reader::VisitId visit) const override {
    if (direction == Direction::kAscending) {
      for (auto it = std::lower_bound(ids_.begin(), ids_.end(), from); it != ids_.end(); ++it) {
        if (!visit(*it)) break;
      }
    } else {
      for (auto it = std::upper_bound(ids_.begin(), ids_.end(), from); it != ids_.begin();) {
        if (!visit(*--it)) break;
      }
    }
    return absl::OkStatus();
  }

 private:
  const Ids ids_;  // Ascending.
};

// The ids that follow a prefix in keys.
class IdsUnder final : public IdSource {
 public:
  explicit IdsUnder(std::string prefix) : prefix_(std::move(prefix)) {}

  absl::Status Visit(const Reader& reader, int64_t from, Direction direction,
                     Reader::VisitId visit) const override {
    return reader.VisitIdsUnder(prefix_, from, direction, visit);
  }

 private:
  const std::string prefix_;
};

IdSet Union(const IdSet& a, const IdSet& b) {
  IdSet result = a;
  for (int i = b.Next(0); i < kIdsPerBlock; i = b.Next(i + 1)) result.Add(static_cast<uint8_t>(i));
  return result;
}

IdSet Intersection(const IdSet& a, const IdSet& b) {
  IdSet result;
  for (int i = a.Next(0); i < kIdsPerBlock; i = a.Next(i + 1)) {
    if (b.Contains(static_cast<uint8_t>(i))) result.Add(static_cast<uint8_t>(i));
  }
  return result;
}

// The ids that are in a list of every group.
class PostingLists final : public IdSource {
 public:
  // REQUIRES: at least one group, none empty.
  explicit PostingLists(std::vector<Prefixes> groups) : groups_(std::move(groups)) {
    // A single list can be walked as it stands.
    std::stable_partition(groups_.begin(), groups_.end(),
                          [](const Prefixes& group) { return group.size() == 1; });
  }

  absl::Status Visit(const Reader& reader, int64_t from, Direction direction,
                     Reader::VisitId visit) const override {
    absl::Status inner;
    const auto visit_block = [&](int64_t block, IdSet set) {
      for (size_t i = 1; i < groups_.size() && inner.ok() && !set.Empty(); ++i) {
        auto other = BlockOfGroup(reader, groups_[i], block);
        inner = other.status();
        if (inner.ok()) set = Intersection(set, *other);
      }
      return inner.ok() && VisitIds(set, block, from, direction, visit);
    };
    absl::Status status = VisitFirstGroup(reader, from, direction, visit_block);
    return status.ok() ? inner : status;
  }

 private:
  static absl::StatusOr<IdSet> BlockOfGroup(const Reader& reader, const Prefixes& group,
                                            int64_t block) {
    IdSet all;
    for (const std::string& prefix : group) {
      auto set = reader.FindBlock(prefix, block);
      if (!set.ok()) return set.status();
      all = Union(all, *set);
    }
    return all;
  }

  absl::Status VisitFirstGroup(const Reader& reader, int64_t from, Direction direction,
                               Reader::VisitIdBlock visit) const {
    const Prefixes& group = groups_[0];
    if (group.size() == 1) return reader.VisitBlocks(group[0], from, direction, visit);
    std::map<int64_t, IdSet> blocks;  // 256 ids each: a million nodes are 4,000 of them.
    for (const std::string& prefix : group) {
      absl::Status status =
          reader.VisitBlocks(prefix, from, direction, [&](int64_t block, const IdSet& set) {
            IdSet& all = blocks[block];
            all = Union(all, set);
            return true;
          });
      if (!status.ok()) return status;
    }
    if (direction == Direction::kAscending) {
      for (const auto& [block, set] : blocks) {
        if (!visit(block, set)) break;
      }
    } else {
      for (auto it = blocks.rbegin(); it != blocks.rend() && visit(it->first, it->second); ++it) {
      }
    }
    return absl::OkStatus();
  }

  std::vector<Prefixes> groups_;
};

template <class Node>
void AppendTypesNamed(const Catalog& catalog, absl::string_view name, Ids* ids) {
  for (const auto& [id, type] : catalog.Of<Node>().all()) {
    if (type->name() == name) ids->push_back(id);
  }
}

// Of all versions.
void AppendTypesNamed(const Catalog& catalog, NodeKind kind, absl::string_view name, Ids* ids) {
  switch (kind) {
    case NodeKind::kArtifact:
      return AppendTypesNamed<ml_metadata::Artifact>(catalog, name, ids);
    case NodeKind::kExecution:
      return AppendTypesNamed<ml_metadata::Execution>(catalog, name, ids);
    case NodeKind::kContext:
      return AppendTypesNamed<ml_metadata::Context>(catalog, name, ids);
  }
}

template <class Node>
void AppendAllTypes(const Catalog& catalog, Ids* ids) {
  for (const auto& [id, type] : catalog.Of<Node>().all()) ids->push_back(id);
}

Ids AllTypes(const Catalog& catalog, NodeKind kind) {
  Ids ids;
  if (kind == NodeKind::kArtifact) AppendAllTypes<ml_metadata::Artifact>(catalog, &ids);
  if (kind == NodeKind::kExecution) AppendAllTypes<ml_metadata::Execution>(catalog, &ids);
  if (kind == NodeKind::kContext) AppendAllTypes<ml_metadata::Context>(catalog, &ids);
  return ids;
}

std::string CountOf(size_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

// Plans one conjunction: the filter's, or that of one branch of an OR.
class Planner {
 public:
  Planner(const Reader& reader, const Filter& filter, const ListScope& scope,
          const std::vector<uint32_t>& conjuncts)
      : reader_(reader), filter_(filter), scope_(scope) {
    for (uint32_t index : conjuncts) {
      const Predicate& predicate = filter.predicates[index];
      if (predicate.op == PredicateOp::kOr) {
        ors_.push_back(index);
      } else if (auto term = TermOf(filter, predicate); term.has_value()) {
        terms_.push_back(*std::move(term));
      }
    }
  }

  absl::StatusOr<FilterPlan> Plan() {
    auto is_short = FindShortList();
    if (!is_short.ok()) return is_short.status();
    if (*is_short) return TakeShortList();
    if (absl::Status status = BoundIds(); !status.ok()) return status;
    plan_.missing_index = MissingIndex();
    if (long_source_ != nullptr) {
      plan_.source = std::move(long_source_);
      plan_.what = long_what_;
      plan_.estimated_rows = kProbe;
    } else if (!groups_.empty()) {
      plan_.source = std::make_unique<PostingLists>(groups_);
      plan_.what = absl::StrCat("posting lists of ", groups_what_);
      plan_.estimated_rows = kProbe;
    } else {
      plan_.what = absl::StrCat("every ", NameOf(filter_.kind));
    }
    return std::move(plan_);
  }

 private:
  // Whether some index holds the whole answer and little else; then ids_ and short_what_ are set.
  absl::StatusOr<bool> FindShortList() {
    auto points = PointsOf(0, filter_.kind);
    if (!points.ok()) return points.status();
    if (points->has_value()) return SetShortList(**std::move(points), "look-ups of");
    for (auto step : {&Planner::TryValues, &Planner::TryNeighbours, &Planner::TryBranches,
                      &Planner::TryRanges, &Planner::TryPostings}) {
      auto is_short = (this->*step)();
      if (!is_short.ok() || *is_short) return is_short;
    }
    return false;
  }

  bool SetShortList(Ids ids, std::string what) {
    ids_ = SortedOnce(ids);
    short_what_ = absl::StrCat(what, " ", CountOf(ids_.size(), NameOf(filter_.kind)));
    return true;
  }

  FilterPlan TakeShortList() {
    plan_.what = short_what_;
    plan_.estimated_rows = static_cast<int64_t>(ids_.size());
    plan_.is_estimate_exact = true;
    plan_.source = std::make_unique<IdList>(std::move(ids_));
    return std::move(plan_);
  }

  const Term* FindTerm(uint32_t variable, Field field) const {
    for (const Term& term : terms_) {
      if (term.variable == variable && term.field == field && term.op == PredicateOp::kEqual) {
        return &term;
      }
    }
    return nullptr;
  }

  // The types that a variable's node must have, as far as the filter (or the list) says; nullopt:
  // any.
  std::optional<Ids> TypesOf(uint32_t variable, NodeKind kind) const {
    Ids ids;
    if (const Term* term = FindTerm(variable, Field::kTypeId); term != nullptr) {
      for (const PropertyValue& value : term->literals) ids.push_back(value.int_value);
    } else if (term = FindTerm(variable, Field::kType); term != nullptr) {
      for (const PropertyValue& value : term->literals) {
        AppendTypesNamed(reader_.catalog(), kind, value.string_value, &ids);
      }
    } else if (variable == 0 && scope_.of == ListScope::Of::kType) {
      ids.push_back(scope_.id);
    } else {
      return std::nullopt;
    }
    return SortedOnce(ids);
  }

  // The nodes that a variable can be, from unique look-ups; nullopt: there is none to be made.
  absl::StatusOr<std::optional<Ids>> PointsOf(uint32_t variable, NodeKind kind) const {
    if (const Term* term = FindTerm(variable, Field::kId); term != nullptr) {
      Ids ids;
      for (const PropertyValue& value : term->literals) ids.push_back(value.int_value);
      return ids;
    }
    if (const Term* term = FindTerm(variable, Field::kExternalId); term != nullptr) {
      return Points(*term, [&](absl::string_view text, Ids* ids) {
        return AppendFound(reader_.FindIdByExternalId(kind, text), ids);
      });
    }
    if (const Term* term = FindTerm(variable, Field::kName); term != nullptr) {
      const std::optional<Ids> named = TypesOf(variable, kind);
      const Ids types = named.has_value() ? *named : AllTypes(reader_.catalog(), kind);
      if (types.size() > kMaxTypesToTry) return std::optional<Ids>();
      return Points(*term, [&](absl::string_view text, Ids* ids) {
        for (int64_t type : types) {
          absl::Status status = AppendFound(reader_.FindIdByName(kind, type, text), ids);
          if (!status.ok()) return status;
        }
        return absl::OkStatus();
      });
    }
    return std::optional<Ids>();
  }

  absl::StatusOr<std::optional<Ids>> Points(
      const Term& term,
      absl::FunctionRef<absl::Status(absl::string_view text, Ids* ids)> look_up) const {
    Ids ids;
    if (term.literals.size() > kMaxPoints) return std::optional<Ids>();
    for (const PropertyValue& value : term.literals) {
      if (absl::Status status = look_up(value.string_value, &ids); !status.ok()) return status;
    }
    return ids;
  }

  static absl::Status AppendFound(const absl::StatusOr<std::optional<int64_t>>& found, Ids* ids) {
    if (!found.ok()) return found.status();
    if (found->has_value()) ids->push_back(**found);
    return absl::OkStatus();
  }

  // Takes one node more than kProbe from a source; false if it has more than kProbe.
  absl::StatusOr<bool> Probe(const IdSource& source, Ids* ids) const {
    absl::Status status = source.Visit(reader_, kFirstId, Direction::kAscending, [&](int64_t id) {
      ids->push_back(id);
      return ids->size() <= kProbe;
    });
    if (!status.ok()) return status;
    return ids->size() <= kProbe;
  }

  // The ids under any of these prefixes of keys. A single one that is long is kept for streaming.
  absl::StatusOr<bool> TryPrefixes(const Prefixes& prefixes, const std::string& what) {
    Ids ids;
    for (const std::string& prefix : prefixes) {
      auto source = std::make_unique<IdsUnder>(prefix);
      auto is_short = Probe(*source, &ids);
      if (!is_short.ok()) return is_short;
      if (*is_short) continue;
      if (prefixes.size() == 1 && long_source_ == nullptr) {
        long_source_ = std::move(source);
        long_what_ = what;
      }
      return false;
    }
    return SetShortList(std::move(ids), absl::StrCat(what, ":"));
  }

  const PropertyIndex* IndexOf(const Term& term) const {
    const Variable& variable = filter_.variables[term.variable];
    if (!variable.is_property()) return nullptr;
    const PropertyIndex* index = reader_.catalog().property_indexes().Find(
        filter_.kind, variable.kind == VariableKind::kCustomProperty, variable.name);
    if (index == nullptr || index->state != PropertyIndex::State::kReady) return nullptr;
    return index;
  }

  std::string IndexName(const Term& term) const {
    return absl::StrCat("index on ", ToString(filter_, filter_.variables[term.variable]));
  }

  // Equality with indexed properties and uris.
  absl::StatusOr<bool> TryValues() {
    for (const Term& term : terms_) {
      if (term.op != PredicateOp::kEqual || term.literals.size() > kProbe) continue;
      Prefixes prefixes;
      std::string what;
      if (const PropertyIndex* index = IndexOf(term); index != nullptr) {
        for (const PropertyValue& value : term.literals) {
          prefixes.push_back(PropertyKey::Prefix(index->id, value));
        }
        what = IndexName(term);
      } else if (term.variable == 0 && term.field == Field::kUri) {
        for (const PropertyValue& value : term.literals) {
          prefixes.push_back(UriKey::Prefix(value.string_value));
        }
        what = "index on uri";
      }
      if (prefixes.empty()) continue;
      auto is_short = TryPrefixes(prefixes, what);
      if (!is_short.ok() || *is_short) return is_short;
    }
    return false;
  }

  // Neighbours that can be looked up, and the nodes that they are neighbours of.
  absl::StatusOr<bool> TryNeighbours() {
    for (uint32_t i = 1; i < filter_.variables.size(); ++i) {
      absl::StatusOr<bool> is_short = false;
      switch (filter_.variables[i].kind) {
        case VariableKind::kEvents:
          is_short = filter_.kind == NodeKind::kExecution ? TryEventsOfArtifacts(i)
                                                          : TryEventsOfExecutions(i);
          break;
        case VariableKind::kContexts:
        case VariableKind::kParentContexts:
          if (absl::Status status = AddContexts(i); !status.ok()) return status;
          break;
        case VariableKind::kChildContexts:
          is_short = TryContextsOf(i, NodeKind::kContext);
          break;
        case VariableKind::kArtifacts:
          is_short = TryContextsOf(i, NodeKind::kArtifact);
          break;
        case VariableKind::kExecutions:
          is_short = TryContextsOf(i, NodeKind::kExecution);
          break;
        default:
          break;
      }
      if (!is_short.ok() || *is_short) return is_short;
    }
    return false;
  }

  absl::StatusOr<bool> TryEventsOfArtifacts(uint32_t variable) {
    const Term* term = FindTerm(variable, Field::kArtifactId);
    if (term == nullptr || term->literals.size() > kProbe) return false;
    Prefixes prefixes;
    for (const PropertyValue& value : term->literals) {
      prefixes.push_back(ArtifactEventKey::Prefix(value.int_value));
    }
    return TryPrefixes(prefixes, "events of artifacts");
  }

  absl::StatusOr<bool> TryEventsOfExecutions(uint32_t variable) {
    const Term* term = FindTerm(variable, Field::kExecutionId);
    if (term == nullptr || term->literals.size() > kProbe) return false;
    Ids ids;
    for (const PropertyValue& value : term->literals) {
      absl::Status status =
          reader_.VisitEventsOfExecution(value.int_value, [&](absl::string_view event) {
            WireCursor cursor(event);
            while (auto field = cursor.Next()) {
              if (field->number == ml_metadata::Event::kArtifactIdFieldNumber) {
                ids.push_back(field->AsInt64());
              }
            }
          });
      if (!status.ok()) return status;
    }
    return SetShortList(std::move(ids), "events of executions:");
  }

  // The members of contexts that can be looked up.
  absl::Status AddContexts(uint32_t variable) {
    auto contexts = PointsOf(variable, NodeKind::kContext);
    if (!contexts.ok()) return contexts.status();
    if (!contexts->has_value()) return absl::OkStatus();
    Prefixes group;
    for (int64_t context : SortedOnce(**contexts)) {
      group.push_back(ContextMembersPrefix(context, filter_.kind));
    }
    AddGroup(std::move(group), ToString(filter_, filter_.variables[variable]));
    return absl::OkStatus();
  }

  // The contexts of nodes that can be looked up.
  absl::StatusOr<bool> TryContextsOf(uint32_t variable, NodeKind kind) {
    auto nodes = PointsOf(variable, kind);
    if (!nodes.ok()) return nodes.status();
    if (!nodes->has_value() || (*nodes)->size() > kProbe) return false;
    Ids ids;
    for (int64_t node : SortedOnce(**nodes)) {
      auto links = reader_.Links(kind, node);
      if (!links.ok()) return links.status();
      ids.insert(ids.end(), links->begin(), links->end());
    }
    return SetShortList(std::move(ids),
                        absl::StrCat(ToString(filter_, filter_.variables[variable]), ":"));
  }

  // An OR, each of whose branches has a short list.
  absl::StatusOr<bool> TryBranches() {
    for (uint32_t index : ors_) {
      Ids ids;
      bool is_covered = true;
      for (uint32_t branch : filter_.OperandsOf(filter_.predicates[index])) {
        Planner planner(reader_, filter_, ListScope::All(), ConjunctsOf(filter_, branch));
        auto is_short = planner.FindShortList();
        if (!is_short.ok()) return is_short;
        is_covered = *is_short && ids.size() <= kMaxPoints;
        if (!is_covered) break;
        ids.insert(ids.end(), planner.ids_.begin(), planner.ids_.end());
      }
      if (is_covered) return SetShortList(std::move(ids), "the branches of an OR:");
    }
    return false;
  }

  // Ranges of indexed properties, whose nodes do not come in id order.
  absl::StatusOr<bool> TryRanges() {
    for (const Term& term : terms_) {
      const PropertyIndex* index = IndexOf(term);
      if (index == nullptr || term.op == PredicateOp::kEqual) continue;
      const KeyRange range = RangeOf(*index, term);
      Ids ids;
      absl::Status status = reader_.VisitProperty(range, [&](int64_t id) {
        ids.push_back(id);
        return ids.size() <= kProbe;
      });
      if (!status.ok()) return status;
      if (ids.size() <= kProbe) {
        return SetShortList(std::move(ids), absl::StrCat("range of the ", IndexName(term), ":"));
      }
    }
    return false;
  }

  // All that can be in the range, and perhaps a little more: texts are cut.
  static KeyRange RangeOf(const PropertyIndex& index, const Term& term) {
    const PropertyValue& first = term.literals[0];
    KeyRange range = PrefixRange(PropertyKey::Prefix(index.id, first.kind));
    // A text that is cut stands for all that begin as it does.
    const auto cut = [](PropertyValue value) {
      value.string_value = value.string_value.substr(0, kMaxKeyTextBytes);
      return value;
    };
    const auto from = [&](const PropertyValue& value) {
      range.begin = PropertyKey::Prefix(index.id, cut(value));
    };
    const auto to = [&](const PropertyValue& value) {
      if (value.string_value.size() >= kMaxKeyTextBytes) return;  // Up to the end, to be sure.
      range.end = PrefixRange(PropertyKey::Prefix(index.id, value)).end;
    };
    switch (term.op) {
      case PredicateOp::kLess:
      case PredicateOp::kLessEqual:
        to(first);
        break;
      case PredicateOp::kGreater:
      case PredicateOp::kGreaterEqual:
        from(first);
        break;
      default:
        from(first);
        to(term.literals[1]);
    }
    return range;
  }

  void AddGroup(Prefixes group, const std::string& what) {
    if (group.size() > kMaxListsPerGroup) return;
    groups_.push_back(std::move(group));
    absl::StrAppend(&groups_what_, groups_what_.empty() ? "" : " and ", what);
  }

  // Contexts, then types.
  absl::StatusOr<bool> TryPostings() {
    if (scope_.of == ListScope::Of::kContext) {
      AddGroup({ContextMembersPrefix(scope_.id, filter_.kind)},
               absl::StrCat("context ", scope_.id));
    }
    if (const auto types = TypesOf(0, filter_.kind); types.has_value()) {
      Prefixes group;
      for (int64_t type : *types) group.push_back(TypeMembersPrefix(filter_.kind, type));
      AddGroup(std::move(group), CountOf(types->size(), "type"));
    }
    if (scope_.of == ListScope::Of::kType && FindTerm(0, Field::kTypeId) != nullptr) {
      AddGroup({TypeMembersPrefix(filter_.kind, scope_.id)}, "the listed type");
    }
    for (const Prefixes& group : groups_) {
      Ids ids;
      auto is_short = group.empty() ? true : Probe(PostingLists({group}), &ids);
      if (!is_short.ok()) return is_short;
      if (*is_short) {
        return SetShortList(std::move(ids), absl::StrCat("posting list of ", groups_what_, ":"));
      }
    }
    return false;
  }

  // Narrows the candidates by ranges of their ids and, where these follow one another, of their
  // create times.
  absl::Status BoundIds() {
    for (const Term& term : terms_) {
      if (term.variable != 0) continue;
      if (term.field == Field::kId && term.op != PredicateOp::kEqual) {
        BoundBy(term, [](int64_t id) { return id; });
      }
      if (term.field != Field::kCreateTime || term.op == PredicateOp::kEqual) continue;
      if (!reader_.catalog().IsCreatedInOrder(filter_.kind)) continue;
      absl::Status status;
      BoundBy(term, [&](int64_t time_ms) {
        auto id = FirstCreatedAt(time_ms);
        if (id.ok()) return *id;
        status = id.status();
        return kFirstId;
      });
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // `first_at(value)`: the first id whose value is at least this.
  void BoundBy(const Term& term, absl::FunctionRef<int64_t(int64_t)> first_at) {
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    const auto at_least = [&](int64_t value) {
      plan_.first_id = std::max(plan_.first_id, first_at(value));
    };
    const auto at_most = [&](int64_t value) {
      if (value == kMost) return;
      plan_.last_id = std::min(plan_.last_id, first_at(value + 1) - 1);
    };
    const int64_t value = term.literals[0].int_value;
    switch (term.op) {
      case PredicateOp::kLess:
        if (value != std::numeric_limits<int64_t>::min()) at_most(value - 1);
        break;
      case PredicateOp::kLessEqual:
        at_most(value);
        break;
      case PredicateOp::kGreater:
        at_least(value == kMost ? kMost : value + 1);
        break;
      case PredicateOp::kGreaterEqual:
        at_least(value);
        break;
      default:
        at_least(value);
        at_most(term.literals[1].int_value);
    }
  }

  // The first node created at this time or later, by bisection.
  // REQUIRES: create times follow ids.
  absl::StatusOr<int64_t> FirstCreatedAt(int64_t time_ms) const {
    int64_t low = kFirstId;
    int64_t high = kFirstId;  // Behind the last node.
    absl::Status status = reader_.VisitNodes(filter_.kind, kLastId, Direction::kDescending,
                                             [&](int64_t id, const RecordView&) {
                                               high = id + 1;
                                               return false;
                                             });
    while (status.ok() && low < high) {
      const int64_t middle = low + (high - low) / 2;
      int64_t found = high;
      int64_t created_ms = 0;
      status = reader_.VisitNodes(filter_.kind, middle, Direction::kAscending,
                                  [&](int64_t id, const RecordView& record) {
                                    const auto peek = PeekNode(filter_.kind, record.message());
                                    found = id;
                                    created_ms = peek.has_value() ? peek->create_time_ms : 0;
                                    return false;
                                  });
      if (found < high && created_ms < time_ms) {
        low = found + 1;
      } else {
        high = middle;
      }
    }
    if (!status.ok()) return status;
    return low;
  }

  std::string MissingIndex() const {
    for (const Term& term : terms_) {
      const Variable& variable = filter_.variables[term.variable];
      if (variable.is_property() && IndexOf(term) == nullptr) {
        return absl::StrCat(NameOf(filter_.kind), " ", ToString(filter_, variable));
      }
    }
    return "";
  }

  const Reader& reader_;
  const Filter& filter_;
  const ListScope scope_;
  std::vector<Term> terms_;
  std::vector<uint32_t> ors_;

  FilterPlan plan_;
  Ids ids_;
  std::string short_what_;
  std::unique_ptr<const IdSource> long_source_;
  std::string long_what_;
  std::vector<Prefixes> groups_;
  std::string groups_what_;
};

}  // namespace

absl::StatusOr<FilterPlan> PlanFilter(const Reader& reader, const Filter& filter,
                                      const ListScope& scope) {
  return Planner(reader, filter, scope, ConjunctsOf(filter, filter.root)).Plan();
}

}  // namespace pedigree
