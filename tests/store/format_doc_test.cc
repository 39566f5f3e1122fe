// FORMAT.md says what the code does: every vector in it is compared with a store that is built as
// the page says, its tables with the tags and families of the code, its rules with keys.h.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <ostream>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "api/task.pb.h"
#include "store/backup_directory.h"
#include "store/bulk_loader.h"
#include "store/codec.h"
#include "store/keys.h"
#include "tests/store/hex.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

std::string Page() { return ReadFile(PEDIGREE_STORE_DIR "/FORMAT.md"); }

std::vector<std::string> Lines(const std::string& text) { return absl::StrSplit(text, '\n'); }

// A key and what stands under it, both as plain hexadecimal digits.
struct Vector {
  std::string key;
  std::string value;

  bool operator==(const Vector&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Vector& vector) {
    return out << "key " << vector.key << ", value " << vector.value;
  }
};
using Vectors = std::map<std::string, Vector>;  // By what the page calls them.

// Takes out blanks and bars, and writes "61*3" out as "616161".
std::string Digits(absl::string_view text) {
  if (absl::StripAsciiWhitespace(text) == "(empty)") return "";
  std::string digits;
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" |"), absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(word, '*');
    size_t times = 1;
    if (!parts.second.empty() && !absl::SimpleAtoi(parts.second, &times)) {
      ADD_FAILURE() << "no number of times: " << word;
    }
    for (size_t i = 0; i < times; ++i) digits.append(parts.first.data(), parts.first.size());
  }
  return digits;
}

Vectors VectorsOfThePage() {
  Vectors vectors;
  const std::vector<std::string> lines = Lines(Page());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i] != "```vector") continue;
    const std::string& name = lines[++i];
    EXPECT_EQ(vectors.count(name), 0u) << "twice: " << name;
    Vector& vector = vectors[name];
    for (++i; i < lines.size() && lines[i] != "```"; ++i) {
      absl::string_view rest = lines[i];
      if (absl::ConsumePrefix(&rest, "key ")) {
        vector.key = Digits(rest);
      } else if (absl::ConsumePrefix(&rest, "value ")) {
        vector.value = Digits(rest);
      } else {
        ADD_FAILURE() << "neither key nor value: " << lines[i];
      }
    }
  }
  return vectors;
}

// The store that the page describes, all written at 5 ms.
class PageStore {
 public:
  PageStore() {
    store_.SetClock(5);
    ml_metadata::ArtifactType type;
    type.set_name("m");
    (*type.mutable_properties())["p"] = ml_metadata::INT;
    EXPECT_TRUE(IsOk(store_->Write(
        [&](Transaction& transaction) { return transaction.PutType<Artifact>(&type).status(); })));
    EXPECT_EQ(type.id(), 10);
    EXPECT_EQ(PutType<Execution>(store_, "e"), 11);
    EXPECT_EQ(PutType<Context>(store_, "c"), 12);
    InsertContexts();
    InsertArtifacts();
    InsertExecutions();
    AddEventsOfThePage();
    EXPECT_TRUE(IsOk(store_->Write([](Transaction& transaction) {
      transaction.SetLineageSnapshot({.last_event = 8, .id = "0123456789abcdef"});
      return absl::OkStatus();
    })));
    InsertTaskOfThePage();
    PutLeaseOfThePage();
    EXPECT_EQ(Problems(store_), "");
    store_.Close();
    database_.emplace(store_.database());
    TakeTheRandomOutOfTheTask();
  }

  Vector At(const std::string& key) {
    const std::optional<std::string> value = database_->Get(key);
    EXPECT_TRUE(value.has_value()) << "no key " << Hex(key);
    return {Hex(key), Hex(value.value_or(""))};
  }
  // Tags, and how many keys each has.
  std::map<int, int> Tags() {
    std::map<int, int> tags;
    for (const auto& [key, value] : database_->All()) {
      ++tags[static_cast<uint8_t>(key.at(kKeyHeadBytes - 1))];
    }
    return tags;
  }
  std::string Marker() const { return ReadFile(store_.data_dir() + "/PEDIGREE"); }

