// The files under proto/ml_metadata must stay google/ml-metadata's wire contract, to the field, and
// those under proto/api that of Kubeflow Pipelines' cache.
//
// tests/data/contract/mlmd-wire.json and kfp-task-wire.json are the contracts, recorded from the
// peers. The compiled descriptors are described in documents of the same shape, and they are
// compared key by key, both ways. What the recorded document has no room for (file names, reserved
// numbers, the names of the predefined types, deprecated messages and methods) is listed here.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "api/filter.pb.h"
#include "api/resource_reference.pb.h"
#include "api/task.pb.h"
#include "ml_metadata/proto/metadata_source.pb.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "ml_metadata/simple_types/proto/simple_types.pb.h"
#include "tests/proto/contract_document.h"

namespace pedigree {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::Struct;

// The compiled files as descriptor messages. Naming a message of each file links the file.
std::vector<FileDescriptorProto> CompiledFiles() {
  std::vector<FileDescriptorProto> files;
  for (const google::protobuf::Descriptor* message :
       {ml_metadata::Artifact::descriptor(), ml_metadata::PutExecutionRequest::descriptor(),
        ml_metadata::MetadataSourceQueryConfig::descriptor(),
        ml_metadata::SimpleTypes::descriptor()}) {
    message->file()->CopyTo(&files.emplace_back());
  }
  return files;
}

// The same of Kubeflow's.
std::vector<FileDescriptorProto> CompiledTaskFiles() {
  std::vector<FileDescriptorProto> files;
  for (const google::protobuf::Descriptor* message :
       {api::Filter::descriptor(), api::ResourceKey::descriptor(), api::Task::descriptor()}) {
    message->file()->CopyTo(&files.emplace_back());
  }
  return files;
}

Struct RecordedContract(const std::string& name = "mlmd-wire.json") {
  std::ifstream file(PEDIGREE_TEST_DATA "/contract/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  Struct contract;
  const auto status = google::protobuf::util::JsonStringToMessage(text.str(), &contract);
  EXPECT_TRUE(file.good() && status.ok()) << name << ": " << status.ToString();
  return contract;
}

// Expects the same lines in both, and names each one that is not.
void ExpectSame(const std::set<std::string>& wanted, const std::set<std::string>& found) {
  for (const std::string& line : wanted) {
    EXPECT_TRUE(found.contains(line)) << line << ": in the contract, not compiled";
  }
  for (const std::string& line : found) {
    EXPECT_TRUE(wanted.contains(line)) << line << ": compiled, not in the contract";
  }
}

// The .proto files in a folder of proto/.
std::set<std::string> StoredFiles(const std::string& folder) {
  const std::filesystem::path root = PEDIGREE_PROTO_DIR;
  std::set<std::string> stored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
    if (entry.path().extension() != ".proto") continue;
    stored.insert(entry.path().lexically_relative(root).string());
  }
  return stored;
}

TEST(WireContract, DescriptorsAreTheRecordedContract) {
  const Struct compiled = DescribeAsContract(CompiledFiles());
  for (const std::string& difference : ContractDifferences(RecordedContract(), compiled)) {
    ADD_FAILURE() << difference;
  }
}

TEST(WireContract, HasFiftyTwoCalls) {
  const google::protobuf::ServiceDescriptor* service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
          "ml_metadata.MetadataStoreService");
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->method_count(), 52);

  Struct contract = RecordedContract();
  Struct& services = *(*contract.mutable_fields())["services"].mutable_struct_value();
  const Struct& methods = (*services.mutable_fields())[service->full_name()].struct_value();
  EXPECT_EQ(methods.fields().size(), 52U);
}

TEST(TaskContract, DescriptorsAreTheRecordedContract) {
  const Struct recorded = RecordedContract("kfp-task-wire.json");
  const std::vector<FileDescriptorProto> files = CompiledTaskFiles();
  for (const std::string& difference : ContractDifferences(recorded, DescribeAsContract(files))) {
    ADD_FAILURE() << difference;
  }
  // The comparison would notice: without any one of the files there is something to say.
  for (size_t i = 0; i < files.size(); ++i) {
    std::vector<FileDescriptorProto> fewer = files;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_FALSE(ContractDifferences(recorded, DescribeAsContract(fewer)).empty()) << i;
  }
}

