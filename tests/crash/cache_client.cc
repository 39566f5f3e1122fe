#include "tests/crash/cache_client.h"

#include "absl/strings/str_cat.h"
#include "tests/support/raw_client.h"

namespace pedigree::crash {
namespace {

using ml_metadata::Execution;

constexpr int64_t kLeaseMs = 600'000;
constexpr int64_t kWaitMs = 20'000;

bool IsGone(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::CANCELLED;
}

std::string Show(const grpc::Status& status) {
  return absl::StrCat("code ", static_cast<int>(status.error_code()), ": ", status.error_message());
}

}  // namespace

std::string FaultOfHit(const v1::CacheHit& hit) {
  const auto wanted = hit.execution().custom_properties().find("outputs");
  const bool is_whole = hit.execution().last_known_state() == Execution::COMPLETE &&
                        wanted != hit.execution().custom_properties().end() &&
                        wanted->second.int_value() == hit.outputs_size();
  if (!is_whole) return absl::StrCat("a hit that is not whole: ", hit.ShortDebugString());
  for (const auto& output : hit.outputs()) {
    if (output.artifact().id() != output.event().artifact_id() || output.artifact().id() == 0) {
      return absl::StrCat("a hit without its outputs: ", hit.ShortDebugString());
    }
  }
  return "";
}

v1::CacheKey CacheKeyOf(const std::string& fingerprint) {
  v1::CacheKey key;
  key.set_fingerprint(fingerprint);
  key.set_namespace_("n");
  key.set_scope(v1::NAMESPACE);
  return key;
}

grpc::Status CallCache(testing::BytesClient* client, const std::string& method,
                       const google::protobuf::Message& request,
                       google::protobuf::Message* response) {
  auto reply =
      client->Call(absl::StrCat("/pedigree.v1.CacheService/", method), request.SerializeAsString());
  if (reply.status.ok() && !response->ParseFromString(reply.bytes)) {
    return grpc::Status(grpc::StatusCode::INTERNAL, "the answer does not parse");
  }
  return reply.status;
}

CacheClient::CacheClient(int number, uint64_t seed, const std::string& address, CacheTypes types)
    : number_(number), types_(types), random_(seed), client_(testing::NewChannel(address)) {}

bool CacheClient::Expect(const grpc::Status& status, const std::string& what) {
  if (status.ok()) return true;
  if (!IsGone(status)) complaint_ = absl::StrCat(what, " answered ", Show(status));
  return false;
}

void CacheClient::Run() {
  while (Step()) {
  }
}

bool CacheClient::Step() {
  const std::string fingerprint = random_.OneIn(2) ? absl::StrCat("own", number_, "/", next_own_++)
                                                   : absl::StrCat("shared/", next_shared_++);
  v1::LookupOrReserveRequest request;
  *request.mutable_key() = CacheKeyOf(fingerprint);
  request.set_owner(absl::StrCat("client", number_));
  request.set_lease_ms(kLeaseMs);
  request.set_wait_ms(kWaitMs);
  v1::LookupOrReserveResponse response;
  if (!Expect(CallCache(&client_, "LookupOrReserve", request, &response), "LookupOrReserve")) {
    return false;
  }
  if (response.has_lease()) return Publish({fingerprint, response.lease().fencing_token()});
  if (!response.has_hit()) return true;
  ++hits_;
  complaint_ = FaultOfHit(response.hit());
  return complaint_.empty();
}

v1::PublishRequest CacheClient::PublishOf(const Publication& publication) {
  v1::PublishRequest request;
  *request.mutable_key() = CacheKeyOf(publication.fingerprint);
  request.set_fencing_token(publication.token);
  auto* put = request.mutable_put();
  put->mutable_execution()->set_type_id(types_.execution);
  const int64_t outputs = random_.Between(0, 4);
  for (int64_t i = 0; i < outputs; ++i) {
    auto* pair = put->add_artifact_event_pairs();
    pair->mutable_artifact()->set_type_id(types_.artifact);
    pair->mutable_event()->set_type(ml_metadata::Event::OUTPUT);
  }
  (*put->mutable_execution()->mutable_custom_properties())["outputs"].set_int_value(outputs);
  return request;
}

bool CacheClient::Publish(const Publication& publication) {
  under_way_ = publication;
  v1::PublishResponse response;
  if (!Expect(CallCache(&client_, "Publish", PublishOf(publication), &response), "Publish")) {
    return false;
  }
  under_way_.reset();
  acknowledged_[publication.fingerprint] = response.put().execution_id();
  return true;
}

std::string CacheClient::CheckAcknowledged(const std::string& fingerprint, int64_t execution) {
  v1::LookupRequest request;
  *request.mutable_key() = CacheKeyOf(fingerprint);
  v1::LookupResponse response;
  const grpc::Status status = CallCache(&client_, "Lookup", request, &response);
  if (!status.ok()) return absl::StrCat("Lookup answered ", Show(status));
  if (!response.has_hit() || response.hit().execution().id() != execution) {
    return absl::StrCat(fingerprint, " was published by execution ", execution,
                        ", now: ", response.ShortDebugString());
  }
  return FaultOfHit(response.hit());
}

// It has happened whole, and then its token is used up; or not at all, and then the lease is still
// this client's, and the token good.
std::string CacheClient::SettlePublication(const Publication& publication) {
  v1::LookupOrReserveRequest request;
  *request.mutable_key() = CacheKeyOf(publication.fingerprint);
  request.set_owner("another");
  v1::LookupOrReserveResponse found;
  grpc::Status status = CallCache(&client_, "LookupOrReserve", request, &found);
  if (!status.ok()) return absl::StrCat("LookupOrReserve answered ", Show(status));
  if (found.has_lease()) {
    return absl::StrCat("the lease of ", publication.fingerprint, " did not outlive the kill");
  }
  v1::PublishResponse published;
  status = CallCache(&client_, "Publish", PublishOf(publication), &published);
  if (found.has_busy()) {
    ++lost_unacknowledged_;
    if (!status.ok()) return absl::StrCat("a good token: ", Show(status));
    acknowledged_[publication.fingerprint] = published.put().execution_id();
    return "";
  }
  ++kept_unacknowledged_;
  if (status.error_code() != grpc::StatusCode::FAILED_PRECONDITION) {
    return absl::StrCat("a token was used twice: ", Show(status));
  }
  acknowledged_[publication.fingerprint] = found.hit().execution().id();
  return FaultOfHit(found.hit());
}

std::string CacheClient::Settle() {
  if (!complaint_.empty()) return complaint_;
  if (!client_.WaitForConnection()) return "the server cannot be reached";
  if (under_way_.has_value()) {
    if (std::string fault = SettlePublication(*under_way_); !fault.empty()) return fault;
    under_way_.reset();
  }
  for (const auto& [fingerprint, execution] : acknowledged_) {
    if (std::string fault = CheckAcknowledged(fingerprint, execution); !fault.empty()) return fault;
  }
  return "";
}

}  // namespace pedigree::crash
