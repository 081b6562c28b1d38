// Batches as a consumer sees them: whole, one job of it after the other, and over the daemon's deaths.
#include <poll.h>

#include <map>
#include <set>

#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

class NextBatch : public WithClient {
 protected:
  static constexpr size_t kLargeBytes = 200'000;
  static constexpr size_t kLargeJobs = 20;

  NextBatch()
      : WithClient(
            "[queues.defaults]\nbackoff = \"1h\"\nbackoff_cap = \"1h\"\nmax_active = 0\n"
            "[queue.three]\nbatch_size = 3\nbatch_interval = \"1h\"\n"
            "[queue.soon]\nbatch_size = 100\nbatch_interval = \"30ms\"\n"
            "[queue.large]\nbatch_size = 20\nbatch_interval = \"1h\"\n") {}

  // In one call, so that they are in one batch when there are enough.
  std::vector<JobId> submit_batch(std::string_view queue, size_t count, SubmitRequest request = {}) {
    request.type = "t";
    request.queue = queue;
    request.mode = Mode::kBatch;
    const std::vector<SubmitRequest> requests(count, request);
    const auto tickets = client().submit_many(requests);
    EXPECT_EQ(error_of(tickets), Error::kOk) << text_of(tickets);
    if (!tickets) return {};
    std::vector<JobId> ids;
    for (const Ticket& ticket : *tickets) ids.push_back(ticket.id);
    EXPECT_EQ(error_of(client().wait(tickets->back(), kPatience)), Error::kOk);
    return ids;
  }
  Client consumer(std::string_view queue, uint32_t credits = 1, const ConnectOptions& options = {}) {
    Client made = connect(options);
    EXPECT_TRUE(made.subscribe({.queue = queue, .credits = credits}));
    return made;
  }
  static std::vector<DeliveredJob> take_batch(Client& from, Milliseconds timeout = kPatience) {
    auto batch = from.next_batch(timeout);
    EXPECT_EQ(error_of(batch), Error::kOk) << text_of(batch);
    return batch ? std::move(*batch) : std::vector<DeliveredJob>();
  }
  static std::vector<JobId> ids_of(const std::vector<DeliveredJob>& jobs) {
    std::vector<JobId> ids;
    for (const DeliveredJob& job : jobs) ids.push_back(job.id());
    return ids;
  }
  static void complete_all(Client& by, const std::vector<DeliveredJob>& jobs) {
    for (const DeliveredJob& job : jobs) ASSERT_EQ(decided(by, by.complete(job)), Error::kOk);
  }

  // A consumer whose ring (1 MiB) cannot hold the large batch that was assigned to it, so that part of it is
  // with the engine still.
  Client half_delivered(std::vector<JobId>& ids, const SubmitRequest& request = {}) {
    Client made = consumer("large");
    const Bytes payload(kLargeBytes, std::byte{'x'});
    SubmitRequest large = request;
    large.payload = payload;
    for (size_t i = 0; i < kLargeJobs; ++i) ids.push_back(submit_batch("large", 1, large).front());
    EXPECT_TRUE(eventually([&] {
      const auto info = client().get(ids.back());
      return info && info->core.attempts + info->core.deaths > 0;
    }));
    return made;
  }
  // The lease of the last of them is over, and the store knows: what is decided may be lost with its engine.
  bool lost_durably(const JobId& id) {
    const bool lost = eventually([&] { return look(id).core.deaths == 1; });
    submit({.type = "behind"});
    return lost;
  }
};

TEST_F(NextBatch, ComesWholeWhenItsSizeIsReached) {
  Client worker = consumer("three");
  auto ids = submit_batch("three", 2);
  EXPECT_TRUE(take_batch(worker, kNotAtAll).empty());
  ids.push_back(submit_batch("three", 1).front());
  const auto batch = take_batch(worker);
  EXPECT_EQ(ids_of(batch), ids);
  EXPECT_EQ(batch[0].mode(), Mode::kBatch);
  EXPECT_NE(batch[0].batch(), 0u);
  EXPECT_EQ(batch[0].batch(), batch[2].batch());
  EXPECT_EQ(worker.counters().deliveries, 3u);
}