// Clients' generated code imports the files by name, and a file that no test knew of could add
// messages to the package: so names and syntaxes are fixed, and the folder holds no other file.
TEST(WireContract, FilesAreThoseOfThePeer) {
  std::set<std::string> compiled;
  std::set<std::string> names;
  for (const FileDescriptorProto& file : CompiledFiles()) {
    compiled.insert(file.name() + " is " + SyntaxOf(file));
    names.insert(file.name());
  }
  ExpectSame({"ml_metadata/proto/metadata_source.proto is proto3",
              "ml_metadata/proto/metadata_store.proto is proto2",
              "ml_metadata/proto/metadata_store_service.proto is proto2",
              "ml_metadata/simple_types/proto/simple_types.proto is proto3"},
             compiled);

  ExpectSame(names, StoredFiles("ml_metadata"));
}

TEST(TaskContract, FilesAreThoseThatTheTestKnows) {
  std::set<std::string> names;
  for (const FileDescriptorProto& file : CompiledTaskFiles()) names.insert(file.name());
  ExpectSame(names, StoredFiles("api"));
}

// Adds one line for each option and reserved number of `message` and of what it contains.
void CollectAnnotations(const google::protobuf::Descriptor& message, std::set<std::string>& lines) {
  if (message.options().deprecated()) lines.insert(message.full_name() + " is deprecated");
  for (int i = 0; i < message.reserved_range_count(); ++i) {
    const auto* range = message.reserved_range(i);
    for (int number = range->start; number < range->end; ++number) {
      lines.insert(message.full_name() + " reserves " + std::to_string(number));
    }
  }
  for (int i = 0; i < message.reserved_name_count(); ++i) {
    lines.insert(message.full_name() + " reserves " + message.reserved_name(i));
  }
  for (int i = 0; i < message.enum_type_count(); ++i) {
    for (int j = 0; j < message.enum_type(i)->value_count(); ++j) {
      const auto& value = *message.enum_type(i)->value(j);
      if (!value.options().HasExtension(ml_metadata::system_type_extension)) continue;
      lines.insert(message.enum_type(i)->full_name() + " " + value.name() + " is " +
                   value.options().GetExtension(ml_metadata::system_type_extension).type_name());
    }
  }
  for (int i = 0; i < message.nested_type_count(); ++i) {
    CollectAnnotations(*message.nested_type(i), lines);
  }
}

// These stand in the peer's descriptor set, but the recorded JSON document leaves them out.
TEST(WireContract, KeepsReservedNumbersDeprecationsAndPredefinedTypes) {
  std::set<std::string> found;
  for (const FileDescriptorProto& proto : CompiledFiles()) {
    const google::protobuf::FileDescriptor* file =
        google::protobuf::DescriptorPool::generated_pool()->FindFileByName(proto.name());
    ASSERT_NE(file, nullptr) << proto.name();
    for (int i = 0; i < file->message_type_count(); ++i) {
      CollectAnnotations(*file->message_type(i), found);
    }
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const google::protobuf::MethodDescriptor& method = *file->service(i)->method(j);
        if (method.options().deprecated()) found.insert(method.full_name() + " is deprecated");
      }
    }
  }
  ExpectSame({"ml_metadata.ArtifactType.SystemDefinedBaseType UNSET is unset_artifact_type",
              "ml_metadata.ArtifactType.SystemDefinedBaseType DATASET is mlmd.Dataset",
              "ml_metadata.ArtifactType.SystemDefinedBaseType MODEL is mlmd.Model",
              "ml_metadata.ArtifactType.SystemDefinedBaseType METRICS is mlmd.Metrics",
              "ml_metadata.ArtifactType.SystemDefinedBaseType STATISTICS is mlmd.Statistics",
              "ml_metadata.ExecutionType.SystemDefinedBaseType UNSET is unset_execution_type",
              "ml_metadata.ExecutionType.SystemDefinedBaseType TRAIN is mlmd.Train",
              "ml_metadata.ExecutionType.SystemDefinedBaseType TRANSFORM is mlmd.Transform",
              "ml_metadata.ExecutionType.SystemDefinedBaseType PROCESS is mlmd.Process",
              "ml_metadata.ExecutionType.SystemDefinedBaseType EVALUATE is mlmd.Evaluate",
              "ml_metadata.ExecutionType.SystemDefinedBaseType DEPLOY is mlmd.Deploy",
              "ml_metadata.ContextType.SystemDefinedBaseType UNSET is unset_context_type",
              "ml_metadata.GetArtifactsByURIRequest reserves 1",
              "ml_metadata.MigrationOptions reserves 1",
              "ml_metadata.MetadataSourceQueryConfig reserves 38",
              "ml_metadata.MetadataSourceQueryConfig reserves 39",
              "ml_metadata.MetadataSourceQueryConfig reserves 43",
              "ml_metadata.MetadataSourceQueryConfig reserves 86",
              "ml_metadata.MetadataSourceQueryConfig reserves 92",
              "ml_metadata.LineageGraphQueryOptions is deprecated",
              "ml_metadata.GetLineageGraphRequest is deprecated",
              "ml_metadata.GetLineageGraphResponse is deprecated",
              "ml_metadata.MetadataStoreService.GetLineageGraph is deprecated"},
             found);
}

