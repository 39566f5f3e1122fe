#include "server/cache_requests.h"

#include "absl/strings/str_cat.h"
#include "server/validate.h"
#include "store/text.h"

namespace pedigree {
namespace {

using ml_metadata::Execution;

constexpr size_t kMostKeyBytes = 4096;
constexpr size_t kMostOwnerBytes = 256;
constexpr int64_t kLeastLeaseMs = 1000;
constexpr int64_t kMostLeaseMs = 86'400'000;

absl::Status CheckSize(absl::string_view field, const std::string& text) {
  if (text.size() <= kMostKeyBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "key.", field, " has ", text.size(), " bytes; at most ", kMostKeyBytes, " are allowed"));
}

absl::Status CheckKey(const v1::CacheKey& key) {
  if (key.fingerprint().empty()) return absl::InvalidArgumentError("key.fingerprint is empty");
  absl::Status status = CheckSize("fingerprint", key.fingerprint());
  if (status.ok()) status = CheckSize("namespace", key.namespace_());
  if (status.ok()) status = CheckSize("pipeline", key.pipeline());
  if (!status.ok()) return status;
  switch (key.scope()) {
    case v1::PIPELINE:
    case v1::NAMESPACE:
    case v1::ANY:
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError("key.scope must be PIPELINE, NAMESPACE or ANY");
  }
}

absl::Status CheckCondition(const v1::CacheCondition& condition) {
  if (condition.max_staleness_ms() >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError("condition.max_staleness_ms is less than 0");
}

// 0 stands for the default.
template <class Request>
absl::Status FillLease(Request* request) {
  if (request->lease_ms() == 0) request->set_lease_ms(kDefaultLeaseMs);
  if (request->lease_ms() >= kLeastLeaseMs && request->lease_ms() <= kMostLeaseMs) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("lease_ms must be 0, or from ", kLeastLeaseMs, " to ", kMostLeaseMs));
}

absl::Status FillExecution(const v1::CacheKey& key, Execution* execution) {
  auto& property = (*execution->mutable_custom_properties())[kFingerprintProperty];
  if (property.value_case() != ml_metadata::Value::VALUE_NOT_SET &&
      property.string_value() != key.fingerprint()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the execution's custom property ", kFingerprintProperty,
                     " is not key.fingerprint, ", Quoted(key.fingerprint())));
  }
  property.set_string_value(key.fingerprint());
  if (!execution->has_last_known_state()) execution->set_last_known_state(Execution::COMPLETE);
  if (execution->last_known_state() == Execution::COMPLETE ||
      execution->last_known_state() == Execution::CACHED) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("the execution's last_known_state must be COMPLETE or CACHED");
}

}  // namespace

absl::Status Prepare(v1::LookupRequest* request) {
  absl::Status status = CheckKey(request->key());
  return status.ok() ? CheckCondition(request->condition()) : status;
}

absl::Status Prepare(v1::LookupOrReserveRequest* request) {
  absl::Status status = CheckKey(request->key());
  if (status.ok()) status = CheckCondition(request->condition());
  if (status.ok()) status = FillLease(request);
  if (!status.ok()) return status;
  if (request->owner().empty() || request->owner().size() > kMostOwnerBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("owner must have 1 to ", kMostOwnerBytes, " bytes"));
  }
  if (request->wait_ms() < 0 || request->wait_ms() > kMostWaitMs) {
    return absl::InvalidArgumentError(absl::StrCat("wait_ms must be from 0 to ", kMostWaitMs));
  }
  return absl::OkStatus();
}

absl::Status Prepare(v1::RenewLeaseRequest* request) {
  absl::Status status = CheckKey(request->key());
  return status.ok() ? FillLease(request) : status;
}

absl::Status Prepare(v1::ReleaseLeaseRequest* request) { return CheckKey(request->key()); }

absl::Status Prepare(v1::PublishRequest* request) {
  absl::Status status = CheckKey(request->key());
  if (!status.ok()) return status;
  if (!request->has_put()) return absl::InvalidArgumentError("put is missing");
  status = Prepare(request->mutable_put());
  return status.ok() ? FillExecution(request->key(), request->mutable_put()->mutable_execution())
                     : status;
}

absl::Status Prepare(v1::InvalidateRequest* request) {
  switch (request->what_case()) {
    case v1::InvalidateRequest::kKey:
      return CheckKey(request->key());
    case v1::InvalidateRequest::kExecutionId:
    case v1::InvalidateRequest::kArtifactId:
      return absl::OkStatus();
    case v1::InvalidateRequest::WHAT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("one of key, execution_id and artifact_id must be set");
}

CacheQuestion CacheKeyTexts::Ask() const {
  CacheQuestion question;
  question.fingerprint_text = fingerprint_text_;
  question.scope = scope_;
  question.name_space = key_.namespace_();
  question.pipeline = key_.pipeline();
  return question;
}

CacheQuestion CacheKeyTexts::Ask(const v1::CacheCondition& condition, const CacheRuntime& runtime,
                                 int64_t now_ms) const {
  CacheQuestion question = Ask();
  question.max_staleness_ms = runtime.policy.StalenessFor(
      condition.has_max_staleness_ms() ? std::optional<int64_t>(condition.max_staleness_ms())
                                       : std::nullopt);
  question.require_live_outputs = condition.require_live_outputs();
  question.now_ms = now_ms;
  return question;
}

}  // namespace pedigree
