#include "tests/query/random_store.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using Ids = std::vector<int64_t>;
using ContextIds = std::set<int64_t>;
using Strings = std::vector<std::string>;

// Texts that are near each other where text is cut, ordered or matched: by 128 bytes, at zero
// bytes, at characters of several bytes, at upper case, at what is special in patterns.
Strings AllTexts() {
  const std::string long_text(127, 'x');
  return {"",
          "a",
          "A",
          "ab",
          "b",
          "run",
          "run1",
          "run2",
          "Model",
          "100%",
          "a_b",
          "a\\b",
          "it's \"q\"",
          "line\nbreak",
          "ü",
          "üb",
          "日本",
          "😀",
          std::string("\0", 1),
          std::string("a\0", 2),
          std::string("a\0b", 3),
          std::string("a\0\0", 3),
          std::string("a\1", 2),
          "\x7f",
          "\xf4\x8f\xbf\xbf",
          long_text,
          long_text + "x",
          long_text + "xx",
          long_text + "xy",
          long_text + std::string("x\0", 2),
          long_text + "ü",
          long_text + "üa",
          long_text + std::string(200, 'x'),
          long_text + std::string(199, 'x') + "y"};
}

constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinInt = std::numeric_limits<int64_t>::min();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kTwoTo53 = int64_t{1} << 53;

const std::vector<int64_t>& Ints() {
  static const auto* const ints =
      new std::vector<int64_t>{0,       1,           2,       3,           4,
                               5,       -1,          -2,      kTwoTo53,    kTwoTo53 + 1,
                               kMaxInt, kMaxInt - 1, kMinInt, kMinInt + 1, TestStore::kStartMs};
  return *ints;
}

}  // namespace

const Strings& RandomStore::PropertyNames() {
  static const auto* const names =
      new Strings{"cache_fingerprint", "parent_dag_id", "p", "q", "my prop", "in"};
  return *names;
}

const std::vector<double>& RandomStore::Doubles() {
  static const auto* const doubles =
      new std::vector<double>{0.0,    -0.0,
                              0.5,    1.0,
                              2.0,    2.5,
                              3.0,    -1.0,
                              -1.5,   9007199254740992.0,
                              0x1p63, -0x1p63,
                              0x1p62, 1e20,
                              -1e300, 5e-324,
                              1e308,  std::numeric_limits<double>::lowest()};
  return *doubles;
}

RandomStore::RandomStore(Random* random) : random_(*random) {
  Strings all = AllTexts();
  for (int64_t i = random_.Between(6, 14); i > 0; --i) texts_.push_back(random_.Pick(all));
  PutTypes<Artifact>({"Model", "Model", "Data", random_.Pick(texts_)});
  PutTypes<Execution>({"Train", "Train", "a", "Run"});
  PutTypes<Context>({"Run", "Run", "Model"});
  types_[0].push_back({1, "mlmd.Dataset", {}});
  types_[1].push_back({5, "mlmd.Train", {}});
  const bool is_tiny = random_.OneIn(15);
  const bool is_large = !is_tiny && random_.OneIn(40);
  if (!is_tiny && random_.OneIn(2)) Insert<Context>(20);
  for (int64_t i = is_large ? 80 : random_.Between(3, 10); i > 0; --i) {
    if (random_.OneIn(2)) ChangeIndexes();
    Tick();
    const auto some = [&] { return is_tiny ? random_.Between(0, 1) : random_.Between(1, 6); };
    if (!is_tiny || i == 1) Insert<Context>(some());
    Insert<Artifact>(some());
    Insert<Execution>(some());
    AddEvents(some() + some());
    if (random_.OneIn(2)) ChangeSomething();
  }
}

void RandomStore::ChangeSomething() {
  Tick();
  switch (random_.Between(0, 9)) {
    case 0:
      return Insert<Artifact>(random_.Between(1, 2));
    case 1:
      return Insert<Execution>(random_.Between(1, 2));
    case 2:
      return Insert<Context>(1);
    case 3:
      return AddEvents(random_.Between(1, 3));
    case 4:
      return LinkMore<Artifact>();
    case 5:
      return LinkMore<Execution>();
    case 6:
      return LinkMore<Context>();
    case 7:
      return Change<Artifact>();
    case 8:
      return Change<Execution>();
    default:
      return Change<Context>();
  }
}

