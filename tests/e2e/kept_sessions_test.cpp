// The daemon is restarted under a service manager that keeps its descriptors: sessions go on as if an engine
// had been replaced, whoever dials meanwhile waits, and what does not fit together does no harm.
#include <unistd.h>

#include <algorithm>

#include "bindings/cpp/client.h"
#include "shm/handshake.h"
#include "tests/e2e/raw_socket.h"
#include "tests/support/daemon.h"
#include "tests/support/descriptor_keeper.h"
#include "tests/support/eventually.h"
#include "tests/support/forked.h"
#include "tests/support/load/load_history.h"

namespace pqd::test {
namespace {

constexpr const char* kConfig = R"(
[queue.load]
max_depth = 100000
max_active = 0
queue_timeout = 0
admission_timeout = "1m"
)";
constexpr int kRestarts = 5;

enum class How { kStopped, kKilled };

class KeptSessions : public testing::Test {
 protected:
  explicit KeptSessions(size_t room = 10'000) : keeper_(room), daemon_(kConfig) {}
  void SetUp() override {
    daemon_.serve_under(&keeper_);
    ASSERT_TRUE(daemon_.start());
  }

  void end(How how) { how == How::kStopped ? daemon_.stop() : daemon_.kill(); }
  void restart(How how) {
    end(how);
    ASSERT_TRUE(daemon_.start());
  }
  void expect_load_goes_on(How how) {
    Load load(daemon_.socket(), {});
    for (int i = 0; i < kRestarts; ++i) {
      const uint64_t wanted = load.board().acknowledged.load() + 500;
      ASSERT_TRUE(eventually([&] { return load.board().acknowledged.load() >= wanted; }))
          << "after " << i << " restarts";
      restart(how);
    }
    ASSERT_TRUE(load.handles(500));
    ASSERT_EQ(load.finish(), "");
    const LoadJudgement judged = judge(load);
    EXPECT_EQ(judged.broken, std::vector<std::string>());
    EXPECT_EQ(judged.figures.refused, 0u);
    EXPECT_EQ(judged.figures.completed, judged.figures.acknowledged);
    // Nobody had to come back, and nobody was given a job that somebody else had.
    EXPECT_EQ(judged.figures.sent_again, 0u);
    EXPECT_EQ(judged.figures.taken, judged.figures.acknowledged);
    std::printf("%lu jobs acknowledged, %lu completed, %lu deliveries, %lu sent again\n",
                judged.figures.acknowledged, judged.figures.completed, judged.figures.taken,
                judged.figures.sent_again);
  }
  // A job goes through this client and its daemon.
  static void expect_serves(Client& client) {
    const auto ticket = client.submit({.type = "t"});
    ASSERT_TRUE(ticket) << ticket.error().text;
    const auto outcome = client.wait(*ticket, kWatchdog);
    ASSERT_TRUE(outcome) << outcome.error().text;
  }
  static bool has_session(const std::vector<std::string>& names, uint64_t session) {
    const std::string begin = "session-" + std::to_string(session) + "-";
    return std::ranges::any_of(names, [&](const auto& name) { return name.starts_with(begin); });
  }

  DescriptorKeeper keeper_;
  Daemon daemon_;
};

TEST_F(KeptSessions, GoOnUnderLoadWhenTheDaemonIsStoppedAndStarted) { expect_load_goes_on(How::kStopped); }

TEST_F(KeptSessions, GoOnUnderLoadWhenTheSupervisorIsKilled) { expect_load_goes_on(How::kKilled); }

TEST_F(KeptSessions, OutliveManyRestartsThatTheirClientDoesNotLookAt) {
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  const uint64_t session = client->session();
  for (const How how : {How::kKilled, How::kStopped, How::kKilled}) restart(how);
  expect_serves(*client);
  // The next engine inherits what this supervisor has mapped.
  daemon_.kill_engine();
  expect_serves(*client);
  EXPECT_EQ(client->session(), session);
  EXPECT_EQ(client->counters().reconnects, 0u);
}

TEST_F(KeptSessions, KeepTheirLeasesWithoutAnAttemptSpent) {
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  ASSERT_TRUE(client->subscribe({}));
  expect_serves(*client);
  const auto job = client->next(kWatchdog);
  ASSERT_TRUE(job && *job);
  restart(How::kKilled);
  const auto ticket = client->complete(**job);
  ASSERT_TRUE(ticket) << ticket.error().text;
  EXPECT_TRUE(client->wait(*ticket, kWatchdog));
  const auto done = client->get((*job)->id());
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(done->core.state, JobState::kCompleted);
  EXPECT_EQ(done->core.attempts, 1u);
}

TEST_F(KeptSessions, WhoDialsInTheGapIsLetInAfterIt) {
  for (const How how : {How::kStopped, How::kKilled}) {
    end(how);
    const UniqueFd early = connected(daemon_.socket());
    ASSERT_TRUE(send_message(early.get(), Hello{}, {}, kWatchdog));
    Forked client([this](const Forked::Say& say) {
      say("dials");
      return Client::connect({.socket = daemon_.socket(), .connect_timeout_ms = 60'000}) ? 0 : 1;
    });
    ASSERT_EQ(client.hear(), "dials");
    ASSERT_TRUE(daemon_.start());
    EXPECT_EQ(client.wait(), 0);
    const auto reply = receive_reply(early.get(), kWatchdog);
    ASSERT_TRUE(reply);
    EXPECT_TRUE(std::holds_alternative<Accepted>(*reply));
  }
}

TEST_F(KeptSessions, ThatEndAreForgotten) {
  {
    auto client = Client::connect({.socket = daemon_.socket()});
    ASSERT_TRUE(client) << client.error().text;
    ASSERT_TRUE(eventually([&] { return keeper_.names().size() == 7; }));
  }
  EXPECT_TRUE(eventually([&] { return keeper_.names() == std::vector<std::string>{"listener"}; }));
}

TEST_F(KeptSessions, OfClientsThatDieInTheGapGiveTheirJobsToOthers) {
  Forked holder([this](const Forked::Say& say) {
    auto client = Client::connect({.socket = daemon_.socket()});
    if (!client || !client->subscribe({})) return 1;
    const auto job = client->next(kWatchdog);
    say(job && *job ? "has it" : "has none");
    for (;;) ::pause();
  });
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  const auto ticket = client->submit({.type = "t", .processing_timeout_ms = 3'600'000});
  ASSERT_TRUE(ticket) << ticket.error().text;
  ASSERT_EQ(holder.hear(), "has it");
  end(How::kKilled);
  holder.kill_and_wait();
  ASSERT_TRUE(daemon_.start());
  ASSERT_TRUE(client->subscribe({}));
  const auto job = client->next(kWatchdog);
  ASSERT_TRUE(job && *job);
  EXPECT_EQ((*job)->id(), ticket->id);
  EXPECT_EQ(client->counters().reconnects, 0u);
}

TEST_F(KeptSessions, OfClientsThatDoNotKnowRenewalsAreNotKept) {
  const UniqueFd earlier = connected(daemon_.socket());
  ASSERT_TRUE(send_message(earlier.get(), Hello{.features = kFeatureResume}, {}, kWatchdog));
  const auto reply = receive_reply(earlier.get(), kWatchdog);
  ASSERT_TRUE(reply && std::holds_alternative<Accepted>(*reply));
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  ASSERT_TRUE(eventually([&] { return has_session(keeper_.names(), client->session()); }));
  EXPECT_FALSE(has_session(keeper_.names(), std::get<Accepted>(*reply).welcome.session));
  end(How::kKilled);
  char byte = 0;
  EXPECT_EQ(::recv(earlier.get(), &byte, 1, 0), 0) << "it has to learn that it must come back";
  ASSERT_TRUE(daemon_.start());
}

TEST_F(KeptSessions, ThatAreNotWholeAnyMoreAreClosedAndTheirClientsComeBack) {
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  const uint64_t session = client->session();
  ASSERT_TRUE(eventually([&] { return keeper_.names().size() == 7; }));
  end(How::kKilled);
  keeper_.drop("session-" + std::to_string(session) + "-engine-doorbell");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  keeper_.keep("somebody's", UniqueFd(ends[0]));
  keeper_.keep("session-7777-card", UniqueFd(ends[1]));
  ASSERT_TRUE(daemon_.start());
  expect_serves(*client);
  EXPECT_EQ(client->counters().reconnects, 1u);
  EXPECT_NE(daemon_.log().find("belong to no whole session"), std::string::npos) << daemon_.log();
  // Nor does the next start meet them again.
  EXPECT_TRUE(eventually([&] {
    const auto names = keeper_.names();
    return !has_session(names, session) && !has_session(names, 7777) &&
           std::ranges::find(names, "somebody's") == names.end();
  }));
}

// The listener, one session, and half of another.
class SmallStore : public KeptSessions {
 protected:
  SmallStore() : KeptSessions(1 + 6 + 3) {}
};

TEST_F(SmallStore, KeepsWhomItCanAndLetsTheOthersReconnect) {
  auto first = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(first) << first.error().text;
  auto second = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(second) << second.error().text;
  restart(How::kKilled);
  expect_serves(*first);
  expect_serves(*second);
  EXPECT_EQ(first->counters().reconnects, 0u);
  EXPECT_EQ(second->counters().reconnects, 1u);
  EXPECT_NE(daemon_.log().find("keeps no more descriptors"), std::string::npos) << daemon_.log();
}

TEST_F(KeptSessions, AListenerOfAUnitIsTakenAndItsFileLeft) {
  end(How::kStopped);
  keeper_.drop("listener");
  ::unlink(daemon_.socket().c_str());
  keeper_.keep("pqd.socket", listening(daemon_.socket(), SOCK_SEQPACKET));
  ASSERT_TRUE(daemon_.start());
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  restart(How::kStopped);
  expect_serves(*client);
  EXPECT_EQ(client->counters().reconnects, 0u);
}

TEST_F(KeptSessions, AListenerThatNobodyWouldFindIsReplaced) {
  end(How::kStopped);
  ::unlink(daemon_.socket().c_str());
  ASSERT_TRUE(daemon_.start());
  EXPECT_TRUE(Client::connect({.socket = daemon_.socket()}));
  restart(How::kKilled);
  EXPECT_TRUE(Client::connect({.socket = daemon_.socket()}));
}

}  // namespace
}  // namespace pqd::test
