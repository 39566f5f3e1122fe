#include "server/validate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/methods.h"
#include "store/wire.h"
#include "tests/server/request_sites.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using ml_metadata::PutArtifactsRequest;
using ::pedigree::testing::FromText;
using ::pedigree::testing::Site;
using ::pedigree::testing::SitesOf;

constexpr absl::string_view kBadTexts[] = {
    "\xff",             // Never a byte of UTF-8.
    "\xc0\x80",         // Overlong.
    "\xed\xa0\x80",     // A surrogate.
    "\xf4\x90\x80\x80"  // Beyond U+10FFFF.
    "ok\xc3",           // Cut.
};

const Descriptor* RequestOf(const Method& method) {
  return PutArtifactsRequest::descriptor()->file()->FindMessageTypeByName(
      absl::StrCat(method.name, "Request"));
}

absl::Status Parse(const Method& method, const std::string& bytes) {
  return method.make()->Parse(bytes);
}

absl::Status Parse(absl::string_view rpc, const std::string& bytes) {
  return Parse(*FindMethod(rpc), bytes);
}

bool SaysInvalid(const absl::Status& status, absl::string_view what) {
  return status.code() == absl::StatusCode::kInvalidArgument &&
         absl::StrContains(status.message(), what);
}

// What is read by nobody: the name of a node's type is an output, a tag means nothing here.
bool IsIgnored(const Site& site) {
  const Descriptor* in = site.field->containing_type();
  const bool is_node = in == ml_metadata::Artifact::descriptor() ||
                       in == ml_metadata::Execution::descriptor() ||
                       in == ml_metadata::Context::descriptor();
  return (is_node && site.field->name() == "type") || site.path == "transaction_options.tag";
}

// Calls fault(method, site) for every place of one type in the requests that write, and fails the
// test with the first places where it answers anything. Returns how many places there are.
template <class Fault>
int ForEachWrittenSite(FieldDescriptor::Type type, const Fault& fault) {
  constexpr size_t kShown = 20;
  int sites = 0;
  std::vector<std::string> faults;
  for (const Method& method : AllMethods()) {
    if (!method.writes) continue;
    for (const Site& site : SitesOf(RequestOf(method), type)) {
      if (IsIgnored(site)) continue;
      ++sites;
      const std::string found = fault(method, site);
      if (!found.empty()) faults.push_back(absl::StrCat(method.name, ": ", site.path, found));
    }
  }
  const size_t shown = std::min(kShown, faults.size());
  EXPECT_EQ(faults.size(), 0U) << "the first of them:\n"
                               << absl::StrJoin(faults.begin(),
                                                faults.begin() + static_cast<ptrdiff_t>(shown),
                                                "\n");
  return sites;
}

TEST(Validate, RefusesInvalidUtf8InEveryTextOfEveryWrite) {
  const int sites = ForEachWrittenSite(
      FieldDescriptor::TYPE_STRING, [](const Method& method, const Site& site) -> std::string {
        const absl::Status good = Parse(method, site.WithBytes("ok \xc3\xa9 \xf0\x9f\x8c\xb3"));
        if (SaysInvalid(good, "UTF-8")) return " refuses good text";
        for (absl::string_view bad : kBadTexts) {
          const absl::Status status = Parse(method, site.WithBytes(bad));
          if (!SaysInvalid(status, "UTF-8")) {
            return absl::StrCat(" takes ", absl::CHexEscape(bad), ": ", status.ToString());
          }
        }
        return "";
      });
  EXPECT_GT(sites, 300);
}

TEST(Validate, RefusesEnumNumbersThatTheContractDoesNotKnow) {
  const int sites = ForEachWrittenSite(
      FieldDescriptor::TYPE_ENUM, [](const Method& method, const Site& site) -> std::string {
        // google.protobuf.NullValue is open: any number means null.
        if (absl::StartsWith(site.field->enum_type()->full_name(), "google.")) return "";
        for (const uint64_t number : {uint64_t{99}, uint64_t{8}, ~uint64_t{0}, uint64_t{1} << 31}) {
          const absl::Status status = Parse(method, site.WithNumber(number));
          if (!SaysInvalid(status, "does not know")) {
            return absl::StrCat(" takes ", number, ": ", status.ToString());
          }
        }
        return "";
      });
  EXPECT_GT(sites, 40);
}

TEST(Validate, RefusesPropertiesWithoutAValue) {
  int properties = 0;
  std::string unknown;
  AppendVarintField(&unknown, 99, 1);
  ForEachWrittenSite(FieldDescriptor::TYPE_MESSAGE,
                     [&](const Method& method, const Site& site) -> std::string {
                       if (site.field->message_type() != ml_metadata::Value::descriptor())
                         return "";
                       ++properties;
                       for (const std::string& value : {std::string(), unknown}) {
                         const absl::Status status = Parse(method, site.WithBytes(value));
                         if (!SaysInvalid(status, "has no value")) return ": " + status.ToString();
                       }
                       return "";
                     });
  // Two maps of each node, where it can stand in a write.
  EXPECT_EQ(properties, 2 * (3 + 3 + 3));
}

