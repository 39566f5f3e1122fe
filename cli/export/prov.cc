#include "cli/export/prov.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/export/step_facts.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Execution;

Json Typed(std::string text, const char* type) {
  Json literal = Json::object();
  Append(literal, "$", std::move(text));
  Append(literal, "type", type);
  return literal;
}

Json TypedTime(int64_t ms) { return Typed(TimeText(ms), "xsd:dateTime"); }

std::string DoubleText(double number) {
  const Json json = ToJson(number);
  if (!json.is_string()) return Print(json);
  // As XML Schema has it.
  if (json == "Infinity") return "INF";
  return json == "-Infinity" ? "-INF" : "NaN";
}

Json ValueLiteral(const ml_metadata::Value& value) {
  switch (value.value_case()) {
    case ml_metadata::Value::kIntValue:
      return Typed(absl::StrCat(value.int_value()), "xsd:long");
    case ml_metadata::Value::kDoubleValue:
      return Typed(DoubleText(value.double_value()), "xsd:double");
    case ml_metadata::Value::kStringValue:
      return value.string_value();
    case ml_metadata::Value::kBoolValue:
      return Typed(value.bool_value() ? "true" : "false", "xsd:boolean");
    case ml_metadata::Value::kStructValue:
    case ml_metadata::Value::kProtoValue:
    case ml_metadata::Value::VALUE_NOT_SET:
      break;
  }
  return Typed(Print(ToJson(value)), "mlmd:json");
}

template <typename Node>
void AddNode(const Node& node, const TypeNames& types, Json& body) {
  if (!node.name().empty()) Append(body, "prov:label", node.name());
  if (const auto type = types.NameOf(node); !type.empty()) {
    Append(body, "mlmd:type", std::string(type));
  }
  if (!node.external_id().empty()) Append(body, "mlmd:externalId", node.external_id());
  for (const auto& [name, value] : Sorted(node.properties())) {
    Append(body, absl::StrCat("prop:", ProvLocalName(name)), ValueLiteral(*value));
  }
  for (const auto& [name, value] : Sorted(node.custom_properties())) {
    Append(body, absl::StrCat("custom:", ProvLocalName(name)), ValueLiteral(*value));
  }
}

template <typename Node>
void AddTimes(const Node& node, Json& body) {
  if (node.create_time_since_epoch() != 0) {
    Append(body, "mlmd:createTime", TypedTime(node.create_time_since_epoch()));
  }
  if (node.last_update_time_since_epoch() != 0) {
    Append(body, "mlmd:lastUpdateTime", TypedTime(node.last_update_time_since_epoch()));
  }
}

std::string Name(absl::string_view prefix, int64_t id) { return absl::StrCat(prefix, ":", id); }

// Membership has no name in PROV, so it is a blank one.
ProvStatement Membership(int64_t context, absl::string_view prefix, int64_t member) {
  Json body = Json::object();
  Append(body, "prov:collection", Name("ctx", context));
  Append(body, "prov:entity", Name(prefix, member));
  return {ProvSection::kMember, absl::StrCat("_:ctx", context, prefix, member), std::move(body)};
}

// Collections have entities as members only; that an activity belongs to a context is an influence.
ProvStatement ActivityInContext(int64_t context, int64_t execution) {
  Json body = Json::object();
  Append(body, "prov:influencee", Name("exec", execution));
  Append(body, "prov:influencer", Name("ctx", context));
  return {ProvSection::kInfluenced, absl::StrCat("_:exec", execution, "ctx", context),
          std::move(body)};
}

void AddContext(const v1::ExportedContext& exported, const TypeNames& types,
                std::vector<ProvStatement>& statements) {
  const auto& context = exported.context();
  Json body = Json::object();
  AddNode(context, types, body);
  Append(body, "prov:type", Typed("prov:Collection", "prov:QUALIFIED_NAME"));
  AddTimes(context, body);
  statements.push_back({ProvSection::kEntity, Name("ctx", context.id()), std::move(body)});
  for (const int64_t parent : exported.parent_ids()) {
    statements.push_back(Membership(parent, "ctx", context.id()));
  }
}

