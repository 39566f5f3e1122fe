// Traces in messages and in pieces: how they are cut, and what becomes of tokens.
#include "server/trace_answer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "pedigree/v1/lineage.pb.h"
#include "tests/query/small_lineage.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;

constexpr size_t kMessageBytes = 256 << 10;

class TraceAnswerTest : public ::testing::Test {
 protected:
  // The messages of one call.
  absl::StatusOr<std::vector<v1::TraceResponse>> Trace(const v1::TraceRequest& request,
                                                       const ReadLimits& limits = {}) {
    std::vector<v1::TraceResponse> messages;
    TraceAnswer answer;
    const auto version = lineage_.store()->CurrentVersion();
    for (bool is_last = false; !is_last;) {
      // As a stream does: another reader each time, of the same version.
      const Reader reader(version, Blocking::kAllowed, limits);
      const auto part = answer.Next(reader, request);
      if (!part.ok()) return part.status();
      is_last = part->place == StreamPart::Place::kLast;
      messages.emplace_back();
      EXPECT_TRUE(messages.back().ParseFromString(part->message));
      EXPECT_EQ(messages.back().has_completeness(), is_last);
    }
    return messages;
  }
  // The completeness of a call that must answer.
  v1::Completeness End(const v1::TraceRequest& request, const ReadLimits& limits = {}) {
    const auto messages = Trace(request, limits);
    EXPECT_TRUE(IsOk(messages));
    return messages.ok() ? messages->back().completeness() : v1::Completeness();
  }

  static v1::TraceRequest From(LineageNode node) {
    v1::TraceRequest request;
    v1::NodeRef* ref = request.mutable_start()->add_nodes();
    ref->set_kind(node.is_execution() ? v1::EXECUTION : v1::ARTIFACT);
    ref->set_id(node.id());
    request.set_direction(v1::DOWNSTREAM);
    return request;
  }

  SmallLineage lineage_;
};

// Some nodes are larger than a message shall be.
TEST_F(TraceAnswerTest, CutsMessagesByTheirBytes) {
  Random random;
  const LineageNode root = lineage_.AddArtifact();
  const LineageNode step = lineage_.AddExecution();
  lineage_.Connect(root, step);
  constexpr size_t kArtifacts = 120;
  for (size_t i = 0; i < kArtifacts; ++i) {
    Artifact artifact;
    const bool is_large = random.OneIn(20);
    artifact.set_uri(std::string(is_large ? 600'000 : random.Index(20'000), 'u'));
    lineage_.Connect(step, lineage_.Add(artifact));
  }
  v1::TraceRequest request = From(root);
  request.set_content(v1::TraceRequest::BODIES);
  const auto messages = Trace(request);
  ASSERT_TRUE(IsOk(messages));
  size_t nodes = 0;
  size_t events = 0;
  for (size_t i = 0; i < messages->size(); ++i) {
    const v1::TraceResponse& message = (*messages)[i];
    nodes += static_cast<size_t>(message.nodes_size());
    events += static_cast<size_t>(message.events_size());
    // One more item is what makes it so large.
    if (i + 1 < messages->size()) {
      EXPECT_GE(message.ByteSizeLong(), kMessageBytes);
    }
    EXPECT_LE(message.ByteSizeLong(), kMessageBytes + 610'000);
    EXPECT_GT(message.nodes_size() + message.events_size(), 0);
  }
  EXPECT_EQ(nodes, kArtifacts + 2);
  EXPECT_EQ(events, kArtifacts + 1);
  EXPECT_GT(messages->size(), 3u);
}

// The last of the nodes comes with all of the events.
TEST_F(TraceAnswerTest, MayHaveMessagesOfEventsAlone) {
  constexpr int kArtifacts = 2000;
  const LineageNode root = lineage_.AddExecution();
  const LineageNode last = lineage_.AddExecution();
  const std::string path(200, 'p');
  for (int i = 0; i < kArtifacts; ++i) {
    const LineageNode artifact = lineage_.AddArtifact();
    lineage_.Connect(root, artifact);
    lineage_.Connect(artifact, last, path);
  }
  v1::TraceRequest request = From(root);
  request.set_content(v1::TraceRequest::BODIES);
  const auto messages = Trace(request);
  ASSERT_TRUE(IsOk(messages));
  EXPECT_EQ(messages->back().nodes_size(), 0);
  EXPECT_GT(messages->back().events_size(), 0);
  int events = 0;
  for (const auto& message : *messages) events += message.events_size();
  EXPECT_EQ(events, 2 * kArtifacts);
}

