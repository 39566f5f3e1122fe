// A gRPC server without services, whose start and end can be made to go wrong. ServerProcess is
// tested against it. It takes the same flags as pedigreed.
#include <gflags/gflags.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

DEFINE_int32(grpc_port, 0, "Port to listen on");
DEFINE_string(listen, "127.0.0.1", "Address to listen on");
DEFINE_string(data_dir, "", "A line is appended to the file `starts` of this directory");
DEFINE_bool(serve, true, "Listen at all");
DEFINE_int32(exit_code, 0, "Exit code after SIGTERM, or of --end_after_ms");
DEFINE_int32(end_after_ms, -1, "End by itself after this time; negative: never");
DEFINE_bool(ignore_sigterm, false, "Do not end on SIGTERM");

namespace {

void EndOnSigterm(int) { _exit(FLAGS_exit_code); }

}  // namespace

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  signal(SIGTERM, FLAGS_ignore_sigterm ? SIG_IGN : EndOnSigterm);
  std::printf("stub server on port %d\n", FLAGS_grpc_port);
  std::fflush(stdout);
  std::ofstream(FLAGS_data_dir + "/starts", std::ios::app) << "start\n";

  grpc::CallbackGenericService service;  // Answers UNIMPLEMENTED to every call.
  std::unique_ptr<grpc::Server> server;
  if (FLAGS_serve) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(FLAGS_listen + ":" + std::to_string(FLAGS_grpc_port),
                             grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(&service);
    server = builder.BuildAndStart();
    if (server == nullptr) return 4;
  }
  if (FLAGS_end_after_ms >= 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(FLAGS_end_after_ms));
    _exit(FLAGS_exit_code);
  }
  while (true) pause();
}
