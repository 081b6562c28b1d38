// The client of a daemon with several partitions: a session for each that it uses, and one daemon to look at.
#include "core/partition.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>

#include "tests/bindings/false_daemon.h"
#include "tests/bindings/fixtures.h"
#include "tests/support/forked.h"

namespace pqd::test {
namespace {

constexpr uint32_t kPartitions = 2;

// A queue of this partition; another one for each `which`.
std::string queue_in(PartitionNo partition, int which = 0) {
  for (int i = 0;; ++i) {
    std::string name = "q" + std::to_string(i);
    if (partition_of(name, kPartitions) == partition && which-- == 0) return name;
  }
}
const std::string kFirst = queue_in(0);
const std::string kSecond = queue_in(1);

class WithPartitions : public WithClient {
 protected:
  explicit WithPartitions(const std::string& more = {})
      : WithClient("[engine]\npartitions = 2\n[queues.defaults]\nmax_active = 0\nbackoff = \"1ms\"\n" +
                   more) {}

  // Jobs of both, in turns, in the order of submission.
  std::vector<JobId> submit_in_turns(int count) {
    std::vector<JobId> ids;
    for (int i = 0; i < count; ++i)
      ids.push_back(submit({.type = "t", .queue = i % 2 == 0 ? kFirst : kSecond}));
    return ids;
  }
  void fail_all(Client& by, int count) {
    for (int i = 0; i < count; ++i) {
      const DeliveredJob job = take(by);
      EXPECT_EQ(decided(by, by.fail(job, "no good", false)), Error::kOk);
    }
  }
};

TEST_F(WithPartitions, HasJobsInEachAndIdsThatLeadToThem) {
  const JobId first = submit({.type = "t", .queue = kFirst});
  const JobId second = submit({.type = "t", .queue = kSecond});
  EXPECT_EQ(partition_of_tag(first.tag(), kPartitions), 0);
  EXPECT_EQ(partition_of_tag(second.tag(), kPartitions), 1);
  EXPECT_EQ(look(first).queue, kFirst);
  EXPECT_EQ(look(second).queue, kSecond);
  // Who has not submitted them finds them as well, and tells them to end.
  Client other = connect();
  EXPECT_EQ(other.get(second)->queue, kSecond);
  EXPECT_EQ(error_of(other.explain(first)), Error::kOk);
  EXPECT_EQ(error_of(other.cancel(second)), Error::kOk);
  EXPECT_EQ(state(second), JobState::kCancelled);
  EXPECT_EQ(state(first), JobState::kPending);
}

TEST_F(WithPartitions, DoesNotKnowIdsOfPartitionsThatAreNotThere) {
  const JobId nobodys = JobId::make(1'700'000'000'000, make_tag(1, 5, 64), 1, 1);
  EXPECT_EQ(error_of(client().get(nobodys)), Error::kNotFound);
  EXPECT_EQ(error_of(client().cancel(nobodys)), Error::kNotFound);
  const std::vector<JobId> some{nobodys, submit({.type = "t", .queue = kFirst})};
  EXPECT_EQ(client().purge_many(some)->gone, 2u);
}

TEST_F(WithPartitions, WaitsForTicketsOfEachAndFlushesAll) {
  std::vector<Ticket> tickets;
  for (int i = 0; i < 100; ++i)
    tickets.push_back(client().submit({.type = "t", .queue = i % 2 == 0 ? kFirst : kSecond}).value());
  for (const Ticket& ticket : tickets) {
    const auto outcome = client().wait(ticket, kPatience);
    ASSERT_TRUE(outcome) << text_of(outcome);
    EXPECT_EQ(outcome->id, ticket.id);
    EXPECT_TRUE(client().poll(ticket)->has_value());
  }
  const std::vector<SubmitRequest> many(3, {.type = "t", .queue = kSecond});
  EXPECT_EQ(client().submit_many(many)->size(), 3u);
  EXPECT_EQ(client().flush(kPatience)->refused, 0u);
  EXPECT_EQ(client().counters().submitted, 103u);
  Ticket foreign = tickets.back();
  foreign.partition = 7;
  EXPECT_EQ(error_of(client().wait(foreign, kPatience)), Error::kInvalidRequest);
}

TEST_F(WithPartitions, FlushCountsTheRefusalsOfAll) {
  for (const std::string& queue : {kFirst, kSecond}) {
    submit({.type = "t", .queue = queue});
    ASSERT_TRUE(client().queue_control(QueueAction::kDrain, queue));
    ASSERT_TRUE(client().submit({.type = "t", .queue = queue}));
  }
  const auto report = client().flush(kPatience);
  EXPECT_EQ(report->refused, 2u);
  EXPECT_EQ(report->first, Error::kUnavailable);
}

TEST_F(WithPartitions, TakesJobsOfAllInTurnsAndSettlesEachWhereItCameFrom) {
  submit_in_turns(8);
  Client worker = connect();
  const auto a = worker.subscribe({.queue = kFirst, .credits = 4});
  const auto b = worker.subscribe({.queue = kSecond, .credits = 4});
  ASSERT_TRUE(a && b);
  EXPECT_NE(*a, *b);
  ASSERT_TRUE(eventually([&] {
    return client().queues(kFirst)->front().active == 4 && client().queues(kSecond)->front().active == 4;
  }));
  EXPECT_TRUE(worker.health()) << "all are there";
  std::string order;
  for (int i = 0; i < 8; ++i) {
    const DeliveredJob job = take(worker);
    EXPECT_EQ(job.subscription(), job.queue() == kFirst ? *a : *b);
    order += job.queue() == kFirst ? 'a' : 'b';
    EXPECT_EQ(decided(worker, worker.complete(job)), Error::kOk);
    EXPECT_EQ(decided(worker, worker.complete(job)), Error::kLeaseLost);
  }
  EXPECT_TRUE(order == "abababab" || order == "babababa") << order;
  EXPECT_EQ(worker.counters().deliveries, 8u);
  ASSERT_TRUE(worker.unsubscribe(*a));
  EXPECT_EQ(error_of(worker.unsubscribe(*a)), Error::kNotFound);
  submit({.type = "t", .queue = kSecond});
  EXPECT_EQ(take(worker).queue(), kSecond);
}

TEST_F(WithPartitions, WakesFromOneWaitForAJobOfAny) {
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.queue = kFirst}) && worker.subscribe({.queue = kSecond}));
  for (const std::string& queue : {kFirst, kSecond, kSecond, kFirst}) {
    Forked child([&, socket = daemon_.socket()](const Forked::Say&) {
      auto own = Client::connect({.socket = socket});
      return own && own->submit({.type = "t", .queue = queue}) && own->flush(kPatience) ? 0 : 1;
    });
    const DeliveredJob job = take(worker);
    EXPECT_EQ(job.queue(), queue);
    EXPECT_EQ(decided(worker, worker.complete(job)), Error::kOk);
    EXPECT_EQ(child.wait(), 0);
  }
}

