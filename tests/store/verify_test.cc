// Store::Verify finds each kind of damage. Every case damages one thing of a small, clean store,
// directly in the database, and expects the problem that names it.
#include "store/verify.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "absl/strings/match.h"
#include "api/task.pb.h"
#include "store/codec.h"
#include "store/id_set.h"
#include "store/keys.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

constexpr int64_t kArtifactType = 10;
constexpr int64_t kExecutionType = 11;
constexpr int64_t kContextType = 12;
constexpr int64_t kRuns = 20;  // Contexts, more than stand in a record.
constexpr int64_t kTime = TestStore::kStartMs;

int64_t TypeOf(NodeKind kind) { return kArtifactType - 1 + static_cast<int64_t>(kind); }

// Two nodes of each kind with everything that a node can have, and two events between them:
// artifact 1 is in contexts 1 to 20, execution 1 in context 1, context 2 in context 1;
// artifact 1 -> OUTPUT of execution 1, artifact 2 -> INPUT of execution 1.
template <class Node>
void InsertTwo(TestStore& store, int64_t type, const std::vector<int64_t>& contexts) {
  for (const char* name : {"first", "second"}) {
    Node node = NewNode<Node>(type, name);
    node.set_external_id(name);
    (*node.mutable_properties())["p"].set_int_value(1);
    // Every store has an index of this one, of executions.
    (*node.mutable_custom_properties())["cache_fingerprint"].set_string_value("f");
    const bool linked =
        node.name() == (TraitsOf<Node>::kKind == NodeKind::kContext ? "second" : "first");
    ASSERT_TRUE(IsOk(Insert(store, node, linked ? contexts : std::vector<int64_t>())));
  }
}

template <class Node>
void PutTypeWithProperty(TestStore& store, int64_t expected_id) {
  typename TraitsOf<Node>::Type type;
  type.set_name("Type");
  (*type.mutable_properties())["p"] = ml_metadata::INT;
  ASSERT_TRUE(IsOk(store->Write(
      [&](Transaction& transaction) { return transaction.PutType<Node>(&type).status(); })));
  ASSERT_EQ(type.id(), expected_id);
}

void FillForVerify(TestStore& store) {
  PutTypeWithProperty<Artifact>(store, kArtifactType);
  PutTypeWithProperty<Execution>(store, kExecutionType);
  PutTypeWithProperty<Context>(store, kContextType);
  InsertTwo<Context>(store, kContextType, {1});
  std::vector<int64_t> runs = {1, 2};
  for (int64_t run = 3; run <= kRuns; ++run) {
    ASSERT_EQ(*Insert(store, NewNode<Context>(kContextType, std::to_string(run))), run);
    runs.push_back(run);
  }
  InsertTwo<Artifact>(store, kArtifactType, runs);
  InsertTwo<Execution>(store, kExecutionType, {1});
  ASSERT_TRUE(IsOk(store->Write([](Transaction& transaction) {
    Event output;
    output.set_artifact_id(1);
    output.set_execution_id(1);
    output.set_type(Event::OUTPUT);
    Event input = output;
    input.set_artifact_id(2);
    input.set_type(Event::INPUT);
    return AddEvents(transaction, {&output, &input});
  })));
  ASSERT_TRUE(IsOk(store->Write([](Transaction& transaction) {
    api::Task task;
    task.set_fingerprint("f");
    task.set_pipelinename("p");
    task.set_namespace_("n");
    task.mutable_created_at()->set_seconds(5);
    return transaction.InsertTask(&task).status();
  })));
}

struct Damage {
  std::string name;
  std::function<void(RawDatabase& database)> apply;
  std::string problem;  // A part of it.
};

std::string Id(int64_t id) {
  std::string bytes;
  AppendId(&bytes, id);
  return bytes;
}

std::string SetOf(std::vector<uint8_t> offsets) {
  IdSet set;
  for (uint8_t offset : offsets) set.Add(offset);
  return set.Encode();
}

// Replaces the message in a node's record.
template <class Node>
void ChangeNode(RawDatabase& database, int64_t id, const std::function<void(Node*)>& change) {
  const std::string key = NodeKey{TraitsOf<Node>::kKind, id}.Encode();
  const std::string bytes = database.Get(key).value();
  const RecordView record = *RecordView::Parse(bytes);
  Node node;
  ASSERT_TRUE(node.ParseFromString(std::string(record.message())));
  change(&node);
  const std::vector<int64_t> links = record.NearLinks();
  database.Put(key, EncodeRecord(links, record.HasFarLinks() ? FarLinks::kSome : FarLinks::kNone,
                                 node.SerializeAsString()));
}

void ChangeCounters(RawDatabase& database, const std::function<void(Counters*)>& change) {
  Counters counters;
  ASSERT_TRUE(Counters::Decode(database.Get(CountersKey().Encode()).value(), &counters));
  change(&counters);
  database.Put(CountersKey().Encode(), counters.Encode());
}

