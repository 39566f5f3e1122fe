// Which nodes a question is about: shared by the model's reads and lists.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tests/model/model.h"

namespace pedigree::model {

template <class Node>
using Wanted = std::function<bool(const Node&)>;

template <class Node>
const typename Things<Node>::Type* FindType(const State& state, const std::string& name,
                                            const std::string& version) {
  for (const auto& [id, type] : state.Of<Node>().types) {
    if (type->name() == name && type->version() == version) return type.get();
  }
  return nullptr;
}

template <class Node>
Wanted<Node> InContext(const State& state, int64_t context) {
  return [&state, context](const Node& node) {
    return state.LinksOf(TraitsOf<Node>::kKind).contains({node.id(), context});
  };
}

template <class Node>
Wanted<Node> OfType(const State& state, const std::string& name, const std::string& version) {
  const auto* type = FindType<Node>(state, name, version);
  return [type](const Node& node) { return type != nullptr && node.type_id() == type->id(); };
}

template <class Node>
Wanted<Node> Any() {
  return [](const Node&) { return true; };
}

}  // namespace pedigree::model
