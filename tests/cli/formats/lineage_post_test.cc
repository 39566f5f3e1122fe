// Events posted to a backend that fails, throttles and drops connections.
#include "cli/export/lineage_post.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/cli/formats/http_backend.h"
#include "tests/store/random.h"
#include "tests/store/scratch_directory.h"
#include "tests/store/status_testing.h"

namespace pedigree::cli {
namespace {

// Instead of sleeping, notes how long it should have.
struct Client {
  explicit Client(const std::string& url, BackendOptions options = {}) {
    options.url = url;
    options.pause = [this](int64_t ms) { pauses.push_back(ms); };
    auto opened = LineageBackend::Open(options);
    EXPECT_TRUE(IsOk(opened));
    backend = *std::move(opened);
  }

  std::vector<int64_t> pauses;
  std::unique_ptr<LineageBackend> backend;
};

TEST(LineageBackend, PostsJsonWhereOpenLineagesClientsDo) {
  const HttpBackend server({});
  Client client(server.url(), {.headers = {"Authorization: Bearer secret"}});
  ASSERT_TRUE(IsOk(client.backend->Post(R"({"a":1})")));
  const auto requests = server.Requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].target, "/api/v1/lineage");
  EXPECT_EQ(requests[0].body, R"({"a":1})");
  EXPECT_EQ(requests[0].header.at("Content-Type"), "application/json");
  EXPECT_EQ(requests[0].header.at("Authorization"), "Bearer secret");
}

TEST(LineageBackend, PostsToThePathThatIsGiven) {
  const HttpBackend server({});
  Client client(server.url() + "/custom/path?x=1");
  ASSERT_TRUE(IsOk(client.backend->Post("{}")));
  EXPECT_EQ(server.Requests()[0].target, "/custom/path?x=1");
}

TEST(LineageBackend, TriesAgainWhatMayPass) {
  const std::vector<HttpBackend::Answer> answers = {
      {.status = 500}, {.status = 503}, {.drop = true}, {.body = "created", .cut_off = true},
      {.status = 429}, {.status = 408}, {.status = 425}};
  const HttpBackend server(answers);
  Client client(server.url());
  ASSERT_TRUE(IsOk(client.backend->Post("{}")));
  EXPECT_EQ(server.Requests().size(), 8u);
  // The connection that was dropped had been used before: libcurl opens another at once.
  EXPECT_EQ(client.pauses.size(), 6u);
}

TEST(LineageBackend, WaitsTwiceAsLongEachTimeAtRandom) {
  const HttpBackend server(std::vector<HttpBackend::Answer>(7, {.status = 503}));
  Client client(server.url(), {.first_pause_ms = 100, .longest_pause_ms = 1000});
  ASSERT_TRUE(IsOk(client.backend->Post("{}")));
  const std::vector<int64_t> most = {100, 200, 400, 800, 1000, 1000, 1000};
  ASSERT_EQ(client.pauses.size(), most.size());
  for (size_t i = 0; i < most.size(); ++i) {
    EXPECT_GE(client.pauses[i], most[i] / 2);
    EXPECT_LE(client.pauses[i], most[i]);
  }
}

