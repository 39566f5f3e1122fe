// AuditService.Export: what is in an export, by the definition, and how it goes on after a break.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/pinned_versions.h"
#include "store/record.h"
#include "tests/cli/export_support.h"
#include "tests/query/filter_oracle.h"
#include "tests/query/random_filter.h"
#include "tests/query/random_store.h"

namespace pedigree {
namespace {

using cli::ExportAll;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

std::vector<v1::ExportRecord> RecordsOf(const Store& store, const v1::ExportRequest& request) {
  const v1::ExportResponse all = ExportAll(store, request);
  return {all.records().begin(), all.records().end()};
}

// An export by kind and id: the records' bytes.
struct Exported {
  std::map<std::pair<int, int64_t>, std::string> nodes;  // By the field of the record.
  std::map<int64_t, std::string> events;
  std::vector<std::string> order;  // All records.

  explicit Exported(const v1::ExportResponse& response) {
    for (const v1::ExportRecord& record : response.records()) {
      order.push_back(SerializeSame(record));
      const int kind = static_cast<int>(record.record_case());
      if (record.has_context()) nodes[{kind, record.context().context().id()}] = order.back();
      if (record.has_artifact()) nodes[{kind, record.artifact().artifact().id()}] = order.back();
      if (record.has_execution()) nodes[{kind, record.execution().execution().id()}] = order.back();
      if (record.has_event()) events[record.event().number()] = order.back();
    }
  }

  std::set<int64_t> Ids(v1::ExportRecord::RecordCase kind) const {
    std::set<int64_t> ids;
    for (const auto& [key, bytes] : nodes) {
      if (key.first == static_cast<int>(kind)) ids.insert(key.second);
    }
    return ids;
  }
};

Exported ExportOf(const Store& store, const v1::ExportRequest& request) {
  return Exported(ExportAll(store, request));
}

// What a selection of executions has beside them, by its definition.
struct Closure {
  std::set<int64_t> executions;
  std::set<int64_t> artifacts;
  std::set<int64_t> contexts;
  size_t events = 0;

  Closure(const OracleModel& model, std::set<int64_t> chosen) : executions(std::move(chosen)) {
    for (const Event& event : model.events) {
      if (executions.count(event.execution_id()) == 0) continue;
      artifacts.insert(event.artifact_id());
    }
    for (const Event& event : model.events) {
      events += executions.count(event.execution_id()) * artifacts.count(event.artifact_id());
    }
    for (int64_t id : artifacts) Add(model, model.Of(NodeKind::kArtifact).at(id));
    for (int64_t id : executions) Add(model, model.Of(NodeKind::kExecution).at(id));
  }

  void Add(const OracleModel& model, const OracleNode& node) {
    for (int64_t context : node.contexts) {
      if (contexts.insert(context).second) Add(model, model.Of(NodeKind::kContext).at(context));
    }
  }
};

std::set<int64_t> IdsOf(const OracleModel& model, NodeKind kind) {
  std::set<int64_t> ids;
  for (const auto& [id, node] : model.Of(kind)) ids.insert(id);
  return ids;
}

class ExportTest : public ::testing::Test {
 protected:
  ExportTest() : store_(&random_) {
    for (int i = 0; i < 200; ++i) store_.ChangeSomething();
  }

  Store& store() { return *store_.store(); }

