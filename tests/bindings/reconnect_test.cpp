// The daemon dies and comes back, or does not.
#include <poll.h>

#include <functional>
#include <future>
#include <set>
#include <thread>

#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

class OverADeath : public WithClient {
 protected:
  OverADeath() : WithClient("[queues.defaults]\nmax_active = 0\nbackoff = \"1ms\"\n") {}
  void kill_and_restart() {
    daemon_.kill();
    ASSERT_TRUE(daemon_.start());
  }
  // Another daemon on another store under the name that clients know: it knows nothing of their sessions.
  void put_another_in_place_of(Daemon& daemon) {
    daemon.kill();
    ASSERT_TRUE(other_.start());
    lead(daemon_.socket(), other_.socket());
  }
  // Returns when `client` has noticed.
  void kill_under(Client& client) {
    pollfd gone{client.fd(), POLLIN, 0};
    EXPECT_TRUE(client.process()) << "nothing is left to take in";
    daemon_.kill();
    EXPECT_EQ(::poll(&gone, 1, static_cast<int>(kPatience.count())), 1);
    EXPECT_TRUE(client.process());
  }
  // Every job that there is, exactly once, is one of these.
  void expect_exactly(const std::vector<Ticket>& tickets) {
    std::set<JobId> wanted;
    for (const Ticket& ticket : tickets) wanted.insert(ticket.id);
    const auto listed = client().list({.limit = 1'000});
    ASSERT_TRUE(listed) << text_of(listed);
    EXPECT_EQ(listed->size(), wanted.size());
    for (const JobInfo& info : *listed)
      EXPECT_TRUE(wanted.contains(info.core.id)) << info.core.id.to_string();
  }

 private:
  Daemon other_;
};

TEST_F(OverADeath, WaitsOnWhileAnotherEngineStarts) {
  ASSERT_TRUE(daemon_.freeze_engine());
  std::vector<Ticket> tickets;
  for (int i = 0; i < 300; ++i) tickets.push_back(client().submit({.type = "t"}).value());
  daemon_.kill_engine();
  for (const Ticket& ticket : tickets) {
    const auto outcome = client().wait(ticket, kPatience);
    ASSERT_TRUE(outcome) << text_of(outcome);
    EXPECT_FALSE(outcome->duplicate);
  }
  expect_exactly(tickets);
  EXPECT_EQ(client().counters().reconnects, 0u);
}

TEST_F(OverADeath, GoesOnWhenTheLargestPayloadIsAnotherAfterwards) {
  for (const char* largest : {"8MiB", "64KiB"}) {
    daemon_.stop();
    daemon_.configure(std::string("[daemon]\nmax_payload_bytes = \"") + largest + "\"\n");
    ASSERT_TRUE(daemon_.start());
    const auto ticket = client().submit({.type = "t"});
    ASSERT_TRUE(ticket) << text_of(ticket);
    EXPECT_EQ(error_of(client().wait(*ticket, kPatience)), Error::kOk) << largest;
    ASSERT_TRUE(client().subscribe({}));
    EXPECT_EQ(take(client()).id(), ticket->id);
  }
  EXPECT_EQ(client().max_payload_bytes(), 64u << 10);
}

// Nobody would know that it had run already.
TEST_F(OverADeath, SendsNoJobAgainThatIsInMemoryAndMayRunOnceAtMost) {
  const SubmitRequest once{.type = "t", .delivery = Delivery::kAtMostOnce, .durability = Durability::kMemory};
  ASSERT_TRUE(daemon_.freeze_engine());
  const Ticket memory_once = client().submit(once).value();
  const Ticket memory = client().submit({.type = "t", .durability = Durability::kMemory}).value();
  const Ticket durable_once = client().submit({.type = "t", .delivery = Delivery::kAtMostOnce}).value();
  const auto batch = client().submit_many(std::vector<SubmitRequest>{once, once}).value();
  kill_and_restart();
  for (const Ticket& ticket : {memory_once, batch[0], batch[1]}) {
    const auto outcome = client().wait(ticket, kPatience);
    EXPECT_EQ(error_of(outcome), Error::kUnknownOutcome);
    EXPECT_NE(text_of(outcome).find("may run once at most"), std::string::npos) << text_of(outcome);
  }
  for (const Ticket& ticket : {memory, durable_once})
    EXPECT_EQ(error_of(client().wait(ticket, kPatience)), Error::kOk);
  expect_exactly({memory, durable_once});
}

TEST_F(OverADeath, AsksOpenQuestionsAgain) {
  const JobId id = submit({.type = "t"});
  ASSERT_TRUE(daemon_.freeze_engine());
  std::jthread killer([&] { daemon_.kill_engine(); });
  EXPECT_EQ(look(id).core.id, id);
  EXPECT_TRUE(client().health());
}

TEST_F(OverADeath, KeepsLeasesAndSubscriptionsOverTheEnginesDeath) {
  const JobId first = submit({.type = "t"});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.credits = 2}));
  const DeliveredJob job = take(worker);
  daemon_.kill_engine();
  EXPECT_EQ(decided(worker, worker.complete(job)), Error::kOk);
  EXPECT_EQ(state(first), JobState::kCompleted);
  const JobId second = submit({.type = "t"});
  EXPECT_EQ(take(worker).id(), second);
}