void RandomStore::ChangeIndexes() {
  if (indexes_.empty() || (random_.OneIn(4) && indexes_.size() < kMostIndexes)) return AddIndex();
  const size_t i = random_.Index(indexes_.size());
  const uint32_t id = indexes_[i];
  if (random_.OneIn(8)) {
    ++indexes_dropped_;
    ASSERT_TRUE(IsOk(store_->Write([&](Transaction& transaction) {
      const absl::Status status = transaction.DropPropertyIndex(id);
      return absl::IsNotFound(status) ? absl::OkStatus() : status;  // Dropped before.
    })));
    // It is emptied in steps as well, most of the time.
    if (random_.OneIn(3)) indexes_.erase(indexes_.begin() + static_cast<ptrdiff_t>(i));
    return;
  }
  const int64_t most = random_.OneIn(2) ? random_.Between(1, 8) : random_.Between(10, 40);
  bool is_unfinished = true;
  ASSERT_TRUE(IsOk(store_->Write([&](Transaction& transaction) {
    auto more = transaction.ContinuePropertyIndex(id, most);
    is_unfinished = more.ok() && *more;
    return more.status();
  })));
  indexes_built_ += is_unfinished ? 0 : 1;
}

void RandomStore::AddIndex() {
  const NodeKind kind = kNodeKinds[random_.Index(3)];
  const bool is_custom = random_.OneIn(2);
  const std::string& name = random_.Pick(PropertyNames());
  uint32_t id = 0;
  ASSERT_TRUE(IsOk(store_->Write([&](Transaction& transaction) {
    auto index = transaction.AddPropertyIndex(kind, is_custom, name);
    if (index.ok()) id = index->id;
    return index.status();
  })));
  // Those that every store has cannot be dropped.
  if (id > kParentDagIdIndex) indexes_.push_back(id);
}

void RandomStore::Tick() {
  if (random_.OneIn(3)) store_.SetClock(store_.clock() + random_.Between(1, 3));
}

template <class Node>
void RandomStore::PutTypes(const Strings& names) {
  constexpr ml_metadata::PropertyType kKinds[] = {ml_metadata::INT,    ml_metadata::DOUBLE,
                                                  ml_metadata::STRING, ml_metadata::STRUCT,
                                                  ml_metadata::PROTO,  ml_metadata::BOOLEAN};
  for (const std::string& name : names) {
    auto& types = types_[IndexOf(TraitsOf<Node>::kKind)];
    typename TraitsOf<Node>::Type type;
    type.set_name(name.empty() ? "T" : name);
    type.set_version(absl::StrCat(types.size()));
    TypeOfNodes made;
    for (const std::string& property : PropertyNames()) {
      if (random_.OneIn(3)) continue;
      // Mostly of the kinds that filters can ask for.
      const auto kind = random_.OneIn(8) ? kKinds[3 + random_.Index(2)] : kKinds[random_.Index(3)];
      made.properties[property] = random_.OneIn(5) ? ml_metadata::BOOLEAN : kind;
    }
    for (const auto& [property, kind] : made.properties) {
      (*type.mutable_properties())[property] = kind;
    }
    ASSERT_TRUE(IsOk(store_->Write(
        [&](Transaction& transaction) { return transaction.PutType<Node>(&type).status(); })));
    made.id = type.id();
    made.name = type.name();
    types.push_back(made);
  }
}

ml_metadata::Value RandomStore::AnyValue(ml_metadata::PropertyType kind) {
  ml_metadata::Value value;
  switch (kind) {
    case ml_metadata::INT:
      value.set_int_value(random_.OneIn(3) ? random_.Pick(Ints()) : random_.Between(0, 4));
      break;
    case ml_metadata::DOUBLE: {
      constexpr double kOdd[] = {kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN(),
                                 -std::numeric_limits<double>::quiet_NaN()};
      value.set_double_value(random_.OneIn(5) ? kOdd[random_.Index(4)] : random_.Pick(Doubles()));
      break;
    }
    case ml_metadata::STRUCT:
      (*value.mutable_struct_value()->mutable_fields())["a"].set_string_value(AnyText());
      break;
    case ml_metadata::PROTO:
      value.mutable_proto_value()->set_type_url(AnyText());
      break;
    case ml_metadata::BOOLEAN:
      value.set_bool_value(random_.OneIn(2));
      break;
    default:
      value.set_string_value(AnyText());
      break;
  }
  return value;
}