  Random random_;
  RandomStore store_;
};

TEST_F(ExportTest, HasEverythingOnceInOrder) {
  const Exported all = ExportOf(store(), {});
  const OracleModel& model = store_.model();
  EXPECT_EQ(all.Ids(v1::ExportRecord::kContext), IdsOf(model, NodeKind::kContext));
  EXPECT_EQ(all.Ids(v1::ExportRecord::kArtifact), IdsOf(model, NodeKind::kArtifact));
  EXPECT_EQ(all.Ids(v1::ExportRecord::kExecution), IdsOf(model, NodeKind::kExecution));
  ASSERT_EQ(all.events.size(), model.events.size());
  int64_t number = 0;
  for (const Event& event : model.events) {
    v1::ExportRecord record;
    ASSERT_TRUE(record.ParseFromString(all.events.at(++number)));
    EXPECT_EQ(record.event().event().SerializeAsString(), event.SerializeAsString());
  }
  for (const auto& [key, bytes] : all.nodes) {
    v1::ExportRecord record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    if (!record.has_artifact()) continue;
    const auto& ids = record.artifact().context_ids();
    EXPECT_EQ(std::set<int64_t>(ids.begin(), ids.end()),
              model.Of(NodeKind::kArtifact).at(key.second).contexts);
  }
}

TEST_F(ExportTest, GoesOnFromEveryPosition) {
  TestStore store;
  cli::FillForParts(store, 6000);
  for (const v1::ExportShape shape : {v1::RECORDS, v1::STEPS}) {
    v1::ExportRequest request;
    request.set_shape(shape);
    std::vector<v1::ExportResponseBytes> parts;
    cli::StoreSource source(&*store);
    ASSERT_TRUE(IsOk(source.Export(request, [&](v1::ExportResponseBytes& part) {
      parts.push_back(part);
      return true;
    })));
    ASSERT_GE(parts.size(), 2u);
    request.set_snapshot(parts[0].header().snapshot());
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      EXPECT_FALSE(parts[i].done());
      request.set_position(parts[i].position());
      size_t next = i + 1;
      ASSERT_TRUE(IsOk(source.Export(request, [&](v1::ExportResponseBytes& part) {
        EXPECT_EQ(part.has_header(), next == i + 1);
        part.clear_header();
        EXPECT_EQ(part.SerializeAsString(), parts[next++].SerializeAsString());
        return true;
      })));
      EXPECT_EQ(next, parts.size());
    }
    EXPECT_TRUE(parts.back().done());
  }
}

TEST_F(ExportTest, HasWhatGoesWithTheExecutionsThatMatch) {
  const OracleModel& model = store_.model();
  FilterVocabulary vocabulary;
  vocabulary.properties = RandomStore::PropertyNames();
  vocabulary.strings = store_.texts();
  RandomFilters filters(NodeKind::kExecution, vocabulary, &random_);
  int matched = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string text = filters.Make(random_.OneIn(2) ? 1 : 3);
    const auto oracle = FilterOracle::Parse(text);
    ASSERT_TRUE(oracle.has_value()) << text;
    std::set<int64_t> chosen;
    bool too_much = false;
    for (const auto& [id, node] : model.Of(NodeKind::kExecution)) {
      const auto answer = oracle->Matches(model, NodeKind::kExecution, id);
      too_much = too_much || answer == FilterOracle::Answer::kTooMuch;
      if (answer == FilterOracle::Answer::kYes) chosen.insert(id);
    }
    if (too_much) continue;
    const Closure wanted(model, chosen);
    v1::ExportRequest request;
    request.mutable_selection()->set_execution_filter(text);
    const Exported exported = ExportOf(store(), request);
    if (HasFailure()) FAIL() << text;
    EXPECT_EQ(exported.Ids(v1::ExportRecord::kExecution), wanted.executions) << text;
    EXPECT_EQ(exported.Ids(v1::ExportRecord::kArtifact), wanted.artifacts) << text;
    EXPECT_EQ(exported.Ids(v1::ExportRecord::kContext), wanted.contexts) << text;
    EXPECT_EQ(exported.events.size(), wanted.events) << text;
    request.set_shape(v1::STEPS);
    std::set<int64_t> steps;
    for (const auto& record : RecordsOf(store(), request)) {
      steps.insert(record.step().execution().id());
    }
    EXPECT_EQ(steps, wanted.executions) << text;
    if (!chosen.empty()) ++matched;
    if (HasFailure()) return;
  }
  EXPECT_GT(matched, 20);
}

// A filter and a time must both hold: what only later steps lead to is not there.
TEST(ExportUntil, LeavesOutWhatOnlyLaterStepsLeadTo) {
  TestStore store;
  const int64_t artifact_type = PutType<Artifact>(store, "a");
  const int64_t execution_type = PutType<Execution>(store, "e");
  const int64_t context_type = PutType<Context>(store, "c");
  const auto put_step = [&](const std::string& name) {
    EXPECT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
      Context context = NewNode<Context>(context_type, name);
      absl::Status status = transaction.Insert(&context, {}).status();
      Execution execution = NewNode<Execution>(execution_type, name);
      status.Update(transaction.Insert(&execution, {context.id()}).status());
      Artifact artifact = NewNode<Artifact>(artifact_type, name);
      status.Update(transaction.Insert(&artifact, {}).status());
      return status;
    })));
  };
  // The later step is in a context that is as old as the first.
  put_step("first");
  EXPECT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
    Context context = NewNode<Context>(context_type, "of the later one");
    return transaction.Insert(&context, {}).status();
  })));
  store.SetClock(TestStore::kStartMs + 1000);
  EXPECT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
    Execution execution = NewNode<Execution>(execution_type, "later");
    return transaction.Insert(&execution, {2}).status();
  })));
  v1::ExportRequest request;
  request.mutable_selection()->set_execution_filter("type = 'e'");
  EXPECT_EQ(ExportOf(*store, request).Ids(v1::ExportRecord::kContext), (std::set<int64_t>{1, 2}));
  request.mutable_selection()->set_until_ms(TestStore::kStartMs + 500);
  const Exported until = ExportOf(*store, request);
  EXPECT_EQ(until.Ids(v1::ExportRecord::kExecution), (std::set<int64_t>{1}));
  EXPECT_EQ(until.Ids(v1::ExportRecord::kContext), (std::set<int64_t>{1}));
}

