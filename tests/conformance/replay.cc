#include "tests/conformance/replay.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/conformance/compare.h"
#include "tests/conformance/ids.h"

namespace pedigree::conformance {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kShownDetailBytes = 300;

std::string CodeNames(const std::vector<grpc::StatusCode>& codes) {
  return absl::StrJoin(codes, " or ", [](std::string* out, grpc::StatusCode code) {
    absl::StrAppend(out, CodeName(code));
  });
}

// Returns the field next_page_token of a message, nullptr if it has none.
const FieldDescriptor* TokenField(const Message& message) {
  return message.GetDescriptor()->FindFieldByName("next_page_token");
}

// The events of one execution are answered in the order of their insertion.
bool AsksForOneExecutionsEvents(const Message& request) {
  const auto* events = dynamic_cast<const ml_metadata::GetEventsByExecutionIDsRequest*>(&request);
  if (events == nullptr) return false;
  const auto& ids = events->execution_ids();
  return std::set<int64_t>(ids.begin(), ids.end()).size() == 1;
}

class Replayer {
 public:
  Replayer(const Transcript& transcript, const CallFunction& call, const ReplayOptions& options)
      : transcript_(transcript), call_(call), options_(options) {}

  ReplayResult Run() {
    for (const Step& step : transcript_.steps) {
      if (RunStep(step) == Next::kSkipTheRest) {
        Fail(step, "the rest of this file is skipped");
        break;
      }
    }
    return std::move(result_);
  }

 private:
  enum class Next { kContinue, kSkipTheRest };

  Next RunStep(const Step& step) {
    ++result_.steps;
    const std::unique_ptr<Message> request = testing::NewMessage(step.rpc->input_type());
    const std::unique_ptr<Message> response = testing::NewMessage(step.rpc->output_type());
    if (const absl::Status filled = FillRequest(step, *request); !filled.ok()) {
      Fail(step, filled.message());
      return Next::kSkipTheRest;
    }
    const grpc::Status status = Call(step, *request, response.get());
    if (!(step.needs & options_.not_built_yet).empty() && !CheckIsBuilt(step, status)) {
      return Next::kContinue;
    }
    if (!step.Allows(status.error_code())) return FailCode(step, status);
    if (!status.ok()) {
      CheckErrorText(step, status);
    } else {
      CheckResponse(step, *request, *response);
    }
    return Next::kContinue;
  }

  absl::Status FillRequest(const Step& step, Message& request) {
    const absl::StatusOr<std::string> json = FillTemplates(step.request_json, ids_);
    if (!json.ok()) return json.status();
    if (const absl::Status read = FromJson(*json, &request); !read.ok()) return read;
    RenameIds(request, [this](IdKind kind, int64_t id) { return ids_.ToActual(kind, id); });
    CarryToken(request);
    return absl::OkStatus();
  }

  // Replaces a recorded page token by the one that was answered in its place.
  void CarryToken(Message& request) {
    const FieldDescriptor* options = request.GetDescriptor()->FindFieldByName("options");
    if (options == nullptr || !request.GetReflection()->HasField(request, options)) return;
    Message& list_options = *request.GetReflection()->MutableMessage(&request, options);
    const FieldDescriptor* field = TokenField(list_options);
    if (field == nullptr) return;
    const auto found = tokens_.find(list_options.GetReflection()->GetString(list_options, field));
    if (found == tokens_.end()) return;
    list_options.GetReflection()->SetString(&list_options, field, found->second);
  }

  grpc::Status Call(const Step& step, const Message& request, Message* response) {
    const absl::Time start = absl::Now();
    grpc::Status status = call_(step, request, response);
    result_.time_in_calls += absl::Now() - start;
    if (step.IsPut()) absl::SleepFor(options_.pause_after_put);
    return status;
  }

  // Returns whether the answer of a call that needs what is not built is to be compared.
  bool CheckIsBuilt(const Step& step, const grpc::Status& status) {
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
      ++result_.unimplemented;
      CheckErrorText(step, status);
      return false;
    }
    if (options_.not_built == NotBuilt::kMayBeUnimplemented) return true;
    Fail(step, absl::StrCat("code ", CodeName(status.error_code()),
                            ", want UNIMPLEMENTED: if this is built now, take it out of "
                            "kNotBuiltYet in tests/conformance/capabilities.h",
                            Details(status)));
    return false;
  }

  Next FailCode(const Step& step, const grpc::Status& status) {
    Fail(step, absl::StrCat("code ", CodeName(status.error_code()), ", want ",
                            CodeNames(step.codes), Details(status)));
    const bool stored_differently = status.ok() || step.Allows(grpc::StatusCode::OK);
    return step.IsPut() && stored_differently ? Next::kSkipTheRest : Next::kContinue;
  }

  void CheckErrorText(const Step& step, const grpc::Status& status) {
    const size_t bytes = status.error_message().size();
    if (bytes <= options_.max_error_bytes) return;
    Fail(step,
         absl::StrCat("an error text of ", bytes, " bytes, more than ", options_.max_error_bytes));
  }

  void CheckResponse(const Step& step, const Message& request, Message& got) {
    const std::unique_ptr<Message> want = testing::NewMessage(step.rpc->output_type());
    if (const absl::Status read = FromJson(step.response_json, want.get()); !read.ok()) {
      return Fail(step, read.message());
    }
    if (step.IsPut() || step.ordered) {
      BindAllIds(*want, got, ids_);
    } else {
      BindTypeIds(*want, got, ids_);
    }
    KeepToken(*want, got);
    RenameIds(got, [this](IdKind kind, int64_t id) { return ids_.ToRecorded(kind, id); });
    const bool ordered = step.ordered || AsksForOneExecutionsEvents(request);
    Normalise(*want, ordered ? Order::kAsAnswered : Order::kAny);
    Normalise(got, ordered ? Order::kAsAnswered : Order::kAny);
    if (DeterministicBytes(*want) != DeterministicBytes(got)) {
      Fail(step, absl::StrCat("response differs", DescribeDifference(*want, got)));
    }
  }

  void KeepToken(const Message& want, const Message& got) {
    const FieldDescriptor* field = TokenField(want);
    if (field == nullptr) return;
    const std::string recorded = want.GetReflection()->GetString(want, field);
    if (!recorded.empty()) tokens_[recorded] = got.GetReflection()->GetString(got, field);
  }

  static std::string Details(const grpc::Status& status) {
    return absl::StrCat(" (", status.error_message().substr(0, kShownDetailBytes), ")");
  }

  void Fail(const Step& step, absl::string_view what) {
    result_.failures.push_back(
        absl::StrCat(transcript_.file_name, ":", step.line, " ", step.rpc->name(), ": ", what));
  }

  const Transcript& transcript_;
  const CallFunction& call_;
  const ReplayOptions& options_;
  IdBinding ids_;
  std::map<std::string, std::string> tokens_;  // Recorded -> answered.
  ReplayResult result_;
};

}  // namespace

CallFunction CallsOf(testing::RawClient& client) {
  return [&client](const Step& step, const Message& request, Message* response) {
    return client.Call(step.rpc->name(), request, response);
  };
}

ReplayResult Replay(const Transcript& transcript, const CallFunction& call,
                    const ReplayOptions& options) {
  return Replayer(transcript, call, options).Run();
}

}  // namespace pedigree::conformance
