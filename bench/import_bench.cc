// pedigree_import_bench: an import beside its yardstick, which is to read every row of the source
// and to write the same keys raw.
//
//   pedigree_import_bench --executions=1000000
//
// Makes a SQLite database of so many executions, twice as many artifacts and five times as many
// events, imports it, and prints both times, their ratio, and the most memory the process had.
#include <gflags/gflags.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "migrate/import.h"
#include "migrate/mlmd_tables.h"
#include "migrate/schema.h"
#include "store/rocksdb_engine.h"

DEFINE_int64(executions, 100'000, "executions of the source");
DEFINE_string(directory, "", "where to work; if empty, a new directory in $TMPDIR, else /tmp");
DEFINE_string(source, "", "an MLMD database in SQLite to import instead of a made one");

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using migrate::Table;

// Ends the program: nobody waits for a benchmark that fails.
void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  std::exit(1);
}

template <class Run>
double SecondsOf(Run run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

sqlite3* OpenSqliteFile(const std::string& path) {
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) Check(absl::InternalError(path));
  return db;
}

void Execute(sqlite3* db, const std::string& sql) {
  char* error = nullptr;
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error) != SQLITE_OK) {
    Check(absl::InternalError(absl::StrCat(error, ": ", sql)));
  }
}

// A history as Kubeflow Pipelines makes them.
void MakeSource(const std::string& path, int64_t executions) {
  sqlite3* db = OpenSqliteFile(path);
  Execute(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN");
  for (const std::string& sql : migrate::CreateMlmdTables()) Execute(db, sql);
  Execute(db,
          "INSERT INTO MLMDEnv VALUES (10);"
          "INSERT INTO Type (id, name, type_kind) VALUES (10, 'system.Dataset', 1), (11, "
          "'system.ContainerExecution', 0), (12, 'system.PipelineRun', 2)");
  const std::string n = absl::Substitute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $0) ", executions);
  const std::string two = ", (SELECT 0 AS j UNION ALL SELECT 1)";
  const std::string five =
      ", (SELECT 0 AS j UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT "
      "4)";
  Execute(db, n + "INSERT INTO Context SELECT i, 12, 'run-' || i, NULL, 1790000000000 + i * 20, "
                  "1790000000000 + i * 20 FROM n WHERE i <= 1 + (SELECT max(i) FROM n) / 20");
  Execute(db,
          n + "INSERT INTO Execution SELECT i, 11, 3, 'run-' || (i / 20) || '/step-' || i, NULL, "
              "1790000000000 + i, 1790000000000 + i FROM n");
  for (const char* value :
       {"'cache_fingerprint', 1, NULL, NULL, hex(i * 7919) || '0123456789abcdef'",
        "'display_name', 1, NULL, NULL, 'step ' || (i % 20)",
        "'parent_dag_id', 1, i / 20, NULL, NULL"}) {
    Execute(db, absl::StrCat(n, "INSERT INTO ExecutionProperty SELECT i, ", value,
                             ", NULL, NULL, NULL FROM n"));
  }
  Execute(db,
          n +
              "INSERT INTO Artifact SELECT 2 * i + j, 10, 'minio://pipeline/v2/artifacts/' || i "
              "|| '/out' || j, 2, 'artifact-' || i || '-' || j, NULL, 1790000000000 + i, "
              "1790000000000 + i FROM n" +
              two);
  Execute(db, n +
                  "INSERT INTO ArtifactProperty SELECT 2 * i + j, 'display_name', 1, NULL, NULL, "
                  "'out' || j, NULL, NULL, NULL FROM n" +
                  two);
  Execute(db, n +
                  "INSERT INTO Event (artifact_id, execution_id, type, milliseconds_since_epoch) "
                  "SELECT CASE WHEN j < 2 THEN 2 * i + j ELSE max(2, 2 * i - 5 * j) END, i, CASE "
                  "WHEN j < 2 THEN 4 WHEN j = 2 THEN 3 WHEN j = 3 THEN 2 ELSE 5 END, 1790000000000 "
                  "+ i FROM n" +
                  five);
  Execute(db, "INSERT INTO EventPath SELECT id, 0, NULL, 'out' FROM Event");
  Execute(db, n + "INSERT INTO Association (context_id, execution_id) SELECT 1 + i / 20, i FROM n");
  Execute(db, n +
                  "INSERT INTO Attribution (context_id, artifact_id) SELECT 1 + i / 20, 2 * i + j "
                  "FROM n" +
                  two);
  for (const std::string& sql : migrate::CreateMlmdIndexes()) Execute(db, sql);
  Execute(db, "COMMIT");
  sqlite3_close(db);
}