TEST_F(TraceAnswerTest, KeepsATokenToItsRequest) {
  const auto chain = lineage_.AddChain(9);
  v1::TraceRequest request = From(chain[0]);
  request.set_max_nodes(4);
  const v1::Completeness first = End(request);
  EXPECT_FALSE(first.complete());
  EXPECT_EQ(first.reason(), "max_nodes: 5 nodes follow");
  request.set_resume_token(first.resume_token());
  // Any number of times, and of any number of nodes.
  for (const int64_t max_nodes : {1, 5, 0, 1000}) {
    request.set_max_nodes(max_nodes);
    const auto messages = Trace(request);
    ASSERT_TRUE(IsOk(messages));
    EXPECT_EQ(messages->front().nodes(0).ref().id(), chain[4].id());
    EXPECT_EQ(messages->back().completeness().complete(), max_nodes != 1);
  }
  v1::TraceRequest other = request;
  other.set_content(v1::TraceRequest::BODIES);
  EXPECT_TRUE(Fails(Trace(other), StatusCode::kInvalidArgument, "another request"));
  other = request;
  other.mutable_scope()->set_max_hops(100);
  EXPECT_TRUE(Fails(Trace(other), StatusCode::kInvalidArgument, "another request"));
  other = request;
  other.set_resume_token("nonsense");
  EXPECT_TRUE(Fails(Trace(other), StatusCode::kInvalidArgument, "resume_token"));
}

TEST_F(TraceAnswerTest, DoesNotGoOnOnceItsFiltersMatchOthers) {
  const auto chain = lineage_.AddChain(9);
  v1::TraceRequest request = From(chain[0]);
  request.mutable_scope()->set_stop_artifacts("uri = 's3://stop'");
  request.set_max_nodes(4);
  const v1::Completeness first = End(request);
  request.set_resume_token(first.resume_token());
  // Behind the place, the rest is another, and nothing is told twice.
  Artifact artifact = *Find<Artifact>(lineage_.store(), chain[6].id());
  artifact.set_uri("s3://stop");
  ASSERT_TRUE(IsOk(Update(lineage_.store(), artifact)));
  request.set_max_nodes(0);
  auto messages = Trace(request);
  ASSERT_TRUE(IsOk(messages));
  EXPECT_EQ(messages->front().nodes_size(), 3);
  // Before the place, it is another trace.
  artifact = *Find<Artifact>(lineage_.store(), chain[2].id());
  artifact.set_uri("s3://stop");
  ASSERT_TRUE(IsOk(Update(lineage_.store(), artifact)));
  EXPECT_TRUE(Fails(Trace(request), StatusCode::kFailedPrecondition, "start again"));
}

TEST_F(TraceAnswerTest, OfAWalkBeyondTheLimitsSaysWhereItEnded) {
  const auto chain = lineage_.AddChain(60'001);
  ReadLimits limits;
  limits.max_query_visits = 2000;
  v1::TraceRequest request = From(chain[0]);
  const auto messages = Trace(request, limits);
  // To order what was reached takes no more than to reach it.
  ASSERT_TRUE(IsOk(messages));
  const v1::Completeness& end = messages->back().completeness();
  EXPECT_FALSE(end.complete());
  EXPECT_TRUE(absl::StrContains(end.reason(), "hops from the start")) << end.reason();
  EXPECT_EQ(end.resume_token(), "");
  request.set_max_nodes(10);
  EXPECT_EQ(End(request, limits).resume_token(), "") << "the next walk may end elsewhere";
  EXPECT_TRUE(End(From(chain[0])).complete());
}

TEST_F(TraceAnswerTest, RefusesWhatIsWrong) {
  const LineageNode node = lineage_.AddArtifact();
  v1::TraceRequest request = From(node);
  request.set_max_nodes(-1);
  EXPECT_TRUE(Fails(Trace(request), StatusCode::kInvalidArgument, "max_nodes is -1"));
  request = From(node);
  request.set_direction(v1::LINEAGE_DIRECTION_UNSPECIFIED);
  EXPECT_TRUE(Fails(Trace(request), StatusCode::kInvalidArgument, "direction"));
  request = From(node);
  request.set_content(static_cast<v1::TraceRequest::Content>(7));
  EXPECT_TRUE(Fails(Trace(request), StatusCode::kInvalidArgument, "content"));
  request = From(LineageNode::Artifact(99));
  EXPECT_TRUE(Fails(Trace(request), StatusCode::kNotFound, "99"));
}

}  // namespace
}  // namespace pedigree