TEST_F(WithPartitions, WakesAnEventLoopForAny) {
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.queue = kFirst}));
  const int fd = worker.fd();
  ASSERT_GE(fd, 0);
  // This session comes after the descriptor.
  ASSERT_TRUE(worker.subscribe({.queue = kSecond}));
  for (const std::string& queue : {kSecond, kFirst, kSecond}) {
    ASSERT_TRUE(eventually([&] {
      const auto alive = worker.process();
      EXPECT_TRUE(alive) << text_of(alive);
      return worker.arm();
    }));
    submit({.type = "t", .queue = queue});
    pollfd wanted{fd, POLLIN, 0};
    ASSERT_EQ(::poll(&wanted, 1, static_cast<int>(kWatchdog.count())), 1) << "slept through";
    ASSERT_TRUE(eventually([&] {
      EXPECT_TRUE(worker.process());
      return !worker.arm();
    }));
    const DeliveredJob job = take(worker);
    EXPECT_EQ(job.queue(), queue);
    EXPECT_EQ(decided(worker, worker.complete(job)), Error::kOk);
  }
  EXPECT_EQ(worker.fd(), fd) << "one descriptor for life";
}

TEST_F(WithPartitions, LetsAnEventLoopSleepWhoseFirstQueueIsInAnotherThanConnectCameTo) {
  ASSERT_GE(client().fd(), 0);
  submit({.type = "t", .queue = kSecond});
  EXPECT_TRUE(falls_asleep(client())) << "woken for nothing";
}

