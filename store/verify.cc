#include "store/verify.h"

#include <algorithm>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/id_set.h"
#include "store/keys.h"

namespace pedigree {
namespace {

using ml_metadata::Event;

// One pass over the records asks each for its index entries; one pass over each index asks each
// entry for its record. Together they are both directions of every invariant.
class Verifier {
 public:
  explicit Verifier(const Reader& reader) : reader_(reader) {}

  absl::StatusOr<VerifyReport> Run() {
    absl::Status status = CheckCounters();
    for (NodeKind kind : kNodeKinds) {
      if (status.ok()) status = CheckNodes(kind);
    }
    if (status.ok()) status = CheckEvents();
    if (status.ok()) status = CheckIndex();
    if (!status.ok()) return status;
    return std::move(report_);
  }

 private:
  using Visit = absl::FunctionRef<absl::Status(absl::string_view, absl::string_view)>;

  template <typename... Parts>
  void Problem(const Parts&... parts) {
    ++report_.problem_count;
    if (report_.problems.size() < VerifyReport::kMaxProblems) {
      report_.problems.push_back(absl::StrCat(parts...));
    }
  }

  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) {
    return reader_.view().Get(key, Blocking::kAllowed);
  }

  absl::Status Scan(const std::string& prefix, Visit visit) {
    absl::Status inner;
    absl::Status status =
        reader_.view().Scan(PrefixRange(prefix), Direction::kAscending, Blocking::kAllowed,
                            [&](absl::string_view key, absl::string_view value) {
                              inner = visit(key, value);
                              return inner.ok();
                            });
    return status.ok() ? inner : status;
  }

  // Complains unless `key` holds exactly `value` (any value if nullopt).
  absl::Status Expect(const std::string& key, std::optional<absl::string_view> value,
                      absl::FunctionRef<std::string()> what) {
    auto found = Get(key);
    if (!found.ok()) return found.status();
    if (!found->has_value()) {
      Problem(what(), ": missing");
    } else if (value.has_value() && **found != *value) {
      Problem(what(), ": wrong value");
    }
    return absl::OkStatus();
  }

  absl::Status ExpectMember(const std::string& prefix, int64_t id,
                            absl::FunctionRef<std::string()> what) {
    std::string key = prefix;
    AppendId(&key, BlockOf(id));
    auto found = Get(key);
    if (!found.ok()) return found.status();
    IdSet set;
    if (!found->has_value() || !IdSet::Decode(**found, &set) || !set.Contains(OffsetOf(id))) {
      Problem(what(), ": missing");
    }
    return absl::OkStatus();
  }

  absl::Status CheckCounters() {
    auto bytes = Get(CountersKey().Encode());
    if (!bytes.ok()) return bytes.status();
    if (!bytes->has_value() || !Counters::Decode(**bytes, &counters_)) {
      Problem("counters: do not decode");
    }
    return Scan(KeyHead(Tag::kType), [&](absl::string_view key, absl::string_view) {
      TypeKey type = {};
      ++report_.types;
      if (!TypeKey::Decode(key, &type)) {
        Problem("a type key does not decode");
      } else if (type.id > counters_.last_type_id) {
        Problem(NameOf(type.kind), " type ", type.id, ": beyond the last id handed out");
      } else if (reader_.catalog().TypeName(type.kind, type.id).empty()) {
        Problem(NameOf(type.kind), " type ", type.id, ": not in the catalog");
      }
      return absl::OkStatus();
    });
  }

  absl::Status CheckNodes(NodeKind kind) {
    int64_t last_create_time_ms = 0;
    absl::Status inner;
    absl::Status status = reader_.VisitNodes(
        kind, kFirstId, Direction::kAscending, [&](int64_t id, const RecordView& record) {
          const auto peek = PeekNode(kind, record.message());
          ++report_.nodes[IndexOf(kind)];
          if (!peek.has_value() || peek->id != id) {
            Problem(NameOf(kind), " ", id, ": the message does not decode or has another id");
            return true;
          }
          if (peek->create_time_ms < last_create_time_ms) {
            Problem(NameOf(kind), " ", id, ": created before the node before it");
          }
          last_create_time_ms = peek->create_time_ms;
          inner = CheckNode(kind, *peek, record);
          return inner.ok();
        });
    return status.ok() ? inner : status;
  }