 private:
  void InsertContexts() {
    for (int64_t id = 1; id <= 18; ++id) {
      const std::string name = id == 2 ? "r" : std::to_string(id);
      const std::vector<int64_t> parents =
          id == 18 ? std::vector<int64_t>{2} : std::vector<int64_t>();
      EXPECT_EQ(*Insert(store_, NewNode<Context>(12, name), parents), id);
    }
  }

  void InsertArtifacts() {
    std::vector<int64_t> contexts;
    for (int64_t id = 3; id <= 18; ++id) contexts.push_back(id);
    for (int64_t id = 1; id <= 7; ++id) {
      Artifact artifact = NewNode<Artifact>(10);
      if (id == 6) artifact.set_uri(std::string(129, 'a'));
      if (id == 7) artifact.set_uri("s3");
      EXPECT_EQ(*Insert(store_, artifact, id == 7 ? contexts : std::vector<int64_t>()), id);
    }
    EXPECT_TRUE(IsOk(Link(store_, NodeKind::kArtifact, 7, {2})));
  }

  void InsertExecutions() {
    EXPECT_TRUE(IsOk(store_->Write([&](Transaction& transaction) -> absl::Status {
      for (int64_t id = 1; id <= 260; ++id) {
        Execution execution = NewNode<Execution>(11);
        if (id == 3) execution.set_external_id("x");
        if (id == 4) {
          (*execution.mutable_custom_properties())["cache_fingerprint"].set_string_value("f");
          (*execution.mutable_custom_properties())["parent_dag_id"].set_int_value(5);
          (*execution.mutable_custom_properties())["namespace"].set_string_value("n");
          execution.set_last_known_state(Execution::COMPLETE);
        }
        auto inserted = transaction.Insert(
            &execution, id == 3 ? std::vector<int64_t>{2, 5} : std::vector<int64_t>());
        if (!inserted.ok()) return inserted.status();
      }
      return absl::OkStatus();
    })));
  }

  // Eight that are not on the page, so that the next has number 9.
  void AddEventsOfThePage() {
    for (int64_t execution : {1, 2}) {
      for (int64_t artifact : {1, 2, 3, 4}) {
        AddOneRequest({NewEvent(artifact, execution, Event::INPUT)});
      }
    }
    AddOneRequest({NewEvent(7, 3, Event::OUTPUT), NewEvent(1, 3, Event::INPUT)});
  }

  void InsertTaskOfThePage() {
    EXPECT_TRUE(IsOk(store_->Write([](Transaction& transaction) {
      api::Task task;
      task.set_fingerprint("f");
      task.set_pipelinename("p");
      task.set_namespace_("n");
      task.set_runid("r");
      task.set_mlmdexecutionid("3");
      task.mutable_created_at()->set_seconds(5);
      return transaction.InsertTask(&task).status();
    })));
  }

  // The page has zeros for the random bytes of the id.
  void TakeTheRandomOutOfTheTask() {
    const std::string key = TaskKey{1}.Encode();
    api::Task task;
    EXPECT_TRUE(task.ParseFromString(database_->Get(key).value_or("")));
    std::string id = task.id();
    for (size_t i = 0; i < 18; ++i) {
      if (i != 14 && id.at(i) != '-') id[i] = '0';
    }
    task.set_id(id);
    database_->Put(key, task.SerializeAsString());
  }

