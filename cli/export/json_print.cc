#include "cli/export/json_print.h"

#include <bit>
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/export/json_text.h"
#include "cli/utf8.h"
#include "store/wire.h"

namespace pedigree::cli {
namespace {

// Deeper messages than the server takes are damage.
constexpr int kMaxDepth = 100;

class Printer {
 public:
  explicit Printer(std::string* out) : out_(*out) {}

  bool Message(const MessageTable& table, absl::string_view bytes, int depth) {
    if (depth > kMaxDepth) return false;
    out_.push_back('{');
    WireCursor cursor(bytes);
    std::optional<WireField> field = cursor.Next();
    bool is_first = true;
    int last = 0;
    while (field.has_value()) {
      const FieldTable* const as = table.Find(field->number);
      // A field that comes again after others could not be printed as one.
      if (as == nullptr || field->number <= last) return Damaged(table, field->number);
      last = field->number;
      if (!is_first) out_.push_back(',');
      is_first = false;
      out_.append(as->quoted);
      if (as->kind == FieldTable::Kind::kMap) {
        if (!Map(*as, &cursor, &field, depth)) return false;
      } else if (as->is_repeated) {
        if (!Array(*as, &cursor, &field, depth)) return false;
      } else {
        if (!Value(*as, *field, depth)) return false;
        field = cursor.Next();
      }
    }
    out_.push_back('}');
    return cursor.ok();
  }

  const std::string& problem() const { return problem_; }

 private:
  bool Damaged(const MessageTable& table, int number) {
    problem_ = absl::StrCat(" of ", table.name(), ", at field ", number);
    return false;
  }

  bool Value(const FieldTable& as, const WireField& field, int depth) {
    switch (as.kind) {
      case FieldTable::Kind::kInt32:
        AppendDecimal(int64_t{static_cast<int32_t>(field.scalar)}, &out_);
        return true;
      case FieldTable::Kind::kInt64:
        out_.push_back('"');
        AppendDecimal(field.AsInt64(), &out_);
        out_.push_back('"');
        return true;
      case FieldTable::Kind::kUint64:
        out_.push_back('"');
        AppendDecimal(field.scalar, &out_);
        out_.push_back('"');
        return true;
      case FieldTable::Kind::kBool:
        out_.append(field.scalar != 0 ? "true" : "false");
        return true;
      case FieldTable::Kind::kDouble:
        AppendJsonDouble(std::bit_cast<double>(field.scalar), &out_);
        return true;
      case FieldTable::Kind::kEnum: {
        const auto number = static_cast<int>(field.scalar);
        const auto* const value = as.enumeration->FindValueByNumber(number);
        if (value == nullptr) {
          AppendDecimal(int64_t{number}, &out_);
        } else {
          absl::StrAppend(&out_, "\"", value->name(), "\"");
        }
        return true;
      }
      case FieldTable::Kind::kString:
        AppendJsonString(field.bytes, &out_);
        return true;
      case FieldTable::Kind::kBytes:
        AppendJsonBase64(field.bytes, &out_);
        return true;
      case FieldTable::Kind::kMessage:
      case FieldTable::Kind::kMap:
        break;
    }
    return Message(*as.message, field.bytes, depth + 1);
  }

  bool Array(const FieldTable& as, WireCursor* cursor, std::optional<WireField>* field, int depth) {
    out_.push_back('[');
    bool is_first = true;
    for (; field->has_value() && (*field)->number == as.number; *field = cursor->Next()) {
      if (as.is_packed) {
        if (!Packed(as, (*field)->bytes, &is_first, depth)) return false;
        continue;
      }
      if (!is_first) out_.push_back(',');
      is_first = false;
      if (!Value(as, **field, depth)) return false;
    }
    out_.push_back(']');
    return true;
  }

  bool Packed(const FieldTable& as, absl::string_view bytes, bool* is_first, int depth) {
    ByteReader reader(bytes);
    while (!reader.AtEnd()) {
      WireField value;
      if (!reader.ReadVarint(&value.scalar)) return false;
      if (!*is_first) out_.push_back(',');
      *is_first = false;
      if (!Value(as, value, depth)) return false;
    }
    return true;
  }

  bool Map(const FieldTable& as, WireCursor* cursor, std::optional<WireField>* field, int depth) {
    out_.push_back('{');
    bool is_first = true;
    for (; field->has_value() && (*field)->number == as.number; *field = cursor->Next()) {
      if (!is_first) out_.push_back(',');
      is_first = false;
      if (!Entry(*as.message, (*field)->bytes, depth)) return false;
    }
    out_.push_back('}');
    return true;
  }

  // An entry has its key as field 1 and its value as field 2; what is missing is the default.
  bool Entry(const MessageTable& table, absl::string_view bytes, int depth) {
    WireField key;
    WireField value;
    WireCursor cursor(bytes);
    while (const auto field = cursor.Next()) (field->number == 1 ? key : value) = *field;
    if (!cursor.ok() || !IsUtf8(key.bytes)) return Damaged(table, 1);
    AppendJsonString(key.bytes, &out_);
    out_.push_back(':');
    return Value(*table.Find(2), value, depth);
  }

  std::string& out_;
  std::string problem_;
};

}  // namespace

absl::Status PrintJson(const MessageTable& table, absl::string_view bytes, std::string* out) {
  Printer printer(out);
  if (printer.Message(table, bytes, 0)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the bytes of a ", table.name(), " do not decode", printer.problem()));
}

}  // namespace pedigree::cli