TEST_F(OverADeath, DeliversNothingTwiceOverManyEngines) {
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.credits = 50}));
  std::vector<Ticket> tickets;
  std::set<JobId> done;
  size_t deliveries = 0;
  for (int death = 0; death < 4; ++death) {
    for (int i = 0; i < 100; ++i) tickets.push_back(client().submit({.type = "t"}).value());
    while (done.size() + 50 < tickets.size()) {
      const DeliveredJob job = take(worker);
      done.insert(job.id());
      ++deliveries;
      ASSERT_TRUE(worker.complete(job));
    }
    daemon_.kill_engine();
  }
  while (done.size() < tickets.size()) {
    const DeliveredJob job = take(worker);
    done.insert(job.id());
    ++deliveries;
    ASSERT_TRUE(worker.complete(job));
  }
  ASSERT_TRUE(worker.flush(kPatience));
  EXPECT_EQ(deliveries, tickets.size());
  EXPECT_EQ(worker.counters().settlements_refused, 0u);
  expect_exactly(tickets);
}

TEST_F(OverADeath, ResubmitsUnderTheSameIdsExactlyOnceAfterARestart) {
  std::vector<Ticket> tickets;
  for (int i = 0; i < 100; ++i) tickets.push_back(client().submit({.type = "before"}).value());
  ASSERT_TRUE(client().flush(kPatience));
  ASSERT_TRUE(daemon_.freeze_engine());
  for (int i = 0; i < 100; ++i) {
    const auto priority = static_cast<uint8_t>(1 + i % 20);
    tickets.push_back(
        client().submit({.type = "unseen", .mode = Mode::kPriority, .priority = priority}).value());
  }
  kill_and_restart();
  for (const Ticket& ticket : tickets) {
    const auto outcome = client().wait(ticket, kPatience);
    ASSERT_TRUE(outcome) << text_of(outcome);
    EXPECT_EQ(outcome->id, ticket.id);
  }
  EXPECT_EQ(client().counters().reconnects, 1u);
  EXPECT_EQ(client().counters().resubmitted, 100u);
  expect_exactly(tickets);
}

TEST_F(OverADeath, ResubmitsAnAtomicBatchAsAWhole) {
  ASSERT_TRUE(daemon_.freeze_engine());
  const std::vector<SubmitRequest> requests(50, {.type = "t"});
  const auto tickets = client().submit_many(requests);
  ASSERT_TRUE(tickets);
  kill_and_restart();
  for (const Ticket& ticket : *tickets) EXPECT_EQ(error_of(client().wait(ticket, kPatience)), Error::kOk);
  expect_exactly(*tickets);
}