TEST(Validate, RefusesPropertyTypeUnknownInATypeMap) {
  for (const char* rpc : {"PutArtifactType", "PutExecutionType", "PutContextType"}) {
    const std::string field = absl::StrCat(rpc[3] == 'A'   ? "artifact"
                                           : rpc[3] == 'E' ? "execution"
                                                           : "context",
                                           "_type { name: 't' properties ");
    EXPECT_PRED2(SaysInvalid,
                 Parse(rpc, testing::TestStore::TextRequest(
                                rpc, absl::StrCat(field, "{ key: 'p' value: UNKNOWN } }"))),
                 "'p' has no type");
    EXPECT_PRED2(SaysInvalid,
                 Parse(rpc, testing::TestStore::TextRequest(rpc, absl::StrCat(field, "{} }"))),
                 "has no type");
  }
}

TEST(Validate, NamesThePlace) {
  auto request = FromText<PutArtifactsRequest>(
      "artifacts { } artifacts { custom_properties { key: 'a' value { int_value: 1 } } "
      "custom_properties { key: 'lr' value { } } }");
  EXPECT_EQ(Prepare(&request).message(), "artifacts[1]: property 'lr' has no value");

  auto put = FromText<ml_metadata::PutExecutionRequest>(
      "execution { } artifact_event_pairs { } artifact_event_pairs { artifact { name: '\\377' } }");
  EXPECT_EQ(Prepare(&put).message(), "artifact_event_pairs[1]: name is not valid UTF-8");

  auto subgraph = FromText<ml_metadata::PutLineageSubgraphRequest>(
      "event_edges { } event_edges { event { path { steps { key: '\\377' } } } }");
  EXPECT_EQ(Prepare(&subgraph).message(),
            "event_edges[1].event: a step of the path is not valid UTF-8");
}

TEST(Validate, RefusesAPutExecutionWithoutAnExecution) {
  EXPECT_PRED2(SaysInvalid, Parse("PutExecution", ""), "execution is missing");
}

TEST(Validate, DropsUnknownFieldsWhereverTheyStand) {
  auto request = FromText<ml_metadata::PutExecutionRequest>(
      "execution { properties { key: 's' value { struct_value { } } } system_metadata { } } "
      "artifact_event_pairs { artifact { } event { path { steps { index: 1 } } } } contexts { }");
  const auto add = [](google::protobuf::Message* message) {
    message->GetReflection()->MutableUnknownFields(message)->AddVarint(5000, 1);
  };
  auto* pair = request.mutable_artifact_event_pairs(0);
  auto* execution = request.mutable_execution();
  auto* value = &(*execution->mutable_properties())["s"];
  for (google::protobuf::Message* message : std::initializer_list<google::protobuf::Message*>{
           execution, execution->mutable_system_metadata(), value, value->mutable_struct_value(),
           pair->mutable_artifact(), pair->mutable_event(), pair->mutable_event()->mutable_path(),
           pair->mutable_event()->mutable_path()->mutable_steps(0), request.mutable_contexts(0)}) {
    add(message);
  }
  EXPECT_TRUE(Prepare(&request).ok());
  EXPECT_EQ(request.ShortDebugString().find("5000"), std::string::npos)
      << request.ShortDebugString();
}

// A struct within a struct, `levels` times.
std::string NestedStruct(int levels) {
  std::string bytes;
  for (int i = 0; i < levels; ++i) {
    std::string value;
    AppendBytesField(&value, 5, bytes);  // google.protobuf.Value.struct_value
    std::string entry;
    AppendBytesField(&entry, 1, "k");
    AppendBytesField(&entry, 2, value);
    bytes.clear();
    AppendBytesField(&bytes, 1, entry);  // google.protobuf.Struct.fields
  }
  return bytes;
}

TEST(Validate, RefusesStructsNestedTooDeeplyAndDoesNotOverflowTheStack) {
  int structs = 0;
  const std::string deep[] = {NestedStruct(100), NestedStruct(1000), NestedStruct(5000)};
  ForEachWrittenSite(FieldDescriptor::TYPE_MESSAGE,
                     [&](const Method& method, const Site& site) -> std::string {
                       if (site.field->full_name() != "ml_metadata.Value.struct_value") return "";
                       ++structs;
                       const absl::Status good = Parse(method, site.WithBytes(NestedStruct(20)));
                       if (!good.ok()) return " refuses 20 levels: " + good.ToString();
                       for (const std::string& bytes : deep) {
                         const absl::Status status = Parse(method, site.WithBytes(bytes));
                         if (!SaysInvalid(status, ""))
                           return " takes a deep one: " + status.ToString();
                       }
                       return "";
                     });
  EXPECT_EQ(structs, 2 * (3 + 3 + 3));
}

TEST(Validate, RefusesTypesNestedTooDeeply) {
  std::string type;  // ArtifactStructType.list.element, again and again.
  for (int i = 0; i < 2000; ++i) {
    std::string list;
    AppendBytesField(&list, 1, type);
    type.clear();
    AppendBytesField(&type, 4, list);
  }
  for (const Site& site :
       SitesOf(ml_metadata::PutExecutionTypeRequest::descriptor(), FieldDescriptor::TYPE_MESSAGE)) {
    if (site.path != "execution_type.input_type" && site.path != "execution_type.output_type") {
      continue;
    }
    EXPECT_EQ(Parse("PutExecutionType", site.WithBytes(type)).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(Validate, RefusesEndlessGroupsInEveryCall) {
  for (const Method& method : AllMethods()) {
    const std::string groups(100'000, '\x0b');  // "A group of field 1 begins."
    EXPECT_EQ(Parse(method, groups).code(), absl::StatusCode::kInvalidArgument) << method.name;
  }
}

}  // namespace
}  // namespace pedigree