TEST_F(ExportTest, HasWhatWasThereAtATime) {
  const OracleModel& model = store_.model();
  std::set<int64_t> times;
  for (const auto& [id, node] : model.Of(NodeKind::kExecution)) times.insert(node.create_time);
  for (int64_t until :
       {*times.begin() - 1, *std::next(times.begin(), times.size() / 2), *times.rbegin()}) {
    v1::ExportRequest request;
    request.mutable_selection()->set_until_ms(until);
    const Exported exported = ExportOf(store(), request);
    std::array<std::set<int64_t>, 3> wanted;
    for (NodeKind kind : kNodeKinds) {
      for (const auto& [id, node] : model.Of(kind)) {
        if (node.create_time <= until) wanted[IndexOf(kind)].insert(id);
      }
    }
    EXPECT_EQ(exported.Ids(v1::ExportRecord::kArtifact), wanted[IndexOf(NodeKind::kArtifact)]);
    EXPECT_EQ(exported.Ids(v1::ExportRecord::kExecution), wanted[IndexOf(NodeKind::kExecution)]);
    EXPECT_EQ(exported.Ids(v1::ExportRecord::kContext), wanted[IndexOf(NodeKind::kContext)]);
    int64_t number = 0;
    for (const Event& event : model.events) {
      const bool is_in = event.milliseconds_since_epoch() <= until &&
                         wanted[0].count(event.artifact_id()) > 0 &&
                         wanted[1].count(event.execution_id()) > 0;
      EXPECT_EQ(exported.events.count(++number) > 0, is_in);
    }
    // Nothing names what is not there.
    for (const auto& [key, bytes] : exported.nodes) {
      v1::ExportRecord record;
      ASSERT_TRUE(record.ParseFromString(bytes));
      for (int64_t context : record.artifact().context_ids()) {
        EXPECT_EQ(wanted[IndexOf(NodeKind::kContext)].count(context), 1u);
      }
    }
  }
}

// What is new, put over what was there, is what is there.
TEST_F(ExportTest, HasAllThatIsNewSinceAnEntry) {
  for (int round = 0; round < 20; ++round) {
    const v1::ExportResponse old_response = ExportAll(store(), {});
    const Exported before(old_response);
    for (int64_t i = random_.Between(0, 8); i > 0; --i) store_.ChangeSomething();
    v1::ExportRequest request;
    request.mutable_selection()->set_since_sequence(old_response.header().sequence());
    const v1::ExportResponse new_response = ExportAll(store(), request);
    ASSERT_FALSE(HasFailure());
    const Exported changes(new_response);
    const Exported after = ExportOf(store(), {});
    auto nodes = before.nodes;
    for (const auto& [key, bytes] : changes.nodes) nodes[key] = bytes;
    EXPECT_EQ(nodes, after.nodes);
    auto events = before.events;
    for (const auto& [number, bytes] : changes.events) {
      EXPECT_EQ(events.count(number), 0u);
      events[number] = bytes;
    }
    EXPECT_EQ(events, after.events);
    EXPECT_LE(changes.nodes.size(), after.nodes.size());
    if (HasFailure()) return;
  }
}

TEST_F(ExportTest, HasNothingNewIfNothingIs) {
  const v1::ExportResponse all = ExportAll(store(), {});
  v1::ExportRequest request;
  request.mutable_selection()->set_since_sequence(all.header().sequence());
  const Exported changes = ExportOf(store(), request);
  EXPECT_TRUE(changes.nodes.empty());
  EXPECT_TRUE(changes.events.empty());
  request.mutable_selection()->set_since_sequence(all.header().sequence() + 1);
  cli::StoreSource source(&store());
  EXPECT_TRUE(Fails(source.Export(request, [](v1::ExportResponseBytes&) { return true; }),
                    absl::StatusCode::kInvalidArgument, "the journal ends"));
}

