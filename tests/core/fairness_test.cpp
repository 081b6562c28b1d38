// Fair turns: groups (users or ordering keys) of one rank take turns, by their weights.
#include <map>
#include <random>

#include "core/explain.h"
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

constexpr uint32_t kFlood = 2001;  // users
constexpr uint32_t kSingle = 2002;
constexpr uint32_t kThird = 2003;

BrokerOptions fair(Fairness by, QueueWeights weights = {}) {
  BrokerOptions options;
  options.defaults.fair = by;
  options.defaults.starvation_guard = 0;
  options.defaults.max_active = 0;
  options.weights["default"] = std::move(weights);
  return options;
}

struct Fair : ::testing::Test {
  explicit Fair(BrokerOptions options = fair(Fairness::kUser)) : d(std::move(options)) {}

  Driver d;
  SessionNo consumer = d.open();
  std::map<uint32_t, SessionNo> sessions;
  std::map<JobId, std::string> names;

  SessionNo of(uint32_t uid) {
    const auto [found, fresh] = sessions.try_emplace(uid, SessionNo{0});
    if (fresh) found->second = d.open(uid);
    return found->second;
  }
  JobId submit(uint32_t uid, const std::string& name, JobSpec spec = {}) {
    const JobId id = d.submit(of(uid), spec);
    EXPECT_EQ(d.refusal_of(id), Error::kOk);
    names[id] = name;
    return id;
  }
  void submit_many(uint32_t uid, const std::string& name, int count, const JobSpec& spec = {}) {
    for (int i = 0; i < count; ++i) submit(uid, name, spec);
  }
  // The next job of one consumer with one credit.
  std::string next() {
    const Delivered job = d.take_one(consumer);
    EXPECT_EQ(d.complete(consumer, job), Error::kOk);
    return names[job.id];
  }
  std::string next_many(size_t count) {
    std::string all;
    for (size_t i = 0; i < count; ++i) all += next();
    return all;
  }
};

TEST_F(Fair, UsersBacklogDelaysAnothersSingleJobByOneTurn) {
  submit_many(kFlood, "f", 50);
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(3), "fff");
  submit(kSingle, "s");
  EXPECT_EQ(next_many(3), "ffs") << "one f was in hand, one has its turn before the newcomer";
}

TEST_F(Fair, UsersTakeTurns) {
  submit_many(kFlood, "f", 4);
  submit_many(kSingle, "s", 4);
  submit_many(kThird, "t", 2);
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(10), "fstfstfsfs");
}

TEST_F(Fair, RankStillGoesFirst) {
  submit(kSingle, "s", {.priority = kPriorityLow});
  submit_many(kFlood, "f", 3, {.priority = kPriorityHigh});
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(4), "fffs");
}

TEST_F(Fair, EndUsersOfOneServiceAreUsersOfTheirOwn) {
  submit_many(kAdminUid, "a", 3, {.subject = "ann"});
  submit_many(kAdminUid, "b", 3, {.subject = "bob"});
  submit_many(kAdminUid, "-", 2);
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(8), "ab-ab-ab");
}

// What a user was given under one type counts when its jobs of another are looked at.
TEST_F(Fair, TypesShareAUsersTurns) {
  submit_many(kFlood, "x", 3, {.type = "x"});
  submit_many(kFlood, "y", 3, {.type = "y"});
  submit_many(kSingle, "s", 3, {.type = "y"});
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(9), "xsxsxsyyy");
}

TEST_F(Fair, NobodyGetsBackTheTurnsOfATimeWhenNobodyWantedItsType) {
  submit_many(kSingle, "s", 20, {.type = "unwanted"});
  submit_many(kFlood, "f", 20);
  d.subscribe(consumer, 1, {"work"});
  EXPECT_EQ(next_many(10), "ffffffffff");
  d.subscribe(consumer, 1, {"work", "unwanted"});
  EXPECT_EQ(next_many(8), "fssfsfsf")
      << "the first was in hand; the late ones have their turn, then one each";
}

TEST_F(Fair, ReleasedJobIsStillTheFirstOfItsUser) {
  submit(kFlood, "1");
  submit(kFlood, "2");
  submit(kSingle, "s");
  d.subscribe(consumer, 1);
  const Delivered first = d.take_one(consumer);
  d.release(consumer, first);
  EXPECT_EQ(next_many(3), "s12");
}

