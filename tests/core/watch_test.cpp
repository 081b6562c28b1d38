// Which changes are told to whom, in what order, and what becomes of those that nobody reads.
#include "core/watch.h"

#include "tests/core/driver.h"

namespace pqd::test {
namespace {

struct Watching : ::testing::Test {
  Driver d;
  SessionNo producer = d.open();
  SessionNo consumer = d.open(2000);
  SessionNo admin = d.open(kAdminUid);
  size_t commits_offered = 0;
  uint64_t requests = 0;

  Watching() { d.broker.changes().set_watched(true); }

  Asker asker(SessionNo session) {
    const uint32_t uid = d.state.tables.session(session)->uid;
    return {session, uid, d.broker.rights(session).operates()};
  }
  // Without its first word.
  SessionWatches watch(SessionNo session, WatchHead head = {}, std::string_view queue = {},
                       std::string_view type = {}) {
    SessionWatches watches;
    head.request = ++requests;
    const Bytes record = write_watch(head, queue, type);
    EXPECT_EQ(watches.begin(read_watch(record).value(), asker(session), d.broker.changes(), d.commits.size(),
                            d.state.tables),
              Error::kOk);
    if (head.follow != 0) {
      const auto first = told(watches);
      EXPECT_FALSE(first.empty());
      EXPECT_EQ(first.empty() ? ChangeKind::kGap : first[0].kind, ChangeKind::kWatching);
    }
    commits_offered = d.commits.size();
    return watches;
  }
  void offer(SessionWatches& watches) {
    for (size_t i = commits_offered; i < d.commits.size(); ++i)
      watches.offer(d.commits[i].effects.changes, d.state.tables);
  }
  // Over their byte form, as a client gets them.
  std::vector<JobEvent> told(SessionWatches& watches, uint64_t done = UINT64_MAX) {
    std::vector<JobEvent> events;
    watches.tell(
        done, d.state.tables,
        [&](uint64_t, const JobEvent& event) {
          const auto decoded = decode_job_event(encode(event));
          EXPECT_TRUE(decoded);
          events.push_back(decoded.value_or(JobEvent{}));
          return true;
        },
        [](uint64_t) { return true; });
    return events;
  }
  std::vector<ChangeKind> kinds(SessionWatches& watches) {
    offer(watches);
    std::vector<ChangeKind> list;
    for (const JobEvent& event : told(watches)) list.push_back(event.kind);
    commits_offered = d.commits.size();
    return list;
  }
};

using Kinds = std::vector<ChangeKind>;
using enum ChangeKind;

TEST_F(Watching, TellsEveryStepOfALife) {
  SessionWatches all = watch(admin);
  d.subscribe(consumer, 1);
  const JobId id = d.submit(producer, {.backoff_first_ms = 10});
  EXPECT_EQ(kinds(all), (Kinds{kSubmitted, kAssigned}));
  Delivered job = d.take_one(consumer);
  d.settle(consumer, RecordKind::kStart, job);
  d.settle(consumer, RecordKind::kExtend, job);
  d.settle(consumer, RecordKind::kExtend, job, "half of it");
  EXPECT_EQ(kinds(all), (Kinds{kStarted, kExtended, kProgress}));
  d.release(consumer, job);
  EXPECT_EQ(kinds(all), (Kinds{kReleased, kAssigned}));
  d.fail(consumer, d.take_one(consumer));
  d.advance_ms(11);
  EXPECT_EQ(kinds(all), (Kinds{kAttemptFailed, kReady, kAssigned}));
  job = d.take_one(consumer);
  d.command(admin, write_cancel(id, true));
  EXPECT_EQ(kinds(all), (Kinds{kCancelRequested}));
  d.complete(consumer, job);
  EXPECT_EQ(kinds(all), (Kinds{kCancelled}));

  d.submit(producer);
  d.fail(consumer, d.take_one(consumer), "no", kFlagDoNotRetry);
  EXPECT_EQ(kinds(all), (Kinds{kSubmitted, kAssigned, kFailed}));
  d.command(admin, write_redrive(d.submit(producer, {.type = "unwanted"})));
  EXPECT_EQ(kinds(all), (Kinds{kSubmitted, kAssigned}));
  d.complete(consumer, d.take_one(consumer));
  EXPECT_EQ(kinds(all), (Kinds{kCompleted}));
  d.command(consumer, write_unsubscribe(1));
  const JobId late = d.submit(producer, {.queue_timeout_ms = 5});
  d.advance_ms(6);
  d.command(admin, write_redrive(late));
  d.command(admin, write_cancel(late, false));
  EXPECT_EQ(kinds(all), (Kinds{kSubmitted, kTimedOut, kRedriven, kCancelled}));
  const JobId dead = d.submit(producer, {.queue_timeout_ms = 5});
  d.advance_ms(6);
  d.command(admin, write_review(dead, "known"));
  d.command(admin, write_purge(dead));
  EXPECT_EQ(kinds(all), (Kinds{kSubmitted, kTimedOut, kReviewed, kPurged}));
}

TEST_F(Watching, JobsOfABatchAreReadyTogether) {
  BrokerOptions options;
  options.defaults.batch_size = 2;
  Driver small(options);
  small.broker.changes().set_watched(true);
  const SessionNo from = small.open();
  small.submit(from, {.mode = Mode::kBatch});
  small.submit(from, {.mode = Mode::kBatch});
  std::vector<ChangeKind> list;
  for (const Commit& commit : small.commits)
    for (const Change& change : commit.effects.changes) list.push_back(change.kind);
  EXPECT_EQ(list, (Kinds{kSubmitted, kSubmitted, kReady, kReady}));
}

TEST_F(Watching, SaysWhatAndWhenAndWhy) {
  SessionWatches all = watch(admin);
  d.subscribe(consumer, 1);
  const JobId id = d.submit(producer, {.queue = "default", .type = "mail", .max_attempts = 1});
  d.advance_ms(5);
  d.fail(consumer, d.take_one(consumer));
  offer(all);
  const std::vector<JobEvent> events = told(all);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].number, 1u);
  EXPECT_EQ(events[0].id, id);
  EXPECT_EQ(events[0].queue, "default");
  EXPECT_EQ(events[0].type, "mail");
  EXPECT_EQ(events[0].owner_uid, kUid);
  EXPECT_EQ(events[0].when_ns, kStartNs);
  EXPECT_EQ(events[0].state, JobState::kPending);
  EXPECT_EQ(events[1].attempt, 1u);
  EXPECT_EQ(events[1].state, JobState::kAssigned);
  EXPECT_EQ(events[2].number, 3u);
  EXPECT_EQ(events[2].state, JobState::kFailed);
  EXPECT_EQ(events[2].reason, Reason::kFailedByConsumer);
  EXPECT_EQ(events[2].when_ns, kStartNs + 5 * kMillisecondNs);
}

