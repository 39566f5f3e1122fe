#include "cli/connection.h"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/connection_kinds.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "pedigree/v1/lineage.pb.h"
#include "pedigree/v1/query.pb.h"
#include "tests/cli/fixture.h"
#include "tests/server/identity.h"
#include "tests/server/program.h"
#include "tests/support/loopback_port.h"

namespace pedigree::cli {
namespace {

using ml_metadata::GetArtifactsByIDRequest;
using ml_metadata::GetArtifactsByIDResponse;

constexpr char kById[] = "/ml_metadata.MetadataStoreService/GetArtifactsByID";
constexpr char kTrace[] = "/pedigree.v1.LineageService/Trace";

absl::Status AskForArtifact(const ConnectionOptions& options) {
  const auto connection = Connection::Open(options);
  if (!connection.ok()) return connection.status();
  GetArtifactsByIDRequest request;
  request.add_artifact_ids(3);
  GetArtifactsByIDResponse answer;
  absl::Status status = (*connection)->Call(kById, request, &answer);
  if (status.ok() && (answer.artifacts_size() != 1 || answer.artifacts(0).name() != "churn-v1")) {
    return absl::InternalError(answer.ShortDebugString());
  }
  return status;
}

v1::TraceRequest TraceOfModel() {
  v1::TraceRequest request;
  v1::NodeRef* node = request.mutable_start()->add_nodes();
  node->set_kind(v1::ARTIFACT);
  node->set_id(3);
  request.set_direction(v1::UPSTREAM);
  return request;
}

// What must hold of both kinds of connection.
void ExpectAnswers(Connection* connection) {
  GetArtifactsByIDRequest request;
  request.add_artifact_ids(3);
  GetArtifactsByIDResponse answer;
  ASSERT_TRUE(connection->Call(kById, request, &answer).ok());
  EXPECT_EQ(answer.artifacts(0).name(), "churn-v1");

  const absl::Status unknown = connection->Call("/pedigree.v1.NoService/Nothing", request, &answer);
  EXPECT_EQ(unknown.code(), absl::StatusCode::kUnimplemented) << unknown;

  int nodes = 0;
  const auto count = [&nodes](v1::TraceResponse& part) {
    nodes += part.nodes_size();
    return true;
  };
  EXPECT_TRUE(connection->Stream<v1::TraceResponse>(kTrace, TraceOfModel(), count).ok());
  EXPECT_EQ(nodes, 6);  // Model, training, features, preprocessing twice, data.

  // A visitor that has enough ends the stream, which is no error; and so the next call works.
  int parts = 0;
  const auto once = [&parts](v1::TraceResponse&) { return ++parts == 0; };
  EXPECT_TRUE(connection->Stream<v1::TraceResponse>(kTrace, TraceOfModel(), once).ok());
  EXPECT_EQ(parts, 1);
  EXPECT_TRUE(connection->Call(kById, request, &answer).ok());

  v1::TraceRequest wrong = TraceOfModel();
  wrong.mutable_start()->mutable_nodes(0)->set_id(4711);
  const absl::Status status = connection->Stream<v1::TraceResponse>(kTrace, wrong, count);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;

  // The answer to another question: a model is no UTF-8.
  v1::ExplainResponse no_answer;
  EXPECT_EQ(connection->Call(kById, request, &no_answer).code(), absl::StatusCode::kInternal);
}

TEST(Connection, AnswersFromAServerAsFromItsStore) {
  const HistoryStore history;
  const auto server = history.Serve();
  ASSERT_NE(server, nullptr);
  const auto remote = Connection::Open({.server = server->address()});
  ASSERT_TRUE(remote.ok()) << remote.status();
  EXPECT_EQ((*remote)->where(), server->address());
  ExpectAnswers(remote->get());
  const auto local = Connection::Open({.data_dir = history.data_dir()});
  ASSERT_TRUE(local.ok()) << local.status();
  EXPECT_EQ((*local)->where(), history.data_dir());
  ExpectAnswers(local->get());
}

TEST(Connection, SaysWhatToDoWhenNobodyIsThere) {
  const auto port = testing::FreeLoopbackPort();
  ASSERT_TRUE(port.ok());
  for (const std::string& server :
       {absl::StrCat("127.0.0.1:", *port), std::string("unix:/nowhere/socket")}) {
    const absl::Status status = AskForArtifact({.server = server});
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(absl::StartsWith(status.message(), absl::StrCat("cannot reach ", server, ": ")))
        << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "is pedigreed running? say --server"))
        << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "\n"));
  }
}

