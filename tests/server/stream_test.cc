// Streams without a transport: one message at a time, one end, whoever brings it about and when.
#include "server/stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "server/workers.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;

constexpr milliseconds kLong{60'000};

// Answers "1 of <version>", "2 of <version>" ... up to the number that it was asked for; 0 fails.
class CountingCall final : public StreamCall {
 public:
  CountingCall() { ++alive; }
  ~CountingCall() override { --alive; }

  absl::Status Parse(absl::string_view request) override {
    if (absl::SimpleAtoi(request, &last_)) return absl::OkStatus();
    return absl::InvalidArgumentError("no number");
  }
  absl::StatusOr<StreamPart> Next(const Reader& reader) override {
    if (last_ == 0) return absl::NotFoundError("nothing to count");
    ++made;
    ++at_;
    StreamPart part;
    part.message = absl::StrCat(at_, " of ", reader.version().number);
    part.place = at_ == last_ ? StreamPart::Place::kLast : StreamPart::Place::kWithin;
    return part;
  }

  static std::atomic<int> alive;
  static std::atomic<int> made;

 private:
  int last_ = 0;
  int at_ = 0;
};
std::atomic<int> CountingCall::alive = 0;
std::atomic<int> CountingCall::made = 0;

constexpr StreamMethod kCounting = {
    "Count", []() -> std::unique_ptr<StreamCall> { return std::make_unique<CountingCall>(); }};

// A transport that does as the test says.
class Sink final : public StreamSink {
 public:
  bool IsCancelled() const override { return is_cancelled; }
  void Write(std::string message) override {
    std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_FALSE(is_writing_) << "one at a time";
    EXPECT_FALSE(end_.has_value()) << "after the end";
    is_writing_ = true;
    messages_.push_back(std::move(message));
    changed_.notify_all();
  }
  void Finish(const absl::Status& status) override {
    std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_FALSE(end_.has_value()) << "the second end";
    EXPECT_FALSE(is_writing_);
    end_ = status;
    changed_.notify_all();
  }
  void Abort() override {
    ++aborted;
    std::lock_guard<std::mutex> lock(mutex_);
    changed_.notify_all();
  }

  // The message that is being written. The test fails if none comes.
  std::string WaitForMessage() {
    Wait([this] { return is_writing_; });
    std::lock_guard<std::mutex> lock(mutex_);
    return messages_.empty() ? "" : messages_.back();
  }
  absl::Status WaitForEnd() {
    Wait([this] { return end_.has_value(); });
    std::lock_guard<std::mutex> lock(mutex_);
    return end_.value_or(absl::InternalError("no end"));
  }
  void WaitForAbort() {
    Wait([this] { return aborted > 0; });
  }
  // False if the stream has ended.
  bool WaitForMessageOrEnd() {
    Wait([this] { return is_writing_ || end_.has_value(); });
    std::lock_guard<std::mutex> lock(mutex_);
    return is_writing_;
  }
  // The transport is done with the message.
  void Written() {
    std::lock_guard<std::mutex> lock(mutex_);
    is_writing_ = false;
  }
  size_t message_count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return messages_.size();
  }

  std::atomic<bool> is_cancelled = false;
  std::atomic<int> aborted = 0;

 private:
  template <class Condition>
  void Wait(Condition condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kLong, condition));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> messages_;
  bool is_writing_ = false;
  std::optional<absl::Status> end_;
};

class StreamTest : public ::testing::Test {
 protected:
  explicit StreamTest(milliseconds idle_limit = kLong) : streams_(idle_limit) {
    CountingCall::made = 0;
  }
  ~StreamTest() override { EXPECT_EQ(CountingCall::alive, 0) << "calls are freed at the end"; }

  std::shared_ptr<Stream> NewStream(Sink* sink) {
    return std::make_shared<Stream>(&*store_, &workers_, &streams_, sink);
  }
  std::shared_ptr<Stream> Start(const std::string& request, Sink* sink) {
    auto stream = NewStream(sink);
    stream->Start(kCounting, request);
    return stream;
  }
  static void Acknowledge(Stream& stream, Sink& sink) {
    sink.Written();
    stream.OnWritten(Stream::Written::kYes);
  }
  static void Fail(Stream& stream, Sink& sink) {
    sink.Written();
    stream.OnWritten(Stream::Written::kFailed);
  }

  TestStore store_;
  Workers workers_;
  Streams streams_;
};

TEST_F(StreamTest, MakesAMessageWhenTheOneBeforeIsWritten) {
  Sink sink;
  const auto stream = Start("3", &sink);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(sink.WaitForMessage()[0], '0' + i);
    EXPECT_EQ(CountingCall::made, i);
    Acknowledge(*stream, sink);
  }
  EXPECT_TRUE(IsOk(sink.WaitForEnd()));
  EXPECT_EQ(sink.message_count(), 3u);
}

TEST_F(StreamTest, IsOfOneVersion) {
  Sink sink;
  const auto stream = Start("3", &sink);
  const std::string first = sink.WaitForMessage();
  PutType<ml_metadata::Artifact>(store_, "type");
  Acknowledge(*stream, sink);
  EXPECT_EQ(sink.WaitForMessage().substr(1), first.substr(1));
  Fail(*stream, sink);
  Sink later_sink;
  const auto later = Start("1", &later_sink);
  EXPECT_NE(later_sink.WaitForMessage().substr(1), first.substr(1));
  Acknowledge(*later, later_sink);
  EXPECT_TRUE(IsOk(later_sink.WaitForEnd()));
}

