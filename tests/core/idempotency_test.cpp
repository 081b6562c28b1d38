// Idempotency keys: one job per (user, queue, key) for 24 hours, over restarts and checkpoints.
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

constexpr int64_t kDayMs = 24 * 3600 * 1000;

struct IdempotencyKey : ::testing::Test {
  explicit IdempotencyKey(BrokerOptions options = {}) : d(std::move(options)) {}

  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();

  JobId submit(const std::string& key, JobSpec spec = {}) {
    return submit_by(producer, key, std::move(spec));
  }
  JobId submit_by(SessionNo session, const std::string& key, JobSpec spec = {}) {
    spec.idempotency_key = key;
    return d.submit(session, spec);
  }
  // The receipts that an attempt under `id` got.
  std::vector<ReceiptIssued> receipts_since(size_t before) const {
    std::vector<ReceiptIssued> list;
    for (size_t i = before; i < d.receipts.size(); ++i) list.push_back(d.receipts[i].receipt);
    return list;
  }
  void expect_duplicate(const std::string& key, const JobId& first, JobState state, JobSpec spec = {}) {
    const size_t jobs = d.state.jobs.size();
    const size_t before = d.receipts.size();
    submit(key, std::move(spec));
    const auto receipts = receipts_since(before);
    ASSERT_EQ(receipts.size(), 1u);
    EXPECT_EQ(receipts[0].code, 0);
    EXPECT_TRUE((receipts[0].flags & kReceiptDuplicate) != 0);
    EXPECT_EQ(receipts[0].id, first);
    EXPECT_EQ((receipts[0].flags & kReceiptStateMask) >> kReceiptStateShift, static_cast<int>(state) + 1);
    EXPECT_EQ(d.state.jobs.size(), jobs) << "no second job";
  }
};

TEST_F(IdempotencyKey, SameKeyAndContentIsAnsweredWithTheFirstJobAndItsState) {
  const JobId first = submit("k");
  expect_duplicate("k", first, JobState::kPending);
  d.subscribe(consumer, 10);
  const Delivered job = d.take_one(consumer);
  expect_duplicate("k", first, JobState::kAssigned);
  d.complete(consumer, job);
  expect_duplicate("k", first, JobState::kCompleted);
  EXPECT_TRUE(d.take(consumer).empty());
}

TEST_F(IdempotencyKey, SameKeyWithOtherContentIsRefused) {
  submit("k");
  for (const JobSpec& other : {JobSpec{.payload = "other"}, JobSpec{.type = "other"}, JobSpec{.priority = 7},
                               JobSpec{.metadata = "{}"}, JobSpec{.mode = Mode::kFifo},
                               JobSpec{.delivery = Delivery::kAtMostOnce}, JobSpec{.ordering_key = "o"}})
    EXPECT_EQ(d.refusal_of(submit("k", other)), Error::kDuplicateRequest);
  EXPECT_EQ(d.state.jobs.size(), 1u);
}