  template <class Node>
  bool FitsType(const RecordView& record) {
    Node node;
    if (!node.ParseFromArray(record.message().data(), static_cast<int>(record.message().size()))) {
      return false;
    }
    const auto* type = reader_.catalog().Of<Node>().FindById(node.type_id());
    if (type == nullptr || node.has_type()) return false;
    for (const auto& [name, value] : node.properties()) {
      if (!type->properties().contains(name)) return false;
    }
    return true;
  }

  bool FitsType(NodeKind kind, const RecordView& record) {
    switch (kind) {
      case NodeKind::kArtifact:
        return FitsType<ml_metadata::Artifact>(record);
      case NodeKind::kExecution:
        return FitsType<ml_metadata::Execution>(record);
      case NodeKind::kContext:
        break;
    }
    return FitsType<ml_metadata::Context>(record);
  }

  absl::Status CheckNode(NodeKind kind, const NodePeek& node, const RecordView& record) {
    const auto what = [&](absl::string_view part) {
      return absl::StrCat(NameOf(kind), " ", node.id, ": ", part);
    };
    if (node.id > counters_.last_node_id[IndexOf(kind)]) {
      Problem(what("beyond the last id handed out"));
    }
    if (node.last_update_time_ms > counters_.last_time_ms) {
      Problem(what("updated after the newest time"));
    }
    if (!FitsType(kind, record)) Problem(what("does not fit its type"));

    std::string id_bytes;
    AppendId(&id_bytes, node.id);
    absl::Status status = ExpectMember(TypeMembersPrefix(kind, node.type_id), node.id,
                                       [&] { return what("type_members"); });
    if (status.ok()) {
      status = ExpectMember(UpdateTimePrefix(kind, node.last_update_time_ms), node.id,
                            [&] { return what("update_times"); });
    }
    if (status.ok() && node.name.has_value()) {
      status = Expect(NameKey{kind, node.type_id, *node.name}.Encode(), id_bytes,
                      [&] { return what("name"); });
    }
    if (status.ok() && node.external_id.has_value()) {
      status = Expect(ExternalIdKey{kind, *node.external_id}.Encode(), id_bytes,
                      [&] { return what("external_id"); });
    }
    if (status.ok() && kind == NodeKind::kArtifact) {
      status =
          Expect(UriKey{node.uri, node.id}.Encode(), std::nullopt, [&] { return what("uri"); });
    }
    return status.ok() ? CheckLinks(kind, node.id, record) : status;
  }