TEST_F(StreamTest, EndsWithTheErrorOfItsRequestOrCall) {
  Sink wrong;
  Start("no number", &wrong);
  EXPECT_TRUE(Fails(wrong.WaitForEnd(), StatusCode::kInvalidArgument));
  Sink failing;
  Start("0", &failing);
  EXPECT_TRUE(Fails(failing.WaitForEnd(), StatusCode::kNotFound, "nothing to count"));
  EXPECT_EQ(wrong.message_count() + failing.message_count(), 0u);
}

TEST_F(StreamTest, EndsWhenTheClientHasGone) {
  Sink written;
  auto stream = Start("3", &written);
  written.WaitForMessage();
  stream->OnCancelled();  // Waits for the transport, which fails then.
  Fail(*stream, written);
  EXPECT_TRUE(Fails(written.WaitForEnd(), StatusCode::kCancelled));

  Sink unmade;
  unmade.is_cancelled = true;
  stream = Start("3", &unmade);
  EXPECT_TRUE(Fails(unmade.WaitForEnd(), StatusCode::kCancelled));
  EXPECT_EQ(unmade.message_count(), 0u);
  stream->OnCancelled();
}

TEST_F(StreamTest, EndsBetweenMessagesWhenTheServerStops) {
  Sink sink;
  const auto stream = Start("3", &sink);
  sink.WaitForMessage();
  streams_.EndAll();
  EXPECT_EQ(sink.aborted, 0) << "the message may still be written";
  Acknowledge(*stream, sink);
  EXPECT_TRUE(Fails(sink.WaitForEnd(), StatusCode::kUnavailable, "stopping"));
  EXPECT_EQ(sink.message_count(), 1u);
  Sink late;
  Start("3", &late);
  EXPECT_TRUE(Fails(late.WaitForEnd(), StatusCode::kUnavailable, "stopping"));
}

TEST_F(StreamTest, IsRefusedBeyondAThousand) {
  constexpr size_t kMost = 1000;
  std::vector<std::unique_ptr<Sink>> sinks;
  std::vector<std::shared_ptr<Stream>> all;
  for (size_t i = 0; i < kMost; ++i) {
    sinks.push_back(std::make_unique<Sink>());
    all.push_back(Start("2", sinks.back().get()));
  }
  for (const auto& sink : sinks) sink->WaitForMessage();
  Sink refused;
  Start("2", &refused);
  EXPECT_TRUE(Fails(refused.WaitForEnd(), StatusCode::kUnavailable, "1000 streams"));
  Fail(*all[0], *sinks[0]);
  EXPECT_TRUE(Fails(sinks[0]->WaitForEnd(), StatusCode::kCancelled));
  Sink fits;
  all.push_back(Start("1", &fits));
  fits.WaitForMessage();
  Acknowledge(*all.back(), fits);
  EXPECT_TRUE(IsOk(fits.WaitForEnd()));
  for (size_t i = 1; i < kMost; ++i) Fail(*all[i], *sinks[i]);
}

class IdleStreamTest : public StreamTest {
 protected:
  IdleStreamTest() : StreamTest(milliseconds(40)) {}
};

TEST_F(IdleStreamTest, IsAbortedIfNobodyTakesItsMessages) {
  Sink sink;
  const auto stream = Start("3", &sink);
  sink.WaitForMessage();
  sink.WaitForAbort();
  Fail(*stream, sink);
  EXPECT_TRUE(Fails(sink.WaitForEnd(), StatusCode::kCancelled));
  EXPECT_EQ(sink.aborted, 1);
}

// Clients that read, go, or fail at any time, and a server that stops in the middle: each stream
// ends once (the sinks see to it), and nothing is left behind (the fixture does).
TEST_F(StreamTest, EndsOnceWhateverRaces) {
  constexpr int kRounds = 30;
  constexpr size_t kThreads = 6;
  Random random;
  for (int round = 0; round < kRounds; ++round) {
    Streams streams(milliseconds(random.OneIn(2) ? 1 : 60'000));
    std::vector<std::thread> clients;
    for (size_t i = 0; i < kThreads; ++i) {
      clients.emplace_back([&, seed = random.Bits()] {
        Random own(seed);
        for (int call = 0; call < 20; ++call) {
          Sink sink;
          const auto stream = std::make_shared<Stream>(&*store_, &workers_, &streams, &sink);
          stream->Start(kCounting, std::to_string(own.Between(0, 5)));
          std::thread canceller;
          if (own.OneIn(2)) {
            canceller = std::thread([&sink, stream] {
              sink.is_cancelled = true;
              stream->OnCancelled();
            });
          }
          while (sink.WaitForMessageOrEnd()) {
            sink.is_cancelled || own.OneIn(10) ? Fail(*stream, sink) : Acknowledge(*stream, sink);
          }
          const absl::Status end = sink.WaitForEnd();
          EXPECT_NE(end.code(), StatusCode::kInternal) << end;
          if (canceller.joinable()) canceller.join();
        }
      });
    }
    if (random.OneIn(2)) streams.EndAll();
    for (std::thread& client : clients) client.join();
  }
}

}  // namespace
}  // namespace pedigree