std::function<void(RawDatabase&)> Put(std::string key, std::string value) {
  return [=](RawDatabase& database) { database.Put(key, value); };
}
std::function<void(RawDatabase&)> Delete(std::string key) {
  return [=](RawDatabase& database) {
    ASSERT_TRUE(database.Get(key).has_value()) << "nothing to delete";
    database.Delete(key);
  };
}

std::string FirstBlock(const std::string& prefix) { return prefix + Id(0); }

std::string Title(NodeKind kind) {
  std::string name(NameOf(kind));
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return name;
}

// Damages that every kind of node can have.
std::vector<Damage> DamagesOf(NodeKind kind) {
  std::vector<Damage> all;
  const std::string title = Title(kind);
  const std::string first = std::string(NameOf(kind)) + " 1: ";
  const std::string second = std::string(NameOf(kind)) + " 2: ";
  const std::string name = NameKey{kind, TypeOf(kind), "first"}.Encode();
  const std::string external_id = ExternalIdKey{kind, "first"}.Encode();
  const std::string stale_name = NameKey{kind, TypeOf(kind), "stale"}.Encode();
  const std::string stale_external_id = ExternalIdKey{kind, "stale"}.Encode();
  const std::string members = FirstBlock(TypeMembersPrefix(kind, TypeOf(kind)));
  const std::string times = FirstBlock(UpdateTimePrefix(kind, kTime));
  const auto add = [&](const char* what, std::function<void(RawDatabase&)> apply,
                       const std::string& problem) {
    all.push_back({title + what, std::move(apply), problem});
  };
  add("NameMissing", Delete(name), first + "name: missing");
  add("NameOfAnother", Put(name, Id(2)), first + "name: wrong value");
  add("NameTooLong", Put(name, Id(1) + "x"), first + "name: wrong value");
  add("NameStale", Put(stale_name, Id(1)), first + "a stale entry in the index name");
  add("NameOfNobody", Put(stale_name, Id(99)), " 99: a stale entry in the index name");
  add("NameShort", Put(stale_name, "abc"), "an entry of the index name does not decode");
  add("ExternalIdMissing", Delete(external_id), first + "external_id: missing");
  add("ExternalIdOfAnother", Put(external_id, Id(2)), first + "external_id: wrong value");
  add("ExternalIdStale", Put(stale_external_id, Id(1)),
      first + "a stale entry in the index external_id");
  add("ExternalIdShort", Put(stale_external_id, ""),
      "an entry of the index external_id does not decode");
  add("TypeMembersMissing", Delete(members), first + "type_members: missing");
  add("TypeMembersShort", Put(members, SetOf({1})), second + "type_members: missing");
  add(
      "TypeMembersStale",
      [=](RawDatabase& database) {
        IdSet set;
        ASSERT_TRUE(IdSet::Decode(database.Get(members).value(), &set));
        set.Add(99);
        database.Put(members, set.Encode());
      },
      " 99: a stale entry in posting list 64");
  add("TypeMembersOfAnotherType", Put(FirstBlock(TypeMembersPrefix(kind, 9)), SetOf({1})),
      first + "a stale entry in posting list 64");
  add("TypeMembersDamaged", Put(members, ""), first + "type_members: missing");
  add("TypeMembersKeyShort", Put(TypeMembersPrefix(kind, TypeOf(kind)), SetOf({1})),
      "a posting list does not decode");
  add("UpdateTimesMissing", Delete(times), first + "update_times: missing");
  add("UpdateTimesShort", Put(times, SetOf({1})), second + "update_times: missing");
  add("UpdateTimesStale", Put(FirstBlock(UpdateTimePrefix(kind, kTime - 1)), SetOf({1})),
      first + "a stale entry in posting list 66");
  add("UpdateTimesDamaged", Put(times, std::string(40, 'x')), first + "update_times: missing");
  add("RecordMissing", Delete(NodeKey{kind, 1}.Encode()),
      first + "a stale entry in the index name");
  add("MessageUndecodable",
      Put(NodeKey{kind, 1}.Encode(), EncodeRecord({}, FarLinks::kNone, "\x08")),
      first + "the message does not decode");
  add(
      "BeyondTheLastId",
      [=](RawDatabase& database) {
        ChangeCounters(database,
                       [=](Counters* counters) { counters->last_node_id[IndexOf(kind)] = 1; });
      },
      second + "beyond the last id handed out");
  return all;
}