TEST_F(NextBatch, ComesWithWhatThereIsWhenItsIntervalIsOver) {
  Client worker = consumer("soon");
  const auto ids = submit_batch("soon", 7);
  EXPECT_EQ(ids_of(take_batch(worker)), ids);
}

TEST_F(NextBatch, IsOneJobWhenThatIsOfAnotherMode) {
  Client worker = consumer("three", 3);
  const JobId fifo = submit({.type = "t", .queue = "three"});
  const JobId urgent = submit({.type = "t", .queue = "three", .mode = Mode::kPriority, .priority = 20});
  for (const JobId& id : {fifo, urgent}) {
    const auto batch = take_batch(worker);
    ASSERT_EQ(ids_of(batch), std::vector{id});
    EXPECT_EQ(batch[0].batch(), 0u);
  }
}

TEST_F(NextBatch, HoldsItsCreditUntilItsLastJobIsSettled) {
  Client worker = consumer("three");
  const auto first = submit_batch("three", 3);
  const auto second = submit_batch("three", 3);
  const auto batch = take_batch(worker);
  ASSERT_EQ(ids_of(batch), first);
  EXPECT_EQ(decided(worker, worker.complete(batch[0], as_bytes("r"))), Error::kOk);
  EXPECT_EQ(decided(worker, worker.fail(batch[2], "broke", false)), Error::kOk);
  EXPECT_TRUE(take_batch(worker, kNotAtAll).empty());
  EXPECT_EQ(decided(worker, worker.release(batch[1])), Error::kOk);
  EXPECT_EQ(ids_of(take_batch(worker)), second);
  EXPECT_EQ(state(first[0]), JobState::kCompleted);
  EXPECT_EQ(state(first[1]), JobState::kPending);
  EXPECT_EQ(state(first[2]), JobState::kFailed);
}

TEST_F(NextBatch, LeavesOutWhatWasTakenAlone) {
  Client worker = consumer("three", 2);
  const auto first = submit_batch("three", 3);
  const auto second = submit_batch("three", 3);
  const DeliveredJob alone = take(worker);
  EXPECT_EQ(alone.id(), first[0]);
  EXPECT_EQ(ids_of(take_batch(worker)), (std::vector{first[1], first[2]}));
  for (const JobId& id : second) EXPECT_EQ(take(worker).id(), id);
  EXPECT_TRUE(take_batch(worker, Milliseconds(0)).empty());
}

TEST_F(NextBatch, IsPutTogetherThroughARingThatCannotHoldIt) {
  std::vector<JobId> ids;
  Client worker = half_delivered(ids);
  const auto batch = take_batch(worker);
  EXPECT_EQ(ids_of(batch), ids);
  for (const DeliveredJob& job : batch) EXPECT_EQ(job.payload().size(), kLargeBytes);
  complete_all(worker, batch);
}

TEST_F(NextBatch, LetsAnEventLoopSleepWhileItIsNotWhole) {
  std::vector<JobId> ids;
  Client worker = half_delivered(ids);
  ASSERT_GE(worker.fd(), 0);
  ASSERT_TRUE(daemon_.freeze_engine());
  EXPECT_TRUE(take_batch(worker, Milliseconds(0)).empty());
  ASSERT_TRUE(eventually([&] { return worker.arm(); })) << "or it would spin";
  EXPECT_TRUE(worker.process());
  daemon_.thaw_engine();
  std::vector<DeliveredJob> batch;
  ASSERT_TRUE(eventually([&] {
    batch = take_batch(worker, Milliseconds(0));
    if (!batch.empty() || !worker.arm()) return !batch.empty();
    pollfd wanted{worker.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&wanted, 1, static_cast<int>(kPatience.count())), 1) << "slept through";
    return !worker.process();
  }));
  EXPECT_EQ(ids_of(batch), ids);
}

TEST_F(NextBatch, IsNothingToSleepThroughForWhoTakesJobByJob) {
  std::vector<JobId> ids;
  Client worker = half_delivered(ids);
  ASSERT_TRUE(daemon_.freeze_engine());
  EXPECT_TRUE(take_batch(worker, Milliseconds(0)).empty());
  EXPECT_EQ(take(worker).id(), ids[0]);
  EXPECT_FALSE(worker.arm()) << "there is more for next()";
  EXPECT_EQ(take(worker).id(), ids[1]);
}

