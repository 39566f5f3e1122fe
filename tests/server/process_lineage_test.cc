// The real program: the calls of pedigree.v1.LineageService over gRPC, and the stream of a long
// trace against clients that read slowly, stop, or vanish, and against the server's own end.
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/server/bytes_client.h"
#include "tests/server/process_fixture.h"
#include "tests/server/raw_connection.h"
#include "tests/server/test_store.h"
#include "tests/server/trace_call.h"

namespace pedigree::testing {
namespace {

namespace mlmd = ml_metadata;
using grpc::StatusCode;

constexpr size_t kMaxMessageBytes = size_t{4} << 20;

// A fan: artifact 1 is read by executions 1 to 10, of which each wrote its share of the artifacts
// from 2 on, with uris of 4 KiB: 80 MB in all.
constexpr int64_t kExecutions = 10;
constexpr int64_t kArtifactsEach = 2000;
constexpr int64_t kNodes = 1 + kExecutions + kExecutions * kArtifactsEach;
constexpr int64_t kEvents = kNodes - 1;
constexpr size_t kUriBytes = 4096;

template <class Request, class Response>
void Put(RawClient& client, const std::string& rpc, const Request& request, Response* response) {
  const grpc::Status status = client.Call(rpc, request, response);
  ASSERT_TRUE(status.ok()) << rpc << ": " << status.error_message();
}

void PutTypes(RawClient& client) {
  mlmd::PutTypesResponse types;
  Put(client, "PutTypes",
      FromText<mlmd::PutTypesRequest>(
          "artifact_types { name: 'data' } execution_types { name: 'step' }"),
      &types);
  ASSERT_EQ(types.artifact_type_ids(0), 10);
  ASSERT_EQ(types.execution_type_ids(0), 11);
}

void AddEvent(int64_t artifact, int64_t execution, mlmd::Event::Type type,
              mlmd::PutEventsRequest* events) {
  mlmd::Event* event = events->add_events();
  event->set_artifact_id(artifact);
  event->set_execution_id(execution);
  event->set_type(type);
}

void PutFan(ServerProcess& server) {
  RawClient client(server.address());
  PutTypes(client);
  mlmd::PutArtifactsRequest artifacts;
  artifacts.add_artifacts()->set_type_id(10);
  mlmd::PutExecutionsRequest executions;
  for (int64_t i = 0; i < kExecutions; ++i) executions.add_executions()->set_type_id(11);
  mlmd::PutArtifactsResponse artifact_ids;
  mlmd::PutExecutionsResponse execution_ids;
  mlmd::PutEventsResponse none;
  Put(client, "PutArtifacts", artifacts, &artifact_ids);
  Put(client, "PutExecutions", executions, &execution_ids);
  for (int64_t execution = 1; execution <= kExecutions; ++execution) {
    artifacts.Clear();
    for (int64_t i = 0; i < kArtifactsEach; ++i) {
      mlmd::Artifact* artifact = artifacts.add_artifacts();
      artifact->set_type_id(10);
      artifact->set_uri(std::string(kUriBytes, 'u'));
    }
    Put(client, "PutArtifacts", artifacts, &artifact_ids);
    mlmd::PutEventsRequest events;
    AddEvent(1, execution, mlmd::Event::INPUT, &events);
    for (const int64_t id : artifact_ids.artifact_ids()) {
      AddEvent(id, execution, mlmd::Event::OUTPUT, &events);
    }
    Put(client, "PutEvents", events, &none);
  }
}

v1::TraceRequest FanRequest(v1::TraceRequest::Content content) {
  v1::TraceRequest request;
  request.mutable_start()->add_nodes()->set_kind(v1::ARTIFACT);
  request.mutable_start()->mutable_nodes(0)->set_id(1);
  request.set_direction(v1::DOWNSTREAM);
  request.set_content(content);
  return request;
}

size_t ResidentBytes(const ServerProcess& server) {
  std::ifstream status(absl::StrCat("/proc/", server.pid(), "/status"));
  std::string word;
  size_t kib = 0;
  while (status >> word && word != "VmRSS:") {
  }
  status >> kib;
  return kib << 10;
}

// Waits until the server's memory has not grown for half a second.
size_t SettledBytes(const ServerProcess& server) {
  size_t most = ResidentBytes(server);
  for (int quiet = 0; quiet < 5; ++quiet) {
    absl::SleepFor(absl::Milliseconds(100));
    const size_t now = ResidentBytes(server);
    if (now > most) quiet = 0;
    most = std::max(most, now);
  }
  return most;
}

// What comes in the messages of one trace of the fan.
class FanReader {
 public:
  void Take(const v1::TraceResponse& message) {
    EXPECT_FALSE(is_last_) << "nothing follows completeness";
    EXPECT_LE(message.ByteSizeLong(), kMaxMessageBytes);
    ++messages_;
    is_last_ = message.has_completeness();
    completeness_ = message.completeness();
    for (const auto& node : message.nodes()) {
      const auto key = std::pair(node.ref().kind(), node.ref().id());
      EXPECT_TRUE(nodes_.insert(key).second) << "twice";
      EXPECT_EQ(node.hops(), key.first == v1::EXECUTION ? 1 : key.second == 1 ? 0 : 2);
      bodies_ += node.has_artifact() && node.artifact().uri().size() == kUriBytes;
    }
    for (const auto& event : message.events()) {
      // With the later of its nodes, so both are here.
      EXPECT_TRUE(nodes_.count({v1::ARTIFACT, event.artifact_id()}) > 0 &&
                  nodes_.count({v1::EXECUTION, event.execution_id()}) > 0);
      ++events_;
    }
  }
  // All of it, and the end.
  void TakeAll(TraceCall& call) {
    while (const auto message = call.Next()) Take(*message);
    const grpc::Status status = call.Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  void ExpectWhole(v1::TraceRequest::Content content) const {
    EXPECT_TRUE(is_last_);
    EXPECT_TRUE(completeness_.complete()) << completeness_.reason();
    EXPECT_EQ(nodes_.size(), static_cast<size_t>(kNodes));
    EXPECT_EQ(events_, kEvents);
    EXPECT_EQ(bodies_, content == v1::TraceRequest::BODIES ? kNodes - 1 - kExecutions : 0);
  }
  int messages() const { return messages_; }

 private:
  std::set<std::pair<v1::NodeKind, int64_t>> nodes_;
  v1::Completeness completeness_;
  int64_t events_ = 0;
  int64_t bodies_ = 0;
  int messages_ = 0;
  bool is_last_ = false;
};

void ExpectWholeFan(ServerProcess& server, v1::TraceRequest::Content content) {
  FanReader fan;
  TraceCall call(NewPlainChannel(server.address()), FanRequest(content));
  fan.TakeAll(call);
  fan.ExpectWhole(content);
}

class LineageStream : public ::testing::Test {
 protected:
  void SetUp() override {
    // Caches that are full soon, so that what grows is what streams hold.
    server_ = StartServer({"--sync=never", "--record_cache_bytes=4MiB", "--block_cache_bytes=4MiB",
                           "--write_buffer_bytes=8MiB"});
    ASSERT_NE(server_, nullptr);
    channel_ = NewPlainChannel(server_->address());
    PutFan(*server_);
    ASSERT_FALSE(HasFailure());
  }

