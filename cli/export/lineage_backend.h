// A lineage backend that takes OpenLineage events over HTTP, such as Marquez: one POST an event,
// tried again while that may help.
//
// Certificates of https are verified, redirects are not followed (the key would go along), and a
// key does not go over plain http to another machine. Threads: one.
//
//   auto backend = LineageBackend::Open(*BackendFromEnvironment("https://marquez.example"));
//   status = (*backend)->Post(event);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::cli {

struct BackendOptions {
  // http(s)://HOST[:PORT][/PATH]; without a path /api/v1/lineage, where OpenLineage's clients post.
  std::string url = {};
  // Lines of the request's header, which may be secrets: never part of a message.
  std::vector<std::string> headers = {};
  // PEM certificates to trust instead of the system's.
  std::string ca_file = {};
  int64_t connect_timeout_ms = 10'000;
  int64_t timeout_ms = 30'000;  // Of one attempt.
  int max_attempts = 8;         // Of one event.
  // Pauses between attempts double from the first to the longest; of each, between a half and all
  // is waited, at random. A Retry-After of the backend is waited instead, up to its own bound.
  int64_t first_pause_ms = 500;
  int64_t longest_pause_ms = 60'000;
  int64_t longest_retry_after_ms = 600'000;
  // Waits; sleeps if there is none.
  std::function<void(int64_t ms)> pause = {};
};

// With a key from $OPENLINEAGE_API_KEY (as `Authorization: Bearer KEY`), a line of the header from
// $PEDIGREE_LINEAGE_HEADER, and certificates from the file $PEDIGREE_LINEAGE_CA.
BackendOptions BackendFromEnvironment(std::string url);

class LineageBackend {
 public:
  // InvalidArgument: a url that is none, has a user or password in it, or is plain http to another
  // machine while there are secrets to send; a line of the header that is none.
  static absl::StatusOr<std::unique_ptr<LineageBackend>> Open(BackendOptions options);
  ~LineageBackend();

  // OK once the backend has answered 2xx. What may pass is tried again: no connection, a lost one,
  // no answer in time, 408, 425, 429 and 5xx; Unavailable if that did not help. At once:
  // FailedPrecondition for other answers, and for certificates that do not verify.
  absl::Status Post(absl::string_view event);

  const std::string& url() const { return options_.url; }
  // In all of its life.
  int64_t attempts() const { return attempts_; }

 private:
  struct Attempt {
    absl::Status status;
    bool may_pass = false;        // Whether another attempt may help.
    int64_t retry_after_ms = -1;  // -1: the backend does not say.
  };

  explicit LineageBackend(BackendOptions options);

  absl::Status SetUp();
  Attempt TryToPost(absl::string_view event);
  Attempt JudgeAnswer();
  Attempt JudgeFailure(int curl_code) const;
  int64_t PauseAfter(int attempt, const Attempt& last);
  static size_t TakeAnswer(char* bytes, size_t size, size_t count, void* self);

  const BackendOptions options_;
  void* curl_ = nullptr;            // CURL*
  void* header_ = nullptr;          // curl_slist*
  std::vector<char> error_buffer_;  // Written by libcurl.
  std::string answer_;              // The beginning of the last answer's body.
  std::minstd_rand random_;
  int64_t attempts_ = 0;
};

}  // namespace pedigree::cli
