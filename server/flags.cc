#include "server/flags.h"

#include <arpa/inet.h>
#include <gflags/gflags.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "server/http/origins.h"

// Everything but booleans is a string to gflags, so that every refusal is worded here. gflags sorts
// and prints these texts for --help.

DEFINE_string(data_dir, "./pedigree-data",
              "Directory that holds everything; made if it does not exist.\n"
              "Environment: PEDIGREE_DATA_DIR.");
DEFINE_string(listen, "0.0.0.0",
              "What to bind: an IPv4 or IPv6 address, a host name, or unix:/path.\n"
              "The port is --grpc_port; a unix socket has none.");
DEFINE_string(sync, "always",
              "When a write reaches the disk: always (before it is acknowledged),\n"
              "interval (a power cut loses at most the last 100 ms) or never (left to the\n"
              "operating system).");
DEFINE_string(journal, "on",
              "Whether each committed request leaves an entry in the journal: on or off.\n"
              "Turning it off leaves an entry that says so.");
DEFINE_string(max_message_bytes, "100MiB",
              "Largest message received, 1KiB to 2147483647. Counts before\n"
              "grpc.max_receive_message_length in --grpc_channel_arguments.");
DEFINE_string(block_cache_bytes, "256MiB", "Memory for blocks read from disk, 1MiB to 1024GiB.");
DEFINE_string(write_buffer_bytes, "64MiB", "Memory of all memtables together, 1MiB to 1024GiB.");
DEFINE_string(record_cache_bytes, "64MiB",
              "Memory for nodes and events that were read lately, 0 to 1024GiB.");
DEFINE_string(max_queued_bytes, "256MiB",
              "Memory of the writes that wait, --max_message_bytes to 1024GiB.");
DEFINE_string(property_indexes, "",
              "Properties to index for filter_query, beside those that are, as in\n"
              "execution.custom_properties.run_id,artifact.properties.version. Old nodes are\n"
              "indexed while the server serves.");
DEFINE_string(max_query_visits, "50000000",
              "Keys that one filter_query may read before it is refused, 1000 to 1000000000000.");
DEFINE_string(max_query_seconds, "60",
              "Seconds that one filter_query may take before it is refused, 1 to 86400.");
DEFINE_string(cache_default_staleness, "off",
              "How old a result from the cache may be if the request does not say: off (any age),\n"
              "or a number with s, m, h or d, such as 12h or 30d.");
DEFINE_string(cache_max_staleness, "off", "The same at most, whatever a request says.");
DEFINE_string(
    backup_root, "",
    "An absolute directory, in which `pedigree backup` may have backups made. Without it\n"
    "no client can.");
DEFINE_bool(
    allow_import, false,
    "Let `pedigree import --server` bring a history into the store while it is empty, with\n"
    "ids and times. Until that ends, nothing else is written.");
DEFINE_bool(http, false,
            "Also serve HTTP/1.1 on --http_port, at the address of --listen (with unix:/path, at\n"
            "127.0.0.1): grpc-web, /metrics, /healthz and /readyz. With TLS if ssl_config is set.");
DEFINE_string(http_port, "9090",
              "Port of HTTP, 0 to 65535; 0 takes any free port. To give it turns --http on.");
DEFINE_string(
    http_allow_origins, "",
    "Origins whose pages may call by grpc-web, as in\n"
    "https://ui.example.com,http://localhost:3000; * allows all. Without it browsers let\n"
    "only pages call that come by the same address, as through a proxy.");
DEFINE_bool(verify, false,
            "Instead of serving, check every record, index entry and file of the store, print\n"
            "what is wrong, and leave with 0 if nothing is.");
DEFINE_bool(upgrade, false,
            "Instead of serving, bring the store to the newest version of its format, after a\n"
            "backup beside it (DATA_DIR.format1), and leave with 0.");

DEFINE_string(grpc_port, "8080",
              "Port of the gRPC service, 0 to 65535; 0 takes any free port.\n"
              "Environment: GRPC_PORT.");
DEFINE_string(task_port, "0",
              "A second port for the same services, 0 to 65535; 0 is none. Kubeflow Pipelines\n"
              "looks for its task service (its cache) on 8887. Not with --listen=unix:/path.");
DEFINE_string(grpc_channel_arguments, "",
              "gRPC channel arguments, as in grpc.max_connection_age_ms=2000,grpc.so_reuseport=0.");