TEST_F(WithPartitions, ListsJobsOfAllNewestFirstPageByPage) {
  std::vector<JobId> ids = submit_in_turns(11);
  std::ranges::sort(ids, std::greater());
  std::vector<JobId> listed;
  ListFilter filter{.limit = 3};
  for (;;) {
    const auto page = client().list(filter);
    ASSERT_TRUE(page) << text_of(page);
    for (const JobInfo& job : *page) listed.push_back(job.core.id);
    if (page->size() < filter.limit) break;
    filter.older_than = page->back().core.id;
  }
  EXPECT_EQ(listed, ids);
  EXPECT_EQ(client().list({.queue = kSecond})->size(), 5u);
}

TEST_F(WithPartitions, ListsDeadLettersOfAllInEitherOrder) {
  const std::vector<JobId> ids = submit_in_turns(7);
  ASSERT_TRUE(client().subscribe({.queue = kFirst}) && client().subscribe({.queue = kSecond}));
  fail_all(client(), 7);
  const auto newest = client().dlq({.limit = 5});
  ASSERT_TRUE(newest) << text_of(newest);
  ASSERT_EQ(newest->size(), 5u);
  EXPECT_EQ(newest->front().core.id, *std::ranges::max_element(ids));
  EXPECT_FALSE(newest->front().history.empty());
  std::vector<JobId> walked;
  ListFilter filter{.limit = 2, .newer_than = 0};
  for (;;) {
    const auto page = client().dlq(filter);
    ASSERT_TRUE(page) << text_of(page);
    for (const JobInfo& job : *page) walked.push_back(job.core.id);
    if (page->size() < filter.limit) break;
    filter.newer_than = page->back().core.no;
  }
  EXPECT_EQ(std::set(walked.begin(), walked.end()), std::set(ids.begin(), ids.end()));
  EXPECT_EQ(walked.size(), ids.size()) << "each once";
  EXPECT_EQ(client().redrive_many(walked)->done, 7u);
  EXPECT_EQ(client().redrive_many(walked)->gone, 7u);
}

TEST_F(WithPartitions, ShowsAllQueuesByNameAndEachOnce) {
  submit_in_turns(2);
  submit({.type = "t"});
  const auto queues = client().queues();
  ASSERT_TRUE(queues) << text_of(queues);
  std::vector<std::string> names;
  for (const QueueInfo& queue : *queues) names.push_back(queue.name);
  std::vector<std::string> wanted{"default", kFirst, kSecond};
  std::ranges::sort(wanted);
  EXPECT_EQ(names, wanted);
  ASSERT_TRUE(client().queue_control(QueueAction::kPause, kSecond));
  EXPECT_TRUE(client().queues(kSecond)->front().paused);
  EXPECT_FALSE(client().queues(kFirst)->front().paused);
  EXPECT_EQ(error_of(client().queues("nowhere")), Error::kNotFound);
}