template <class Node>
void RandomStore::FillProperties(const TypeOfNodes& type, Node* node) {
  node->clear_properties();
  node->clear_custom_properties();
  for (const auto& [name, kind] : type.properties) {
    if (!random_.OneIn(4)) (*node->mutable_properties())[name] = AnyValue(kind);
  }
  for (const std::string& name : PropertyNames()) {
    if (!random_.OneIn(3)) continue;
    // Strings most often: of these an index has the most to get wrong.
    auto kind = static_cast<ml_metadata::PropertyType>(random_.Between(1, 6));
    if (random_.OneIn(2)) kind = ml_metadata::STRING;
    (*node->mutable_custom_properties())[name] = AnyValue(kind);
  }
}

void RandomStore::FillRest(Artifact* node) {
  node->clear_uri();
  node->clear_state();
  if (!random_.OneIn(4)) node->set_uri(AnyText());
  if (!random_.OneIn(3)) node->set_state(Artifact::State(random_.Between(0, 6)));
}

void RandomStore::FillRest(Execution* node) {
  node->clear_last_known_state();
  if (!random_.OneIn(3)) node->set_last_known_state(Execution::State(random_.Between(0, 6)));
}

template <class Node>
OracleModel::Nodes& RandomStore::NodesOf() {
  return model_.Of(TraitsOf<Node>::kKind);
}

template <class Node>
const TypeOfNodes& RandomStore::TypeOf(int64_t id) const {
  for (const TypeOfNodes& type : types_[IndexOf(TraitsOf<Node>::kKind)]) {
    if (type.id == id) return type;
  }
  std::abort();
}

template <class Node, typename Has>
std::optional<std::string> RandomStore::FreeText(const Has& has) {
  const std::string text = AnyText();
  for (const auto& [id, node] : NodesOf<Node>()) {
    if (has(node, text)) return std::nullopt;
  }
  return text;
}

template <class Node>
void RandomStore::FillName(Node* node) {
  const auto name = FreeText<Node>([&](const OracleNode& other, const std::string& text) {
    return other.type_id == node->type_id() && other.name == text;
  });
  if (name.has_value()) node->set_name(*name);
  const bool needs_name = TraitsOf<Node>::kKind == NodeKind::kContext;
  if (needs_name && node->name().empty()) node->set_name(absl::StrCat("context ", ++names_));
}

template <class Node>
void RandomStore::FillExternalId(Node* node) {
  node->clear_external_id();
  const auto external_id = FreeText<Node>(
      [](const OracleNode& other, const std::string& text) { return other.external_id == text; });
  if (external_id.has_value() && random_.OneIn(2)) node->set_external_id(*external_id);
}

ContextIds RandomStore::SomeContexts(int64_t before) {
  ContextIds some;
  const int64_t last =
      std::min<int64_t>(before - 1, static_cast<int64_t>(model_.Of(NodeKind::kContext).size()));
  if (last < 1) return some;
  // More than 16 do not fit into the node's record.
  const bool is_far = random_.OneIn(12) && before == kMaxInt;
  for (int64_t i = is_far ? random_.Between(17, 30) : random_.Between(0, 3); i > 0; --i) {
    some.insert(random_.Between(1, last));
  }
  return some;
}

template <class Node>
void RandomStore::Remember(const Node& node, const ContextIds& contexts) {
  NodesOf<Node>()[node.id()] = MakeOracleNode(node, TypeOf<Node>(node.type_id()).name, contexts);
  MessagesOf<Node>()[node.id()] = node;
}

template <class Node>
std::map<int64_t, Node>& RandomStore::MessagesOf() {
  return std::get<std::map<int64_t, Node>>(messages_);
}

