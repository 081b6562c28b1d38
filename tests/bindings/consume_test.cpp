// Consuming: subscriptions and credits, what a delivery shows, and each way to settle it.
#include <atomic>
#include <set>
#include <thread>

#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

// As small as it may be.
constexpr SegmentSizes kSmallControlLane = [] {
  SegmentSizes sizes{{}, 0, 0, 0};
  sizes.lane_bytes[lane_index(Lane::kControl)] = kRingBytesMin;
  return sizes;
}();

class Consuming : public WithClient {
 protected:
  using WithClient::WithClient;
  // A consumer of its own for queue default.
  Client consumer(uint32_t credits = 1) {
    Client made = connect();
    EXPECT_TRUE(made.subscribe({.credits = credits}));
    return made;
  }
  static bool nothing_comes(Client& to) {
    const auto job = to.next(kNotAtAll);
    EXPECT_EQ(error_of(job), Error::kOk) << text_of(job);
    return job && !*job;
  }
};

class ConsumingMany : public Consuming {
 protected:
  ConsumingMany() : Consuming("[queues.defaults]\nmax_active = 0\nbackoff = \"1ms\"\n") {}
};

TEST_F(Consuming, RefusesSubscriptionsOutOfTheirRange) {
  const std::vector<std::string_view> many(65, "t");
  EXPECT_EQ(error_of(client().subscribe({.queue = ""})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().subscribe({.queue = "a b"})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().subscribe({.types = {"ok", "not ok"}})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().subscribe({.types = many})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().subscribe({.credits = 0})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().subscribe({.credits = 65'537})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().unsubscribe(1)), Error::kNotFound);
}

TEST_F(Consuming, SaysHowManySubscriptionsAClientMayHave) {
  for (uint32_t i = 0; i < limits::kSubscriptionsPerSessionMax; ++i)
    ASSERT_TRUE(client().subscribe({.types = {"t"}}));
  const auto over = client().subscribe({.types = {"t"}});
  EXPECT_EQ(error_of(over), Error::kInvalidRequest);
  EXPECT_TRUE(has(text_of(over), "256 subscriptions")) << text_of(over);
  ASSERT_TRUE(client().unsubscribe(1));
  EXPECT_TRUE(client().subscribe({.types = {"t"}}));
}

TEST_F(Consuming, ShowsTheWholeJob) {
  const JobId id = submit({.type = "t",
                           .queue = "q",
                           .payload = as_bytes("the payload"),
                           .mode = Mode::kPriority,
                           .priority = 12,
                           .delivery = Delivery::kAtMostOnce,
                           .durability = Durability::kOs,
                           .max_attempts = 4,
                           .ordering_key = "customer 7",
                           .traceparent = "00-1-2-01",
                           .metadata = "{}"});
  const auto number = client().subscribe({.queue = "q", .types = {"t"}});
  ASSERT_TRUE(number);
  const DeliveredJob job = take(client());
  EXPECT_EQ(job.id(), id);
  EXPECT_EQ(job.queue(), "q");
  EXPECT_EQ(job.type(), "t");
  EXPECT_EQ(as_text(job.payload()), "the payload");
  EXPECT_EQ(job.mode(), Mode::kPriority);
  EXPECT_EQ(job.priority(), 12u);
  EXPECT_EQ(job.delivery(), Delivery::kAtMostOnce);
  EXPECT_EQ(job.durability(), Durability::kOs);
  EXPECT_EQ(job.ordering_key(), "customer 7");
  EXPECT_EQ(job.subject(), "");
  EXPECT_EQ(job.attempt(), 1u);
  EXPECT_EQ(job.max_attempts(), 4u);
  EXPECT_EQ(job.traceparent(), "00-1-2-01");
  EXPECT_EQ(job.metadata(), "{}");
  EXPECT_EQ(job.owner_uid(), ::getuid());
  EXPECT_EQ(job.subscription(), *number);
  EXPECT_EQ(job.lease_until_ms(), look(id).core.lease_until_ns / kMillisecondNs);
  EXPECT_EQ(client().counters().deliveries, 1u);
}

TEST_F(Consuming, ShowsOnWhoseBehalfAJobCame) {
  const JobId id = submit({.type = "t", .subject = "ann"});
  Client worker = consumer();
  const DeliveredJob job = take(worker);
  EXPECT_EQ(job.subject(), "ann");
  EXPECT_EQ(job.owner_uid(), ::getuid());
  EXPECT_EQ(look(id).subject, "ann");
  EXPECT_EQ(decided(worker, worker.fail(job, "no good", false)), Error::kOk);
  const auto letter = client().dlq_get(id);
  ASSERT_TRUE(letter) << text_of(letter);
  EXPECT_EQ(letter->subject, "ann");
  EXPECT_EQ(look(id).subject, "ann");
}

TEST_F(Consuming, EndsTheWaitWhenNoJobComes) {
  ASSERT_TRUE(client().subscribe({}));
  EXPECT_FALSE(*client().next(Milliseconds(0)));
  EXPECT_FALSE(*client().next(Milliseconds(20)));
}

TEST_F(Consuming, TakesOnlyItsQueueAndTypes) {
  ASSERT_TRUE(client().subscribe({.queue = "q", .types = {"a", "b"}, .credits = 10}));
  submit({.type = "c", .queue = "q"});
  submit({.type = "a"});
  const JobId wanted = submit({.type = "b", .queue = "q"});
  EXPECT_EQ(take(client()).id(), wanted);
  EXPECT_TRUE(nothing_comes(client()));
}

TEST_F(Consuming, HoldsNoMoreThanItsCredits) {
  for (int i = 0; i < 5; ++i) submit({.type = "t"});
  Client two = consumer(2);
  const DeliveredJob first = take(two);
  const DeliveredJob second = take(two);
  EXPECT_TRUE(nothing_comes(two));
  EXPECT_EQ(client().queues("default")->front().active, 2u);
  EXPECT_EQ(decided(two, two.complete(first)), Error::kOk);
  const DeliveredJob third = take(two);
  EXPECT_TRUE(nothing_comes(two));
}

TEST_F(Consuming, CompletesWithAResult) {
  const JobId id = submit({.type = "t"});
  Client worker = consumer();
  const DeliveredJob job = take(worker);
  EXPECT_EQ(state(id), JobState::kAssigned);
  EXPECT_EQ(decided(worker, worker.start(job)), Error::kOk);
  EXPECT_EQ(state(id), JobState::kProcessing);
  EXPECT_EQ(decided(worker, worker.complete(job, as_bytes("42"))), Error::kOk);
  const JobInfo info = look(id);
  EXPECT_EQ(info.core.state, JobState::kCompleted);
  EXPECT_EQ(as_text(info.result), "42");
  EXPECT_EQ(info.core.attempts, 1u);
}

TEST_F(Consuming, FailsAndIsTriedAgainUntilItsAttemptsAreSpent) {
  const JobId id = submit({.type = "t", .max_attempts = 2, .backoff_first_ms = 1});
  Client worker = consumer();
  EXPECT_EQ(decided(worker, worker.fail(take(worker), "first")), Error::kOk);
  const DeliveredJob again = take(worker);
  EXPECT_EQ(again.attempt(), 2u);
  EXPECT_EQ(decided(worker, worker.fail(again, std::string(2'000, 'e'))), Error::kOk);
  const auto letter = client().dlq_get(id);
  ASSERT_TRUE(letter) << text_of(letter);
  ASSERT_EQ(letter->history.size(), 2u);
  EXPECT_EQ(letter->history[0].error, "first");
  EXPECT_EQ(letter->history[1].error, std::string(limits::kNoteBytesMax, 'e')) << "its beginning";
  EXPECT_EQ(letter->core.failures, 2u);
  EXPECT_EQ(letter->core.deaths, 0u);
}

TEST_F(Consuming, AddsJitterToTheBackoffOfJobsThatWantIt) {
  constexpr int64_t kBackoffMs = 1'000'000;
  Client worker = consumer();
  // From the end of the attempt to the earliest start of the next.
  const auto backoff_ms = [&](bool jitter) {
    const JobId id = submit({.type = "t", .backoff_jitter = jitter, .backoff_first_ms = kBackoffMs});
    EXPECT_EQ(decided(worker, worker.fail(take(worker), "once")), Error::kOk);
    const JobInfo info = look(id);
    EXPECT_EQ(info.history.size(), 1u);
    if (info.history.empty()) return int64_t{0};
    return (info.core.start_after_ns - info.history[0].when_ns) / kMillisecondNs;
  };
  EXPECT_EQ(backoff_ms(false), kBackoffMs);
  std::set<int64_t> seen;
  for (int i = 0; i < 10; ++i) {
    seen.insert(backoff_ms(true));
    EXPECT_GE(*seen.begin(), kBackoffMs);
    EXPECT_LE(*seen.rbegin(), 2 * kBackoffMs);
  }
  EXPECT_GT(seen.size(), 5u) << "that is no jitter";
}

TEST_F(Consuming, GivesAJobBackWithoutSpendingTheAttempt) {
  const JobId id = submit({.type = "t"});
  Client worker = consumer();
  EXPECT_EQ(decided(worker, worker.release(take(worker))), Error::kOk);
  const DeliveredJob again = take(worker);
  EXPECT_EQ(again.id(), id);
  EXPECT_EQ(again.attempt(), 1u);
}

TEST_F(Consuming, ExtendsTheLeaseAndTellsItsProgress) {
  const JobId id = submit({.type = "t"});
  Client worker = consumer();
  const DeliveredJob job = take(worker);
  EXPECT_EQ(decided(worker, worker.extend(job, {.extend_ms = 3'600'000, .progress = 30, .note = "third"})),
            Error::kOk);
  const JobInfo info = look(id);
  EXPECT_EQ(info.core.progress, 30u);
  EXPECT_EQ(info.note, "third");
  EXPECT_GT(info.core.lease_until_ns / kMillisecondNs, job.lease_until_ms() + 3'000'000);
  EXPECT_EQ(error_of(worker.extend(job, {.progress = 101})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(worker.extend(job, {.note = std::string(1'025, 'n')})), Error::kPayloadTooLarge);
  const Bytes result(64 * 1024 + 1);
  EXPECT_EQ(error_of(worker.complete(job, result)), Error::kPayloadTooLarge);
  EXPECT_EQ(decided(worker, worker.complete(job, ByteView(result).first(64 * 1024))), Error::kOk)
      << "what was refused here has settled nothing";
}

TEST_F(Consuming, LosesTheLeaseWhenItsTimeIsOver) {
  const JobId id = submit({.type = "t", .processing_timeout_ms = 30, .backoff_first_ms = 3'600'000});
  Client worker = consumer();
  const DeliveredJob job = take(worker);
  EXPECT_TRUE(eventually([&] { return look(id).core.deaths == 1; }));
  EXPECT_EQ(decided(worker, worker.complete(job)), Error::kLeaseLost);
  EXPECT_EQ(state(id), JobState::kPending);
}

TEST_F(Consuming, IsToldToStopWhenTheLeaseOfItsJobIsOver) {
  submit({.type = "t", .processing_timeout_ms = 30, .backoff_first_ms = 3'600'000});
  submit({.type = "t"});
  Client worker = consumer(2);
  const DeliveredJob job = take(worker);
  const DeliveredJob other = take(worker);
  EXPECT_TRUE(eventually([&] { return worker.cancel_requested(job); }));
  EXPECT_EQ(decided(worker, worker.complete(job)), Error::kLeaseLost);
  EXPECT_TRUE(worker.cancel_requested(job)) << "it stays said";
  EXPECT_FALSE(worker.cancel_requested(other));
  EXPECT_EQ(decided(worker, worker.complete(other)), Error::kOk);
}

TEST_F(Consuming, CountsARefusedSettlementThatNobodyAsksFor) {
  submit({.type = "t"});
  Client worker = consumer();
  const DeliveredJob job = take(worker);
  ASSERT_TRUE(worker.complete(job));
  ASSERT_TRUE(worker.complete(job));
  const auto report = worker.flush(kPatience);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->refused, 1u);
  EXPECT_EQ(report->first, Error::kLeaseLost);
  EXPECT_EQ(worker.counters().settlements_refused, 1u);
}

TEST_F(Consuming, CountsNoRefusedCommand) {
  const JobId id = submit({.type = "t"});
  EXPECT_EQ(error_of(client().redrive(id)), Error::kInvalidStatus);
  ASSERT_TRUE(client().cancel(id));
  EXPECT_EQ(error_of(client().cancel(id)), Error::kInvalidStatus) << "its caller knows";
  EXPECT_EQ(client().flush(kPatience)->refused, 0u);
  EXPECT_EQ(client().counters().settlements_refused, 0u);
  EXPECT_EQ(client().counters().submits_refused, 0u);
}

TEST_F(Consuming, KeepsJobsInHandWhenItUnsubscribes) {
  for (int i = 0; i < 2; ++i) submit({.type = "t"});
  const auto number = client().subscribe({});
  ASSERT_TRUE(number);
  const DeliveredJob job = take(client());
  ASSERT_TRUE(client().unsubscribe(*number));
  EXPECT_EQ(decided(client(), client().complete(job)), Error::kOk);
  EXPECT_TRUE(nothing_comes(client()));
  EXPECT_EQ(*client().subscribe({.credits = 3}), *number) << "the number is free again";
  take(client());
}

TEST_F(Consuming, SharesTheWorkAmongSubscriptionsOfSeveralQueues) {
  const auto first = client().subscribe({.queue = "one"});
  const auto second = client().subscribe({.queue = "two"});
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  submit({.type = "t", .queue = "two"});
  EXPECT_EQ(take(client()).subscription(), *second);
  submit({.type = "t", .queue = "one"});
  EXPECT_EQ(take(client()).subscription(), *first);
}

TEST_F(Consuming, GivesBackAtItsEndWhatNobodyHasTaken) {
  std::vector<JobId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(submit({.type = "t"}));
  {
    Client leaving = consumer(3);
    const DeliveredJob in_hand = take(leaving);
    EXPECT_EQ(in_hand.id(), ids[0]);
    EXPECT_TRUE(eventually([&] { return state(ids[2]) == JobState::kAssigned; }));
  }
  EXPECT_TRUE(becomes(ids[1], JobState::kPending));
  EXPECT_TRUE(becomes(ids[2], JobState::kPending));
  EXPECT_EQ(look(ids[1]).core.deaths, 0u);
  EXPECT_EQ(look(ids[1]).core.attempts, 0u) << "not spent";
  EXPECT_TRUE(eventually([&] { return look(ids[0]).core.deaths == 1; })) << "a job in hand dies with it";
}

// The daemon is behind, and reads on only when the client has begun to end.
TEST_F(Consuming, GivesBackAtItsEndWhenItsLaneIsFull) {
  std::vector<JobId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(submit({.type = "t"}));
  std::optional<Client> leaving(connect({.sizes = kSmallControlLane, .submit_timeout_ms = 0}));
  ASSERT_TRUE(leaving->subscribe({.credits = 3}));
  const DeliveredJob in_hand = take(*leaving);
  ASSERT_TRUE(eventually([&] { return state(ids[2]) == JobState::kAssigned; }));
  ASSERT_TRUE(daemon_.freeze_engine());
  // Records of 1 KiB, so that there is room for nothing else.
  const std::string note(1'024 - sizeof(SettleHead), 'n');
  Result<Ticket> sent;
  do sent = leaving->extend(in_hand, {.note = note});
  while (sent);
  EXPECT_EQ(error_of(sent), Error::kQueueFull) << text_of(sent);
  std::atomic<bool> ending = false;
  std::thread end([&] {
    ending = true;
    leaving.reset();
  });
  EXPECT_TRUE(eventually([&] { return ending.load(); }));
  daemon_.thaw_engine();
  end.join();
  for (const JobId& id : {ids[1], ids[2]}) {
    EXPECT_TRUE(becomes(id, JobState::kPending));
    EXPECT_EQ(look(id).core.deaths, 0u);
    EXPECT_EQ(look(id).core.attempts, 0u) << "not spent";
  }
}

TEST_F(ConsumingMany, GivesBackAtItsEndMoreThanItsLaneHolds) {
  constexpr uint32_t kMore = kRingBytesMin / sizeof(SettleHead) + 200;
  std::vector<SubmitRequest> requests(kMore, {.type = "t"});
  const auto tickets = client().submit_many(requests);
  ASSERT_TRUE(tickets && client().flush(kPatience)->refused == 0) << text_of(tickets);
  {
    Client leaving = connect({.sizes = kSmallControlLane});
    ASSERT_TRUE(leaving.subscribe({.credits = kMore}));
    ASSERT_TRUE(eventually([&] { return client().queues("default")->front().active == kMore; }));
  }
  EXPECT_TRUE(eventually([&] { return client().queues("default")->front().ready == kMore; }));
  for (const Ticket& ticket : *tickets) {
    const JobInfo job = look(ticket.id);
    ASSERT_EQ(job.core.deaths, 0u);
    ASSERT_EQ(job.core.attempts, 0u) << "not spent";
  }
}

TEST_F(Consuming, GivesBackAtItsEndWhatNobodyHasTakenAfterItUnsubscribed) {
  std::vector<JobId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(submit({.type = "t"}));
  {
    Client leaving = connect();
    const auto number = leaving.subscribe({.credits = 3});
    ASSERT_TRUE(number);
    const DeliveredJob in_hand = take(leaving);
    EXPECT_TRUE(eventually([&] { return state(ids[2]) == JobState::kAssigned; }));
    ASSERT_TRUE(leaving.unsubscribe(*number));
    EXPECT_EQ(decided(leaving, leaving.complete(in_hand)), Error::kOk);
  }
  for (const JobId& id : {ids[1], ids[2]}) {
    EXPECT_TRUE(becomes(id, JobState::kPending));
    EXPECT_EQ(look(id).core.deaths, 0u);
    EXPECT_EQ(look(id).core.attempts, 0u) << "not spent";
  }
}

TEST_F(Consuming, EndsJobsThatMayRunOnceInPlaceOfGivingThemBack) {
  const JobId released = submit({.type = "t", .delivery = Delivery::kAtMostOnce});
  const JobId untaken = submit({.type = "t", .delivery = Delivery::kAtMostOnce});
  {
    Client leaving = consumer(2);
    EXPECT_EQ(decided(leaving, leaving.release(take(leaving))), Error::kOk);
    EXPECT_TRUE(eventually([&] { return state(untaken) == JobState::kAssigned; }));
  }
  for (const JobId& id : {released, untaken}) {
    EXPECT_TRUE(becomes(id, JobState::kFailed));
    EXPECT_EQ(look(id).core.reason, Reason::kDeliveryLost);
  }
}

TEST_F(Consuming, GivesBackWhatWasOnItsWayWhenItEnded) {
  for (int i = 0; i < 20; ++i) {
    std::optional<Client> leaving(consumer());
    const JobId id = client().submit({.type = "t"})->id;
    // Decided, but not published before it is in the store.
    ASSERT_TRUE(eventually([&] {
      const auto info = client().get(id);
      return info && info->core.state == JobState::kAssigned;
    }));
    leaving.reset();
    EXPECT_TRUE(becomes(id, JobState::kPending));
    EXPECT_EQ(look(id).core.deaths, 0u);
    EXPECT_EQ(look(id).core.attempts, 0u);
    ASSERT_TRUE(client().cancel(id));
  }
}

TEST_F(Consuming, LeavesAJobReadableAfterTheClientIsGone) {
  submit({.type = "t", .payload = as_bytes("still here")});
  std::optional<Client> leaving(consumer());
  const DeliveredJob job = take(*leaving);
  leaving.reset();
  EXPECT_EQ(as_text(job.payload()), "still here");
  EXPECT_EQ(job.type(), "t");
  EXPECT_FALSE(client().cancel_requested(job));
  EXPECT_EQ(decided(client(), client().complete(job)), Error::kLeaseLost) << "it was another session's";
}

TEST_F(Consuming, TakesManyThroughASmallRing) {
  SegmentSizes sizes;
  sizes.receipt_slots = 64;
  Client worker = connect({.sizes = sizes});
  ASSERT_TRUE(worker.subscribe({.queue = "many", .credits = 500}));
  const Bytes payload(20'000, std::byte{1});
  for (int i = 0; i < 400; ++i)
    ASSERT_TRUE(client().submit({.type = "t", .queue = "many", .payload = payload}));
  for (int i = 0; i < 400; ++i) {
    const DeliveredJob job = take(worker);
    ASSERT_EQ(job.payload().size(), payload.size());
    ASSERT_TRUE(worker.complete(job));
  }
  EXPECT_EQ(worker.flush(kPatience)->refused, 0u);
  EXPECT_EQ(client().health()->completed_recent, 400u);
}

}  // namespace
}  // namespace pqd::test