// A field of a top-level message, an edit of it, and the one difference that the edit makes.
struct FieldEdit {
  std::string message;
  std::string field;
  void (*edit)(FieldDescriptorProto&);
  std::string difference;
};

// An edit of the compiled files (in the order of CompiledFiles) and the one difference it makes.
struct FilesEdit {
  void (*edit)(std::vector<FileDescriptorProto>&);
  std::string difference;
};

// What the comparison says of files that are not the compiled ones.
std::vector<std::string> DifferencesFromCompiled(const std::vector<FileDescriptorProto>& files) {
  return ContractDifferences(DescribeAsContract(CompiledFiles()), DescribeAsContract(files));
}

// The element of this name, or null.
template <typename Elements>
auto* Find(Elements* elements, const std::string& name) {
  const auto found = std::find_if(elements->begin(), elements->end(),
                                  [&name](const auto& element) { return element.name() == name; });
  return found == elements->end() ? nullptr : &*found;
}

// A comparison that finds no difference proves something only if it finds each kind of difference.
TEST(WireContract, ComparisonNoticesAnyChangeOfAField) {
  const std::vector<FieldEdit> edits = {
      {"Value", "int_value", [](auto& field) { field.set_number(9); },
       " > number: 1 in the contract, 9 compiled"},
      {"Value", "int_value", [](auto& field) { field.set_type(field.TYPE_SINT64); },
       " > type: \"int64\" in the contract, \"sint64\" compiled"},
      {"Value", "int_value", [](auto& field) { field.clear_oneof_index(); },
       " > oneof: in the contract, not compiled"},
      {"Value", "struct_value", [](auto& field) { field.set_type_name(".a.B"); },
       " > type_name: \"google.protobuf.Struct\" in the contract, \"a.B\" compiled"},
      {"RecordSet", "records", [](auto& field) { field.set_label(field.LABEL_OPTIONAL); },
       " > label: \"repeated\" in the contract, \"optional\" compiled"},
      {"PutLineageSubgraphResponse", "context_ids",
       [](auto& field) { field.mutable_options()->clear_packed(); },
       " > packed: in the contract, not compiled"},
      {"PutTypesRequest", "all_fields_match",
       [](auto& field) { field.mutable_options()->clear_deprecated(); },
       " > deprecated: in the contract, not compiled"},
      {"PutTypesRequest", "can_add_fields",
       [](auto& field) { field.mutable_options()->set_deprecated(true); },
       " > deprecated: compiled, not in the contract"},
      {"ListOperationOptions", "max_result_size",
       [](auto& field) { field.set_default_value("21"); },
       " > default: \"20\" in the contract, \"21\" compiled"},
      {"ListOperationOptions", "next_page_token", [](auto& field) { field.set_default_value("x"); },
       " > default: compiled, not in the contract"},
  };
  for (const FieldEdit& edit : edits) {
    std::vector<FileDescriptorProto> files = CompiledFiles();
    for (FileDescriptorProto& file : files) {
      DescriptorProto* message = Find(file.mutable_message_type(), edit.message);
      if (message != nullptr) edit.edit(*Find(message->mutable_field(), edit.field));
    }
    const std::string path = "messages > ml_metadata." + edit.message + " > fields > " + edit.field;
    EXPECT_EQ(DifferencesFromCompiled(files), std::vector<std::string>{path + edit.difference});
  }
}

