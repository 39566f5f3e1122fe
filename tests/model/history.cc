#include "tests/model/history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/model/compare.h"
#include "tests/model/invoke.h"

namespace pedigree::model {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

Player::Player() : clock_ms_(std::make_shared<std::atomic<int64_t>>(0)) {}

std::string Player::Open() {
  store_.reset();
  least_clock_ms_ = model_.state().last_time_ms;
  StoreOptions options;
  options.data_dir = directory_.path() + "/store";
  options.sync = Sync::kNever;
  options.block_cache_bytes = size_t{4} << 20;
  options.write_buffer_bytes = size_t{1} << 20;
  options.clock_ms = [clock = clock_ms_] { return clock->load(); };
  auto store = Store::Open(std::move(options));
  if (!store.ok()) return absl::StrCat("open: ", store.status().ToString());
  store_ = *std::move(store);
  return "";
}

std::string Player::Play(const Step& step) {
  if (store_ == nullptr) {
    if (std::string failure = Open(); !failure.empty()) return failure;
  }
  const int64_t clock_ms = std::max(step.clock_ms, least_clock_ms_);
  *clock_ms_ = clock_ms;
  std::vector<Call> calls;
  for (const auto& request : step.requests) {
    std::unique_ptr<Message> copy(request->New());
    copy->CopyFrom(*request);
    calls.push_back(MakeCallOf(std::move(copy)));
  }
  InvokeGroup(*store_, absl::MakeSpan(calls));
  model_.SeeClock(clock_ms);
  for (Call& call : calls) {
    std::unique_ptr<Message> expected(call.response->New());
    const Verdict verdict = model_.Write(*call.request, clock_ms, expected.get());
    if (verdict.ok()) ++stored_writes_;
    std::string difference = CompareWrite(call, verdict, *expected);
    if (!difference.empty()) return difference;
  }
  return step.reopen_after ? Open() : "";
}

std::string Player::CompareAll() {
  std::string failure = Difference(*store_, model_);
  return failure.empty() ? VerifyProblems(*store_) : failure;
}

std::string Player::Finish() {
  std::string failure = store_ == nullptr ? Open() : "";
  if (failure.empty()) failure = CompareAll();
  if (!failure.empty()) return failure;
  failure = Open();
  if (failure.empty()) failure = CompareAll();
  return failure.empty() ? "" : absl::StrCat("after a restart: ", failure);
}

std::string PlayAll(const History& history) {
  Player player;
  for (const Step& step : history) {
    if (std::string failure = player.Play(step); !failure.empty()) return failure;
  }
  return player.Finish();
}

namespace {

// Leaves out what can be left out while it still fails, from the end to the beginning, in ever
// smaller pieces.
template <class T, class Fails>
void LeaveOut(std::vector<T>* all, Fails fails) {
  for (size_t piece = std::max<size_t>(all->size() / 2, 1);; piece /= 2) {
    for (size_t end = all->size(); end > 0;) {
      const size_t begin = end > piece ? end - piece : 0;
      std::vector<T> without(all->begin(), all->begin() + static_cast<ptrdiff_t>(begin));
      without.insert(without.end(), all->begin() + static_cast<ptrdiff_t>(end), all->end());
      if (fails(without)) *all = std::move(without);
      end = begin;
    }
    if (piece == 1) return;
  }
}

// Tries to make one request smaller, field by field, while the history with it still fails.
class RequestShrinker {
 public:
  RequestShrinker(History* history, size_t step, size_t request)
      : history_(*history), slot_(history_[step].requests[request]) {}

  void Run() {
    smallest_.reset(slot_->New());
    smallest_->CopyFrom(*slot_);
    ShrinkFields(smallest_.get());
  }

 private:
  static constexpr int kMaxTries = 300;

  bool StillFails() {
    if (++tries_ > kMaxTries) return false;
    const auto before = slot_;
    std::shared_ptr<Message> tried(smallest_->New());
    tried->CopyFrom(*smallest_);
    slot_ = tried;
    if (!PlayAll(history_).empty()) return true;
    slot_ = before;
    return false;
  }

  void ShrinkFields(Message* part) {
    std::vector<const FieldDescriptor*> fields;
    part->GetReflection()->ListFields(*part, &fields);
    for (const FieldDescriptor* field : fields) ShrinkField(part, field);
  }

  void ShrinkField(Message* part, const FieldDescriptor* field) {
    const auto* reflection = part->GetReflection();
    std::unique_ptr<Message> before(part->New());
    before->CopyFrom(*part);
    reflection->ClearField(part, field);
    if (StillFails()) return;
    part->CopyFrom(*before);
    if (!field->is_repeated()) {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
      ShrinkFields(reflection->MutableMessage(part, field));
      return;
    }
    for (int i = reflection->FieldSize(*part, field) - 1; i >= 0; --i) {
      before->CopyFrom(*part);
      reflection->SwapElements(part, field, i, reflection->FieldSize(*part, field) - 1);
      reflection->RemoveLast(part, field);
      if (StillFails()) continue;
      part->CopyFrom(*before);
      if (field->is_map() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
      ShrinkFields(reflection->MutableRepeatedMessage(part, field, i));
    }
  }

  History& history_;
  std::shared_ptr<const Message>& slot_;
  std::unique_ptr<Message> smallest_;
  int tries_ = 0;
};

}  // namespace

History Shrink(History history) {
  LeaveOut(&history, [](const History& fewer) { return !PlayAll(fewer).empty(); });
  for (size_t i = 0; i < history.size(); ++i) {
    auto requests = history[i].requests;
    LeaveOut(&requests, [&](const auto& fewer) {
      History tried = history;
      tried[i].requests = fewer;
      return !PlayAll(tried).empty();
    });
    history[i].requests = requests;
  }
  for (size_t i = history.size(); i-- > 0;) {
    for (size_t k = history[i].requests.size(); k-- > 0;) RequestShrinker(&history, i, k).Run();
  }
  return history;
}

std::string Describe(const History& history) {
  std::string text;
  for (const Step& step : history) {
    for (const auto& request : step.requests) {
      absl::StrAppend(&text, "at ", step.clock_ms, " ", request->GetDescriptor()->name(), " {",
                      Text(*request), "}\n");
    }
    absl::StrAppend(&text, step.reopen_after ? "restart\n" : "-- end of group\n");
  }
  return text;
}

}  // namespace pedigree::model
