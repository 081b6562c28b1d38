// A client over fork(): the child gets a clean error, the parent does not notice.
#include <atomic>
#include <thread>

#include "core/partition.h"
#include "tests/bindings/fixtures.h"
#include "tests/support/forked.h"

namespace pqd::test {
namespace {

class OverFork : public WithClient {};

TEST_F(OverFork, AnswersUnavailableToEverythingInTheChild) {
  const JobId id = submit({.type = "t"});
  ASSERT_TRUE(client().subscribe({}));
  const DeliveredJob job = take(client());
  const auto ticket = client().submit({.type = "t"});
  Forked child([&](const Forked::Say& say) {
    Client& c = client();
    const std::vector<SubmitRequest> many(2, {.type = "t"});
    const auto unavailable = [&](std::string_view what, Error error) {
      if (error != Error::kUnavailable) say(std::string(what) + ": " + std::string(error_name(error)));
    };
    unavailable("submit", error_of(c.submit({.type = "t"})));
    unavailable("submit_many", error_of(c.submit_many(many)));
    unavailable("wait", error_of(c.wait(*ticket, kPatience)));
    unavailable("poll", error_of(c.poll(*ticket)));
    unavailable("flush", error_of(c.flush(kPatience)));
    unavailable("get", error_of(c.get(id)));
    unavailable("list", error_of(c.list({})));
    unavailable("queues", error_of(c.queues()));
    unavailable("dlq", error_of(c.dlq({})));
    unavailable("dlq_get", error_of(c.dlq_get(id)));
    unavailable("health", error_of(c.health()));
    unavailable("cancel", error_of(c.cancel(id)));
    unavailable("redrive", error_of(c.redrive(id)));
    unavailable("review", error_of(c.review(id, "r")));
    unavailable("purge", error_of(c.purge(id)));
    unavailable("redrive_many", error_of(c.redrive_many({&id, 1})));
    unavailable("purge_many", error_of(c.purge_many({&id, 1})));
    unavailable("queue_control", error_of(c.queue_control(QueueAction::kPause, "default")));
    unavailable("queue_configure", error_of(c.queue_configure("default", {}, 1)));
    unavailable("queue_reset", error_of(c.queue_reset("default")));
    unavailable("subscribe", error_of(c.subscribe({})));
    unavailable("unsubscribe", error_of(c.unsubscribe(1)));
    unavailable("next", error_of(c.next(Milliseconds(0))));
    unavailable("start", error_of(c.start(job)));
    unavailable("complete", error_of(c.complete(job)));
    unavailable("fail", error_of(c.fail(job, "e")));
    unavailable("release", error_of(c.release(job)));
    unavailable("extend", error_of(c.extend(job, {})));
    unavailable("process", error_of(c.process()));
    if (c.fd() != -1) say("fd");
    if (c.arm()) say("arm");
    if (c.cancel_requested(job)) say("cancel_requested");
    client_.reset();
    say("end");
    return 0;
  });
  EXPECT_EQ(child.hear(), "end");
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(decided(client(), client().complete(job)), Error::kOk) << "the parent's session lives on";
  EXPECT_TRUE(client().wait(*ticket, kPatience));
  EXPECT_EQ(client().counters().reconnects, 0u);
}

TEST_F(OverFork, LetsTheChildConnectForItself) {
  Forked child([&](const Forked::Say& say) {
    auto own = Client::connect({.socket = daemon_.socket()});
    const auto ticket = own ? own->submit({.type = "child"}) : std::unexpected(own.error());
    const auto outcome = ticket ? own->wait(*ticket, kPatience) : std::unexpected(ticket.error());
    say(outcome ? outcome->id.to_string() : outcome.error().text);
    return 0;
  });
  const std::string heard = child.hear();
  EXPECT_EQ(child.wait(), 0);
  const auto id = JobId::parse(heard);
  ASSERT_TRUE(id) << heard;
  EXPECT_EQ(look(*id).type, "child");
}

TEST_F(OverFork, DoesNotKeepTheParentsJobsFromOthersWhenTheParentEnds) {
  const JobId id = submit({.type = "t", .processing_timeout_ms = 3'600'000, .backoff_first_ms = 1});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  std::optional<DeliveredJob> job(take(worker));
  Forked child([&](const Forked::Say& say) {
    (void)worker.process();  // the first call notices, and lets go of the parent's session
    say("noticed");
    ::pause();
    return 0;
  });
  ASSERT_EQ(child.hear(), "noticed");
  worker = connect();
  EXPECT_TRUE(eventually([&] { return look(id).core.deaths == 1; }));
  child.kill_and_wait();
}

// A child that never calls the client: its copies of the sockets and doorbells stay open.
int does_nothing(const Forked::Say&) {
  ::pause();
  return 0;
}

TEST_F(OverFork, GivesTheParentsJobsToOthersWhenTheParentClosesTheClient) {
  const JobId id = submit({.type = "t", .processing_timeout_ms = 3'600'000, .backoff_first_ms = 1});
  std::optional<Client> worker(connect());
  ASSERT_TRUE(worker->subscribe({}));
  const DeliveredJob job = take(*worker);
  Forked child(does_nothing);
  worker.reset();
  EXPECT_TRUE(eventually([&] { return look(id).core.deaths == 1; }));
  child.kill_and_wait();
}

TEST_F(OverFork, LetsTheParentsEventLoopSleepAfterAReconnect) {
  ASSERT_GE(client().fd(), 0);
  Forked child(does_nothing);
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  ASSERT_TRUE(reconnects(client()));
  EXPECT_TRUE(falls_asleep(client())) << "woken for nothing";
  child.kill_and_wait();
}

class OverForkWithPartitions : public WithClient {
 protected:
  OverForkWithPartitions() : WithClient("[engine]\npartitions = 2\n[daemon]\nsessions_max = 1\n") {}

