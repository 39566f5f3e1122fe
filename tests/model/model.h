// What a metadata store should hold and answer: the protocol's rules, written down a second time.
//
// Plain maps, one copy of everything per request, every search a scan: simple enough to be read
// against the rules, and sharing no code with the server but the generated messages. Where a
// request has several faults the rules do not say which one is named, so a Verdict holds them all.
// Threads: one.
//
//   Model model;
//   Verdict verdict = model.Write(request, clock_ms, &expected);
//   EXPECT_TRUE(verdict.Allows(status)) << verdict;
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "store/traits.h"

namespace pedigree::model {

// What a call may answer.
class Verdict {
 public:
  void Fault(absl::StatusCode code) { faults_.push_back(code); }
  void Add(const Verdict& other) {
    faults_.insert(faults_.end(), other.faults_.begin(), other.faults_.end());
  }

  bool ok() const { return faults_.empty(); }
  size_t fault_count() const { return faults_.size(); }
  // OK if there are no faults, else the code of any of them.
  bool Allows(absl::StatusCode code) const;
  std::string ToString() const;  // "OK" or "INVALID_ARGUMENT or ALREADY_EXISTS".

 private:
  std::vector<absl::StatusCode> faults_;
};

inline std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  return out << verdict.ToString();
}

// The nodes and types of one kind, by id.
template <class Node>
struct Things {
  using Type = typename TraitsOf<Node>::Type;

  std::map<int64_t, std::shared_ptr<const Node>> nodes;  // Without `type`.
  std::map<int64_t, std::shared_ptr<const Type>> types;
  int64_t last_id = 0;
};

// Copies share their messages: cheap enough to take one per request.
struct State {
  State();  // The nine types that exist from the start.

  template <class Node>
  Things<Node>& Of() {
    return std::get<Things<Node>>(things);
  }
  template <class Node>
  const Things<Node>& Of() const {
    return std::get<Things<Node>>(things);
  }
  // Pairs of (node, context); of a context: (child, parent).
  using Links = std::set<std::pair<int64_t, int64_t>>;
  Links& LinksOf(NodeKind kind) { return links[IndexOf(kind)]; }
  const Links& LinksOf(NodeKind kind) const { return links[IndexOf(kind)]; }

  std::tuple<Things<ml_metadata::Artifact>, Things<ml_metadata::Execution>,
             Things<ml_metadata::Context>>
      things;
  std::vector<std::shared_ptr<const ml_metadata::Event>> events;  // In the order added.
  Links links[3];
  int64_t last_type_id = 0;
  int64_t last_time_ms = 0;
};

// Whether nothing has been written between two states of one model.
bool IsUnchanged(const State& before, const State& after);

// A place in a list: where a page ends.
struct Place {
  int64_t time_ms = 0;
  int64_t id = 0;
};

// A page of a list as it should be.
struct Page {
  Verdict verdict;
  std::vector<int64_t> ids;
  bool has_more = false;
  Place last;
};

class Model {
 public:
  // Does a Put, all of it or nothing, and fills in its response.
  Verdict Write(const google::protobuf::Message& request, int64_t clock_ms,
                google::protobuf::Message* response);

  // Answers a Get, but for lists with options, which are List()'s.
  Verdict Read(const google::protobuf::Message& request, google::protobuf::Message* response) const;

  // The ids of one page of a list with options, after `after` if it is not null. The token in the
  // options does not count.
  // REQUIRES: `request` is one of the calls that have ListOperationOptions, and they are set.
  Page List(const google::protobuf::Message& request, const Place* after) const;

  // The store has read its clock, whatever it did then.
  void SeeClock(int64_t clock_ms);

  // Hands out the ids that `other` has handed out, without what they were for: the request that
  // `other` has had since could not be stored.
  void SkipIdsOf(const Model& other);

  const State& state() const { return state_; }

 private:
  State state_;
};

// Bytes that are equal if and only if the messages are, to the last bit of a double.
std::string CanonicalBytes(const google::protobuf::Message& message);

// The node as it is answered: with its type's name.
template <class Node>
Node AnswerOf(const State& state, const Node& node) {
  Node answer = node;
  answer.set_type(state.Of<Node>().types.at(node.type_id())->name());
  return answer;
}

}  // namespace pedigree::model
