#include "cli/export/lineage_backend.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace pedigree::cli {
namespace {

constexpr size_t kShownAnswer = 200;  // Bytes of an answer that an error quotes.

struct Url {
  std::string scheme;
  std::string host;
  std::string whole = {};
};

absl::StatusOr<Url> ParseUrl(const std::string& text) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  const absl::Status wrong = absl::InvalidArgumentError(
      "a lineage backend is named as http(s)://HOST[:PORT][/PATH], without a user");
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return wrong;
  const auto part = [&url](CURLUPart which) -> std::string {
    char* value = nullptr;
    if (curl_url_get(url.get(), which, &value, 0) != CURLUE_OK) return "";
    const std::string copy = value;
    curl_free(value);
    return copy;
  };
  Url parsed = {.scheme = part(CURLUPART_SCHEME), .host = part(CURLUPART_HOST)};
  if (parsed.scheme != "http" && parsed.scheme != "https") return wrong;
  if (parsed.host.empty() || !part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty()) {
    return wrong;
  }
  if (part(CURLUPART_PATH) == "/") curl_url_set(url.get(), CURLUPART_PATH, "/api/v1/lineage", 0);
  curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);
  parsed.whole = part(CURLUPART_URL);
  return parsed;
}

// Names may lead anywhere, whatever they begin with.
bool IsThisMachine(const std::string& host) {
  in_addr address = {};
  const bool is_ipv4 = inet_pton(AF_INET, host.c_str(), &address) == 1;
  return host == "localhost" || host == "[::1]" ||
         (is_ipv4 && ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET);
}

bool IsHeaderLine(absl::string_view line) {
  const size_t colon = line.find(':');
  return colon != absl::string_view::npos && colon > 0 &&
         std::none_of(line.begin(), line.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

CURL* Handle(void* curl) { return static_cast<CURL*>(curl); }

}  // namespace

BackendOptions BackendFromEnvironment(std::string url) {
  BackendOptions options = {.url = std::move(url)};
  if (const std::string key = FromEnvironment("OPENLINEAGE_API_KEY"); !key.empty()) {
    options.headers.push_back(absl::StrCat("Authorization: Bearer ", key));
  }
  if (const std::string line = FromEnvironment("PEDIGREE_LINEAGE_HEADER"); !line.empty()) {
    options.headers.push_back(line);
  }
  options.ca_file = FromEnvironment("PEDIGREE_LINEAGE_CA");
  return options;
}

absl::StatusOr<std::unique_ptr<LineageBackend>> LineageBackend::Open(BackendOptions options) {
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (global != CURLE_OK) return absl::InternalError("libcurl does not start");
  const auto url = ParseUrl(options.url);
  if (!url.ok()) return url.status();
  for (const std::string& line : options.headers) {
    if (!IsHeaderLine(line)) {
      return absl::InvalidArgumentError(
          "a line of the header for the lineage backend is not of the form NAME: VALUE");
    }
  }
  if (!options.headers.empty() && url->scheme == "http" && !IsThisMachine(url->host)) {
    return absl::InvalidArgumentError(
        "the key for the lineage backend does not go over plain http to another machine: use "
        "https");
  }
  options.url = url->whole;
  std::unique_ptr<LineageBackend> backend(new LineageBackend(std::move(options)));
  absl::Status status = backend->SetUp();
  if (!status.ok()) return status;
  return backend;
}

LineageBackend::LineageBackend(BackendOptions options)
    : options_(std::move(options)),
      error_buffer_(CURL_ERROR_SIZE),
      random_(std::random_device{}()) {}

LineageBackend::~LineageBackend() {
  curl_easy_cleanup(Handle(curl_));
  curl_slist_free_all(static_cast<curl_slist*>(header_));
}

absl::Status LineageBackend::SetUp() {
  curl_ = curl_easy_init();
  if (curl_ == nullptr) return absl::ResourceExhaustedError("libcurl has no memory");
  std::vector<std::string> lines = {"Content-Type: application/json", "Expect:"};
  lines.insert(lines.end(), options_.headers.begin(), options_.headers.end());
  for (const std::string& line : lines) {
    header_ = curl_slist_append(static_cast<curl_slist*>(header_), line.c_str());
  }
  CURL* curl = Handle(curl_);
  curl_easy_setopt(curl, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(header_));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout_ms));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_buffer_.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &LineageBackend::TakeAnswer);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  return absl::OkStatus();
}

