// Watching through the client, over a real daemon.
#include <algorithm>

#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

class WatchTest : public WithClient {
 protected:
  WatchTest() : WithClient("[queue.q]\nmax_depth = 100000\n") {}

  // The next event, which has to come.
  static JobEvent take_event(Client& from) {
    auto event = from.next_event(kPatience);
    EXPECT_EQ(error_of(event), Error::kOk) << text_of(event);
    EXPECT_TRUE(event && *event) << "no event came";
    return event && *event ? std::move(**event) : JobEvent();
  }
};

TEST_F(WatchTest, TellsWhatHappensToAJobFromTheWatchOn) {
  submit({.type = "before"});
  const auto number = client().watch({});
  ASSERT_EQ(error_of(number), Error::kOk) << text_of(number);
  Client worker = connect();
  const JobId id = submit(worker, {.type = "mail", .queue = "out"});
  ASSERT_TRUE(worker.subscribe({.queue = "out"}));
  const DeliveredJob job = take(worker);
  ASSERT_EQ(decided(worker, worker.complete(job)), Error::kOk);
  const JobEvent submitted = take_event(client());
  EXPECT_EQ(submitted.kind, ChangeKind::kSubmitted);
  EXPECT_EQ(submitted.id, id);
  EXPECT_EQ(submitted.queue, "out");
  EXPECT_EQ(submitted.type, "mail");
  EXPECT_EQ(submitted.owner_uid, ::getuid());
  EXPECT_EQ(submitted.number, 1u);
  EXPECT_EQ(submitted.watch, *number);
  EXPECT_EQ(take_event(client()).kind, ChangeKind::kAssigned);
  const JobEvent completed = take_event(client());
  EXPECT_EQ(completed.kind, ChangeKind::kCompleted);
  EXPECT_EQ(completed.state, JobState::kCompleted);
  EXPECT_EQ(completed.number, 3u);
  EXPECT_FALSE(client().next_event(Milliseconds(0))->has_value());
  EXPECT_EQ(error_of(client().unwatch(*number)), Error::kOk);
  EXPECT_EQ(error_of(client().unwatch(*number)), Error::kNotFound);
}

TEST_F(WatchTest, FiltersAndEndsAsItIsTold) {
  const auto mail = client().watch({.type = "mail"});
  const auto web = client().watch({.queue = "web"});
  ASSERT_TRUE(mail && web);
  Client other = connect();
  submit(other, {.type = "mail"});
  submit(other, {.type = "page", .queue = "web"});
  submit(other, {.type = "else"});
  std::vector<uint32_t> watches{take_event(client()).watch, take_event(client()).watch};
  std::ranges::sort(watches);
  EXPECT_EQ(watches, (std::vector<uint32_t>{*mail, *web}));
  ASSERT_TRUE(client().unwatch(*mail));
  submit(other, {.type = "mail"});
  submit(other, {.type = "mail", .queue = "web"});
  EXPECT_EQ(take_event(client()).watch, *web);
  EXPECT_EQ(error_of(client().watch({.queue = "a b"})), Error::kInvalidRequest);
}

TEST_F(WatchTest, TellsTheLatestOnesToThoseWhoAskAfterwards) {
  const JobId first = submit({.type = "t"});
  const JobId second = submit({.type = "t"});
  const auto last = client().recent_events({.last = 1});
  ASSERT_EQ(error_of(last), Error::kOk) << text_of(last);
  ASSERT_EQ(last->size(), 1u);
  EXPECT_EQ(last->front().id, second);
  const auto all = client().recent_events({.last = 50});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ(all->front().id, first);
  EXPECT_TRUE(client().recent_events({.queue = "nowhere", .last = 50})->empty());
  // Following begins with them, too.
  ASSERT_TRUE(client().watch({.last = 50}));
  EXPECT_EQ(take_event(client()).id, first);
  EXPECT_EQ(take_event(client()).id, second);
}

TEST_F(WatchTest, GoesOnWithAGapWhenTheEngineDies) {
  ASSERT_TRUE(client().watch({}));
  Client other = connect();
  const JobId before = submit(other, {.type = "t"});
  EXPECT_EQ(take_event(client()).id, before);
  daemon_.kill_engine();
  const JobEvent gap = take_event(client());
  EXPECT_EQ(gap.kind, ChangeKind::kGap);
  EXPECT_TRUE(gap.interrupted);
  EXPECT_EQ(gap.lost, 0u);
  const JobId after = submit(other, {.type = "t"});
  EXPECT_EQ(take_event(client()).id, after);
}

TEST_F(WatchTest, GoesOnWithAGapWhenTheWholeDaemonComesBack) {
  ASSERT_TRUE(client().watch({}));
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  EXPECT_TRUE(take_event(client()).interrupted);
  Client other = connect();
  const JobId after = submit(other, {.type = "t"});
  EXPECT_EQ(take_event(client()).id, after);
}

TEST_F(WatchTest, SaysWhenThereAreAsManyAsMayBe) {
  for (size_t i = 0; i < limits::kWatchesPerSessionMax; ++i) ASSERT_TRUE(client().watch({}));
  const auto over = client().watch({});
  EXPECT_EQ(error_of(over), Error::kInvalidRequest);
  EXPECT_TRUE(has(text_of(over), "watches")) << text_of(over);
}

TEST_F(WatchTest, LeavesHalfOfThemToOtherUsers) {
  std::optional<Client> other = connect();
  Client third = connect();
  for (Client* each : {&client(), &*other})
    for (size_t i = 0; i < limits::kWatchesPerSessionMax; ++i) ASSERT_TRUE(each->watch({}));
  const auto over = third.watch({});
  EXPECT_EQ(error_of(over), Error::kUnavailable);
  EXPECT_TRUE(has(text_of(over), "32 watches")) << text_of(over);
  other.reset();
  EXPECT_TRUE(eventually([&] { return third.watch({}).has_value(); }));
}

TEST_F(WatchTest, WhoDoesOtherThingsMeanwhileLosesACountedGapAndNoAnswer) {
  ASSERT_TRUE(client().watch({}));
  Client other = connect();
  constexpr uint64_t kJobs = 60'000;  // more than all lines on the way hold
  std::vector<SubmitRequest> batch(
      1'000, SubmitRequest{.type = "t", .queue = "q", .not_before_ms = 4'000'000'000'000});
  for (uint64_t sent = 0; sent < kJobs; sent += batch.size()) {
    auto tickets = other.submit_many(batch);
    ASSERT_EQ(error_of(tickets), Error::kOk) << text_of(tickets);
    const auto flushed = other.flush(kPatience);
    ASSERT_TRUE(flushed);
    if (flushed->refused > 0) break;  // the queue is full
    // Asks, and so takes in events that it never looks at.
    EXPECT_EQ(error_of(client().health()), Error::kOk);
  }
  const uint64_t total = client().queues("q")->front().scheduled;
  uint64_t received = 0;
  uint64_t lost = 0;
  while (received + lost < total) {
    const JobEvent event = take_event(client());
    if (event.kind == ChangeKind::kGap)
      lost += event.lost;
    else
      ++received;
    ASSERT_EQ(event.number, received + lost);
  }
  EXPECT_EQ(received + lost, total);
}

}  // namespace
}  // namespace pqd::test