TEST_F(WithPartitions, AddsUpHealthAndFigures) {
  submit_in_turns(6);
  EXPECT_EQ(client().health()->queue_depth, 6u);
  ASSERT_TRUE(client().subscribe({.queue = kFirst}) && client().subscribe({.queue = kSecond}));
  for (int i = 0; i < 6; ++i) {
    const DeliveredJob job = take(client());
    EXPECT_EQ(decided(client(), client().complete(job)), Error::kOk);
  }
  const auto health = client().health();
  ASSERT_TRUE(health) << text_of(health);
  EXPECT_EQ(health->queue_depth, 0u);
  EXPECT_EQ(health->completed_recent, 6u);
  EXPECT_EQ(health->waits_recent, 6u);
  EXPECT_TRUE(health->healthy);
  std::vector<MetricsInfo> figures;
  // They are answered from the store, which the next checkpoint brings up to date.
  ASSERT_TRUE(eventually([&] {
    figures = client().metrics({.by_queue = true, .by_type = true}).value();
    return figures.front().counts.completed == 6;
  }));
  ASSERT_EQ(figures.size(), 4u);
  EXPECT_EQ(figures[0].wait.count, 6u);
  EXPECT_EQ(figures[1].counts.submitted, 3u);
  EXPECT_EQ(figures[3].by, MetricsBy::kType);
  EXPECT_EQ(figures[3].counts.completed, 6u) << "one type, in both";
  EXPECT_EQ(client().metrics({.queue = kSecond})->front().counts.completed, 3u);
  submit({.type = "rare", .queue = kSecond});
  EXPECT_TRUE(eventually([&] {
    const auto rare = client().metrics({.type = "rare"});
    return rare && rare->front().counts.submitted == 1;
  })) << "what one partition has never heard of";
}

TEST_F(WithPartitions, HasOneListOfSchedules) {
  const auto wanted = [](std::string_view name, std::string_view queue, bool replace = false) {
    return ScheduleRequest{
        .name = name, .spec = "@hourly", .job = {.type = "t", .queue = queue}, .replace = replace};
  };
  ASSERT_TRUE(client().cron_set(wanted("b", kFirst)) && client().cron_set(wanted("a", kSecond)));
  EXPECT_EQ(error_of(client().cron_set(wanted("a", kFirst))), Error::kDuplicateRequest);
  auto list = client().cron_list();
  ASSERT_TRUE(list && list->size() == 2u);
  EXPECT_EQ(list->at(0).name, "a");
  EXPECT_EQ(list->at(1).name, "b");
  EXPECT_TRUE(client().cron_set(wanted("a", kFirst, true)));
  list = client().cron_list("a");
  ASSERT_TRUE(list && list->size() == 1u) << "it moved";
  EXPECT_EQ(list->front().queue, kFirst);
  EXPECT_TRUE(client().cron_remove("b"));
  EXPECT_EQ(error_of(client().cron_remove("b")), Error::kNotFound);
  EXPECT_EQ(error_of(client().cron_list("b")), Error::kNotFound);
}

TEST_F(WithPartitions, FindsTheRunsOfSchedules) {
  for (const std::string& queue : {kFirst, kSecond}) {
    ASSERT_TRUE(
        client().cron_set({.name = "tick", .spec = "@every 1s", .job = {.type = "t", .queue = queue}}));
    const auto number = client().subscribe({.queue = queue});
    const DeliveredJob job = take(client());
    EXPECT_EQ(look(job.id()).queue, queue);
    EXPECT_EQ(decided(client(), client().complete(job)), Error::kOk);
    EXPECT_EQ(partition_of_tag(client().cron_list("tick")->front().last_id.tag(), kPartitions),
              partition_of(queue, kPartitions));
    EXPECT_TRUE(client().cron_remove("tick") && client().unsubscribe(*number));
  }
}