TEST_F(Watching, OwnersSeeTheirsConsumersWhatTheyHoldAdminsAll) {
  const SessionNo stranger = d.open(3000);
  SessionWatches owner = watch(producer);
  SessionWatches holder = watch(consumer);
  SessionWatches other = watch(stranger);
  SessionWatches all = watch(admin);
  d.subscribe(consumer, 1);
  d.submit(producer);
  d.fail(consumer, d.take_one(consumer), "no", kFlagDoNotRetry);
  for (SessionWatches* watches : {&owner, &holder, &other, &all}) offer(*watches);
  EXPECT_EQ(told(owner).size(), 3u);
  EXPECT_EQ(told(all).size(), 3u);
  EXPECT_TRUE(told(other).empty());
  const auto held = told(holder);
  ASSERT_EQ(held.size(), 2u) << "not its submit";
  EXPECT_EQ(held[0].kind, kAssigned);
  EXPECT_EQ(held[1].kind, kFailed);
}

TEST_F(Watching, FiltersByQueueTypeUserJobAndState) {
  const SessionNo second = d.open(3000);
  d.subscribe(consumer, 9, {}, "b");
  WatchHead states;
  states.states = 1 << static_cast<int>(JobState::kCompleted);
  WatchHead user;
  user.owner_uid = 3000;
  SessionWatches by_queue = watch(admin, {}, "a");
  SessionWatches by_type = watch(admin, {}, {}, "y");
  SessionWatches by_state = watch(admin, states);
  SessionWatches by_user = watch(admin, user);
  d.submit(producer, {.queue = "a", .type = "x"});
  const JobId id = d.submit(second, {.queue = "b", .type = "y"});
  d.complete(consumer, d.take_one(consumer));
  for (SessionWatches* watches : {&by_queue, &by_type, &by_state, &by_user}) offer(*watches);
  EXPECT_EQ(told(by_queue).size(), 1u);
  EXPECT_EQ(told(by_type).size(), 3u);
  EXPECT_EQ(told(by_user).size(), 3u);
  const auto completed = told(by_state);
  ASSERT_EQ(completed.size(), 1u);
  EXPECT_EQ(completed[0].id, id);
  WatchHead job;
  job.job = id;
  job.follow = 0;
  job.last = 100;
  SessionWatches by_job = watch(admin, job);
  EXPECT_EQ(told(by_job).size(), 3u);
}

