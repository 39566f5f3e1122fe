#include "server/answer.h"

#include "store/wire.h"

namespace pedigree {
namespace {
constexpr size_t kMaxAnswerBytes = (size_t{1} << 31) - 1;
}

bool Answer::HasRoomFor(size_t size) {
  is_full_ = is_full_ || bytes_.size() + size > kMaxAnswerBytes;
  return !is_full_;
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
  if (!HasRoomFor(BytesFieldSize(number, size))) return;
  AppendFieldHead(&bytes_, number, size);
  bytes_.append(message.data(), message.size());
  AppendBytesField(&bytes_, type_field, type);
}

void Answer::AddBytes(int number, absl::string_view bytes) {
  if (!HasRoomFor(BytesFieldSize(number, bytes.size()))) return;
  AppendBytesField(&bytes_, number, bytes);
}

void Answer::AddMessage(int number, const google::protobuf::MessageLite& message) {
  AddBytes(number, message.SerializeAsString());
}

void Answer::AddFields(const google::protobuf::MessageLite& message) {
  if (HasRoomFor(message.ByteSizeLong())) message.AppendToString(&bytes_);
}

// Moves the bytes within their memory; a second answer around them would ask for new memory, which
// the kernel clears page by page.
void Answer::Enclose(int number) {
  std::string head;
  AppendFieldHead(&head, number, bytes_.size());
  if (HasRoomFor(head.size())) bytes_.insert(0, head);
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
