// Imports from real MariaDB and PostgreSQL servers.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "migrate/follow.h"
#include "tests/migrate/answers.h"
#include "tests/migrate/database_server.h"
#include "tests/migrate/mlmd_files.h"

namespace pedigree::migrate {
namespace {

using absl::StatusCode;

// What both kinds of server must do alike.
void ExpectRefusals(DatabaseServer* server) {
  ScratchDirectory scratch;
  const std::string data_dir = scratch.path() + "/store";
  const auto refused = ImportUrl(server->url("wrong"), data_dir);
  EXPECT_TRUE(Fails(refused, StatusCode::kPermissionDenied, "check user and password"));
  EXPECT_FALSE(absl::StrContains(refused.status().message(), "wrong@"));
  EXPECT_TRUE(Fails(ImportUrl(server->url("secret", "no_such_database"), data_dir),
                    StatusCode::kNotFound, "no_such_database"));
  EXPECT_FALSE(std::filesystem::exists(data_dir));
}

void ExpectRepair(DatabaseServer* server, const std::string& sql) {
  ASSERT_TRUE(IsOk(server->Run(sql)));
  ScratchDirectory scratch;
  const std::string data_dir = scratch.path() + "/store";
  EXPECT_TRUE(Fails(ImportUrl(server->url("secret"), data_dir), StatusCode::kFailedPrecondition,
                    "duplicate-event: 1 times"));
  ASSERT_TRUE(IsOk(ImportUrl(server->url("secret"), data_dir, {"duplicate-event"})));
  const auto proof = ProveUrl(server->url("secret"), data_dir, {"duplicate-event"});
  ASSERT_TRUE(IsOk(proof));
  EXPECT_TRUE(proof->ok()) << proof->ToTable();
}

void ExpectHalfMigrated(DatabaseServer* server, const std::string& sql) {
  ASSERT_TRUE(IsOk(server->Run(sql)));
  ScratchDirectory scratch;
  EXPECT_TRUE(Fails(ImportUrl(server->url("secret"), scratch.path() + "/store"),
                    StatusCode::kFailedPrecondition, "has no column bool_value"));
}

// What comes while it is copied comes over too.
void ExpectFollows(DatabaseServer* server) {
  ScratchDirectory scratch;
  FollowOptions options;
  options.import.data_dir = scratch.path() + "/store";
  options.pause = std::chrono::milliseconds(1);
  int asked = 0;
  options.stop = [&] {
    if (++asked == 1) {
      EXPECT_TRUE(IsOk(server->Run(
          "INSERT INTO Artifact (type_id, uri, state, name, create_time_since_epoch, "
          "last_update_time_since_epoch) SELECT MIN(type_id), 'late', 2, 'late', 1900000000000, "
          "1900000000000 FROM Artifact;"
          "INSERT INTO Attribution (context_id, artifact_id) SELECT MIN(c.id), MAX(a.id) FROM "
          "Context c, Artifact a;"
          "INSERT INTO Event (artifact_id, execution_id, type, milliseconds_since_epoch) SELECT "
          "MAX(a.id), MIN(e.id), 4, 1900000000001 FROM Artifact a, Execution e;"
          "UPDATE Execution SET last_known_state = 4, last_update_time_since_epoch = "
          "1900000000002")));
    }
    return asked < 3 ? Stop::kGoOn : Stop::kFinish;
  };
  Progress silent(Progress::Style::kSilent);
  const auto result =
      ImportAndFollow([&] { return OpenSource(server->url("secret")); }, options, &silent);
  ASSERT_TRUE(IsOk(result));
  EXPECT_GE(result->brought.nodes, 2);
  EXPECT_EQ(result->brought.links, 1);
  EXPECT_EQ(result->brought.events, 1);
  const auto proof = ProveUrl(server->url("secret"), options.import.data_dir);
  ASSERT_TRUE(IsOk(proof));
  EXPECT_TRUE(proof->ok()) << proof->ToTable();
}

TEST(Mariadb, AnswersAsItsSourceDid) {
  auto server = DatabaseServer::StartMariadb(DataFile("mysql_values.sql"));
  ASSERT_TRUE(IsOk(server));
  ExpectServes((*server)->url("secret"), DataFile("mysql_values.expected.json"));
  ExpectRefusals(server->get());
  // UTF-8 that a server has written over a connection in latin1 comes out over another such one.
  ASSERT_TRUE(IsOk((*server)->Run(
      "ALTER TABLE Artifact MODIFY uri TEXT CHARACTER SET latin1;"
      "SET NAMES latin1; UPDATE Artifact SET uri = 'é中' WHERE id = 1; SET NAMES utf8mb4")));
  auto source = OpenSource((*server)->url("secret") + "?charset=latin1");
  ASSERT_TRUE(IsOk(source));
  ASSERT_TRUE(IsOk((*source)->VisitNodes(
      NodeKind::kArtifact, 1,
      [](NodeRow& row) {
        if (row.id == 1) {
          EXPECT_EQ(row.uri, "é中");
        }
        return absl::OkStatus();
      },
      [](Table, int64_t) {})));
  ExpectFollows(server->get());
  ExpectRepair(server->get(),
               "ALTER TABLE Event DROP INDEX UniqueEvent; INSERT INTO Event (artifact_id, "
               "execution_id, type, milliseconds_since_epoch) SELECT artifact_id, execution_id, "
               "type, 7 FROM Event ORDER BY id LIMIT 1");
  ExpectHalfMigrated(server->get(), "ALTER TABLE ContextProperty DROP COLUMN bool_value");
}

TEST(Postgresql, AnswersAsItsSourceDid) {
  auto server = DatabaseServer::StartPostgresql(DataFile("postgresql_values.sql"));
  ASSERT_TRUE(IsOk(server));
  ExpectServes((*server)->url("secret"), DataFile("postgresql_values.expected.json"));
  ExpectRefusals(server->get());
  ExpectFollows(server->get());
  ExpectRepair(server->get(),
               "ALTER TABLE public.event DROP CONSTRAINT IF EXISTS uniqueevent; INSERT INTO "
               "public.event (artifact_id, execution_id, type, milliseconds_since_epoch) SELECT "
               "artifact_id, execution_id, type, 7 FROM public.event ORDER BY id LIMIT 1");
  ExpectHalfMigrated(server->get(), "ALTER TABLE public.contextproperty DROP COLUMN bool_value");
}

}  // namespace
}  // namespace pedigree::migrate
