// The system's clock is set by years, forward and back, while an engine runs and between two of them. What
// waits for time keeps its terms while an engine runs; time never goes back, whatever the clock says.
#include "tests/crash/clock_jumps.h"

namespace pqd::test {
namespace {

TEST_F(ClockJumps, WhileAnEngineRunsEndNoLeaseNoDelayAndNoWaiting) {
  Client client = connect();
  const JobId delayed = submit(client, {.type = "later", .not_before_ms = in_an_hour()});
  const JobId waiting = submit(client, {.type = "waits", .queue_timeout_ms = 3'600'000});
  const JobId held = submit(client, {.type = "held", .processing_timeout_ms = 3'600'000});
  ASSERT_TRUE(client.subscribe({.types = {"held", "later"}}));
  const auto job = client.next(kWatchdog);
  ASSERT_TRUE(job && *job && (*job)->id() == held);
  for (const int64_t years : {5, -5, 0}) {
    set_clock(years);
    // It looks once a second, when there is something to do.
    ASSERT_TRUE(eventually([&] { return client.health() && engine_has_noticed(); }));
    EXPECT_EQ(client.get(delayed)->core.state, JobState::kPending);
    EXPECT_EQ(client.get(waiting)->core.state, JobState::kPending);
  }
  const auto done = client.complete(**job);
  ASSERT_TRUE(done);
  EXPECT_TRUE(client.wait(*done, kWatchdog)) << "the lease had ended";
}

// A later time at a start is taken for the time that passed, as after a night without power.
TEST_F(ClockJumps, ForwardBetweenEnginesAreTimeThatPassed) {
  Client client = connect();
  const JobId delayed = submit(client, {.type = "later", .not_before_ms = in_an_hour()});
  const JobId waiting = submit(client, {.type = "waits", .queue_timeout_ms = 3'600'000});
  const SubmitRequest once{.type = "once", .idempotency_key = "key"};
  const JobId first = submit(client, once);
  set_clock(5);
  daemon_.kill_engine();
  ASSERT_TRUE(client.subscribe({.types = {"later"}}));
  const auto job = client.next(kWatchdog);
  ASSERT_TRUE(job && *job);
  EXPECT_EQ((*job)->id(), delayed);
  EXPECT_TRUE(eventually([&] { return client.get(waiting)->core.state == JobState::kTimeout; }));
  EXPECT_NE(submit(client, once), first) << "a key is kept for 24 hours";
}

// Time stays where it was: what had its turn has no second one, and what is kept is kept.
TEST_F(ClockJumps, BackBetweenEnginesDoNotTurnTimeBack) {
  Client client = connect();
  set_clock(5);
  daemon_.kill_engine();
  const SubmitRequest once{.type = "once", .idempotency_key = "key"};
  const JobId first = submit(client, once);
  const JobId waiting = submit(client, {.type = "waits", .queue_timeout_ms = 3'600'000});
  for (const int64_t years : {0, -5}) {
    set_clock(years);
    daemon_.kill_engine();
    EXPECT_EQ(submit(client, once), first);
    EXPECT_EQ(client.get(waiting)->core.state, JobState::kPending);
    const JobId brief = submit(client, {.type = "brief", .queue_timeout_ms = 20});
    EXPECT_TRUE(eventually([&] { return client.get(brief)->core.state == JobState::kTimeout; }))
        << "time stands still";
  }
}

TEST_F(ClockJumps, WhileAnEngineRunsMakeNoRunOfASchedule) {
  Client client = connect();
  keep_daily(client);
  const TimeNs due = daily(client).next_ns;
  for (const int64_t years : {5, -5, 0}) {
    set_clock(years);
    ASSERT_TRUE(eventually([&] { return client.health() && engine_has_noticed(); }));
    EXPECT_EQ(daily(client).next_ns, due);
    EXPECT_EQ(runs_of_daily(client), std::vector<TimeNs>());
  }
}

// However many were missed, and however often the clock comes by again.
TEST_F(ClockJumps, OverManyRunsOfAScheduleMakeOneForAllThatWereMissed) {
  constexpr TimeNs kDay = 24 * 3600 * kSecondNs;
  Client client = connect();
  keep_daily(client);
  const TimeNs first = daily(client).next_ns;
  set_clock(5);
  daemon_.kill_engine();
  ASSERT_TRUE(eventually([&] { return daily(client).last_ns == first; }));
  const TimeNs second = daily(client).next_ns;
  EXPECT_GT(second, real_ns() + 5 * kYear - kSecondNs) << "one that was missed is to come";
  EXPECT_LE(second, real_ns() + 5 * kYear + kDay) << "one is left out";
  EXPECT_EQ(runs_of_daily(client), std::vector<TimeNs>{first});
  for (const int64_t years : {0, -5, 3, 5}) {
    set_clock(years);
    daemon_.kill_engine();
    EXPECT_EQ(daily(client).last_ns, first) << years;
    EXPECT_EQ(daily(client).next_ns, second) << years;
    EXPECT_EQ(runs_of_daily(client), std::vector<TimeNs>{first}) << years;
  }
  set_clock(7);
  daemon_.kill_engine();
  ASSERT_TRUE(eventually([&] { return daily(client).last_ns == second; }));
  EXPECT_EQ(runs_of_daily(client), (std::vector<TimeNs>{second, first}));
}

TEST_F(ClockJumps, UnderLoadBreakNoRule) {
  LoadOptions options = cycle_load(1, 0);
  // No mix: it has idempotency keys, and those are over when years are.
  options.mix = 0;
  options.ordering_keys = 4;
  options.max_attempts = 1'000;
  options.backoff_first_ms = 5;
  options.fail_some = true;
  Load load(daemon_.socket(), options);
  for (const int64_t years : {1, 5, -3, 0, 7, 0}) {
    load.allow(60);
    ASSERT_TRUE(load.handles(30)) << years;
    set_clock(years);
    ASSERT_TRUE(load.handles(10)) << years;
    daemon_.kill_engine();
    load.engine_died();
  }
  load.allow(60);
  ASSERT_EQ(load.finish(), "");
  const LoadJudgement judged = judge(load);
  EXPECT_EQ(judged.broken, std::vector<std::string>());
  // One for all that came to be due in years, and none again when the clock was set back.
  EXPECT_GT(judged.figures.runs_late, 0u);
}

}  // namespace
}  // namespace pqd::test
