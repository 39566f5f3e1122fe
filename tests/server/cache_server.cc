#include "tests/server/cache_server.h"

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

class KeptReply final : public ReplyTo {
 public:
  KeptReply(std::future<CacheServer::Reply>* result, const std::atomic<bool>* cancelled)
      : cancelled_(cancelled) {
    *result = promise_.get_future();
  }
  bool IsCancelled() const override { return cancelled_ != nullptr && *cancelled_; }
  void Done(CacheServer::Reply reply) override { promise_.set_value(std::move(reply)); }

 private:
  std::promise<CacheServer::Reply> promise_;
  const std::atomic<bool>* const cancelled_;
};

}  // namespace

CacheServer::CacheServer() {
  EXPECT_EQ(PutType<ml_metadata::Artifact>(store_, "a"), kArtifactType);
  EXPECT_EQ(PutType<ml_metadata::Execution>(store_, "e"), kExecutionType);
  EXPECT_EQ(PutType<ml_metadata::Context>(store_, "system.Pipeline"), kPipelineType);
  EXPECT_EQ(PutType<ml_metadata::Context>(store_, "run"), kRunType);
  dispatcher_ = std::make_unique<Dispatcher>(&*store_);
}

void CacheServer::Restart() {
  dispatcher_.reset();
  store_.Reopen();
  dispatcher_ = std::make_unique<Dispatcher>(&*store_);
}

std::future<CacheServer::Reply> CacheServer::Start(const std::string& method,
                                                   const google::protobuf::Message& request,
                                                   const std::atomic<bool>* cancelled) {
  const Method* found = FindMethod(kCacheServiceName, method);
  if (found == nullptr) found = FindMethod(method);
  std::future<Reply> result;
  dispatcher_->Submit(*found, request.SerializeAsString(),
                      std::make_unique<KeptReply>(&result, cancelled));
  return result;
}

int64_t CacheServer::PutContext(int64_t type, const std::string& name,
                                const std::string& name_space) {
  ml_metadata::PutContextsRequest request;
  auto* context = request.add_contexts();
  context->set_type_id(type);
  context->set_name(name);
  if (!name_space.empty()) {
    (*context->mutable_custom_properties())["namespace"].set_string_value(name_space);
  }
  auto response = Call<ml_metadata::PutContextsResponse>("PutContexts", request);
  EXPECT_TRUE(IsOk(response));
  return response.ok() ? response->context_ids(0) : 0;
}

v1::CacheKey KeyOf(const std::string& fingerprint, const std::string& name_space,
                   const std::string& pipeline, v1::CacheScope scope) {
  v1::CacheKey key;
  key.set_fingerprint(fingerprint);
  key.set_namespace_(name_space);
  key.set_pipeline(pipeline);
  key.set_scope(scope);
  return key;
}

ml_metadata::PutExecutionRequest PutOf(ml_metadata::Execution::State state, int outputs) {
  ml_metadata::PutExecutionRequest request;
  request.mutable_execution()->set_type_id(CacheServer::kExecutionType);
  request.mutable_execution()->set_last_known_state(state);
  for (int i = 0; i < outputs; ++i) {
    auto* pair = request.add_artifact_event_pairs();
    pair->mutable_artifact()->set_type_id(CacheServer::kArtifactType);
    pair->mutable_artifact()->set_state(ml_metadata::Artifact::LIVE);
    pair->mutable_event()->set_type(ml_metadata::Event::OUTPUT);
    pair->mutable_event()->mutable_path()->add_steps()->set_key(absl::StrCat("out", i));
  }
  return request;
}

void SetText(ml_metadata::Execution* execution, const std::string& name, const std::string& text) {
  (*execution->mutable_custom_properties())[name].set_string_value(text);
}

}  // namespace pedigree