TEST_F(OverADeath, LosesAndRepeatsNothingUnderLoadOverSeveralRestarts) {
  Client producer = connect();
  std::vector<Ticket> tickets;
  for (int death = 0; death < 3; ++death) {
    for (int i = 0; i < 150; ++i) tickets.push_back(producer.submit({.type = "t"}).value());
    daemon_.kill();  // in the middle of it
    // Into the ring of a session that has ended, until the client notices.
    for (int i = 0; i < 25; ++i) tickets.push_back(producer.submit({.type = "t"}).value());
    ASSERT_TRUE(daemon_.start());
  }
  for (const Ticket& ticket : tickets) {
    const auto outcome = producer.wait(ticket, kPatience);
    ASSERT_TRUE(outcome) << text_of(outcome);
  }
  expect_exactly(tickets);
}

TEST_F(OverADeath, TakesItsLeasesAlongIntoTheNextSession) {
  const JobId in_hand = submit({.type = "t"});
  const JobId in_inbox = submit({.type = "t"});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.credits = 2}));
  const DeliveredJob job = take(worker);
  ASSERT_EQ(job.id(), in_hand);
  EXPECT_TRUE(becomes(in_inbox, JobState::kAssigned));
  const uint64_t session = worker.session();
  kill_and_restart();
  EXPECT_EQ(decided(worker, worker.complete(job, as_bytes("r"))), Error::kOk);
  EXPECT_NE(worker.session(), session);
  EXPECT_FALSE(worker.cancel_requested(job));
  const DeliveredJob other = take(worker);
  EXPECT_EQ(other.id(), in_inbox);
  EXPECT_EQ(other.attempt(), 1u);
  EXPECT_EQ(decided(worker, worker.complete(other)), Error::kOk);
  EXPECT_EQ(look(in_hand).core.attempts, 1u);
}

TEST_F(OverADeath, RenewsItsSubscriptions) {
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.queue = "one", .types = {"a"}}));
  ASSERT_TRUE(worker.subscribe({.queue = "two"}));
  kill_and_restart();
  ASSERT_TRUE(worker.health());
  const JobId two = submit({.type = "b", .queue = "two"});
  EXPECT_EQ(take(worker).id(), two);
  submit({.type = "b", .queue = "one"});
  const JobId one = submit({.type = "a", .queue = "one"});
  EXPECT_EQ(take(worker).id(), one);
}

TEST_F(OverADeath, SendsSettlementsAgainThatWereNotAnswered) {
  const JobId id = submit({.type = "t"});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  const DeliveredJob job = take(worker);
  ASSERT_TRUE(daemon_.freeze_engine());
  const auto ticket = worker.complete(job, as_bytes("kept"));
  ASSERT_TRUE(ticket);
  kill_and_restart();
  EXPECT_EQ(error_of(worker.wait(*ticket, kPatience)), Error::kOk);
  EXPECT_EQ(as_text(look(id).result), "kept");
}

TEST_F(OverADeath, StopsWorkOnJobsWhoseLeaseItCouldNotKeep) {
  const JobId id = submit({.type = "t"});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  const DeliveredJob job = take(worker);
  put_another_in_place_of(daemon_);
  EXPECT_TRUE(eventually([&] { return worker.cancel_requested(job) || !worker.process(); }));
  EXPECT_TRUE(worker.cancel_requested(job));
  EXPECT_EQ(decided(worker, worker.complete(job)), Error::kLeaseLost);
  EXPECT_EQ(error_of(worker.get(id)), Error::kNotFound);
}

// It calls nothing else while it works.
TEST_F(OverADeath, LearnsThatItsLeaseIsLostFromTheQuestionAlone) {
  submit({.type = "t"});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  const DeliveredJob job = take(worker);
  put_another_in_place_of(daemon_);
  EXPECT_TRUE(eventually([&] { return worker.cancel_requested(job); }));
  EXPECT_EQ(worker.counters().reconnects, 1u);
}

TEST_F(OverADeath, KeepsTheLeaseOfWhoOnlyAsksWhetherToStop) {
  const JobId id = submit({.type = "t"});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  const DeliveredJob job = take(worker);
  kill_and_restart();
  EXPECT_TRUE(eventually([&] { return worker.cancel_requested(job) || worker.counters().reconnects == 1; }));
  EXPECT_FALSE(worker.cancel_requested(job));
  ASSERT_EQ(error_of(client().cancel(id, true)), Error::kOk);
  EXPECT_TRUE(eventually([&] { return worker.cancel_requested(job); }));
}