TEST_F(IdempotencyKey, TimesAreNoPartOfTheContent) {
  const JobId first = submit("k");
  expect_duplicate("k", first, JobState::kPending, {.delay_ms = 5'000, .queue_timeout_ms = 77});
}

TEST_F(IdempotencyKey, ScopeIsTheUserTheSubjectAndTheQueue) {
  submit("k");
  submit("k", {.queue = "other"});
  submit_by(d.open(kUid + 1), "k");
  const SessionNo service = d.open(kAdminUid);
  submit_by(service, "k");
  submit_by(service, "k", {.subject = "alice"});
  submit_by(service, "k", {.subject = "bob"});
  EXPECT_EQ(d.state.jobs.size(), 6u);
  EXPECT_TRUE(d.receipts.empty());
}

TEST_F(IdempotencyKey, IsKeptFor24HoursFromTheFirstSubmit) {
  submit("k");
  d.advance_ms(kDayMs - 1);
  submit("k");
  EXPECT_EQ(d.state.jobs.size(), 1u);
  d.advance_ms(1);
  const JobId second = submit("k");
  EXPECT_EQ(d.state.jobs.size(), 2u);
  expect_duplicate("k", second, JobState::kPending);
}

TEST_F(IdempotencyKey, IsStillKnownWhenACheckpointHasTakenItAndTheJobOutOfMemory) {
  d.subscribe(consumer, 10);
  const JobId first = submit("k");
  d.complete(consumer, d.take_one(consumer));
  d.checkpoint();
  ASSERT_EQ(d.state.jobs.size(), 0u);
  ASSERT_EQ(d.state.idempotency.size(), 0u);
  expect_duplicate("k", first, JobState::kCompleted);
  EXPECT_EQ(d.refusal_of(submit("k", {.payload = "other"})), Error::kDuplicateRequest);
}

TEST_F(IdempotencyKey, ThatIsOverInTheStoreIsFree) {
  submit("k");
  d.checkpoint();
  d.advance_ms(kDayMs);
  submit("k");
  EXPECT_EQ(d.state.jobs.size(), 2u);
  d.checkpoint();
  EXPECT_EQ(d.store.keys.size(), 1u);
}

TEST_F(IdempotencyKey, OfARefusedSubmitIsFree) {
  submit("k", {.priority = 0});
  const JobId id = submit("k");
  EXPECT_EQ(d.refusal_of(id), Error::kOk);
}

TEST_F(IdempotencyKey, ADuplicateIsAnsweredAlsoWhenNothingNewIsTaken) {
  const JobId first = submit("k");
  d.broker.set_intake(Error::kNoSpace);
  expect_duplicate("k", first, JobState::kPending);
  EXPECT_EQ(d.refusal_of(submit("new")), Error::kNoSpace);
}

TEST_F(IdempotencyKey, IsCheckedWithinOneAtomicSubmit) {
  const auto spec = [](const char* key, const char* payload) {
    return JobSpec{.payload = payload, .idempotency_key = key};
  };
  const size_t before = d.receipts.size();
  const auto ids = d.submit_batch(producer, {spec("a", "1"), spec("b", "2"), spec("a", "1"), spec("", "1")});
  EXPECT_EQ(d.state.jobs.size(), 3u);
  const auto receipts = receipts_since(before);
  ASSERT_EQ(receipts.size(), 1u);
  EXPECT_EQ(receipts[0].id, ids[0]);
  EXPECT_TRUE((receipts[0].flags & kReceiptDuplicate) != 0);
  EXPECT_EQ(receipts[0].seq, 3u);
}

TEST_F(IdempotencyKey, WithTwoContentsInOneAtomicSubmitRefusesItAsAWhole) {
  const auto ids = d.submit_batch(
      producer,
      {{.payload = "1", .idempotency_key = "a"}, {.payload = "2"}, {.payload = "3", .idempotency_key = "a"}});
  for (const JobId& id : ids) EXPECT_EQ(d.refusal_of(id), Error::kDuplicateRequest);
  EXPECT_EQ(d.state.jobs.size(), 0u);
  EXPECT_EQ(d.refusal_of(submit("a")), Error::kOk) << "and keeps nothing";
}

TEST_F(IdempotencyKey, KnownFromBeforeLeavesTheRestOfAnAtomicSubmitToBeTaken) {
  const JobId first = submit("a");
  const size_t before = d.receipts.size();
  d.submit_batch(producer, {{.idempotency_key = "a"}, {.idempotency_key = "b"}});
  EXPECT_EQ(d.state.jobs.size(), 2u);
  ASSERT_EQ(receipts_since(before).size(), 1u);
  EXPECT_EQ(receipts_since(before)[0].id, first);
}

TEST_F(IdempotencyKey, OfAJobSentAgainAfterAReconnectIsItsOwn) {
  const JobId id = submit("k");
  d.submit_as(producer, id, {.flags = kFlagResubmitted, .idempotency_key = "k"});
  const auto receipt = d.receipt_of(id);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->code, 0);
  EXPECT_TRUE((receipt->flags & kReceiptDuplicate) != 0);
  EXPECT_EQ(d.state.jobs.size(), 1u);
}

TEST_F(IdempotencyKey, OfADuplicateSentAgainAfterAReconnectLeadsToTheFirstJobStill) {
  const JobId first = submit("k");
  const JobId second = submit("k");
  const SessionNo later = d.open();
  const size_t before = d.receipts.size();
  d.submit_as(later, second, {.flags = kFlagResubmitted, .idempotency_key = "k"});
  ASSERT_EQ(receipts_since(before).size(), 1u);
  EXPECT_EQ(receipts_since(before)[0].id, first);
  EXPECT_EQ(d.state.jobs.size(), 1u);
}

struct FullIdempotencyKey : IdempotencyKey {
  FullIdempotencyKey() : IdempotencyKey(options()) {
    d.subscribe(consumer, 10);
    d.submit(producer);
    in_hand = d.take_one(consumer);
  }
  static BrokerOptions options() {
    BrokerOptions options;
    options.defaults = {.max_depth = 1, .admission_timeout_ms = 1'000};
    return options;
  }
  Delivered in_hand;
};

TEST_F(FullIdempotencyKey, OfASubmitThatFoundNoRoomIsFreeAgain) {
  const JobId waiting = submit("k");
  d.checkpoint();  // the store has the key now
  d.advance_ms(1'000);
  EXPECT_EQ(d.refusal_of(waiting), Error::kQueueFull);
  d.complete(consumer, in_hand);
  const JobId later = submit("k");
  EXPECT_EQ(d.refusal_of(later), Error::kOk);
  EXPECT_EQ(d.take_one(consumer).id, later);
  d.checkpoint();
  EXPECT_EQ(d.store.keys.size(), 1u);
}

// The first may yet be refused: to call the second a duplicate would promise a job that may never be.
TEST_F(FullIdempotencyKey, OfASubmitThatWaitsForRoomIsNoDuplicateYet) {
  const JobId waiting = submit("k");
  EXPECT_EQ(d.refusal_of(submit("k")), Error::kQueueFull);
  EXPECT_EQ(d.refusal_of(submit("k", {.payload = "other"})), Error::kDuplicateRequest);
  d.complete(consumer, in_hand);
  EXPECT_EQ(d.take_one(consumer).id, waiting);
  expect_duplicate("k", waiting, JobState::kAssigned);
}

// A day may pass between two turns: of a host that was suspended, or whose clock was set.
TEST_F(FullIdempotencyKey, ThatHasPassedToALaterSubmitIsNotFreedWithTheFirst) {
  const JobId first = submit("k");
  d.now_ns += kDayMs * kMillisecondNs;
  const JobId later = submit("k");  // before the end of this turn refuses the first
  EXPECT_EQ(d.refusal_of(first), Error::kQueueFull);
  EXPECT_EQ(d.receipt_of(later)->flags, kReceiptDeferred);
  EXPECT_EQ(d.refusal_of(submit("k")), Error::kQueueFull) << "the later one waits for room under this key";
}

TEST_F(FullIdempotencyKey, MovesWithAWaitingSubmitThatIsSentAgain) {
  const JobId waiting = submit("k");
  const SessionNo later = d.open();
  d.submit_as(later, waiting, {.flags = kFlagResubmitted, .idempotency_key = "k"});
  d.complete(consumer, in_hand);
  EXPECT_EQ(d.take_one(consumer).id, waiting);
  expect_duplicate("k", waiting, JobState::kAssigned);
}

}  // namespace
}  // namespace pqd::test
