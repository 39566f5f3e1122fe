// pedigreed: the metadata server.
#include <signal.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "server/flags.h"
#include "server/process_statistics.h"
#include "server/server.h"
#include "store/format_steps.h"

namespace pedigree {
namespace {

void Log(absl::string_view text) {
  std::fprintf(stderr, "pedigreed: %.*s\n", static_cast<int>(text.size()), text.data());
}

int Fail(const absl::Status& status) {
  Log(status.message());
  return 1;
}

// Prints what Verify counts and finds. 1 if anything is wrong.
int Verify(const ServerOptions& options) {
  auto store = Store::Open(StoreOptionsOf(options));
  if (!store.ok()) return Fail(store.status());
  auto report = (*store)->Verify();
  if (!report.ok()) return Fail(report.status());
  for (NodeKind kind : kNodeKinds) {
    std::printf("%s\n", absl::StrCat(report->nodes[IndexOf(kind)], " ", NameOf(kind), "s").c_str());
  }
  std::printf("%s\n",
              absl::StrCat(report->types, " types, ", report->events, " events, ", report->links,
                           " links, ", report->tasks, " tasks, ", report->index_entries,
                           " index entries, ", report->journal_entries, " journal entries")
                  .c_str());
  for (const std::string& problem : report->problems) std::printf("%s\n", problem.c_str());
  if (report->ok()) {
    std::puts("no problems");
    return 0;
  }
  Log(absl::StrCat(report->problem_count,
                   " problems: the store is damaged; restore a backup of data_dir"));
  return 1;
}

int Upgrade(const ServerOptions& options) {
  const auto steps = UpgradeStore(options.data_dir);
  if (!steps.ok()) return Fail(steps.status());
  if (steps->backup.empty()) {
    Log(absl::StrCat("the store has format ", steps->to, ", the newest"));
  } else {
    Log(absl::StrCat("the store went from format ", steps->from, " to ", steps->to,
                     "; as it was, it is in ", steps->backup));
  }
  return 0;
}

// Blocks the signals that stop the server, in every thread started from here on, and waits for one.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  int Wait() const {
    int signal = 0;
    sigwait(&signals_, &signal);
    return signal;
  }

 private:
  sigset_t signals_;
};

int Main(int argc, char** argv) {
  const StopSignals signals;
  // Debian's abseil is built to look for deadlocks at every lock, those in gRPC's hot paths too.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  auto line = ParseServerFlags(argc, argv, PEDIGREE_VERSION);
  if (!line.ok()) return Fail(line.status());
  if (!line->answer.empty()) {
    std::fputs(line->answer.c_str(), stdout);
    return 0;
  }
  for (const std::string& notice : line->notices) Log(notice);
  line->options.log = Log;
  line->options.version = PEDIGREE_VERSION;
  RaiseFileLimit();
  if (line->options.task == Task::kVerify) return Verify(line->options);
  if (line->options.task == Task::kUpgrade) return Upgrade(line->options);
  auto server = Server::Start(line->options);
  if (!server.ok()) return Fail(server.status());
  const int task_port = (*server)->task_port();
  const int http_port = (*server)->http_port();
  Log(absl::StrCat("version ", PEDIGREE_VERSION, " serves ", line->options.data_dir, " on ",
                   line->options.listen_address, ", port ", (*server)->port(),
                   task_port == 0 ? "" : absl::StrCat(" and ", task_port),
                   http_port == 0 ? "" : absl::StrCat(", HTTP port ", http_port)));
  const int signal = signals.Wait();
  Log(absl::StrCat("stopping on ", strsignal(signal), ": finishing what was accepted"));
  server->reset();
  Log("stopped");
  return 0;
}

}  // namespace
}  // namespace pedigree

int main(int argc, char** argv) { return pedigree::Main(argc, argv); }