// Damages to a record's message, typed.
template <class Node>
std::vector<Damage> DamagesOfMessages() {
  std::vector<Damage> all;
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  const std::string title = Title(kKind);
  const std::string first = std::string(NameOf(kKind)) + " 1: ";
  const std::string second = std::string(NameOf(kKind)) + " 2: ";
  const auto add = [&](const char* what, int64_t id, std::function<void(Node*)> change,
                       const std::string& problem) {
    all.push_back({title + what,
                   [=](RawDatabase& database) { ChangeNode<Node>(database, id, change); },
                   problem});
  };
  add(
      "OfAnotherId", 1, [](Node* node) { node->set_id(2); }, first + "the message does not decode");
  add(
      "OfNoType", 1, [](Node* node) { node->set_type_id(99); }, first + "does not fit its type");
  add(
      "WithTypeName", 1, [](Node* node) { node->set_type("Type"); },
      first + "does not fit its type");
  add(
      "WithUndeclaredProperty", 1,
      [](Node* node) { (*node->mutable_properties())["q"].set_int_value(1); },
      first + "does not fit its type");
  add(
      "WithAnotherName", 1, [](Node* node) { node->set_name("other"); }, first + "name: missing");
  add(
      "WithoutName", 1, [](Node* node) { node->clear_name(); },
      first + "a stale entry in the index name");
  add(
      "WithAnotherExternalId", 1, [](Node* node) { node->set_external_id("other"); },
      first + "external_id: missing");
  add(
      "WithAnotherTime", 1, [](Node* node) { node->set_last_update_time_since_epoch(kTime - 1); },
      first + "update_times: missing");
  add(
      "FromTheFuture", 1,
      [](Node* node) { node->set_last_update_time_since_epoch(kTime + 1'000'000); },
      first + "updated after the newest time");
  add(
      "CreatedBeforeItsPredecessor", 2,
      [](Node* node) { node->set_create_time_since_epoch(kTime - 1); },
      second + "created before the node before it");
  return all;
}

template <class Node>
Damage DamageOfPropertyKind() {
  return {Title(TraitsOf<Node>::kKind),
          [](RawDatabase& database) {
            ChangeNode<Node>(database, 1, [](Node* node) {
              (*node->mutable_properties())["p"].set_string_value("text");
            });
          },
          "1: does not fit its type"};
}

// The types declare INT.
std::vector<Damage> DamagesOfPropertyKinds() {
  return {DamageOfPropertyKind<Artifact>(), DamageOfPropertyKind<Execution>(),
          DamageOfPropertyKind<Context>()};
}

std::vector<Damage> DamagesOfUndecodableRecords() {
  std::vector<Damage> all;
  for (NodeKind kind : kNodeKinds) {
    all.push_back(
        {Title(kind), Put(NodeKey{kind, 1}.Encode(), ""), std::string(NameOf(kind)) + " 1"});
  }
  all.push_back({"FarLinkKeyShort", Put(FarLinkKey::Prefix(NodeKind::kArtifact, 1), ""),
                 "a far link does not decode"});
  return all;
}

// The event bytes of a chunk or an entry by artifact, changed.
std::string EventBytes(int64_t artifact, int64_t execution, Event::Type type) {
  Event event;
  event.set_artifact_id(artifact);
  event.set_execution_id(execution);
  event.set_type(type);
  event.set_milliseconds_since_epoch(kTime);
  return event.SerializeAsString();
}

std::string Numbered(uint64_t number, const std::string& event) {
  std::string bytes;
  AppendVarint(&bytes, number);
  return bytes + event;
}

std::string Chunk(const std::vector<std::string>& events) {
  std::string chunk;
  for (const std::string& event : events) AppendEventToChunk(event, &chunk);
  return chunk;
}

