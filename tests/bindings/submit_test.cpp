// Submitting one job: what is refused, what is known when, and what became of it.
#include <set>

#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

class Submitting : public WithClient {
 protected:
  Error refusal(const SubmitRequest& request) { return error_of(client().submit(request)); }
};

TEST_F(Submitting, RefusesEachFieldOutOfItsRangeWithTheFieldsError) {
  const std::string long_name(65, 'n'), long_key(129, 'k'), long_trace(65, 't'), metadata(4'097, ' ');
  const Bytes large(256 * 1024 + 1);
  EXPECT_EQ(refusal({}), Error::kInvalidRequest) << "no type";
  EXPECT_EQ(refusal({.type = "a b"}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = long_name}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .queue = ""}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .queue = "q/1"}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .queue = long_name}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .payload = large}), Error::kPayloadTooLarge);
  EXPECT_EQ(refusal({.type = "t", .mode = static_cast<Mode>(3)}), Error::kInvalidMode);
  EXPECT_EQ(refusal({.type = "t", .priority = 0}), Error::kInvalidPriority);
  EXPECT_EQ(refusal({.type = "t", .priority = 21}), Error::kInvalidPriority);
  EXPECT_EQ(refusal({.type = "t", .delivery = static_cast<Delivery>(2)}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .durability = static_cast<Durability>(3)}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .not_before_ms = -1}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .not_before_ms = INT64_MAX}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .idempotency_key = long_key}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .ordering_key = long_key}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .subject = long_key}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .traceparent = long_trace}), Error::kInvalidRequest);
  EXPECT_EQ(refusal({.type = "t", .metadata = metadata}), Error::kPayloadTooLarge);
  EXPECT_EQ(client().counters().submitted, 0u);
  ASSERT_TRUE(client().flush(kPatience));
  EXPECT_TRUE(client().list({})->empty());
}

TEST_F(Submitting, KnowsTheIdBeforeTheDaemonHasSeenTheJob) {
  ASSERT_TRUE(daemon_.freeze_engine());
  const auto ticket = client().submit({.type = "t"});
  ASSERT_TRUE(ticket);
  EXPECT_TRUE(ticket->id.well_formed());
  const auto early = client().poll(*ticket);
  ASSERT_TRUE(early);
  EXPECT_FALSE(*early) << "decided by nobody";
  EXPECT_EQ(error_of(client().wait(*ticket, Milliseconds(20))), Error::kRequestTimeout);
  daemon_.thaw_engine();
  const auto outcome = client().wait(*ticket, kPatience);
  ASSERT_TRUE(outcome) << text_of(outcome);
  EXPECT_EQ(outcome->id, ticket->id);
  EXPECT_FALSE(outcome->duplicate);
  EXPECT_EQ(look(ticket->id).type, "t");
}

TEST_F(Submitting, DecidesEachDurabilityAndEveryLane) {
  for (const Durability durability : {Durability::kFsync, Durability::kOs}) {
    for (const uint8_t priority : {kPriorityLow, kPriorityNormal, kPriorityHigh, kPriorityCritical}) {
      const JobId id =
          submit({.type = "t", .mode = Mode::kPriority, .priority = priority, .durability = durability});
      const JobCore core = look(id).core;
      EXPECT_EQ(core.priority, priority);
      EXPECT_EQ(core.durability, durability);
    }
  }
}

