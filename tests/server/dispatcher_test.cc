#include "server/dispatcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

namespace mlmd = ml_metadata;
using absl::StatusCode;
using ::pedigree::testing::IsUtf8;
using ::pedigree::testing::TestStore;
using Reply = absl::StatusOr<std::string>;

// Keeps the reply, and who brought it. A call that is never answered hangs the test, a call that is
// answered twice throws within std::promise.
class KeptReply final : public ReplyTo {
 public:
  struct Result {
    Reply reply;
    std::thread::id thread;
  };
  explicit KeptReply(std::future<Result>* result, const std::atomic<bool>* cancelled = nullptr)
      : cancelled_(cancelled) {
    *result = promise_.get_future();
  }
  bool IsCancelled() const override { return cancelled_ != nullptr && *cancelled_; }
  void Done(Reply reply) override {
    promise_.set_value({std::move(reply), std::this_thread::get_id()});
  }

 private:
  std::promise<Result> promise_;
  const std::atomic<bool>* const cancelled_;
};

class DispatcherTest : public ::testing::Test {
 protected:
  DispatcherTest() : dispatcher_(std::make_unique<Dispatcher>(&store_.store())) {}

  std::future<KeptReply::Result> Submit(absl::string_view rpc, std::string bytes,
                                        const std::atomic<bool>* cancelled = nullptr) {
    std::future<KeptReply::Result> result;
    dispatcher_->Submit(*FindMethod(rpc), bytes, std::make_unique<KeptReply>(&result, cancelled));
    std::fill(bytes.begin(), bytes.end(), '\xee');  // The request is read before Submit returns.
    return result;
  }
  Reply Call(absl::string_view rpc, const std::string& text) {
    return Submit(rpc, TestStore::TextRequest(rpc, text)).get().reply;
  }
  void PutArtifacts(int count) {
    mlmd::PutArtifactsRequest request;
    for (int i = 0; i < count; ++i) request.add_artifacts()->set_type_id(1);
    ASSERT_TRUE(Submit("PutArtifacts", request.SerializeAsString()).get().reply.ok());
  }

  TestStore store_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, AnswersWritesAndReads) {
  const Reply put = Call("PutArtifacts", "artifacts { type_id: 1 uri: 'u' }");
  ASSERT_TRUE(put.ok()) << put.status();
  mlmd::PutArtifactsResponse ids;
  ASSERT_TRUE(ids.ParseFromString(*put));
  EXPECT_EQ(ids.artifact_ids(0), 1);
  const Reply get = Call("GetArtifactsByID", "artifact_ids: 1");
  mlmd::GetArtifactsByIDResponse response;
  ASSERT_TRUE(get.ok() && response.ParseFromString(*get));
  EXPECT_EQ(response.artifacts(0).uri(), "u");
  EXPECT_EQ(response.artifacts(0).type(), "mlmd.Dataset");
}