size_t LineageBackend::TakeAnswer(char* bytes, size_t size, size_t count, void* self) {
  std::string& answer = static_cast<LineageBackend*>(self)->answer_;
  answer.append(bytes,
                std::min(size * count, kShownAnswer - std::min(kShownAnswer, answer.size())));
  return size * count;
}

absl::Status LineageBackend::Post(absl::string_view event) {
  Attempt last;
  for (int attempt = 1; attempt <= options_.max_attempts; ++attempt) {
    last = TryToPost(event);
    if (last.status.ok() || !last.may_pass) return last.status;
    if (attempt == options_.max_attempts) break;
    const int64_t ms = PauseAfter(attempt, last);
    if (options_.pause) {
      options_.pause(ms);
    } else {
      absl::SleepFor(absl::Milliseconds(ms));
    }
  }
  return absl::UnavailableError(absl::StrCat(
      last.status.message(), "; tried ", options_.max_attempts, " times, run it again to go on"));
}

LineageBackend::Attempt LineageBackend::TryToPost(absl::string_view event) {
  ++attempts_;
  answer_.clear();
  error_buffer_[0] = '\0';
  CURL* curl = Handle(curl_);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, event.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(event.size()));
  const CURLcode code = curl_easy_perform(curl);
  return code == CURLE_OK ? JudgeAnswer() : JudgeFailure(code);
}

LineageBackend::Attempt LineageBackend::JudgeAnswer() {
  long code = 0;
  curl_easy_getinfo(Handle(curl_), CURLINFO_RESPONSE_CODE, &code);
  if (code >= 200 && code < 300) return {};
  const std::string what =
      absl::StrCat(options_.url, " answered ", code, ": ", absl::CHexEscape(answer_));
  if (code >= 300 && code < 400) {
    return {.status = absl::FailedPreconditionError(
                absl::StrCat(what, "; redirects are not followed, name where it leads"))};
  }
  Attempt attempt = {.status = absl::FailedPreconditionError(what)};
  attempt.may_pass = code >= 500 || code == 408 || code == 425 || code == 429;
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(Handle(curl_), CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0) {
    attempt.retry_after_ms = std::min<int64_t>(seconds, 1'000'000) * 1000;
  }
  return attempt;
}

LineageBackend::Attempt LineageBackend::JudgeFailure(int curl_code) const {
  const auto code = static_cast<CURLcode>(curl_code);
  const std::string detail =
      error_buffer_[0] == '\0' ? curl_easy_strerror(code) : error_buffer_.data();
  Attempt attempt = {.status =
                         absl::FailedPreconditionError(absl::StrCat(options_.url, ": ", detail))};
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
      attempt.may_pass = true;
      break;
    default:
      break;  // Certificates above all.
  }
  return attempt;
}

int64_t LineageBackend::PauseAfter(int attempt, const Attempt& last) {
  if (last.retry_after_ms >= 0) {
    return std::min(last.retry_after_ms, options_.longest_retry_after_ms);
  }
  int64_t pause = options_.first_pause_ms;
  for (int i = 1; i < attempt && pause < options_.longest_pause_ms; ++i) pause *= 2;
  pause = std::min(pause, options_.longest_pause_ms);
  return std::uniform_int_distribution<int64_t>(pause / 2, pause)(random_);
}

}  // namespace pedigree::cli