  absl::Status CheckLinks(NodeKind kind, int64_t id, const RecordView& record) {
    auto links = reader_.Links(kind, id);
    if (!links.ok()) return links.status();
    const size_t near = record.NearLinks().size();
    if (record.HasFarLinks() ? links->size() <= near : links->size() != near) {
      Problem(NameOf(kind), " ", id, ": far links do not match the record");
    }
    int64_t last = 0;
    for (int64_t context : *links) {
      ++report_.links;
      const auto what = [&] {
        return absl::StrCat(NameOf(kind), " ", id, ": link to context ", context);
      };
      if (context <= last) Problem(what(), ": not ascending");
      last = context;
      absl::Status status =
          Expect(NodeKey{NodeKind::kContext, context}.Encode(), std::nullopt, what);
      if (status.ok()) status = ExpectMember(ContextMembersPrefix(context, kind), id, what);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status CheckEvents() {
    absl::Status status = Scan(
        KeyHead(Tag::kExecutionEvents),
        [&](absl::string_view key, absl::string_view chunk) { return CheckChunk(key, chunk); });
    if (!status.ok()) return status;
    int64_t reverse = 0;
    status =
        Scan(KeyHead(Tag::kArtifactEvent), [&](absl::string_view key, absl::string_view value) {
          ++reverse;
          return CheckArtifactEvent(key, value);
        });
    // Each event of a chunk has its entry, and there are no entries besides.
    if (status.ok() && reverse != report_.events) {
      Problem("events: ", report_.events, " by execution, ", reverse, " by artifact");
    }
    return status;
  }

  absl::Status CheckChunk(absl::string_view key, absl::string_view chunk) {
    ExecutionEventsKey head = {};
    if (!ExecutionEventsKey::Decode(key, &head)) {
      Problem("a key of execution_events does not decode");
      return absl::OkStatus();
    }
    if (head.number > counters_.last_event_number) {
      Problem("event ", head.number, ": beyond the last number handed out");
    }
    absl::Status status;
    const bool whole = VisitChunk(chunk, [&](absl::string_view bytes) {
      ++report_.events;
      status = CheckEvent(head.execution, bytes);
      return status.ok();
    });
    if (!whole) Problem("execution ", head.execution, ": its events do not decode");
    return status;
  }

  absl::Status CheckEvent(int64_t execution, absl::string_view bytes) {
    Event event;
    if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
        event.execution_id() != execution || !event.has_milliseconds_since_epoch()) {
      Problem("execution ", execution, ": one of its events does not decode");
      return absl::OkStatus();
    }
    const auto what = [&] {
      return absl::StrCat("event of artifact ", event.artifact_id(), " and execution ", execution);
    };
    const ArtifactEventKey key = {event.artifact_id(), execution,
                                  static_cast<uint8_t>(event.type())};
    auto reverse = Get(key.Encode());
    if (!reverse.ok()) return reverse.status();
    uint64_t number = 0;
    ByteReader reader(reverse->has_value() ? absl::string_view(**reverse) : absl::string_view());
    if (!reader.ReadVarint(&number) || reader.rest() != bytes) {
      Problem(what(), ": not the same by artifact");
    }
    absl::Status status =
        Expect(NodeKey{NodeKind::kExecution, execution}.Encode(), std::nullopt, what);
    if (!status.ok()) return status;
    return Expect(NodeKey{NodeKind::kArtifact, event.artifact_id()}.Encode(), std::nullopt, what);
  }

  absl::Status CheckArtifactEvent(absl::string_view key, absl::string_view value) {
    ArtifactEventKey head = {};
    uint64_t number = 0;
    if (!ArtifactEventKey::Decode(key, &head) || !ByteReader(value).ReadVarint(&number)) {
      Problem("an entry of artifact_event does not decode");
    } else if (static_cast<int64_t>(number) > counters_.last_event_number) {
      Problem("event ", number, ": beyond the last number handed out");
    }
    return absl::OkStatus();
  }

  // The index side: each entry must be what its node says. Names and external ids are checked by
  // encoding the node's own key and comparing it with the entry's.
  absl::Status CheckIndex() {
    absl::Status status =
        Scan(KeyHead(Tag::kName), [&](absl::string_view key, absl::string_view value) {
          return CheckUnique(key, value, "name");
        });
    if (status.ok()) {
      status = Scan(KeyHead(Tag::kExternalId), [&](absl::string_view key, absl::string_view value) {
        return CheckUnique(key, value, "external_id");
      });
    }
    if (status.ok()) {
      status = Scan(KeyHead(Tag::kUri),
                    [&](absl::string_view key, absl::string_view) { return CheckUri(key); });
    }
    if (status.ok()) {
      status = Scan(KeyHead(Tag::kFarLink),
                    [&](absl::string_view key, absl::string_view) { return CheckFarLink(key); });
    }
    for (Tag tag : {Tag::kTypeMembers, Tag::kContextMembers, Tag::kUpdateTimes}) {
      if (!status.ok()) return status;
      status = Scan(KeyHead(tag), [&](absl::string_view key, absl::string_view value) {
        return CheckPosting(tag, key, value);
      });
    }
    return status;
  }

  absl::Status CheckUnique(absl::string_view key, absl::string_view value, absl::string_view what) {
    ++report_.index_entries;
    int64_t id = 0;
    const auto kind = static_cast<NodeKind>(key.size() > kKeyHeadBytes ? key[kKeyHeadBytes] : 0);
    if (!ByteReader(value).ReadId(&id) || IndexOf(kind) > 2) {
      Problem("an entry of the index ", what, " does not decode");
      return absl::OkStatus();
    }
    auto record = reader_.FindRecord(kind, id);
    if (!record.ok()) return record.status();
    const auto node = record->has_value() ? PeekNode(kind, (*record)->message()) : std::nullopt;
    std::string expected;
    if (node.has_value() && what == "name" && node->name.has_value()) {
      expected = NameKey{kind, node->type_id, *node->name}.Encode();
    } else if (node.has_value() && what == "external_id" && node->external_id.has_value()) {
      expected = ExternalIdKey{kind, *node->external_id}.Encode();
    }
    if (expected != key) Problem(NameOf(kind), " ", id, ": a stale entry in the index ", what);
    return absl::OkStatus();
  }

  absl::Status CheckUri(absl::string_view key) {
    ++report_.index_entries;
    int64_t id = 0;
    if (!UriKey::DecodeArtifact(key, &id)) {
      Problem("an entry of the index uri does not decode");
      return absl::OkStatus();
    }
    auto record = reader_.FindRecord(NodeKind::kArtifact, id);
    if (!record.ok()) return record.status();
    const auto node =
        record->has_value() ? PeekNode(NodeKind::kArtifact, (*record)->message()) : std::nullopt;
    if (!node.has_value() || UriKey{node->uri, id}.Encode() != key) {
      Problem("artifact ", id, ": a stale entry in the index uri");
    }
    return absl::OkStatus();
  }

  absl::Status CheckFarLink(absl::string_view key) {
    ++report_.index_entries;
    FarLinkKey link = {};
    if (!FarLinkKey::Decode(key, &link)) {
      Problem("a far link does not decode");
      return absl::OkStatus();
    }
    auto record = reader_.FindRecord(link.kind, link.id);
    if (!record.ok()) return record.status();
    if (!record->has_value() || !(*record)->HasFarLinks()) {
      Problem(NameOf(link.kind), " ", link.id, ": a far link that its record does not know");
    }
    return absl::OkStatus();
  }

  absl::Status CheckPosting(Tag tag, absl::string_view key, absl::string_view value) {
    ByteReader reader(key.substr(kKeyHeadBytes));
    int64_t owner = 0;
    int64_t time_ms = 0;
    int64_t block = 0;
    uint8_t kind_byte = 0;
    IdSet set;
    bool decodes = false;
    if (tag == Tag::kTypeMembers) {
      decodes = reader.ReadU8(&kind_byte) && reader.ReadId(&owner);
    } else if (tag == Tag::kContextMembers) {
      decodes = reader.ReadId(&owner) && reader.ReadU8(&kind_byte);
    } else {
      decodes = reader.ReadU8(&kind_byte) && reader.ReadTime(&time_ms);
    }
    decodes = decodes && reader.ReadId(&block) && reader.AtEnd() && IdSet::Decode(value, &set);
    const auto kind = static_cast<NodeKind>(kind_byte);
    if (!decodes || IndexOf(kind) > 2) {
      Problem("a posting list does not decode");
      return absl::OkStatus();
    }
    for (int i = set.Next(0); i < kIdsPerBlock; i = set.Next(i + 1)) {
      ++report_.index_entries;
      const int64_t id = IdOf(block, i);
      auto record = reader_.FindRecord(kind, id);
      if (!record.ok()) return record.status();
      const auto node = record->has_value() ? PeekNode(kind, (*record)->message()) : std::nullopt;
      bool belongs = node.has_value();
      if (belongs && tag == Tag::kTypeMembers) belongs = node->type_id == owner;
      if (belongs && tag == Tag::kUpdateTimes) belongs = node->last_update_time_ms == time_ms;
      if (belongs && tag == Tag::kContextMembers) {
        auto links = reader_.Links(kind, id);
        if (!links.ok()) return links.status();
        belongs = std::binary_search(links->begin(), links->end(), owner);
      }
      if (!belongs) {
        Problem(NameOf(kind), " ", id, ": a stale entry in posting list ", static_cast<int>(tag));
      }
    }
    return absl::OkStatus();
  }

  const Reader& reader_;
  Counters counters_;
  VerifyReport report_;
};

}  // namespace

absl::StatusOr<VerifyReport> VerifyVersion(const Reader& reader) { return Verifier(reader).Run(); }

}  // namespace pedigree
