#include "tests/migrate/database_server.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/store/scratch_directory.h"
#include "tests/support/loopback_port.h"

namespace pedigree::migrate {
namespace {

namespace fs = std::filesystem;

constexpr char kPostgresqlPrograms[] = "/usr/lib/postgresql/15/bin/";
constexpr uid_t kNobody = 65534;

// Both servers refuse to run as root, and PostgreSQL wants a user that has a name.
uid_t ServerUser() { return geteuid() == 0 ? kNobody : geteuid(); }
gid_t ServerGroup() { return geteuid() == 0 ? kNobody : getegid(); }

struct Child {
  std::vector<std::string> command;
  std::string input = "/dev/null";
  std::string output;  // Appended to.
};

pid_t Start(const Child& child) {
  std::vector<char*> arguments;
  for (const std::string& word : child.command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (geteuid() == 0 && (setgid(ServerGroup()) != 0 || setuid(ServerUser()) != 0)) _exit(126);
  const int in = open(child.input.c_str(), O_RDONLY);
  const int out = open(child.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (in < 0 || out < 0) _exit(126);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

int WaitFor(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

DatabaseServer::DatabaseServer(std::string scheme) : scheme_(std::move(scheme)) {}

DatabaseServer::~DatabaseServer() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    WaitFor(pid_);
  }
  std::error_code error;
  if (!directory_.empty()) fs::remove_all(directory_, error);
}

absl::Status DatabaseServer::Prepare() {
  // Sockets lie in it, whose paths must be short.
  std::string name = (fs::temp_directory_path() / "database-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return absl::InternalError("no directory");
  directory_ = name;
  if (chmod(name.c_str(), 0755) != 0 || chown(name.c_str(), ServerUser(), ServerGroup()) != 0) {
    return absl::InternalError("the directory cannot be given away");
  }
  auto port = testing::FreeLoopbackPort();
  if (!port.ok()) return port.status();
  port_ = *port;
  return absl::OkStatus();
}

std::string DatabaseServer::Log() const {
  const std::string log = ReadFile(directory_ + "/log");
  return log.substr(log.size() > 3000 ? log.size() - 3000 : 0);
}

absl::Status DatabaseServer::Launch(const std::vector<std::string>& command) {
  const int code = WaitFor(Start({.command = command, .output = directory_ + "/log"}));
  if (code == 127) return absl::NotFoundError(absl::StrCat("there is no ", command[0]));
  if (code == 0) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(absl::StrJoin(command, " "), ": exit code ", code, "\n", Log()));
}

absl::Status DatabaseServer::RunUntilItListens() {
  for (int i = 0; i < 600; ++i) {
    if (testing::IsListening(port_)) return absl::OkStatus();
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = 0;
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return absl::UnavailableError(absl::StrCat("the server does not listen:\n", Log()));
}

absl::Status DatabaseServer::RunFile(const std::string& path) {
  Child client;
  if (scheme_ == "mysql") {
    client.command = {"mariadb",
                      "--no-defaults",
                      "--user=mlmd",
                      "--password=secret",
                      "--host=127.0.0.1",
                      absl::StrCat("--port=", port_),
                      "--default-character-set=utf8mb4",
                      "metadb"};
  } else {
    client.command = {absl::StrCat(kPostgresqlPrograms, "psql"),
                      "-q",
                      "-v",
                      "ON_ERROR_STOP=1",
                      "-d",
                      url("secret")};
  }
  client.input = path;
  client.output = directory_ + "/log";
  const int code = WaitFor(Start(client));
  if (code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(path, " does not run: ", code, "\n", Log()));
}

absl::Status DatabaseServer::Run(const std::string& sql) {
  const std::string path = directory_ + "/statements.sql";
  WriteFile(path, sql);
  return RunFile(path);
}

absl::Status DatabaseServer::InitialiseMariadb() {
  const std::string data = directory_ + "/data";
  absl::Status status = Launch({"mariadb-install-db", "--no-defaults", "--datadir=" + data,
                                "--auth-root-authentication-method=normal", "--skip-test-db"});
  if (!status.ok()) return status;
  WriteFile(directory_ + "/init.sql",
            "CREATE DATABASE metadb;\n"
            "CREATE USER 'mlmd'@'127.0.0.1' IDENTIFIED BY 'secret';\n"
            "GRANT ALL ON *.* TO 'mlmd'@'127.0.0.1';\n");
  pid_ = Start(
      {.command = {"mariadbd", "--no-defaults", "--datadir=" + data, absl::StrCat("--port=", port_),
                   "--bind-address=127.0.0.1", "--socket=" + directory_ + "/socket",
                   "--pid-file=" + directory_ + "/pid", "--skip-log-bin", "--skip-name-resolve",
                   "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M",
                   "--init-file=" + directory_ + "/init.sql"},
       .output = directory_ + "/log"});
  return RunUntilItListens();
}

absl::Status DatabaseServer::InitialisePostgresql() {
  const std::string data = directory_ + "/data";
  WriteFile(directory_ + "/password", "secret\n");
  absl::Status status =
      Launch({absl::StrCat(kPostgresqlPrograms, "initdb"), "-D", data, "-U", "mlmd", "-E", "UTF8",
              "--locale=C", "--auth=scram-sha-256", "--pwfile=" + directory_ + "/password", "-N"});
  if (!status.ok()) return status;
  pid_ = Start({.command = {absl::StrCat(kPostgresqlPrograms, "postgres"), "-D", data, "-p",
                            absl::StrCat(port_), "-c", "listen_addresses=127.0.0.1", "-k",
                            directory_, "-c", "fsync=off", "-c", "shared_buffers=16MB"},
                .output = directory_ + "/log"});
  status = RunUntilItListens();
  if (!status.ok()) return status;
  Child create;
  create.command = {absl::StrCat(kPostgresqlPrograms, "psql"),
                    "-q",
                    "-d",
                    url("secret", "postgres"),
                    "-c",
                    "CREATE DATABASE metadb"};
  create.output = directory_ + "/log";
  return WaitFor(Start(create)) == 0 ? absl::OkStatus() : absl::InternalError(Log());
}

absl::StatusOr<std::unique_ptr<DatabaseServer>> DatabaseServer::StartMariadb(
    const std::string& sql_file) {
  std::unique_ptr<DatabaseServer> server(new DatabaseServer("mysql"));
  absl::Status status = server->Prepare();
  if (status.ok()) status = server->InitialiseMariadb();
  if (status.ok()) status = server->Run(ReadFile(sql_file));
  if (!status.ok()) return status;
  return server;
}

absl::StatusOr<std::unique_ptr<DatabaseServer>> DatabaseServer::StartPostgresql(
    const std::string& sql_file) {
  std::unique_ptr<DatabaseServer> server(new DatabaseServer("postgresql"));
  absl::Status status = server->Prepare();
  if (status.ok()) status = server->InitialisePostgresql();
  if (status.ok()) status = server->Run(ReadFile(sql_file));
  if (!status.ok()) return status;
  return server;
}

std::string DatabaseServer::url(const std::string& password, const std::string& database) const {
  return absl::StrCat(scheme_, "://mlmd:", password, "@127.0.0.1:", port_, "/", database);
}

}  // namespace pedigree::migrate
