// Sessions: resuming, coming back late, credits and turns among consumers.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct Sessions : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();

  bool resume(SessionNo from, SessionNo to, const ShortHash& proof, uint64_t seen = 0) {
    bool resumed = false;
    d.turn([&](CommitBuilder&) { resumed = d.broker.resume_session(from, to, proof, seen); });
    return resumed;
  }
};

TEST_F(Sessions, ResumedOneTakesItsLeasesAlong) {
  d.subscribe(consumer, 3);
  for (int i = 0; i < 3; ++i) d.submit(producer);
  const std::vector<Delivered> first = d.take(consumer);
  ASSERT_EQ(first.size(), 3u);
  const SessionNo next = d.open();
  EXPECT_TRUE(resume(consumer, next, Driver::secret_of(consumer), first[0].number));
  EXPECT_EQ(d.state.tables.session(consumer), nullptr);
  const std::vector<Delivered> again = d.take(next);
  ASSERT_EQ(again.size(), 2u) << "what it had not seen is delivered again";
  for (size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].id, first[i + 1].id);
    EXPECT_EQ(again[i].token, first[i + 1].token) << "the lease goes on";
    EXPECT_EQ(again[i].number, i + 1) << "numbered anew";
    EXPECT_EQ(again[i].attempt, 1);
  }
  for (const Delivered& job : first) EXPECT_EQ(d.complete(next, job), Error::kOk);
}

TEST_F(Sessions, ResumedConsumersJobsCountTowardsItsNewCredits) {
  d.subscribe(consumer, 2);
  for (int i = 0; i < 4; ++i) d.submit(producer);
  const std::vector<Delivered> held = d.take(consumer);
  ASSERT_EQ(held.size(), 2u);
  const SessionNo next = d.open();
  ASSERT_TRUE(resume(consumer, next, Driver::secret_of(consumer), 2));
  d.subscribe(next, 2);
  EXPECT_TRUE(d.take(next).empty()) << "it holds two already";
  d.complete(next, held[0]);
  EXPECT_EQ(d.take(next).size(), 1u);
}

TEST_F(Sessions, WrongSecretForeignUserAndUnknownSessionDoNotResume) {
  d.subscribe(consumer);
  const JobId id = d.submit(producer);
  const Delivered job = d.take_one(consumer);
  const SessionNo next = d.open();
  const SessionNo foreign = d.open(2000);
  EXPECT_FALSE(resume(consumer, next, Driver::secret_of(producer)));
  EXPECT_FALSE(resume(consumer, foreign, Driver::secret_of(consumer)));
  EXPECT_FALSE(resume(999, next, Driver::secret_of(999)));
  EXPECT_TRUE(d.take(next).empty());
  EXPECT_EQ(d.core(id).holder, consumer);
  EXPECT_EQ(d.complete(consumer, job), Error::kOk);
}

