#include "bench/coroutine.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pedigree::bench {
namespace {

// Coroutines that wait here go on when the test says so.
class Gate {
 public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) { waiters_.push_back(waiter); }
  void await_resume() const noexcept {}

  size_t waiting() const { return waiters_.size(); }
  void LetOneGo() {
    const std::coroutine_handle<> first = waiters_.front();
    waiters_.erase(waiters_.begin());
    first.resume();
  }

 private:
  std::vector<std::coroutine_handle<>> waiters_;
};

Coroutine<int> Add(Gate& gate, int a, int b) {
  co_await gate;
  co_return a + b;
}

Coroutine<void> AddThree(Gate& gate, int& sum) {
  const int two = co_await Add(gate, 1, 1);
  sum = co_await Add(gate, two, 1);
}

Coroutine<void> Append(Gate& gate, std::string text, std::string& to) {
  co_await gate;
  to += text;
}

Coroutine<void> AppendAll(Gate& gate, int parts, std::string& to) {
  std::vector<Coroutine<void>> all;
  for (int i = 0; i < parts; ++i) all.push_back(Append(gate, std::to_string(i), to));
  co_await All(std::move(all));
  to += "!";
}

Coroutine<void> Hold(Gate& gate, std::shared_ptr<int> held) {
  co_await gate;
  ++*held;
}

Coroutine<void> HoldTwice(Gate& gate, std::shared_ptr<int> held) {
  std::vector<Coroutine<void>> both;
  both.push_back(Hold(gate, held));
  both.push_back(Hold(gate, held));
  co_await All(std::move(both));
}

TEST(Coroutine, RunsOnlyOnceItIsStarted) {
  Gate gate;
  int sum = 0;
  Coroutine<void> body = AddThree(gate, sum);
  EXPECT_EQ(gate.waiting(), 0u);
  body.Start();
  EXPECT_EQ(gate.waiting(), 1u);
}

TEST(Coroutine, HandsUpResultsOfWhatItAwaits) {
  Gate gate;
  int sum = 0;
  Coroutine<void> body = AddThree(gate, sum);
  body.Start();
  gate.LetOneGo();
  EXPECT_FALSE(body.done());
  gate.LetOneGo();
  EXPECT_TRUE(body.done());
  EXPECT_EQ(sum, 3);
}

TEST(Coroutine, AllRunAtOnceAndEndWithTheLast) {
  Gate gate;
  std::string text;
  Coroutine<void> body = AppendAll(gate, 3, text);
  body.Start();
  EXPECT_EQ(gate.waiting(), 3u);
  gate.LetOneGo();
  gate.LetOneGo();
  EXPECT_EQ(text, "01");
  EXPECT_FALSE(body.done());
  gate.LetOneGo();
  EXPECT_EQ(text, "012!");
  EXPECT_TRUE(body.done());
}

TEST(Coroutine, AllOfNothingEndsAtOnce) {
  Gate gate;
  std::string text;
  Coroutine<void> body = AppendAll(gate, 0, text);
  body.Start();
  EXPECT_TRUE(body.done());
  EXPECT_EQ(text, "!");
}

TEST(Coroutine, DestroyedItDestroysWhatItAwaits) {
  Gate gate;
  const auto held = std::make_shared<int>(0);
  {
    Coroutine<void> body = HoldTwice(gate, held);
    body.Start();
    EXPECT_EQ(held.use_count(), 4);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

}  // namespace
}  // namespace pedigree::bench
