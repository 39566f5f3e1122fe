#include "tests/model/model.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace pedigree::model {
namespace {

template <class Node>
void AddType(State* state, const char* name) {
  auto type = std::make_shared<typename Things<Node>::Type>();
  type->set_id(++state->last_type_id);
  type->set_name(name);
  state->Of<Node>().types[type->id()] = std::move(type);
}

}  // namespace

bool Verdict::Allows(absl::StatusCode code) const {
  if (ok()) return code == absl::StatusCode::kOk;
  return std::find(faults_.begin(), faults_.end(), code) != faults_.end();
}

std::string Verdict::ToString() const {
  if (ok()) return "OK";
  return absl::StrJoin(faults_, " or ", [](std::string* out, absl::StatusCode code) {
    out->append(absl::StatusCodeToString(code));
  });
}

State::State() {
  for (const char* name : {"mlmd.Dataset", "mlmd.Model", "mlmd.Metrics", "mlmd.Statistics"}) {
    AddType<ml_metadata::Artifact>(this, name);
  }
  for (const char* name :
       {"mlmd.Train", "mlmd.Transform", "mlmd.Process", "mlmd.Evaluate", "mlmd.Deploy"}) {
    AddType<ml_metadata::Execution>(this, name);
  }
}

bool IsUnchanged(const State& before, const State& after) {
  // What is not written again is shared, so pointers say enough.
  const auto same = [&]<class Node>(const Things<Node>& things) {
    return things.nodes == after.Of<Node>().nodes && things.types == after.Of<Node>().types;
  };
  return std::apply([&](const auto&... things) { return (same(things) && ...); }, before.things) &&
         before.events == after.events &&
         std::equal(std::begin(before.links), std::end(before.links), std::begin(after.links));
}

void Model::SkipIdsOf(const Model& other) {
  const auto skip = [](auto* mine, const auto& theirs) {
    mine->last_id = std::max(mine->last_id, theirs.last_id);
  };
  std::apply(
      [&](auto&... mine) {
        std::apply([&](const auto&... theirs) { (skip(&mine, theirs), ...); }, other.state_.things);
      },
      state_.things);
  state_.last_type_id = std::max(state_.last_type_id, other.state_.last_type_id);
  state_.last_time_ms = std::max(state_.last_time_ms, other.state_.last_time_ms);
}

std::string CanonicalBytes(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializePartialToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace pedigree::model
