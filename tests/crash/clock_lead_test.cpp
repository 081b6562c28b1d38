// pqd's clock is ahead of the system's, or behind: neither clients nor their jobs need to know. And the
// machine sleeps.
#include <array>
#include <csignal>

#include "tests/crash/clock_jumps.h"

namespace pqd::test {
namespace {

class ClockLead : public ClockJumps {
 protected:
  static int64_t real_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1'000 + now.tv_nsec / 1'000'000;
  }
  // How much pqd's clock is ahead of the real time.
  static int64_t lead_ms(Client& client) {
    const auto health = client.health();
    EXPECT_TRUE(health) << (health ? "" : health.error().text);
    return health ? health->now_ns / kMillisecondNs - real_ms() : 0;
  }
  // An engine starts with a clock that is two hours ahead; it is put right, and the next engine starts.
  testing::AssertionResult start_ahead(Client& client) {
    shift_->system_ns.store(2 * kHour);
    daemon_.kill_engine();
    if (lead_ms(client) < kHour / kMillisecondNs) return testing::AssertionFailure() << "it is not ahead";
    shift_->system_ns.store(0);
    daemon_.kill_engine();
    if (lead_ms(client) < kHour / kMillisecondNs) return testing::AssertionFailure() << "time went back";
    return testing::AssertionSuccess();
  }
  // By pqd's clock. One job has been submitted.
  void expect_last_hour() {
    const std::vector<std::vector<std::string>> questions{
        {"hourly"}, {"detailed", "--from", "1h"}, {"detailed", "--from", "1h", "--to", "0s"}};
    for (const auto& words : questions) {
      std::vector<std::string> line{PQD_BIN_DIR "/pqctl", "metrics", "-o", "jsonl"};
      line.insert(line.end(), words.begin(), words.end());
      const auto figures = [&] { return run(line, {daemon_.socket_variable()}); };
      // They are up to a second late.
      ASSERT_TRUE(eventually([&] { return figures().out.find("\"submitted\":1,") != std::string::npos; }))
          << words.front() << ": " << figures().out << figures().err;
      const std::string told = figures().out;
      const int64_t covered_s = time_in(told, "endDate") - time_in(told, "startDate");
      EXPECT_GE(covered_s, kHour / kSecondNs) << told;
      EXPECT_LE(covered_s, kHour / kSecondNs + 61) << told;
    }
  }
  // Unix seconds.
  static int64_t time_in(const std::string& json, const std::string& key) {
    const std::string before = "\"" + key + "\":\"";
    const size_t at = json.find(before);
    std::tm time{};
    if (at != std::string::npos) ::strptime(json.c_str() + at + before.size(), "%Y-%m-%dT%H:%M:%S", &time);
    return ::timegm(&time);
  }
  // The end of a lease, as its consumer is told, is by the clock that the consumer has.
  static void expect_lease_in_real_time(Client& client) {
    constexpr int64_t kAgreedMs = 100;  // a difference of less is none
    constexpr uint32_t kLeaseMs = 60'000;
    ASSERT_TRUE(client.subscribe({.types = {"held"}}));
    const int64_t before = real_ms();
    submit(client, {.type = "held", .processing_timeout_ms = kLeaseMs});
    const auto job = client.next(kWatchdog);
    const int64_t after = real_ms();
    ASSERT_TRUE(job && *job);
    EXPECT_GE((*job)->lease_until_ms(), before + kLeaseMs - kAgreedMs);
    EXPECT_LE((*job)->lease_until_ms(), after + kLeaseMs + kAgreedMs);
  }
};

// The first engine starts with a clock that is two hours behind.
class ClockLag : public ClockLead {
 protected:
  ClockLag() { shift_->system_ns.store(-2 * kHour); }
};

TEST_F(ClockLead, CostsNoWorkerTheLeasesThatItRenews) {
  Client client = connect();
  ASSERT_TRUE(start_ahead(client));
  const JobId id = submit(client, {.type = "slow", .processing_timeout_ms = 1'000});
  Program worker({PQD_BIN_DIR "/pqctl", "work", "slow", "--", "sleep", "3"}, {daemon_.socket_variable()});
  ASSERT_TRUE(eventually([&] {
    const auto job = client.get(id);
    return job && is_finished(job->core.state);
  }));
  const auto job = client.get(id);
  EXPECT_EQ(job->core.state, JobState::kCompleted);
  EXPECT_EQ(job->core.attempts, 1);
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait(), 0);
}

TEST_F(ClockLead, LeavesTheEndsOfLeasesWhereConsumersLook) {
  Client client = connect();
  ASSERT_TRUE(start_ahead(client));
  expect_lease_in_real_time(client);
}

TEST_F(ClockLag, LeavesTheEndsOfLeasesWhereConsumersLook) {
  shift_->system_ns.store(0);
  Client client = connect();
  ASSERT_TRUE(eventually([&] { return client.health() && engine_has_noticed(); }));
  EXPECT_LT(lead_ms(client), 0);
  expect_lease_in_real_time(client);
}

// How long ago something happened is by the clock that it happened by.
TEST_F(ClockLead, IsTheClockOfTheLastHourOfFigures) {
  Client client = connect();
  ASSERT_TRUE(start_ahead(client));
  submit(client, {.type = "counted"});
  expect_last_hour();
}

TEST_F(ClockLag, IsTheClockOfTheLastHourOfFigures) {
  shift_->system_ns.store(0);
  Client client = connect();
  ASSERT_TRUE(eventually([&] { return client.health() && engine_has_noticed(); }));
  submit(client, {.type = "counted"});
  expect_last_hour();
}

TEST_F(ClockLag, MakesNoDeadLetterOlderThanItIs) {
  shift_->system_ns.store(0);
  Client client = connect();
  ASSERT_TRUE(eventually([&] { return client.health() && engine_has_noticed(); }));
  const JobId id = submit(client, {.type = "late", .queue_timeout_ms = 20});
  ASSERT_TRUE(eventually([&] { return client.get(id)->core.state == JobState::kTimeout; }));
  const auto dead = [this](const std::string& before) {
    return run({PQD_BIN_DIR "/pqctl", "dlq", "purge", "--before", before, "--dry-run"},
               {daemon_.socket_variable()})
        .err;
  };
  EXPECT_EQ(dead("1h"), "pqctl: 0 would be purged\n");
  EXPECT_EQ(dead("0s"), "pqctl: 1 would be purged\n");
}

TEST_F(ClockLead, LetsNoJobRunAheadOfItsTime) {
  Client client = connect();
  ASSERT_TRUE(start_ahead(client));
  const SubmitRequest later{.type = "later", .not_before_ms = in_an_hour()};
  const JobId alone = submit(client, later);
  const auto both = client.submit_many(std::array{later, later});
  ASSERT_TRUE(both);
  ASSERT_TRUE(client.wait(both->back(), kWatchdog));
  EXPECT_EQ(client.get(alone)->core.pending, Pending::kScheduled);
  for (const Ticket& ticket : *both) EXPECT_EQ(client.get(ticket.id)->core.pending, Pending::kScheduled);
  const int64_t soon_ms = real_ms() + 500;
  const JobId soon = submit(client, {.type = "soon", .not_before_ms = soon_ms});
  ASSERT_TRUE(client.subscribe({.types = {"soon"}}));
  const auto job = client.next(kWatchdog);
  ASSERT_TRUE(job && *job && (*job)->id() == soon);
  EXPECT_GE(real_ms(), soon_ms - 100);
}

TEST_F(ClockLead, IsMadeUpForHoweverLargeAndToldMeanwhile) {
  Client client = connect();
  ASSERT_TRUE(start_ahead(client));
  const int64_t first = lead_ms(client);
  EXPECT_TRUE(eventually([&] { return lead_ms(client) < first - 100; }));
  const auto health = client.health();
  ASSERT_TRUE(health);
  EXPECT_EQ(health->status, 1);
  ASSERT_EQ(health->degraded_reasons.size(), 1u);
  EXPECT_NE(health->degraded_reasons[0].find("ahead of the system's"), std::string::npos);
  EXPECT_NE(daemon_.log().find("ahead of the system's"), std::string::npos);
}

class SleepingMachine : public ClockJumps {
 protected:
  // How often its first thread went to sleep.
  std::string engine_sleeps() {
    const std::string status = read_file("/proc/" + std::to_string(daemon_.engine()) + "/status");
    const size_t at = status.find("\nvoluntary_ctxt_switches:");
    return at == std::string::npos ? "" : status.substr(at, status.find('\n', at + 1) - at);
  }
  // Until it had nothing to do for a while.
  bool engine_is_idle() {
    return eventually([this] {
      const std::string before = engine_sleeps();
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      return !before.empty() && before == engine_sleeps();
    });
  }
};

// Of which its sleep, on a clock that stood still meanwhile, knows nothing.
TEST_F(SleepingMachine, LetsAnIdleEngineDoWhatCameToBeDue) {
  Client client = connect();
  ScheduleRequest request{.name = "hourly", .spec = "@every 1h"};
  request.job.type = "hourly";
  ASSERT_TRUE(client.cron_set(request));
  ASSERT_TRUE(client.subscribe({.types = {"hourly"}}));
  ASSERT_TRUE(engine_is_idle());
  shift_->boot_ns.store(2 * kHour);
  shift_->system_ns.store(2 * kHour);
  const auto job = client.next(kWatchdog);
  EXPECT_TRUE(job && *job) << "nobody woke it";
}

}  // namespace
}  // namespace pqd::test
