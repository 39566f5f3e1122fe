// Counting calls: by method and code, from any number of threads, through the dispatcher.
#include "server/call_metrics.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include "server/dispatcher.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;

uint64_t Count(const MethodMetrics& metrics, StatusCode code) {
  return metrics.finished[static_cast<size_t>(code)];
}

uint64_t Observed(const MethodMetrics& metrics) {
  const std::vector<uint64_t> counts = metrics.nanoseconds.Values().counts;
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

TEST(CallMetrics, EveryMethodHasItsOwn) {
  CallMetrics metrics(AllServices());
  std::set<const MethodMetrics*> found;
  size_t methods = 0;
  for (const ServiceTable& table : AllServices()) {
    for (const Method& method : table.methods) found.insert(metrics.Find(method));
    for (const StreamMethod& method : table.streams) found.insert(metrics.Find(method));
    methods += table.methods.size() + table.streams.size();
  }
  EXPECT_EQ(found.size(), methods);
  EXPECT_FALSE(found.contains(nullptr));
  const Method stranger = *FindMethod("GetArtifacts");
  EXPECT_EQ(metrics.Find(stranger), nullptr);

  size_t visited = 0;
  metrics.ForEach(
      [&](absl::string_view service, absl::string_view name, const MethodMetrics& numbers) {
        ++visited;
        const Method* method = FindMethod(service, name);
        const StreamMethod* stream = FindStreamMethod(service, name);
        ASSERT_TRUE(method != nullptr || stream != nullptr);
        EXPECT_EQ(&numbers, method != nullptr ? metrics.Find(*method) : metrics.Find(*stream));
      });
  EXPECT_EQ(visited, methods);
}

TEST(CallMetrics, CountOncePerCallAndCode) {
  CallMetrics metrics(AllServices());
  MethodMetrics* numbers = metrics.Find(*FindMethod("GetArtifacts"));
  CallTimer under_way(numbers);
  EXPECT_EQ(numbers->begun, 1U);
  EXPECT_EQ(Observed(*numbers), 0U);
  under_way.Finish(StatusCode::kNotFound);
  CallTimer(numbers).Finish(static_cast<StatusCode>(99));
  EXPECT_EQ(Count(*numbers, StatusCode::kNotFound), 1U);
  EXPECT_EQ(Count(*numbers, StatusCode::kUnknown), 1U);
  EXPECT_EQ(Observed(*numbers), 2U);
  CallTimer(nullptr).Finish(StatusCode::kOk);
}

TEST(CallMetrics, LoseNothingBetweenThreads) {
  CallMetrics metrics(AllServices());
  MethodMetrics* numbers = metrics.Find(*FindMethod("GetArtifacts"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) CallTimer(numbers).Finish(StatusCode::kOk);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(*numbers, StatusCode::kOk), 40'000U);
  EXPECT_EQ(numbers->begun, 40'000U);
  EXPECT_EQ(Observed(*numbers), 40'000U);
}

class Waits final : public ReplyTo {
 public:
  explicit Waits(std::promise<absl::Status>* done) : done_(done) {}
  bool IsCancelled() const override { return false; }
  void Done(absl::StatusOr<std::string> reply) override { done_->set_value(reply.status()); }

 private:
  std::promise<absl::Status>* const done_;
};

// Who has an answer finds its call counted.
TEST(CallMetrics, AreThoseOfTheDispatchersCalls) {
  testing::TestStore store;
  Dispatcher dispatcher(&store.store());
  const auto call = [&](const char* rpc, const std::string& request) {
    std::promise<absl::Status> done;
    dispatcher.Submit(*FindMethod(rpc), request, std::make_unique<Waits>(&done));
    return done.get_future().get();
  };
  const auto count = [&](const char* rpc, StatusCode code) {
    uint64_t found = 0;
    dispatcher.metrics().ForEach(
        [&](absl::string_view service, absl::string_view name, const MethodMetrics& numbers) {
          if (service == kServiceName && name == rpc) found = Count(numbers, code);
        });
    return found;
  };
  const std::string artifact =
      testing::TestStore::TextRequest("PutArtifacts", "artifacts { type_id: 1 }");
  EXPECT_TRUE(call("PutArtifacts", artifact).ok());
  EXPECT_EQ(count("PutArtifacts", StatusCode::kOk), 1U);
  EXPECT_FALSE(call("PutArtifacts", "\xff").ok());
  EXPECT_EQ(count("PutArtifacts", StatusCode::kInvalidArgument), 1U);
  EXPECT_TRUE(call("GetArtifacts", "").ok());
  EXPECT_EQ(count("GetArtifacts", StatusCode::kOk), 1U);
  EXPECT_EQ(count("GetExecutions", StatusCode::kOk), 0U);
}

}  // namespace
}  // namespace pedigree
