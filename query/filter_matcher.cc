#include "query/filter_matcher.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "store/wire.h"

namespace pedigree {
namespace {

using ml_metadata::Event;
using Kind = PropertyValue::Kind;

// Neighbours kept between nodes: those of one node, and the contexts that many share.
constexpr size_t kMaxNeighbours = 4096;

// Shorter lists are compared one by one.
constexpr uint32_t kHashedList = 8;

bool IsNull(const PropertyValue& value) { return value.kind == Kind::kOther; }

// What kind of node a neighbourhood's neighbours are. REQUIRES: not events.
NodeKind NeighbourKindOf(VariableKind kind) {
  switch (kind) {
    case VariableKind::kArtifacts:
      return NodeKind::kArtifact;
    case VariableKind::kExecutions:
      return NodeKind::kExecution;
    default:
      return NodeKind::kContext;
  }
}

std::partial_ordering CompareIntAndDouble(int64_t i, double d) {
  constexpr double kTooLarge = 9223372036854775808.0;  // 2^63
  if (std::isnan(d)) return std::partial_ordering::unordered;
  if (d >= kTooLarge) return std::partial_ordering::less;
  if (d < -kTooLarge) return std::partial_ordering::greater;
  const double whole = std::trunc(d);
  const auto whole_int = static_cast<int64_t>(whole);  // Exact: it is within range.
  if (i != whole_int) return i <=> whole_int;
  return 0.0 <=> d - whole;
}

// The bytes of the character of UTF-8 that `text` begins with.
size_t CharacterSize(absl::string_view text) {
  size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return size;
}

// What is no number is not there: NaN is NULL, as it is to SQLite.
PropertyValue NumberOrNull(double value) {
  return std::isnan(value) ? PropertyValue() : PropertyValue::Double(value);
}

PropertyValue Arithmetic(ScalarOp op, const PropertyValue& a, const PropertyValue& b) {
  if (IsNull(a) || IsNull(b)) return {};
  if (a.kind == Kind::kInt && b.kind == Kind::kInt) {
    int64_t result = 0;
    const bool overflows =
        op == ScalarOp::kAdd        ? __builtin_add_overflow(a.int_value, b.int_value, &result)
        : op == ScalarOp::kSubtract ? __builtin_sub_overflow(a.int_value, b.int_value, &result)
                                    : __builtin_mul_overflow(a.int_value, b.int_value, &result);
    return overflows ? PropertyValue() : PropertyValue::Int(result);
  }
  const double x = a.kind == Kind::kInt ? static_cast<double>(a.int_value) : a.double_value;
  const double y = b.kind == Kind::kInt ? static_cast<double>(b.int_value) : b.double_value;
  return NumberOrNull(op == ScalarOp::kAdd ? x + y : op == ScalarOp::kSubtract ? x - y : x * y);
}

// Three values in their order: AND is the least, OR the greatest.
enum class Truth : uint8_t { kFalse, kUnknown, kTrue };

Truth ToTruth(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

Truth Not(Truth truth) {
  if (truth == Truth::kUnknown) return truth;
  return ToTruth(truth == Truth::kFalse);
}

// A comparison with its operator. REQUIRES: one of the six.
Truth Compare(PredicateOp op, const PropertyValue& a, const PropertyValue& b) {
  if (IsNull(a) || IsNull(b)) return Truth::kUnknown;
  const std::partial_ordering order = CompareValues(a, b);
  switch (op) {
    case PredicateOp::kEqual:
      return ToTruth(order == 0);
    case PredicateOp::kNotEqual:
      return ToTruth(order != 0);
    case PredicateOp::kLess:
      return ToTruth(order < 0);
    case PredicateOp::kLessEqual:
      return ToTruth(order <= 0);
    case PredicateOp::kGreater:
      return ToTruth(order > 0);
    default:
      return ToTruth(order >= 0);
  }
}

}  // namespace

std::partial_ordering CompareValues(const PropertyValue& a, const PropertyValue& b) {
  if (a.kind == b.kind) {
    switch (a.kind) {
      case Kind::kInt:
      case Kind::kBool:
        return a.int_value <=> b.int_value;
      case Kind::kDouble:
        return a.double_value <=> b.double_value;
      case Kind::kString:
        return a.string_value.compare(b.string_value) <=> 0;
      case Kind::kOther:
        break;
    }
  }
  if (a.kind == Kind::kInt && b.kind == Kind::kDouble) {
    return CompareIntAndDouble(a.int_value, b.double_value);
  }
  if (a.kind == Kind::kDouble && b.kind == Kind::kInt) {
    return 0 <=> CompareIntAndDouble(b.int_value, a.double_value);
  }
  return std::partial_ordering::unordered;
}

// A mismatch goes back to the last % only: what an earlier one could still match, that one can too.
bool IsLike(absl::string_view text, absl::string_view pattern, int64_t* steps) {
  size_t t = 0;
  size_t p = 0;
  size_t after_percent = absl::string_view::npos;
  size_t retry = 0;
  while (true) {
    ++*steps;
    if (p < pattern.size() && pattern[p] == '%') {
      after_percent = ++p;
      retry = t;
      continue;
    }
    if (t == text.size()) {
      if (p == pattern.size()) return true;
    } else if (p < pattern.size()) {
      if (pattern[p] == '_') {
        t += CharacterSize(text.substr(t));
        ++p;
        continue;
      }
      const size_t literal = pattern[p] == '\\' && p + 1 < pattern.size() ? p + 1 : p;
      if (pattern[literal] == text[t]) {
        ++t;
        p = literal + 1;
        continue;
      }
    }
    if (after_percent == absl::string_view::npos || retry >= text.size()) return false;
    retry += CharacterSize(text.substr(retry));
    t = retry;
    p = after_percent;
  }
}

FilterMatcher::FilterMatcher(const Reader& reader, const Filter& filter)
    : reader_(reader),
      filter_(filter),
      rows_(filter.variables.size()),
      ids_(filter.variables.size()),
      events_(filter.variables.size()) {
  for (uint32_t i = 1; i < filter.variables.size(); ++i) {
    if (filter.variables[i].is_property()) {
      property_variables_ |= SetOf(i);
    } else {
      neighbour_variables_ |= SetOf(i);
    }
  }
  for (const Scalar& scalar : filter.scalars) {
    if (scalar.op == ScalarOp::kAttribute && scalar.field != Field::kId) {
      reads_record_ |= SetOf(scalar.variable);
    }
  }
  // Evaluating some ten operands costs about what looking up a key does.
  visits_per_node_ = 1 + static_cast<int64_t>(filter.operands.size() / 16);
  PrepareLists();
}

void FilterMatcher::PrepareLists() {
  for (const Predicate& predicate : filter_.predicates) {
    if (predicate.op != PredicateOp::kIn && predicate.op != PredicateOp::kNotIn) continue;
    if (predicate.operand_count <= kHashedList) continue;
    Literals literals;
    const ScalarType type = filter_.ScalarOf(predicate, 0).type;
    bool is_plain = type == ScalarType::kInt || type == ScalarType::kString;
    for (uint32_t i = 1; is_plain && i < predicate.operand_count; ++i) {
      const Scalar& item = filter_.ScalarOf(predicate, i);
      is_plain = item.op == ScalarOp::kLiteral && item.type == type;
      if (!is_plain) break;
      if (type == ScalarType::kInt) {
        literals.ints.insert(item.int_value);
      } else {
        literals.strings.insert(filter_.TextOf(item));
      }
    }
    if (is_plain) lists_.emplace(&predicate, std::move(literals));
  }
}

// False if the node lacks a property that the filter names, or is no message.
bool FilterMatcher::BindNode(const RecordView& record) {
  bound_ = SetOf(0);
  std::optional<NodePeek> peek;
  if (property_variables_ == 0) {
    peek = PeekNode(filter_.kind, record.message());
  } else {
    peek = PeekNode(filter_.kind, record.message(), [&](bool is_custom, absl::string_view entry) {
      const auto property = PeekProperty(entry);
      if (!property.has_value()) return;
      const VariableKind kind = is_custom ? VariableKind::kCustomProperty : VariableKind::kProperty;
      for (VariableSet left = property_variables_; left != 0; left &= left - 1) {
        const auto i = static_cast<uint32_t>(std::countr_zero(left));
        const Variable& variable = filter_.variables[i];
        if (variable.kind != kind || variable.name != property->name) continue;
        rows_[i].value = property->value;
        bound_ |= SetOf(i);
      }
    });
  }
  if (!peek.has_value()) return false;
  rows_[0].node = *peek;
  return IsBound(property_variables_);
}

absl::StatusOr<bool> FilterMatcher::Matches(const RecordView& record) {
  if (absl::Status status = reader_.Spend(visits_per_node_); !status.ok()) return status;
  if (!BindNode(record)) return false;
  const Predicate& root = filter_.RootPredicate();
  if (neighbour_variables_ == 0) return Exists(root);

  if (root.op == PredicateOp::kAnd) {
    for (uint32_t operand : filter_.OperandsOf(root)) {
      const Predicate& predicate = filter_.predicates[operand];
      if (!IsBound(predicate.variables)) continue;
      auto holds = Exists(predicate);
      if (!holds.ok() || !*holds) return holds;
    }
  }
  if (neighbours_.size() > kMaxNeighbours) neighbours_.clear();
  for (VariableSet left = neighbour_variables_; left != 0; left &= left - 1) {
    const auto i = static_cast<uint32_t>(std::countr_zero(left));
    if (absl::Status status = LoadDomain(i, record); !status.ok()) return status;
    if (ids_[i].empty() && events_[i].empty()) return false;
  }
  return Exists(root);
}

absl::Status FilterMatcher::LoadDomain(uint32_t variable, const RecordView& record) {
  const VariableKind kind = filter_.variables[variable].kind;
  const int64_t id = rows_[0].node.id;
  std::vector<int64_t>& ids = ids_[variable];
  ids.clear();
  switch (kind) {
    case VariableKind::kEvents:
      return LoadEvents(&events_[variable]);
    case VariableKind::kContexts:
    case VariableKind::kParentContexts: {
      if (!record.HasFarLinks()) {
        ids = record.NearLinks();
        return absl::OkStatus();
      }
      auto links = reader_.Links(filter_.kind, id);
      if (!links.ok()) return links.status();
      ids = *std::move(links);
      return absl::OkStatus();
    }
    default:
      return reader_.VisitContextMembers(id, NeighbourKindOf(kind), kFirstId, Direction::kAscending,
                                         [&](int64_t member) {
                                           ids.push_back(member);
                                           return true;
                                         });
  }
}

absl::Status FilterMatcher::LoadEvents(std::vector<Row>* rows) {
  rows->clear();
  const auto add = [&](absl::string_view bytes) {
    Row row;
    WireCursor cursor(bytes);
    while (auto field = cursor.Next()) {
      if (field->number == Event::kArtifactIdFieldNumber) row.artifact_id = field->AsInt64();
      if (field->number == Event::kExecutionIdFieldNumber) row.execution_id = field->AsInt64();
      if (field->number == Event::kTypeFieldNumber) {
        row.event_type = static_cast<int32_t>(field->scalar);
      }
      if (field->number == Event::kMillisecondsSinceEpochFieldNumber) {
        row.milliseconds = field->AsInt64();
      }
    }
    rows->push_back(row);
  };
  const int64_t id = rows_[0].node.id;
  return filter_.kind == NodeKind::kExecution ? reader_.VisitEventsOfExecution(id, add)
                                              : reader_.VisitEventsOfArtifact(id, add);
}

absl::StatusOr<const FilterMatcher::CachedNode*> FilterMatcher::FindNode(NodeKind kind,
                                                                         int64_t id) {
  const auto [it, is_new] = neighbours_.try_emplace({kind, id});
  if (!is_new) return it->second.get();
  auto record = reader_.FindRecord(kind, id);
  if (!record.ok()) {
    neighbours_.erase(it);
    return record.status();
  }
  if (record->has_value()) {
    const auto peek = PeekNode(kind, (*record)->message());
    if (peek.has_value()) {
      it->second = std::make_unique<const CachedNode>(CachedNode{*std::move(*record), *peek});
    }
  }
  return it->second.get();
}

// False if the neighbour is not there.
absl::StatusOr<bool> FilterMatcher::Bind(uint32_t variable, size_t row) {
  if (absl::Status status = reader_.Spend(1); !status.ok()) return status;
  const VariableKind kind = filter_.variables[variable].kind;
  if (kind == VariableKind::kEvents) {
    rows_[variable] = events_[variable][row];
  } else if ((reads_record_ & SetOf(variable)) == 0) {
    rows_[variable].node.id = ids_[variable][row];
  } else {
    auto node = FindNode(NeighbourKindOf(kind), ids_[variable][row]);
    if (!node.ok()) return node.status();
    if (*node == nullptr) return false;
    rows_[variable].node = (*node)->peek;
  }
  bound_ |= SetOf(variable);
  return true;
}

uint32_t FilterMatcher::SmallestDomain(VariableSet variables) const {
  uint32_t best = 0;
  size_t best_size = SIZE_MAX;
  for (VariableSet left = variables & ~bound_; left != 0; left &= left - 1) {
    const auto i = static_cast<uint32_t>(std::countr_zero(left));
    const size_t size = ids_[i].size() + events_[i].size();
    if (size < best_size) {
      best = i;
      best_size = size;
    }
  }
  return best;
}

// Whether the variables that are not bound yet can be bound so that the predicate holds. All of
// them have something to be bound to.
absl::StatusOr<bool> FilterMatcher::Exists(const Predicate& predicate) {
  switch (predicate.op) {
    case PredicateOp::kOr:
      for (uint32_t operand : filter_.OperandsOf(predicate)) {
        auto exists = Exists(filter_.predicates[operand]);
        if (!exists.ok() || *exists) return exists;
      }
      return false;
    case PredicateOp::kAnd:
      return ExistsAll(filter_.OperandsOf(predicate));
    default:
      break;
  }
  if (IsBound(predicate.variables)) return Holds(predicate);
  const auto index = static_cast<uint32_t>(&predicate - filter_.predicates.data());
  return ExistsTogether({index});
}

// All of the predicates at once: those that share no free variable can be asked apart.
absl::StatusOr<bool> FilterMatcher::ExistsAll(absl::Span<const uint32_t> predicates) {
  struct Part {
    VariableSet variables;
    std::vector<uint32_t> predicates;
  };
  std::vector<Part> parts;
  for (uint32_t index : predicates) {
    const Predicate& predicate = filter_.predicates[index];
    const VariableSet free = predicate.variables & ~bound_;
    if (free == 0) {
      auto holds = Exists(predicate);
      if (!holds.ok() || !*holds) return holds;
      continue;
    }
    Part merged = {free, {index}};
    for (size_t i = parts.size(); i-- > 0;) {
      if ((parts[i].variables & merged.variables) == 0) continue;
      merged.variables |= parts[i].variables;
      merged.predicates.insert(merged.predicates.end(), parts[i].predicates.begin(),
                               parts[i].predicates.end());
      parts.erase(parts.begin() + static_cast<ptrdiff_t>(i));
    }
    parts.push_back(std::move(merged));
  }
  for (const Part& part : parts) {
    auto exists = part.predicates.size() == 1 ? Exists(filter_.predicates[part.predicates[0]])
                                              : ExistsTogether(part.predicates);
    if (!exists.ok() || !*exists) return exists;
  }
  return true;
}

// Binds one free variable of the predicates after the other.
absl::StatusOr<bool> FilterMatcher::ExistsTogether(const std::vector<uint32_t>& predicates) {
  VariableSet variables = 0;
  for (uint32_t index : predicates) variables |= filter_.predicates[index].variables;
  const uint32_t variable = SmallestDomain(variables);
  const size_t rows = ids_[variable].size() + events_[variable].size();
  for (size_t row = 0; row < rows; ++row) {
    auto bound = Bind(variable, row);
    if (!bound.ok()) return bound;
    if (!*bound) continue;
    auto exists = ExistsAll(predicates);
    bound_ &= ~SetOf(variable);
    if (!exists.ok() || *exists) return exists;
  }
  return false;
}

bool FilterMatcher::HoldsIn(const Predicate& leaf, const Value& value) {
  const bool is_in = leaf.op == PredicateOp::kIn;
  if (IsNull(value)) return leaf.null_matches;
  if (const auto it = lists_.find(&leaf); it != lists_.end()) {
    const bool found = value.kind == Kind::kInt ? it->second.ints.contains(value.int_value)
                                                : it->second.strings.contains(value.string_value);
    return found == is_in;
  }
  Truth in = Truth::kFalse;
  for (uint32_t i = 1; i < leaf.operand_count && in != Truth::kTrue; ++i) {
    in = std::max(in, Compare(PredicateOp::kEqual, value, Evaluate(filter_.ScalarOf(leaf, i))));
  }
  if (in == Truth::kUnknown) return leaf.null_matches;
  return (in == Truth::kTrue) == is_in;
}

// REQUIRES: all its variables are bound.
absl::StatusOr<bool> FilterMatcher::Holds(const Predicate& leaf) {
  const auto holds = [&](Truth truth) {
    return truth == Truth::kTrue || (truth == Truth::kUnknown && leaf.null_matches);
  };
  const Value value = Evaluate(filter_.ScalarOf(leaf, 0));
  switch (leaf.op) {
    case PredicateOp::kIsNull:
      return IsNull(value);
    case PredicateOp::kIsNotNull:
      return !IsNull(value);
    case PredicateOp::kIsTrue:
      return holds(IsNull(value) ? Truth::kUnknown : ToTruth(value.int_value != 0));
    case PredicateOp::kIsFalse:
      return holds(IsNull(value) ? Truth::kUnknown : ToTruth(value.int_value == 0));
    case PredicateOp::kIn:
    case PredicateOp::kNotIn:
      return HoldsIn(leaf, value);
    case PredicateOp::kLike:
    case PredicateOp::kNotLike: {
      if (IsNull(value)) return leaf.null_matches;
      int64_t steps = 0;
      const bool is_like =
          IsLike(value.string_value, filter_.TextOf(filter_.ScalarOf(leaf, 1)), &steps);
      if (absl::Status status = reader_.Spend(steps / 1024); !status.ok()) return status;
      return is_like == (leaf.op == PredicateOp::kLike);
    }
    case PredicateOp::kBetween:
    case PredicateOp::kNotBetween: {
      const Truth between =
          std::min(Compare(PredicateOp::kGreaterEqual, value, Evaluate(filter_.ScalarOf(leaf, 1))),
                   Compare(PredicateOp::kLessEqual, value, Evaluate(filter_.ScalarOf(leaf, 2))));
      return holds(leaf.op == PredicateOp::kBetween ? between : Not(between));
    }
    default:
      return holds(Compare(leaf.op, value, Evaluate(filter_.ScalarOf(leaf, 1))));
  }
}

FilterMatcher::Value FilterMatcher::Evaluate(const Scalar& scalar) const {
  switch (scalar.op) {
    case ScalarOp::kAttribute:
      return Attribute(scalar);
    case ScalarOp::kNegate:
      return Arithmetic(ScalarOp::kSubtract, Value::Int(0),
                        Evaluate(filter_.scalars[scalar.operands.left]));
    case ScalarOp::kAdd:
    case ScalarOp::kSubtract:
    case ScalarOp::kMultiply:
      return Arithmetic(scalar.op, Evaluate(filter_.scalars[scalar.operands.left]),
                        Evaluate(filter_.scalars[scalar.operands.right]));
    case ScalarOp::kLiteral:
      break;
  }
  switch (scalar.type) {
    case ScalarType::kDouble:
      return Value::Double(scalar.double_value);
    case ScalarType::kString:
      return Value::String(filter_.TextOf(scalar));
    case ScalarType::kBool:
      return Value::Bool(scalar.int_value != 0);
    default:
      return Value::Int(scalar.int_value);
  }
}

FilterMatcher::Value FilterMatcher::Attribute(const Scalar& scalar) const {
  const Row& row = rows_[scalar.variable];
  const auto text = [](const std::optional<absl::string_view>& value) {
    return value.has_value() ? Value::String(*value) : Value();
  };
  const auto only = [&](Kind kind) { return row.value.kind == kind ? row.value : Value(); };
  switch (scalar.field) {
    case Field::kId:
      return Value::Int(row.node.id);
    case Field::kTypeId:
      return Value::Int(row.node.type_id);
    case Field::kType: {
      const VariableKind kind = filter_.variables[scalar.variable].kind;
      const NodeKind node = kind == VariableKind::kNode ? filter_.kind : NeighbourKindOf(kind);
      return Value::String(reader_.catalog().TypeName(node, row.node.type_id));
    }
    case Field::kName:
      return text(row.node.name);
    case Field::kExternalId:
      return text(row.node.external_id);
    case Field::kCreateTime:
      return Value::Int(row.node.create_time_ms);
    case Field::kLastUpdateTime:
      return Value::Int(row.node.last_update_time_ms);
    case Field::kUri:
      return Value::String(row.node.uri);
    case Field::kState:
    case Field::kLastKnownState:
      return row.node.state.has_value() ? Value::Int(*row.node.state) : Value();
    case Field::kIntValue:
      return only(Kind::kInt);
    case Field::kDoubleValue:
      return row.value.kind == Kind::kDouble ? NumberOrNull(row.value.double_value) : Value();
    case Field::kStringValue:
      return only(Kind::kString);
    case Field::kBoolValue:
      return only(Kind::kBool);
    case Field::kEventType:
      return Value::Int(row.event_type);
    case Field::kArtifactId:
      return Value::Int(row.artifact_id);
    case Field::kExecutionId:
      return Value::Int(row.execution_id);
    case Field::kMilliseconds:
      return row.milliseconds.has_value() ? Value::Int(*row.milliseconds) : Value();
  }
  return {};
}

}  // namespace pedigree