std::vector<Damage> DamagesOfEvents() {
  const std::string chunk = ExecutionEventsKey{1, 1}.Encode();
  const std::string output = ArtifactEventKey{1, 1, Event::OUTPUT}.Encode();
  const std::string input = ArtifactEventKey{2, 1, Event::INPUT}.Encode();
  const std::string output_event = EventBytes(1, 1, Event::OUTPUT);
  const std::string input_event = EventBytes(2, 1, Event::INPUT);
  return {
      {"ChunkMissing", Delete(chunk), "events: 0 by execution, 2 by artifact"},
      {"ChunkOfOneEventLess", Put(chunk, Chunk({output_event})),
       "events: 1 by execution, 2 by artifact"},
      {"ChunkWithAnEventTwice", Put(chunk, Chunk({output_event, input_event, input_event})),
       "events: 3 by execution, 2 by artifact"},
      {"ChunkDamaged", Put(chunk, "\x7f"), "execution 1: its events do not decode"},
      {"ChunkWithADamagedEvent", Put(chunk, Chunk({"\x08", input_event})),
       "execution 1: one of its events does not decode"},
      {"ChunkOfAnotherExecution", Put(chunk, Chunk({EventBytes(1, 2, Event::OUTPUT)})),
       "execution 1: one of its events does not decode"},
      {"ChunkOfNoExecution",
       Put(ExecutionEventsKey{9, 1}.Encode(), Chunk({EventBytes(1, 9, Event::INPUT)})),
       "event of artifact 1 and execution 9: missing"},
      {"ChunkBeyondTheLastNumber",
       Put(ExecutionEventsKey{1, 99}.Encode(), Chunk({EventBytes(2, 1, Event::OUTPUT)})),
       "event 99: beyond the last number handed out"},
      {"ChunkKeyShort", Put(ExecutionEventsKey::Prefix(1), Chunk({output_event})),
       "a key of execution_events does not decode"},
      {"EventByArtifactMissing", Delete(output),
       "event of artifact 1 and execution 1: not the same by artifact"},
      {"EventByArtifactChanged", Put(output, Numbered(1, input_event)),
       "event of artifact 1 and execution 1: not the same by artifact"},
      {"EventByArtifactTooMany",
       Put(ArtifactEventKey{1, 1, Event::INPUT}.Encode(),
           Numbered(1, EventBytes(1, 1, Event::INPUT))),
       "events: 2 by execution, 3 by artifact"},
      {"EventByArtifactDamaged", Put(output, ""), "an entry of artifact_event does not decode"},
      {"EventByArtifactBeyondTheLastNumber", Put(input, Numbered(99, input_event)),
       "event 99: beyond the last number handed out"},
      {"EventOfNoArtifact", Delete(NodeKey{NodeKind::kArtifact, 2}.Encode()),
       "event of artifact 2 and execution 1: missing"},
  };
}

// Numbers are insertion order: those of a chunk begin with its key's and ascend.
std::vector<Damage> DamagesOfEventNumbers() {
  const std::string chunk = ExecutionEventsKey{1, 1}.Encode();
  return {
      {"ChunkUnderAnotherNumber",
       [=](RawDatabase& database) {
         const std::string value = database.Get(chunk).value();
         database.Delete(chunk);
         database.Put(ExecutionEventsKey{1, 2}.Encode(), value);
       },
       "execution 1"},
      {"ChunkWithARepeatedEvent",
       Put(chunk, Chunk({EventBytes(1, 1, Event::OUTPUT), EventBytes(1, 1, Event::OUTPUT)})),
       "execution 1"},
      {"EventByArtifactUnderAnotherNumber",
       Put(ArtifactEventKey{1, 1, Event::OUTPUT}.Encode(),
           Numbered(2, EventBytes(1, 1, Event::OUTPUT))),
       "execution 1"},
      {"ChunkEmpty", Put(ExecutionEventsKey{2, 2}.Encode(), ""), "execution 2"},
      {"NumberOfTwoEvents",
       [](RawDatabase& database) {
         const std::string event = EventBytes(2, 2, Event::OUTPUT);
         database.Put(ExecutionEventsKey{2, 2}.Encode(), Chunk({event}));
         database.Put(ArtifactEventKey{2, 2, Event::OUTPUT}.Encode(), Numbered(2, event));
       },
       "event 2: the number of two events"},
      {"ChunkBeyondAllNumbers", Put(ExecutionEventsKey{2, INT64_MAX}.Encode(), Chunk({"", ""})),
       "a key of execution_events does not decode"},
      {"EventByArtifactOfNoChunk",
       Put(ArtifactEventKey{2, 2, Event::OUTPUT}.Encode(),
           Numbered(2, EventBytes(2, 2, Event::OUTPUT))),
       "event of artifact 2 and execution 2: not by execution, where number 2 should stand"},
  };
}

