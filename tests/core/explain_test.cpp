// A reason for every way in which a job can wait.
#include "core/explain.h"

#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct Explain : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open();
  SessionNo admin = d.open(kAdminUid);

  // Over its byte form, as a client gets it.
  Explanation why(Driver& of, const JobId& id, const Asker& asker = {.sees_all = true}) {
    const auto decoded = decode_explanation(encode(explain(of.state, of.state.jobs.find(id), asker)));
    EXPECT_TRUE(decoded.has_value());
    return decoded.value_or(Explanation{});
  }
  Explanation why(const JobId& id) { return why(d, id); }
};

TEST_F(Explain, NoConsumerForItsType) {
  d.subscribe(consumer, 1, {"other"});
  const Explanation e = why(d.submit(producer));
  EXPECT_EQ(e.awaits, Awaits::kConsumer);
  EXPECT_EQ(e.queue, "default");
  EXPECT_EQ(e.type, "work");
  EXPECT_EQ(e.consumers, 1u);
}

TEST_F(Explain, PausedQueue) {
  d.subscribe(consumer, 1);
  ASSERT_EQ(d.command(admin, write_queue_control(QueueAction::kPause, "default")), Error::kOk);
  EXPECT_EQ(why(d.submit(producer)).awaits, Awaits::kResume);
}

TEST_F(Explain, MaxActiveReached) {
  BrokerOptions options;
  options.defaults.max_active = 1;
  Driver small(options);
  const SessionNo from = small.open();
  const SessionNo to = small.open();
  small.subscribe(to, 5);
  small.submit(from);
  const JobId waiting = small.submit(from);
  small.take_one(to);
  EXPECT_EQ(why(small, waiting).awaits, Awaits::kMaxActive);
  EXPECT_EQ(why(small, waiting).active, 1u);
}

TEST_F(Explain, ConsumersWithoutCreditAndHowManyAreBefore) {
  d.subscribe(consumer, 1);
  d.submit(producer);
  d.submit(producer);
  d.submit(producer, {.priority = 20});
  const JobId last = d.submit(producer, {.queue_timeout_ms = 4'000});
  const Explanation e = why(last);
  EXPECT_EQ(e.awaits, Awaits::kCredit);
  EXPECT_EQ(e.ahead, 2u);
  EXPECT_EQ(e.timeout_ns, d.now_ns + 4 * kSecondNs);
}

TEST_F(Explain, ItsTimeAndItsBackoff) {
  const JobId delayed = d.submit(producer, {.delay_ms = 5'000});
  EXPECT_EQ(why(delayed).awaits, Awaits::kItsTime);
  EXPECT_GE(why(delayed).until_ns, d.now_ns + 5 * kSecondNs);
  d.subscribe(consumer, 1);
  const JobId failing = d.submit(producer);
  d.fail(consumer, d.take_one(consumer));
  const Explanation e = why(failing);
  EXPECT_EQ(e.awaits, Awaits::kBackoff);
  EXPECT_EQ(e.until_ns, d.now_ns + kSecondNs);
  EXPECT_EQ(e.attempts, 1);
}

TEST_F(Explain, ItsOrderingKey) {
  const JobId first = d.submit(producer, {.ordering_key = "k"});
  d.submit(producer, {.ordering_key = "k"});
  d.submit(producer, {.ordering_key = "j"});
  const Explanation e = why(d.submit(producer, {.ordering_key = "k"}));
  EXPECT_EQ(e.awaits, Awaits::kItsKey);
  EXPECT_EQ(e.ahead, 2u);
  EXPECT_EQ(e.behind, first);
}

TEST_F(Explain, WhoseJobIsFirstOfItsOrderingKeyIsForThoseWhoMaySeeIt) {
  const SessionNo other = d.open(2000);
  const JobId first = d.submit(producer, {.ordering_key = "k"});
  const JobId held = d.submit(other, {.ordering_key = "k"});
  const Explanation told = why(d, held, {other, 2000, false});
  EXPECT_EQ(told.awaits, Awaits::kItsKey);
  EXPECT_EQ(told.ahead, 1u);
  EXPECT_TRUE(told.behind.empty()) << "it is another user's: " << told.behind.to_string();
  EXPECT_EQ(why(d, held, {admin, kAdminUid, true}).behind, first);
  d.subscribe(other);
  d.take_one(other);
  EXPECT_EQ(why(d, held, {other, 2000, false}).behind, first) << "in the asker's own hands";
  EXPECT_TRUE(why(d, held, {d.open(2000), 2000, false}).behind.empty());
}

TEST_F(Explain, RoomInAFullQueue) {
  BrokerOptions options;
  options.defaults.max_depth = 1;
  Driver small(options);
  const SessionNo from = small.open();
  small.submit(from);
  small.submit(from);
  const Explanation e = why(small, small.submit(from));
  EXPECT_EQ(e.awaits, Awaits::kRoom);
  EXPECT_EQ(e.ahead, 1u);
  EXPECT_EQ(e.until_ns, small.now_ns + 5 * kSecondNs);
}

TEST_F(Explain, WhoHasItUntilWhen) {
  d.subscribe(consumer, 1);
  const JobId id = d.submit(producer);
  d.take_one(consumer);
  d.command(producer, write_cancel(id, true));
  const Explanation e = why(id);
  EXPECT_EQ(e.awaits, Awaits::kSettling);
  EXPECT_EQ(e.holder, consumer);
  EXPECT_EQ(e.holder_uid, kUid);
  EXPECT_EQ(e.until_ns, d.now_ns + 60 * kSecondNs);
  EXPECT_TRUE(e.cancel_requested);
}

TEST_F(Explain, FinishedJobsWaitForNothing) {
  d.subscribe(consumer, 1);
  const JobId id = d.submit(producer);
  d.fail(consumer, d.take_one(consumer), "no", kFlagDoNotRetry);
  EXPECT_EQ(why(id).awaits, Awaits::kNothing);
  EXPECT_EQ(why(id).reason, Reason::kDoNotRetry);
  d.checkpoint();
  const Explanation e = explain_finished(d.row(id).core, d.state.tables);
  EXPECT_EQ(e.state, JobState::kFailed);
  EXPECT_EQ(e.awaits, Awaits::kNothing);
}

TEST_F(Explain, EveryCutOfItsBytesIsRefused) {
  const Bytes bytes = encode(explain(d.state, d.state.jobs.find(d.submit(producer)), {.sees_all = true}));
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode_explanation(ByteView(bytes).first(length)).has_value()) << length;
}

}  // namespace
}  // namespace pqd::test
