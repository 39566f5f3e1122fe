// An import that catches up with its source: everything is loaded, and then what the source
// received meanwhile is brought, round by round (round.h), until the switch.
//
// While it follows, the directory is no store that a server opens; it becomes one at the end. Where
// a server takes the import (import_target.h), that serves all the time, and only others' writes
// wait for the end; there is no load, but a first round over everything. Each round is durable
// batch by batch: whoever runs the import again after a crash goes on, beginning with one round
// over everything. A load that a crash has interrupted goes on only if the source has not changed
// since, and else begins anew. The last round begins after stop() has said so; what is written to
// the source after that is not brought.
//
// Of a database a round finds by id and last_update_time what has come or changed, a little overlap
// included. It does not find what is deleted, changed without a new last_update_time, or committed
// more than a minute late; verify-import does. Of a server it does not find contexts and events
// that nodes got without an update, so that the last rounds read everything, until one finds
// nothing new or stop() says kNow.
//
// Threads: one; what it calls back is called on it.
//
//   auto followed = ImportAndFollow(open, {.import = {.data_dir = dir}, .stop = stop}, &progress);
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "migrate/grpc_client.h"
#include "migrate/import.h"
#include "migrate/problems.h"
#include "migrate/progress.h"
#include "migrate/round.h"
#include "migrate/source.h"

namespace pedigree::migrate {

enum class Stop : uint8_t {
  kGoOn,
  kFinish,  // Once more, and as often as it takes to have everything.
  kNow,     // After one more look at what has changed.
};

struct FollowOptions {
  ImportOptions import;  // after_load is of no account.
  // The server to import into, instead of import.data_dir. Not owned.
  GrpcClient* server = nullptr;
  // Asked between rounds. Unset: kFinish, so that it only catches up.
  std::function<Stop()> stop;
  // Between two rounds.
  std::chrono::milliseconds pause{1000};
  // Called once everything is loaded: before the first round or, to a server, after it.
  std::function<void()> on_loaded;
  // Hears, a line at a time, how far behind it is.
  std::function<void(absl::string_view line)> say;
};

struct FollowResult {
  // Rows that the load has brought, if this call has made one, and all rounds together.
  TableCounts loaded = {};
  Brought brought;
  Findings findings;
  // Whether the last round was the last that was needed. If not, the source is still being written
  // to, or stop() said kNow: there may be rows that it has and the store has not.
  bool is_settled = false;
};

// Rounds over everything, at most, that a server's last changes may take.
inline constexpr int kMostLastRounds = 5;

// Errors: as Import(), and those of the server; Unavailable if it or the source cannot be reached,
// but that is waited for while stop() says kGoOn. The next call goes on where this one was.
absl::StatusOr<FollowResult> ImportAndFollow(const SourceOpener& open, const FollowOptions& options,
                                             Progress* progress);

}  // namespace pedigree::migrate
