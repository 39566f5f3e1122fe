#include "tests/cli/history.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/dispatcher.h"
#include "store/store.h"

namespace pedigree::cli {
namespace {

using google::protobuf::Message;
using google::protobuf::TextFormat;

struct Entry {
  int line = 0;
  std::string text;
};

absl::StatusOr<std::vector<Entry>> ReadEntries(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::vector<Entry> entries;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] != ' ') entries.push_back({number, ""});
    absl::StrAppend(&entries.back().text, line, "\n");
  }
  return entries;
}

class Answer final : public ReplyTo {
 public:
  struct Result {
    absl::Notification is_there;
    absl::Status status;
  };
  explicit Answer(Result* result) : result_(result) {}
  bool IsCancelled() const override { return false; }
  CallOrigin Origin() const override {
    return {.declared_principal = "launcher", .peer = "ipv4:10.8.0.12:50012"};
  }
  void Done(absl::StatusOr<std::string> reply) override {
    result_->status = reply.status();
    result_->is_there.Notify();
  }

 private:
  Result* result_;  // Not owned; waits for Done().
};

absl::Status Play(const Entry& entry, Dispatcher& dispatcher, std::atomic<int64_t>& clock_ms) {
  const std::vector<std::string> parts =
      absl::StrSplit(entry.text, absl::MaxSplits(absl::ByAnyChar(" \n"), 2));
  const auto wrong = [&entry](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("line ", entry.line, ": ", what));
  };
  absl::Time time;
  std::string problem;
  if (!absl::ParseTime(absl::RFC3339_full, parts[0], &time, &problem)) return wrong(problem);
  clock_ms = absl::ToUnixMillis(time);
  const Method* method = FindMethod(parts[1]);
  const auto* type = ml_metadata::PutArtifactsRequest::descriptor()->file()->FindMessageTypeByName(
      absl::StrCat(parts[1], "Request"));
  if (method == nullptr || type == nullptr) return wrong("no such method");
  const std::unique_ptr<Message> request(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!TextFormat::ParseFromString(parts[2], request.get())) return wrong("no such request");
  Answer::Result result;
  dispatcher.Submit(*method, request->SerializeAsString(), std::make_unique<Answer>(&result));
  result.is_there.WaitForNotification();
  if (result.status.ok()) return absl::OkStatus();
  return absl::Status(result.status.code(),
                      absl::StrCat("line ", entry.line, ": ", result.status.message()));
}

}  // namespace

absl::Status WriteHistory(const std::string& path, const std::string& data_dir) {
  const auto entries = ReadEntries(path);
  if (!entries.ok()) return entries.status();
  std::atomic<int64_t> clock_ms = 0;
  StoreOptions options;
  options.data_dir = data_dir;
  options.clock_ms = [&clock_ms] { return clock_ms.load(); };
  auto store = Store::Open(std::move(options));
  if (!store.ok()) return store.status();
  Dispatcher dispatcher(store->get());
  for (const Entry& entry : *entries) {
    absl::Status status = Play(entry, dispatcher, clock_ms);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace pedigree::cli
