#include "store/record.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "store/codec.h"
#include "store/wire.h"

namespace pedigree {

std::string SerializeSame(const google::protobuf::MessageLite& message) {
  std::string bytes;
  bytes.reserve(message.ByteSizeLong());
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeWithCachedSizes(&coded);
  coded.Trim();
  return bytes;
}

std::optional<RecordView> RecordView::Parse(absl::string_view bytes) {
  RecordView view;
  ByteReader reader(bytes);
  uint64_t head = 0;
  if (!reader.ReadVarint(&head)) return std::nullopt;
  view.link_count_ = head >> 1;
  view.has_far_links_ = (head & 1) != 0;
  if (view.link_count_ > bytes.size()) return std::nullopt;
  const absl::string_view links = reader.rest();
  constexpr uint64_t kMaxId = std::numeric_limits<int64_t>::max();
  uint64_t last = 0;
  for (uint64_t i = 0; i < view.link_count_; ++i) {
    uint64_t delta = 0;
    if (!reader.ReadVarint(&delta) || delta == 0 || delta > kMaxId - last) return std::nullopt;
    last += delta;
  }
  view.link_bytes_ = links.substr(0, links.size() - reader.rest().size());
  view.message_ = reader.rest();
  return view;
}

std::vector<int64_t> RecordView::NearLinks() const {
  std::vector<int64_t> links;
  links.reserve(link_count_);
  VisitNearLinks([&](int64_t context) { links.push_back(context); });
  return links;
}

void RecordView::VisitNearLinks(absl::FunctionRef<void(int64_t context)> visit) const {
  ByteReader reader(link_bytes_);
  int64_t last = 0;
  for (uint64_t delta = 0; reader.ReadVarint(&delta);) {
    last += static_cast<int64_t>(delta);
    visit(last);
  }
}

std::string EncodeRecord(absl::Span<const int64_t> near_links, FarLinks far_links,
                         absl::string_view message) {
  std::string bytes;
  bytes.reserve(near_links.size() * 5 + 1 + message.size());
  AppendVarint(&bytes, near_links.size() * 2 + (far_links == FarLinks::kSome ? 1 : 0));
  int64_t last = 0;
  for (int64_t link : near_links) {
    AppendVarint(&bytes, static_cast<uint64_t>(link - last));
    last = link;
  }
  bytes.append(message.data(), message.size());
  return bytes;
}

int64_t PeekTypeId(NodeKind kind, absl::string_view message) {
  WireCursor cursor(message);
  while (auto field = cursor.Next()) {
    if (field->number == FieldsOf(kind).type_id) return field->AsInt64();
  }
  return 0;
}

std::optional<NodePeek> PeekNode(NodeKind kind, absl::string_view message) {
  return PeekNode(kind, message, [](bool, absl::string_view) {});
}

std::optional<NodePeek> PeekNode(NodeKind kind, absl::string_view message,
                                 VisitPropertyEntry visit) {
  const NodeFields& fields = FieldsOf(kind);
  NodePeek peek;
  WireCursor cursor(message);
  while (auto field = cursor.Next()) {
    if (field->number == fields.id) peek.id = field->AsInt64();
    if (field->number == fields.type_id) peek.type_id = field->AsInt64();
    if (field->number == fields.create_time) peek.create_time_ms = field->AsInt64();
    if (field->number == fields.last_update_time) peek.last_update_time_ms = field->AsInt64();
    if (field->number == fields.name) peek.name = field->bytes;
    if (field->number == fields.external_id) peek.external_id = field->bytes;
    if (field->number == fields.uri) peek.uri = field->bytes;
    if (field->number == fields.state) peek.state = static_cast<int32_t>(field->scalar);
    if (field->number == fields.properties) visit(false, field->bytes);
    if (field->number == fields.custom_properties) visit(true, field->bytes);
  }
  if (!cursor.ok()) return std::nullopt;
  return peek;
}

void AppendEventToChunk(absl::string_view event, std::string* chunk) {
  AppendVarint(chunk, event.size());
  chunk->append(event.data(), event.size());
}

bool VisitChunk(absl::string_view chunk, absl::FunctionRef<bool(absl::string_view event)> visit) {
  ByteReader reader(chunk);
  while (!reader.AtEnd()) {
    uint64_t size = 0;
    absl::string_view event;
    if (!reader.ReadVarint(&size) || !reader.ReadBytes(size, &event)) return false;
    if (!visit(event)) return true;
  }
  return true;
}

std::string Counters::Encode() const {
  std::string bytes;
  for (int64_t id : last_node_id) AppendId(&bytes, id);
  AppendId(&bytes, last_type_id);
  AppendId(&bytes, last_event_number);
  AppendId(&bytes, last_time_ms);
  return bytes;
}

bool Counters::Decode(absl::string_view bytes, Counters* out) {
  ByteReader reader(bytes);
  for (int64_t& id : out->last_node_id) {
    if (!reader.ReadId(&id)) return false;
  }
  return reader.ReadId(&out->last_type_id) && reader.ReadId(&out->last_event_number) &&
         reader.ReadId(&out->last_time_ms) && reader.AtEnd();
}

absl::Status DamagedRecord(absl::string_view what, int64_t id) {
  return absl::DataLossError(absl::StrCat(
      what, " ", id, ": its stored bytes do not decode; the store is damaged: restore a backup"));
}

}  // namespace pedigree
