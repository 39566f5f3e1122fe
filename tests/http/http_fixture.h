// The HTTP listener in this process, over a real store, with limits that a test can choose, and a
// way to hold the committer so that calls stay under way.
//
// Threading: one thread.
//
// Example:
//   class MyTest : public HttpFixture { MyTest() { options_.limits.idle = ...; } };
//   StartHttp();
//   HttpClient client(port());
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/dispatcher.h"
#include "server/http/server.h"
#include "tests/http/http_client.h"
#include "tests/server/test_store.h"

namespace pedigree::testing {

inline const std::string kMlmd = "/ml_metadata.MetadataStoreService/";

// The bytes of a PutArtifacts request of one artifact with this uri.
inline std::string PutArtifactBytes(const std::string& uri) {
  ml_metadata::PutArtifactsRequest request;
  request.add_artifacts()->set_type_id(1);
  request.mutable_artifacts(0)->set_uri(uri);
  return request.SerializeAsString();
}

inline std::string PutArtifactCall(const std::string& uri, const std::string& headers = "") {
  return PostOf(kMlmd + "PutArtifacts", FrameOf(PutArtifactBytes(uri)), headers);
}

// Holds the committer's thread until it goes.
class HeldCommitter {
 public:
  explicit HeldCommitter(Store* store) {
    store->Enqueue(std::make_unique<Hold>(this));
    held_.WaitForNotification();
  }
  ~HeldCommitter() {
    Release();
    done_.WaitForNotification();
  }
  void Release() {
    if (!release_.HasBeenNotified()) release_.Notify();
  }

 private:
  class Hold final : public PendingWrite {
   public:
    explicit Hold(HeldCommitter* owner) : owner_(owner) {}
    absl::Status Run(Transaction&) override {
      owner_->held_.Notify();
      owner_->release_.WaitForNotification();
      return absl::OkStatus();
    }
    void Done(const absl::Status&) override { owner_->done_.Notify(); }
    size_t bytes() const override { return 0; }

   private:
    HeldCommitter* const owner_;
  };

  absl::Notification held_;
  absl::Notification release_;
  absl::Notification done_;
};

class HttpFixture : public ::testing::Test {
 protected:
  HttpFixture() : dispatcher_(std::make_unique<Dispatcher>(&store_.store())) {
    options_.host = "127.0.0.1";
    pages_.readiness = [this] { return readiness_; };
    pages_.metrics = [](const HttpStatistics& statistics) {
      return absl::StrCat("connections ", statistics.connections, "\nrefused ",
                          statistics.refused_connections, "\nreceiving ",
                          statistics.receiving_bytes, "\n");
    };
  }
  ~HttpFixture() override { http_.reset(); }

  void StartHttp() {
    auto started = HttpServer::Start(options_, dispatcher_.get(), pages_);
    ASSERT_TRUE(started.ok()) << started.status();
    http_ = *std::move(started);
  }
  int port() const { return http_->port(); }

  // The answer to a call on a new connection.
  GrpcWebReply Call(const std::string& method, const std::string& request,
                    const std::string& headers = "") {
    HttpClient client(port());
    const auto reply = client.Call(PostOf(kMlmd + method, FrameOf(request), headers));
    EXPECT_TRUE(reply.has_value());
    return reply.has_value() ? ReadGrpcWeb(*reply) : GrpcWebReply();
  }
  int ArtifactCount() {
    return store_.Must<ml_metadata::GetArtifactsResponse>("").artifacts_size();
  }
  // A listener that was hurt would not do this.
  void ExpectServes() {
    const int before = ArtifactCount();
    EXPECT_EQ(Call("PutArtifacts", PutArtifactBytes("still serving")).code, 0);
    EXPECT_GT(ArtifactCount(), before);  // What others left behind may come in between.
  }
  // Waits until the page of metrics has this line.
  bool WaitForMetric(const std::string& line) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    HttpClient client(port());
    while (absl::Now() < deadline) {
      const auto page = client.Call(GetOf("/metrics"));
      if (page.has_value() && page->body.find(line + "\n") != std::string::npos) return true;
      absl::SleepFor(absl::Milliseconds(2));
    }
    return false;
  }

  TestStore store_;
  std::unique_ptr<Dispatcher> dispatcher_;
  HttpOptions options_;
  HttpPages pages_;
  absl::Status readiness_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace pedigree::testing