DEFINE_string(metadata_store_server_config_file, "",
              "Text-format ml_metadata.MetadataStoreServerConfig; its ssl_config turns TLS on.\n"
              "Environment: METADATA_STORE_SERVER_CONFIG_FILE.");

// This description is what marks a flag of the peer's server as accepted without effect.
namespace {
constexpr char kIgnored[] = "Ignored.";
}  // namespace
DEFINE_string(metadata_source_config_type, "default", kIgnored);
DEFINE_string(metadata_store_connection_retries, "5", kIgnored);
DEFINE_bool(enable_database_upgrade, false, kIgnored);
DEFINE_string(downgrade_db_schema_version, "-1", kIgnored);
DEFINE_string(mysql_config_host, "", kIgnored);
DEFINE_string(mysql_config_port, "0", kIgnored);
DEFINE_string(mysql_config_database, "", kIgnored);
DEFINE_string(mysql_config_user, "", kIgnored);
DEFINE_string(mysql_config_password, "", kIgnored);
DEFINE_string(postgres_config_host, "", kIgnored);
DEFINE_string(postgres_config_hostaddr, "", kIgnored);
DEFINE_string(postgres_config_port, "", kIgnored);
DEFINE_string(postgres_config_user, "", kIgnored);
DEFINE_string(postgres_config_password, "", kIgnored);
DEFINE_string(postgres_config_passfile, "", kIgnored);
DEFINE_string(postgres_config_dbname, "", kIgnored);
DEFINE_bool(postgres_config_skip_db_creation, false, kIgnored);
DEFINE_string(postgres_config_sslmode, "", kIgnored);
DEFINE_string(postgres_config_sslcert, "", kIgnored);
DEFINE_string(postgres_config_sslkey, "", kIgnored);
DEFINE_string(postgres_config_sslpassword, "", kIgnored);
DEFINE_string(postgres_config_sslrootcert, "", kIgnored);