TEST_F(Sessions, WhatNobodyReclaimsInTimeCountsAsADeath) {
  d.subscribe(consumer);
  const JobId id = d.submit(producer);
  d.take_one(consumer);
  d.turn([&](CommitBuilder&) { d.broker.expect_return(consumer, d.now_ns + 5 * kSecondNs); });
  EXPECT_LE(*d.broker.next_timer_ns(), d.now_ns + 5 * kSecondNs);
  d.advance_ms(4'999);
  EXPECT_EQ(d.core(id).state, JobState::kAssigned);
  d.advance_ms(1);
  EXPECT_EQ(d.core(id).state, JobState::kPending);
  EXPECT_EQ(d.core(id).deaths, 1);
  EXPECT_EQ(d.state.tables.session(consumer), nullptr);
}

TEST_F(Sessions, OneThatComesBackInTimeKeepsItsJobs) {
  d.subscribe(consumer);
  const JobId id = d.submit(producer);
  const Delivered job = d.take_one(consumer);
  d.turn([&](CommitBuilder&) { d.broker.expect_return(consumer, d.now_ns + 5 * kSecondNs); });
  d.advance_ms(4'000);
  const SessionNo next = d.open();
  EXPECT_TRUE(resume(consumer, next, Driver::secret_of(consumer), job.number));
  d.advance_ms(10'000);
  EXPECT_EQ(d.complete(next, job), Error::kOk);
  EXPECT_EQ(d.core(id).state, JobState::kCompleted);
}

// The daemon died after it had written the takeover and before the client heard of it.
TEST_F(Sessions, OneThatNeverHeardOfItsTakeoverComesBackUnderItsOldName) {
  d.subscribe(consumer, 2);
  for (int i = 0; i < 2; ++i) d.submit(producer);
  const std::vector<Delivered> held = d.take(consumer);
  ASSERT_EQ(held.size(), 2u);
  const SessionNo unheard = d.open();
  ASSERT_TRUE(resume(consumer, unheard, Driver::secret_of(consumer), held[0].number));
  d.take(unheard);
  d.turn([&](CommitBuilder&) { d.broker.expect_return(unheard, d.now_ns + 5 * kSecondNs); });
  const SessionNo unheard_too = d.open();
  ASSERT_TRUE(resume(consumer, unheard_too, Driver::secret_of(consumer), held[0].number));
  d.take(unheard_too);
  d.turn([&](CommitBuilder&) { d.broker.expect_return(unheard_too, d.now_ns + 5 * kSecondNs); });
  const SessionNo next = d.open();
  ASSERT_TRUE(resume(consumer, next, Driver::secret_of(consumer), held[0].number));
  const std::vector<Delivered> again = d.take(next);
  ASSERT_EQ(again.size(), 1u) << "the one that it had not seen";
  EXPECT_EQ(again[0].id, held[1].id);
  for (const Delivered& job : held) EXPECT_EQ(d.complete(next, job), Error::kOk);
}

TEST_F(Sessions, TakeoverThatWasHeardOfAnswersToItsOwnSecretAlone) {
  const SessionNo heard = d.open();
  ASSERT_TRUE(resume(consumer, heard, Driver::secret_of(consumer)));
  const SessionNo next = d.open();
  EXPECT_FALSE(resume(consumer, next, Driver::secret_of(consumer))) << "its client is connected";
  d.turn([&](CommitBuilder&) { d.broker.expect_return(heard, d.now_ns + 5 * kSecondNs); });
  EXPECT_FALSE(resume(consumer, next, Driver::secret_of(producer)));
  EXPECT_FALSE(resume(consumer, d.open(2000), Driver::secret_of(consumer)));
  EXPECT_TRUE(resume(heard, next, Driver::secret_of(heard)));
}

TEST_F(Sessions, ResumedOneIsAskedToStopAgain) {
  d.subscribe(consumer, 3);
  for (int i = 0; i < 3; ++i) d.submit(producer);
  const std::vector<Delivered> held = d.take(consumer);
  ASSERT_EQ(held.size(), 3u);
  d.command(producer, write_cancel(held[0].id, true));
  d.turn([&](CommitBuilder&) { d.broker.expect_return(consumer, d.now_ns + 5 * kSecondNs); });
  d.command(producer, write_cancel(held[2].id, true));
  d.notices.clear();
  const SessionNo next = d.open();
  ASSERT_TRUE(resume(consumer, next, Driver::secret_of(consumer), held[1].number));
  ASSERT_EQ(d.notices.size(), 2u);
  EXPECT_EQ(d.notices[0].token, held[0].token);
  EXPECT_EQ(d.notices[1].token, held[2].token) << "behind the delivery, which it had not seen";
  for (const CancelNotice& notice : d.notices) EXPECT_EQ(notice.session, next);
}

// A new engine ends what expired while none was there, before anybody can come back.
TEST_F(Sessions, ResumedOneIsToldOfLeasesThatExpiredWhileItWasAway) {
  d.subscribe(consumer, 3);
  for (int i = 0; i < 3; ++i) d.submit(producer, {.processing_timeout_ms = i == 0 ? 60'000u : 1'000u});
  const std::vector<Delivered> held = d.take(consumer);
  ASSERT_EQ(held.size(), 3u);
  d.turn([&](CommitBuilder&) { d.broker.expect_return(consumer, d.now_ns + 5 * kSecondNs); });
  d.command(producer, write_cancel(held[2].id, true));
  d.notices.clear();
  d.advance_ms(1'000);
  EXPECT_TRUE(d.notices.empty()) << "nobody is there to be told";
  const SessionNo next = d.open();
  ASSERT_TRUE(resume(consumer, next, Driver::secret_of(consumer), held[2].number));
  ASSERT_EQ(d.notices.size(), 2u);
  EXPECT_EQ(d.notices[0].token, held[1].token);
  EXPECT_EQ(d.notices[1].token, held[2].token) << "cancelled and expired: once";
  for (const CancelNotice& notice : d.notices) EXPECT_EQ(notice.session, next);
  EXPECT_EQ(d.complete(next, held[0]), Error::kOk) << "this one goes on";
}

// It had left the session that was told, and the daemon did not know yet.
TEST_F(Sessions, ResumedOneIsToldAgainOfLeasesWhoseEndItMayNotHaveRead) {
  d.subscribe(consumer, 3);
  for (int i = 0; i < 3; ++i) d.submit(producer, {.processing_timeout_ms = i == 0 ? 60'000u : 1'000u});
  const std::vector<Delivered> held = d.take(consumer);
  ASSERT_EQ(held.size(), 3u);
  d.command(producer, write_cancel(held[2].id, true));
  d.advance_ms(1'000);
  ASSERT_EQ(d.notices.size(), 2u) << "both were told once";
  d.notices.clear();
  const auto expect_told = [&](SessionNo session) {
    ASSERT_EQ(d.notices.size(), 2u);
    for (const CancelNotice& notice : d.notices) {
      EXPECT_EQ(notice.session, session);
      EXPECT_EQ(notice.number, 0u) << "it was another session's delivery";
    }
    EXPECT_EQ(d.notices[0].token, held[1].token);
    EXPECT_EQ(d.notices[1].token, held[2].token);
    d.notices.clear();
  };
  const SessionNo unheard = d.open();
  ASSERT_TRUE(resume(consumer, unheard, Driver::secret_of(consumer), held[2].number));
  expect_told(unheard);
  d.turn([&](CommitBuilder&) { d.broker.expect_return(unheard, d.now_ns + 5 * kSecondNs); });
  const SessionNo next = d.open();
  ASSERT_TRUE(resume(consumer, next, Driver::secret_of(consumer), held[2].number));
  expect_told(next);
  EXPECT_EQ(d.complete(next, held[0]), Error::kOk) << "this one goes on";
}

TEST_F(Sessions, ResumedOneIsToldOfTheLatestLeasesAlone) {
  constexpr auto kLost = static_cast<uint32_t>(kLostLeasesKept + 2);
  BrokerOptions options;
  options.defaults.max_active = 0;
  Driver many(options);
  const SessionNo one = many.open();
  many.subscribe(one, kLost);
  many.turn([&](CommitBuilder& commit) {
    for (uint32_t i = 0; i < kLost; ++i)
      many.put(commit, one, many.next_id(one), {.processing_timeout_ms = 1'000 + i});
  });
  const std::vector<Delivered> held = many.take(one);
  ASSERT_EQ(held.size(), kLost);
  many.advance_ms(1'000 + kLost);
  ASSERT_EQ(many.notices.size(), kLost);
  many.notices.clear();
  const SessionNo next = many.open();
  many.turn([&](CommitBuilder&) {
    EXPECT_TRUE(many.broker.resume_session(one, next, Driver::secret_of(one), held.back().number));
  });
  ASSERT_EQ(many.notices.size(), kLostLeasesKept);
  EXPECT_EQ(many.notices[0].token, held[2].token);
}

TEST_F(Sessions, OneThatIsAwayGetsNoNewJobs) {
  d.subscribe(consumer, 5);
  d.turn([&](CommitBuilder&) { d.broker.expect_return(consumer, d.now_ns + 5 * kSecondNs); });
  const JobId id = d.submit(producer, {.delivery = Delivery::kAtMostOnce});
  EXPECT_TRUE(d.take(consumer).empty());
  d.advance_ms(6'000);
  EXPECT_EQ(d.core(id).state, JobState::kPending) << "not lost on somebody who was not there";
}

TEST_F(Sessions, DeliveriesAfterANumberAreListedInOrder) {
  d.subscribe(consumer, 3);
  for (int i = 0; i < 3; ++i) d.submit(producer);
  d.turn([&](CommitBuilder&) {
    const auto list = d.broker.deliveries_after(consumer, 1);
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].number, 2u);
    EXPECT_EQ(list[1].number, 3u);
    for (const DeliveryEffect& effect : list) d.state.blocks.drop_user(effect.record.block);
  });
}

TEST_F(Sessions, ReceiptsAreKeptUntilTheClientTookThem) {
  for (int i = 0; i < 3; ++i) d.submit(producer, {.priority = 0});
  const auto kept = [this] { return d.state.tables.session(producer)->kept_receipts.size(); };
  EXPECT_EQ(kept(), 3u);
  EXPECT_EQ(d.receipts.back().number, 3u);
  d.turn([&](CommitBuilder&) { d.broker.receipts_taken(producer, 2); });
  EXPECT_EQ(kept(), 1u);
  d.turn([&](CommitBuilder&) { d.broker.receipts_taken(producer, 1'000'000); });
  EXPECT_EQ(kept(), 0u) << "a client that counts wrong harms itself only";
}

TEST_F(Sessions, RecordThatIsNoneIsRefused) {
  d.turn([&](CommitBuilder&) { d.broker.refuse_record(producer, 1, 1, Error::kInvalidRequest, 200); });
  ASSERT_FALSE(d.receipts.empty());
  EXPECT_EQ(d.receipts.back().receipt.code, static_cast<uint8_t>(Error::kInvalidRequest));
  RecordHead head{.size_bytes = 8, .kind = 99};
  Bytes bytes;
  ByteWriter(bytes).pod(head);
  EXPECT_EQ(d.command(producer, bytes), Error::kInvalidRequest);
}

TEST_F(Sessions, TurnWithoutEventsWritesNothing) {
  const size_t commits = d.commits.size();
  d.idle();
  d.advance_ms(1'000);
  EXPECT_EQ(d.commits.size(), commits);
}

TEST_F(Sessions, CreditsBoundWhatAConsumerHolds) {
  d.subscribe(consumer, 2);
  for (int i = 0; i < 5; ++i) d.submit(producer);
  const std::vector<Delivered> held = d.take(consumer);
  ASSERT_EQ(held.size(), 2u);
  EXPECT_TRUE(d.take(consumer).empty());
  d.complete(consumer, held[0]);
  EXPECT_EQ(d.take(consumer).size(), 1u);
  d.subscribe(consumer, 4);  // the same number again changes credits
  EXPECT_EQ(d.take(consumer).size(), 2u);
  d.subscribe(consumer, 1);
  d.complete(consumer, held[1]);
  EXPECT_TRUE(d.take(consumer).empty()) << "over its new credits";
}

TEST_F(Sessions, NewCreditsLeaveTheOrderOfSubscriptionsAlone) {
  d.subscribe(consumer, 1, {"a"}, "default", 1);
  d.subscribe(consumer, 1, {"b"}, "default", 2);
  d.subscribe(consumer, 3, {"a"}, "default", 1);
  const auto& list = d.state.tables.session(consumer)->subscriptions;
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].number, 1u) << "the checkpoint's own tables keep it so";
  EXPECT_EQ(list[0].credits, 3u);
}

TEST_F(Sessions, EachOfSeveralSubscriptionsHasItsOwnCredits) {
  d.subscribe(consumer, 1, {"a"}, "default", 1);
  d.subscribe(consumer, 2, {"b"}, "default", 2);
  for (int i = 0; i < 3; ++i) {
    d.submit(producer, {.type = "a"});
    d.submit(producer, {.type = "b"});
  }
  int a = 0, b = 0;
  for (const Delivered& job : d.take(consumer)) ++(job.subscription == 1 ? a : b);
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 2);
}

TEST_F(Sessions, SubscriptionsOfOneAreBounded) {
  constexpr uint32_t kMost = limits::kSubscriptionsPerSessionMax;
  for (uint32_t number = 0; number < kMost; ++number)
    ASSERT_EQ(d.subscribe(consumer, 1, {"a", "b"}, "default", number), Error::kOk);
  EXPECT_EQ(d.subscribe(consumer, 1, {"a"}, "default", kMost), Error::kInvalidRequest);
  EXPECT_EQ(d.subscribe(consumer, 2, {"a"}, "default", 7), Error::kOk) << "one that is there may be changed";
  EXPECT_EQ(d.subscribe(d.open(), 1, {"a"}), Error::kOk) << "another session's";
  d.command(consumer, write_unsubscribe(3));
  EXPECT_EQ(d.subscribe(consumer, 1, {"a"}, "default", kMost), Error::kOk);
}

// The driver replays them in the end.
TEST_F(Sessions, OlderJournalsMayHoldMoreSubscriptionsThanOneMayHave) {
  constexpr uint32_t kMore = limits::kSubscriptionsPerSessionMax + 44;
  d.turn([&](CommitBuilder& commit) {
    for (uint32_t number = 0; number < kMore; ++number) {
      const Subscribed event{consumer, number, 0, 1, {}};
      commit.add(event);
      d.state.apply(event);
    }
  });
  EXPECT_EQ(d.state.tables.session(consumer)->subscriptions.size(), kMore);
  EXPECT_EQ(d.subscribe(consumer, 2, {}, "default", kMore - 1), Error::kOk);
  EXPECT_EQ(d.subscribe(consumer, 2, {}, "default", kMore), Error::kInvalidRequest);
  d.close(consumer);
}

TEST_F(Sessions, UnsubscribedConsumerKeepsWhatItHolds) {
  d.subscribe(consumer);
  d.submit(producer);
  d.submit(producer);
  const Delivered job = d.take_one(consumer);
  EXPECT_EQ(d.command(consumer, write_unsubscribe(1)), Error::kOk);
  EXPECT_EQ(d.complete(consumer, job), Error::kOk);
  EXPECT_TRUE(d.take(consumer).empty());
}

TEST_F(Sessions, SubscriptionMovedToAnotherQueueTakesFromThatOne) {
  d.subscribe(consumer, 1, {}, "one");
  d.submit(producer, {.queue = "one"});
  const Delivered held = d.take_one(consumer);
  d.subscribe(consumer, 1, {}, "two");
  d.submit(producer, {.queue = "one"});
  const JobId two = d.submit(producer, {.queue = "two"});
  EXPECT_EQ(d.take_one(consumer).id, two);
  d.complete(consumer, held);
  EXPECT_TRUE(d.take(consumer).empty());
}

TEST_F(Sessions, ConsumersOfOneTypeTakeTurns) {
  std::vector<SessionNo> consumers{consumer, d.open(), d.open()};
  for (const SessionNo s : consumers) d.subscribe(s, 100, {"work"});
  for (int i = 0; i < 9; ++i) d.submit(producer);
  for (const SessionNo s : consumers) EXPECT_EQ(d.take(s).size(), 3u);
}

TEST_F(Sessions, ConsumerWithoutCreditIsPassedOver) {
  const SessionNo other = d.open();
  d.subscribe(consumer, 1, {"work"});
  d.subscribe(other, 5, {"work"});
  for (int i = 0; i < 6; ++i) d.submit(producer);
  EXPECT_EQ(d.take(consumer).size(), 1u);
  EXPECT_EQ(d.take(other).size(), 5u);
}

TEST_F(Sessions, ConsumerOfEveryTypeSharesWithThoseOfOne) {
  const SessionNo every = d.open();
  d.subscribe(consumer, 100, {"work"});
  d.subscribe(every, 100);
  for (int i = 0; i < 8; ++i) d.submit(producer);
  d.submit(producer, {.type = "other"});
  EXPECT_EQ(d.take(consumer).size(), 4u);
  EXPECT_EQ(d.take(every).size(), 5u);
}

}  // namespace
}  // namespace pqd::test
