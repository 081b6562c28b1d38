// Deaths under load: whoever is killed, what was acknowledged is done, once for each attempt.
#include <unistd.h>

#include <algorithm>

#include "bindings/cpp/client.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"
#include "tests/support/load/load_history.h"

namespace pqd::test {
namespace {

class KillsTest : public WithDaemon {
 protected:
  KillsTest() : WithDaemon(kLoadConfig) {}

  // No rule is broken, every acknowledged job is completed and nothing else is there.
  LoadFigures expect_nothing_lost(const Load& load) {
    const LoadJudgement judged = judge(load);
    EXPECT_EQ(judged.broken, std::vector<std::string>());
    EXPECT_EQ(judged.figures.completed, judged.figures.acknowledged)
        << "jobs that nobody was told of, or lost";
    std::printf("%lu jobs acknowledged, %lu completed, %lu deliveries\n", judged.figures.acknowledged,
                judged.figures.completed, judged.figures.taken);
    return judged.figures;
  }
  void expect_daemons_may_die(const LoadOptions& options) {
    Load load(daemon_.socket(), options);
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(load.handles(50)) << "after " << i << " kills";
      daemon_.kill();
      ASSERT_TRUE(daemon_.start());
    }
    ASSERT_EQ(load.finish(), "");
    expect_nothing_lost(load);
  }
  void kill_in_turns(Load& load, size_t turn) {
    if (turn % 3 == 0) {
      daemon_.kill_engine();
    } else if (turn % 3 == 1) {
      load.replace_consumer(turn % 2);
    } else if (turn % 9 == 2) {
      daemon_.kill();
      ASSERT_TRUE(daemon_.start());
    }
  }
};

TEST_F(KillsTest, AHundredDeadEnginesInARowLoseNothingAndDuplicateNothing) {
  Load load(daemon_.socket(), {});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(load.handles(20)) << "after " << i << " kills";
    daemon_.kill_engine();
  }
  ASSERT_EQ(load.finish(), "");
  const LoadFigures figures = expect_nothing_lost(load);
  // Leases outlive their engine: nobody was given a job that somebody else had.
  EXPECT_EQ(figures.taken, figures.acknowledged);
}

TEST_F(KillsTest, ClientsCarryOnOverTheDeathOfTheWholeDaemon) { expect_daemons_may_die({}); }

TEST_F(KillsTest, JobsOfDurabilityOsOutliveTheDeathOfTheWholeDaemon) {
  expect_daemons_may_die({.durability = Durability::kOs});
}

TEST_F(KillsTest, AtMostOnceJobsAreNeverHandedOutTwiceWhateverDies) {
  Load load(daemon_.socket(), {.delivery = pqd::Delivery::kAtMostOnce});
  for (size_t i = 0; i < 30; ++i) {
    ASSERT_TRUE(load.handles(20)) << "after " << i << " deaths";
    kill_in_turns(load, i);
  }
  ASSERT_EQ(load.finish(), "");
  const LoadJudgement judged = judge(load);
  EXPECT_EQ(judged.broken, std::vector<std::string>());
  EXPECT_EQ(judged.figures.completed + judged.figures.delivery_lost, judged.figures.acknowledged);
  EXPECT_EQ(judged.figures.failed, judged.figures.delivery_lost);
  EXPECT_GT(judged.figures.delivery_lost, 0u) << "consumers died with jobs in hand";
}

// The next job of a key comes only when the one before it has been completed, whatever attempt that took.
TEST_F(KillsTest, JobsOfOneOrderingKeyRunInOrderThoughEnginesAndConsumersDie) {
  Load load(daemon_.socket(),
            {.ordering_keys = 20, .max_attempts = 1'000, .backoff_first_ms = 5, .fail_some = true});
  for (size_t i = 0; i < 30; ++i) {
    ASSERT_TRUE(load.handles(20)) << "after " << i << " deaths";
    kill_in_turns(load, i);
  }
  ASSERT_EQ(load.finish(), "");
  expect_nothing_lost(load);
  struct Last {
    JobId id;
    bool completed = true;
  };
  std::map<std::string, Last> keys;
  for (const Deed& deed : load.deeds()) {
    if (deed.kind != Deed::Kind::kTook && deed.kind != Deed::Kind::kSettles) continue;
    if (deed.kind == Deed::Kind::kSettles && deed.verdict != Deed::Verdict::kComplete) continue;
    const std::string key = load_job(load.options(), deed.content).ordering_key;
    Last& last = keys[key];
    if (deed.kind == Deed::Kind::kSettles) {
      last.completed = last.completed || last.id == deed.id;
    } else if (last.id == deed.id) {
      last.completed = false;  // another attempt
    } else {
      EXPECT_TRUE(last.completed) << deed.id.to_string() << " began before " << last.id.to_string()
                                  << " ended";
      EXPECT_LT(last.id, deed.id) << "within " << key;
      last = {deed.id, false};
    }
  }
  EXPECT_EQ(keys.size(), 40u);
}

TEST_F(KillsTest, DeadConsumerIsNoticedLongBeforeItsLeaseEnds) {
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  Forked consumer([this](const Forked::Say& say) {
    auto holder = Client::connect({.socket = daemon_.socket()});
    if (!holder || !holder->subscribe({.queue = "load"})) return 1;
    const auto job = holder->next(kWatchdog);
    say(job && *job ? "has it" : "has none");
    for (;;) ::pause();
  });
  const auto ticket =
      client->submit({.type = "t", .queue = "load", .max_attempts = 1, .processing_timeout_ms = 3'600'000});
  ASSERT_TRUE(ticket) << ticket.error().text;
  ASSERT_EQ(consumer.hear(), "has it");
  consumer.kill_and_wait();
  // An hour is far beyond the watchdog.
  ASSERT_TRUE(eventually([&] {
    const auto job = client->get(ticket->id);
    return job && is_finished(job->core.state);
  }));
  const auto job = client->get(ticket->id);
  ASSERT_TRUE(job) << job.error().text;
  EXPECT_EQ(job->core.state, JobState::kFailed);
  EXPECT_EQ(job->core.reason, Reason::kConsumerDied);
  EXPECT_EQ(job->core.deaths, 1u);
  EXPECT_EQ(job->core.failures, 0u);
}

TEST_F(KillsTest, DeadConsumersCostAnAttemptAndNoJob) {
  Load load(daemon_.socket(), {});
  for (size_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(load.handles(20));
    load.replace_consumer(i % 2);
  }
  ASSERT_EQ(load.finish(), "");
  expect_nothing_lost(load);
}

// As an assertion of a library ends it: the supervisor names whose mistake it was, and what would tell more.
TEST_F(KillsTest, AnEngineThatAbortsIsCalledAFaultOfPqdAndNothingIsLost) {
  Load load(daemon_.socket(), {});
  ASSERT_TRUE(load.handles(50));
  const pid_t engine = daemon_.engine();
  ASSERT_EQ(::kill(engine, SIGABRT), 0);
  ASSERT_TRUE(eventually([&] { return daemon_.engine() != engine; }));
  ASSERT_TRUE(load.handles(50));
  ASSERT_EQ(load.finish(), "");
  expect_nothing_lost(load);
  EXPECT_NE(daemon_.log().find("(Aborted), a fault of pqd or of a library that it uses. What it said last "
                               "stands above"),
            std::string::npos)
      << daemon_.log();
}

}  // namespace
}  // namespace pqd::test
