#include "server/call_metrics.h"

#include <functional>
#include <type_traits>

namespace pedigree {
namespace {

// From an answer out of memory to one that people complain about: 50 us to 10 s.
constexpr int64_t kBounds[] = {50'000,      100'000,       250'000,       500'000,
                               1'000'000,   2'500'000,     5'000'000,     10'000'000,
                               25'000'000,  50'000'000,    100'000'000,   250'000'000,
                               500'000'000, 1'000'000'000, 2'500'000'000, 10'000'000'000};

}  // namespace

MethodMetrics::MethodMetrics() : nanoseconds(kBounds) {}

CallMetrics::CallMetrics(absl::Span<const ServiceTable> services) : services_(services) {
  for (const ServiceTable& table : services_) count_ += table.methods.size() + table.streams.size();
  metrics_ = std::make_unique<MethodMetrics[]>(count_);
}

// A method is known by its place in its table, so that nothing has to be looked up by name.
template <class AnyMethod>
MethodMetrics* CallMetrics::FindIn(absl::Span<const AnyMethod> ServiceTable::*methods,
                                   const AnyMethod& method) {
  constexpr bool kIsStream = std::is_same_v<AnyMethod, StreamMethod>;
  constexpr std::less<const AnyMethod*> kIsBefore;  // Defined for pointers into different arrays.
  size_t first = 0;
  for (const ServiceTable& table : services_) {
    const absl::Span<const AnyMethod> all = table.*methods;
    const AnyMethod* const end = all.data() + all.size();
    if (!kIsBefore(&method, all.data()) && kIsBefore(&method, end)) {
      const size_t before = kIsStream ? table.methods.size() : 0;
      return &metrics_[first + before + static_cast<size_t>(&method - all.data())];
    }
    first += table.methods.size() + table.streams.size();
  }
  return nullptr;
}

template MethodMetrics* CallMetrics::FindIn(absl::Span<const Method> ServiceTable::*,
                                            const Method&);
template MethodMetrics* CallMetrics::FindIn(absl::Span<const StreamMethod> ServiceTable::*,
                                            const StreamMethod&);

void CallMetrics::ForEach(
    absl::FunctionRef<void(absl::string_view, absl::string_view, const MethodMetrics&)> visit)
    const {
  const MethodMetrics* next = metrics_.get();
  for (const ServiceTable& table : services_) {
    for (const Method& method : table.methods) visit(table.name, method.name, *next++);
    for (const StreamMethod& method : table.streams) visit(table.name, method.name, *next++);
  }
}

void CallTimer::Finish(absl::StatusCode code) {
  if (metrics_ == nullptr) return;
  const auto elapsed = std::chrono::steady_clock::now() - begin_;
  auto index = static_cast<size_t>(code);
  if (index >= kCodes) index = static_cast<size_t>(absl::StatusCode::kUnknown);
  metrics_->nanoseconds.Observe(
      std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
  metrics_->finished[index].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace pedigree