namespace pedigree {
namespace {

using ml_metadata::MetadataStoreServerConfig;

constexpr size_t kKiB = size_t{1} << 10;
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kGiB = size_t{1} << 30;
constexpr size_t kMaxMemoryBytes = 1024 * kGiB;
constexpr int kMinMessageBytes = 1024;
constexpr int kMaxMessageBytes = std::numeric_limits<int>::max();
constexpr char kMaxReceiveArgument[] = "grpc.max_receive_message_length";

// A configuration is a page of text; whatever is larger is another file.
constexpr size_t kMaxConfigFileBytes = 1 << 20;

gflags::CommandLineFlagInfo FlagInfo(const char* name) {
  return gflags::GetCommandLineFlagInfoOrDie(name);
}

bool IsGiven(const char* name) { return !FlagInfo(name).is_default; }

// A value and where it was set, for messages: "--grpc_port" or "GRPC_PORT".
struct Setting {
  std::string source;
  std::string value;
};

Setting FromFlag(const char* name) {
  return {absl::StrCat("--", name), FlagInfo(name).current_value};
}

Setting FromFlagOrEnvironment(const char* name, const char* variable) {
  const char* value = std::getenv(variable);
  const bool use_variable = !IsGiven(name) && value != nullptr && *value != '\0';
  return use_variable ? Setting{variable, value} : FromFlag(name);
}

// One line of bounded length, whatever was typed.
std::string Shown(absl::string_view value) {
  constexpr size_t kLimit = 200;
  const bool cut = value.size() > kLimit;
  const std::string escaped = absl::Utf8SafeCEscape(value.substr(0, kLimit));
  return absl::StrCat(absl::StrReplaceAll(escaped, {{"\\'", "'"}, {"\\\"", "\""}}),
                      cut ? "..." : "");
}

absl::Status Refuse(const Setting& setting, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(setting.source, "=", Shown(setting.value), ": ", why));
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

std::string SizeText(size_t bytes) {
  if (bytes % kGiB == 0) return absl::StrCat(bytes / kGiB, "GiB");
  if (bytes % kMiB == 0) return absl::StrCat(bytes / kMiB, "MiB");
  if (bytes % kKiB == 0) return absl::StrCat(bytes / kKiB, "KiB");
  return absl::StrCat(bytes);
}

size_t ConsumeUnit(absl::string_view* text) {
  if (absl::ConsumeSuffix(text, "KiB")) return kKiB;
  if (absl::ConsumeSuffix(text, "MiB")) return kMiB;
  if (absl::ConsumeSuffix(text, "GiB")) return kGiB;
  return 1;
}

absl::StatusOr<size_t> ParseSize(const Setting& setting, size_t min_bytes, size_t max_bytes) {
  absl::string_view text = setting.value;
  const size_t unit = ConsumeUnit(&text);
  size_t count = 0;
  const bool is_size = IsDigits(text) && absl::SimpleAtoi(text, &count);
  if (!is_size || count > max_bytes / unit || count * unit < min_bytes) {
    return Refuse(
        setting, absl::StrCat("give a size from ", SizeText(min_bytes), " to ", SizeText(max_bytes),
                              ", in bytes or with KiB, MiB or GiB, such as 64MiB"));
  }
  return count * unit;
}

absl::StatusOr<Sync> ParseSync(const Setting& setting) {
  if (setting.value == "always") return Sync::kAlways;
  if (setting.value == "interval") return Sync::kInterval;
  if (setting.value == "never") return Sync::kNever;
  return Refuse(setting, "give always, interval or never");
}

absl::StatusOr<JournalMode> ParseJournal(const Setting& setting) {
  if (setting.value == "on") return JournalMode::kOn;
  if (setting.value == "off") return JournalMode::kOff;
  return Refuse(setting, "give on or off");
}

absl::StatusOr<std::string> ParseDataDir(const Setting& setting) {
  if (setting.value.empty()) return Refuse(setting, "give the path of a directory");
  return setting.value;
}

absl::StatusOr<std::string> ParseBackupRoot(const Setting& setting) {
  std::error_code error;
  const std::filesystem::path path = setting.value;
  if (path.empty() || (path.is_absolute() && std::filesystem::is_directory(path, error))) {
    return setting.value;
  }
  return Refuse(setting, "give the absolute path of a directory that exists");
}

absl::StatusOr<int> ParsePort(const Setting& setting) {
  int port = 0;
  if (!IsDigits(setting.value) || !absl::SimpleAtoi(setting.value, &port) || port > 65535) {
    return Refuse(setting, "give a port from 0 to 65535; 0 takes any free port");
  }
  return port;
}

absl::StatusOr<int64_t> ParseCount(const Setting& setting, int64_t least, int64_t most) {
  int64_t count = 0;
  if (!IsDigits(setting.value) || !absl::SimpleAtoi(setting.value, &count) || count < least ||
      count > most) {
    return Refuse(setting, absl::StrCat("give a number from ", least, " to ", most));
  }
  return count;
}

// A number of seconds, minutes, hours or days, in ms; nullopt for "off".
absl::StatusOr<std::optional<int64_t>> ParseStaleness(const Setting& setting) {
  constexpr int64_t kSecondMs = 1000;
  constexpr int64_t kDayMs = 24 * 60 * 60 * kSecondMs;
  constexpr int64_t kMostMs = 36'525 * kDayMs;
  if (setting.value == "off") return std::nullopt;
  absl::string_view text = setting.value;
  int64_t unit = 0;
  if (absl::ConsumeSuffix(&text, "s")) {
    unit = kSecondMs;
  } else if (absl::ConsumeSuffix(&text, "m")) {
    unit = 60 * kSecondMs;
  } else if (absl::ConsumeSuffix(&text, "h")) {
    unit = 60 * 60 * kSecondMs;
  } else if (absl::ConsumeSuffix(&text, "d")) {
    unit = kDayMs;
  }
  int64_t count = 0;
  if (unit == 0 || !IsDigits(text) || !absl::SimpleAtoi(text, &count) || count == 0 ||
      count > kMostMs / unit) {
    return Refuse(setting, "give off, or a time from 1s to 36525d, with s, m, h or d");
  }
  return count * unit;
}

// kind.properties.name or kind.custom_properties.name; a name may have dots.
std::optional<IndexedProperty> ParseProperty(absl::string_view text) {
  for (NodeKind kind : kNodeKinds) {
    absl::string_view rest = text;
    if (!absl::ConsumePrefix(&rest, absl::StrCat(NameOf(kind), "."))) continue;
    const bool is_custom = absl::ConsumePrefix(&rest, "custom_properties.");
    if ((!is_custom && !absl::ConsumePrefix(&rest, "properties.")) || rest.empty()) break;
    return IndexedProperty{kind, is_custom, std::string(rest)};
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<IndexedProperty>> ParseProperties(const Setting& setting) {
  std::vector<IndexedProperty> properties;
  for (absl::string_view item : absl::StrSplit(setting.value, ',', absl::SkipWhitespace())) {
    auto property = ParseProperty(absl::StripAsciiWhitespace(item));
    if (!property.has_value()) {
      return Refuse(setting,
                    "give properties such as execution.custom_properties.run_id, separated by "
                    "commas");
    }
    properties.push_back(*std::move(property));
  }
  return properties;
}

bool IsAddress(int family, const std::string& text) {
  in6_addr storage;  // The larger of the two kinds.
  return inet_pton(family, text.c_str(), &storage) == 1;
}

// Whether `text` can only be meant as a name: something in it is neither a digit nor a dot.
bool IsHostName(absl::string_view text) {
  const bool allowed = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
  });
  return allowed && std::any_of(text.begin(), text.end(), absl::ascii_isalpha);
}

absl::StatusOr<std::string> UnixAddress(const Setting& listen) {
  const size_t path_bytes = listen.value.size() - absl::string_view("unix:").size();
  constexpr size_t kLimit = sizeof(sockaddr_un::sun_path) - 1;  // It ends with a zero byte.
  if (path_bytes == 0 || path_bytes > kLimit) {
    return Refuse(listen, absl::StrCat("give unix: and a path of 1 to ", kLimit, " bytes"));
  }
  return listen.value;
}

absl::StatusOr<std::string> ListenAddress(const Setting& listen, int port) {
  if (absl::StartsWith(listen.value, "unix:")) return UnixAddress(listen);
  absl::string_view host = listen.value;
  if (absl::ConsumePrefix(&host, "[") && !absl::ConsumeSuffix(&host, "]")) host = "";
  if (IsAddress(AF_INET6, std::string(host))) return absl::StrCat("[", host, "]:", port);
  if (IsAddress(AF_INET, listen.value) || IsHostName(listen.value)) {
    return absl::StrCat(listen.value, ":", port);
  }
  return Refuse(listen,
                "give an IPv4 or IPv6 address, a host name, or unix:/path; "
                "the port is --grpc_port");
}

// "" if there is no second port.
absl::StatusOr<std::string> TaskListenAddress(const Setting& listen, int grpc_port) {
  const Setting setting = FromFlag("task_port");
  int port = 0;
  if (!IsDigits(setting.value) || !absl::SimpleAtoi(setting.value, &port) || port > 65535) {
    return Refuse(setting, "give a port from 0 to 65535; 0 is no second port");
  }
  if (port == 0) return std::string();
  if (absl::StartsWith(listen.value, "unix:")) {
    return Refuse(setting, "a second port needs an address; --listen is a unix socket");
  }
  if (port == grpc_port) return Refuse(setting, "that is the port of --grpc_port already");
  return ListenAddress(listen, port);
}

absl::StatusOr<std::vector<std::string>> ParseOrigins(const Setting& setting) {
  std::vector<std::string> origins;
  for (absl::string_view item : absl::StrSplit(setting.value, ',', absl::SkipWhitespace())) {
    item = absl::StripAsciiWhitespace(item);
    if (item != "*" && !Origins::IsOrigin(item)) {
      return Refuse(setting,
                    "give origins as browsers write them, such as https://ui.example.com or "
                    "http://localhost:3000, separated by commas, or *");
    }
    origins.emplace_back(item);
  }
  return origins;
}

// Where HTTP listens when gRPC listens at `listen`, which has been checked.
std::string HttpHost(absl::string_view listen) {
  if (absl::StartsWith(listen, "unix:")) return "127.0.0.1";
  absl::ConsumePrefix(&listen, "[");
  absl::ConsumeSuffix(&listen, "]");
  return std::string(listen);
}

absl::StatusOr<std::optional<HttpListener>> ParseHttp() {
  if (!FLAGS_http && (IsGiven("http") || !IsGiven("http_port"))) {
    if (!IsGiven("http_allow_origins")) return std::nullopt;
    return Refuse(FromFlag("http_allow_origins"), "it needs --http");
  }
  const absl::StatusOr<int> port = ParsePort(FromFlag("http_port"));
  if (!port.ok()) return port.status();
  absl::StatusOr<std::vector<std::string>> origins = ParseOrigins(FromFlag("http_allow_origins"));
  if (!origins.ok()) return origins.status();
  return HttpListener{HttpHost(FromFlag("listen").value), *port, *std::move(origins)};
}

absl::StatusOr<ChannelArgument> ParseChannelArgument(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  const std::string name(absl::StripAsciiWhitespace(parts.first));
  const std::string value(absl::StripAsciiWhitespace(parts.second));
  const Setting setting{"--grpc_channel_arguments", std::string(text)};
  if (name.empty() || value.empty()) return Refuse(setting, "give name=value,name=value");
  int number = 0;
  if (absl::SimpleAtoi(value, &number)) return ChannelArgument{name, number};
  // gRPC would ignore such a string where it wants a number, and the limit meant would be lost.
  if (IsDigits(absl::StripPrefix(value, "-"))) {
    return Refuse(setting, "the number does not fit into 32 bits");
  }
  return ChannelArgument{name, value};
}

absl::StatusOr<std::vector<ChannelArgument>> ParseChannelArguments(const std::string& text) {
  std::vector<ChannelArgument> arguments;
  // The peer's server skips empty items, so "a=1," is no error.
  for (absl::string_view item : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    absl::StatusOr<ChannelArgument> argument = ParseChannelArgument(item);
    if (!argument.ok()) return argument.status();
    arguments.push_back(*std::move(argument));
  }
  return arguments;
}

bool LimitsReceivedMessages(const ChannelArgument& argument) {
  return argument.name == kMaxReceiveArgument;
}

// The limit that the channel arguments (the last one counts) or the flag ask for.
absl::StatusOr<int> MaxMessageBytes(const std::vector<ChannelArgument>& arguments) {
  const auto last = std::find_if(arguments.rbegin(), arguments.rend(), LimitsReceivedMessages);
  if (IsGiven("max_message_bytes") || last == arguments.rend()) {
    const auto bytes = ParseSize(FromFlag("max_message_bytes"), kMinMessageBytes, kMaxMessageBytes);
    if (!bytes.ok()) return bytes.status();
    return static_cast<int>(*bytes);
  }
  const int* number = std::get_if<int>(&last->value);
  if (number != nullptr && *number == -1) return kMaxMessageBytes;
  if (number != nullptr && *number >= kMinMessageBytes) return *number;
  const std::string value =
      number != nullptr ? absl::StrCat(*number) : std::get<std::string>(last->value);
  return Refuse({absl::StrCat("--grpc_channel_arguments: ", kMaxReceiveArgument), value},
                absl::StrCat("give a number of bytes from ", kMinMessageBytes, " to ",
                             kMaxMessageBytes, ", or -1 for the latter"));
}

absl::StatusOr<size_t> MaxQueuedBytes(size_t max_message_bytes) {
  if (!IsGiven("max_queued_bytes")) {
    return std::max(ServerOptions().max_queued_bytes, max_message_bytes);
  }
  return ParseSize(FromFlag("max_queued_bytes"), max_message_bytes, kMaxMemoryBytes);
}

// Keeps the first error of the text-format parser as "line:column: what".
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (!text_.empty()) return;
    // The parser quotes what it found, and that may be a password or a piece of a key.
    const size_t end = std::min(message.find(", found"), message.find(", got"));
    text_ = absl::StrCat(line + 1, ":", column + 1, ": ",
                         absl::StripSuffix(Shown(message.substr(0, end)), "."));
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::StatusOr<std::string> ReadFile(const Setting& file) {
  struct Close {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };
  const auto failed = [&](int error) {
    return absl::ErrnoToStatus(error,
                               absl::StrCat(file.source, ": cannot read ", Shown(file.value)));
  };
  const std::unique_ptr<std::FILE, Close> stream(std::fopen(file.value.c_str(), "re"));
  if (stream == nullptr) return failed(errno);
  std::string text(kMaxConfigFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stream.get()));
  if (std::ferror(stream.get()) != 0) return failed(errno);
  if (text.size() > kMaxConfigFileBytes) {
    return Refuse(file, "larger than 1 MiB, so it is no MetadataStoreServerConfig");
  }
  return text;
}

absl::StatusOr<MetadataStoreServerConfig> ReadConfig(const Setting& file) {
  MetadataStoreServerConfig config;
  if (file.value.empty()) return config;
  absl::StatusOr<std::string> text = ReadFile(file);
  if (!text.ok()) return text.status();
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(*text, &config)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.source, ": ", Shown(file.value), ":", error.text(),
                     " (a text-format ml_metadata.MetadataStoreServerConfig is wanted)"));
  }
  return config;
}

