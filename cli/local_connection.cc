// The services of a store in this process, by the tables that a server has.
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/connection_kinds.h"
#include "cli/open_store.h"
#include "server/dispatcher.h"
#include "server/methods.h"

namespace pedigree::cli {
namespace {

// "/SERVICE/METHOD" in two.
std::pair<absl::string_view, absl::string_view> Split(absl::string_view method) {
  method.remove_prefix(1);
  const size_t slash = method.find('/');
  return {method.substr(0, slash), method.substr(slash + 1)};
}

absl::Status NoSuchMethod(const char* method) {
  return absl::UnimplementedError(absl::StrCat("there is no method ", method));
}

// What one thread waits for and another brings.
class Answer {
 public:
  void Set(absl::StatusOr<std::string> reply) {
    std::lock_guard<std::mutex> lock(mutex_);
    reply_ = std::move(reply);
    is_there_.notify_one();  // Under the lock: once it is free, this may be gone.
  }
  absl::StatusOr<std::string> Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    is_there_.wait(lock, [this] { return reply_.has_value(); });
    return *std::move(reply_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable is_there_;
  std::optional<absl::StatusOr<std::string>> reply_;  // Guarded by mutex_.
};

class AnswerReply final : public ReplyTo {
 public:
  explicit AnswerReply(Answer* answer) : answer_(answer) {}
  bool IsCancelled() const override { return false; }
  void Done(absl::StatusOr<std::string> reply) override { answer_->Set(std::move(reply)); }

 private:
  Answer* answer_;  // Not owned; waits for Done().
};

// Hands the messages of a stream from the threads that make them to the one that asked.
class Sink final : public StreamSink {
 public:
  bool IsCancelled() const override { return false; }
  void Write(std::string message) override {
    std::lock_guard<std::mutex> lock(mutex_);
    message_ = std::move(message);
    wake_.notify_one();
  }
  void Finish(const absl::Status& status) override {
    std::lock_guard<std::mutex> lock(mutex_);
    end_ = status;
    wake_.notify_one();
  }
  // The one that asked is visiting the message, and says so when it is done.
  void Abort() override {}

  // The next message; none after the end.
  std::optional<std::string> Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait(lock, [this] { return message_.has_value() || end_.has_value(); });
    return std::exchange(message_, std::nullopt);
  }
  // REQUIRES: there is no next message.
  absl::Status end() {
    std::lock_guard<std::mutex> lock(mutex_);
    return *end_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<std::string> message_;  // Guarded by mutex_.
  std::optional<absl::Status> end_;     // Guarded by mutex_.
};

class LocalConnection final : public Connection {
 public:
  LocalConnection(std::string data_dir, std::unique_ptr<Store> store)
      : data_dir_(std::move(data_dir)),
        store_(std::move(store)),
        dispatcher_(store_.get(), {.version = PEDIGREE_VERSION, .backup_root = "/"}) {}

  const std::string& where() const override { return data_dir_; }

 protected:
  absl::Status CallBytes(const char* method, const google::protobuf::MessageLite& request,
                         absl::FunctionRef<void(absl::string_view)> visit) override {
    const auto [service, name] = Split(method);
    const Method* found = FindMethod(service, name);
    if (found == nullptr) return NoSuchMethod(method);
    Answer answer;
    dispatcher_.Submit(*found, request.SerializeAsString(), std::make_unique<AnswerReply>(&answer));
    const auto reply = answer.Wait();
    if (reply.ok()) visit(*reply);
    return reply.status();
  }

  absl::Status StreamBytes(const char* method, const google::protobuf::MessageLite& request,
                           absl::FunctionRef<bool(absl::string_view)> visit) override {
    const auto [service, name] = Split(method);
    const StreamMethod* found = FindStreamMethod(service, name);
    if (found == nullptr) return NoSuchMethod(method);
    Sink sink;
    const auto stream = dispatcher_.NewStream(&sink);
    stream->Start(*found, request.SerializeAsString());
    bool is_wanted = true;
    while (const auto message = sink.Next()) {
      is_wanted = visit(*message);
      stream->OnWritten(is_wanted ? Stream::Written::kYes : Stream::Written::kFailed);
    }
    return is_wanted ? sink.end() : absl::OkStatus();
  }

 private:
  const std::string data_dir_;
  const std::unique_ptr<Store> store_;
  Dispatcher dispatcher_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> OpenLocal(const ConnectionOptions& options) {
  auto store = OpenStore(options.data_dir);
  if (!store.ok()) return store.status();
  return std::make_unique<LocalConnection>(options.data_dir, *std::move(store));
}

}  // namespace pedigree::cli
