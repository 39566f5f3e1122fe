// Calls of pedigree.v1.LineageService over gRPC, as a client makes them: Trace message by message,
// the others at once.
//
// Threading: a TraceCall is for one thread.
//
// Example:
//   TraceCall call(channel, request);
//   while (const auto message = call.Next()) ...
//   EXPECT_TRUE(call.Finish().ok());
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "pedigree/v1/lineage.pb.h"
#include "tests/server/bytes_client.h"

namespace pedigree::testing {

inline const std::string kLineageService = "/pedigree.v1.LineageService/";

// A channel as clients make it that know nothing better: it takes no message beyond 4 MiB.
inline std::shared_ptr<grpc::Channel> NewPlainChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);  // A connection of its own.
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

class TraceCall {
 public:
  TraceCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& request,
            std::chrono::milliseconds deadline = std::chrono::seconds(120))
      : stub_(channel) {
    context_.set_deadline(std::chrono::system_clock::now() + deadline);
    stream_ = stub_.PrepareCall(&context_, kLineageService + "Trace", &queue_);
    stream_->StartCall(nullptr);
    if (!Wait()) return;
    stream_->WriteLast(ToBuffer(request), grpc::WriteOptions(), nullptr);
    Wait();
  }
  TraceCall(const std::shared_ptr<grpc::Channel>& channel, const v1::TraceRequest& request)
      : TraceCall(channel, request.SerializeAsString()) {}
  ~TraceCall() {
    if (!is_finished_) {
      Cancel();
      Finish();
    }
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  TraceCall(const TraceCall&) = delete;
  TraceCall& operator=(const TraceCall&) = delete;

  // The next message; nullopt if there is none any more.
  std::optional<v1::TraceResponse> Next() {
    grpc::ByteBuffer received;
    stream_->Read(&received, nullptr);
    if (!Wait()) return std::nullopt;
    v1::TraceResponse message;
    EXPECT_TRUE(message.ParseFromString(ToString(received)));
    return message;
  }
  void Cancel() { context_.TryCancel(); }
  // REQUIRES: Next() has answered null, or Cancel() was called.
  grpc::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    Wait();
    is_finished_ = true;
    return status;
  }

 private:
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  bool is_finished_ = false;
};

// An answer that must be OK.
template <class Response, class Request>
Response MustCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& rpc,
                  const Request& request) {
  const BytesReply reply =
      BytesClient(channel).Call(kLineageService + rpc, request.SerializeAsString());
  EXPECT_TRUE(reply.status.ok()) << rpc << ": " << reply.status.error_message();
  Response response;
  EXPECT_TRUE(response.ParseFromString(reply.bytes));
  return response;
}

}  // namespace pedigree::testing