TEST_F(NextBatch, IsWholeOverTheDeathOfTheEngineThatDeliveredIt) {
  std::vector<JobId> ids;
  Client worker = half_delivered(ids);
  ASSERT_TRUE(daemon_.freeze_engine());
  EXPECT_TRUE(take_batch(worker, Milliseconds(0)).empty()) << "some of it";
  daemon_.kill_engine();
  const auto batch = take_batch(worker);
  EXPECT_EQ(ids_of(batch), ids);
  complete_all(worker, batch);
  EXPECT_TRUE(take_batch(worker, kNotAtAll).empty());
}

TEST_F(NextBatch, IsWholeOverARestartOfTheDaemon) {
  std::vector<JobId> ids;
  Client worker = half_delivered(ids);
  ASSERT_TRUE(daemon_.freeze_engine());
  EXPECT_TRUE(take_batch(worker, Milliseconds(0)).empty()) << "some of it";
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  const auto batch = take_batch(worker);
  EXPECT_EQ(ids_of(batch), ids);
  EXPECT_EQ(worker.counters().reconnects, 1u);
  complete_all(worker, batch);
}

TEST_F(NextBatch, IsWhatCameOfItWhenTheNextEngineHasNothingMore) {
  std::vector<JobId> ids;
  Client worker = half_delivered(ids, {.processing_timeout_ms = 100});
  // Nobody can tell of these jobs any more that they belong to it: their leases are over.
  ASSERT_TRUE(lost_durably(ids.back()));
  daemon_.kill_engine();
  const auto batch = take_batch(worker);
  ASSERT_FALSE(batch.empty());
  EXPECT_LT(batch.size(), ids.size());
  EXPECT_EQ(batch.front().id(), ids.front());
  EXPECT_EQ(decided(worker, worker.complete(batch.front())), Error::kLeaseLost);
}

TEST_F(NextBatch, IsWhatCameOfItWhenTheNextSessionHasNothingMore) {
  std::vector<JobId> ids;
  Client worker = half_delivered(ids, {.processing_timeout_ms = 100});
  ASSERT_TRUE(lost_durably(ids.back()));
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  const auto batch = take_batch(worker);
  ASSERT_FALSE(batch.empty());
  EXPECT_LT(batch.size(), ids.size());
}

TEST_F(NextBatch, ComesAgainWithoutWhatWasSettledWhenItsConsumerDied) {
  const auto ids = submit_batch("three", 3, {.backoff_first_ms = 1});
  std::optional<Client> dying(consumer("three"));
  auto batch = take_batch(*dying);
  ASSERT_EQ(ids_of(batch), ids);
  EXPECT_EQ(decided(*dying, dying->complete(batch[1])), Error::kOk);
  dying.reset();
  const JobId more = submit_batch("three", 1).front();
  Client next = consumer("three");
  batch = take_batch(next);
  ASSERT_EQ(batch.size(), 3u);
  std::map<JobId, uint32_t> attempts;
  for (const DeliveredJob& job : batch) attempts[job.id()] = job.attempt();
  EXPECT_EQ(attempts, (std::map<JobId, uint32_t>{{ids[0], 2}, {ids[2], 2}, {more, 1}}));
  complete_all(next, batch);
}

TEST_F(NextBatch, GoesBackWholeWhenNobodyHasTakenIt) {
  const auto ids = submit_batch("three", 3);
  {
    Client leaving = consumer("three");
    EXPECT_TRUE(becomes(ids[2], JobState::kAssigned));
  }
  for (const JobId& id : ids) {
    EXPECT_TRUE(becomes(id, JobState::kPending));
    EXPECT_EQ(look(id).core.attempts, 0u) << "not spent";
  }
  Client next = consumer("three");
  EXPECT_EQ(take_batch(next).size(), 3u);
}

TEST_F(NextBatch, SaysThatTheDaemonIsAwayForTooLong) {
  Client worker = consumer("three", 1, {.reconnect_timeout_ms = 50});
  daemon_.kill();
  EXPECT_EQ(error_of(worker.next_batch(kPatience)), Error::kUnavailable);
  ASSERT_TRUE(daemon_.start());
}

}  // namespace
}  // namespace pqd::test