std::optional<SslOptions> SslFrom(const MetadataStoreServerConfig& config) {
  if (!config.has_ssl_config()) return std::nullopt;
  const MetadataStoreServerConfig::SSLConfig& ssl = config.ssl_config();
  return SslOptions{ssl.server_key(), ssl.server_cert(), ssl.custom_ca(), ssl.client_verify()};
}

// The flags defined in this file, by name.
std::vector<gflags::CommandLineFlagInfo> OwnFlags() {
  const std::string file = FlagInfo("data_dir").filename;
  std::vector<gflags::CommandLineFlagInfo> flags;
  gflags::GetAllFlags(&flags);
  std::erase_if(flags, [&](const auto& flag) { return flag.filename != file; });
  return flags;
}

std::vector<std::string> IgnoredSettings(const MetadataStoreServerConfig& config) {
  std::vector<std::string> names;
  for (const gflags::CommandLineFlagInfo& flag : OwnFlags()) {
    if (flag.description == kIgnored && !flag.is_default) {
      names.push_back(absl::StrCat("--", flag.name));
    }
  }
  if (config.has_connection_config()) names.push_back("connection_config");
  if (config.has_migration_options()) names.push_back("migration_options");
  return names;
}

std::vector<std::string> Notices(const MetadataStoreServerConfig& config, Sync sync) {
  std::vector<std::string> notices;
  if (const auto ignored = IgnoredSettings(config); !ignored.empty()) {
    notices.push_back(absl::StrCat(
        "Ignored, since there is no database to connect to: ", absl::StrJoin(ignored, ", "),
        ". To bring the history of an ML Metadata database here, use `pedigree import`."));
  }
  if (sync == Sync::kInterval) {
    notices.push_back(absl::StrCat("--sync=interval: a power cut loses at most the last ",
                                   kSyncIntervalMs, " ms of acknowledged writes."));
  }
  if (sync == Sync::kNever) {
    notices.push_back(
        "--sync=never: a power cut loses the acknowledged writes that the operating system has "
        "not yet written.");
  }
  return notices;
}