  void PutLeaseOfThePage() {
    EXPECT_TRUE(IsOk(store_->Write([](Transaction& transaction) {
      const std::string text = FingerprintText("f");
      const CacheLeaseKey key = {text, CacheScope::kNamespace, "n", ""};
      auto lease = transaction.GrantCacheLease(key, "o", 30'000);
      if (!lease.ok()) return lease.status();
      lease->boot_id = 7;
      lease->end_ms = 30'001;
      transaction.PutCacheLease(key, *lease);
      return absl::OkStatus();
    })));
  }

  static Event NewEvent(int64_t artifact, int64_t execution, Event::Type type) {
    Event event;
    event.set_artifact_id(artifact);
    event.set_execution_id(execution);
    event.set_type(type);
    return event;
  }

  void AddOneRequest(std::vector<Event> events) {
    EXPECT_TRUE(IsOk(store_->Write([&](Transaction& transaction) {
      std::vector<Event*> pointers;
      for (Event& event : events) pointers.push_back(&event);
      return AddEvents(transaction, pointers);
    })));
  }

  TestStore store_;
  std::optional<RawDatabase> database_;
};

// The page's other store: artifacts 1 and 2, not created in id order, in an import that is not
// done.
class ImportedPageStore {
 public:
  ImportedPageStore() {
    const std::string data_dir = scratch_.path() + "/store";
    {
      BulkLoaderOptions options;
      options.data_dir = data_dir;
      options.source = "s";
      options.created_out_of_order = {NodeKind::kArtifact};
      options.batch_bytes = 1;  // Each node in a batch of its own.
      auto loader = BulkLoader::Open(std::move(options));
      EXPECT_TRUE(IsOk(loader));
      int64_t created_ms = 6;
      for (int64_t id : {1, 2, 256}) {
        Artifact artifact = NewNode<Artifact>(1);
        artifact.set_id(id);
        artifact.set_create_time_since_epoch(created_ms--);
        EXPECT_TRUE(IsOk((*loader)->PutNode(artifact, {})));
      }
    }
    database_.emplace(data_dir + "/db");
  }

  Vector At(const std::string& key) {
    return {Hex(key), Hex(database_->Get(key).value_or("nothing"))};
  }

 private:
  ScratchDirectory scratch_;
  std::optional<RawDatabase> database_;
};

// The page's third store: type 10 at 5 ms, put by a client, and with one more property by its next
// request.
class JournalPageStore {
 public:
  JournalPageStore() {
    store_.SetClock(5);
    const CallOrigin origin = {
        .tls_identity = "t", .declared_principal = "d", .peer = "p", .method = "/s/M"};
    for (const bool has_more : {false, true}) {
      EXPECT_TRUE(IsOk(store_->Write([&](Transaction& transaction) {
        transaction.SetOrigin(&origin);
        ml_metadata::ArtifactType type;
        type.set_name("m");
        (*type.mutable_properties())["p"] = ml_metadata::INT;
        if (has_more) {
          type.set_id(10);
          (*type.mutable_properties())["q"] = ml_metadata::INT;
        }
        return transaction.PutType<Artifact>(&type).status();
      })));
    }
    store_.Close();
    database_.emplace(store_.database());
  }

  Vector At(const std::string& key) {
    return {Hex(key), Hex(database_->Get(key).value_or("nothing"))};
  }

