// The limit of submits per user: exact at its boundary, charged for what was taken alone, the same in every
// fold.
#include "core/rate_limit.h"

#include <map>
#include <random>

#include "core/event_codec.h"
#include "tests/core/driver.h"

namespace pqd::test {
namespace {

BrokerOptions limited(uint32_t per_minute) {
  BrokerOptions options;
  options.rate_limit = per_minute;
  options.defaults.max_active = 0;
  return options;
}

TEST(RateLimitTest, ConformsExactlyFromTheTimeItSays) {
  const RateLimit limit(6);  // one in ten seconds
  TimeNs tat = 0;
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(limit.wait_ns(tat, kStartNs, 1), 0);
    tat = limit.charged(tat, kStartNs, 1);
  }
  EXPECT_EQ(limit.wait_ns(tat, kStartNs, 1), 10 * kSecondNs);
  EXPECT_EQ(limit.wait_ns(tat, kStartNs + 10 * kSecondNs - 1, 1), 1);
  EXPECT_EQ(limit.wait_ns(tat, kStartNs + 10 * kSecondNs, 1), 0);
  EXPECT_EQ(limit.wait_ns(tat, kStartNs, 6), 60 * kSecondNs) << "the whole burst";
  EXPECT_EQ(limit.wait_ns(tat, kStartNs + 60 * kSecondNs, 7), std::nullopt) << "more than ever fit";
  EXPECT_EQ(limit.refunded(limit.charged(tat, kStartNs, 3), 3), tat);
}

TEST(RateLimitTest, OverHoursNobodyGetsMoreThanTheBurstAndTheRate) {
  for (const uint32_t per_minute : {1u, 7u, 60u, 1'000u}) {
    const RateLimit limit(per_minute);
    TimeNs tat = 0;
    uint64_t taken = 0;
    constexpr int kMinutes = 30;
    for (TimeNs at = 0; at < kMinutes * 60 * kSecondNs; at += 37 * kMillisecondNs) {
      if (limit.wait_ns(tat, kStartNs + at, 1) != 0) continue;
      tat = limit.charged(tat, kStartNs + at, 1);
      ++taken;
    }
    EXPECT_LE(taken, uint64_t{per_minute} * (kMinutes + 1));
    EXPECT_GE(taken, uint64_t{per_minute} * kMinutes);
  }
}

TEST(RateTableTest, ForgetsWhatIsOverAndTheEarliestOfTooMany) {
  RateTable table;
  table.set({1, ""}, 100, 50);
  table.set({2, ""}, 200, 150);
  EXPECT_EQ(table.tat({1, ""}), 0) << "over";
  EXPECT_EQ(table.size(), 1u);
  for (uint32_t uid = 10; uid < 10 + RateTable::kUsersMax; ++uid) table.set({uid, "s"}, 1'000 + uid, 150);
  EXPECT_EQ(table.size(), RateTable::kUsersMax);
  EXPECT_EQ(table.tat({2, ""}), 0) << "the earliest";
  EXPECT_EQ(table.tat({10, "s"}), 1'010);
}

TEST(RateTableTest, ForgetsTheEarliestOfTooManyByWhereTheyHaveMoved) {
  RateTable table;
  for (uint32_t uid = 0; uid < RateTable::kUsersMax; ++uid) table.set({uid, ""}, 1'000 + uid, 1);
  table.set({0, ""}, 900'000, 1);
  table.set({1, ""}, 800'000, 1);
  table.set({5, ""}, 1'001, 1);
  table.set({1'000'000, ""}, 700'000, 1);
  EXPECT_EQ(table.tat({5, ""}), 0) << "given back until it was the earliest";
  EXPECT_EQ(table.tat({0, ""}), 900'000);
  EXPECT_EQ(table.tat({1, ""}), 800'000);
}

TEST(RateTableTest, KnowsWhatAListWithoutOrderWould) {
  std::mt19937 random(11);
  RateTable table;
  std::map<RateUser, TimeNs> list;
  TimeNs now = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += static_cast<TimeNs>(random() % 4);
    const RateUser user{static_cast<uint32_t>(random() % 9), random() % 2 == 0 ? "" : "s"};
    const TimeNs tat = now + static_cast<TimeNs>(random() % 60) - 5;
    table.set(user, tat, now);
    list[user] = tat;
    std::erase_if(list, [now](const auto& entry) { return entry.second <= now; });
    std::map<RateUser, TimeNs> known;
    table.for_each([&known](const RateUser& who, TimeNs its) { known[who] = its; });
    ASSERT_EQ(known, list) << "after " << i;
  }
}

TEST(RateTableTest, BytesDoNotShowWhenSomethingWasForgotten) {
  RateTable early;
  RateTable late;
  for (RateTable* table : {&early, &late}) {
    table->set({1, "ann"}, 100, 10);
    table->set({2, "bob"}, 900, 10);
  }
  early.set({3, ""}, 150, 150);
  const auto bytes = [](const RateTable& table) {
    Bytes out;
    ByteWriter writer(out);
    table.encode(writer, 150);
    return out;
  };
  EXPECT_EQ(bytes(early), bytes(late));
  RateTable read;
  const Bytes written = bytes(late);
  ByteReader reader(written);
  read.decode(reader, 150);
  EXPECT_EQ(bytes(read), written);
  EXPECT_EQ(read.tat({2, "bob"}), 900);
}

TEST(RateLimited, RefusesWithTheTimeAfterWhichItTakes) {
  Driver d(limited(3));
  const SessionNo user = d.open();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(d.refusal_of(d.submit(user)), Error::kOk);
  const JobId refused = d.submit(user);
  EXPECT_EQ(d.refusal_of(refused), Error::kRateLimitExceeded);
  EXPECT_EQ(d.receipt_of(refused)->retry_after_ms, 20'000u);
  d.advance_ms(19'999);
  EXPECT_EQ(d.refusal_of(d.submit(user)), Error::kRateLimitExceeded) << "refusals cost nothing";
  d.advance_ms(1);
  EXPECT_EQ(d.refusal_of(d.submit(user)), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(user)), Error::kRateLimitExceeded);
}

TEST(RateLimited, WritesTheLastWordOnEachUserOnceATurnHoweverManySubmits) {
  Driver d(limited(10));
  const SessionNo one = d.open(1'001);
  const SessionNo other = d.open(1'002);
  std::vector<JobId> ids;
  for (int i = 0; i < 12; ++i) ids.push_back(d.next_id(i % 4 == 3 ? other : one));
  d.turn([&](CommitBuilder& commit) {
    for (size_t i = 0; i < ids.size(); ++i) d.put(commit, i % 4 == 3 ? other : one, ids[i], {});
  });
  std::map<uint32_t, std::vector<TimeNs>> charged;
  const auto hear = [&charged](const auto& event) {
    if constexpr (std::is_same_v<std::decay_t<decltype(event)>, RateCharged>)
      charged[event.uid].push_back(event.tat_ns - kStartNs);
  };
  ByteReader reader(read_entry(*d.commits.back().entry)->events);
  while (reader.remaining() > 0) ASSERT_TRUE(decode_event(reader, hear));
  EXPECT_EQ(charged, (std::map<uint32_t, std::vector<TimeNs>>{{1'001, {9 * 6 * kSecondNs}},
                                                              {1'002, {3 * 6 * kSecondNs}}}));
  for (const JobId& id : ids) EXPECT_EQ(d.refusal_of(id), Error::kOk);
}

TEST(RateLimited, CountsWithinATurnWhatTheTurnHasTaken) {
  Driver d(limited(3));
  const SessionNo user = d.open();
  std::vector<JobId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(d.next_id(user));
  d.turn([&](CommitBuilder& commit) {
    for (const JobId& id : ids) d.put(commit, user, id, {});
  });
  for (size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(d.refusal_of(ids[i]), i < 3 ? Error::kOk : Error::kRateLimitExceeded) << i;
}

TEST(RateLimited, IsEachUsersOwnOverAllItsSessions) {
  Driver d(limited(1));
  EXPECT_EQ(d.refusal_of(d.submit(d.open(1'000))), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(d.open(1'000))), Error::kRateLimitExceeded);
  EXPECT_EQ(d.refusal_of(d.submit(d.open(1'001))), Error::kOk);
}

TEST(RateLimited, DaemonsUserAndRootAreNotUnlessInSomebodysName) {
  Driver d(limited(1));
  const SessionNo admin = d.open(kAdminUid);
  const SessionNo root = d.open(0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(d.refusal_of(d.submit(admin)), Error::kOk);
    EXPECT_EQ(d.refusal_of(d.submit(root)), Error::kOk);
  }
  EXPECT_EQ(d.refusal_of(d.submit(admin, {.subject = "ann"})), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(admin, {.subject = "ann"})), Error::kRateLimitExceeded);
  EXPECT_EQ(d.refusal_of(d.submit(admin, {.subject = "bob"})), Error::kOk);
}

TEST(RateLimited, ServicesThatAreNamedAsUsersAreNotUnlessALimitNamesThem) {
  BrokerOptions options = limited(1);
  AccessRule produces;
  produces.produces.push_back(NamePattern::everything());
  options.access.users = {{1'000, produces}, {1'001, produces}};
  options.access.groups = {{50, produces}};
  options.user_rates["1001"] = 2;
  Driver d(options);
  const SessionNo service = d.open(1'000);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(d.refusal_of(d.submit(service)), Error::kOk);
  const SessionNo limited_one = d.open(1'001);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(d.refusal_of(d.submit(limited_one)), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(limited_one)), Error::kRateLimitExceeded);
  const SessionNo member = d.open(1'002, {50});
  EXPECT_EQ(d.refusal_of(d.submit(member)), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(member)), Error::kRateLimitExceeded);
}

TEST(RateLimited, ChargesNeitherDuplicatesNorRefusedSubmits) {
  Driver d(limited(2));
  const SessionNo user = d.open();
  const JobId first = d.submit(user);
  for (int i = 0; i < 5; ++i) d.submit_as(user, first, {.flags = kFlagResubmitted});
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(d.refusal_of(d.submit(user, {.priority = 0})), Error::kInvalidPriority);
  EXPECT_EQ(d.refusal_of(d.submit(user)), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(user)), Error::kRateLimitExceeded);
}

TEST(RateLimited, SubmitThatFindsNoRoomInTimeIsGivenBack) {
  BrokerOptions options = limited(2);
  options.defaults.max_depth = 1;
  Driver d(options);
  const SessionNo user = d.open();
  d.submit(user);
  const JobId parked = d.submit(user);
  EXPECT_EQ(d.core(parked).pending, Pending::kParked);
  EXPECT_EQ(d.refusal_of(d.submit(user)), Error::kRateLimitExceeded);
  d.advance_ms(5'000);
  EXPECT_EQ(d.refusal_of(parked), Error::kQueueFull);
  d.submit(user, {.queue = "other"});
  EXPECT_EQ(d.refusal_of(d.submit(user, {.queue = "other"})), Error::kRateLimitExceeded)
      << "one was given back";
}

TEST(RateLimited, BatchCostsItsJobsAllOrNone) {
  Driver d(limited(4));
  const SessionNo user = d.open();
  d.submit(user);
  const auto too_many = d.submit_batch(user, std::vector<JobSpec>(4));
  for (const JobId& id : too_many) {
    EXPECT_EQ(d.refusal_of(id), Error::kRateLimitExceeded);
    EXPECT_EQ(d.receipt_of(id)->retry_after_ms, 15'000u);
  }
  for (const JobId& id : d.submit_batch(user, std::vector<JobSpec>(3)))
    EXPECT_EQ(d.refusal_of(id), Error::kOk);
  EXPECT_EQ(d.refusal_of(d.submit(user)), Error::kRateLimitExceeded);
  const auto never = d.submit_batch(user, std::vector<JobSpec>(5));
  EXPECT_EQ(d.refusal_of(never.front()), Error::kRateLimitExceeded);
  EXPECT_EQ(d.receipt_of(never.front())->retry_after_ms, 0u) << "no time after which it would fit";
}

// How many of ten submits are taken at once.
int taken_of_ten(Driver& d, uint32_t uid, const std::string& subject = {}) {
  const SessionNo session = d.open(uid);
  int taken = 0;
  for (int i = 0; i < 10; ++i) taken += d.refusal_of(d.submit(session, {.subject = subject})) == Error::kOk;
  return taken;
}

TEST(RateLimited, MayBeAnotherForAUserAnEndUserOrAllEndUsersOfOne) {
  BrokerOptions options = limited(4);
  options.user_rates = {{"1001", 7}, {"1002", 0}, {"500", 5}, {"500/*", 2}, {"500/ann", 6}};
  Driver d(options);
  EXPECT_EQ(taken_of_ten(d, 1000), 4) << "not named";
  EXPECT_EQ(taken_of_ten(d, 1001), 7);
  EXPECT_EQ(taken_of_ten(d, 1002), 10) << "0 = unlimited";
  EXPECT_EQ(taken_of_ten(d, kAdminUid), 5) << "the daemon's own user, because it is named";
  EXPECT_EQ(taken_of_ten(d, kAdminUid, "ann"), 6);
  EXPECT_EQ(taken_of_ten(d, kAdminUid, "bob"), 2);
  EXPECT_EQ(taken_of_ten(d, 0, "bob"), 4) << "in the name of another user's end user";
}

TEST(RateLimited, MayHoldForNamedUsersOnly) {
  BrokerOptions options = limited(0);
  options.user_rates = {{"1001", 3}};
  Driver d(options);
  EXPECT_EQ(taken_of_ten(d, 1001), 3);
  EXPECT_EQ(taken_of_ten(d, 1002), 10);
  const auto batch = d.submit_batch(d.open(1001), std::vector<JobSpec>(2));
  EXPECT_EQ(d.refusal_of(batch.front()), Error::kRateLimitExceeded);
}

TEST(RateLimited, BatchThatIsNoneIsToldSoWhateverTheRate) {
  Driver d(limited(1));
  const auto ids = d.submit_batch(d.open(), {{.queue = "a"}, {.queue = "b"}});
  for (const JobId& id : ids) {
    EXPECT_EQ(d.refusal_of(id), Error::kInvalidRequest);
    EXPECT_EQ(d.receipt_of(id)->retry_after_ms, 0u);
  }
}

TEST(RateLimited, ChargeOfAJobInMemoryIsJournaledAndKeepsNothingBack) {
  Driver d(limited(3));
  const SessionNo user = d.open();
  const JobSpec in_memory{.durability = Durability::kMemory};
  d.submit(user, in_memory);
  EXPECT_FALSE(d.could_wait) << "the queue and the type are new";
  const size_t commits = d.commits.size();
  d.submit(user, in_memory);
  EXPECT_TRUE(d.could_wait);
  EXPECT_EQ(d.commits.size(), commits + 1);
  EXPECT_EQ(d.state.tables.rates.tat({kUid, ""}), d.now_ns + 40 * kSecondNs);
  d.submit(user);
  EXPECT_FALSE(d.could_wait) << "a job in the journal";
  d.submit(user, in_memory);
  EXPECT_FALSE(d.could_wait) << "a refusal, which outlives an engine";
}

TEST(RateLimited, IsKnownToTheTablesOfACheckpoint) {
  Driver d(limited(1));
  d.submit(d.open());
  const auto tables = Tables::decode(d.state.tables.encode());
  ASSERT_TRUE(tables);
  EXPECT_EQ(tables->rates.tat({kUid, ""}), d.now_ns + 60 * kSecondNs);
}

}  // namespace
}  // namespace pqd::test