TEST_F(OverADeath, LearnsThatItsLeaseIsLostFromExtendingItAlone) {
  submit({.type = "t"});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  const DeliveredJob job = take(worker);
  put_another_in_place_of(daemon_);
  EXPECT_TRUE(worker.extend(job, {}));
  EXPECT_TRUE(*job.stop_flag());
}

TEST_F(OverADeath, IsAskedToStopByACancellationThatCameWhileItWasAway) {
  const JobId id = submit({.type = "t"});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  const DeliveredJob job = take(worker);
  kill_and_restart();
  ASSERT_EQ(error_of(client().cancel(id, true)), Error::kOk);
  EXPECT_TRUE(eventually([&] { return worker.process() && worker.cancel_requested(job); }));
  EXPECT_EQ(decided(worker, worker.fail(job, "stopped")), Error::kOk) << "the lease had gone on";
  EXPECT_EQ(state(id), JobState::kCancelled);
}

TEST_F(OverADeath, IsToldToStopWhenALeaseEndedWhileItWasAway) {
  const JobId id = submit({.type = "t", .max_attempts = 1, .processing_timeout_ms = 300});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({}));
  const DeliveredJob job = take(worker);
  kill_and_restart();
  EXPECT_TRUE(becomes(id, JobState::kFailed));
  EXPECT_TRUE(eventually([&] { return worker.process() && worker.cancel_requested(job); }));
  EXPECT_EQ(decided(worker, worker.complete(job)), Error::kLeaseLost);
}

TEST_F(OverADeath, EndsInUnknownOutcomeWhenItStaysAway) {
  Client briefly = connect({.reconnect_timeout_ms = 100});
  const auto known = briefly.submit({.type = "t"});
  ASSERT_TRUE(briefly.wait(*known, kPatience));
  const auto decided_before = briefly.submit({.type = "t"});
  ASSERT_TRUE(briefly.flush(kPatience));
  ASSERT_TRUE(daemon_.freeze_engine());
  const auto unknown = briefly.submit({.type = "t"});
  daemon_.kill();
  EXPECT_EQ(error_of(briefly.wait(*unknown, kForever)), Error::kUnknownOutcome);
  EXPECT_EQ(error_of(briefly.flush(kForever)), Error::kUnknownOutcome);
  EXPECT_EQ(error_of(briefly.poll(*unknown)), Error::kUnknownOutcome);
  EXPECT_EQ(error_of(briefly.wait(*decided_before, kForever)), Error::kOk) << "it had been decided";
  EXPECT_EQ(error_of(briefly.submit({.type = "t"})), Error::kUnavailable);
  EXPECT_EQ(error_of(briefly.get(unknown->id)), Error::kUnavailable);
  EXPECT_EQ(error_of(briefly.next(kForever)), Error::kUnavailable);
  EXPECT_EQ(error_of(briefly.subscribe({})), Error::kUnavailable);
  EXPECT_EQ(error_of(briefly.cancel(unknown->id)), Error::kUnavailable);
  ASSERT_TRUE(daemon_.start());
  EXPECT_TRUE(eventually([&] { return briefly.wait(*unknown, kPatience).has_value(); }))
      << "late is not never";
  EXPECT_EQ(state(unknown->id), JobState::kPending);
}

// The time for room in the lane, which is shorter than any start, is not the time for a daemon.
TEST_F(OverADeath, SubmitsAndSettlesAsSoonAsTheDaemonIsBack) {
  const JobId id = submit({.type = "t"});
  Client worker = connect({.submit_timeout_ms = 1});
  ASSERT_TRUE(worker.subscribe({}));
  const DeliveredJob job = take(worker);
  const auto over_a_death = [&](const std::function<Result<Ticket>()>& send) {
    kill_under(worker);
    auto sent = std::async(std::launch::async, send);
    EXPECT_TRUE(daemon_.start());
    return sent.get();
  };
  const auto completed = over_a_death([&] { return worker.complete(job); });
  EXPECT_EQ(decided(worker, completed), Error::kOk) << text_of(completed);
  const auto one = over_a_death([&] { return worker.submit({.type = "t", .queue = "q"}); });
  EXPECT_EQ(decided(worker, one), Error::kOk) << text_of(one);
  const std::vector<SubmitRequest> requests(2, {.type = "t", .queue = "q"});
  const auto two = over_a_death([&]() -> Result<Ticket> {
    const auto tickets = worker.submit_many(requests);
    if (!tickets) return std::unexpected(tickets.error());
    return tickets->back();
  });
  EXPECT_EQ(decided(worker, two), Error::kOk) << text_of(two);
  EXPECT_EQ(state(id), JobState::kCompleted);
}