std::vector<Damage> DamagesOfLinks() {
  constexpr NodeKind kArtifact = NodeKind::kArtifact;
  const auto members = [](int64_t context, NodeKind kind) {
    return FirstBlock(ContextMembersPrefix(context, kind));
  };
  const auto far = [](NodeKind kind, int64_t id, int64_t context) {
    return FarLinkKey{kind, id, context}.Encode();
  };
  return {
      {"AttributionMissing", Delete(members(1, kArtifact)),
       "artifact 1: link to context 1: missing"},
      {"AssociationMissing", Delete(members(1, NodeKind::kExecution)),
       "execution 1: link to context 1: missing"},
      {"ChildMissing", Delete(members(1, NodeKind::kContext)),
       "context 2: link to context 1: missing"},
      {"AttributionStale", Put(members(1, kArtifact), SetOf({1, 2})),
       "artifact 2: a stale entry in posting list 65"},
      {"AssociationOfNobody", Put(members(1, NodeKind::kExecution), SetOf({1, 99})),
       "execution 99: a stale entry in posting list 65"},
      {"ChildStale", Put(members(2, NodeKind::kContext), SetOf({3})),
       "context 3: a stale entry in posting list 65"},
      {"AttributionDamaged", Put(members(1, kArtifact), ""), "a posting list does not decode"},
      {"MembersOfNoKind",
       [=](RawDatabase& database) {
         std::string key = members(1, kArtifact);
         key[kKeyHeadBytes + 8] = '\x09';
         database.Put(key, SetOf({1}));
       },
       "a posting list does not decode"},
      {"ContextMissing", Delete(NodeKey{NodeKind::kContext, 3}.Encode()),
       "artifact 1: link to context 3: missing"},
      {"FarLinkMissing", Delete(far(kArtifact, 1, 20)),
       "artifact 1: a stale entry in posting list 65"},
      {"FarLinksAllMissing",
       [=](RawDatabase& database) {
         for (int64_t context = 17; context <= kRuns; ++context) {
           database.Delete(far(kArtifact, 1, context));
         }
       },
       "artifact 1: far links do not match the record"},
      {"FarLinkToAContextOfTheRecord", Put(far(kArtifact, 1, 3), ""),
       "artifact 1: link to context 3: not ascending"},
      {"FarLinkToNoContext", Put(far(kArtifact, 1, 99), ""),
       "artifact 1: link to context 99: missing"},
      {"FarLinkOfARecordWithoutAny", Put(far(kArtifact, 2, 3), ""),
       "artifact 2: a far link that its record does not know"},
      {"FarLinkOfNobody", Put(far(NodeKind::kExecution, 99, 3), ""),
       "execution 99: a far link that its record does not know"},
      {"FarLinkKeyLong", Put(far(NodeKind::kExecution, 2, 3) + "x", ""),
       "a far link does not decode"},
      {"LinkMissingInTheRecord",
       [](RawDatabase& database) {
         const std::string key = NodeKey{NodeKind::kExecution, 1}.Encode();
         const std::string bytes = database.Get(key).value();
         database.Put(key, EncodeRecord({}, FarLinks::kNone, RecordView::Parse(bytes)->message()));
       },
       "execution 1: a stale entry in posting list 65"},
      {"UriMissing", Delete(UriKey{"", 1}.Encode()), "artifact 1: uri: missing"},
      {"UriStale", Put(UriKey{"s3://stale", 1}.Encode(), ""),
       "artifact 1: a stale entry in the index uri"},
      {"UriOfNobody", Put(UriKey{"", 99}.Encode(), ""),
       "artifact 99: a stale entry in the index uri"},
      {"UriWithAValue", Put(UriKey{"", 1}.Encode(), "x"), "artifact 1: uri: wrong value"},
      {"FarLinkWithAValue", Put(far(kArtifact, 1, 20), "x"), "a far link does not decode"},
      {"MembersOfABlockBeyondAllIds",
       Put(ContextMembersPrefix(1, kArtifact) + Id(INT64_MAX), SetOf({1})),
       "a posting list does not decode"},
      {"UriKeyShort", Put(UriKey::Prefix("x"), ""), "an entry of the index uri does not decode"},
  };
}

std::vector<Damage> DamagesOfPropertyIndexes() {
  const auto entry = [](uint32_t index, const char* value, int64_t id) {
    return PropertyKey{index, PropertyValue::String(value), id}.Encode();
  };
  const uint32_t index = kCacheFingerprintIndex;
  const std::string name = "the index of execution custom_properties.cache_fingerprint";
  return {
      {"EntryMissing", Delete(entry(index, "f", 1)),
       "execution 1: index of execution custom_properties.cache_fingerprint: missing"},
      {"EntryOfAnotherValue", Put(entry(index, "g", 1), ""),
       "execution 1: a stale entry in " + name},
      {"EntryOfNobody", Put(entry(index, "f", 99), ""), "execution 99: a stale entry in " + name},
      {"EntryOfNoIndex", Put(entry(77, "f", 1), ""), "property index 77: an entry of an index"},
      {"EntryWithAValue", Put(entry(index, "f", 1), "x"),
       "an entry of the index property does not decode"},
      {"EntryKeyShort", Put(PropertyKey::Prefix(index), ""),
       "an entry of the index property does not decode"},
      {"DefinitionMissing", Delete(PropertyIndexKey{index}.Encode()),
       "property index 1: an entry of an index"},
  };
}

