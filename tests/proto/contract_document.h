// Descriptors written in the form of the recorded wire contract (tests/data/contract/*-wire.json),
// and the comparison of two such documents. All functions are pure.
//
// The form, as JSON:
//   {"packages": [{"package": NAME, "syntax": "proto2" | "proto3"}, ...],
//    "messages": {FULL_NAME: {"fields": {NAME: FIELD},
//                             "map_entry": true,                     only for entries of maps
//                             "extension_ranges": [[START, END]]}},  END excluded; only if any
//    "enums": {FULL_NAME: {VALUE_NAME: NUMBER}},
//    "extensions": {FULL_NAME: FIELD with "extendee"},
//    "services": {FULL_NAME: {METHOD: {"request", "response": FULL_NAME,
//                                      "client_streaming", "server_streaming": BOOL}}}}
// with FIELD = {"number", "label", "type"} always and "type_name", "oneof", "default" (as text),
// "packed", "deprecated" only where the descriptor sets them. Nested types stand beside the outer
// ones under their full names.
//
//   for (const std::string& difference : ContractDifferences(recorded, DescribeAsContract(files)))
//     ADD_FAILURE() << difference;

#pragma once

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/struct.pb.h>

#include <string>
#include <vector>

namespace pedigree {

// "proto2" or "proto3": descriptors leave the former out.
std::string SyntaxOf(const google::protobuf::FileDescriptorProto& file);

// `files` together, as one document.
google::protobuf::Struct DescribeAsContract(
    const std::vector<google::protobuf::FileDescriptorProto>& files);

// What differs between two documents, a line each; empty if they are equal. A line begins with the
// path to what differs:
//   messages > ml_metadata.Value > fields > int_value > number: 1 in the contract, 2 compiled
//   messages > ml_metadata.Value > fields > more: compiled, not in the contract
// The order of "packages" does not count: it is a set.
std::vector<std::string> ContractDifferences(const google::protobuf::Struct& contract,
                                             const google::protobuf::Struct& compiled);

}  // namespace pedigree