TEST_F(Watching, NothingIsToldBeforeItsCommitIsDone) {
  SessionWatches all = watch(admin);
  d.submit(producer);
  const uint64_t first = d.commits.size();
  d.submit(producer);
  offer(all);
  EXPECT_TRUE(told(all, first - 1).empty());
  EXPECT_EQ(told(all, first).size(), 1u);
  EXPECT_EQ(told(all, first + 1).size(), 1u);
}

TEST_F(Watching, SlowReaderLosesACountedGapInItsPlace) {
  d.submit(producer);
  SessionWatches slow = watch(admin);
  Change change;
  std::vector<Change> many(limits::kWatchLineMax + 1'000, change);
  for (size_t i = 0; i < many.size(); ++i) {
    many[i].seq = d.broker.changes().latest() + i + 1;
    many[i].kind = kReady;
  }
  const std::span<const Change> all(many);
  slow.offer(all.first(limits::kWatchLineMax + 300), d.state.tables);
  auto events = told(slow);
  ASSERT_EQ(events.size(), limits::kWatchLineMax + 1);
  EXPECT_EQ(events[limits::kWatchLineMax - 1].number, limits::kWatchLineMax);
  EXPECT_EQ(events.back().kind, kGap);
  EXPECT_EQ(events.back().lost, 300u);
  EXPECT_EQ(events.back().number, limits::kWatchLineMax + 300);
  slow.offer(all.last(700), d.state.tables);
  events = told(slow);
  ASSERT_EQ(events.size(), 700u);
  EXPECT_EQ(events.back().number, many.size());
}

TEST_F(Watching, LinesOfTwoGapsKeepTheirPlaces) {
  d.submit(producer);
  SessionWatches slow = watch(admin);
  uint64_t seq = d.broker.changes().latest();
  const auto offer_some = [&](size_t count) {
    std::vector<Change> changes(count);
    for (Change& change : changes) change.seq = ++seq, change.kind = kReady;
    slow.offer(changes, d.state.tables);
  };
  const auto tell_some = [&](size_t count) {
    std::vector<JobEvent> events;
    slow.tell(
        UINT64_MAX, d.state.tables,
        [&](uint64_t, const JobEvent& event) {
          if (events.size() == count) return false;
          events.push_back(event);
          return true;
        },
        [](uint64_t) { return true; });
    return events;
  };
  offer_some(limits::kWatchLineMax + 5);
  tell_some(10);
  offer_some(20);
  uint64_t told_changes = 10;
  std::vector<uint64_t> gaps;
  for (const JobEvent& event : tell_some(SIZE_MAX)) {
    if (event.kind == kGap)
      gaps.push_back(event.lost);
    else
      ++told_changes;
  }
  EXPECT_EQ(gaps, (std::vector<uint64_t>{5, 11}));
  EXPECT_EQ(told_changes + 5 + 11, limits::kWatchLineMax + 25);
}

TEST_F(Watching, RemembersTheLatestForThoseWhoCameLate) {
  d.turn([&](CommitBuilder& commit) {
    for (int i = 0; i < 3'000; ++i)
      d.put(commit, producer, d.next_id(producer), {.type = i % 2 == 0 ? "even" : "odd"});
  });
  WatchHead last;
  last.follow = 0;
  last.last = 10;
  SessionWatches even = watch(admin, last, {}, "even");
  const auto events = told(even);
  EXPECT_EQ(events.size(), 10u);
  for (const JobEvent& event : events) EXPECT_EQ(event.type, "even");
  EXPECT_TRUE(even.empty()) << "it is over";
  last.last = 100'000;
  SessionWatches all = watch(admin, last);
  EXPECT_EQ(told(all).size(), Changes::kKept);
}

TEST_F(Watching, WhoFollowsGetsTheLatestAndThenEachNewOneOnce) {
  d.submit(producer);
  WatchHead head;
  head.last = 5;
  SessionWatches all;
  head.request = 1;
  // In the middle of a commit: what it holds already is among the latest, and is offered with it again.
  d.turn([&](CommitBuilder& commit) {
    d.put(commit, producer, d.next_id(producer), {});
    const Bytes record = write_watch(head, {}, {});
    ASSERT_EQ(all.begin(read_watch(record).value(), asker(admin), d.broker.changes(), d.commits.size(),
                        d.state.tables),
              Error::kOk);
    d.put(commit, producer, d.next_id(producer), {});
  });
  all.offer(d.commits.back().effects.changes, d.state.tables);
  const auto events = told(all);
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].kind, kWatching);
  EXPECT_EQ(events[3].number, 3u);
}

