#include "tests/conformance/compare.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/conformance/reflection.h"

namespace pedigree::conformance {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int64_t kServerMadeTimesAboveMs = 1'600'000'000'000;
constexpr size_t kContextBefore = 300;
constexpr size_t kContextLength = 700;

bool IsTime(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_INT64 && !field->is_repeated() &&
         (field->name() == "create_time_since_epoch" ||
          field->name() == "last_update_time_since_epoch" ||
          field->name() == "milliseconds_since_epoch");
}

bool KeepsItsOrder(const FieldDescriptor* field) {
  return field->name() == "steps" || field->name() == "elements";
}

void NormaliseTime(Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  if (reflection->GetInt64(message, field) > kServerMadeTimesAboveMs) {
    reflection->SetInt64(&message, field, 1);
  }
}

void NormaliseToken(Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  if (reflection->GetString(message, field).empty()) {
    reflection->ClearField(&message, field);
  } else {
    reflection->SetString(&message, field, "token");
  }
}

void SortByBytes(Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  std::vector<std::pair<std::string, std::unique_ptr<Message>>> items;
  while (reflection->FieldSize(message, field) > 0) {
    auto last = std::unique_ptr<Message>(reflection->ReleaseLast(&message, field));
    std::string bytes = DeterministicBytes(*last);
    items.emplace_back(std::move(bytes), std::move(last));
  }
  std::sort(items.begin(), items.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& item : items) {
    reflection->AddAllocatedMessage(&message, field, item.second.release());
  }
}

void NormaliseMap(Message& message, const FieldDescriptor* map) {
  if (MapValueType(map) == nullptr) return;
  const FieldDescriptor* value = map->message_type()->map_value();
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < reflection->FieldSize(message, map); ++i) {
    Message* entry = reflection->MutableRepeatedMessage(&message, map, i);
    Normalise(*entry->GetReflection()->MutableMessage(entry, value), Order::kAny);
  }
}

void NormaliseList(Message& message, const FieldDescriptor* field, Order order) {
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    Normalise(*reflection->MutableRepeatedMessage(&message, field, i), order);
  }
  if (order == Order::kAny && !KeepsItsOrder(field)) SortByBytes(message, field);
}

std::string ToJson(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto printed = google::protobuf::util::MessageToJsonString(message, &json, options);
  return printed.ok() ? json : message.ShortDebugString();  // An Any of a foreign type.
}

// A window of `text` that begins somewhat before `position`.
std::string Around(absl::string_view text, size_t position) {
  const size_t begin = position < kContextBefore ? 0 : position - kContextBefore;
  if (begin >= text.size()) return absl::StrCat("...(", text.size(), " characters)");
  const absl::string_view window = text.substr(begin, kContextLength);
  return absl::StrCat(begin > 0 ? "..." : "", window,
                      begin + window.size() < text.size() ? "..." : "");
}

}  // namespace

void Normalise(Message& message, Order order) {
  const Reflection* reflection = message.GetReflection();
  for (const FieldDescriptor* field : PresentFields(message)) {
    if (IsTime(field)) {
      NormaliseTime(message, field);
    } else if (field->name() == "next_page_token") {
      NormaliseToken(message, field);
    } else if (field->is_map()) {
      NormaliseMap(message, field);
    } else if (IsNested(field) && field->is_repeated()) {
      NormaliseList(message, field, order);
    } else if (IsNested(field)) {
      Normalise(*reflection->MutableMessage(&message, field), order);
    }
  }
}

std::string DeterministicBytes(const Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&output);
  }
  return bytes;
}

std::string DescribeDifference(const Message& want, const Message& got) {
  const std::string wanted = ToJson(want), gotten = ToJson(got);
  const auto [first, other] =
      std::mismatch(wanted.begin(), wanted.end(), gotten.begin(), gotten.end());
  if (first == wanted.end() && other == gotten.end()) {
    // Unknown fields, the sign of a zero and the like do not show in JSON.
    return absl::StrCat("\n    want ", Around(want.ShortDebugString(), 0), "\n    got  ",
                        Around(got.ShortDebugString(), 0), "\n    (equal as JSON, not as bytes)");
  }
  const auto position = static_cast<size_t>(first - wanted.begin());
  return absl::StrCat("\n    want ", Around(wanted, position), "\n    got  ",
                      Around(gotten, position));
}

}  // namespace pedigree::conformance