std::string HelpEntry(const gflags::CommandLineFlagInfo& flag) {
  const std::string default_text =
      flag.default_value.empty() ? "" : absl::StrCat(" (default ", flag.default_value, ")");
  return absl::StrCat("  --", flag.name, default_text, "\n      ",
                      absl::StrReplaceAll(flag.description, {{"\n", "\n      "}}), "\n");
}

std::string HelpText() {
  std::string entries;
  std::vector<std::string> ignored;
  for (const gflags::CommandLineFlagInfo& flag : OwnFlags()) {
    if (flag.description == kIgnored) {
      ignored.push_back(absl::StrCat("  --", flag.name, "\n"));
    } else {
      entries += HelpEntry(flag);
    }
  }
  return absl::StrCat(
      "pedigreed: a standalone ML Metadata service on one data directory.\n\n"
      "Usage: pedigreed [--flag=value ...]\n\nSizes are bytes, or take KiB, MiB or GiB.\n\n",
      entries, "  --flagfile\n      File with one flag a line.\n",
      "  --help, --version\n      Print this text, or the version.\n\n"
      "Accepted, as google/ml-metadata's server does, and ignored:\n",
      absl::StrJoin(ignored, ""));
}

// The text that the command line asks for instead of a server; empty if none.
std::string Answer(absl::string_view version) {
  constexpr std::array kHelpFlags = {"help",    "helpfull",    "helpmatch", "helpon",
                                     "helpxml", "helppackage", "helpshort"};
  if (std::any_of(kHelpFlags.begin(), kHelpFlags.end(), IsGiven)) return HelpText();
  if (IsGiven("version")) return absl::StrCat("pedigreed ", version, "\n");
  return "";
}

