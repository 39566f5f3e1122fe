#include "cli/export/json_read.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "store/codec.h"
#include "store/wire.h"

namespace pedigree::cli {
namespace {

constexpr int kMaxDepth = 100;

absl::Status DoesNotFit(const FieldTable& field, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("\"", field.name, "\" must be ", wanted));
}

// A double as AppendJsonDouble() writes it.
bool ReadDouble(const Json& json, double* value) {
  if (json.is_number()) {
    *value = json.get<double>();
    return true;
  }
  if (!json.is_string()) return false;
  absl::string_view text = json.get_ref<const std::string&>();
  if (text == "NaN") {
    *value = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "Infinity") {
    *value = std::numeric_limits<double>::infinity();
  } else if (text == "-Infinity") {
    *value = -std::numeric_limits<double>::infinity();
  } else {
    uint64_t bits = 0;
    if (!absl::ConsumePrefix(&text, "NaN:")) return false;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), bits, 16).ptr;
    if (end != text.data() + text.size() || text.size() != 16) return false;
    *value = std::bit_cast<double>(bits);
  }
  return true;
}

bool ReadText(const Json& json, std::string* text) {
  if (json.is_string()) {
    *text = json.get<std::string>();
    return true;
  }
  if (!json.is_object() || json.size() != 1 || json.begin().key() != "base64") return false;
  const Json& bytes = json.begin().value();
  return bytes.is_string() && absl::Base64Unescape(bytes.get_ref<const std::string&>(), text);
}

class Reading {
 public:
  absl::Status Message(const MessageTable& table, const Json& json, int depth, std::string* out) {
    if (!json.is_object() || depth > kMaxDepth) {
      return absl::InvalidArgumentError(absl::StrCat("a ", table.name(), " must be an object"));
    }
    for (const auto& [name, value] : json.items()) {
      const FieldTable* const field = table.Find(name);
      if (field == nullptr) {
        return absl::InvalidArgumentError(
            absl::StrCat("a ", table.name(), " has no \"", name.substr(0, 64), "\""));
      }
      if (absl::Status status = Field(*field, value, depth, out); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Field(const FieldTable& field, const Json& json, int depth, std::string* out) {
    if (field.kind == FieldTable::Kind::kMap) return Map(field, json, depth, out);
    if (!field.is_repeated) return Value(field, json, depth, out);
    if (!json.is_array()) return DoesNotFit(field, "an array");
    if (field.is_packed) return Packed(field, json, depth, out);
    for (const Json& value : json) {
      if (absl::Status status = Value(field, value, depth, out); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status Packed(const FieldTable& field, const Json& json, int depth, std::string* out) {
    std::string bytes;
    for (const Json& value : json) {
      std::string one;
      if (absl::Status status = Value(field, value, depth, &one); !status.ok()) return status;
      // Without the tag.
      WireCursor cursor(one);
      const auto read = cursor.Next();
      AppendVarint(&bytes, read->scalar);
    }
    AppendBytesField(out, field.number, bytes);
    return absl::OkStatus();
  }

  absl::Status Map(const FieldTable& field, const Json& json, int depth, std::string* out) {
    if (!json.is_object()) return DoesNotFit(field, "an object");
    for (const auto& [key, value] : json.items()) {
      std::string entry;
      AppendBytesField(&entry, 1, key);
      absl::Status status = Value(*field.message->Find(2), value, depth, &entry);
      if (!status.ok()) return status;
      AppendBytesField(out, field.number, entry);
    }
    return absl::OkStatus();
  }

  absl::Status Value(const FieldTable& field, const Json& json, int depth, std::string* out) {
    switch (field.kind) {
      case FieldTable::Kind::kInt32: {
        if (!json.is_number_integer()) return DoesNotFit(field, "an integer");
        const auto value = json.get<int64_t>();
        if (value != static_cast<int32_t>(value)) return DoesNotFit(field, "of 32 bits");
        AppendVarintField(out, field.number, static_cast<uint64_t>(value));
        return absl::OkStatus();
      }
      case FieldTable::Kind::kInt64: {
        int64_t value = 0;
        if (!json.is_string() || !absl::SimpleAtoi(json.get_ref<const std::string&>(), &value)) {
          return DoesNotFit(field, "the digits of an integer, as a string");
        }
        AppendVarintField(out, field.number, static_cast<uint64_t>(value));
        return absl::OkStatus();
      }
      case FieldTable::Kind::kUint64: {
        uint64_t value = 0;
        if (!json.is_string() || !absl::SimpleAtoi(json.get_ref<const std::string&>(), &value)) {
          return DoesNotFit(field, "the digits of an integer, as a string");
        }
        AppendVarintField(out, field.number, value);
        return absl::OkStatus();
      }
      case FieldTable::Kind::kBool:
        if (!json.is_boolean()) return DoesNotFit(field, "true or false");
        AppendVarintField(out, field.number, json.get<bool>() ? 1 : 0);
        return absl::OkStatus();
      case FieldTable::Kind::kDouble:
        return Double(field, json, out);
      case FieldTable::Kind::kEnum:
        return Enum(field, json, out);
      case FieldTable::Kind::kString: {
        std::string text;
        if (!ReadText(json, &text)) return DoesNotFit(field, "a string");
        AppendBytesField(out, field.number, text);
        return absl::OkStatus();
      }
      case FieldTable::Kind::kBytes: {
        std::string bytes;
        if (!json.is_string() ||
            !absl::Base64Unescape(json.get_ref<const std::string&>(), &bytes)) {
          return DoesNotFit(field, "base64");
        }
        AppendBytesField(out, field.number, bytes);
        return absl::OkStatus();
      }
      case FieldTable::Kind::kMessage:
      case FieldTable::Kind::kMap:
        break;
    }
    std::string bytes;
    absl::Status status = Message(*field.message, json, depth + 1, &bytes);
    if (status.ok()) AppendBytesField(out, field.number, bytes);
    return status;
  }

  absl::Status Double(const FieldTable& field, const Json& json, std::string* out) {
    double value = 0;
    if (!ReadDouble(json, &value)) return DoesNotFit(field, "a number");
    AppendVarint(out, TagOf(field.number, WireType::kFixed64));
    const auto bits = std::bit_cast<uint64_t>(value);
    for (int shift = 0; shift < 64; shift += 8) out->push_back(static_cast<char>(bits >> shift));
    return absl::OkStatus();
  }

  absl::Status Enum(const FieldTable& field, const Json& json, std::string* out) {
    int number = 0;
    if (json.is_number_integer()) {
      number = json.get<int>();
    } else {
      const auto* const value =
          json.is_string() ? field.enumeration->FindValueByName(json.get_ref<const std::string&>())
                           : nullptr;
      if (value == nullptr) {
        return DoesNotFit(field, absl::StrCat("a ", field.enumeration->full_name()));
      }
      number = value->number();
    }
    AppendVarintField(out, field.number, static_cast<uint64_t>(int64_t{number}));
    return absl::OkStatus();
  }
};

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  // Only the parser's exceptions say where it is wrong; they end here.
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat("is no JSON, at byte ", error.byte));
  }
}

absl::StatusOr<std::string> ReadJson(const MessageTable& table, const Json& json) {
  std::string bytes;
  absl::Status status = Reading().Message(table, json, 0, &bytes);
  if (!status.ok()) return status;
  return bytes;
}

}  // namespace pedigree::cli
