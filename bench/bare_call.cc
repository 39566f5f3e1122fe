// pedigree_bare_call ADDRESS: the least that a C++ client of gRPC can do. One GetArtifactsByID of
// artifact 1, through the stub-less client that generated code is made of, and no more.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  // artifact_ids: 1
  const grpc::Slice request_bytes("\x08\x01", 2);
  const grpc::ByteBuffer request(&request_bytes, 1);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::ByteBuffer reply;
  grpc::Status status;
  const auto reader = stub.PrepareUnaryCall(
      &context, "/ml_metadata.MetadataStoreService/GetArtifactsByID", request, &queue);
  reader->StartCall();
  reader->Finish(&reply, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (status.ok()) std::printf("%zu bytes\n", reply.Length());
  return status.ok() ? 0 : 1;
}
