// The command line of pedigreed: its own flags, and every flag of google/ml-metadata's server, so
// that a deployment of that server needs only another image.
//
// The forms are those of gflags: --flag=value, --flag value, one dash or two, --noflag for a
// boolean, --flagfile. An unknown flag, or one without its value, ends the process with code 1
// inside gflags; whatever else is wrong comes back as a status of one line.
//
// A flag that is given counts before its environment variable, that before the default:
// PEDIGREE_DATA_DIR for --data_dir, GRPC_PORT for --grpc_port, METADATA_STORE_SERVER_CONFIG_FILE
// for --metadata_store_server_config_file. An empty variable counts as unset.
//
// Threading: gflags keeps flags in global variables, so one call at a time. A call leaves them as
// it found them, and nothing else in the server looks at them.
//
//   absl::StatusOr<ServerCommandLine> line = ParseServerFlags(argc, argv, "0.1.0");
//   if (!line.ok()) return Fail(line.status());          // exit 1
//   if (!line->answer.empty()) return Print(line->answer);  // exit 0
//   for (const std::string& notice : line->notices) Log(notice);
//   Serve(line->options);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/credentials.h"
#include "store/store.h"

namespace pedigree {

// One gRPC channel argument, for grpc::ServerBuilder::AddChannelArgument.
struct ChannelArgument {
  std::string name;
  std::variant<int, std::string> value;
};

enum class Task : uint8_t {
  kServe,
  kVerify,   // Check the store and leave. --verify.
  kUpgrade,  // Bring the store to the newest format and leave. --upgrade.
};

// One of --property_indexes.
struct IndexedProperty {
  NodeKind kind = NodeKind::kArtifact;
  bool is_custom = false;
  std::string name;

  bool operator==(const IndexedProperty&) const = default;
};

// The second listener, of HTTP.
struct HttpListener {
  // An address or a host name, that of --listen; 127.0.0.1 where that is a unix socket.
  std::string host;
  int port = 9090;  // 0 to 65535; 0 takes any free port. --http_port.
  // Origins whose pages may call, as browsers write them, or "*". --http_allow_origins.
  std::vector<std::string> allowed_origins;
};

// What the server runs with, checked: every value is within the limits named here.
struct ServerOptions {
  Task task = Task::kServe;

  // The directory that holds everything. Not empty. --data_dir.
  std::string data_dir = "./pedigree-data";

  // What to bind, in gRPC's form: "0.0.0.0:8080", "[::1]:8080" or "unix:/run/pedigree.sock".
  // Made of --listen (an IPv4 or IPv6 address, a host name, or unix: and a path of at most 107
  // bytes) and --grpc_port (0 to 65535; 0 takes any free port; a unix socket has none).
  std::string listen_address = "0.0.0.0:8080";

  // What to bind as well, for clients that cannot be told a port: Kubeflow Pipelines looks for its
  // task service on 8887. Same host; every service is on both ports. "": nothing. --task_port (0 to
  // 65535; 0 binds nothing), which a unix socket excludes.
  std::string task_listen_address;

  // Unset: there is no second listener. --http, or --http_port alone.
  std::optional<HttpListener> http;

  // TLS of both listeners, as ssl_config in the configuration file asks for it; empty: plain text.
  // Its PEM is checked by MakeServerCredentials.
  std::optional<SslOptions> ssl;

  // --grpc_channel_arguments in the order given, without grpc.max_receive_message_length, which
  // max_message_bytes stands for. A number is an int, all else a string.
  std::vector<ChannelArgument> channel_arguments;

  // The largest message that is received; a larger one is answered RESOURCE_EXHAUSTED. From 1 KiB
  // to 2 GiB - 1. --max_message_bytes; without that, grpc.max_receive_message_length, of which -1
  // means the maximum. Messages sent are unlimited unless a channel argument limits them.
  int max_message_bytes = 100 << 20;

  // When a write is acknowledged. --sync.
  Sync sync = Sync::kAlways;

  // Whether requests are journalled. --journal.
  JournalMode journal = JournalMode::kOn;

  // Memory for blocks read from disk, in bytes, 1 MiB to 1 TiB. --block_cache_bytes.
  size_t block_cache_bytes = size_t{256} << 20;

  // Memory of all memtables together, in bytes, 1 MiB to 1 TiB. --write_buffer_bytes.
  size_t write_buffer_bytes = size_t{64} << 20;
  // Memory for records read lately, in bytes, 0 to 1 TiB. --record_cache_bytes.
  size_t record_cache_bytes = size_t{64} << 20;
  // Where the store says what takes long; no flag. Nowhere if unset.
  LogLine log;
  // Of the program, for /metrics; no flag.
  std::string version;

  // Memory of the writes that wait for the committer, in bytes, from max_message_bytes (so that no
  // message is too large to wait) to 1 TiB. --max_queued_bytes; its default grows with
  // max_message_bytes.
  size_t max_queued_bytes = size_t{256} << 20;

  // The directory in which clients may have backups made; absolute, and there. "": none may.
  // --backup_root.
  std::string backup_root;

  // Whether clients may import a history into the store while it is empty. --allow_import.
  bool allow_import = false;

  // Properties that get an index when the server starts, beside those that have one.
  // --property_indexes.
  std::vector<IndexedProperty> property_indexes;

  // What one filter_query may cost: keys read, from 1,000 to 10^12, and seconds, from 1 to a day.
  // --max_query_visits, --max_query_seconds.
  int64_t max_query_visits = ReadLimits().max_query_visits;
  std::chrono::seconds max_query_time{60};

  // How old results from the cache may be: 1 second to 100 years, unset where the flag is "off".
  // --cache_default_staleness, --cache_max_staleness.
  CachePolicy cache_policy;
};

struct ServerCommandLine {
  ServerOptions options;

  // The text that --help or --version asks for, to be printed before leaving with code 0; empty
  // otherwise. When it is set, `options` and `notices` say nothing.
  std::string answer;

  // Lines for the log before serving: at most one that names every setting without meaning here
  // (never its value), and one if --sync gives up durability.
  std::vector<std::string> notices;
};

// Reads the command line, the environment and the configuration file. argv[0] is the program.
// InvalidArgument names the flag, its value and what is accepted, or the file, line and column of
// the configuration; the code of an unreadable configuration file is that of its errno.
absl::StatusOr<ServerCommandLine> ParseServerFlags(int argc, const char* const* argv,
                                                   absl::string_view version);

}  // namespace pedigree