std::vector<Damage> DamagesOfTasks() {
  const auto change = [](std::function<void(api::Task*)> edit) {
    return [=](RawDatabase& database) {
      api::Task task;
      ASSERT_TRUE(task.ParseFromString(database.Get(TaskKey{1}.Encode()).value()));
      edit(&task);
      database.Put(TaskKey{1}.Encode(), task.SerializeAsString());
    };
  };
  const auto entry = [](const char* fingerprint, int64_t second, int64_t number) {
    return TaskFingerprintKey{fingerprint, "p", "n", {second, number}}.Encode();
  };
  const std::string stale = ": a stale entry in the index task_fingerprint";
  return {
      {"TaskMissing", Delete(TaskKey{1}.Encode()), "task 1" + stale},
      {"TaskDamaged", Put(TaskKey{1}.Encode(), "\x08"), "task 1: it does not decode"},
      {"TaskOfAnotherId", change([](api::Task* task) { task->set_id(NewTaskId(2)); }),
       "task 1: it does not decode"},
      {"TaskWithoutATime", change([](api::Task* task) { task->clear_created_at(); }),
       "task 1: it does not decode"},
      {"TaskOfAnotherFingerprint", change([](api::Task* task) { task->set_fingerprint("g"); }),
       "task 1: task_fingerprint: missing"},
      {"TaskOfAnotherNamespace", change([](api::Task* task) { task->set_namespace_("x"); }),
       "task 1" + stale},
      {"TaskOfAnotherTime",
       change([](api::Task* task) { task->mutable_created_at()->set_seconds(6); }),
       "task 1" + stale},
      {"TaskBeyondTheLastNumber", Put(TaskKey{2}.Encode(), ""),
       "task 2: beyond the last number handed out"},
      {"TaskKeyShort", Put(KeyHead(Tag::kTask), ""), "a key of a task does not decode"},
      {"TaskZero", Put(TaskKey{0}.Encode(), ""), "a key of a task does not decode"},
      {"LastTaskMissing", Delete(LastTaskKey().Encode()),
       "task 1: beyond the last number handed out"},
      {"LastTaskShort", Put(LastTaskKey().Encode(), "x"), "last_task does not decode"},
      {"LastTaskZero", Put(LastTaskKey().Encode(), Id(0)), "last_task does not decode"},
      {"LastTaskKeyLong", Put(LastTaskKey().Encode() + "x", Id(1)), "no key of the format"},
      {"EntryMissing", Delete(entry("f", 5, 1)), "task 1: task_fingerprint: missing"},
      {"EntryOfAnotherText", Put(entry("g", 5, 1), ""), "task 1" + stale},
      {"EntryOfAnotherTime", Put(entry("f", 6, 1), ""), "task 1" + stale},
      {"EntryOfNoTask", Put(entry("f", 5, 99), ""), "task 99" + stale},
      {"EntryWithAValue", Put(entry("f", 5, 1), "x"),
       "an entry of the index task_fingerprint does not decode"},
      {"EntryKeyShort", Put(TaskFingerprintKey::Prefix("f"), ""),
       "an entry of the index task_fingerprint does not decode"},
  };
}

// Executions 1 and 2 have fingerprint "f", and are not complete.
std::vector<Damage> DamagesOfTheCache() {
  CacheEntry entry;
  entry.fingerprint_text = FingerprintText("f");
  const std::string key = CacheEntryKey{1}.Encode();
  // Replaces the entry of execution 1 and what belongs to it.
  const auto replace = [=](const std::function<void(CacheEntry*)>& change) {
    return [=](RawDatabase& database) {
      CacheEntry changed = entry;
      change(&changed);
      database.Delete(entry.LookupKey(1));
      database.Put(key, changed.Encode());
      database.Put(changed.LookupKey(1), changed.LookupValue());
    };
  };
  const std::string f = entry.fingerprint_text;
  const std::string lease_key = CacheLeaseKey{f, CacheScope::kAny, "", ""}.Encode();
  CacheLease lease;
  lease.token = 1;
  return {
      {"CacheEntryMissing", Delete(key), "execution 1: cache_entry: missing"},
      {"CacheEntryMissingOfALookup", Delete(key),
       "execution 1: an entry in cache_lookup without its cache_entry"},
      {"CacheEntryOfNobody", Put(CacheEntryKey{99}.Encode(), entry.Encode()),
       "execution 99: a stale cache_entry"},
      {"CacheEntryShort", Put(key, "\x01"), "execution 1: its cache_entry does not decode"},
      {"CacheEntryKeyLong", Put(key + "x", entry.Encode()), "no key of the format"},
      {"CacheLookupMissing", Delete(entry.LookupKey(1)), "execution 1: cache_lookup: missing"},
      {"CacheLookupOfAnotherRun", Put(entry.LookupKey(1), "\x07"),
       "execution 1: cache_lookup: wrong value"},
      {"CacheLookupStale", Put(CacheLookupKey{f, "n", "", 2, 0, 1}.Encode(), entry.LookupValue()),
       "execution 1: a stale entry in the index cache_lookup"},
      {"CacheLookupShort", Put(CacheLookupKey::Prefix(f), entry.LookupValue()),
       "an entry of the index cache_lookup does not decode"},
      {"CacheEntryOfAnotherFingerprint",
       replace([](CacheEntry* other) { other->fingerprint_text = FingerprintText("g"); }),
       "execution 1: its cache_entry has another fingerprint"},
      {"CacheEntryOfAnotherClass",
       replace([](CacheEntry* other) { other->cache_class = CacheClass::kLive; }),
       "execution 1: its cache_entry does not fit its state"},
      {"CacheEntryCompleteTooSoon", replace([](CacheEntry* other) { other->completed_ms = 5; }),
       "execution 1: its cache_entry does not fit its state"},
      {"CacheEntryOfTheFuture",
       replace([](CacheEntry* other) { other->completed_ms = kTime * 1000; }),
       "execution 1: its cache_entry is of after the newest time"},
      {"CacheLeaseOfNoToken", Put(lease_key, lease.Encode()),
       "a lease of the cache has token 1, beyond the last one handed out"},
      {"CacheLeaseShort", Put(lease_key, ""), "a lease of the cache does not decode"},
      {"CacheLeaseOfNoScope",
       Put(KeyHead(Tag::kCacheLease) + f + std::string("\x04\0\x01\0\x01", 5), lease.Encode()),
       "a lease of the cache does not decode"},
      {"CacheTokenShort", Put(CacheTokenKey().Encode(), "x"),
       "the last fencing token does not decode"},
  };
}