  // Of the partition that connect() opened no session with.
  static std::string other_queue() {
    std::string name = "q";
    while (partition_of(name, 2) != 1) name += "q";
    return name;
  }
  // By a child's first calls, which would open that session in their parent.
  static void expect_unavailable(Client& client) {
    Forked child([&](const Forked::Say& say) {
      const std::string queue = other_queue();
      const JobId id = JobId::make(1'700'000'000'000, make_tag(1, 1, 2), 1, 1);
      const std::vector<SubmitRequest> many(2, {.type = "t", .queue = queue});
      const auto unavailable = [&](std::string_view what, Error error) {
        if (error != Error::kUnavailable) say(std::string(what) + ": " + std::string(error_name(error)));
      };
      unavailable("submit", error_of(client.submit({.type = "t", .queue = queue})));
      unavailable("submit_many", error_of(client.submit_many(many)));
      unavailable("subscribe", error_of(client.subscribe({.queue = queue})));
      unavailable("get", error_of(client.get(id)));
      unavailable("cancel", error_of(client.cancel(id)));
      unavailable("queue_control", error_of(client.queue_control(QueueAction::kPause, queue)));
      unavailable("queues", error_of(client.queues()));
      unavailable("watch", error_of(client.watch({.queue = queue})));
      unavailable("cron_set",
                  error_of(client.cron_set({.name = "n", .spec = "@hourly", .job = {.queue = queue}})));
      unavailable("cron_remove", error_of(client.cron_remove("n")));
      say("end");
      return 0;
    });
    EXPECT_EQ(child.hear(), "end");
    EXPECT_EQ(child.wait(), 0);
  }
};

TEST_F(OverForkWithPartitions, AnswersUnavailableInTheChildOfWhoIsAboutToSleep) {
  ASSERT_GE(client().fd(), 0);
  ASSERT_TRUE(falls_asleep(client()));
  expect_unavailable(client());
}

TEST_F(OverForkWithPartitions, LeavesAnUnusedSessionAlsoWhileAChildLives) {
  Forked child(does_nothing);
  submit({.type = "t", .queue = other_queue()});
  child.kill_and_wait();
}

TEST_F(OverForkWithPartitions, WakesNotTheParentsEventLoopByTheChildsCalls) {
  ASSERT_TRUE(client().process());
  pollfd wanted{client().fd(), POLLIN, 0};
  expect_unavailable(client());
  EXPECT_EQ(::poll(&wanted, 1, static_cast<int>(kNotAtAll.count())), 0) << "woken for nothing";
}

// The child's copy of the client stands in the middle of a submit. It ends as programs do, destructors and
// all.
TEST_F(OverFork, WhileAnotherThreadSubmitsDoesNotSubmitTwiceAndTheChildEndsCleanly) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's allocator may be locked in the child for ever";
#endif
  constexpr int kJobs = 900;
  std::atomic<bool> goes_on{true};
  std::optional<Client> busy(connect());
  std::thread submitter([&] {
    for (int i = 0; i < kJobs; ++i) EXPECT_TRUE(busy->submit({.type = "thread"}));
    goes_on.store(false);
  });
  int children = 0;
  for (; children < 5 || goes_on.load(); ++children) {
    Forked child([&](const Forked::Say&) {
      const auto told = busy->submit({.type = "child"});
      busy.reset();
      return !told && told.error().error == Error::kUnavailable ? 0 : 1;
    });
    ASSERT_EQ(child.wait(), 0) << "child " << children;
  }
  submitter.join();
  EXPECT_TRUE(busy->flush(kPatience));
  EXPECT_EQ(busy->counters().reconnects, 0u);
  const auto of_type = [&](std::string_view type) {
    return client().list({.type = type, .limit = 1'000})->size();
  };
  EXPECT_EQ(of_type("thread"), size_t{kJobs});
  EXPECT_EQ(of_type("child"), 0u);
}

}  // namespace
}  // namespace pqd::test