TEST(Connection, RefusesWhatDoesNotFitTogether) {
  const auto code = [](const ConnectionOptions& options) {
    return Connection::Open(options).status().code();
  };
  EXPECT_EQ(code({.server = "localhost:1", .data_dir = "/tmp"}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.tls_cert = "/a"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.tls_key = "/a"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.tls_ca = "/no/such/file"}), absl::StatusCode::kNotFound);
  EXPECT_EQ(code({.principal = "zo\xc3\xab"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.data_dir = "/no/such/store"}), absl::StatusCode::kNotFound);
}

TEST(Connection, SpeaksTls) {
  const HistoryStore history;
  // Not 127.0.0.1: names in certificates are names.
  const testing::Identity identity = testing::MakeIdentity("localhost");
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(history.Below(name)) << text;
    return history.Below(name);
  };
  const std::string config = write("config.pbtxt", testing::SslConfig(identity));
  const std::string ca = write("ca.pem", identity.certificate);
  const auto port = testing::FreeLoopbackPort();
  ASSERT_TRUE(port.ok());
  testing::Program program({.path = kProgramDir + "/pedigreed",
                            .args = {"--data_dir=" + history.data_dir(), "--listen=127.0.0.1",
                                     absl::StrCat("--grpc_port=", *port),
                                     "--metadata_store_server_config_file=" + config}});
  ASSERT_TRUE(program.WaitForOutput(" serves ")) << program.Output();
  const std::string server = absl::StrCat("localhost:", *port);
  EXPECT_TRUE(AskForArtifact({.server = server, .tls_ca = ca}).ok());
  const std::string other = write("other.pem", testing::MakeIdentity("localhost").certificate);
  const absl::Status wary = AskForArtifact({.server = server, .tls_ca = other});
  EXPECT_EQ(wary.code(), absl::StatusCode::kUnavailable) << wary;
  EXPECT_TRUE(absl::StrContains(wary.message(), "with TLS")) << wary;
  EXPECT_EQ(AskForArtifact({.server = server, .tls = true}).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(AskForArtifact({.server = server}).code(), absl::StatusCode::kUnavailable);
}

TEST(Target, NamesAddressesAsSuch) {
  EXPECT_EQ(*TargetOf("localhost"), "dns:///localhost:8080");
  EXPECT_EQ(*TargetOf("metadata.kubeflow:80"), "dns:///metadata.kubeflow:80");
  EXPECT_EQ(*TargetOf("10.0.0.1"), "ipv4:10.0.0.1:8080");
  EXPECT_EQ(*TargetOf("10.0.0.1:99"), "ipv4:10.0.0.1:99");
  EXPECT_EQ(*TargetOf("[::1]:99"), "ipv6:[::1]:99");
  EXPECT_EQ(*TargetOf("[::1]"), "ipv6:[::1]:8080");
  EXPECT_EQ(*TargetOf("unix:/run/pedigree"), "unix:/run/pedigree");
  for (const char* wrong : {":8080", "::1", "a:b", "a:0", "a:65536", "http://a:80", "[::1", "a:"}) {
    EXPECT_EQ(TargetOf(wrong).status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
}

TEST(Principal, IsTheUserUnlessOneIsGiven) {
  setenv("USER", "alice", 1);
  EXPECT_EQ(*PrincipalOf(""), "alice");
  EXPECT_EQ(*PrincipalOf("ci-job 7"), "ci-job 7");
  setenv("USER", "zo\xc3\xab", 1);
  EXPECT_EQ(*PrincipalOf(""), "");  // It cannot be sent, and nobody asked for it.
  unsetenv("USER");
  EXPECT_EQ(*PrincipalOf(""), "");
  EXPECT_FALSE(PrincipalOf(std::string(257, 'x')).ok());
  EXPECT_FALSE(PrincipalOf("a\nb").ok());
}

}  // namespace
}  // namespace pedigree::cli