// The bytes of a type of another name under `id`.
std::string TypeBytes(int64_t id) {
  ml_metadata::ArtifactType type;
  type.set_id(id);
  type.set_name("Other");
  return type.SerializeAsString();
}

std::vector<Damage> DamagesOfTypes() {
  const auto type = [](NodeKind kind, int64_t id) { return TypeKey{kind, id}.Encode(); };
  return {
      {"TypeMissing", Delete(type(NodeKind::kArtifact, kArtifactType)),
       "artifact 1: does not fit its type"},
      {"TypeUnderAnotherId", Put(type(NodeKind::kArtifact, 5), TypeBytes(6)),
       "artifact type 5: not in the catalog"},
      {"TypeBeyondTheLastId", Put(type(NodeKind::kArtifact, 99), TypeBytes(99)),
       "artifact type 99: beyond the last id handed out"},
  };
}

std::vector<Damage> DamagesByForeignKeys() {
  std::string of_no_tag = KeyHead(Tag::kNode) + Id(1);
  of_no_tag[kKeyHeadBytes - 1] = '\x7f';
  std::string of_no_kind = NodeKey{NodeKind::kContext, 1}.Encode();
  of_no_kind[kKeyHeadBytes] = '\x04';
  std::string of_another_space = NodeKey{NodeKind::kContext, 1}.Encode();
  of_another_space[3] = '\x01';
  const std::string record = EncodeRecord({}, FarLinks::kNone, "");
  return {
      {"OfNoTag", Put(of_no_tag, "x"), "key"},
      {"TooShort", Put("x", "x"), "key"},
      {"OfNoKind", Put(of_no_kind, record), "key"},
      {"OfAnotherSpace", Put(of_another_space, record), "key"},
      {"OfNodeZero", Put(NodeKey{NodeKind::kContext, 0}.Encode(), record), "context 0"},
  };
}

// Filled once per process; each case damages a copy.
const TestStore& FilledStore() {
  static const std::unique_ptr<TestStore> store = [] {
    auto filled = std::make_unique<TestStore>();
    FillForVerify(*filled);
    EXPECT_EQ(Problems(*filled), "");
    filled->Close();
    return filled;
  }();
  return *store;
}

absl::StatusOr<VerifyReport> VerifyDamaged(const Damage& damage) {
  const ScratchDirectory scratch;
  StoreOptions options = FilledStore().options();
  CopyDirectory(options.data_dir, scratch.path() + "/store");
  options.data_dir = scratch.path() + "/store";
  {
    RawDatabase database(options.data_dir + "/db");
    damage.apply(database);
  }
  auto store = Store::Open(options);
  if (!store.ok()) return store.status();
  return (*store)->Verify();
}

void ExpectFound(const std::vector<Damage>& damages) {
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.name);
    auto report = VerifyDamaged(damage);
    EXPECT_TRUE(IsOk(report)) << "what Verify finds wrong is in its report";
    if (!report.ok()) continue;
    bool found = false;
    for (const std::string& problem : report->problems) {
      found = found || absl::StrContains(problem, damage.problem);
    }
    EXPECT_TRUE(found) << "expected '" << damage.problem << "' among " << report->problem_count
                       << ": " << (report->ok() ? "(none)" : report->problems[0]);
  }
}

