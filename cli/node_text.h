// Nodes, events and values as people read them.
//
// Threads: free functions, any.
//
//   const std::string name = NameOf(execution);                     // "train"
//   const std::string value = ValueText(artifact.properties().at("accuracy"));   // "0.97"
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/text.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::cli {

// A value as text: strings as they are, numbers so that they read back the same, structs as JSON on
// one line, messages by their type.
std::string ValueText(const ml_metadata::Value& value);

// A custom property as text; "" if there is none.
template <class Node>
std::string CustomProperty(const Node& node, const std::string& name) {
  const auto found = node.custom_properties().find(name);
  return found == node.custom_properties().end() ? "" : ValueText(found->second);
}

// What a person calls a node: Kubeflow's display_name, else task_name, else its own name. Empty if
// it has none of them.
template <class Node>
std::string NameOf(const Node& node) {
  for (const char* property : {"display_name", "task_name"}) {
    std::string name = CustomProperty(node, property);
    if (!name.empty()) return name;
  }
  return node.name();
}

// The artifact's own name, else that of the step's input or output, else the uri's last part.
std::string ArtifactName(const ml_metadata::Artifact& artifact, const ml_metadata::Event& event);

// "examples[0]"; "" without a path.
std::string PathText(const ml_metadata::Event::Path& path);

bool IsInput(ml_metadata::Event::Type type);
// "INPUT"
std::string EventTypeText(const ml_metadata::Event& event);

// The state's name, "-" if none was ever set; contexts have none.
std::string StateText(const ml_metadata::Artifact& artifact);
std::string StateText(const ml_metadata::Execution& execution);
std::string StateText(const ml_metadata::Context& context);
Colour ColourOfState(absl::string_view state);

bool HasEnded(const ml_metadata::Execution& execution);

}  // namespace pedigree::cli
