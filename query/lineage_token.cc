#include "query/lineage_token.h"

#include "absl/strings/escaping.h"
#include "query/page_token.h"
#include "store/codec.h"

namespace pedigree {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

std::string EncodeResumeToken(absl::string_view request, const LineageResume& resume) {
  std::string bytes;
  AppendU8(&bytes, kVersion);
  AppendBe64(&bytes, DigestOf(request));
  AppendBe32(&bytes, resume.bounds.last_event);
  AppendBe32(&bytes, resume.bounds.last_artifact);
  AppendBe32(&bytes, resume.bounds.last_execution);
  AppendBe64(&bytes, resume.place);
  AppendBe64(&bytes, resume.nodes_digest);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<LineageResume> DecodeResumeToken(absl::string_view request,
                                                absl::string_view token) {
  std::string bytes;
  uint8_t version = 0;
  uint64_t digest = 0;
  LineageResume resume;
  if (!absl::WebSafeBase64Unescape(token, &bytes)) bytes.clear();
  ByteReader reader(bytes);
  if (!reader.ReadU8(&version) || !reader.ReadBe64(&digest) ||
      !reader.ReadBe32(&resume.bounds.last_event) ||
      !reader.ReadBe32(&resume.bounds.last_artifact) ||
      !reader.ReadBe32(&resume.bounds.last_execution) || !reader.ReadBe64(&resume.place) ||
      !reader.ReadBe64(&resume.nodes_digest) || !reader.AtEnd() || version != kVersion) {
    return absl::InvalidArgumentError(
        "resume_token is not one that this server made: start again without it");
  }
  if (digest != DigestOf(request)) {
    return absl::InvalidArgumentError(
        "resume_token belongs to another request: everything but max_nodes must be as it was");
  }
  return resume;
}

}  // namespace pedigree
