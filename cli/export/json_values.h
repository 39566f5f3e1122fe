// What the store holds, as JSON and as text for people's formats: values, properties, times.
//
// The same message gives the same bytes: maps are sorted by key, numbers printed by their shortest
// digits, nothing is read from a clock. Bytes that are no UTF-8 become U+FFFD when a document is
// printed, NaN and the infinities become strings, as protobuf's own JSON does.
//
// Pure functions: any thread.
//
//   Json facet = {{"lr", ToJson(value)}};
//   std::string line = Print(facet);   // {"lr":0.1}
#pragma once

#include <google/protobuf/map.h>
#include <google/protobuf/struct.pb.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::cli {

// Members keep the order in which they were set.
using Json = nlohmann::ordered_json;

using Properties = google::protobuf::Map<std::string, ml_metadata::Value>;

// One line, without a line end. Never throws: what is no UTF-8 becomes U+FFFD.
std::string Print(const Json& json);

// The same text with U+FFFD for every byte that is no UTF-8.
std::string ToUtf8(absl::string_view text);

// Adds a member that is known to be new, without looking for it: objects may be large.
void Append(Json& object, absl::string_view key, Json value);

Json ToJson(double number);
Json ToJson(const google::protobuf::Struct& fields);
Json ToJson(const google::protobuf::Value& value);
// A proto_value becomes {"@type": its url, "value": its bytes in base64}; no value, null.
Json ToJson(const ml_metadata::Value& value);
// Sorted by key.
Json ToJson(const Properties& properties);
// Steps as they are: ["key", 3].
Json ToJson(const ml_metadata::Event::Path& path);

// Text as it is, everything else as its JSON.
std::string ToText(const ml_metadata::Value& value);
std::string ToText(const google::protobuf::Value& value);

// "2026-08-01T12:00:00.123Z". A time before the year 1 or after 9999, which the formats have no
// words for, becomes the first or last there is.
std::string TimeText(int64_t ms);

// The value of a property that is text and not empty; a number in decimal.
absl::optional<std::string> TextProperty(const Properties& properties, absl::string_view name);

// Of the custom properties, else of the declared ones.
template <typename Node>
absl::optional<std::string> AnyTextProperty(const Node& node, absl::string_view name) {
  auto text = TextProperty(node.custom_properties(), name);
  return text.has_value() ? text : TextProperty(node.properties(), name);
}

// References into a map of protobuf, sorted by key.
template <typename Value>
std::map<absl::string_view, const Value*> Sorted(
    const google::protobuf::Map<std::string, Value>& fields) {
  std::map<absl::string_view, const Value*> sorted;
  for (const auto& [key, value] : fields) sorted.emplace(key, &value);
  return sorted;
}

}  // namespace pedigree::cli