TEST_F(Fair, AgeIsThatOfWhoWaitsLongestOfAllGroups) {
  const TimeNs t0 = d.now_ns;
  const auto age = [this] { return (d.now_ns - queue_info(d.state, 0).oldest_ready_ns) / kMillisecondNs; };
  submit_many(kFlood, "f", 2);
  submit(kSingle, "s");
  d.subscribe(consumer, 2);
  const std::vector<Delivered> held = d.take(consumer);
  ASSERT_EQ(held.size(), 2u) << "one of each";
  d.command(consumer, write_unsubscribe(1));
  d.advance_ms(10'000);
  submit(kThird, "t");
  for (const Delivered& job : held) d.release(consumer, job);
  EXPECT_EQ(queue_info(d.state, 0).oldest_ready_ns, t0);
  EXPECT_EQ(age(), 10'000);
  d.advance_ms(5'000);
  for (const auto& [id, name] : names)
    if (name == "f" && id != held[0].id && id != held[1].id) d.command(of(kFlood), write_cancel(id, false));
  EXPECT_EQ(age(), 5'000) << "only those are left that came or came back later";
}

TEST_F(Fair, CancelledJobTakesNoTurn) {
  const JobId unwanted = submit(kFlood, "x");
  submit_many(kFlood, "f", 2);
  submit_many(kSingle, "s", 2);
  d.command(of(kFlood), write_cancel(unwanted, false));
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(4), "fsfs");
}

TEST_F(Fair, MayBeSetWhileJobsWait) {
  const auto set = [this](Fairness by) {
    return d.command(d.open(kAdminUid),
                     write_queue_configure("default", {.fair = by}, queue_key_bit("fair").value()));
  };
  submit_many(kFlood, "f", 6);
  submit_many(kSingle, "s", 6);
  ASSERT_EQ(set(Fairness::kOff), Error::kOk);
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(3), "fff");
  ASSERT_EQ(set(Fairness::kUser), Error::kOk);
  EXPECT_EQ(next_many(5), "ffsfs") << "the first was in hand";
  ASSERT_EQ(set(Fairness::kOff), Error::kOk);
  EXPECT_EQ(next_many(4), "ssss") << "the last f was finished";
}

struct FairBatch : Fair {
  FairBatch()
      : Fair([] {
          BrokerOptions options = fair(Fairness::kUser);
          options.defaults.batch_size = 3;
          return options;
        }()) {}
};

TEST_F(FairBatch, CollectsByUserAndTakesOneTurn) {
  const JobSpec batch{.mode = Mode::kBatch};
  submit_many(kFlood, "f", 2, batch);
  submit(kSingle, "s", batch);
  submit_many(kFlood, "f", 7, batch);
  d.advance_ms(1'000);  // the single one has waited for long enough
  submit(kThird, "t", {.mode = Mode::kFifo});
  d.subscribe(consumer, 1);
  std::string order;
  for (int batches = 0; batches < 5; ++batches) {
    const auto jobs = d.take(consumer);
    for (const Delivered& job : jobs) order += names[job.id];
    order += ' ';
    for (const Delivered& job : jobs) d.complete(consumer, job);
  }
  EXPECT_EQ(order, "fff s t fff fff ");
}

TEST_F(FairBatch, IsOneTurnToWhomWaitsBehindIt) {
  const JobSpec batch{.mode = Mode::kBatch};
  submit_many(kFlood, "f", 9, batch);
  submit(kSingle, "s", batch);
  d.advance_ms(1'000);
  submit(kThird, "t", {.mode = Mode::kFifo});
  std::map<std::string, std::vector<uint64_t>> ahead;
  for (const auto& [id, name] : names)
    ahead[name].push_back(explain(d.state, d.state.jobs.find(id), {.sees_all = true}).ahead);
  for (auto& [name, counts] : ahead) std::ranges::sort(counts);
  EXPECT_EQ(ahead["f"], (std::vector<uint64_t>{0, 1, 2, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(ahead["s"], std::vector<uint64_t>{3});
  EXPECT_EQ(ahead["t"], std::vector<uint64_t>{4});
}

struct FairWeighted : Fair {
  FairWeighted() : Fair(fair(Fairness::kUser, {{{"2001", 3}, {"500/ann", 2}}, {}})) {}
};

TEST_F(FairWeighted, UserOfWeightThreeHasThreeTurnsAgainstOne) {
  submit_many(kFlood, "f", 60);
  submit_many(kSingle, "s", 60);
  d.subscribe(consumer, 1);
  for (int round = 0; round < 15; ++round) {
    const std::string four = next_many(4);
    EXPECT_EQ(std::count(four.begin(), four.end(), 'f'), 3) << "round " << round << ": " << four;
  }
}

TEST_F(FairWeighted, EndUserIsNamedWithItsService) {
  submit_many(kAdminUid, "a", 20, {.subject = "ann"});
  submit_many(kAdminUid, "b", 20, {.subject = "bob"});
  d.subscribe(consumer, 1);
  const std::string order = next_many(15);
  EXPECT_EQ(std::count(order.begin(), order.end(), 'a'), 10) << order;
}

struct FairByKey : Fair {
  FairByKey() : Fair(fair(Fairness::kKey)) {}
};

TEST_F(FairByKey, JobsWithoutAKeyShareATurn) {
  submit_many(kFlood, "-", 10);
  submit_many(kSingle, "k", 3, {.ordering_key = "k"});
  submit_many(kSingle, "l", 3, {.ordering_key = "l"});
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(9), "-kl-kl-kl");
}

// Two new keys come with each turn. Who had its turn waits for those that were there by then, not for those
// that came since.
TEST_F(FairByKey, FloodOfNewcomersDelaysNobody) {
  submit_many(kFlood, "-", 10);
  d.subscribe(consumer, 1);
  int waiting = 0;  // newcomers
  int ahead = 0;    // of them, when `-` had its last turn
  int turns = 0;    // of `-`
  for (int turn = 0; turn < 200; ++turn) {
    for (int i = 0; i < 2; ++i, ++waiting)
      submit(kSingle, "n", {.ordering_key = std::to_string(2 * turn + i)});
    if (next() == "-") {
      ahead = waiting;
      ++turns;
    } else {
      --waiting;
      ASSERT_GE(--ahead, 0) << "turn " << turn;
    }
  }
  EXPECT_GE(turns, 5);
}

struct FairWithGuard : Fair {
  FairWithGuard()
      : Fair([] {
          BrokerOptions options = fair(Fairness::kUser);
          options.defaults.starvation_guard = 4;
          return options;
        }()) {}
};

TEST_F(FairWithGuard, LongestWaitingJobIsStillItsOwnTurn) {
  submit(kSingle, "s", {.priority = kPriorityLow});
  submit_many(kFlood, "f", 3);
  submit_many(kThird, "t", 3);
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(7), "ftfstft");
}

// A new engine knows the jobs and begins the round anew, in the order of the first jobs.
TEST_F(Fair, RoundBeginsAnewWithAnEngine) {
  submit_many(kFlood, "f", 3);
  submit_many(kSingle, "s", 3);
  d.subscribe(consumer, 1);
  EXPECT_EQ(next_many(1), "f");
  d.take_one(consumer);  // an s is in hand
  State next_state;
  next_state.timers.start(kStartNs);
  for (const Commit& commit : d.commits) {
    const auto view = read_entry(*commit.entry);
    ASSERT_TRUE(next_state.replay(commit.number, view->events, *commit.block_bytes));
  }
  Broker broker(next_state, d.store, d.broker.options());
  CommitBuilder builder(next_state.blocks, d.commits.size() + 1, d.now_ns);
  broker.begin_turn(d.now_ns, builder);
  broker.start_epoch(2);
  broker.end_turn();
  next_state.check_invariants();
  ReadyQueue& ready = next_state.queue(0).ready;
  ready.warm_all();
  const Slot first = ready.best(next_state.jobs, [](TypeNo) { return true; });
  ASSERT_NE(first, kNoSlot);
  EXPECT_EQ(names[next_state.jobs[first].id], "f");
}

// explain says how many go before: so many it must be.
class FairExplained : public ::testing::TestWithParam<int> {};

TEST_P(FairExplained, JobsAheadAreThoseThatGoBefore) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  const auto below = [&](uint64_t bound) { return random() % bound; };
  QueueWeights weights;
  for (uint32_t user = 0; user < 6; ++user)
    weights.users[std::to_string(3000 + user)] = 1 + static_cast<uint32_t>(below(4));
  Driver d(fair(Fairness::kUser, weights));
  const SessionNo consumer = d.open();
  std::vector<SessionNo> users;
  for (uint32_t user = 0; user < 6; ++user) users.push_back(d.open(3000 + user));
  const auto submit = [&] {
    return d.submit(users[below(1 + below(users.size()))],
                    {.type = below(2) == 0 ? "a" : "b", .priority = static_cast<uint8_t>(4 + below(3))});
  };
  for (int i = 0; i < 30; ++i) submit();
  // In every second world some users are passed over for a while, because nobody takes what they have.
  const bool passed_over = GetParam() % 2 != 0;
  d.subscribe(consumer, 1,
              passed_over ? std::vector<std::string_view>{"a"} : std::vector<std::string_view>{});
  for (int i = 0; i < (passed_over ? 5 : 10); ++i) d.complete(consumer, d.take_one(consumer));
  d.subscribe(consumer, 1);
  std::vector<JobId> asked;
  for (int i = 0; i < 10; ++i) asked.push_back(submit());
  std::map<JobId, uint64_t> ahead;
  for (const JobId& id : asked) ahead[id] = explain(d.state, d.state.jobs.find(id), {.sees_all = true}).ahead;
  d.complete(consumer, d.take_one(consumer));
  for (uint64_t place = 0;; ++place) {
    const auto jobs = d.take(consumer);
    if (jobs.empty()) break;
    const auto found = ahead.find(jobs[0].id);
    EXPECT_EQ(found == ahead.end() ? place : found->second, place);
    d.complete(consumer, jobs[0]);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FairExplained, ::testing::Range(0, 20));

}  // namespace
}  // namespace pqd::test
