#include "bench/splice_cost.h"

#include <google/protobuf/util/message_differencer.h>
#include <time.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/interrupt.h"
#include "bench/workload.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/answer.h"
#include "server/rpc_traits.h"
#include "store/record.h"

namespace pedigree::bench {
namespace {

constexpr int64_t kTypeId = 10;
constexpr int kAnswersPerClockReading = 20;

double ThreadCpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

absl::Status CheckSameAnswer(const AnswerMaker& maker) {
  ml_metadata::GetArtifactsByIDResponse spliced, rebuilt;
  if (!spliced.ParseFromString(maker.Make(AnswerWay::kSplice)) ||
      !rebuilt.ParseFromString(maker.Make(AnswerWay::kParseAndSerialize)) ||
      !google::protobuf::util::MessageDifferencer::Equals(spliced, rebuilt)) {
    return absl::InternalError("the spliced answer differs from the serialised one");
  }
  return absl::OkStatus();
}

}  // namespace

AnswerMaker::AnswerMaker(size_t nodes) {
  auto type = std::make_shared<ml_metadata::ArtifactType>();
  type->set_id(kTypeId);
  type->set_name("system.Dataset");
  catalog_.Of<ml_metadata::Artifact>().Put(std::move(type));
  for (size_t i = 0; i < nodes; ++i) {
    ml_metadata::Artifact artifact = KfpArtifact(
        kTypeId,
        absl::StrCat("minio://mlpipeline/v2/artifacts/iris-training/", i * 7919, "/model"));
    artifact.set_id(static_cast<int64_t>(i) + 1'000'000);
    artifact.set_create_time_since_epoch(1'795'411'317'747);
    artifact.set_last_update_time_since_epoch(1'795'411'317'747);
    records_.push_back(EncodeRecord({2, 5}, FarLinks::kNone, artifact.SerializeAsString()));
  }
}

size_t AnswerMaker::record_bytes() const {
  size_t bytes = 0;
  for (const std::string& record : records_) bytes += record.size();
  return bytes;
}

std::string AnswerMaker::Make(AnswerWay way) const {
  return way == AnswerWay::kSplice ? Splice() : ParseAndSerialize();
}

std::string AnswerMaker::Splice() const {
  Answer answer(catalog_);
  for (const std::string& record : records_) {
    answer.AddNode(kNodesField, NodeKind::kArtifact, *RecordView::Parse(record));
  }
  return answer.Release();
}

std::string AnswerMaker::ParseAndSerialize() const {
  ml_metadata::GetArtifactsByIDResponse response;
  for (const std::string& record : records_) {
    const absl::string_view message = RecordView::Parse(record)->message();
    ml_metadata::Artifact* artifact = response.add_artifacts();
    artifact->ParseFromArray(message.data(), static_cast<int>(message.size()));
    const absl::string_view type = catalog_.TypeName(NodeKind::kArtifact, artifact->type_id());
    artifact->set_type(type.data(), type.size());
  }
  return response.SerializeAsString();
}

absl::StatusOr<double> MeasureCpuPerNode(const AnswerMaker& maker, AnswerWay way,
                                         std::chrono::milliseconds duration) {
  if (absl::Status same = CheckSameAnswer(maker); !same.ok()) return same;
  const size_t least_bytes = maker.record_bytes();
  const double bound = std::chrono::duration<double>(duration).count();
  const double begin = ThreadCpuSeconds();
  double used = 0;
  size_t answers = 0;
  while (used < bound) {
    if (Interrupted()) return InterruptedStatus();
    for (int i = 0; i < kAnswersPerClockReading; ++i) {
      if (maker.Make(way).size() < least_bytes) {
        return absl::InternalError("an answer is too short");
      }
    }
    answers += kAnswersPerClockReading;
    used = ThreadCpuSeconds() - begin;
  }
  return used * 1e6 / static_cast<double>(answers * maker.nodes());
}

}  // namespace pedigree::bench