TEST_F(OverADeath, WaitsForNothingWhenItsSubmitsMayNotWait) {
  submit({.type = "t"});
  Client hasty = connect({.reconnect_timeout_ms = 3'600'000, .submit_timeout_ms = 0});
  ASSERT_TRUE(hasty.subscribe({}));
  const DeliveredJob job = take(hasty);
  kill_under(hasty);
  EXPECT_EQ(error_of(hasty.submit({.type = "t"})), Error::kUnavailable);
  EXPECT_EQ(error_of(hasty.submit_many(std::vector<SubmitRequest>(2, {.type = "t"}))), Error::kUnavailable);
  EXPECT_EQ(error_of(hasty.complete(job)), Error::kUnavailable);
  ASSERT_TRUE(daemon_.start());
  std::optional<Ticket> completed;
  EXPECT_TRUE(eventually([&] {
    if (const auto ticket = hasty.complete(job)) completed = *ticket;
    return completed.has_value();
  }));
  EXPECT_TRUE(completed && hasty.wait(*completed, kPatience));
}

TEST_F(OverADeath, DoesNotReconnectWhenToldSo) {
  Client once = connect({.reconnect_timeout_ms = 0});
  ASSERT_TRUE(once.health());
  kill_and_restart();
  EXPECT_EQ(error_of(once.health()), Error::kUnavailable);
  EXPECT_EQ(error_of(once.submit({.type = "t"})), Error::kUnavailable);
}

TEST_F(OverADeath, SubmitsThatWaitForRoomAreDecidedByTheNextDaemon) {
  daemon_.stop();
  Daemon small("[queue.q]\nmax_depth = 1\nadmission_timeout = \"1h\"\n");
  ASSERT_TRUE(small.start());
  auto connected = Client::connect({.socket = small.socket()});
  ASSERT_TRUE(connected);
  Client& producer = *connected;
  const JobId first = submit(producer, {.type = "t", .queue = "q"});
  const auto waiting = producer.submit({.type = "t", .queue = "q"});
  EXPECT_EQ(error_of(producer.wait(*waiting, kNotAtAll)), Error::kRequestTimeout);
  small.kill();
  ASSERT_TRUE(small.start());
  EXPECT_EQ(error_of(producer.wait(*waiting, kNotAtAll)), Error::kRequestTimeout);
  ASSERT_TRUE(producer.cancel(first));
  EXPECT_EQ(error_of(producer.wait(*waiting, kPatience)), Error::kOk);
  EXPECT_TRUE(producer.get(waiting->id));
}

// Nobody has said so: it may have been admitted where it waited.
TEST_F(OverADeath, CallsNoQueueFullThatAnotherDaemonHasInPlaceOfTheOneThatLetItWait) {
  daemon_.stop();
  Daemon small("[queue.q]\nmax_depth = 1\nadmission_timeout = \"1h\"\n");
  ASSERT_TRUE(small.start());
  lead(daemon_.socket(), small.socket());
  Client producer = connect();
  submit(producer, {.type = "t", .queue = "q"});
  const auto waiting = producer.submit({.type = "t", .queue = "q"});
  EXPECT_EQ(error_of(producer.wait(*waiting, kNotAtAll)), Error::kRequestTimeout);
  put_another_in_place_of(small);
  const auto outcome = producer.wait(*waiting, kPatience);
  EXPECT_EQ(error_of(outcome), Error::kUnknownOutcome) << text_of(outcome);
  EXPECT_TRUE(has(text_of(outcome), "another store")) << text_of(outcome);
}

}  // namespace
}  // namespace pqd::test