TEST(LineageBackend, WaitsAsLongAsItIsTold) {
  const HttpBackend server({{.status = 429, .header = {{"Retry-After", "7"}}},
                            {.status = 503, .header = {{"Retry-After", "999999999"}}},
                            {.status = 503, .header = {{"Retry-After", "soon"}}}});
  Client client(server.url(), {.first_pause_ms = 2, .longest_retry_after_ms = 60'000});
  ASSERT_TRUE(IsOk(client.backend->Post("{}")));
  ASSERT_EQ(client.pauses.size(), 3u);
  EXPECT_EQ(client.pauses[0], 7000);
  EXPECT_EQ(client.pauses[1], 60'000);
  EXPECT_LE(client.pauses[2], 8);
}

TEST(LineageBackend, DoesNotRepeatWhatIsRefused) {
  for (const int status : {400, 401, 403, 404, 409, 413, 422}) {
    const HttpBackend server({{.status = status, .body = "no\n\x01 job"}});
    Client client(server.url(), {.headers = {"X-Key: secret"}});
    const absl::Status answer = client.backend->Post("{}");
    EXPECT_TRUE(Fails(answer, absl::StatusCode::kFailedPrecondition, absl::StrCat(status)));
    EXPECT_TRUE(absl::StrContains(answer.message(), "no\\n\\x01 job"));
    EXPECT_FALSE(absl::StrContains(answer.message(), "secret"));
    EXPECT_EQ(server.Requests().size(), 1u);
  }
}

TEST(LineageBackend, FollowsNoRedirects) {
  const HttpBackend elsewhere({});
  const HttpBackend server({{.status = 307, .header = {{"Location", elsewhere.url()}}}});
  Client client(server.url(), {.headers = {"X-Key: secret"}});
  EXPECT_TRUE(Fails(client.backend->Post("{}"), absl::StatusCode::kFailedPrecondition, "redirect"));
  EXPECT_TRUE(elsewhere.Requests().empty());
}

TEST(LineageBackend, GivesUpAfterSomeTries) {
  const HttpBackend server(std::vector<HttpBackend::Answer>(9, {.status = 502}));
  Client client(server.url(), {.max_attempts = 4});
  EXPECT_TRUE(Fails(client.backend->Post("{}"), absl::StatusCode::kUnavailable, "502"));
  EXPECT_EQ(server.Requests().size(), 4u);
  EXPECT_EQ(client.pauses.size(), 3u);
}

TEST(LineageBackend, IsUnavailableWhereNobodyListens) {
  std::string url;
  {
    const HttpBackend gone({});
    url = gone.url();
  }
  Client client(url, {.max_attempts = 2});
  EXPECT_TRUE(Fails(client.backend->Post("{}"), absl::StatusCode::kUnavailable));
}

// A connection that was closed meanwhile is opened anew.
TEST(LineageBackend, OutlivesItsConnection) {
  const HttpBackend server({{.closes = true}, {.closes = true}});
  Client client(server.url());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(IsOk(client.backend->Post("{}")));
  EXPECT_GE(server.Requests().size(), 3u);
}

TEST(LineageBackend, RefusesUrlsAndHeadersThatAreNone) {
  for (const char* url : {"", "marquez:5000", "ftp://host/", "file:///etc/passwd", "http://",
                          "http://user:password@host/", "https://host:port/"}) {
    const auto opened = LineageBackend::Open({.url = url});
    EXPECT_TRUE(Fails(opened, absl::StatusCode::kInvalidArgument)) << url;
    EXPECT_FALSE(absl::StrContains(opened.status().message(), "password@")) << url;
  }
  for (const char* line : {"", "no colon", ": x", "A: b\r\nC: d"}) {
    EXPECT_TRUE(Fails(LineageBackend::Open({.url = "https://host", .headers = {line}}),
                      absl::StatusCode::kInvalidArgument));
  }
  // A key over plain http to another machine.
  EXPECT_TRUE(Fails(LineageBackend::Open({.url = "http://host", .headers = {"A: b"}}),
                    absl::StatusCode::kInvalidArgument, "https"));
  EXPECT_TRUE(IsOk(LineageBackend::Open({.url = "http://host"})));
  // Which a name that looks like an address is, too.
  for (const char* url : {"http://127.evil.example", "http://127.0.0.1.evil.example"}) {
    EXPECT_TRUE(Fails(LineageBackend::Open({.url = url, .headers = {"A: b"}}),
                      absl::StatusCode::kInvalidArgument, "https"));
  }
  for (const char* url : {"http://127.0.0.1:5000", "http://127.9.8.7", "http://localhost"}) {
    EXPECT_TRUE(IsOk(LineageBackend::Open({.url = url, .headers = {"A: b"}})));
  }
}

TEST(LineageBackend, TakesItsKeyFromTheEnvironment) {
  setenv("OPENLINEAGE_API_KEY", "k", 1);
  setenv("PEDIGREE_LINEAGE_HEADER", "X-Team: ml", 1);
  const BackendOptions options = BackendFromEnvironment("https://host");
  unsetenv("OPENLINEAGE_API_KEY");
  unsetenv("PEDIGREE_LINEAGE_HEADER");
  EXPECT_EQ(options.headers, (std::vector<std::string>{"Authorization: Bearer k", "X-Team: ml"}));
  EXPECT_TRUE(BackendFromEnvironment("https://host").headers.empty());
}

class PostEventsTest : public ::testing::Test {
 protected:
  PostEventsTest() : file_(scratch_.path() + "/openlineage.ndjson") { Write(200, "event"); }

  void Write(int events, const std::string& text) {
    std::string lines;
    for (int i = 0; i < events; ++i) absl::StrAppend(&lines, "{\"", text, "\":", i, "}\n");
    WriteFile(file_, lines);
  }
  static std::vector<std::string> Bodies(const HttpBackend& server) {
    std::vector<std::string> bodies;
    for (const auto& request : server.Requests()) bodies.push_back(request.body);
    return bodies;
  }

  const ScratchDirectory scratch_;
  const std::string file_;
};

TEST_F(PostEventsTest, PostsAllInTheirOrderAndThenNothing) {
  const HttpBackend server({});
  Client client(server.url());
  int64_t last = 0;
  auto posted = PostEvents(file_, client.backend.get(), [&last](int64_t n) { last = n; });
  ASSERT_TRUE(IsOk(posted));
  EXPECT_EQ(posted->posted, 200);
  EXPECT_EQ(last, 200);
  const auto bodies = Bodies(server);
  ASSERT_EQ(bodies.size(), 200u);
  EXPECT_EQ(bodies[0], "{\"event\":0}");
  EXPECT_EQ(bodies[199], "{\"event\":199}");
  posted = PostEvents(file_, client.backend.get(), {});
  ASSERT_TRUE(IsOk(posted));
  EXPECT_EQ(posted->posted, 0);
  EXPECT_EQ(posted->before, 200);
}

TEST_F(PostEventsTest, GoesOnAfterAFailureWithTheEventThatFailed) {
  std::vector<HttpBackend::Answer> answers(120);
  answers.push_back({.status = 401});
  const HttpBackend server(answers);
  {
    Client client(server.url());
    EXPECT_TRUE(Fails(PostEvents(file_, client.backend.get(), {}),
                      absl::StatusCode::kFailedPrecondition, "event 121"));
  }
  Client next(server.url());
  const auto posted = PostEvents(file_, next.backend.get(), {});
  ASSERT_TRUE(IsOk(posted));
  EXPECT_EQ(posted->before, 120);
  EXPECT_EQ(posted->posted, 80);
  EXPECT_EQ(Bodies(server).size(), 201u);
  EXPECT_EQ(Bodies(server)[121], "{\"event\":120}");
}

// After a kill, the events since progress was last saved come once more.
TEST_F(PostEventsTest, RepeatsAtMost64EventsAfterAKill) {
  const HttpBackend server({});
  std::string progress;
  {
    Client client(server.url());
    ASSERT_TRUE(IsOk(PostEvents(file_, client.backend.get(), [&](int64_t events) {
      if (events == 150) progress = ReadFile(file_ + ".posted");
    })));
  }
  WriteFile(file_ + ".posted", progress);
  Client next(server.url());
  const auto posted = PostEvents(file_, next.backend.get(), {});
  ASSERT_TRUE(IsOk(posted));
  EXPECT_EQ(posted->before, 128);
  EXPECT_EQ(Bodies(server)[200], "{\"event\":128}");
}

// Every failure that passes, at random: each event arrives, in order, repeats aside.
TEST_F(PostEventsTest, LosesNothingOverABadLine) {
  Random random;
  std::vector<HttpBackend::Answer> answers;
  for (int i = 0; i < 150; ++i) {
    HttpBackend::Answer answer;
    if (random.OneIn(4)) answer.status = 503;
    if (random.OneIn(6)) answer.drop = true;
    if (random.OneIn(6)) {
      answer.body = "created";
      answer.cut_off = true;
    }
    if (random.OneIn(6)) answer.closes = true;
    answers.push_back(answer);
  }
  const HttpBackend server(answers);
  Client client(server.url(), {.max_attempts = 200});
  ASSERT_TRUE(IsOk(PostEvents(file_, client.backend.get(), {})));
  std::vector<std::string> bodies = Bodies(server);
  bodies.erase(std::unique(bodies.begin(), bodies.end()), bodies.end());
  ASSERT_EQ(bodies.size(), 200u);
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(bodies[static_cast<size_t>(i)], absl::StrCat("{\"event\":", i, "}"));
}

TEST_F(PostEventsTest, BeginsAnewForOtherEventsAndOtherBackends) {
  const HttpBackend server({});
  Client client(server.url());
  ASSERT_TRUE(IsOk(PostEvents(file_, client.backend.get(), {})));
  Write(200, "other");
  EXPECT_EQ(PostEvents(file_, client.backend.get(), {})->posted, 200);
  Write(3, "other");  // Shorter than what was posted.
  EXPECT_EQ(PostEvents(file_, client.backend.get(), {})->posted, 3);
  const HttpBackend second({});
  Client of_second(second.url());
  EXPECT_EQ(PostEvents(file_, of_second.backend.get(), {})->posted, 3);
  WriteFile(file_ + ".posted", "nonsense");
  EXPECT_EQ(PostEvents(file_, of_second.backend.get(), {})->posted, 3);
}

TEST_F(PostEventsTest, RefusesAFileThatIsCutOffOrNotThere) {
  const HttpBackend server({});
  Client client(server.url());
  WriteFile(file_, "{}\n{\"cut");
  EXPECT_TRUE(Fails(PostEvents(file_, client.backend.get(), {}), absl::StatusCode::kDataLoss));
  EXPECT_EQ(Bodies(server).size(), 1u);
  std::filesystem::remove(file_);
  EXPECT_TRUE(Fails(PostEvents(file_, client.backend.get(), {}), absl::StatusCode::kUnavailable,
                    "cannot read '"));
}

TEST_F(PostEventsTest, TellsAFileThatCannotBeReadFromItsEnd) {
  const HttpBackend server({});
  Client client(server.url());
  // Opens, and does not read.
  std::filesystem::remove(file_);
  std::filesystem::create_directory(file_);
  EXPECT_TRUE(Fails(PostEvents(file_, client.backend.get(), {}), absl::StatusCode::kUnavailable,
                    "cannot read"));
}

}  // namespace
}  // namespace pedigree::cli