template <class Node>
void RandomStore::Insert(int64_t count) {
  for (; count > 0; --count) {
    const TypeOfNodes& type = random_.Pick(types_[IndexOf(TraitsOf<Node>::kKind)]);
    Node node;
    node.set_type_id(type.id);
    const bool is_named = TraitsOf<Node>::kKind == NodeKind::kContext || random_.OneIn(2);
    if (is_named) FillName(&node);
    FillExternalId(&node);
    FillProperties(type, &node);
    FillRest(&node);
    const bool is_context = TraitsOf<Node>::kKind == NodeKind::kContext;
    const int64_t next = static_cast<int64_t>(NodesOf<Node>().size()) + 1;
    const ContextIds contexts = SomeContexts(is_context ? next : kMaxInt);
    const Ids ids(contexts.begin(), contexts.end());
    ASSERT_TRUE(IsOk(store_->Write([&](Transaction& transaction) {
      return transaction.Insert(&node, ids).status();
    }))) << node.ShortDebugString();
    ASSERT_EQ(node.id(), next);
    Remember(node, contexts);
  }
}

template <class Node>
void RandomStore::Change() {
  if (MessagesOf<Node>().empty()) return;
  const int64_t id = 1 + static_cast<int64_t>(random_.Index(MessagesOf<Node>().size()));
  Node node = MessagesOf<Node>()[id];
  if (!random_.OneIn(3)) FillProperties(TypeOf<Node>(node.type_id()), &node);
  if (random_.OneIn(2)) FillExternalId(&node);
  if (random_.OneIn(2)) FillRest(&node);
  if (TraitsOf<Node>::kKind == NodeKind::kContext && random_.OneIn(2)) FillName(&node);
  const auto update_time = static_cast<UpdateTime>(random_.Between(0, 2));
  ASSERT_TRUE(IsOk(store_->Write([&](Transaction& transaction) -> absl::Status {
    auto record = transaction.FindRecord(TraitsOf<Node>::kKind, id);
    if (!record.ok()) return record.status();
    return transaction.Update(**record, &node, update_time);
  })));
  Remember(node, NodesOf<Node>()[id].contexts);
}

template <class Node>
void RandomStore::LinkMore() {
  if (NodesOf<Node>().empty()) return;
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  const int64_t id = 1 + static_cast<int64_t>(random_.Index(NodesOf<Node>().size()));
  const ContextIds more = SomeContexts(kKind == NodeKind::kContext ? id : kMaxInt);
  ASSERT_TRUE(IsOk(Link(store_, kKind, id, Ids(more.begin(), more.end()))));
  NodesOf<Node>()[id].contexts.insert(more.begin(), more.end());
}

void RandomStore::AddEvents(int64_t count) {
  const size_t artifacts = NodesOf<Artifact>().size();
  const size_t executions = NodesOf<Execution>().size();
  if (artifacts == 0 || executions == 0) return;
  for (; count > 0; --count) {
    Event event;
    event.set_artifact_id(1 + static_cast<int64_t>(random_.Index(artifacts)));
    event.set_execution_id(1 + static_cast<int64_t>(random_.Index(executions)));
    // Several between one pair.
    if (!model_.events.empty() && random_.OneIn(3)) event = random_.Pick(model_.events);
    event.clear_milliseconds_since_epoch();
    event.set_type(Event::Type(random_.Between(1, Event::Type_MAX)));
    if (random_.OneIn(3)) event.set_milliseconds_since_epoch(random_.Pick(Ints()));
    event.clear_path();
    if (random_.OneIn(3)) event.mutable_path()->add_steps()->set_key(AnyText());
    const bool is_taken =
        std::any_of(model_.events.begin(), model_.events.end(), [&](const Event& other) {
          return other.artifact_id() == event.artifact_id() &&
                 other.execution_id() == event.execution_id() && other.type() == event.type();
        });
    if (is_taken) continue;
    ASSERT_TRUE(IsOk(store_->Write(
        [&](Transaction& transaction) { return pedigree::AddEvents(transaction, {&event}); })));
    model_.events.push_back(event);
  }
}

}  // namespace pedigree