void AddArtifact(const v1::ExportedArtifact& exported, const TypeNames& types,
                 std::vector<ProvStatement>& statements) {
  const auto& artifact = exported.artifact();
  Json body = Json::object();
  AddNode(artifact, types, body);
  if (!artifact.uri().empty()) Append(body, "prov:location", artifact.uri());
  Append(body, "mlmd:state", ml_metadata::Artifact::State_Name(artifact.state()));
  AddTimes(artifact, body);
  statements.push_back({ProvSection::kEntity, Name("art", artifact.id()), std::move(body)});
  for (const int64_t context : exported.context_ids()) {
    statements.push_back(Membership(context, "art", artifact.id()));
  }
}

bool IsOver(const Execution& execution) {
  const auto state = execution.last_known_state();
  return state == Execution::COMPLETE || state == Execution::CACHED || state == Execution::FAILED ||
         state == Execution::CANCELED;
}

void AddExecution(const v1::ExportedExecution& exported, const TypeNames& types,
                  std::vector<ProvStatement>& statements) {
  const Execution& execution = exported.execution();
  Json body = Json::object();
  if (execution.create_time_since_epoch() != 0) {
    Append(body, "prov:startTime", TimeText(execution.create_time_since_epoch()));
  }
  if (IsOver(execution) && execution.last_update_time_since_epoch() != 0) {
    Append(body, "prov:endTime", TimeText(execution.last_update_time_since_epoch()));
  }
  AddNode(execution, types, body);
  Append(body, "mlmd:state", Execution::State_Name(execution.last_known_state()));
  statements.push_back({ProvSection::kActivity, Name("exec", execution.id()), std::move(body)});
  for (const int64_t context : exported.context_ids()) {
    statements.push_back(ActivityInContext(context, execution.id()));
  }
}

void AddEvent(const v1::ExportedEvent& exported, std::vector<ProvStatement>& statements) {
  const auto& event = exported.event();
  if (!ReadsArtifact(event) && !WritesArtifact(event)) return;
  Json body = Json::object();
  Append(body, "prov:activity", Name("exec", event.execution_id()));
  Append(body, "prov:entity", Name("art", event.artifact_id()));
  if (event.milliseconds_since_epoch() != 0) {
    Append(body, "prov:time", TimeText(event.milliseconds_since_epoch()));
  }
  Append(body, "mlmd:eventType", ml_metadata::Event::Type_Name(event.type()));
  if (event.path().steps_size() > 0) {
    Append(body, "mlmd:path", Typed(Print(ToJson(event.path())), "mlmd:json"));
  }
  statements.push_back({ReadsArtifact(event) ? ProvSection::kUsed : ProvSection::kGenerated,
                        Name("ev", exported.number()), std::move(body)});
}

}  // namespace

std::string ProvLocalName(absl::string_view text) {
  if (text.empty()) return "%00";  // There is no empty name after a prefix.
  std::string name;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-') {
      name.push_back(c);
    } else {
      absl::StrAppendFormat(&name, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return name;
}

Json ProvPrefixes(absl::string_view store) {
  const std::string base = absl::StrCat("urn:pedigree:", store, ":");
  Json prefixes = Json::object();
  Append(prefixes, "art", base + "artifact:");
  Append(prefixes, "exec", base + "execution:");
  Append(prefixes, "ctx", base + "context:");
  Append(prefixes, "ev", base + "event:");
  Append(prefixes, "mlmd", "urn:pedigree:prov:mlmd:");
  Append(prefixes, "prop", "urn:pedigree:prov:property:");
  Append(prefixes, "custom", "urn:pedigree:prov:custom-property:");
  return prefixes;
}

std::vector<ProvStatement> StatementsOf(const v1::ExportRecord& record, const TypeNames& types) {
  std::vector<ProvStatement> statements;
  if (record.has_context()) AddContext(record.context(), types, statements);
  if (record.has_artifact()) AddArtifact(record.artifact(), types, statements);
  if (record.has_execution()) AddExecution(record.execution(), types, statements);
  if (record.has_event()) AddEvent(record.event(), statements);
  return statements;
}

ProvStatement Derivation(const v1::ExportedEvent& input, const v1::ExportedEvent& output) {
  Json body = Json::object();
  Append(body, "prov:generatedEntity", Name("art", output.event().artifact_id()));
  Append(body, "prov:usedEntity", Name("art", input.event().artifact_id()));
  Append(body, "prov:activity", Name("exec", output.event().execution_id()));
  Append(body, "prov:generation", Name("ev", output.number()));
  Append(body, "prov:usage", Name("ev", input.number()));
  return {ProvSection::kDerived, absl::StrCat("_:ev", output.number(), "ev", input.number()),
          std::move(body)};
}

}  // namespace pedigree::cli
