// Random Puts.
#include <limits>

#include "absl/strings/str_cat.h"
#include "tests/model/requests.h"

namespace pedigree::model {
namespace {

using namespace ml_metadata;  // NOLINT: most of its messages.

// Prefixes of each other, bytes that an encoding of keys must escape, all planes of Unicode.
const std::vector<std::string>& Texts() {
  static const auto* const kTexts = new std::vector<std::string>{"",
                                                                 "a",
                                                                 "ab",
                                                                 "b",
                                                                 "c d",
                                                                 "%",
                                                                 "_",
                                                                 "q\"q'q",
                                                                 "back\\s",
                                                                 std::string("a\0", 2),
                                                                 "a\x01",
                                                                 std::string("a\0b", 3),
                                                                 "\u00e9",
                                                                 "\u4e2d\U0001f600",
                                                                 "s3://b/",
                                                                 "s3://b",
                                                                 "\xef\xbf\xbf",
                                                                 std::string(300, 'x')};
  return *kTexts;
}

constexpr int64_t kIdsThatNeverExist[] = {0,
                                          -1,
                                          1 << 20,
                                          int64_t{1} << 53,
                                          std::numeric_limits<int64_t>::max(),
                                          std::numeric_limits<int64_t>::min()};

template <class Node>
constexpr bool kIsContext = TraitsOf<Node>::kKind == NodeKind::kContext;

}  // namespace

std::string Requests::Text() {
  if (random_.OneIn(150)) return "bad \xc3\x28 utf-8";
  if (random_.OneIn(3)) return Pick(Texts());
  return absl::StrCat("n", random_.Between(0, 40));
}

std::string Requests::PropertyName() {
  static const auto* const kNames =
      new std::vector<std::string>{"i", "d", "s", "st", "p", "b", "e-f", "c d", "a.b", ""};
  return Pick(*kNames);
}

PropertyType Requests::Kind() { return static_cast<PropertyType>(random_.Between(1, 6)); }

Value Requests::Value(PropertyType kind) {
  static const auto* const kInts = new std::vector<int64_t>{
      0, 1, -4, 5, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  static const auto* const kDoubles =
      new std::vector<double>{0.0,
                              -0.0,
                              0.1,
                              1.0 / 3,
                              3e10,
                              5e-324,
                              1.7976931348623157e308,
                              std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()};
  ml_metadata::Value value;
  switch (kind) {
    case PropertyType::INT:
      value.set_int_value(Pick(*kInts));
      break;
    case PropertyType::DOUBLE:
      value.set_double_value(Pick(*kDoubles));
      break;
    case PropertyType::STRING:
      value.set_string_value(Text());
      break;
    case PropertyType::STRUCT:
      (*value.mutable_struct_value()->mutable_fields())["k"].set_number_value(Pick(*kDoubles));
      (*value.mutable_struct_value()->mutable_fields())["j"].set_string_value("v");
      break;
    case PropertyType::PROTO:
      value.mutable_proto_value()->set_type_url("type.googleapis.com/x.Y");
      value.mutable_proto_value()->set_value(std::string("\x08\x00\xff", 3));
      break;
    case PropertyType::BOOLEAN:
    case PropertyType::UNKNOWN:
      value.set_bool_value(random_.OneIn(2));
      break;
  }
  if (random_.OneIn(150)) value.Clear();
  return value;
}

// What a newer or a broken client would add.
template <class Message>
void Requests::AddNoise(Message* message, int enum_field) {
  if (Rarely()) message->mutable_unknown_fields()->AddVarint(5000, 7);
  if (enum_field > 0 && random_.OneIn(100)) {
    message->mutable_unknown_fields()->AddVarint(enum_field, 99);
  }
}

template <class Node>
int64_t Requests::Id() {
  const auto& things = model_.state().Of<Node>();
  if (Rarely() || things.last_id == 0) {
    if (random_.OneIn(2)) return things.last_id + random_.Between(1, 3);
    return kIdsThatNeverExist[random_.Index(std::size(kIdsThatNeverExist))];
  }
  // A few are met often, so that some nodes have many neighbours.
  if (random_.OneIn(4)) return random_.Between(1, std::min<int64_t>(things.last_id, 2));
  return random_.Between(1, things.last_id);
}
template int64_t Requests::Id<Artifact>();
template int64_t Requests::Id<Execution>();
template int64_t Requests::Id<Context>();

template <class Node>
int64_t Requests::TypeId() {
  const auto& types = model_.state().Of<Node>().types;
  if (Rarely() || types.empty()) return random_.Between(1, model_.state().last_type_id + 1);
  auto it = types.begin();
  std::advance(it, random_.Between(0, static_cast<int64_t>(types.size()) - 1));
  return it->first;
}
template int64_t Requests::TypeId<Artifact>();
template int64_t Requests::TypeId<Execution>();
template int64_t Requests::TypeId<Context>();

std::string Requests::ExternalId() {
  return random_.OneIn(8) ? Text() : absl::StrCat("x", random_.Between(0, 15));
}

std::string Requests::TypeName() { return absl::StrCat("T", random_.Between(0, 3)); }

std::string Requests::TypeVersion() {
  static const auto* const kVersions = new std::vector<std::string>{"", "", "", "v1", "v2"};
  return Pick(*kVersions);
}

template <class Node>
typename Things<Node>::Type Requests::Type() {
  typename Things<Node>::Type type;
  if (!Rarely()) type.set_name(TypeName());
  if (random_.OneIn(2)) type.set_version(TypeVersion());
  if (random_.OneIn(10)) type.set_external_id(absl::StrCat("t", random_.Between(0, 5)));
  if (random_.OneIn(10)) type.set_description(Text());
  if (random_.OneIn(10)) type.set_id(random_.Between(-1, 20));
  // Mostly what the stored type of this name declares, so that evolution has something to change.
  for (const auto& [id, stored] : model_.state().Of<Node>().types) {
    if (stored->name() == type.name() && stored->version() == type.version() && !random_.OneIn(4)) {
      *type.mutable_properties() = stored->properties();
    }
  }
  for (int64_t i = random_.Between(0, 3); i > 0; --i) {
    const std::string name = PropertyName();
    if (random_.OneIn(3)) {
      type.mutable_properties()->erase(name);
    } else {
      (*type.mutable_properties())[name] = random_.OneIn(80) ? UNKNOWN : Kind();
    }
  }
  if (random_.OneIn(12)) {
    const int most = kIsContext<Node> ? 0 : 4;
    type.set_base_type(static_cast<typename Things<Node>::Type::SystemDefinedBaseType>(
        random_.Between(random_.OneIn(6) ? 0 : most > 0, most)));
  }
  AddNoise(&type, Things<Node>::Type::kBaseTypeFieldNumber);
  return type;
}

void Requests::FillState(Artifact* node) {
  static const auto* const kUris =
      new std::vector<std::string>{"", "u", "u/", "u/1", "s3://b", "s3://b/"};
  if (random_.OneIn(2)) node->set_uri(random_.OneIn(2) ? Pick(*kUris) : Text());
  if (random_.OneIn(2)) node->set_state(static_cast<Artifact::State>(random_.Between(0, 6)));
}

void Requests::FillState(Execution* node) {
  if (random_.OneIn(2)) {
    node->set_last_known_state(static_cast<Execution::State>(random_.Between(0, 6)));
  }
}

template <class Node>
void Requests::FillContent(int64_t type_id, Node* node) {
  const auto& types = model_.state().Of<Node>().types;
  const auto type = types.find(type_id);
  if (type != types.end()) {
    // Protobuf's maps have another order in every process: the same seed must make the same.
    const auto& declared = type->second->properties();
    for (const auto& [name, kind] :
         std::map<std::string, PropertyType>(declared.begin(), declared.end())) {
      if (random_.OneIn(2)) (*node->mutable_properties())[name] = Value(Rarely() ? Kind() : kind);
    }
  }
  if (Rarely()) (*node->mutable_properties())[PropertyName()] = Value(Kind());
  for (int64_t i = random_.Between(0, 2); i > 0; --i) {
    (*node->mutable_custom_properties())[random_.OneIn(2) ? PropertyName() : Text()] =
        Value(Kind());
  }
  if (random_.OneIn(6)) node->set_external_id(ExternalId());
  FillState(node);
  // Fields that are the server's.
  if (random_.OneIn(10)) node->set_type(TypeName());
  if (random_.OneIn(10)) node->set_create_time_since_epoch(5);
  if (random_.OneIn(10)) node->set_last_update_time_since_epoch(6);
  AddNoise(node, TraitsOf<Node>::kFields.state);
}

template <class Node>
Node Requests::NewNode() {
  Node node;
  const int64_t type_id = TypeId<Node>();
  if (!Rarely()) node.set_type_id(type_id);
  if (kIsContext<Node> ? !Rarely() : random_.OneIn(2)) node.set_name(Text());
  if (kIsContext<Node> && node.name().empty() && !Rarely()) node.set_name("some name");
  FillContent(type_id, &node);
  return node;
}

template <class Node>
Node Requests::ChangedNode() {
  Node node;
  const int64_t id = Id<Node>();
  const auto& nodes = model_.state().Of<Node>().nodes;
  const auto stored = nodes.find(id);
  if (stored != nodes.end() && random_.OneIn(4)) {
    node = *stored->second;  // As it is: nothing changes, not even the time.
    if (random_.OneIn(2)) return node;
  }
  node.set_id(id);
  const int64_t type_id = stored != nodes.end() ? stored->second->type_id() : TypeId<Node>();
  if (!random_.OneIn(4)) node.set_type_id(Rarely() ? TypeId<Node>() : type_id);
  if (kIsContext<Node> && stored != nodes.end() && !random_.OneIn(6)) {
    node.set_name(stored->second->name());
  } else if (random_.OneIn(2)) {
    node.set_name(Text());
  }
  FillContent(type_id, &node);
  if (stored != nodes.end() && random_.OneIn(2)) {
    node.set_last_update_time_since_epoch(stored->second->last_update_time_since_epoch());
  }
  return node;
}

google::protobuf::FieldMask Requests::Mask() {
  static const auto* const kPaths = new std::vector<std::string>{
      "name",     "uri", "state",   "last_known_state",  "external_id", "properties",
      "nonsense", "id",  "type_id", "custom_properties", "type",        "create_time_since_epoch"};
  google::protobuf::FieldMask mask;
  for (int64_t i = random_.Between(0, 3); i > 0; --i) {
    switch (random_.Between(0, 2)) {
      case 0:
        mask.add_paths(Pick(*kPaths));
        break;
      case 1:
        mask.add_paths("properties." + PropertyName());
        break;
      default:
        mask.add_paths("custom_properties." + PropertyName());
        break;
    }
  }
  return mask;
}

Event Requests::Event() {
  ml_metadata::Event event;
  if (!Rarely()) event.set_type(static_cast<ml_metadata::Event::Type>(random_.Between(1, 7)));
  if (random_.OneIn(4)) event.set_milliseconds_since_epoch(random_.Between(-5, 5000));
  if (random_.OneIn(3)) {
    for (int64_t i = random_.Between(0, 2); i > 0; --i) {
      event.mutable_path();
      auto* step = event.mutable_path()->add_steps();
      if (random_.OneIn(2)) {
        step->set_key(Text());
      } else {
        step->set_index(random_.Between(-1, 9));
      }
    }
  }
  AddNoise(&event, ml_metadata::Event::kTypeFieldNumber);
  return event;
}

void Requests::AddContexts(google::protobuf::RepeatedPtrField<Context>* contexts) {
  // Beyond 16 contexts a node's links are stored in another way.
  const int64_t count = random_.OneIn(25) ? random_.Between(17, 40) : random_.Between(0, 3);
  for (int64_t i = 0; i < count; ++i) {
    Context* context = contexts->Add();
    if (count > 3) {  // Many: without faults, or all would be for nothing.
      context->set_id(
          random_.Between(1, std::max<int64_t>(1, model_.state().Of<Context>().last_id)));
    } else if (random_.OneIn(3)) {
      context->set_id(Id<Context>());
      if (random_.OneIn(2)) *context = ChangedNode<Context>();
    } else {
      *context = NewNode<Context>();
    }
  }
}

// The server finds out which contexts are reused by name before it renames any, so a request that
// does both is not made here: DISABLED_... in model_test.cc shows it.
void Requests::KeepContextNames(google::protobuf::RepeatedPtrField<Context>* contexts) {
  for (Context& context : *contexts) {
    const auto stored = model_.state().Of<Context>().nodes.find(context.id());
    if (context.has_id() && stored != model_.state().Of<Context>().nodes.end()) {
      context.set_name(stored->second->name());
    }
  }
}

template <class Request>
Request Requests::PutType() {
  Request request;
  if (random_.OneIn(2)) request.set_can_add_fields(random_.OneIn(2));
  if (random_.OneIn(2)) request.set_can_omit_fields(random_.OneIn(2));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  if (random_.OneIn(20)) request.set_can_delete_fields(true);
  if (random_.OneIn(30)) request.set_all_fields_match(random_.OneIn(2));
#pragma GCC diagnostic pop
  return request;
}

PutTypesRequest Requests::PutTypes() {
  auto request = PutType<PutTypesRequest>();
  for (int64_t i = random_.Between(0, 2); i > 0; --i) {
    *request.add_artifact_types() = Type<Artifact>();
  }
  for (int64_t i = random_.Between(0, 2); i > 0; --i) {
    *request.add_execution_types() = Type<Execution>();
  }
  for (int64_t i = random_.Between(0, 2); i > 0; --i) {
    *request.add_context_types() = Type<Context>();
  }
  return request;
}

PutArtifactsRequest Requests::PutArtifacts() {
  PutArtifactsRequest request;
  for (int64_t i = random_.Between(0, 3); i > 0; --i)
    *request.add_artifacts() = AnyNode<Artifact>();
  if (random_.OneIn(4)) *request.mutable_update_mask() = Mask();
  if (random_.OneIn(6)) {
    request.mutable_options()->set_abort_if_latest_updated_time_changed(!random_.OneIn(4));
  }
  return request;
}

// Enough to fill more than one block of a posting list, and more than one page of a list.
PutArtifactsRequest Requests::PutManyArtifacts() {
  PutArtifactsRequest request;
  for (int64_t i = random_.Between(50, 150); i > 0; --i) {
    Artifact* artifact = request.add_artifacts();
    artifact->set_type_id(random_.OneIn(2) ? 1 : 2);
    artifact->set_uri("many");
  }
  return request;
}

PutExecutionsRequest Requests::PutExecutions() {
  PutExecutionsRequest request;
  for (int64_t i = random_.Between(0, 3); i > 0; --i) {
    *request.add_executions() = AnyNode<Execution>();
  }
  if (random_.OneIn(4)) *request.mutable_update_mask() = Mask();
  return request;
}

PutContextsRequest Requests::PutContexts() {
  PutContextsRequest request;
  for (int64_t i = random_.Between(0, 3); i > 0; --i) *request.add_contexts() = AnyNode<Context>();
  if (random_.OneIn(4)) *request.mutable_update_mask() = Mask();
  return request;
}

PutExecutionRequest Requests::PutExecution() {
  PutExecutionRequest request;
  if (!Rarely()) *request.mutable_execution() = AnyNode<Execution>();
  for (int64_t i = random_.Between(0, 3); i > 0; --i) {
    auto* pair = request.add_artifact_event_pairs();
    const bool has_artifact = !random_.OneIn(4);
    if (has_artifact) *pair->mutable_artifact() = AnyNode<Artifact>();
    if (!random_.OneIn(5)) *pair->mutable_event() = Event();
    if (pair->has_event() && (has_artifact ? Rarely() : !Rarely())) {
      pair->mutable_event()->set_artifact_id(Id<Artifact>());
    }
    if (pair->has_event() && Rarely()) pair->mutable_event()->set_execution_id(Id<Execution>());
  }
  AddContexts(request.mutable_contexts());
  auto* options = request.mutable_options();
  if (random_.OneIn(2)) options->set_reuse_context_if_already_exist(!random_.OneIn(4));
  if (random_.OneIn(2)) options->set_reuse_artifact_if_already_exist_by_external_id(true);
  if (random_.OneIn(5)) options->set_force_update_time(true);
  if (random_.OneIn(3) || request.contexts_size() > 3) options->set_force_reuse_context(true);
  if (options->reuse_context_if_already_exist()) KeepContextNames(request.mutable_contexts());
  return request;
}

PutLineageSubgraphRequest Requests::PutLineageSubgraph() {
  PutLineageSubgraphRequest request;
  for (int64_t i = random_.Between(0, 2); i > 0; --i) {
    *request.add_executions() = AnyNode<Execution>();
  }
  for (int64_t i = random_.Between(0, 2); i > 0; --i)
    *request.add_artifacts() = AnyNode<Artifact>();
  for (int64_t i = random_.Between(0, 2); i > 0; --i) *request.add_contexts() = AnyNode<Context>();
  for (int64_t i = random_.Between(0, 3); i > 0; --i) {
    auto* edge = request.add_event_edges();
    if (!Rarely()) *edge->mutable_event() = Event();
    const auto index = [&](int size) {
      return static_cast<int>(Rarely() ? random_.Between(-1, size) : random_.Between(0, size - 1));
    };
    if (request.executions_size() > 0 && !random_.OneIn(4)) {
      edge->set_execution_index(index(request.executions_size()));
    } else if (!Rarely()) {
      edge->mutable_event()->set_execution_id(Id<Execution>());
    }
    if (request.artifacts_size() > 0 && !random_.OneIn(4)) {
      edge->set_artifact_index(index(request.artifacts_size()));
    } else if (!Rarely()) {
      edge->mutable_event()->set_artifact_id(Id<Artifact>());
    }
  }
  auto* options = request.mutable_options();
  if (random_.OneIn(2)) options->set_reuse_context_if_already_exist(true);
  if (random_.OneIn(2)) options->set_reuse_artifact_if_already_exist_by_external_id(true);
  if (options->reuse_context_if_already_exist()) KeepContextNames(request.mutable_contexts());
  return request;
}

PutEventsRequest Requests::PutEvents() {
  PutEventsRequest request;
  for (int64_t i = random_.Between(0, 4); i > 0; --i) {
    auto* event = request.add_events();
    *event = Event();
    if (!Rarely()) event->set_artifact_id(Id<Artifact>());
    if (!Rarely()) event->set_execution_id(Id<Execution>());
  }
  return request;
}

PutAttributionsAndAssociationsRequest Requests::PutLinks() {
  PutAttributionsAndAssociationsRequest request;
  const int64_t most = random_.OneIn(5) ? 20 : 2;
  for (int64_t i = random_.Between(0, most); i > 0; --i) {
    auto* link = request.add_attributions();
    if (!random_.OneIn(200)) link->set_artifact_id(Id<Artifact>());
    if (!random_.OneIn(200)) link->set_context_id(Id<Context>());
  }
  for (int64_t i = random_.Between(0, most); i > 0; --i) {
    auto* link = request.add_associations();
    if (!random_.OneIn(200)) link->set_execution_id(Id<Execution>());
    if (!random_.OneIn(200)) link->set_context_id(Id<Context>());
  }
  return request;
}

PutParentContextsRequest Requests::PutParents() {
  PutParentContextsRequest request;
  for (int64_t i = random_.Between(0, 2); i > 0; --i) {
    auto* pair = request.add_parent_contexts();
    if (!Rarely()) pair->set_child_id(Id<Context>());
    if (!Rarely()) pair->set_parent_id(Id<Context>());
  }
  return request;
}

Call Requests::FirstTypes() {
  PutTypesRequest request;
  for (const char* name : {"T0", "T1"}) {
    auto* type = request.add_artifact_types();
    type->set_name(name);
    (*type->mutable_properties())["i"] = INT;
    (*type->mutable_properties())["s"] = STRING;
    request.add_execution_types()->set_name(name);
    request.add_context_types()->set_name(name);
  }
  return MakeCall(std::move(request));
}

Call Requests::PutOneType() {
  switch (random_.Between(0, 2)) {
    case 0: {
      auto request = PutType<PutArtifactTypeRequest>();
      *request.mutable_artifact_type() = Type<Artifact>();
      return MakeCall(std::move(request));
    }
    case 1: {
      auto request = PutType<PutExecutionTypeRequest>();
      *request.mutable_execution_type() = Type<Execution>();
      return MakeCall(std::move(request));
    }
    default: {
      auto request = PutType<PutContextTypeRequest>();
      *request.mutable_context_type() = Type<Context>();
      return MakeCall(std::move(request));
    }
  }
}

Call Requests::Write() {
  const int64_t percent = random_.Between(1, 100);
  if (percent <= 6) return PutOneType();
  if (percent <= 10) return MakeCall(PutTypes());
  if (percent <= 11) return MakeCall(PutManyArtifacts());
  if (percent <= 26) return MakeCall(PutArtifacts());
  if (percent <= 36) return MakeCall(PutExecutions());
  if (percent <= 50) return MakeCall(PutContexts());
  if (percent <= 60) return MakeCall(PutEvents());
  if (percent <= 67) return MakeCall(PutLinks());
  if (percent <= 72) return MakeCall(PutParents());
  if (percent <= 82) return MakeCall(PutLineageSubgraph());
  return MakeCall(PutExecution());
}

Call Requests::SoundWrite(int64_t clock_ms) {
  while (true) {
    Call call = Write();
    Model tried = model_;
    if (tried.Write(*call.request, clock_ms, call.response.get()).ok()) {
      call.response->Clear();
      return call;
    }
  }
}

}  // namespace pedigree::model
