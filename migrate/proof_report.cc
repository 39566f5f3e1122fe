// The report of VerifyImport, for people and for programs.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "migrate/schema.h"
#include "migrate/verify_import.h"

namespace pedigree::migrate {
namespace {

using JsonObject = google::protobuf::Struct;

JsonObject& Child(JsonObject& object, absl::string_view name) {
  return *(*object.mutable_fields())[std::string(name)].mutable_struct_value();
}
void Set(JsonObject& object, absl::string_view name, absl::string_view text) {
  (*object.mutable_fields())[std::string(name)].set_string_value(std::string(text));
}
void Set(JsonObject& object, absl::string_view name, int64_t number) {
  (*object.mutable_fields())[std::string(name)].set_number_value(static_cast<double>(number));
}
void Set(JsonObject& object, absl::string_view name, const std::vector<std::string>& texts) {
  auto* list = (*object.mutable_fields())[std::string(name)].mutable_list_value();
  for (const std::string& text : texts) list->add_values()->set_string_value(text);
}

}  // namespace

std::string ImportProof::ToTable() const {
  std::string text =
      absl::StrCat("source ", source, ", schema ", schema_version, ", at ", made_at, "\n\n");
  absl::StrAppendFormat(&text, "%-26s %12s %12s %12s\n", "rows", "source", "to import", "store");
  for (size_t i = 0; i < kTableCount; ++i) {
    absl::StrAppendFormat(&text, "%-26s %12d %12d %12d%s\n", NameOf(static_cast<Table>(i)),
                          source_rows[i], expected.counts[i], actual.counts[i],
                          expected.counts[i] == actual.counts[i] ? "" : "  DIFFERENT");
  }
  absl::StrAppend(&text, "\n");
  for (size_t i = 0; i < kDigestCount; ++i) {
    const std::string of_source = expected.digests[i].ToHex();
    const std::string of_store = actual.digests[i].ToHex();
    absl::StrAppendFormat(
        &text, "%-26s %s %s\n", NameOf(static_cast<DigestOf>(i)), of_source,
        of_source == of_store ? "the same" : absl::StrCat("DIFFERENT ", of_store));
  }
  if (repaired.total() > 0) {
    absl::StrAppend(&text, "\nrepaired ", repaired.total(), " rows:\n", repaired.ToString());
  }
  for (const std::string& difference : differences) absl::StrAppend(&text, "\n", difference);
  for (const std::string& problem : store_problems) absl::StrAppend(&text, "\nstore: ", problem);
  absl::StrAppend(&text, "\n", ok() ? "the store has what the source has" : "NOT the same", "\n");
  return text;
}

std::string ImportProof::ToJson() const {
  JsonObject json;
  Set(json, "source", source);
  Set(json, "schema_version", schema_version);
  Set(json, "made_at", made_at);
  (*json.mutable_fields())["equal"].set_bool_value(ok());
  for (size_t i = 0; i < kTableCount; ++i) {
    JsonObject& table = Child(Child(json, "rows"), NameOf(static_cast<Table>(i)));
    Set(table, "source", source_rows[i]);
    Set(table, "to_import", expected.counts[i]);
    Set(table, "store", actual.counts[i]);
  }
  for (size_t i = 0; i < kDigestCount; ++i) {
    JsonObject& digest = Child(Child(json, "digests"), NameOf(static_cast<DigestOf>(i)));
    Set(digest, "source", expected.digests[i].ToHex());
    Set(digest, "store", actual.digests[i].ToHex());
  }
  Child(json, "repaired");
  for (size_t i = 0; i < kProblemCount; ++i) {
    const auto problem = static_cast<Problem>(i);
    if (repaired.count(problem) > 0) {
      Set(Child(json, "repaired"), FactsOf(problem).name, repaired.count(problem));
    }
  }
  Set(json, "differences", differences);
  Set(json, "store_problems", store_problems);
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string text;
  // It cannot fail: all numbers are finite.
  (void)google::protobuf::util::MessageToJsonString(json, &text, options);
  return text;
}

}  // namespace pedigree::migrate
