// A coroutine that is awaited by another one, or started by hand: sequences of calls that depend on
// one another read like blocking code, and one thread plays hundreds of them.
//
// It runs only once it is awaited or started. Destroying a suspended coroutine destroys what it
// awaits with it, which is how a sequence is given up: no error has to be handed up by hand.
//
// Threading: one thread at a time.
//
//   Coroutine<int64_t> PutAndGet(Pod& pod) { ...; co_return co_await pod.Get(id); }
//   Coroutine<void> all = All(std::move(parts));
//   all.Start();  // until it waits for the first time
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace pedigree::bench {

// What the coroutines of all results have in common: who goes on when this one is done.
class CoroutinePromise {
 public:
  struct ResumeWaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      return ended.promise().waiter_;
    }
    void await_resume() noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  ResumeWaiter final_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() { std::terminate(); }
  void set_waiter(std::coroutine_handle<> waiter) { waiter_ = waiter; }

 private:
  std::coroutine_handle<> waiter_ = std::noop_coroutine();
};

template <class T>
class ResultPromise : public CoroutinePromise {
 public:
  void return_value(T value) { result_.emplace(std::move(value)); }
  T TakeResult() { return *std::move(result_); }

 private:
  std::optional<T> result_;
};

template <>
class ResultPromise<void> : public CoroutinePromise {
 public:
  void return_void() {}
  void TakeResult() {}
};

template <class T>
class [[nodiscard]] Coroutine {
 public:
  struct promise_type : ResultPromise<T> {
    Coroutine get_return_object() { return Coroutine(Handle::from_promise(*this)); }
  };

  Coroutine() = default;
  Coroutine(Coroutine&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Coroutine& operator=(Coroutine&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Coroutine() {
    if (handle_) handle_.destroy();
  }

  // Runs until it waits or ends. REQUIRES: not empty, not started.
  void Start() { handle_.resume(); }
  // REQUIRES: not empty.
  bool done() const { return handle_.done(); }
  // Who is resumed when it ends. REQUIRES: it has not ended.
  void set_waiter(std::coroutine_handle<> waiter) { handle_.promise().set_waiter(waiter); }
  std::coroutine_handle<> handle() const { return handle_; }

  // Awaiting starts it.
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    set_waiter(waiter);
    return handle_;
  }
  T await_resume() { return handle_.promise().TakeResult(); }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  explicit Coroutine(Handle handle) : handle_(handle) {}

  Handle handle_;
};

namespace internal {

// Ends when it has been resumed `times` times.
inline Coroutine<void> Countdown(size_t times) {
  for (size_t i = 1; i < times; ++i) co_await std::suspend_always();
}

// Starts the parts; the waiter goes on when `countdown` has heard of all of them.
struct StartAll {
  std::vector<Coroutine<void>>& parts;
  Coroutine<void>& countdown;

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    countdown.set_waiter(waiter);
    for (Coroutine<void>& part : parts) {
      part.set_waiter(countdown.handle());
      part.Start();
    }
    return countdown.handle();
  }
  void await_resume() const noexcept {}
};

}  // namespace internal

// Runs all of `parts` at once and ends with the last of them.
inline Coroutine<void> All(std::vector<Coroutine<void>> parts) {
  // One more than the parts: it must not end while they are being started.
  Coroutine<void> countdown = internal::Countdown(parts.size() + 1);
  co_await internal::StartAll{parts, countdown};
}

}  // namespace pedigree::bench
