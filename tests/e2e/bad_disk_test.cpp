// A disk without room: at the start, and later.
#include <csignal>
#include <memory>

#include "bindings/cpp/client.h"
#include "tests/e2e/small_disk.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr uint64_t kMiB = 1 << 20;

class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "no small file system can be mounted here: " << disk_.why();
  }
  static Ran pqctl(const Daemon& daemon, std::vector<std::string> words) {
    return run(pqctl_words(std::move(words)), {daemon.socket_variable()});
  }

  SmallDisk disk_;
};

TEST_F(FullDisk, EndsAStartWith75AndSaysHowMuchIsFree) {
  const std::string directory = disk_.path() + "/pqd";
  const std::vector<std::pair<uint64_t, std::string>> cases{{0, "0 KiB are free"},
                                                            {8 * kMiB, "KiB free, a start takes 16384"}};
  for (const auto& [free, words] : cases) {
    disk_.leave(free);
    const Ran ran = run({PQD_BIN_DIR "/pqd", "--dev", "--dir", directory});
    EXPECT_EQ(ran.exit, 75) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(has(ran.err, "NO_SPACE: ") && has(ran.err, words)) << ran.err;
    EXPECT_TRUE(has(ran.err, "start again") || has(ran.err, "start pqd again")) << ran.err;
  }
  disk_.make_room();
  Program daemon({PQD_BIN_DIR "/pqd", "--dev", "--dir", directory});
  EXPECT_TRUE(daemon.says("pqd is ready")) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
}

TEST_F(FullDisk, RefusesJobsUpToTheReserveWhileCompletionsWork) {
  const auto daemon = daemon_on(disk_.path(), "[store]\nreserved_bytes = \"32MiB\"\n");
  ASSERT_TRUE(daemon->start());
  auto client = Client::connect({.socket = daemon->socket()});
  ASSERT_TRUE(client);
  const auto ticket = client->submit({.type = "t"});
  ASSERT_TRUE(ticket && client->wait(*ticket, kWatchdog));
  ASSERT_EQ(pqctl(*daemon, {"health"}).exit, 0);
  disk_.leave(20 * kMiB);

  const Ran refused = pqctl(*daemon, {"submit", "t"});
  EXPECT_EQ(refused.exit, 75) << refused.err;
  EXPECT_EQ(refused.out, "");
  EXPECT_TRUE(has(refused.err, "NO_SPACE: ") && has(refused.err, "free space")) << refused.err;
  const Ran health = pqctl(*daemon, {"health", "-o", "json"});
  EXPECT_EQ(health.exit, 2) << health.out;
  EXPECT_TRUE(has(health.out, "\"status\": \"unhealthy\"") && has(health.out, "\"healthy\": false") &&
              has(health.out, "less than the reserve of 32 MiB"))
      << health.out;
  EXPECT_TRUE(has(daemon->log(), "less than the reserve of 32 MiB"));
  ASSERT_TRUE(client->subscribe({.types = {"t"}}));
  auto job = client->next(kWatchdog);
  ASSERT_TRUE(job && job->has_value());
  const auto done = client->complete(**job);
  ASSERT_TRUE(done);
  EXPECT_TRUE(client->wait(*done, kWatchdog));
  EXPECT_EQ(client->get(ticket->id)->core.state, JobState::kCompleted);

  disk_.make_room();
  EXPECT_TRUE(eventually([&] { return pqctl(*daemon, {"health"}).exit == 0; }));
  EXPECT_EQ(pqctl(*daemon, {"submit", "t"}).exit, 0);
  EXPECT_TRUE(has(daemon->log(), "the disk has room again"));
}

TEST_F(FullDisk, StopsAnEngineThatMayUseTheReserveUntilThereIsRoom) {
  const auto daemon = daemon_on(disk_.path(), "[store]\nreserved_bytes = 0\n");
  ASSERT_TRUE(daemon->start());
  auto client = Client::connect({.socket = daemon->socket(), .reconnect_timeout_ms = 60'000});
  ASSERT_TRUE(client);
  disk_.leave(0);
  const Bytes payload(200'000);
  std::vector<Ticket> tickets;
  // The journal may have room of its own; an engine that meets the end stops.
  ASSERT_TRUE(eventually([&] {
    const auto ticket = client->submit({.type = "t", .payload = payload});
    if (ticket) tickets.push_back(*ticket);
    return has(daemon->log(), "the engine ends and the next one recovers");
  }));
  EXPECT_TRUE(has(daemon->log(), "No space left") || has(daemon->log(), "disk is full")) << daemon->log();
  EXPECT_TRUE(daemon->running());
  disk_.make_room();
  for (const Ticket& ticket : tickets) EXPECT_TRUE(client->wait(ticket, kWatchdog));
  EXPECT_EQ(client->list({.limit = 1000})->size(), tickets.size());
  EXPECT_EQ(pqctl(*daemon, {"health"}).exit, 0);
}

}  // namespace
}  // namespace pqd::test