TEST(Verify, FindsDamageToRecordsAndIndexesOfArtifacts) {
  ExpectFound(DamagesOf(NodeKind::kArtifact));
}
TEST(Verify, FindsDamageToRecordsAndIndexesOfExecutions) {
  ExpectFound(DamagesOf(NodeKind::kExecution));
}
TEST(Verify, FindsDamageToRecordsAndIndexesOfContexts) {
  ExpectFound(DamagesOf(NodeKind::kContext));
}
TEST(Verify, FindsDamageToMessagesOfArtifacts) { ExpectFound(DamagesOfMessages<Artifact>()); }
TEST(Verify, FindsDamageToMessagesOfExecutions) { ExpectFound(DamagesOfMessages<Execution>()); }
TEST(Verify, FindsDamageToMessagesOfContexts) { ExpectFound(DamagesOfMessages<Context>()); }
TEST(Verify, FindsDamageToEvents) { ExpectFound(DamagesOfEvents()); }
TEST(Verify, FindsDamageToNumbersOfEvents) { ExpectFound(DamagesOfEventNumbers()); }
TEST(Verify, FindsDamageToLinksAndUris) { ExpectFound(DamagesOfLinks()); }
TEST(Verify, FindsDamageToPropertyIndexes) { ExpectFound(DamagesOfPropertyIndexes()); }
TEST(Verify, FindsDamageToTasks) { ExpectFound(DamagesOfTasks()); }
TEST(Verify, FindsDamageToTheCache) { ExpectFound(DamagesOfTheCache()); }
TEST(Verify, FindsDamageToTypes) { ExpectFound(DamagesOfTypes()); }
TEST(Verify, FindsRecordsThatDoNotDecode) { ExpectFound(DamagesOfUndecodableRecords()); }
TEST(Verify, FindsPropertiesOfAnotherKindThanDeclared) { ExpectFound(DamagesOfPropertyKinds()); }
TEST(Verify, FindsKeysThatTheFormatDoesNotHave) { ExpectFound(DamagesByForeignKeys()); }

TEST(Verify, CountsWhatIsThere) {
  TestStore store;
  FillForVerify(store);
  auto report = store->Verify();
  ASSERT_TRUE(IsOk(report));
  EXPECT_TRUE(report->ok());
  EXPECT_EQ(report->nodes[IndexOf(NodeKind::kArtifact)], 2);
  EXPECT_EQ(report->nodes[IndexOf(NodeKind::kExecution)], 2);
  EXPECT_EQ(report->nodes[IndexOf(NodeKind::kContext)], kRuns);
  EXPECT_EQ(report->types, kLastPredefinedTypeId + 3);
  EXPECT_EQ(report->events, 2);
  EXPECT_EQ(report->links, kRuns + 1 + 1);
  EXPECT_EQ(report->tasks, 1);
  // Names, external ids, uris, far links, indexed properties, the cache; members of types, of
  // contexts, and by update time; the task.
  EXPECT_EQ(report->index_entries, 24 + 6 + 2 + 4 + 2 + 2 + 24 + 22 + 24 + 1);
}

// A request that goes back and forth between executions numbers the events as they come.
TEST(Verify, TakesNumbersWithGapsForWhole) {
  TestStore store;
  FillForVerify(store);
  ASSERT_TRUE(IsOk(store->Write([](Transaction& transaction) {
    std::vector<Event> events;
    std::vector<Event*> pointers;
    for (int64_t i = 0; i < 4; ++i) {
      events.emplace_back();
      events.back().set_execution_id(1 + i % 2);
      events.back().set_artifact_id(1 + i / 2);
      events.back().set_type(Event::DECLARED_INPUT);
    }
    for (Event& event : events) pointers.push_back(&event);
    return AddEvents(transaction, pointers);
  })));
  EXPECT_EQ(Problems(store), "");
}

TEST(Verify, KeepsTheFirstProblemsAndCountsThemAll) {
  Damage damage;
  damage.apply = [](RawDatabase& database) {
    for (int64_t i = 0; i < 300; ++i) {
      database.Put(UriKey{"stale", 1000 + i}.Encode(), "");
    }
  };
  auto report = VerifyDamaged(damage);
  ASSERT_TRUE(IsOk(report));
  EXPECT_EQ(report->problem_count, 300);
  EXPECT_EQ(report->problems.size(), VerifyReport::kMaxProblems);
  EXPECT_FALSE(report->ok());
}

TEST(Verify, DamageThatOpenNeedsStopsTheStart) {
  const std::vector<Damage> damages = {
      {"FormatMissing", Delete(FormatKey().Encode()), "format"},
      {"FormatShort", Put(FormatKey().Encode(), "x"), "format"},
      {"CountersMissing", Delete(CountersKey().Encode()), "counters"},
      {"CountersShort", Put(CountersKey().Encode(), "x"), "counters"},
      {"TypeUndecodable", Put(TypeKey{NodeKind::kArtifact, kArtifactType}.Encode(), "\x08"),
       "a type"},
      {"TypeKeyShort", Put(KeyHead(Tag::kType) + "\x01", ""), "a type"},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.name);
    EXPECT_TRUE(Fails(VerifyDamaged(damage), absl::StatusCode::kDataLoss, damage.problem));
  }
}

}  // namespace
}  // namespace pedigree