TEST_F(ExportTest, HasWhatAnArtifactWasMadeBy) {
  const OracleModel& model = store_.model();
  const auto is_output = [](const Event& event) {
    return EventEnds::IsOutput(static_cast<uint8_t>(event.type()));
  };
  int with_executions = 0;
  for (const auto& [artifact, node] : model.Of(NodeKind::kArtifact)) {
    std::set<int64_t> executions;
    std::set<int64_t> artifacts = {artifact};
    for (size_t size = 0; size != executions.size() + artifacts.size();) {
      size = executions.size() + artifacts.size();
      for (const Event& event : model.events) {
        if (is_output(event) && artifacts.count(event.artifact_id()) > 0) {
          executions.insert(event.execution_id());
        }
        if (!is_output(event) && executions.count(event.execution_id()) > 0) {
          artifacts.insert(event.artifact_id());
        }
      }
    }
    v1::ExportRequest request;
    request.mutable_selection()->set_upstream_of_artifact(artifact);
    const Exported exported = ExportOf(store(), request);
    EXPECT_EQ(exported.Ids(v1::ExportRecord::kExecution), executions);
    Closure wanted(model, executions);
    wanted.artifacts.insert(artifact);
    EXPECT_EQ(exported.Ids(v1::ExportRecord::kArtifact), wanted.artifacts);
    if (!executions.empty()) ++with_executions;
    if (HasFailure()) return;
  }
  EXPECT_GT(with_executions, 0);
}

// Steps are what records say, joined.
TEST_F(ExportTest, HasStepsWithAllThatTheyWere) {
  std::map<int64_t, Artifact> artifacts;
  std::map<int64_t, std::vector<Event>> events;
  for (const v1::ExportRecord& record : RecordsOf(store(), {})) {
    if (record.has_artifact())
      artifacts[record.artifact().artifact().id()] = record.artifact().artifact();
    if (record.has_event())
      events[record.event().event().execution_id()].push_back(record.event().event());
  }
  v1::ExportRequest request;
  request.set_shape(v1::STEPS);
  std::set<int64_t> seen;
  for (const v1::ExportRecord& record : RecordsOf(store(), request)) {
    const v1::ExportedStep& step = record.step();
    EXPECT_TRUE(seen.insert(step.execution().id()).second);
    EXPECT_FALSE(step.execution().type().empty());
    const auto& wanted = events[step.execution().id()];
    ASSERT_EQ(static_cast<size_t>(step.uses_size()), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      const auto& use = step.uses(static_cast<int>(i));
      EXPECT_EQ(use.event().SerializeAsString(), wanted[i].SerializeAsString());
      Artifact artifact = use.artifact();
      EXPECT_FALSE(artifact.type().empty());
      artifact.clear_type();
      EXPECT_EQ(SerializeSame(artifact), SerializeSame(artifacts[wanted[i].artifact_id()]));
    }
    std::set<int64_t> contexts;
    for (const Context& context : step.contexts()) contexts.insert(context.id());
    EXPECT_EQ(contexts, store_.model().Of(NodeKind::kExecution).at(step.execution().id()).contexts);
  }
  EXPECT_EQ(seen, IdsOf(store_.model(), NodeKind::kExecution));
}

TEST(ExportSteps, ContinueWhenTheyAreLarge) {
  TestStore store;
  const int64_t artifact_type = PutType<Artifact>(store, "Model");
  const int64_t execution_type = PutType<Execution>(store, "Train");
  constexpr int kEvents = 5000;
  auto execution = Insert(store, NewNode<Execution>(execution_type));
  ASSERT_TRUE(IsOk(execution));
  for (int first = 0; first < kEvents; first += 1250) {
    ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) -> absl::Status {
      std::vector<Event> events(1250);
      std::vector<Event*> pointers;
      for (int i = 0; i < 1250; ++i) {
        auto artifact =
            NewNode<Artifact>(artifact_type, absl::StrCat(std::string(600, 'n'), first + i));
        auto id = transaction.Insert(&artifact, {});
        if (!id.ok()) return id.status();
        Event& event = events[static_cast<size_t>(i)];
        event.set_artifact_id(*id);
        event.set_execution_id(*execution);
        event.set_type(Event::INPUT);
        pointers.push_back(&event);
      }
      return AddEvents(transaction, pointers);
    })));
  }
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Execution>(execution_type))));
  v1::ExportRequest request;
  request.set_shape(v1::STEPS);
  const v1::ExportResponse all = ExportAll(*store, request);
  ASSERT_GE(all.records_size(), 4);
  int64_t next = 1;
  for (int i = 0; i + 1 < all.records_size(); ++i) {
    const v1::ExportedStep& step = all.records(i).step();
    EXPECT_EQ(step.execution().id(), *execution);
    EXPECT_EQ(step.continues(), i > 0);
    EXPECT_EQ(step.is_continued(), i + 2 < all.records_size());
    for (const auto& use : step.uses()) EXPECT_EQ(use.artifact().id(), next++);
  }
  EXPECT_EQ(next, kEvents + 1);
  EXPECT_EQ(all.records(all.records_size() - 1).step().uses_size(), 0);
}