TEST_F(Submitting, MakesIdsThatAreNeverTheSame) {
  std::set<JobId> ids;
  Client other = connect();
  for (int i = 0; i < 500; ++i) {
    const auto priority = static_cast<uint8_t>(1 + i % 20);
    ids.insert(client().submit({.type = "t", .mode = Mode::kPriority, .priority = priority}).value().id);
    ids.insert(other.submit({.type = "t"}).value().id);
  }
  EXPECT_EQ(ids.size(), 1'000u);
  ASSERT_TRUE(client().flush(kPatience));
  ASSERT_TRUE(other.flush(kPatience));
  EXPECT_EQ(client().list({.limit = 1'000})->size(), 1'000u);
}

TEST_F(Submitting, TellsByPollingToo) {
  const auto ticket = client().submit({.type = "t"});
  ASSERT_TRUE(ticket);
  EXPECT_TRUE(eventually([&] {
    const auto decided = client().poll(*ticket);
    return decided && *decided && (*decided)->id == ticket->id;
  }));
}

TEST_F(Submitting, KeepsWhatWasGiven) {
  const SubmitRequest request{.type = "t:1",
                              .queue = "q.2",
                              .payload = as_bytes("some bytes"),
                              .mode = Mode::kPriority,
                              .priority = 17,
                              .durability = Durability::kOs,
                              .max_attempts = 9,
                              .queue_timeout_ms = 0,
                              .processing_timeout_ms = 70'000,
                              .backoff_first_ms = 5,
                              .backoff_cap_ms = 50,
                              .traceparent = "00-aa-bb-01",
                              .metadata = "{\"a\":1}"};
  const JobInfo info = look(submit(request));
  EXPECT_EQ(info.type, "t:1");
  EXPECT_EQ(info.queue, "q.2");
  EXPECT_EQ(info.metadata, "{\"a\":1}");
  EXPECT_EQ(info.core.payload_bytes, 10u);
  EXPECT_EQ(info.core.mode, Mode::kPriority);
  EXPECT_EQ(info.core.max_attempts, 9u);
  EXPECT_EQ(info.core.queue_timeout_ms, 0u);
  EXPECT_EQ(info.core.processing_timeout_ms, 70'000u);
  EXPECT_EQ(info.core.backoff_first_ms, 5u);
  EXPECT_EQ(info.core.backoff_cap_ms, 50u);
  EXPECT_EQ(info.core.owner_uid, ::getuid());
}

TEST_F(Submitting, IsFifoAtLeastOnceFsyncAndNormalUnlessItSaysOtherwise) {
  const JobInfo info = look(submit({.type = "t"}));
  EXPECT_EQ(info.queue, "default");
  EXPECT_EQ(info.core.mode, Mode::kFifo);
  EXPECT_EQ(info.core.priority, kPriorityNormal);
  EXPECT_EQ(info.core.delivery, Delivery::kAtLeastOnce);
  EXPECT_EQ(info.core.durability, Durability::kFsync);
  EXPECT_EQ(info.core.max_attempts, 3u);
  EXPECT_EQ(info.core.queue_timeout_ms, 30'000u);
  EXPECT_EQ(info.core.processing_timeout_ms, 60'000u);
  EXPECT_EQ(info.core.backoff_first_ms, 1'000u);
  EXPECT_EQ(info.core.backoff_cap_ms, 3'600'000u);
  EXPECT_FALSE(info.core.backoff_jitter);
  EXPECT_EQ(info.core.start_after_ns, 0) << "now";
  EXPECT_EQ(info.subject, "");
}

TEST_F(Submitting, RefusesATicketThatIsNotItsOwn) {
  EXPECT_EQ(error_of(client().wait({}, kPatience)), Error::kInvalidRequest);
  Ticket foreign{.sequence = 7, .generation = 1, .lane = 1};
  EXPECT_EQ(error_of(client().wait(foreign, kPatience)), Error::kInvalidRequest);
  foreign.generation = 3;
  EXPECT_EQ(error_of(client().poll(foreign)), Error::kInvalidRequest);
  foreign = {.sequence = 1, .generation = 1, .lane = 77};
  EXPECT_EQ(error_of(client().poll(foreign)), Error::kInvalidRequest);
}

class IntoAFullQueue : public WithClient {
 protected:
  IntoAFullQueue()
      : WithClient(
            "[queue.none]\nmax_depth = 2\nadmission_timeout = 0\n"
            "[queue.short]\nmax_depth = 1\nadmission_timeout = \"100ms\"\n"
            "[queue.long]\nmax_depth = 1\nadmission_timeout = \"1h\"\n") {}
};

TEST_F(IntoAFullQueue, IsRefusedAtOnceAndSaysWhenToComeBack) {
  submit({.type = "t", .queue = "none"});
  submit({.type = "t", .queue = "none"});
  const auto ticket = client().submit({.type = "t", .queue = "none"});
  const auto outcome = client().wait(*ticket, kPatience);
  EXPECT_EQ(error_of(outcome), Error::kQueueFull);
  EXPECT_GT(outcome.error().retry_after_ms, 0u);
  EXPECT_EQ(client().counters().submits_refused, 1u);
}

TEST_F(IntoAFullQueue, StaysRefusedHoweverOftenItIsAsked) {
  submit({.type = "t", .queue = "none"});
  submit({.type = "t", .queue = "none"});
  const auto ticket = client().submit({.type = "t", .queue = "none"});
  EXPECT_EQ(error_of(client().wait(*ticket, kPatience)), Error::kQueueFull);
  EXPECT_EQ(error_of(client().wait(*ticket, kPatience)), Error::kQueueFull);
  EXPECT_EQ(error_of(client().poll(*ticket)), Error::kQueueFull);
}

TEST_F(IntoAFullQueue, IsCountedByTheNextFlushOnly) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client().submit({.type = "t", .queue = "none"}));
  const auto report = client().flush(kPatience);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->refused, 3u);
  EXPECT_EQ(report->first, Error::kQueueFull);
  EXPECT_EQ(client().flush(kPatience)->refused, 0u);
}

TEST_F(IntoAFullQueue, WaitsForRoomAndIsRefusedWhenNoneComes) {
  submit({.type = "t", .queue = "short"});
  const auto ticket = client().submit({.type = "t", .queue = "short"});
  EXPECT_EQ(error_of(client().wait(*ticket, kPatience)), Error::kQueueFull);
  EXPECT_EQ(error_of(client().get(ticket->id)), Error::kNotFound);
}

TEST_F(IntoAFullQueue, WaitsForRoomAndIsAcceptedWhenItComes) {
  const JobId first = submit({.type = "t", .queue = "long"});
  const auto second = client().submit({.type = "t", .queue = "long"});
  EXPECT_EQ(error_of(client().wait(*second, kNotAtAll)), Error::kRequestTimeout);
  EXPECT_EQ(error_of(client().flush(kNotAtAll)), Error::kRequestTimeout) << "it is not decided";
  ASSERT_TRUE(client().cancel(first));
  EXPECT_TRUE(client().wait(*second, kPatience));
  EXPECT_EQ(state(second->id), JobState::kPending);
}

}  // namespace
}  // namespace pqd::test