TEST_F(Watching, OneThatIsBegunAgainSaysThatItWasInterrupted) {
  WatchHead head;
  head.head.flags = kFlagResubmitted;
  head.request = 1;
  SessionWatches again;
  const Bytes record = write_watch(head, {}, {});
  again.begin(read_watch(record).value(), asker(admin), d.broker.changes(), 0, d.state.tables);
  const auto events = told(again);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, kGap);
  EXPECT_TRUE(events[0].interrupted);
  EXPECT_EQ(events[0].lost, 0u);
}

TEST_F(Watching, SessionHasABoundedNumberOfThem) {
  SessionWatches watches;
  for (uint64_t request = 1; request <= limits::kWatchesPerSessionMax + 1; ++request) {
    WatchHead head;
    head.request = request;
    const Bytes record = write_watch(head, {}, {});
    const Error begun =
        watches.begin(read_watch(record).value(), asker(admin), d.broker.changes(), 0, d.state.tables);
    EXPECT_EQ(begun, request <= limits::kWatchesPerSessionMax ? Error::kOk : Error::kInvalidRequest);
  }
  watches.end(1);
  EXPECT_EQ(watches.count(), limits::kWatchesPerSessionMax - 1);
}

TEST_F(Watching, NobodyWatchesNothingIsCarriedAlong) {
  d.broker.changes().set_watched(false);
  d.submit(producer);
  EXPECT_TRUE(d.commits.back().effects.changes.empty());
}

TEST(WatchRecord, RefusesWhatIsNotOne) {
  const Bytes whole = write_watch({}, "queue", "type");
  const auto view = read_watch(whole);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->queue, "queue");
  EXPECT_EQ(view->type, "type");
  for (size_t bytes = 0; bytes < whole.size(); ++bytes)
    EXPECT_FALSE(read_watch(ByteView(whole).first(bytes))) << bytes;
  EXPECT_FALSE(read_watch(write_watch({}, "a b", {})));
  EXPECT_EQ(read_unwatch(write_unwatch(7)).value().request, 7u);
  EXPECT_FALSE(read_unwatch(whole));
}

}  // namespace
}  // namespace pqd::test
