// The messages of pedigree.v1.LineageService.Trace.
//
// The first is made after the walk; what the walk has found, 20 bytes a node and 4 an event, is
// kept until the last. Threads: one at a time.
//
//   TraceAnswer answer;
//   auto part = answer.Next(reader, request);
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pedigree/v1/lineage.pb.h"
#include "query/lineage_trace.h"
#include "query/lineage_view.h"
#include "server/answer.h"
#include "server/methods.h"
#include "store/reader.h"

namespace pedigree {

class TraceAnswer {
 public:
  // Walks when it is called first, and makes a message of what is next.
  // Errors: InvalidArgument if the request or its token is wrong; NotFound as ResolveStart();
  // FailedPrecondition if what filters match has changed since the token was made; as Reader.
  absl::StatusOr<StreamPart> Next(const Reader& reader, const v1::TraceRequest& request);

 private:
  using Event = std::pair<uint32_t, std::string>;  // Its number and its bytes.

  absl::Status Begin(const Reader& reader, const v1::TraceRequest& request);
  absl::Status Walk(const Reader& reader, const v1::TraceRequest& request, const LineageView& view);
  // Which nodes this call answers, and the token that goes on behind them.
  absl::Status ChoosePlaces(const v1::TraceRequest& request, const LineageView& view);
  // Adds nodes and events that are next, `bytes_left` or a little more. Answers their bytes.
  absl::StatusOr<size_t> AddBatch(const Reader& reader, const v1::TraceRequest& request,
                                  size_t bytes_left, Answer* answer, std::vector<Event>* events);

  // What is next in the stream: 0 is the node at `place`, n its n-th event.
  struct Cursor {
    size_t place = 0;
    size_t item = 0;
  };
  void Advance(Cursor* cursor) const;
  bool AtEnd(const Cursor& cursor) const { return cursor.place == end_; }

  std::optional<LineageTrace> trace_;
  bool has_token_ = true;  // Whether a call can go on where this one ends.
  v1::Completeness completeness_;
  Cursor next_;
  size_t end_ = 0;
  size_t bytes_per_item_ = 0;  // Of the last batch.
};

}  // namespace pedigree