TEST_F(DispatcherTest, AnswersErrorsOfParsingAndOfHandlers) {
  EXPECT_EQ(Submit("PutArtifacts", "\xff").get().reply.status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Submit("GetArtifacts", "\xff").get().reply.status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Call("PutArtifacts", "artifacts { type_id: 99 }").status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(Call("GetArtifactType", "type_name: 'x'").status().code(), StatusCode::kNotFound);
}

TEST_F(DispatcherTest, AShortReadOfWhatIsInMemoryIsAnsweredAtOnce) {
  PutArtifacts(10);
  const auto result = Submit("GetArtifacts", "").get();
  EXPECT_TRUE(result.reply.ok());
  EXPECT_EQ(result.thread, std::this_thread::get_id());
}

TEST_F(DispatcherTest, ATypeThatIsThereIsPutAtOnce) {
  const std::string type = "artifact_type { name: 't' properties { key: 'a' value: INT } }";
  const auto put = [&](const std::string& text) {
    return Submit("PutArtifactType", TestStore::TextRequest("PutArtifactType", text)).get();
  };
  const auto first = put(type);
  ASSERT_TRUE(first.reply.ok());
  EXPECT_NE(first.thread, std::this_thread::get_id());
  const auto again = put(type);
  EXPECT_EQ(again.reply, first.reply);
  EXPECT_EQ(again.thread, std::this_thread::get_id());
  // What changes the type, or is refused, is a matter for the committer.
  const auto more = put(
      "artifact_type { name: 't' properties { key: 'a' value: INT } properties { key: 'b' value: "
      "INT } } can_add_fields: true");
  EXPECT_EQ(more.reply, first.reply);
  EXPECT_NE(more.thread, std::this_thread::get_id());
  EXPECT_EQ(put(type).reply.status().code(), StatusCode::kAlreadyExists);
}

TEST_F(DispatcherTest, ALongReadIsAnsweredWholeOnAnotherThread) {
  constexpr int kCount = 3 * static_cast<int>(kCacheOnlyVisits);
  PutArtifacts(kCount);
  for (const char* rpc : {"GetArtifacts", "GetArtifactsByID"}) {
    mlmd::GetArtifactsByIDRequest by_id;
    for (int id = 1; id <= kCount; ++id) by_id.add_artifact_ids(id);
    const auto result =
        Submit(rpc, rpc == std::string("GetArtifacts") ? "" : by_id.SerializeAsString()).get();
    EXPECT_NE(result.thread, std::this_thread::get_id());
    mlmd::GetArtifactsResponse response;
    ASSERT_TRUE(result.reply.ok() && response.ParseFromString(*result.reply));
    ASSERT_EQ(response.artifacts_size(), kCount) << rpc;
    for (int i = 0; i < kCount; ++i) ASSERT_EQ(response.artifacts(i).id(), i + 1);
  }
}

// Looking 100,000 times for what is not there is long, too: the threads of a transport have others
// to serve.
TEST_F(DispatcherTest, AReadOfVeryManyKeysIsAnsweredOnAnotherThread) {
  constexpr int kCount = 100'000;
  mlmd::GetArtifactsByExternalIdsRequest by_external_id;
  mlmd::GetArtifactsByURIRequest by_uri;
  mlmd::GetEventsByExecutionIDsRequest by_execution;
  mlmd::GetEventsByArtifactIDsRequest by_artifact;
  mlmd::GetParentContextsByContextsRequest parents;
  mlmd::GetChildrenContextsByContextsRequest children;
  for (int i = 1; i <= kCount; ++i) {
    by_external_id.add_external_ids(absl::StrCat(i));
    by_uri.add_uris(absl::StrCat(i));
    by_execution.add_execution_ids(i);
    by_artifact.add_artifact_ids(i);
    parents.add_context_ids(i);
    children.add_context_ids(i);
  }
  const std::pair<const char*, const google::protobuf::Message*> requests[] = {
      {"GetArtifactsByExternalIds", &by_external_id}, {"GetArtifactsByURI", &by_uri},
      {"GetEventsByExecutionIDs", &by_execution},     {"GetEventsByArtifactIDs", &by_artifact},
      {"GetParentContextsByContexts", &parents},      {"GetChildrenContextsByContexts", &children}};
  for (const auto& [rpc, request] : requests) {
    const auto begin = std::chrono::steady_clock::now();
    auto result = Submit(rpc, request->SerializeAsString());
    const auto held = std::chrono::steady_clock::now() - begin;
    EXPECT_NE(result.get().thread, std::this_thread::get_id())
        << rpc << " held the thread for "
        << std::chrono::duration_cast<std::chrono::milliseconds>(held).count() << " ms";
  }
}

TEST_F(DispatcherTest, AWriteWhoseClientWentAwayIsNotBegun) {
  const auto before = store_.Dump();
  const std::atomic<bool> gone = true;
  const auto result =
      Submit("PutArtifacts", TestStore::TextRequest("PutArtifacts", "artifacts { type_id: 1 }"),
             &gone)
          .get();
  EXPECT_EQ(result.reply.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(testing::Difference(before, store_.Dump()), "");
}

// Texts are cut to 1 KiB, wherever in a character the cut falls.
TEST_F(DispatcherTest, LongErrorTextsAreCutBetweenCharacters) {
  int cut = 0;
  for (int shift = 0; shift < 8; ++shift) {
    // Control characters take four bytes each in a message, characters of UTF-8 keep theirs.
    const std::string stem(static_cast<size_t>(50 + shift), '\x01');
    std::string name = stem;
    while (name.size() < 80) name += "\xf0\x9f\x8c\xb3";
    mlmd::PutArtifactTypeRequest type;
    type.mutable_artifact_type()->set_name(std::string(75, '\x02') + std::to_string(shift));
    mlmd::PutArtifactTypeResponse type_id;
    const Reply put = Submit("PutArtifactType", type.SerializeAsString()).get().reply;
    ASSERT_TRUE(put.ok() && type_id.ParseFromString(*put));

    mlmd::PutArtifactsRequest request;
    auto* artifact = request.add_artifacts();
    artifact->set_type_id(type_id.type_id());
    artifact->set_name(std::string(80, '\x03'));
    (*artifact->mutable_properties())[name].set_int_value(1);
    const absl::Status status =
        Submit("PutArtifacts", request.SerializeAsString()).get().reply.status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_LE(status.message().size(), kMaxErrorBytes);
    EXPECT_TRUE(IsUtf8(status.message())) << status.message();
    cut += absl::EndsWith(status.message(), "...");
  }
  SUCCEED() << cut << " texts were cut";
}

TEST_F(DispatcherTest, MegabytesOfNameMakeAShortText) {
  const std::string huge(3 << 20, 'x');
  std::string wide;
  while (wide.size() < (3 << 20)) wide += "\xe6\x9c\xa8";
  for (const std::string& name : {huge, wide, std::string(3 << 20, '\0')}) {
    mlmd::PutArtifactsRequest put;
    put.add_artifacts()->set_type_id(1);
    put.mutable_artifacts(0)->set_name(name);
    EXPECT_TRUE(Submit("PutArtifacts", put.SerializeAsString()).get().reply.ok());
    mlmd::GetArtifactTypeRequest get_type;
    get_type.set_type_name(name);
    get_type.set_type_version(name);
    mlmd::GetContextsByExternalIdsRequest by_external_id;
    by_external_id.add_external_ids(name);
    mlmd::PutExecutionsRequest bad_property;
    bad_property.add_executions()->set_type_id(5);
    (*bad_property.mutable_executions(0)->mutable_properties())[name].set_string_value(name);
    mlmd::PutContextTypeRequest bad_type;
    (*bad_type.mutable_context_type()->mutable_properties())[name] = mlmd::UNKNOWN;
    const std::pair<const char*, const google::protobuf::Message*> requests[] = {
        {"PutArtifacts", &put},
        {"GetArtifactType", &get_type},
        {"GetContextsByExternalIds", &by_external_id},
        {"PutExecutions", &bad_property},
        {"PutContextType", &bad_type}};
    for (const auto& [rpc, request] : requests) {
      const absl::Status status = Submit(rpc, request->SerializeAsString()).get().reply.status();
      EXPECT_FALSE(status.ok()) << rpc;
      EXPECT_LE(status.message().size(), kMaxErrorBytes) << rpc;
      EXPECT_TRUE(IsUtf8(status.message())) << rpc << ": " << status.message();
    }
  }
}

TEST_F(DispatcherTest, EveryCallFromManyThreadsIsAnsweredOnce) {
  constexpr int kThreads = 6;
  constexpr int kCalls = 200;
  PutArtifacts(static_cast<int>(kCacheOnlyVisits) + 100);
  const std::string one_artifact = TestStore::TextRequest("GetArtifactsByID", "artifact_ids: 1");
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::future<KeptReply::Result>> results;
      for (int i = 0; i < kCalls; ++i) {
        if (i % 2 == 0) {
          const std::string text =
              absl::StrCat("executions { type_id: 5 name: '", t, "-", i, "' }");
          results.push_back(Submit("PutExecutions", TestStore::TextRequest("PutExecutions", text)));
        } else if (i % 50 == 49) {
          results.push_back(Submit("GetArtifacts", ""));
        } else {
          results.push_back(Submit("GetArtifactsByID", one_artifact));
        }
      }
      for (auto& result : results) answered += result.get().reply.ok();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kThreads * kCalls);
  store_.ExpectSound();
}

TEST_F(DispatcherTest, ItsEndAnswersWhatStillWaits) {
  PutArtifacts(3 * static_cast<int>(kCacheOnlyVisits));
  std::vector<std::future<KeptReply::Result>> results;
  for (int i = 0; i < 200; ++i) results.push_back(Submit("GetArtifacts", ""));
  dispatcher_.reset();
  int done = 0;
  for (auto& result : results) {
    ASSERT_EQ(result.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    const Reply reply = result.get().reply;
    EXPECT_TRUE(reply.ok() || reply.status().code() == StatusCode::kUnavailable) << reply.status();
    done += reply.ok();
  }
  SUCCEED() << done << " were answered with a list";
}

TEST_F(DispatcherTest, AWriteThatWaitsWhenTheDispatcherEndsIsDone) {
  std::vector<std::future<KeptReply::Result>> results;
  for (int i = 0; i < 500; ++i) {
    results.push_back(
        Submit("PutArtifacts", TestStore::TextRequest("PutArtifacts", "artifacts { type_id: 1 }")));
  }
  dispatcher_.reset();
  for (auto& result : results) EXPECT_TRUE(result.get().reply.ok());
}

}  // namespace
}  // namespace pedigree
