// Calls any method of any service with bytes, cancels calls, and reads answers without their types:
// for the services whose generated messages nobody needs (health, reflection).
//
// Threading: a BytesClient may be used by any number of threads at once.
//
// Example:
//   BytesClient client(NewChannel(server->address()));
//   auto reply = client.Call("/grpc.health.v1.Health/Check", "");
//   NumberIn(reply.bytes, 1);    // 1 is SERVING
#pragma once

#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace pedigree::testing {

struct BytesReply {
  grpc::Status status;
  std::string bytes;
};

inline grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

inline std::string ToString(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (!buffer.DumpToSingleSlice(&slice).ok()) return "";
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

class BytesClient {
 public:
  explicit BytesClient(const std::shared_ptr<grpc::Channel>& channel)
      : channel_(channel), stub_(channel) {}

  // After a restart of the server: gRPC lets a moment pass between two attempts to connect, and
  // calls fail meanwhile.
  bool WaitForConnection() {
    return channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }

  // Calls `path` ("/package.Service/Method") and waits, at most 30 s.
  BytesReply Call(const std::string& path, const std::string& request) {
    return CallAndCancel(path, request, absl::InfiniteDuration());
  }

  // The same, and cancels the call after a while.
  BytesReply CallAndCancel(const std::string& path, const std::string& request,
                           absl::Duration cancel_after) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    const grpc::ByteBuffer sent = ToBuffer(request);
    grpc::ByteBuffer received;
    BytesReply reply;
    absl::Notification done;
    stub_.UnaryCall(&context, path, grpc::StubOptions(), &sent, &received,
                    [&](grpc::Status status) {
                      reply.status = std::move(status);
                      done.Notify();
                    });
    if (!done.WaitForNotificationWithTimeout(cancel_after)) context.TryCancel();
    done.WaitForNotification();
    if (reply.status.ok()) reply.bytes = ToString(received);
    return reply;
  }

  // Sends one message on a stream and returns the first answer.
  BytesReply CallStream(const std::string& path, const std::string& request);

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
};

inline BytesReply BytesClient::CallStream(const std::string& path, const std::string& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  auto stream = stub_.PrepareCall(&context, path, &queue);
  const auto wait = [&] { return queue.Next(&tag, &ok) && ok; };
  BytesReply reply;
  grpc::ByteBuffer received;
  stream->StartCall(nullptr);
  if (wait()) {
    stream->Write(ToBuffer(request), nullptr);
    if (wait()) {
      stream->Read(&received, nullptr);
      if (wait()) reply.bytes = ToString(received);
    }
  }
  stream->WritesDone(nullptr);
  wait();
  stream->Finish(&reply.status, nullptr);
  wait();
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return reply;
}

// The texts, or the first number, in one field of a message of any type.
inline std::vector<std::string> TextsIn(const std::string& bytes, int number) {
  std::vector<std::string> texts;
  google::protobuf::UnknownFieldSet fields;
  fields.ParseFromString(bytes);
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() != number) continue;
    if (field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      texts.push_back(field.length_delimited());
    }
  }
  return texts;
}

inline uint64_t NumberIn(const std::string& bytes, int number) {
  google::protobuf::UnknownFieldSet fields;
  fields.ParseFromString(bytes);
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() == number && field.type() == google::protobuf::UnknownField::TYPE_VARINT) {
      return field.varint();
    }
  }
  return 0;
}

// A message with one text field.
inline std::string OneText(int number, const std::string& text) {
  google::protobuf::UnknownFieldSet fields;
  fields.AddLengthDelimited(number, text);
  std::string bytes;
  fields.SerializeToString(&bytes);
  return bytes;
}

}  // namespace pedigree::testing
