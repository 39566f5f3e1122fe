#include "cli/reference.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/filter_text.h"
#include "cli/node_calls.h"
#include "cli/node_text.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

// Beyond these it is only said that there are more.
constexpr size_t kMostCandidates = 10;

// A text, its kind taken off.
struct Named {
  std::optional<NodeKind> kind;
  absl::string_view rest;
};

Named ReadKind(absl::string_view text) {
  for (const NodeKind kind : kNodeKinds) {
    absl::string_view rest = text;
    if (absl::ConsumePrefix(&rest, NameOf(kind)) && absl::ConsumePrefix(&rest, ":")) {
      return {kind, rest};
    }
  }
  return {std::nullopt, text};
}

std::optional<int64_t> ReadId(absl::string_view text) {
  int64_t id = 0;
  if (absl::SimpleAtoi(text, &id) && id > 0) return id;
  return std::nullopt;
}

struct Candidate {
  NodeRef ref;
  std::string type;
  std::string uri;
};

std::string UriOf(const Artifact& artifact) { return artifact.uri(); }
template <class Node>
std::string UriOf(const Node&) {
  return "";
}

// Adds the nodes of one kind that match, as many as are listed and one more.
template <class Node>
absl::Status AddMatches(Connection* connection, const std::string& filter,
                        std::vector<Candidate>* candidates) {
  typename ReadsOf<Node>::List request;
  request.mutable_options()->set_max_result_size(static_cast<int32_t>(kMostCandidates) + 1);
  request.mutable_options()->set_filter_query(filter);
  typename ReadsOf<Node>::ListAnswer answer;
  absl::Status status = connection->Call(ReadsOf<Node>::kList, request, &answer);
  for (const Node& node : ReadsOf<Node>::Nodes(answer)) {
    const NodeRef ref = {TraitsOf<Node>::kKind, node.id()};
    const auto is_same = [&ref](const Candidate& other) { return other.ref == ref; };
    // One that has its uri for a name.
    if (std::any_of(candidates->begin(), candidates->end(), is_same)) continue;
    candidates->push_back({ref, node.type(), UriOf(node)});
  }
  return status;
}

absl::Status AddMatches(Connection* connection, NodeKind kind, absl::string_view text,
                        std::vector<Candidate>* candidates) {
  const std::string quoted = FilterText(text);
  const std::string by_name = absl::StrCat("name = ", quoted);
  switch (kind) {
    case NodeKind::kArtifact: {
      absl::Status status = AddMatches<Artifact>(connection, by_name, candidates);
      // A uri has a slash or a colon somewhere.
      if (!status.ok() || text.find_first_of("/:") == absl::string_view::npos) return status;
      return AddMatches<Artifact>(connection, absl::StrCat("uri = ", quoted), candidates);
    }
    case NodeKind::kExecution:
      return AddMatches<Execution>(connection, by_name, candidates);
    case NodeKind::kContext:
      break;
  }
  return AddMatches<Context>(connection, by_name, candidates);
}

absl::Status Ambiguous(absl::string_view text, const std::vector<Candidate>& candidates) {
  std::vector<std::string> lines = {
      absl::StrCat(Quoted(text), " could be any of these; say which:")};
  for (size_t i = 0; i < std::min(candidates.size(), kMostCandidates); ++i) {
    const Candidate& candidate = candidates[i];
    lines.push_back(absl::StrCat("  ", ToString(candidate.ref), "  ", Printable(candidate.type),
                                 candidate.uri.empty() ? "" : "  ", Printable(candidate.uri)));
  }
  if (candidates.size() > kMostCandidates) lines.push_back("  and more");
  return absl::NotFoundError(absl::StrJoin(lines, "\n"));
}

absl::Status NoSuch(absl::string_view text, absl::Span<const NodeKind> kinds) {
  const std::string names = absl::StrJoin(
      kinds, " or ", [](std::string* out, NodeKind kind) { absl::StrAppend(out, NameOf(kind)); });
  return absl::NotFoundError(absl::StrCat("no ", names, " has the name ",
                                          kinds[0] == NodeKind::kArtifact ? "or uri " : "",
                                          Quoted(text)));
}

}  // namespace

std::string ToString(const NodeRef& ref) { return absl::StrCat(NameOf(ref.kind), ":", ref.id); }

absl::StatusOr<NodeRef> Resolve(Connection* connection, absl::string_view text,
                                absl::Span<const NodeKind> kinds) {
  const Named named = ReadKind(text);
  if (named.rest.empty()) return absl::InvalidArgumentError("a node without a name");
  if (named.kind.has_value()) {
    if (std::find(kinds.begin(), kinds.end(), *named.kind) == kinds.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(text), " is no ", NameOf(kinds[0]), ", which is asked for here"));
    }
    kinds = absl::MakeConstSpan(&*named.kind, 1);
    if (const auto id = ReadId(named.rest)) return NodeRef{*named.kind, *id};
  }
  std::vector<Candidate> candidates;
  for (const NodeKind kind : kinds) {
    absl::Status status = AddMatches(connection, kind, named.rest, &candidates);
    if (!status.ok()) return status;
  }
  if (candidates.size() == 1) return candidates[0].ref;
  if (!candidates.empty()) return Ambiguous(text, candidates);
  if (const auto id = ReadId(named.rest); id && kinds.size() == 1) return NodeRef{kinds[0], *id};
  return NoSuch(named.rest, kinds);
}

}  // namespace pedigree::cli