TEST_F(ExportTest, RefusesWhatIsWrong) {
  const auto refused = [&](const v1::ExportRequest& request, absl::string_view why) {
    cli::StoreSource source(&store());
    EXPECT_TRUE(Fails(source.Export(request, [](v1::ExportResponseBytes&) { return true; }),
                      absl::StatusCode::kInvalidArgument, why));
  };
  v1::ExportRequest request;
  request.mutable_selection()->set_execution_filter("id = ");
  refused(request, "");
  request.Clear();
  request.set_shape(static_cast<v1::ExportShape>(7));
  refused(request, "shape");
  request.Clear();
  request.mutable_selection()->set_since_sequence(-1);
  refused(request, "negative");
  request.Clear();
  request.set_position("4.1.0.0-00");
  refused(request, "snapshot");
  const std::string snapshot = ExportAll(store(), {}).header().snapshot();
  for (const char* position : {"x", "4.1.0.0-00", "4.1.0-0011223344556677", "-", "4.-1.0.0-"}) {
    request.Clear();
    request.set_snapshot(snapshot);
    request.set_position(position);
    refused(request, "position");
  }
  request.Clear();
  request.set_snapshot("7-0011");
  cli::StoreSource source(&store());
  EXPECT_TRUE(Fails(source.Export(request, [](v1::ExportResponseBytes&) { return true; }),
                    absl::StatusCode::kNotFound, "begin anew"));
  request.Clear();
  request.mutable_selection()->set_upstream_of_artifact(1'000'000);
  EXPECT_TRUE(Fails(source.Export(request, [](v1::ExportResponseBytes&) { return true; }),
                    absl::StatusCode::kNotFound, "no artifact"));
}

class PinnedVersionsTest : public ::testing::Test {
 protected:
  static constexpr int64_t kForMs = std::chrono::milliseconds(kPinnedFor).count();

  std::shared_ptr<const Version> Pin(const std::string& name) {
    auto version = pins_.Pin(name, store_->CurrentVersion());
    EXPECT_TRUE(IsOk(version));
    return version.ok() ? *version : nullptr;
  }
  bool IsThere(const std::string& name) { return pins_.Find(name) != nullptr; }

  TestStore store_;
  int64_t now_ms_ = 1000;
  PinnedVersions pins_{[this] { return now_ms_; }};
};

TEST_F(PinnedVersionsTest, StayForAWhileAfterTheirLastUse) {
  Pin("a");
  now_ms_ += kForMs - 1;
  EXPECT_TRUE(IsThere("a"));  // And is used again.
  now_ms_ += kForMs - 1;
  pins_.DropExpired();
  EXPECT_TRUE(IsThere("a"));
  now_ms_ += kForMs;
  EXPECT_FALSE(IsThere("a"));
  EXPECT_FALSE(IsThere("b"));
}

TEST_F(PinnedVersionsTest, AreLetGoWhenTheyHaveRunOut) {
  std::weak_ptr<const Version> version = store_->CurrentVersion();
  Pin("a");
  ASSERT_TRUE(IsOk(store_->Write([](Transaction& transaction) {
    ml_metadata::ArtifactType type;
    type.set_name("t");
    return transaction.PutType<Artifact>(&type).status();
  })));
  EXPECT_FALSE(version.expired());
  now_ms_ += kForMs;
  pins_.DropExpired();
  EXPECT_TRUE(version.expired());
}

TEST_F(PinnedVersionsTest, AreFewAndNeverTakenFromWhoUsesThem) {
  std::vector<std::shared_ptr<const Version>> used;
  for (size_t i = 0; i < kMaxPinnedVersions; ++i) used.push_back(Pin(absl::StrCat(i)));
  now_ms_ += 10 * kForMs;
  pins_.DropExpired();
  EXPECT_TRUE(Fails(pins_.Pin("more", store_->CurrentVersion()),
                    absl::StatusCode::kResourceExhausted, "in use"));
  EXPECT_TRUE(IsThere("0"));
  used[2].reset();
  now_ms_ += 1;
  used[0].reset();
  Pin("more");
  EXPECT_FALSE(IsThere("2"));
  EXPECT_TRUE(IsThere("0"));
  EXPECT_TRUE(IsThere("1"));
}

}  // namespace
}  // namespace pedigree