  std::unique_ptr<ServerProcess> server_;
  // The first and the last: when gRPC has no channel any more it ends its threads, and now and then
  // waits 10 s for them.
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(LineageStream, IsWholeInManyMessages) {
  for (const auto content : {v1::TraceRequest::BODIES, v1::TraceRequest::IDS}) {
    FanReader fan;
    TraceCall call(channel_, FanRequest(content));
    fan.TakeAll(call);
    fan.ExpectWhole(content);
    EXPECT_GE(fan.messages(), content == v1::TraceRequest::BODIES ? 50 : 2);
  }
}

TEST_F(LineageStream, GoesOnWithATokenWhileWritesGoOn) {
  RawClient writer(server_->address());
  FanReader fan;
  v1::TraceRequest request = FanRequest(v1::TraceRequest::BODIES);
  request.set_max_nodes(3333);
  int pieces = 0;
  do {
    TraceCall call(channel_, request);
    std::string token;
    while (auto message = call.Next()) {
      if (message->has_completeness() && !message->completeness().resume_token().empty()) {
        token = message->completeness().resume_token();
        EXPECT_FALSE(message->completeness().complete());
        message->clear_completeness();
      }
      fan.Take(*message);
    }
    ASSERT_TRUE(call.Finish().ok());
    request.set_resume_token(token);
    ++pieces;
    // A step that is downstream, and not of this trace.
    mlmd::PutExecutionsRequest executions;
    executions.add_executions()->set_type_id(11);
    mlmd::PutExecutionsResponse ids;
    Put(writer, "PutExecutions", executions, &ids);
    mlmd::PutEventsRequest events;
    AddEvent(1, ids.execution_ids(0), mlmd::Event::INPUT, &events);
    AddEvent(2, ids.execution_ids(0), mlmd::Event::INPUT, &events);
    mlmd::PutEventsResponse none;
    Put(writer, "PutEvents", events, &none);
  } while (!request.resume_token().empty() && !HasFailure());
  EXPECT_EQ(pieces, (kNodes + 3332) / 3333);
  fan.ExpectWhole(v1::TraceRequest::BODIES);
}

TEST_F(LineageStream, IsNotBufferedForSlowReaders) {
  constexpr size_t kStreams = 8;  // 640 MB, if it were.
  ExpectWholeFan(*server_, v1::TraceRequest::BODIES);
  const size_t before = SettledBytes(*server_);
  std::vector<std::unique_ptr<TraceCall>> calls;
  std::vector<FanReader> readers(kStreams);
  for (FanReader& reader : readers) {
    calls.push_back(std::make_unique<TraceCall>(NewPlainChannel(server_->address()),
                                                FanRequest(v1::TraceRequest::BODIES)));
    const auto first = calls.back()->Next();
    ASSERT_TRUE(first.has_value());
    reader.Take(*first);
  }
  const size_t after = SettledBytes(*server_);
  EXPECT_LT(after, before + kStreams * (size_t{12} << 20)) << before;
  // They hold no thread either.
  ExpectServes(*server_);
  ExpectWholeFan(*server_, v1::TraceRequest::IDS);
  for (size_t i = 0; i < kStreams; i += 4) {
    readers[i].TakeAll(*calls[i]);
    readers[i].ExpectWhole(v1::TraceRequest::BODIES);
  }
}

// More of them than there may be streams at once: none is left over.
TEST_F(LineageStream, OfClientsThatLeaveEnds) {
  constexpr int kClients = 1050;
  const std::string request = FanRequest(v1::TraceRequest::IDS).SerializeAsString();
  for (int i = 0; i < kClients; ++i) {
    if (i % 3 == 0) {
      TraceCall call(channel_, request);
      EXPECT_TRUE(call.Next().has_value());
      call.Cancel();
      EXPECT_EQ(call.Finish().error_code(), StatusCode::CANCELLED);
    } else {
      RawConnection connection(PortOf(*server_));
      connection.Send(WholeCall(kLineageService + "Trace", request));
      EXPECT_TRUE(connection.Receives(20'000)) << "the middle of the first message";
      connection.Close(i % 3 == 1 ? RawConnection::Ending::kReset
                                  : RawConnection::Ending::kOrderly);
    }
  }
  ExpectWholeFan(*server_, v1::TraceRequest::IDS);
  ExpectServes(*server_);
  const absl::Status stopped = server_->Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
}

TEST_F(LineageStream, EndsAtTheDeadline) {
  const std::string request = FanRequest(v1::TraceRequest::BODIES).SerializeAsString();
  for (const int ms : {1, 20, 300}) {
    TraceCall call(channel_, request, std::chrono::milliseconds(ms));
    call.Next();
    absl::SleepFor(absl::Milliseconds(ms));
    while (call.Next().has_value()) {
    }
    EXPECT_EQ(call.Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  }
  ExpectWholeFan(*server_, v1::TraceRequest::BODIES);
}

// Streams have the same grace as all calls. Then they end between two messages, and those whose
// clients read nothing are cut.
TEST_F(LineageStream, HasUntilTheGraceIsOverWhenTheServerStops) {
  const v1::TraceRequest request = FanRequest(v1::TraceRequest::BODIES);
  const std::string address = server_->address();
  TraceCall reading(NewPlainChannel(address), request);
  FanReader fan;
  fan.Take(*reading.Next());
  grpc::Status slow_status;
  std::thread slow([&] {
    TraceCall call(NewPlainChannel(address), request);
    while (call.Next().has_value()) absl::SleepFor(absl::Milliseconds(150));
    slow_status = call.Finish();
  });
  TraceCall stuck(NewPlainChannel(address), request);
  EXPECT_TRUE(stuck.Next().has_value());

  ASSERT_EQ(kill(server_->pid(), SIGTERM), 0);
  fan.TakeAll(reading);
  fan.ExpectWhole(v1::TraceRequest::BODIES);
  TraceCall late(NewPlainChannel(address), request);
  EXPECT_FALSE(late.Next().has_value());
  EXPECT_EQ(late.Finish().error_code(), StatusCode::UNAVAILABLE);

  const absl::Time latest = absl::Now() + absl::Seconds(28);  // Kubernetes waits 30.
  while (server_->IsRunning() && absl::Now() < latest) absl::SleepFor(absl::Milliseconds(20));
  ASSERT_FALSE(server_->IsRunning());
  EXPECT_TRUE(server_->last_exit()->ok()) << server_->LogTail();
  slow.join();
  const auto is_cut = [](const grpc::Status& status) {
    return status.error_code() == StatusCode::UNAVAILABLE ||
           status.error_code() == StatusCode::CANCELLED;
  };
  EXPECT_TRUE(is_cut(slow_status)) << slow_status.error_message();
  while (stuck.Next().has_value()) {
  }
  EXPECT_TRUE(is_cut(stuck.Finish()));
}

class LineageOverGrpc : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = StartServer();
    ASSERT_NE(server_, nullptr);
    channel_ = NewPlainChannel(server_->address());
  }

  std::unique_ptr<ServerProcess> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

// raw (1) -> prepare (1) -> data (2) -> train (2 and 3) -> models (3 and 4)
TEST_F(LineageOverGrpc, AnswersAllItsCalls) {
  RawClient client(server_->address());
  PutTypes(client);
  mlmd::PutArtifactsResponse artifacts;
  mlmd::PutExecutionsResponse executions;
  mlmd::PutEventsResponse none;
  Put(client, "PutArtifacts",
      FromText<mlmd::PutArtifactsRequest>(
          "artifacts { type_id: 10 name: 'raw' } artifacts { type_id: 10 name: 'data' } "
          "artifacts { type_id: 10 uri: 's3://1' } artifacts { type_id: 10 uri: 's3://2' }"),
      &artifacts);
  Put(client, "PutExecutions",
      FromText<mlmd::PutExecutionsRequest>(
          "executions { type_id: 11 } executions { type_id: 11 } executions { type_id: 11 }"),
      &executions);
  mlmd::PutEventsRequest events;
  AddEvent(1, 1, mlmd::Event::INPUT, &events);
  AddEvent(2, 1, mlmd::Event::OUTPUT, &events);
  for (const int64_t training : {2, 3}) {
    AddEvent(2, training, mlmd::Event::INPUT, &events);
    AddEvent(training + 1, training, mlmd::Event::OUTPUT, &events);
  }
  Put(client, "PutEvents", events, &none);

  const auto impact = MustCall<v1::ImpactResponse>(
      channel_, "Impact",
      FromText<v1::ImpactRequest>("start { artifact_filter: \"name = 'raw'\" }"));
  EXPECT_EQ(impact.artifacts(), 3);
  EXPECT_EQ(impact.executions(), 3);
  EXPECT_TRUE(impact.completeness().complete());

  const auto origins = MustCall<v1::OriginsResponse>(
      channel_, "Origins",
      FromText<v1::OriginsRequest>("start { nodes { kind: ARTIFACT id: 4 } } content: BODIES"));
  ASSERT_EQ(origins.sources_size(), 1);
  EXPECT_EQ(origins.sources(0).artifact().name(), "raw");
  EXPECT_EQ(origins.dominators_size(), 4);

  const auto paths = MustCall<v1::FindPathsResponse>(
      channel_, "FindPaths",
      FromText<v1::FindPathsRequest>(
          "from { kind: ARTIFACT id: 1 } to { kind: ARTIFACT id: 4 } max_paths: 5"));
  ASSERT_EQ(paths.paths_size(), 1);
  EXPECT_EQ(paths.paths(0).nodes_size(), 5);
  EXPECT_EQ(paths.paths(0).events_size(), 4);

  const auto comparison = MustCall<v1::CompareResponse>(
      channel_, "Compare", FromText<v1::CompareRequest>("artifact_a: 3 artifact_b: 4"));
  ASSERT_EQ(comparison.differing_size(), 1);
  EXPECT_EQ(comparison.differing(0).differences(0).field(), "uri");
  EXPECT_EQ(comparison.equal_pairs(), 1);
  EXPECT_EQ(comparison.shared_nodes(), 1);

  TraceCall trace(channel_, FromText<v1::TraceRequest>("start { nodes { kind: ARTIFACT id: 4 } } "
                                                       "direction: UPSTREAM"));
  const auto message = trace.Next();
  ASSERT_TRUE(message.has_value());
  ASSERT_EQ(message->nodes_size(), 5);
  EXPECT_EQ(message->nodes(4).ref().id(), 1);
  EXPECT_EQ(message->events_size(), 4);
  EXPECT_TRUE(message->completeness().complete());
  EXPECT_FALSE(trace.Next().has_value());
  EXPECT_TRUE(trace.Finish().ok());
}

TEST_F(LineageOverGrpc, RefusesWhatIsNoRequest) {
  BytesClient client(channel_);
  for (const std::string& bytes :
       {std::string("\xff"), std::string(100, '\x0b'), std::string("\x0a\xff\xff\xff\xff\x0f"),
        std::string(1000, '\x07')}) {
    for (const char* rpc : {"FindPaths", "Impact", "Compare", "Origins"}) {
      EXPECT_EQ(client.Call(kLineageService + rpc, bytes).status.error_code(),
                StatusCode::INVALID_ARGUMENT)
          << rpc;
    }
    TraceCall trace(channel_, bytes);
    EXPECT_FALSE(trace.Next().has_value());
    EXPECT_EQ(trace.Finish().error_code(), StatusCode::INVALID_ARGUMENT);
  }
  ExpectServes(*server_);
}

TEST_F(LineageOverGrpc, RefusesATraceWithItsReason) {
  const std::map<std::string, StatusCode> requests = {
      {"", StatusCode::INVALID_ARGUMENT},
      {"start { nodes { kind: ARTIFACT id: 99 } } direction: UPSTREAM", StatusCode::NOT_FOUND},
      {"start { artifact_filter: 'nonsense =' } direction: UPSTREAM", StatusCode::INVALID_ARGUMENT},
  };
  for (const auto& [text, code] : requests) {
    TraceCall trace(channel_, FromText<v1::TraceRequest>(text));
    EXPECT_FALSE(trace.Next().has_value());
    const grpc::Status status = trace.Finish();
    EXPECT_EQ(status.error_code(), code) << text;
    EXPECT_NE(status.error_message(), "");
  }
}

TEST_F(LineageOverGrpc, IsInReflectionWithAllItsCalls) {
  constexpr char kInfo[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  BytesClient client(channel_);
  const auto files = client.CallStream(kInfo, OneText(4, "pedigree.v1.LineageService"));
  ASSERT_TRUE(files.status.ok()) << files.status.error_message();
  std::map<std::string, bool> methods;  // Whether they stream.
  for (const std::string& response : TextsIn(files.bytes, 4)) {
    for (const std::string& bytes : TextsIn(response, 1)) {
      google::protobuf::FileDescriptorProto file;
      ASSERT_TRUE(file.ParseFromString(bytes));
      for (const auto& service : file.service()) {
        if (service.name() != "LineageService") continue;
        for (const auto& method : service.method()) {
          methods[method.name()] = method.server_streaming();
        }
      }
    }
  }
  EXPECT_EQ(methods, (std::map<std::string, bool>{{"Compare", false},
                                                  {"FindPaths", false},
                                                  {"Impact", false},
                                                  {"Origins", false},
                                                  {"Trace", true}}));
}

}  // namespace
}  // namespace pedigree::testing