TEST_F(WithPartitions, TellsChangesOfAllThroughOneWatch) {
  const auto number = client().watch({});
  ASSERT_TRUE(number) << text_of(number);
  Client other = connect();
  std::vector<JobId> ids;
  for (int i = 0; i < 6; ++i)
    ids.push_back(submit(other, {.type = "t", .queue = i % 2 == 0 ? kFirst : kSecond}));
  std::set<JobId> told;
  for (uint64_t i = 1; i <= ids.size(); ++i) {
    const auto event = client().next_event(kPatience);
    ASSERT_TRUE(event && *event) << text_of(event);
    EXPECT_EQ((*event)->number, i) << "counted together";
    EXPECT_EQ((*event)->watch, *number);
    told.insert((*event)->id);
  }
  EXPECT_EQ(told, std::set(ids.begin(), ids.end()));
  const auto recent = client().recent_events({.last = 4});
  ASSERT_TRUE(recent) << text_of(recent);
  ASSERT_EQ(recent->size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(recent->at(i).id, ids[i + 2]);
  EXPECT_EQ(error_of(client().unwatch(*number)), Error::kOk);
  EXPECT_EQ(error_of(client().unwatch(*number)), Error::kNotFound);
  submit(other, {.type = "t", .queue = kSecond});
  EXPECT_EQ(error_of(client().health()), Error::kOk);
  EXPECT_FALSE(client().next_event(Milliseconds(0))->has_value());
}

TEST_F(WithPartitions, WatchesOneQueueOrOneJobWhereItIs) {
  const JobId job = submit({.type = "t", .queue = kSecond});
  const auto of_job = client().watch({.job = job});
  const auto of_queue = client().watch({.queue = kFirst});
  ASSERT_TRUE(of_job && of_queue);
  submit({.type = "t", .queue = kFirst});
  const auto submitted = client().next_event(kPatience);
  ASSERT_TRUE(submitted && *submitted);
  EXPECT_EQ((*submitted)->watch, *of_queue);
  ASSERT_TRUE(client().cancel(job));
  const auto cancelled = client().next_event(kPatience);
  ASSERT_TRUE(cancelled && *cancelled);
  EXPECT_EQ((*cancelled)->watch, *of_job);
  EXPECT_EQ((*cancelled)->kind, ChangeKind::kCancelled);
}

TEST_F(WithPartitions, GoesOnInEachAfterTheDaemonsDeath) {
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.queue = kFirst}) && worker.subscribe({.queue = kSecond}));
  submit_in_turns(2);
  std::vector<DeliveredJob> in_hand;
  for (int i = 0; i < 2; ++i) in_hand.push_back(take(worker));
  ASSERT_TRUE(daemon_.freeze_engine());
  std::vector<Ticket> tickets;
  for (int i = 0; i < 50; ++i)
    tickets.push_back(client().submit({.type = "u", .queue = i % 2 == 0 ? kFirst : kSecond}).value());
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  for (const DeliveredJob& job : in_hand) EXPECT_EQ(decided(worker, worker.complete(job)), Error::kOk);
  for (const Ticket& ticket : tickets) {
    const auto outcome = client().wait(ticket, kPatience);
    EXPECT_TRUE(outcome) << text_of(outcome);
  }
  EXPECT_EQ(worker.counters().reconnects, 2u);
  EXPECT_EQ(client().list({.type = "u", .limit = 1'000})->size(), 50u);
  EXPECT_EQ(take(worker).type(), "u");
}

TEST_F(WithPartitions, KeepsTicketsAndJobsInHandAfterADeathWithNothingUnderWay) {
  const Ticket ticket = client().submit({.type = "t", .queue = kFirst}).value();
  ASSERT_TRUE(client().wait(ticket, kPatience));
  Client worker = connect();
  const auto number = worker.subscribe({.queue = kFirst});
  const DeliveredJob job = take(worker);
  ASSERT_TRUE(worker.unsubscribe(*number));
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  for (Client* const one : {&client(), &worker}) {
    ASSERT_TRUE(reconnects(*one));
    submit(*one, {.type = "t", .queue = kSecond});
  }
  const auto outcome = client().wait(ticket, kPatience);
  EXPECT_TRUE(outcome) << text_of(outcome);
  EXPECT_EQ(decided(worker, worker.complete(job)), Error::kOk);
}

class BeforeAFullPartition : public WithPartitions {
 protected:
  BeforeAFullPartition()
      : WithPartitions("[queue." + kFirst + "]\nmax_depth = 1\nadmission_timeout = \"1h\"\n") {}
};

TEST_F(BeforeAFullPartition, LooksAfterAllSessionsWhileItPollsForATicketOfOne) {
  submit({.type = "t", .queue = kFirst});
  submit({.type = "t", .queue = kSecond});
  Client worker = connect();
  ASSERT_TRUE(worker.subscribe({.queue = kSecond}));
  const DeliveredJob job = take(worker);
  const auto waiting = worker.submit({.type = "t", .queue = kFirst});
  ASSERT_TRUE(waiting) << text_of(waiting);
  EXPECT_EQ(error_of(worker.wait(*waiting, kNotAtAll)), Error::kRequestTimeout);
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  EXPECT_TRUE(eventually([&] {
    const auto polled = worker.poll(*waiting);
    EXPECT_TRUE(polled && !*polled) << text_of(polled);
    return worker.counters().reconnects == 2;
  }));
  EXPECT_EQ(decided(worker, worker.complete(job)), Error::kOk);
}

TEST_F(WithPartitions, OpensTheSecondSessionWhenTheDaemonIsBack) {
  Forked child([socket = daemon_.socket()](const Forked::Say& say) {
    auto own = Client::connect({.socket = socket, .submit_timeout_ms = 1});
    if (!own || !own->submit({.type = "t", .queue = kFirst}) || !own->flush(kPatience)) return 1;
    say("has one");
    if (!eventually([&] { return !Client::connect({.socket = socket}); })) return 2;
    say("is alone");
    const auto ticket = own->submit({.type = "t", .queue = kSecond});
    return ticket && own->wait(*ticket, kPatience) ? 0 : 3;
  });
  ASSERT_EQ(child.hear(), "has one");
  daemon_.kill();
  ASSERT_EQ(child.hear(), "is alone");
  ASSERT_TRUE(daemon_.start());
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(client().list({})->size(), 2u);
}

class WithRoomForOneSession : public WithPartitions {
 protected:
  WithRoomForOneSession() : WithPartitions("[daemon]\nsessions_max = 1\n") {}
};

TEST_F(WithRoomForOneSession, NeedsOneForOneQueueWhereverThatIs) {
  for (int i = 0; i < 3; ++i) {
    const JobId id = submit({.type = "t", .queue = kSecond});
    EXPECT_EQ(client().get(id)->queue, kSecond);
    ASSERT_TRUE(client().subscribe({.queue = kSecond}));
    EXPECT_EQ(decided(client(), client().complete(take(client()))), Error::kOk);
    client_.reset();
    ASSERT_TRUE(eventually([&] {
      auto next = Client::connect({.socket = daemon_.socket()});
      if (next) client_.emplace(std::move(*next));
      return next.has_value();
    }));
  }
}

TEST_F(WithRoomForOneSession, NeedsOneAlsoWhenTheDaemonDiedBeforeTheFirstUse) {
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  ASSERT_TRUE(reconnects(client()));
  submit({.type = "t", .queue = kSecond});
}

// The daemon is away for the first attempt and there for the next: whose that is has the session.
TEST_F(WithRoomForOneSession, HasItWhereItIsWantedWhenTheDaemonWasAwayForAMoment) {
  const TempDir directory;
  const std::string path = directory.path("pqd.sock");
  const FalseDaemon away(
      [&](int socket) {
        lead(path, daemon_.socket());
        EXPECT_TRUE(send_refusal(socket, static_cast<uint8_t>(Error::kUnavailable), "not yet", kWatchdog));
      },
      SOCK_SEQPACKET);
  client_.reset();
  lead(path, daemon_.socket());
  std::optional<Client> one;
  ASSERT_TRUE(eventually([&] {
    auto connected = Client::connect({.socket = path, .reconnect_timeout_ms = 2'000});
    if (connected) one.emplace(std::move(*connected));
    return connected.has_value();
  }));
  lead(path, away.socket());
  const auto ticket = one->submit({.type = "t", .queue = kSecond});
  ASSERT_TRUE(ticket) << text_of(ticket);
  EXPECT_EQ(error_of(one->wait(*ticket, kPatience)), Error::kOk);
  EXPECT_EQ(one->counters().reconnects, 0u) << "the session that was left";
}

}  // namespace
}  // namespace pqd::test
