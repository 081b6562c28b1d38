// The client in an event loop: one descriptor, poll(), and the daemon's deaths in between.
#include <poll.h>

#include <functional>

#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

class InAnEventLoop : public WithClient {
 protected:
  using WithClient::WithClient;

  // The loop of the client's header: sleeps in poll() alone, until `done` or an error, which it returns.
  static Error run_loop(Client& client, const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kWatchdog;
    const int fd = client.fd();
    EXPECT_GE(fd, 0);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "nothing woke the loop";
        return Error::kRequestTimeout;
      }
      if (client.arm()) {
        pollfd wanted{fd, POLLIN, 0};
        ::poll(&wanted, 1, 10'000);
        EXPECT_NE(wanted.revents, 0) << "slept through";
      }
      const auto processed = client.process();
      if (!processed) return processed.error().error;
      EXPECT_EQ(client.fd(), fd) << "one descriptor for life";
    }
    return Error::kOk;
  }
  static bool is_decided(Client& client, const Ticket& ticket) {
    const auto decided = client.poll(ticket);
    EXPECT_EQ(error_of(decided), Error::kOk) << text_of(decided);
    return decided && *decided;
  }
};

TEST_F(InAnEventLoop, SeesSubmitsDecided) {
  for (int i = 0; i < 50; ++i) {
    const auto ticket = client().submit({.type = "t"});
    ASSERT_TRUE(ticket);
    ASSERT_EQ(run_loop(client(), [&] { return is_decided(client(), *ticket); }), Error::kOk);
  }
}

TEST_F(InAnEventLoop, TakesAndSettlesJobs) {
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.credits = 7}));
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(client().submit({.type = "t"}));
  int done = 0;
  const auto drain = [&] {
    for (auto job = worker.next(Milliseconds(0)); job && *job; job = worker.next(Milliseconds(0))) {
      EXPECT_TRUE(worker.complete(**job));
      ++done;
    }
    return done == 200;
  };
  ASSERT_EQ(run_loop(worker, drain), Error::kOk);
  ASSERT_TRUE(worker.flush(kPatience));
  EXPECT_EQ(client().health()->completed_recent, 200u);
}

TEST_F(InAnEventLoop, SleepsWhileNothingComes) {
  ASSERT_GE(client().fd(), 0);
  ASSERT_TRUE(eventually([&] { return client().arm(); }));
  pollfd wanted{client().fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&wanted, 1, static_cast<int>(kNotAtAll.count())), 0) << "woken for nothing";
}

TEST_F(InAnEventLoop, SeesACancellationComeIn) {
  const JobId id = submit({.type = "t"});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  const DeliveredJob job = take(worker);
  ASSERT_TRUE(client().cancel(id, true));
  EXPECT_EQ(run_loop(worker, [&] { return *job.stop_flag(); }), Error::kOk);
}

TEST_F(InAnEventLoop, SleepsThroughTheEnginesDeath) {
  ASSERT_TRUE(daemon_.freeze_engine());
  const auto ticket = client().submit({.type = "t"});
  ASSERT_TRUE(ticket);
  daemon_.kill_engine();
  EXPECT_EQ(run_loop(client(), [&] { return is_decided(client(), *ticket); }), Error::kOk);
  EXPECT_EQ(client().counters().reconnects, 0u);
}

TEST_F(InAnEventLoop, FindsTheDaemonAgainByItself) {
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  ASSERT_GE(worker.fd(), 0);
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  std::optional<DeliveredJob> job;
  const JobId id = submit({.type = "t"});
  const auto came = [&] {
    auto next = worker.next(Milliseconds(0));
    if (next && *next) job = std::move(**next);
    return job.has_value();
  };
  EXPECT_EQ(run_loop(worker, came), Error::kOk);
  EXPECT_EQ(job->id(), id);
  EXPECT_EQ(worker.counters().reconnects, 1u);
}

class BeforeFullQueues : public InAnEventLoop {
 protected:
  BeforeFullQueues() : InAnEventLoop("[queues.defaults]\nmax_depth = 1\nadmission_timeout = \"1h\"\n") {}

  // Waits for room, as both have been told.
  Ticket parked(Client& producer, std::string_view queue = "q") {
    const auto ticket = producer.submit({.type = "t", .queue = queue});
    EXPECT_TRUE(ticket) << text_of(ticket);
    EXPECT_TRUE(eventually([&] {
      const auto job = client().get(ticket->id);
      return job && job->core.pending == Pending::kParked;
    }));
    EXPECT_EQ(error_of(producer.wait(*ticket, kNotAtAll)), Error::kRequestTimeout);
    return *ticket;
  }
};

TEST_F(BeforeFullQueues, WakesWhenThereIsRoomAlsoAfterAReconnect) {
  const JobId first = submit({.type = "t", .queue = "q"});
  Client producer = connect();
  ASSERT_GE(producer.fd(), 0);
  const Ticket waiting = parked(producer);
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  ASSERT_TRUE(reconnects(producer));
  ASSERT_TRUE(falls_asleep(producer));
  ASSERT_TRUE(client().cancel(first));
  // It has called nothing since: what wakes it was there before it slept.
  pollfd wanted{producer.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&wanted, 1, static_cast<int>(kPatience.count())), 1) << "slept through";
  EXPECT_EQ(run_loop(producer, [&] { return is_decided(producer, waiting); }), Error::kOk);
}

TEST_F(BeforeFullQueues, HearsOfRoomInEachAfterAReconnectWhileTheOthersStayFull) {
  constexpr size_t kQueues = 20;
  std::vector<JobId> first;
  std::vector<Ticket> waiting;
  Client producer = connect();
  for (size_t i = 0; i < kQueues; ++i) {
    const std::string queue = "q" + std::to_string(i);
    first.push_back(submit({.type = "t", .queue = queue}));
    waiting.push_back(parked(producer, queue));
  }
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  ASSERT_TRUE(reconnects(producer));
  for (size_t i = 0; i < kQueues; ++i) {
    ASSERT_TRUE(client().cancel(first[i]));
    const auto outcome = producer.wait(waiting[i], kPatience);
    ASSERT_TRUE(outcome) << i << ": " << text_of(outcome);
  }
}

TEST_F(InAnEventLoop, GivesUpWhenTheDaemonStaysAway) {
  Client briefly = connect({.reconnect_timeout_ms = 100});
  ASSERT_GE(briefly.fd(), 0);
  daemon_.kill();
  int rounds = 0;
  EXPECT_EQ(run_loop(briefly, [&] { return ++rounds == 0; }), Error::kUnavailable);
  EXPECT_LT(rounds, 50) << "it sleeps between its attempts";
  ASSERT_TRUE(daemon_.start());
  EXPECT_TRUE(eventually([&] { return briefly.process().has_value(); })) << "and finds it when it is late";
  EXPECT_TRUE(briefly.health());
}

}  // namespace
}  // namespace pqd::test