int64_t ReadEveryRow(const std::string& path) {
  sqlite3* db = OpenSqliteFile(path);
  int64_t rows = 0;
  size_t bytes = 0;
  uint64_t number = 0;
  for (size_t table = 0; table < migrate::kTableCount; ++table) {
    const std::string sql =
        absl::StrCat("SELECT * FROM ", migrate::NameOf(static_cast<Table>(table)));
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr);
    const int columns = sqlite3_column_count(statement);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      ++rows;
      for (int i = 0; i < columns; ++i) {
        // Not as text: that would convert numbers.
        switch (sqlite3_column_type(statement, i)) {
          case SQLITE_NULL:
            break;
          case SQLITE_INTEGER:
            number += static_cast<uint64_t>(sqlite3_column_int64(statement, i));
            bytes += sizeof(number);
            break;
          default:
            bytes += static_cast<size_t>(sqlite3_column_bytes(statement, i));
        }
      }
    }
    sqlite3_finalize(statement);
  }
  sqlite3_close(db);
  std::printf("source: %lld rows, %zu bytes of values, sum %llx\n", static_cast<long long>(rows),
              bytes, static_cast<unsigned long long>(number));
  return rows;
}

std::unique_ptr<Engine> OpenDatabase(const std::string& directory, OpenMode mode) {
  RocksDbOptions options;
  options.directory = directory;
  options.mode = mode;
  options.block_cache_bytes = size_t{64} << 20;
  options.write_buffer_bytes = size_t{64} << 20;
  auto engine = OpenRocksDb(options);
  Check(engine.status());
  return *std::move(engine);
}

// Writes every key of a store into a new database, in batches of a thousand. Reading them is not
// counted.
double WriteRaw(const std::string& from, const std::string& to) {
  const auto source = OpenDatabase(from, OpenMode::kReadOnly);
  const auto target = OpenDatabase(to, OpenMode::kCreate);
  double seconds = 0;
  std::vector<std::pair<std::string, std::string>> rows;
  const auto write = [&] {
    std::vector<Mutation> mutations;
    for (const auto& [key, value] : rows) mutations.push_back({false, key, value});
    seconds += SecondsOf([&] { Check(target->Apply(mutations, Durability::kBuffered)); });
    rows.clear();
  };
  int64_t keys = 0;
  Check(source->CurrentView()->ScanThrough({}, [&](absl::string_view key, absl::string_view value) {
    rows.emplace_back(key, value);
    ++keys;
    constexpr size_t kKeysPerBatch = 1000;
    if (rows.size() == kKeysPerBatch) write();
    return true;
  }));
  write();
  seconds += SecondsOf([&] { Check(target->Flush()); });
  std::printf("store: %lld keys\n", static_cast<long long>(keys));
  return seconds;
}

void Run() {
  std::string directory = FLAGS_directory;
  if (directory.empty()) {
    directory = (fs::temp_directory_path() / "import-bench-XXXXXX").string();
    if (mkdtemp(directory.data()) == nullptr) Check(absl::InternalError("no directory"));
  }
  std::string path = FLAGS_source;
  if (path.empty()) {
    path = directory + "/source.sqlite";
    MakeSource(path, FLAGS_executions);
  }
  // Once before, so that all come from the same cache.
  ReadEveryRow(path);
  const double import_seconds = SecondsOf([&] {
    auto source = migrate::OpenSource("sqlite:" + path);
    Check(source.status());
    migrate::ImportOptions options;
    options.data_dir = directory + "/store";
    migrate::Progress progress(migrate::Progress::Style::kLines);
    Check(migrate::Import(source->get(), options, &progress).status());
  });
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const double read_seconds = SecondsOf([&] { ReadEveryRow(path); });
  const double write_seconds = WriteRaw(directory + "/store/db", directory + "/raw");
  std::printf("import %.1f s; read every row %.1f s, write the same keys raw %.1f s\n",
              import_seconds, read_seconds, write_seconds);
  std::printf("ratio %.2f (target <= 2), most memory %ld MiB (target < 512)\n",
              import_seconds / (read_seconds + write_seconds), usage.ru_maxrss / 1024);
  std::error_code error;
  if (FLAGS_directory.empty()) fs::remove_all(directory, error);
}

}  // namespace
}  // namespace pedigree

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  pedigree::Run();
  return 0;
}