// Runs gflags over a copy of the arguments.
absl::Status SetFlags(int argc, const char* const* argv) {
  // gflags permutes the pointers and leaves the texts alone.
  std::vector<char*> arguments;
  for (int i = 0; i < argc; ++i) arguments.push_back(const_cast<char*>(argv[i]));
  arguments.push_back(nullptr);
  int count = argc;
  char** rest = arguments.data();
  gflags::ParseCommandLineNonHelpFlags(&count, &rest, /*remove_flags=*/true);
  if (count <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", Shown(rest[1]), "' is not a flag, and there are no other arguments; ",
                   "a boolean flag takes its value after '='"));
}

// Takes values out of results and keeps the first failure among them.
class FirstFailure {
 public:
  template <typename T>
  T Take(absl::StatusOr<T> result) {
    if (result.ok()) return *std::move(result);
    status_.Update(result.status());
    return T{};
  }

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

absl::StatusOr<ServerOptions> OptionsFromFlags() {
  ServerOptions options;
  FirstFailure failure;
  options.data_dir =
      failure.Take(ParseDataDir(FromFlagOrEnvironment("data_dir", "PEDIGREE_DATA_DIR")));
  const int port = failure.Take(ParsePort(FromFlagOrEnvironment("grpc_port", "GRPC_PORT")));
  options.listen_address = failure.Take(ListenAddress(FromFlag("listen"), port));
  options.task_listen_address = failure.Take(TaskListenAddress(FromFlag("listen"), port));
  options.http = failure.Take(ParseHttp());
  options.channel_arguments =
      failure.Take(ParseChannelArguments(FromFlag("grpc_channel_arguments").value));
  options.max_message_bytes = failure.Take(MaxMessageBytes(options.channel_arguments));
  std::erase_if(options.channel_arguments, LimitsReceivedMessages);
  options.task = FLAGS_upgrade ? Task::kUpgrade : FLAGS_verify ? Task::kVerify : Task::kServe;
  options.sync = failure.Take(ParseSync(FromFlag("sync")));
  options.journal = failure.Take(ParseJournal(FromFlag("journal")));
  options.block_cache_bytes =
      failure.Take(ParseSize(FromFlag("block_cache_bytes"), kMiB, kMaxMemoryBytes));
  options.write_buffer_bytes =
      failure.Take(ParseSize(FromFlag("write_buffer_bytes"), kMiB, kMaxMemoryBytes));
  options.record_cache_bytes =
      failure.Take(ParseSize(FromFlag("record_cache_bytes"), 0, kMaxMemoryBytes));
  options.max_queued_bytes =
      failure.Take(MaxQueuedBytes(static_cast<size_t>(options.max_message_bytes)));
  options.backup_root = failure.Take(ParseBackupRoot(FromFlag("backup_root")));
  options.allow_import = FLAGS_allow_import;
  options.property_indexes = failure.Take(ParseProperties(FromFlag("property_indexes")));
  options.max_query_visits =
      failure.Take(ParseCount(FromFlag("max_query_visits"), 1000, 1'000'000'000'000));
  options.max_query_time =
      std::chrono::seconds(failure.Take(ParseCount(FromFlag("max_query_seconds"), 1, 86'400)));
  options.cache_policy.default_staleness_ms =
      failure.Take(ParseStaleness(FromFlag("cache_default_staleness")));
  options.cache_policy.max_staleness_ms =
      failure.Take(ParseStaleness(FromFlag("cache_max_staleness")));
  if (!failure.status().ok()) return failure.status();
  return options;
}

}  // namespace

absl::StatusOr<ServerCommandLine> ParseServerFlags(int argc, const char* const* argv,
                                                   absl::string_view version) {
  const gflags::FlagSaver restores_all_flags_at_the_end;
  if (absl::Status status = SetFlags(argc, argv); !status.ok()) return status;
  ServerCommandLine line;
  line.answer = Answer(version);
  if (!line.answer.empty()) return line;
  absl::StatusOr<ServerOptions> options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  const absl::StatusOr<MetadataStoreServerConfig> config = ReadConfig(FromFlagOrEnvironment(
      "metadata_store_server_config_file", "METADATA_STORE_SERVER_CONFIG_FILE"));
  if (!config.ok()) return config.status();
  line.options = *std::move(options);
  line.options.ssl = SslFrom(*config);
  line.notices = Notices(*config, line.options.sync);
  return line;
}

}  // namespace pedigree
