#include "server/answer.h"

#include <algorithm>
#include <utility>

namespace pedigree {
namespace {
constexpr size_t kMaxAnswerBytes = (size_t{1} << 31) - 1;
constexpr size_t kFirstBytes = 256;
}  // namespace

bool Answer::Grow(size_t size) {
  is_full_ = is_full_ || used_ + size > kMaxAnswerBytes;
  if (is_full_) {
    buffer_.resize(used_);  // No more room, for anything small either.
    return false;
  }
  buffer_.resize(std::max({kFirstBytes, used_ + size, std::min(2 * used_, kMaxAnswerBytes)}));
  return true;
}

std::string Answer::Release() {
  buffer_.resize(std::exchange(used_, 0));
  return std::exchange(buffer_, {});
}

absl::string_view Answer::TypeNameOf(NodeKind kind, absl::string_view message) {
  const int64_t type_id = PeekTypeId(kind, message);
  if (type_id != last_type_id_) {  // Ids are unique over the kinds.
    last_type_id_ = type_id;
    last_type_name_ = catalog_->TypeName(kind, type_id);
  }
  return last_type_name_;
}

void Answer::AddNode(int number, NodeKind kind, const RecordView& record) {
  const absl::string_view message = record.message();
  const absl::string_view type = TypeNameOf(kind, message);
  const int type_field = FieldsOf(kind).type;
  const size_t size = message.size() + BytesFieldSize(type_field, type.size());
  char* to = Room(2 * kMaxVarintBytes + size);
  if (to == nullptr) return;
  to = WriteVarint(WriteVarint(to, TagOf(number, WireType::kLength)), size);
  to = std::copy(message.begin(), message.end(), to);
  used_ = static_cast<size_t>(to - buffer_.data());
  AddBytes(type_field, type);
}

void Answer::AddMessage(int number, const google::protobuf::MessageLite& message) {
  AddBytes(number, message.SerializeAsString());
}

void Answer::AddFields(const google::protobuf::MessageLite& message) {
  const std::string bytes = message.SerializeAsString();
  char* to = Room(bytes.size());
  if (to == nullptr) return;
  std::copy(bytes.begin(), bytes.end(), to);
  used_ += bytes.size();
}

// Moves the bytes within their memory; a second answer around them would ask for new memory, which
// the kernel clears page by page.
void Answer::Enclose(int number) {
  char head[2 * kMaxVarintBytes];
  char* end = WriteVarint(WriteVarint(head, TagOf(number, WireType::kLength)), used_);
  const auto size = static_cast<size_t>(end - head);
  if (Room(size) == nullptr) return;
  std::memmove(buffer_.data() + size, buffer_.data(), used_);
  std::memcpy(buffer_.data(), head, size);
  used_ += size;
}

void Answer::AddTextIfAny(int number, absl::string_view text) {
  if (!text.empty()) AddBytes(number, text);
}

absl::Status Answer::status() const {
  if (!is_full_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "the answer is larger than 2 GiB: ask for pages with options.max_result_size");
}

}  // namespace pedigree