 private:
  TestStore store_;
  std::optional<RawDatabase> database_;
};

std::string Block(std::string prefix, int64_t block) {
  AppendId(&prefix, block);
  return prefix;
}

Vector Text(absl::string_view text) {
  std::string bytes;
  AppendText(&bytes, text);
  return {Hex(bytes), ""};
}

Vectors VectorsOfTheCode(PageStore& store) {
  ImportedPageStore imported;
  JournalPageStore journal;
  constexpr NodeKind kArtifact = NodeKind::kArtifact;
  constexpr NodeKind kExecution = NodeKind::kExecution;
  constexpr NodeKind kContext = NodeKind::kContext;
  const std::string f = FingerprintText("f");
  const auto meta = [&](const std::string& key) { return store.At(key); };
  const auto node = [&](NodeKind kind, int64_t id) { return store.At(NodeKey{kind, id}.Encode()); };
  const auto event = [&](const std::string& key) { return store.At(key); };
  const auto index = [&](const std::string& key) { return store.At(key); };
  return {
      {"text \"\"", Text("")},
      {"text \"run-1\"", Text("run-1")},
      {"text \"a\", a zero byte, \"b\"", Text(absl::string_view("a\0b", 3))},
      {"text of 128 times \"a\"", Text(std::string(128, 'a'))},
      {"text of 129 times \"a\"", Text(std::string(129, 'a'))},
      {"format", meta(FormatKey().Encode())},
      {"counters", meta(CountersKey().Encode())},
      {"artifact type 1, predefined", meta(TypeKey{kArtifact, 1}.Encode())},
      {"artifact type 10 \"m\", which declares \"p\" as INT",
       meta(TypeKey{kArtifact, 10}.Encode())},
      {"property index 2: of executions' custom_properties.parent_dag_id, ready",
       meta(PropertyIndexKey{2}.Encode())},
      {"the snapshot that ends with event 8", meta(LineageSnapshotKey().Encode())},
      {"the last fencing token is 1", meta(CacheTokenKey().Encode())},
      {"entry of execution 4: \"f\", live, complete at 5 ms, ran 0 ms, namespace \"n\", no "
       "pipeline",
       meta(CacheEntryKey{4}.Encode())},
      {"lease of \"f\" in namespace \"n\" to \"o\": token 1, 30 s, by opening 7, until 30,001 ms, "
       "granted at 5 ms",
       meta(CacheLeaseKey{f, CacheScope::kNamespace, "n", ""}.Encode())},
      {"\"f\" in namespace \"n\", no pipeline, live, complete at 5 ms, is execution 4",
       index(CacheLookupKey{f, "n", "", 1, 5, 4}.Encode())},
      {"artifact 1: type 10, no contexts", node(kArtifact, 1)},
      {"execution 3: type 11, external id \"x\", in contexts 2 and 5", node(kExecution, 3)},
      {"artifact 7: uri \"s3\", in contexts 3 to 18, and in context 2 by a far link",
       node(kArtifact, 7)},
      {"context 18: type 12, name \"18\", child of context 2", node(kContext, 18)},
      {"events of execution 3: 9, OUTPUT of artifact 7, and 10, INPUT of artifact 1",
       event(ExecutionEventsKey{3, 9}.Encode())},
      {"artifact 7, execution 3, OUTPUT", event(ArtifactEventKey{7, 3, Event::OUTPUT}.Encode())},
      {"events 9, OUTPUT of artifact 7 by execution 3, and 10, its INPUT of artifact 1, at 5 ms",
       event(EventLogKey{9}.Encode())},
      {"task 1: fingerprint \"f\", pipelineName \"p\", namespace \"n\", runId \"r\", execution 3, "
       "created in second 5",
       event(TaskKey{1}.Encode())},
      {"last_task", event(LastTaskKey().Encode())},
      {"task 1 under its fingerprint", index(TaskFingerprintKey{"f", "p", "n", {5, 1}}.Encode())},
      {"context \"r\" of type 12 is context 2", index(NameKey{kContext, 12, "r"}.Encode())},
      {"execution with external id \"x\" is execution 3",
       index(ExternalIdKey{kExecution, "x"}.Encode())},
      {"uri \"s3\" of artifact 7", index(UriKey{"s3", 7}.Encode())},
      {"uri of 129 times \"a\" of artifact 6", index(UriKey{std::string(129, 'a'), 6}.Encode())},
      {"artifact 7 in context 2", index(FarLinkKey{kArtifact, 7, 2}.Encode())},
      {"cache_fingerprint \"f\" of execution 4, in index 1",
       index(PropertyKey{1, PropertyValue::String("f"), 4}.Encode())},
      {"parent_dag_id 5 of execution 4, in index 2",
       index(PropertyKey{2, PropertyValue::Int(5), 4}.Encode())},
      {"executions of type 11, ids 256 to 511", index(Block(TypeMembersPrefix(kExecution, 11), 1))},
      {"executions of type 11, ids 0 to 255", index(Block(TypeMembersPrefix(kExecution, 11), 0))},
      {"artifacts of context 2, ids 0 to 255", index(Block(ContextMembersPrefix(2, kArtifact), 0))},
      {"child contexts of context 2, ids 0 to 255",
       index(Block(ContextMembersPrefix(2, kContext), 0))},
      {"artifacts last updated at 5 ms, ids 0 to 255",
       index(Block(UpdateTimePrefix(kArtifact, 5), 0))},
      {"the journal's last entry is 2, of 5 ms", journal.At(JournalHeadKey().Encode())},
      {"entry 1, by \"t\", \"d\", \"p\" and \"/s/M\" at 5 ms: artifact type 10 is created",
       journal.At(JournalKey{1}.Encode())},
      {"entry 2, by the same: artifact type 10 is updated", journal.At(JournalKey{2}.Encode())},
      {"artifacts were not created in id order", imported.At(CreateOrderKey().Encode())},
      {"an import from \"s\" that has brought no event yet", imported.At(ImportKey().Encode())},
      {"artifacts created at 5 ms, ids 0 to 255",
       imported.At(Block(CreateTimePrefix(kArtifact, 5), 0))},
  };
}

TEST(FormatDoc, EveryVectorIsWhatTheCodeWrites) {
  PageStore store;
  const Vectors code = VectorsOfTheCode(store);
  const Vectors page = VectorsOfThePage();
  for (const auto& [name, vector] : code) {
    if (page.count(name) == 0) {
      ADD_FAILURE() << "not on the page: " << name << ": " << vector;
    } else {
      EXPECT_EQ(page.at(name), vector) << name;
    }
  }
  for (const auto& [name, vector] : page) {
    EXPECT_EQ(code.count(name), 1u) << "on the page alone: " << name;
  }
}

// Has no default: a new tag does not compile until it is here, and then must be on the page.
const char* NameOf(Tag tag) {
  switch (tag) {
    case Tag::kFormat:
      return "format";
    case Tag::kCounters:
      return "counters";
    case Tag::kType:
      return "type";
    case Tag::kPropertyIndex:
      return "property_index";
    case Tag::kLineageSnapshot:
      return "lineage_snapshot";
    case Tag::kCacheToken:
      return "cache_token";
    case Tag::kCreateOrder:
      return "create_order";
    case Tag::kImport:
      return "import";
    case Tag::kJournalHead:
      return "journal_head";
    case Tag::kJournal:
      return "journal";
    case Tag::kNode:
      return "node";
    case Tag::kExecutionEvents:
      return "execution_events";
    case Tag::kArtifactEvent:
      return "artifact_event";
    case Tag::kEventLog:
      return "event_log";
    case Tag::kTask:
      return "task";
    case Tag::kLastTask:
      return "last_task";
    case Tag::kTaskFingerprint:
      return "task_fingerprint";
    case Tag::kCacheEntry:
      return "cache_entry";
    case Tag::kCacheLease:
      return "cache_lease";
    case Tag::kName:
      return "name";
    case Tag::kExternalId:
      return "external_id";
    case Tag::kUri:
      return "uri";
    case Tag::kFarLink:
      return "far_link";
    case Tag::kProperty:
      return "property";
    case Tag::kCacheLookup:
      return "cache_lookup";
    case Tag::kTypeMembers:
      return "type_members";
    case Tag::kContextMembers:
      return "context_members";
    case Tag::kUpdateTimes:
      return "update_times";
    case Tag::kCreateTimes:
      return "create_times";
  }
  return nullptr;
}

// The cells of the rows of the table whose first column has this title.
std::vector<std::vector<std::string>> TableOfThePage(const std::string& title) {
  std::vector<std::vector<std::string>> rows;
  bool inside = false;
  for (const std::string& line : Lines(Page())) {
    if (line.rfind("|", 0) != 0) {
      inside = false;
      continue;
    }
    std::vector<std::string> cells;
    for (absl::string_view cell : absl::StrSplit(line, '|')) {
      cells.emplace_back(absl::StripAsciiWhitespace(cell));
    }
    cells.erase(cells.begin());
    if (inside && cells[0].rfind("--", 0) != 0) rows.push_back(cells);
    inside = inside || cells[0] == title;
  }
  return rows;
}

TEST(FormatDoc, TagsAreThoseOfTheCodeAndNoOthers) {
  std::set<std::string> page;
  for (const auto& row : TableOfThePage("tag")) {
    EXPECT_TRUE(page.insert(absl::StrCat(row[0], " ", row[1])).second) << row[0];
  }
  std::set<std::string> code;
  for (int value = 0; value < 256; ++value) {
    const char* name = NameOf(static_cast<Tag>(value));
    if (name == nullptr) continue;
    code.insert(absl::StrCat("0x", absl::Hex(value, absl::kZeroPad2), " ", name));
  }
  EXPECT_EQ(absl::StrJoin(page, "\n"), absl::StrJoin(code, "\n"));
}

bool IsOfImportedStores(int tag) {
  return tag == static_cast<int>(Tag::kCreateOrder) || tag == static_cast<int>(Tag::kImport) ||
         tag == static_cast<int>(Tag::kCreateTimes);
}

// A store that has everything has keys of every tag but those that only an import makes.
TEST(FormatDoc, EveryTagIsInUseAndHasAVector) {
  PageStore store;
  std::set<std::string> heads_of_vectors;
  for (const auto& [name, vector] : VectorsOfThePage()) {
    heads_of_vectors.insert(vector.key.substr(0, 2 * kKeyHeadBytes));
  }
  std::set<int> expected;
  for (int value = 0; value < 256; ++value) {
    const char* name = NameOf(static_cast<Tag>(value));
    if (name == nullptr) continue;
    if (!IsOfImportedStores(value)) expected.insert(value);
    EXPECT_EQ(heads_of_vectors.count(Hex(KeyHead(static_cast<Tag>(value)))), 1u) << name;
  }
  std::set<int> actual;
  for (const auto& [tag, count] : store.Tags()) actual.insert(tag);
  EXPECT_EQ(actual, expected);
}

// "name := what the key consists of", by name, from lines that begin with `head`. Remarks and what
// the value is stand in more words on one side than on the other.
std::map<std::string, std::string> RulesIn(const std::string& text, const std::string& head) {
  std::map<std::string, std::string> rules;
  for (const std::string& line : Lines(text)) {
    absl::string_view rest = line;
    if (!absl::ConsumePrefix(&rest, head)) continue;
    const std::pair<std::string, std::string> sides =
        absl::StrSplit(rest, absl::MaxSplits(" := ", 1));
    if (sides.second.rfind("space tag", 0) != 0) continue;
    EXPECT_EQ(rules.count(sides.first), 0u) << "twice: " << sides.first;
    const size_t end = std::min(sides.second.find(" ->"), sides.second.find(','));
    rules[sides.first] = sides.second.substr(0, end);
  }
  return rules;
}

TEST(FormatDoc, RulesAreThoseInTheHeader) {
  auto in_header = RulesIn(ReadFile(PEDIGREE_STORE_DIR "/keys.h"), "// ");
  EXPECT_EQ(in_header.size(), TableOfThePage("tag").size());
  EXPECT_EQ(RulesIn(Page(), "    "), in_header);
}

// What stands on the page as a block of this kind.
std::string BlockOfThePage(const std::string& kind) {
  const std::vector<std::string> lines = Lines(Page());
  std::string block;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i] != "```" + kind) continue;
    for (++i; lines[i] != "```"; ++i) block += lines[i] + "\n";
  }
  return block;
}

TEST(FormatDoc, TheMarkerIsTheOneThatIsWritten) {
  PageStore store;
  EXPECT_EQ(BlockOfThePage("marker"), store.Marker());
}

TEST(FormatDoc, TheDescriptionOfABackupIsTheOneThatIsWritten) {
  const BackupDescription description = {1, 184, "0fdb2c1a-8f4e-4a02-9a0d-6b1f5f3f2c77"};
  EXPECT_EQ(BlockOfThePage("backup_description"), description.Encode());
}

}  // namespace
}  // namespace pedigree