TEST(WireContract, ComparisonNoticesAnyOtherChange) {
  const std::vector<FilesEdit> edits = {
      {[](auto& files) { files[3].mutable_message_type(0)->mutable_field()->RemoveLast(); },
       "messages > ml_metadata.SimpleTypes > fields > context_types: in the contract, not "
       "compiled"},
      {[](auto& files) { files[3].mutable_message_type(0)->add_field()->set_name("more"); },
       "messages > ml_metadata.SimpleTypes > fields > more: compiled, not in the contract"},
      {[](auto& files) { files[3].clear_message_type(); },
       "messages > ml_metadata.SimpleTypes: in the contract, not compiled"},
      {[](auto& files) { files[3].add_message_type()->set_name("More"); },
       "messages > ml_metadata.More: compiled, not in the contract"},
      {[](auto& files) {
         auto* artifact = Find(files[0].mutable_message_type(), "Artifact");
         Find(artifact->mutable_nested_type(), "PropertiesEntry")->clear_options();
       },
       "messages > ml_metadata.Artifact.PropertiesEntry > map_entry: in the contract, not "
       "compiled"},
      {[](auto& files) {
         auto* options = Find(files[0].mutable_message_type(), "TransactionOptions");
         options->mutable_extension_range(0)->set_start(999);
       },
       "messages > ml_metadata.TransactionOptions > extension_ranges: [[1000,536870912]] in the "
       "contract, [[999,536870912]] compiled"},
      {[](auto& files) { files[0].mutable_enum_type(0)->mutable_value(1)->set_number(9); },
       "enums > ml_metadata.PropertyType > INT: 1 in the contract, 9 compiled"},
      {[](auto& files) { files[0].mutable_enum_type(0)->mutable_value()->RemoveLast(); },
       "enums > ml_metadata.PropertyType > BOOLEAN: in the contract, not compiled"},
      {[](auto& files) { files[0].mutable_enum_type(0)->add_value()->set_name("MORE"); },
       "enums > ml_metadata.PropertyType > MORE: compiled, not in the contract"},
      {[](auto& files) { files[0].mutable_extension(0)->set_number(1000); },
       "extensions > ml_metadata.system_type_extension > number: 384560917 in the contract, 1000 "
       "compiled"},
      {[](auto& files) { files[0].clear_extension(); },
       "extensions: in the contract, not compiled"},
      {[](auto& files) { files[1].mutable_service(0)->mutable_method()->RemoveLast(); },
       "services > ml_metadata.MetadataStoreService > GetLineageSubgraph: in the contract, not "
       "compiled"},
      {[](auto& files) { files[1].mutable_service(0)->add_method()->set_name("More"); },
       "services > ml_metadata.MetadataStoreService > More: compiled, not in the contract"},
      {[](auto& files) { files[1].mutable_service(0)->mutable_method(0)->set_output_type(".a.B"); },
       "services > ml_metadata.MetadataStoreService > PutArtifactType > response: "
       "\"ml_metadata.PutArtifactTypeResponse\" in the contract, \"a.B\" compiled"},
      {[](auto& files) {
         files[1].mutable_service(0)->mutable_method(0)->set_server_streaming(true);
       },
       "services > ml_metadata.MetadataStoreService > PutArtifactType > server_streaming: false in "
       "the contract, true compiled"},
  };
  for (const FilesEdit& edit : edits) {
    std::vector<FileDescriptorProto> files = CompiledFiles();
    edit.edit(files);
    EXPECT_EQ(DifferencesFromCompiled(files), std::vector<std::string>{edit.difference});
  }
}

}  // namespace
}  // namespace pedigree
