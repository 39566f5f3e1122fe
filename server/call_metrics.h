// Counts and times the calls of all services, whichever transport they come by.
//
// A call costs two looks at the clock and four additions to atomic numbers that only calls of the
// same method share. Threads: any.
//
//   CallMetrics metrics(AllServices());
//   CallTimer timer(metrics.Find(method));
//   timer.Finish(status.code());
//   metrics.ForEach([](service, method, const MethodMetrics& numbers) { ... });
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/methods.h"
#include "store/histogram.h"

namespace pedigree {

// Codes of calls are those of gRPC.
inline constexpr size_t kCodes = 17;

struct alignas(64) MethodMetrics {
  MethodMetrics();

  std::atomic<uint64_t> begun = 0;
  std::array<std::atomic<uint64_t>, kCodes> finished = {};  // By code.
  Histogram nanoseconds;
};

class CallMetrics {
 public:
  // `services` outlive this.
  explicit CallMetrics(absl::Span<const ServiceTable> services);

  // Null for a method that none of the services has.
  MethodMetrics* Find(const Method& method) { return FindIn(&ServiceTable::methods, method); }
  MethodMetrics* Find(const StreamMethod& method) { return FindIn(&ServiceTable::streams, method); }

  void ForEach(absl::FunctionRef<void(absl::string_view service, absl::string_view method,
                                      const MethodMetrics& metrics)>
                   visit) const;

 private:
  template <class AnyMethod>
  MethodMetrics* FindIn(absl::Span<const AnyMethod> ServiceTable::*methods,
                        const AnyMethod& method);

  const absl::Span<const ServiceTable> services_;
  size_t count_ = 0;
  // In the order of the services: first the methods of one, then its streams.
  std::unique_ptr<MethodMetrics[]> metrics_;
};

// The time of one call, from its construction on.
class CallTimer {
 public:
  // `metrics` is not owned; null counts nothing.
  explicit CallTimer(MethodMetrics* metrics) : metrics_(metrics) {
    if (metrics_ == nullptr) return;
    metrics_->begun.fetch_add(1, std::memory_order_relaxed);
    begin_ = std::chrono::steady_clock::now();
  }
  CallTimer(const CallTimer&) = delete;
  CallTimer& operator=(const CallTimer&) = delete;

  // To be called once.
  void Finish(absl::StatusCode code);

 private:
  MethodMetrics* const metrics_;
  std::chrono::steady_clock::time_point begin_ = {};
};

}  // namespace pedigree
